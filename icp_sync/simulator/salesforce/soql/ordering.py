"""ORDER BY: one stable sort per key, and blanks first unless it says NULLS LAST.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_orderby.htm
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any, TypeVar

from icp_sync.simulator.salesforce.soql.tree import Ordering

T = TypeVar("T")
CHUNK = 3
"""Records read together where nothing says in which order."""


def in_order(items: list[T], read: Callable[[T], Any], ordering: Ordering) -> list[T]:
    """Items by one key; those with equal keys stay as they were."""
    keyed = [(read(item), item) for item in items]
    filled = [one for one in keyed if one[0] is not None]
    filled.sort(key=itemgetter(0), reverse=ordering.descending)
    valued, blank = [item for _, item in filled], [item for value, item in keyed if value is None]
    return valued + blank if ordering.nulls_last else blank + valued


def interleaved(items: list[T]) -> list[T]:
    """The same items, every second chunk before the others, as from a database nobody told an order."""
    chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
    return [item for chunk in (*chunks[1::2], *chunks[::2]) for item in chunk]
