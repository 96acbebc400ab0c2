"""Taking back what a request did when it stands or falls as a whole. It knows records, no requests.

What the assignment rules were seen to do stays noted: a tripwire that forgets is none.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/requests_composite.htm
"""

from __future__ import annotations

from copy import copy

from icp_sync.simulator.salesforce.org import Org
from icp_sync.simulator.salesforce.sobject import SObject
from icp_sync.simulator.store import Record

_STATE = tuple(name for name in Record.__slots__ if name not in ("id", "origin"))


class Savepoint:
    """The records of an org as they were when this was made. Costs a look at every record."""

    def __init__(self, org: Org) -> None:
        self._objects = [_Kept(sobject) for sobject in org.objects.values()]

    def restore(self) -> None:
        """Put everything back."""
        for kept in self._objects:
            kept.restore()


class _Kept:
    """One object's records, what is committed of them, and how far its log went."""

    def __init__(self, sobject: SObject) -> None:
        store = sobject.store
        self._sobject = sobject
        self._states = [
            (record, [getattr(record, name) for name in _STATE]) for record in store.records.values()
        ]
        self._histories = {
            r.id: {n: list(h) for n, h in r.history.items()} for r, _ in self._states if r.history
        }
        self._lists = (list(store.live), list(store.archived))
        self._index = {name: copy(value) for name, value in vars(sobject.index).items()}
        self._logged = store.log[-1].seq if store.log else 0

    def restore(self) -> None:
        store = self._sobject.store
        store.records = {record.id: record for record, _ in self._states}
        for record, state in self._states:
            for name, value in zip(_STATE, state, strict=True):
                setattr(record, name, value)
            record.history = self._histories.get(record.id)
        store.live, store.archived = self._lists
        generation = self._sobject.index.generation
        vars(self._sobject.index).update(self._index)
        self._sobject.index.generation = generation + 1
        while store.log and store.log[-1].seq > self._logged:
            store.log.pop()
