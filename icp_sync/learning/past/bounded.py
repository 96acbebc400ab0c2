"""Cohorts by value as they could be told on the day learning ends: later amounts decide no earlier label.

Which customer is worth much is a matter of comparison. Taken over a whole book, what was sold after the cases
to learn from would say which of these were good. Knows cases, not where they come from.
"""

from __future__ import annotations

from dataclasses import replace

from icp_sync.learning.cases import Book, Case
from icp_sync.learning.past.placing import bounds, by_value


def placed_before(book: Book, until: float) -> Book:
    """The book with those who stayed placed by the values of the ones decided before an instant (UTC epoch
    seconds), on both sides of it. Unchanged where none of those has a value, or nobody can place them."""
    by = book.by
    values = sorted(
        case.value for case in book.cases if case.stayed and case.value is not None and case.decided < until
    )
    if by is None or not values:
        return book
    high, low = bounds(values, by, book.currency)

    def placed(case: Case) -> Case:
        if not case.stayed:
            return case
        cohort, why = by_value(case.value, detractor=case.detractor, high=high, low=low)
        return replace(case, cohort=cohort, why=why)

    return replace(book, cases=tuple(map(placed, book.cases)))
