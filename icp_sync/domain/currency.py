"""Amounts of money in another currency, as honestly wide intervals.

A rate is a range, never one day's. An amount whose year is known converts at the range of that year
(`rates`); any other at the widest of the years since 2016. Converting therefore answers "somewhere
between", never a guess, and a threshold near the amount stays unknown. An amount whose currency nobody named
could be in any of the world's, the cheapest and dearest included.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from icp_sync.domain.facts import Interval, Money
from icp_sync.domain.rates import DOLLARS_BY_YEAR, Range

_UNDATED_SINCE = 2016

_BY_HAND: Mapping[str, Range] = {
    "USD": (1.0, 1.0),
    "TWD": (0.0295, 0.0370),
    "SAR": (0.264, 0.270),
    "AED": (0.270, 0.275),
    "RUB": (0.0100, 0.0180),  # no reference rate since March 2022
}
"""Currencies without reference rates of all those years; approximate, and wide for that."""


def _widest(years: Mapping[int, Range]) -> Range:
    known = [worth for year, worth in years.items() if year >= _UNDATED_SINCE]
    return min(low for low, _ in known), max(high for _, high in known)


DOLLARS_PER_UNIT: Mapping[str, Range] = {
    **{code: _widest(years) for code, years in DOLLARS_BY_YEAR.items()},
    **_BY_HAND,
}
"""ISO 4217 code → dollars a unit was worth in any year since 2016."""

ANY_CURRENCY = (0.00001, 3.5)
"""Wider than any currency: from the Lebanese pound to the Kuwaiti dinar."""


def worth(currency: str, year: int | None = None) -> Range | None:
    """The dollars a unit was worth: in that year where its rates are known, else in any since 2016.

    None for a code without rates; for "", which nobody named, any currency's.
    """
    if not currency:
        return ANY_CURRENCY
    dated = DOLLARS_BY_YEAR.get(currency, {}).get(year or 0)
    return dated or DOLLARS_PER_UNIT.get(currency)


def convert(amount: Money, currency: str) -> Interval:
    """The amount in `currency` (ISO 4217) as every value it may have. Unknown currencies are unbounded.

    A dated amount is converted at the rates of its year, on both sides.
    """
    if amount.currency == currency:
        return Interval(amount.low, amount.high)
    source = worth(amount.currency, amount.year)
    target = worth(currency, amount.year) if currency else None
    if source is None or target is None:
        return Interval(0.0, inf) if amount.low >= 0 else Interval(-inf, inf)
    rates = (source[0] / target[1], source[1] / target[0])
    corners = [
        bound * rate for bound in (amount.low, amount.high) for rate in rates if bound not in (inf, -inf)
    ]
    low = -inf if amount.low == -inf else min(corners)
    high = inf if amount.high == inf else max(corners)
    return Interval(low, high)
