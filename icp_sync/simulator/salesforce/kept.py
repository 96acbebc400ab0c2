"""Something of an endpoint's own that lasts as long as an org's state: open queries, bulk jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from icp_sync.simulator.salesforce.org import Org
from icp_sync.simulator.salesforce.rights import Rights

T = TypeVar("T")


class Kept(Generic[T]):
    """One `T` per org, made when first asked for and forgotten when the org is cleared."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        # An org makes new rights whenever it is cleared, so they tell one life of it from the next.
        self._of: WeakKeyDictionary[Rights, T] = WeakKeyDictionary()

    def of(self, org: Org) -> T:
        if org.rights not in self._of:
            self._of[org.rights] = self._make()
        return self._of[org.rights]
