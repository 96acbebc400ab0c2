"""Which records a WHERE clause lets one skip unread: those outside a stamp window, those behind an id.

A hint only; every record is tested all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from icp_sync.simulator.salesforce.org import SObject
from icp_sync.simulator.salesforce.soql.tree import And, Comparison, Condition, Instant, Text

_ENDLESS = 1 << 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """above: only records with a higher number. stamped: first and last millisecond of the stamps."""

    above: int = -1
    stamped: tuple[int, int] | None = None


EVERYTHING = Scope()


def scope_of(sobject: SObject, where: Condition | None, wanted: int | None) -> Scope:
    """The scope of a clause. wanted: how many records are asked for by id, if it says; to walk the ids until
    there are so many is less work than to sort a window that holds far more."""
    parts = where.parts if isinstance(where, And) else (where,)
    above, low, high = -1, 0, _ENDLESS
    for part in parts:
        if not isinstance(part, Comparison) or len(part.path.names) != 1:
            continue
        name, literal = part.path.names[0].lower(), part.literal
        if name == "id" and part.operator in (">", ">=", "=") and isinstance(literal, Text):
            number = sobject.number(literal.value)
            if number is not None:
                above = max(above, number if part.operator == ">" else number - 1)
        if name == "systemmodstamp" and isinstance(literal, Instant):
            second = int(literal.value.timestamp() // 1) * 1000
            if part.operator in (">", ">=", "="):
                low = max(low, second)
            if part.operator in ("<", "<=", "="):
                high = min(high, second + 999)
    if (low, high) == (0, _ENDLESS):
        return Scope(above=above)
    window = (low, max(low, high))
    if wanted is not None:
        enough = 1_000 + 10 * wanted
        if sum(1 for _ in islice(sobject.index.between(*window), enough)) == enough:
            return Scope(above=above)
    return Scope(above=above, stamped=window)
