"""SOQL's date literals: which there are, and the days each one spans.

Days are the user's; the simulator's users live in UTC. Weeks begin on Sunday, as in a United States locale.
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_dateformats.htm
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

Span = tuple[date, date]
"""First day, and the day after the last."""

_DAY = timedelta(days=1)


def _days(today: date, start: int, count: int) -> Span:
    first = today + start * _DAY
    return first, first + count * _DAY


def _weeks(today: date, start: int, count: int) -> Span:
    sunday = today - ((today.weekday() + 1) % 7) * _DAY
    return _days(sunday, 7 * start, 7 * count)


def _months(today: date, start: int, count: int) -> Span:
    def first_of(months: int) -> date:
        year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
        return date(year, month + 1, 1)

    return first_of(start), first_of(start + count)


def _years(today: date, start: int, count: int) -> Span:
    return date(today.year + start, 1, 1), date(today.year + start + count, 1, 1)


FIXED: Mapping[str, Callable[[date], Span]] = {
    "YESTERDAY": lambda today: _days(today, -1, 1),
    "TODAY": lambda today: _days(today, 0, 1),
    "TOMORROW": lambda today: _days(today, 1, 1),
    "LAST_WEEK": lambda today: _weeks(today, -1, 1),
    "THIS_WEEK": lambda today: _weeks(today, 0, 1),
    "NEXT_WEEK": lambda today: _weeks(today, 1, 1),
    "LAST_MONTH": lambda today: _months(today, -1, 1),
    "THIS_MONTH": lambda today: _months(today, 0, 1),
    "NEXT_MONTH": lambda today: _months(today, 1, 1),
    "LAST_90_DAYS": lambda today: _days(today, -89, 90),
    "NEXT_90_DAYS": lambda today: _days(today, 1, 90),
    "LAST_YEAR": lambda today: _years(today, -1, 1),
    "THIS_YEAR": lambda today: _years(today, 0, 1),
    "NEXT_YEAR": lambda today: _years(today, 1, 1),
}
COUNTED: Mapping[str, Callable[[date, int], Span]] = {
    # From n days ago to the end of today.
    "LAST_N_DAYS": lambda today, n: _days(today, -n, n + 1),
    "NEXT_N_DAYS": lambda today, n: _days(today, 1, n),
    "N_DAYS_AGO": lambda today, n: _days(today, -n, 1),
    "LAST_N_WEEKS": lambda today, n: _weeks(today, -n, n),
    "NEXT_N_WEEKS": lambda today, n: _weeks(today, 1, n),
    "LAST_N_MONTHS": lambda today, n: _months(today, -n, n),
    "NEXT_N_MONTHS": lambda today, n: _months(today, 1, n),
    "LAST_N_YEARS": lambda today, n: _years(today, -n, n),
    "NEXT_N_YEARS": lambda today, n: _years(today, 1, n),
}


def span(name: str, count: int | None, today: date) -> Span:
    """The days a literal means on a given day. Raises ValueError or OverflowError beyond the calendar."""
    return FIXED[name](today) if count is None else COUNTED[name](today, count)
