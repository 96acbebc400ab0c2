"""Our stamp onto deals, a hundred a call, and what became of each. Decides nothing; writes nothing else.

Looked at directly before: what somebody has filled meanwhile is not overwritten, and what is there already is
not sent. Replies are as unreliable as those about companies (`writing`): results in any order, silence about
ids merged away, a hundred refused for the sake of one. So each is reconciled with its inputs, silence is read
again, and a lost reply is UNCERTAIN. A deal's values are sent together or not at all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor

from icp_sync.crm.hubspot import definitions
from icp_sync.crm.hubspot.client import DEALS, Client
from icp_sync.crm.hubspot.deals import stamp_of_deal, standing
from icp_sync.crm.hubspot.records import BATCH, Json, listed
from icp_sync.crm.hubspot.replies import Complaint, complaints, summary
from icp_sync.crm.hubspot.values import MERGED
from icp_sync.crm.hubspot.writing import ABOUT_VALUES, CAPACITY, NOT_FOUND
from icp_sync.domain.plan import Result
from icp_sync.domain.stamp import STAMP
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.http import UncertainError
from icp_sync.ports import FILLED, Note, Noted

TTL = 900.0
"""Seconds for which what is known of the deals' properties is believed."""
NOT_CONFIGURED, NOT_PROVISIONED = "NOT_CONFIGURED", "NOT_PROVISIONED"


class Annotator:
    """stamp: field of the stamp → property of the deal. clock: monotonic seconds."""

    def __init__(
        self,
        client: Client,
        stamp: Mapping[str, str],
        executor: Executor,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._stamp, self._executor, self._clock = client, stamp, executor, clock
        self._fit_until = float("-inf")
        self._lock = threading.Lock()

    def annotate(self, notes: Sequence[Note]) -> Iterator[Noted]:
        """One answer per note. Sends while the answers are consumed."""
        ready = []
        for note in notes:
            if unknown := sorted(note.values.keys() - self._stamp.keys()):
                message = f"this connection has no property of deals for {', '.join(unknown)}"
                yield Noted(id=note.id, result=Result.REFUSED, code=NOT_CONFIGURED, message=message)
            else:
                ready.append(note)
        if not ready:
            return
        try:
            unfit = self._unfit()
        except (UnavailableError, AuthError, RequestError) as error:
            yield from _all(ready, Result.FAILED, str(error))
            return
        if unfit:
            yield from _all(ready, Result.FAILED, unfit, NOT_PROVISIONED)
            return
        for at in range(0, len(ready), BATCH):
            yield from self._look_and_send(ready[at : at + BATCH])

    def forget(self) -> None:
        """The portal's properties have changed, or may have: they are looked at before the next note."""
        self._fit_until = float("-inf")

    def _unfit(self) -> str:
        """Why the portal cannot take the stamp, "" when it can."""
        with self._lock:
            if self._clock() < self._fit_until:
                return ""
            found = {str(entry.get("name")): entry for entry in self._client.properties(of=DEALS)}
            reasons = [
                reason
                for field, name in self._stamp.items()
                if (
                    reason := definitions.unfit_for(STAMP[field], name, found.get(name), STAMP[field].options)
                )
            ]
            if reasons:
                return f"{'; '.join(reasons)} (on deals): icp-sync provision --apply"
            self._fit_until = self._clock() + TTL
        return ""

    def _look_and_send(self, notes: Sequence[Note]) -> list[Noted]:
        try:
            found = self._standing(notes)
        except (UnavailableError, AuthError, RequestError) as error:
            return _all(notes, Result.FAILED, f"it cannot be read: {error}")
        looked = {note.id: self._stands(note, found.get(note.id)) for note in notes}
        answers = [answer for answer in looked.values() if answer is not None]
        blank = [note for note in notes if looked[note.id] is None]
        return answers + (self._send(blank) if blank else [])

    def _standing(self, notes: Sequence[Note]) -> Mapping[str, Json]:
        shown = [*self._stamp.values(), MERGED]
        return standing(self._client.deals, self._executor, [note.id for note in notes], shown)

    def _stands(self, note: Note, record: Json | None) -> Noted | None:
        """What became of a note, by the deal as it stands; None where nothing is filled."""
        if record is None or str(record["id"]) != note.id:
            into = f"merged into {record['id']}" if record else "deleted"
            return Noted(id=note.id, result=Result.GONE, code=NOT_FOUND, message=into)
        if self._shows(record, note):
            return Noted(id=note.id, result=Result.WRITTEN)
        if any(stamp_of_deal(record, self._stamp).values()):
            message = "somebody filled it since it was read; not overwritten"
            return Noted(id=note.id, result=Result.FAILED, code=FILLED, message=message)
        return None

    def _send(self, notes: Sequence[Note]) -> list[Noted]:
        try:
            reply = self._client.update_deals([self._wire(note) for note in notes])
        except UncertainError as error:
            return _all(notes, Result.UNCERTAIN, str(error))
        except (UnavailableError, AuthError) as error:
            return _all(notes, Result.FAILED, str(error))
        except RequestError as error:
            return self._refused_whole(notes, error)
        return self._reconciled(notes, reply)

    def _wire(self, note: Note) -> Json:
        return {
            "id": note.id,
            # With a trace id on every input HubSpot can say whose values it refused.
            "objectWriteTraceId": note.id,
            "properties": {self._stamp[field]: value for field, value in note.values.items()},
        }

    def _refused_whole(self, notes: Sequence[Note], error: RequestError) -> list[Noted]:
        if error.status not in ABOUT_VALUES:
            return _all(notes, Result.FAILED, str(error))
        found = complaints(error.body)
        named = frozenset().union(*(complaint.ids for complaint in found))
        guilty = [note for note in notes if note.id in named]
        lacking = any(complaint.code in CAPACITY for complaint in found)
        if len(notes) == 1 or (lacking and len(guilty) in (0, len(notes))):
            # What the portal lacks, one deal meets as a hundred do.
            return [self._refusal(note.id, found, str(error)) for note in notes]
        if guilty and len(guilty) < len(notes):
            parts: list[Sequence[Note]] = [guilty, [note for note in notes if note.id not in named]]
        else:
            middle = len(notes) // 2
            parts = [notes[:middle], notes[middle:]]
        return [answer for part in parts for answer in self._send(part)]

    def _refusal(self, id: str, found: Sequence[Complaint], otherwise: str = "") -> Noted:
        code, message = summary(found)
        if any(complaint.code in CAPACITY for complaint in found):
            self.forget()
            return Noted(id=id, result=Result.FAILED, code=code, message=message or otherwise)
        return Noted(id=id, result=Result.REFUSED, code=code, message=message or otherwise)

    def _reconciled(self, notes: Sequence[Note], reply: Json) -> list[Noted]:
        written = {str(record["id"]): record for record in listed(reply)}
        found = complaints({"errors": reply.get("errors") or []})
        answers, silent = [], []
        for note in notes:
            mine = [complaint for complaint in found if note.id in complaint.ids]
            if note.id in written and self._shows(written[note.id], note):
                answers.append(Noted(id=note.id, result=Result.WRITTEN))
            elif any(complaint.code == NOT_FOUND for complaint in mine):
                answers.append(Noted(id=note.id, result=Result.GONE, code=NOT_FOUND))
            elif mine:
                answers.append(self._refusal(note.id, mine))
            else:
                silent.append(note)
        return answers + self._looked_at(silent)

    def _looked_at(self, silent: Sequence[Note]) -> list[Noted]:
        """Read what the reply said nothing of."""
        if not silent:
            return []
        try:
            found = self._standing(silent)
        except (UnavailableError, AuthError, RequestError) as error:
            return _all(silent, Result.UNCERTAIN, f"the reply said nothing of it, nor did a read: {error}")
        return [self._seen(note, found.get(note.id)) for note in silent]

    def _seen(self, note: Note, record: Json | None) -> Noted:
        stands = self._stands(note, record)
        if stands is None:
            message = "HubSpot accepted the batch and did not write this deal"
            return Noted(id=note.id, result=Result.FAILED, message=message)
        if stands.code == FILLED:
            message = "the reply said nothing of it, and it shows other values than sent"
            return Noted(id=note.id, result=Result.UNCERTAIN, message=message)
        return stands

    def _shows(self, record: Json, note: Note) -> bool:
        shown = stamp_of_deal(record, self._stamp)
        return all(shown.get(field) == value for field, value in note.values.items())


def _all(notes: Sequence[Note], result: Result, message: str, code: str = "") -> list[Noted]:
    return [Noted(id=note.id, result=result, code=code, message=message) for note in notes]
