"""A fact in one cell, for programs that read the file: plain digits, ISO dates, lists joined by ";".

A fact known only in part says so: "51-200", "10000+", "2024-01-01/2024-12-31".
"""

from __future__ import annotations

from math import inf

from icp_sync.domain.facts import FactType, FactValue, Interval, Members, Money
from icp_sync.domain.spelling import date_text, is_date
from icp_sync.domain.standing import number_text

SEPARATOR = ";"
NONE = "none"
"""A list that is known to be empty."""


def fact_cell(name: str, value: FactValue | None, kind: FactType | None) -> str:
    """ "" for what is not known. kind: the fact's, where it is declared."""
    if value is None:
        return ""
    if isinstance(value, Members):
        return SEPARATOR.join(sorted(value.known)) or (NONE if value.complete else "")
    if isinstance(value, Money):
        return f"{_range(value.low, value.high)} {value.currency}".strip()
    if kind is FactType.DATE or (kind is None and is_date(name)):
        return _dates(value)
    return _range(value.low, value.high)


def _dates(value: Interval) -> str:
    if value.low == -inf or value.high == inf:
        first = "" if value.low == -inf else date_text(value.low)
        return f"{first or '..'}/{'..' if value.high == inf else date_text(value.high)}"
    first, last = date_text(value.low), date_text(value.high)
    return first if first == last else f"{first}/{last}"


def _range(low: float, high: float) -> str:
    if low == high:
        return "" if low in (inf, -inf) else number_text(low)
    if high == inf:
        return "" if low == -inf else f"{number_text(low)}+"
    return f"up to {number_text(high)}" if low == -inf else f"{number_text(low)}-{number_text(high)}"
