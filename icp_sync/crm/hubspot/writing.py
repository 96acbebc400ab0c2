"""Absolute values onto companies, a hundred a call, and what became of each.

HubSpot answers a batch with results in any order, some errors, and silence about ids merged away; it may
refuse a hundred for the sake of one; its reply may be lost. So every reply is reconciled with its inputs,
silence is read again, a refused batch is halved, and a lost reply is UNCERTAIN and nothing else. An
account's values are sent together or not at all.
HubSpot cannot make a write conditional: what a person changed since our read is found by the echo read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass

from icp_sync.crm.canonical import type_of
from icp_sync.crm.carrying import theirs_among
from icp_sync.crm.hubspot.catalogue import Catalogue
from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.history import Hands
from icp_sync.crm.hubspot.records import BATCH, Json, listed
from icp_sync.crm.hubspot.replies import Complaint, complaints, named_properties, summary
from icp_sync.crm.hubspot.values import NoSuchOwnerError, Values, properties_of, stamp_of
from icp_sync.crm.paging import Part
from icp_sync.crm.rounds import rounds
from icp_sync.crm.windows import id_order
from icp_sync.domain.plan import Outcome, Result, Write
from icp_sync.domain.standing import FieldType
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.http import UncertainError
from icp_sync.observe import fault_point, log

NOT_FOUND = "OBJECT_NOT_FOUND"
CAPACITY = frozenset(
    {"PROPERTY_DOESNT_EXIST", "INVALID_OPTION", "READ_ONLY_VALUE", "PROPERTY_DOES_NOT_EXIST"}
)
"""Codes by which HubSpot says that the portal is not what we took it for. Any other complaint about a
property of ours may mean so too: one of another type complains of the value."""

ABOUT_VALUES = frozenset({400, 409, 413, 414, 422})
"""Statuses that fewer or other inputs can avoid; a 404 or 405 would only be met a hundred times."""

_log = log("hubspot")
_replied = fault_point("hubspot.written", "values HubSpot confirmed and the journal does not know of yet")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Input:
    """One account's values, canonical by field and as sent by property."""

    id: str
    values: dict[str, str]
    sent: dict[str, str]  # field → wire value
    properties: dict[str, str]  # the same by property
    refused: dict[str, str]  # field → why it is not sent


class Writer:
    """read: full accounts by id, for what a reply leaves open. executor: where batches run in parallel.
    hands: told of what was written, so that it knows us in the history."""

    def __init__(
        self,
        client: Client,
        catalogue: Catalogue,
        values: Values,
        *,
        read: Callable[[Sequence[str]], Part],
        executor: Executor,
        hands: Hands,
    ) -> None:
        self._hands = hands
        self._client = client
        self._catalogue = catalogue
        self._values = values
        self._read = read
        self._executor = executor

    def write(self, writes: Sequence[Write]) -> Iterator[Outcome]:
        """One outcome per write. Writes of one account follow each other in the order given."""
        for together in rounds(writes):
            try:
                self._catalogue.definitions()
                ready = [self._prepare(write) for write in together]
            except (UnavailableError, AuthError, RequestError) as error:
                yield from (_outcome(w.account_id, Result.FAILED, message=str(error)) for w in together)
                continue
            yield from (item for item in ready if isinstance(item, Outcome))
            inputs = sorted((i for i in ready if isinstance(i, _Input)), key=lambda i: id_order(i.id))
            batches = [inputs[at : at + BATCH] for at in range(0, len(inputs), BATCH)]
            for sent in as_completed([self._executor.submit(self._send, batch) for batch in batches]):
                yield from sent.result()

    def _prepare(self, write: Write) -> _Input | Outcome:
        """What to send for a write, or why nothing can be sent."""
        unknown = sorted(write.values.keys() - self._catalogue.properties.keys())
        if unknown:
            message = f"this connection has no property for {', '.join(unknown)}"
            return _outcome(write.account_id, Result.REFUSED, code="NOT_CONFIGURED", message=message)
        if theirs := theirs_among(write.values):
            message = f"{', '.join(theirs)} belongs to people and is never written"
            return _outcome(write.account_id, Result.REFUSED, code="THEIRS", message=message)
        values = dict(write.values)
        disabled = self._catalogue.disabled.keys()
        if not values or disabled & values.keys():
            return self._dropped(write.account_id, values, disabled)
        sent, refused = self._wired(values)
        if not sent:
            message = next(iter(refused.values()))
            return _outcome(write.account_id, Result.REFUSED, code="INVALID_OPTION", message=message)
        if refused:
            values = {field: value for field, value in values.items() if field in sent}
        names = self._catalogue.properties
        properties = {names[field]: value for field, value in sent.items()}
        return _Input(id=write.account_id, values=values, sent=sent, properties=properties, refused=refused)

    def _wired(self, values: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        """The values as HubSpot takes them, and why some are not sent: only owners have another form."""
        sent, refused = dict(values), {}
        for field in [field for field in values if type_of(field) is FieldType.OWNER]:
            try:
                sent[field] = self._values.wire(field, values[field])
            except NoSuchOwnerError as error:
                refused[field] = str(error)
                del sent[field]
        return sent, refused

    def _send(self, inputs: Sequence[_Input], since: float | None = None) -> list[Outcome]:
        """Send one batch; never raises for what the other side does.

        since: when (on the catalogue's clock) the whole was sent that this is a part of.
        """
        since = self._catalogue.now() if since is None else since
        try:
            reply = self._client.batch_update([_wire(item) for item in inputs])
            _replied()
        except UncertainError as error:
            return [_outcome(item.id, Result.UNCERTAIN, message=str(error)) for item in inputs]
        except (UnavailableError, AuthError) as error:
            return [_outcome(item.id, Result.FAILED, message=str(error)) for item in inputs]
        except RequestError as error:
            return self._refused_whole(inputs, error, since)
        try:
            return self._reconcile(inputs, reply, since)
        except (UnavailableError, AuthError, RequestError) as error:  # owners could not be looked up
            return [_outcome(item.id, Result.UNCERTAIN, message=str(error)) for item in inputs]

    # A batch refused whole

    def _refused_whole(self, inputs: Sequence[_Input], error: RequestError, since: float) -> list[Outcome]:
        if error.status not in ABOUT_VALUES:
            return [_outcome(item.id, Result.FAILED, message=str(error)) for item in inputs]
        found = complaints(error.body)
        rest = self._without_disabled(inputs, found, since)
        if rest is not None:
            return rest
        if len(inputs) == 1:
            return [_refusal(inputs[0].id, found, str(error))]
        named = frozenset().union(*(complaint.ids for complaint in found))
        guilty = [item for item in inputs if item.id in named]
        if guilty and len(guilty) < len(inputs):
            parts: list[Sequence[_Input]] = [guilty, [item for item in inputs if item.id not in named]]
        else:
            middle = len(inputs) // 2
            parts = [inputs[:middle], inputs[middle:]]
        return [outcome for part in parts for outcome in self._send(part, since)]

    def _without_disabled(
        self, inputs: Sequence[_Input], found: Sequence[Complaint], since: float
    ) -> list[Outcome] | None:
        """Send again the accounts without an output the portal has lost, None when it has lost none."""
        lost = self._lost(inputs, found, since)
        if not lost:
            return None
        rest = [item for item in inputs if not lost & item.values.keys()]
        outcomes = [self._dropped(item.id, item.values, lost) for item in inputs if lost & item.values.keys()]
        return outcomes + (self._send(rest) if rest else [])

    def _dropped(self, id: str, values: Mapping[str, str], disabled: Collection[str]) -> Outcome:
        """Values some of which the portal cannot take: none is sent.

        A seal among them covers them all, so a write without one of them would be sealed wrongly; it is
        planned again without the disabled outputs, which the account no longer shows.
        """
        gone = sorted(field for field in values if field in disabled)
        reasons = "; ".join(f"{field}: {self._catalogue.disabled.get(field, 'disabled')}" for field in gone)
        if len(gone) == len(values):
            message = reasons or "nothing to write"
            return _outcome(id, Result.REFUSED, code="DISABLED", message=message)
        message = f"nothing was written, to be planned again without what is disabled: {reasons}"
        return _outcome(id, Result.FAILED, code="OUTPUT_DISABLED", message=message)

    def _lost(self, inputs: Sequence[_Input], found: Sequence[Complaint], since: float) -> frozenset[str]:
        names = named_properties(found)
        certain = not names.isdisjoint(named_properties(c for c in found if c.code in CAPACITY))
        sent = frozenset().union(*(item.values for item in inputs))
        fields = {field for field in sent if self._catalogue.properties[field] in names}
        wanted = {field: {item.sent.get(field, "") for item in inputs} - {""} for field in fields}
        if not wanted:
            return frozenset()
        try:
            return self._catalogue.suspect(wanted, since=since, certain=certain)
        except (UnavailableError, AuthError, RequestError) as error:
            _log.warning("could not read the properties again", error=str(error))
            return frozenset()

    # A batch answered

    def _reconcile(self, inputs: Sequence[_Input], reply: Json, since: float) -> list[Outcome]:
        written = {str(record["id"]): record for record in listed(reply)}
        found = complaints({"errors": reply.get("errors") or []})
        outcomes, silent, again = [], [], []
        for item in inputs:
            mine = [complaint for complaint in found if item.id in complaint.ids]
            if item.id in written:
                outcome = self._confirmed(item, written[item.id])
                outcomes.append(outcome) if outcome else silent.append(item)
            elif any(complaint.code == NOT_FOUND for complaint in mine):
                outcomes.append(_refusal(item.id, mine, "", Result.GONE))
            elif mine:
                again.append((item, mine))
            else:
                silent.append(item)
        for item, mine in again:
            retried = self._without_disabled([item], mine, since)
            outcomes.extend(retried if retried is not None else [_refusal(item.id, mine, "")])
        return outcomes + self._look(silent)

    def _confirmed(self, item: _Input, record: Json) -> Outcome | None:
        """WRITTEN when the reply shows every value we sent, None when it leaves one open."""
        names, shown = self._catalogue.properties, properties_of(record)
        for field, value in item.values.items():
            told = shown.get(names[field])
            if told == item.sent[field]:
                continue
            if self._values.canonical(field, told) != value:
                return None
        self._hands.wrote(item.id, item.properties, stamp_of(record))
        return _written(item)

    def _look(self, silent: Sequence[_Input]) -> list[Outcome]:
        """Read what the reply said nothing of: merged or deleted → GONE, all as sent → WRITTEN, else see
        `_compared`."""
        if not silent:
            return []
        try:
            part = self._read([item.id for item in silent])
        except (UnavailableError, AuthError, RequestError) as error:
            message = f"the reply said nothing of it, and reading it failed: {error}"
            return [_outcome(item.id, Result.UNCERTAIN, message=message) for item in silent]
        live = {account.id: account.live for account in part.accounts}
        outcomes = []
        for item in silent:
            if item.id in part.gone:
                into = part.gone[item.id]
                message = f"merged into {into}" if into else "deleted"
                outcomes.append(_outcome(item.id, Result.GONE, code=NOT_FOUND, message=message))
            elif item.id not in live:
                message = "neither the reply nor a read tells"
                outcomes.append(_outcome(item.id, Result.UNCERTAIN, message=message))
            else:
                outcomes.append(_compared(item, live[item.id]))
        return outcomes


def _wire(item: _Input) -> Json:
    # With a trace id on every input HubSpot can say whose values it refused.
    return {"id": item.id, "objectWriteTraceId": item.id, "properties": item.properties}


def _compared(item: _Input, live: Mapping[str, str]) -> Outcome:
    """What a record read afterwards tells: even one value as sent may mean that all of them were there."""
    other = sorted(field for field, value in item.values.items() if live.get(field) != value)
    if not other:
        return _written(item)
    if len(other) == len(item.values):
        message = "HubSpot accepted the batch and did not write this record"
        return _outcome(item.id, Result.FAILED, message=message)
    message = f"the reply said nothing of it, and it now shows other values than sent in {', '.join(other)}"
    return _outcome(item.id, Result.UNCERTAIN, message=message)


def _written(item: _Input) -> Outcome:
    return Outcome(account_id=item.id, result=Result.WRITTEN, confirmed=item.values, refused=item.refused)


def _refusal(id: str, found: Sequence[Complaint], otherwise: str, result: Result = Result.REFUSED) -> Outcome:
    code, message = summary(found)
    return _outcome(id, result, code=code, message=message or otherwise)


def _outcome(id: str, result: Result, *, code: str = "", message: str = "") -> Outcome:
    return Outcome(account_id=id, result=result, code=code, message=message)
