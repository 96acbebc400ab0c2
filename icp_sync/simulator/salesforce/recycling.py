"""What goes with a record when it is deleted, merged away or brought back.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_delete.htm
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_merge.htm
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_undelete.htm
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from icp_sync.simulator.salesforce.sobject import SObject
from icp_sync.simulator.store import Record, Source

CHILDREN = ("contact", "opportunity")
"""Objects whose records follow their account."""


def delete(sobject: SObject, record: Record, source: Source, *, late: int = 0) -> None:
    """Put a record into the recycle bin; an account takes its contacts and opportunities with it."""
    sobject.archive(record, late=late)
    if sobject is not sobject.org.accounts:
        return
    gone = sobject.id_of(record)
    for child_object, child in _children(sobject, gone):
        child_object.archive(child, late=late)
    for below in _below(sobject, gone):
        sobject.write(below, {"ParentId": ""}, source, late=late)


def undelete(sobject: SObject, record: Record) -> bool:
    """Take a record out of the recycle bin, an account with what followed it there.

    Whether that could be done: a record merged away or purged stays where it is.
    """
    at = record.archived_at
    if at is None or record.merged_into is not None or sobject.committed(record.id, deleted=True) is None:
        return False
    _restore(sobject, record)
    if sobject is sobject.org.accounts:
        for child_object, child in _children(sobject, sobject.id_of(record), deleted_at=at):
            _restore(child_object, child)
    return True


def merge(sobject: SObject, survivor: Record, other: Record, source: Source, *, late: int = 0) -> None:
    """Merge `other` away: its MasterRecordId names the survivor, which takes over what belonged to it."""
    gone, kept = sobject.id_of(other), sobject.id_of(survivor)
    sobject.merge(survivor, other, late=late)
    if sobject is not sobject.org.accounts:
        return
    for child_object, child in _children(sobject, gone):
        child_object.write(child, {"AccountId": kept}, source, late=late)
    for below in _below(sobject, gone):
        parent = "" if below is survivor else kept
        sobject.write(below, {"ParentId": parent}, source, late=late)


def _children(
    accounts: SObject, account_id: str, *, deleted_at: int | None = None
) -> Iterator[tuple[SObject, Record]]:
    """An account's live children, or those deleted at one instant."""
    for name in CHILDREN:
        sobject = accounts.org.objects[name]
        numbers = sobject.store.live if deleted_at is None else sobject.store.archived
        for record in [sobject.store.records[number] for number in numbers]:
            if record.props.get("AccountId") == account_id and record.archived_at == deleted_at:
                yield sobject, record


def _below(accounts: SObject, account_id: str) -> list[Record]:
    """The accounts whose parent it is."""
    live = (accounts.store.records[number] for number in accounts.store.live)
    return [record for record in live if record.props.get("ParentId") == account_id]


def _restore(sobject: SObject, record: Record) -> None:
    """Make a record live again; that stamps it."""
    store = sobject.store
    at = bisect_left(store.archived, record.id)
    if store.archived[at : at + 1] == [record.id]:
        del store.archived[at]
    record.archived_at = None
    insort(store.live, record.id)
    sobject.bump(record, sobject.org.clock.now_ms())
