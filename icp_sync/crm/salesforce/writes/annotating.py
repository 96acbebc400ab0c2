"""Stamps onto opportunities, two hundred a call: three fields of ours, once, and what became of each.

Looked at directly before: what somebody has filled meanwhile is not overwritten, and what is there already is
not sent, for Salesforce runs people's automation on every update. All rows of a call stand alone
(`allOrNone` false); a chunk refused whole is halved, rows that are locked or ran into the limits of the org's
own code are sent again in ever smaller chunks, a lost reply is UNCERTAIN. Decides nothing about when.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_update.htm
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from icp_sync.crm.salesforce import soql
from icp_sync.crm.salesforce.client import COLLECTION, Client, Json
from icp_sync.crm.salesforce.ids import long_id
from icp_sync.crm.salesforce.reads.deals import stamp_text
from icp_sync.crm.salesforce.reads.opportunities import OBJECT
from icp_sync.crm.salesforce.replies import Complaint, codes, complaints, kind, summary
from icp_sync.crm.salesforce.writes.chunks import SMALLER
from icp_sync.crm.salesforce.writes.preparing import BY_KIND
from icp_sync.crm.windows import id_order
from icp_sync.domain.plan import Result
from icp_sync.domain.stamp import STAMP
from icp_sync.domain.standing import FieldType
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.http import UncertainError
from icp_sync.ports import FILLED, Note, Noted

_ABOUT_ROWS = frozenset({400, 413, 414})
"""Statuses that fewer rows can avoid."""

_ABOUT_FIELDS = frozenset({"INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE"})
"""Codes of a field that is not there, or not for us."""

_REFUSALS = (UnavailableError, AuthError, RequestError)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """A note with its values as they are sent, by API name."""

    note: Note
    sent: Mapping[str, Any]

    @property
    def id(self) -> str:
        return self.note.id


class Annotating:
    """fields: field of the stamp → API name on opportunities; empty where deals are not stamped."""

    def __init__(self, client: Client, fields: Mapping[str, str]) -> None:
        self._client = client
        self._fields = fields

    def write(self, notes: Sequence[Note]) -> Iterator[Noted]:
        """One answer per note, in any order; never raises for what the other side does."""
        items: list[_Item] = []
        for note in notes:
            prepared = self._prepared(note)
            if isinstance(prepared, Noted):
                yield prepared
            else:
                items.append(prepared)
        for chunk in _chunks(items, COLLECTION):
            yield from self._look_and_send(chunk, 0)

    def _prepared(self, note: Note) -> _Item | Noted:
        if unknown := sorted(set(note.values) - self._fields.keys()) or not note.values:
            named = ", ".join(unknown) if isinstance(unknown, list) else "nothing"
            message = f"this connection has no field of deals for {named}"
            return Noted(id=note.id, result=Result.REFUSED, code="NOT_CONFIGURED", message=message)
        if not long_id(note.id):
            message = f"{note.id[:40]} is no id of an opportunity"
            return Noted(id=note.id, result=Result.REFUSED, code="MALFORMED_ID", message=message)
        try:
            sent = {self._fields[name]: _wire(name, value) for name, value in note.values.items()}
        except ValueError as error:
            message = str(error)
            return Noted(id=note.id, result=Result.REFUSED, code="VALUE_DOES_NOT_FIT", message=message)
        return _Item(note=note, sent=sent)

    # A last look

    def _look_and_send(self, items: Sequence[_Item], times: int) -> Iterator[Noted]:
        try:
            ready, settled = self._looked(items)
        except RequestError as error:
            yield from (_refused(item, codes(error), str(error)) for item in items)
            return
        except (UnavailableError, AuthError) as error:
            yield from (_failed(item, str(error)) for item in items)
            return
        yield from settled
        for chunk in _chunks(ready, SMALLER[times - 1] if times else COLLECTION):
            yield from self._send(chunk, times)

    def _looked(self, items: Sequence[_Item]) -> tuple[list[_Item], list[Noted]]:
        """Those that may be written now, and what became of the others. Raises what the call raises."""
        names = sorted(set(self._fields.values()))
        records = self._client.retrieve([item.id for item in items], names, sobject=OBJECT)
        ready: list[_Item] = []
        settled: list[Noted] = []
        missing: list[_Item] = []
        for item, record in zip(items, records, strict=True):
            if record is None:
                missing.append(item)
                continue
            live = self._live(record)
            if all(live[name] == value for name, value in item.note.values.items()):
                settled.append(Noted(id=item.id, result=Result.WRITTEN))
            elif any(live.values()):
                message = "somebody filled it since it was read; not overwritten"
                settled.append(Noted(id=item.id, result=Result.FAILED, code=FILLED, message=message))
            else:
                ready.append(item)
        return ready, [*settled, *self._missing(missing)]

    def _live(self, record: Json) -> dict[str, str]:
        spelled = {name.lower(): value for name, value in record.items()}
        return {name: stamp_text(name, spelled.get(api.lower())) for name, api in self._fields.items()}

    def _missing(self, items: Sequence[_Item]) -> Iterator[Noted]:
        """What became of deals nobody shows us: deleted, or out of our sight."""
        if not items:
            return
        where = [soql.among("Id", [item.id for item in items])]
        statement = soql.select(["Id", "IsDeleted"], OBJECT, where)
        try:
            rows = [row for page in self._client.query(statement, deleted=True) for row in page]
        except _REFUSALS as error:
            yield from (_failed(item, f"it cannot be read: {error}") for item in items)
            return
        alive = {long_id(str(row.get("Id"))) for row in rows if not row.get("IsDeleted")}
        for item in items:
            if long_id(item.id) in alive:
                message = "the integration user may see that it is there, and not read it"
                code = "INSUFFICIENT_ACCESS_OR_READONLY"
                yield Noted(id=item.id, result=Result.REFUSED, code=code, message=message)
            else:
                message = "deleted, or out of our sight"
                yield Noted(id=item.id, result=Result.GONE, code="ENTITY_IS_DELETED", message=message)

    # A chunk sent

    def _send(self, items: Sequence[_Item], times: int) -> Iterator[Noted]:
        """times: how often these were sent before."""
        records = [{"id": item.id, **item.sent} for item in items]
        try:
            rows = self._client.update(records, sobject=OBJECT)
        except UncertainError as error:
            yield from (Noted(id=item.id, result=Result.UNCERTAIN, message=str(error)) for item in items)
        except (UnavailableError, AuthError) as error:
            yield from (_failed(item, str(error)) for item in items)
        except RequestError as error:
            yield from self._refused_whole(items, error, times)
        else:
            yield from self._reconciled(items, rows, times)

    def _reconciled(self, items: Sequence[_Item], rows: Sequence[Json], times: int) -> Iterator[Noted]:
        again: list[_Item] = []
        for item, row in zip(items, rows, strict=True):
            named, found = row.get("id"), complaints(row.get("errors"))
            if named is not None and str(named)[:15] != item.id[:15]:
                message = f"the reply has {named} in its place"
                yield Noted(id=item.id, result=Result.UNCERTAIN, message=message)
            elif row.get("success") is True:
                yield Noted(id=item.id, result=Result.WRITTEN)
            elif kind(found) == "transient" and found and times < len(SMALLER):
                again.append(item)
            elif found:
                yield _refused(item, found)
            else:
                known = row.get("success") is False
                message = "Salesforce did not write it and did not say why"
                result = Result.FAILED if known else Result.UNCERTAIN
                yield Noted(id=item.id, result=result, message=message)
        if again:
            yield from self._again(again, times)

    def _again(self, items: Sequence[_Item], times: int) -> Iterator[Noted]:
        """Locked rows once more, looked at first: who held the lock was writing."""
        try:
            self._client.transport.wait((times + 1) * random.uniform(0.3, 0.9))  # noqa: S311  spreads workers
        except UnavailableError as error:
            yield from (_failed(item, str(error)) for item in items)
            return
        yield from self._look_and_send(items, times + 1)

    def _refused_whole(self, items: Sequence[_Item], error: RequestError, times: int) -> Iterator[Noted]:
        found = codes(error)
        if error.status not in _ABOUT_ROWS or (found and kind(found) in ("transient", "quota")):
            yield from (_failed(item, str(error)) for item in items)
        elif len(items) == 1 or (found and {one.code for one in found} <= _ABOUT_FIELDS):
            # A field nobody shows us is met by one row as by two hundred.
            yield from (_refused(item, found, str(error)) for item in items)
        else:
            middle = len(items) // 2
            for part in (items[:middle], items[middle:]):
                yield from self._send(part, times)


def _wire(name: str, value: str) -> str | int | float | None:
    """A canonical value as JSON. Raises ValueError, with a sentence, for a number that is none."""
    if not value or STAMP[name].type is not FieldType.NUMBER:
        return value or None
    try:
        number = float(value)
        return int(number) if number == int(number) else number
    except (ValueError, OverflowError):
        raise ValueError(f"{name}: {value[:80]!r} is no number") from None


def _chunks(items: Sequence[_Item], size: int) -> list[Sequence[_Item]]:
    """In order of id: neighbours of one account are locked together, once."""
    ordered = sorted(items, key=lambda item: id_order(item.id))
    return [ordered[at : at + size] for at in range(0, len(ordered), size)]


def _refused(item: _Item, found: Sequence[Complaint], otherwise: str = "") -> Noted:
    """What is wrong with a field for us is no matter of this record, and may be mended any time."""
    code, message = summary(found)
    ours = any(one.code in _ABOUT_FIELDS for one in found)
    result = Result.FAILED if ours else BY_KIND[kind(found)]
    return Noted(id=item.id, result=result, code=code, message=message or otherwise)


def _failed(item: _Item, message: str) -> Noted:
    return Noted(id=item.id, result=Result.FAILED, message=message)
