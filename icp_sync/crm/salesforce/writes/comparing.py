"""A last look at the accounts about to be written: whether they still are, and still hold what was read.

What a person changed since our read is not overwritten: nothing of that write is sent. Salesforce cannot make
a collection conditional, so the look is one call for all of them, directly before the write; whatever takes
its time in between is followed by another look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from icp_sync.crm.salesforce.client import RETRIEVE, Client
from icp_sync.crm.salesforce.replies import codes
from icp_sync.crm.salesforce.soql import literal
from icp_sync.crm.salesforce.writes.preparing import (
    OWNER,
    Input,
    Outputs,
    Preparing,
    Spelling,
    finish,
    outcome,
)
from icp_sync.domain.plan import Outcome, Result
from icp_sync.errors import AuthError, RequestError, UnavailableError

CHANGED = "CHANGED_SINCE_READ"
MODIFIED = "LastModifiedDate"
_IDS = 400
"""Ids in one query: an address may have 16,384 bytes with its headers."""


class Comparing:
    """outputs: what the org carries. values: how it spells it."""

    def __init__(self, client: Client, outputs: Outputs, values: Spelling, preparing: Preparing) -> None:
        self._client = client
        self._outputs = outputs
        self._values = values
        self._preparing = preparing

    def look(self, items: Sequence[Input]) -> tuple[list[Input], list[Outcome]]:
        """Those that may be written now, each with the instant of its last change, and what became of the
        others. Never raises for what the other side does."""
        ready: list[Input] = []
        settled: list[Outcome] = []
        for at in range(0, len(items), RETRIEVE):
            part = items[at : at + RETRIEVE]
            try:
                passed, stopped = self._some(part)
            except (UnavailableError, AuthError, RequestError) as error:
                passed, stopped = [], [outcome(i.id, Result.FAILED, message=str(error)) for i in part]
            ready += passed
            settled += stopped
        return ready, settled

    def _some(self, items: Sequence[Input]) -> tuple[list[Input], list[Outcome]]:
        settled: list[Outcome] = []
        try:
            records = self._retrieve(items)
        except RequestError as error:
            lost = self._preparing.lost(items, codes(error))
            if not lost:
                raise
            settled = [self._preparing.dropped(i.id, i.values, lost) for i in items if lost & i.values.keys()]
            items = [item for item in items if not lost & item.values.keys()]
            records = self._retrieve(items)
        ready: list[Input] = []
        missing: list[Input] = []
        for item, record in zip(items, records, strict=True):
            if record is None:
                missing.append(item)
                continue
            found = self._compared(item, record)
            ready.append(found) if isinstance(found, Input) else settled.append(found)
        return ready, [*settled, *self.missing(missing)]

    def _retrieve(self, items: Sequence[Input]) -> list[dict[str, Any] | None]:
        names = sorted({self._outputs.properties[field] for item in items for field in item.values})
        return self._client.retrieve([item.id for item in items], [*names, MODIFIED])

    def _compared(self, item: Input, record: dict[str, Any]) -> Input | Outcome:
        """The input with what the record tells; an outcome where it must not be written, or need not be."""
        spelled = {name.lower(): value for name, value in record.items()}
        live = {
            name: self._values.canonical(name, spelled.get(self._outputs.properties[name].lower()))
            for name in item.values
        }
        # A value that is there already is in nobody's way, whoever typed it.
        changed = sorted(
            name
            for name, value in item.values.items()
            if live[name] != value and name in item.expected and live[name] != item.expected[name]
        )
        if changed:
            message = f"somebody changed {', '.join(changed)} since it was read; not overwritten"
            return outcome(item.id, Result.FAILED, code=CHANGED, message=message)
        if item.values and all(live[name] == value for name, value in item.values.items()):
            done = {**item.confirmed, **item.values}
            return finish(replace(item, confirmed=done, values={}, sent={}), None)
        item = replace(item, unchanged_since=str(record.get(MODIFIED) or ""))
        return item.done(OWNER) if OWNER in item.values and live[OWNER] == item.values[OWNER] else item

    def missing(self, items: Sequence[Input]) -> list[Outcome]:
        """What became of accounts that are not there: deleted, merged, or not ours to see."""
        outcomes: list[Outcome] = []
        for at in range(0, len(items), _IDS):
            part = items[at : at + _IDS]
            try:
                graves = self._graves([item.id for item in part])
            except (UnavailableError, AuthError, RequestError) as error:
                message = f"it cannot be read, and why not could not be found out: {error}"
                outcomes += [outcome(item.id, Result.FAILED, message=message) for item in part]
                continue
            outcomes += [_missing(item.id, graves.get(item.id[:15])) for item in part]
        return outcomes

    def _graves(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What the recycle bin, and who is alive, show of these ids (their first 15 characters)."""
        listed = ", ".join(literal(id) for id in ids if id.isalnum())
        if not listed:
            return {}
        soql = f"SELECT Id, IsDeleted, MasterRecordId FROM Account WHERE Id IN ({listed})"  # noqa: S608
        pages = self._client.query(soql, deleted=True)
        return {str(row.get("Id"))[:15]: row for page in pages for row in page}


def _missing(id: str, row: dict[str, Any] | None) -> Outcome:
    if row is not None and not row.get("IsDeleted"):
        message = "the integration user may see that it is there, and not read it"
        return outcome(id, Result.REFUSED, code="INSUFFICIENT_ACCESS_OR_READONLY", message=message)
    survivor = row.get("MasterRecordId") if row else None
    message = f"merged into {survivor}" if survivor else "deleted, or out of our sight"
    return outcome(id, Result.GONE, code="ENTITY_IS_DELETED", message=message)
