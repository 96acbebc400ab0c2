"""From a write to what is sent for it: its values as Salesforce takes them, or why there is nothing to send.

Sends nothing. What is decided here needs no answer of Salesforce's but the description of its fields.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from icp_sync.crm.canonical import type_of
from icp_sync.crm.carrying import theirs_among
from icp_sync.crm.salesforce.replies import Complaint, kind, summary
from icp_sync.domain.plan import Outcome, Result, Write
from icp_sync.domain.standing import FieldType

OWNER = "owner"
BY_KIND: Mapping[str, Result] = {
    "transient": Result.FAILED,
    "quota": Result.FAILED,
    "permission": Result.REFUSED,
    "permanent": Result.REFUSED,
    "gone": Result.GONE,
}


class Outputs(Protocol):
    """Which of our fields the org carries. properties: logical field → API name. disabled: field → why."""

    @property
    def properties(self) -> Mapping[str, str]: ...

    @property
    def disabled(self) -> Mapping[str, str]: ...

    def definitions(self) -> Mapping[str, Any]:
        """The org's fields, read again when they are old."""

    def suspect(self, wanted: Mapping[str, Iterable[str]]) -> frozenset[str]:
        """Salesforce refused these fields with these values: those it cannot carry any more."""


class Spelling(Protocol):
    """Values between Salesforce's JSON and our canonical forms."""

    def canonical(self, field: str, raw: Any) -> str: ...

    def wire(self, field: str, value: str) -> Any:
        """The value as JSON. Raises ValueError, with a sentence, for one that does not fit its field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One account's values: canonical by field, and as sent by field.

    expected: canonical values these may replace. unchanged_since: the record's LastModifiedDate when that was
    looked at, "" where nobody asked. confirmed, refused: what became of fields dealt with before the others;
    deferred: those refused that may land the next time; settled: the result where they were all there was.
    uncertain: why nobody knows what became of them.
    """

    id: str
    values: Mapping[str, str]
    sent: Mapping[str, Any]
    expected: Mapping[str, str] = field(default_factory=dict)
    unchanged_since: str = ""
    confirmed: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    deferred: frozenset[str] = frozenset()
    settled: Result = Result.REFUSED
    uncertain: str = ""

    def without(self, name: str, **became: Any) -> Input:
        """The same less one field, with what became of that."""
        return replace(
            self,
            values={f: v for f, v in self.values.items() if f != name},
            sent={f: v for f, v in self.sent.items() if f != name},
            **became,
        )

    def done(self, name: str) -> Input:
        """The same with one field written."""
        return self.without(name, confirmed={**self.confirmed, name: self.values[name]})

    def left_out(self, name: str, why: str, result: Result) -> Input:
        """The same with one field not written: FAILED, it may land the next time; REFUSED, it will not."""
        deferred = self.deferred | {name} if result is Result.FAILED else self.deferred - {name}
        return self.without(name, refused={**self.refused, name: why}, deferred=deferred, settled=result)


class Preparing:
    """outputs: what the org carries. values: how it spells it."""

    def __init__(self, outputs: Outputs, values: Spelling) -> None:
        self._outputs = outputs
        self._values = values

    def prepare(self, write: Write) -> Input | Outcome:
        """What to send for a write, or why nothing can be sent.

        A person nobody knows costs that field alone; any other value that does not fit costs the account's
        write, because a seal among the values covers them all.
        """
        unknown = sorted(set(write.values) - set(self._outputs.properties))
        if unknown:
            message = f"this connection has no field for {', '.join(unknown)}"
            return outcome(write.account_id, Result.REFUSED, code="NOT_CONFIGURED", message=message)
        if theirs := theirs_among(write.values):
            message = f"{', '.join(theirs)} belongs to people and is never written"
            return outcome(write.account_id, Result.REFUSED, code="THEIRS", message=message)
        disabled = self._outputs.disabled
        if not write.values or disabled.keys() & write.values.keys():
            return self.dropped(write.account_id, write.values, disabled.keys())
        sent: dict[str, Any] = {}
        strangers: dict[str, str] = {}
        for name, value in write.values.items():
            try:
                sent[name] = self._values.wire(name, value)
            except ValueError as error:
                if type_of(name) is not FieldType.OWNER:
                    message = f"{self._outputs.properties[name]}: {error}"
                    return outcome(
                        write.account_id, Result.REFUSED, code="VALUE_DOES_NOT_FIT", message=message
                    )
                strangers[name] = f"NO_SUCH_OWNER: {error}"
        return Input(
            id=write.account_id,
            values={name: value for name, value in write.values.items() if name in sent},
            sent=sent,
            expected=write.expected,
            refused=strangers,
        )

    def dropped(self, id: str, values: Mapping[str, str], disabled: Collection[str]) -> Outcome:
        """Values some of which the org cannot take: none is sent.

        A write without one of them would be sealed wrongly, so it is planned again without the disabled
        outputs, which the account no longer shows.
        """
        gone = sorted(name for name in values if name in disabled)
        reasons = "; ".join(f"{name}: {self._outputs.disabled.get(name, 'disabled')}" for name in gone)
        if len(gone) == len(values):
            return outcome(id, Result.REFUSED, code="DISABLED", message=reasons or "nothing to write")
        message = f"nothing was written, to be planned again without what is disabled: {reasons}"
        return outcome(id, Result.FAILED, code="OUTPUT_DISABLED", message=message)

    def record(self, item: Input) -> dict[str, Any]:
        """An account's values by API name, with its id, as a collection takes them."""
        names = self._outputs.properties
        return {"id": item.id, **{names[field]: value for field, value in item.sent.items()}}

    def lost(self, items: Sequence[Input], found: Iterable[Complaint]) -> frozenset[str]:
        """The fields these complaints name that the org has lost, or lost a value of.

        Raises what reading the org's fields raises.
        """
        named = {name.lower() for complaint in found for name in complaint.fields}
        names = self._outputs.properties
        wanted: dict[str, set[str]] = {}
        for item in items:
            for name, value in item.sent.items():
                if names[name].lower() in named:
                    wanted.setdefault(name, set()).update({str(value)} if isinstance(value, str) else ())
        return self._outputs.suspect(wanted) if wanted else frozenset()

    def vanished(self, items: Sequence[Input]) -> frozenset[str]:
        """The fields of these inputs that the org has no more, where it did not say which it misses.

        Raises what reading the org's fields raises.
        """
        return self._outputs.suspect({name: () for item in items for name in item.sent})


def finish(item: Input, rest: Outcome | None) -> Outcome:
    """One outcome for an account whose fields went in parts. `rest`: what became of those sent together."""
    if rest is None:
        result = Result.WRITTEN if item.confirmed or not item.refused else item.settled
        code, message = _of(item.refused) if result is not Result.WRITTEN else ("", "")
        rest = outcome(item.id, result, code=code, message=message)
    if item.uncertain and rest.result is not Result.GONE:
        return outcome(item.id, Result.UNCERTAIN, message=item.uncertain)
    if rest.result is Result.WRITTEN:
        confirmed = {**item.confirmed, **rest.confirmed}
        return replace(rest, confirmed=confirmed, refused=item.refused, deferred=item.deferred)
    if item.confirmed and rest.result in (Result.REFUSED, Result.FAILED):
        # Something did land: the fields that did not are named, and nothing else is lost.
        why = f"{rest.code}: {rest.message}" if rest.code else rest.message
        refused = {**item.refused, **dict.fromkeys(item.values, why)}
        deferred = item.deferred | (item.values.keys() if rest.result is Result.FAILED else frozenset())
        written = outcome(item.id, Result.WRITTEN, confirmed=item.confirmed, refused=refused)
        return replace(written, deferred=deferred)
    return rest


def rejected(item: Input, found: Sequence[Complaint], otherwise: str = "") -> Outcome:
    """The outcome of a record Salesforce complained of."""
    code, message = summary(found)
    return outcome(item.id, BY_KIND[kind(found)], code=code, message=message or otherwise)


def outcome(
    id: str,
    result: Result,
    *,
    confirmed: Mapping[str, str] | None = None,
    code: str = "",
    message: str = "",
    refused: Mapping[str, str] | None = None,
) -> Outcome:
    return Outcome(
        account_id=id,
        result=result,
        confirmed=dict(confirmed or {}),
        code=code,
        message=message,
        refused=dict(refused or {}),
    )


def _of(refused: Mapping[str, str]) -> tuple[str, str]:
    """Code and message of the first of these."""
    name, why = next(iter(refused.items()), ("", ""))
    code, _, said = why.partition(": ")
    return code, f"{name}: {said}" if said else why
