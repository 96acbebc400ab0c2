"""Headcounts and headcount bands, as vendors and CRMs write them → an interval of employees.

Bands read: LinkedIn's and People Data Labs' "51-200", HubSpot's "51 - 200", "10001+", The Companies
API's "over-10k", Crunchbase's `c_00051_00100` (v4 `num_employees_enum`), ZoomInfo's "1,000 - 5,000",
Glassdoor's "501 to 1000 Employees".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from math import inf

from icp_sync.domain.facts import Interval
from icp_sync.normalize.numbers import LONGEST, numeral, plainly
from icp_sync.normalize.periods import noted

MOST = 10_000_000  # nobody employs so many; the largest employer has some three million

_UNITS = {"": 1, "k": 1_000, "m": 1_000_000, "thousand": 1_000, "million": 1_000_000}
_N = r"(\d[\d,.' ]*?)\s*(k|m|thousand|million)?"
_NOUN = re.compile(r"\s*(?:total\s+)?(?:employees?|people|persons?|staff|workers?|headcount|ftes?)\.?$")
_CRUNCHBASE = re.compile(r"c_(\d{5,8})_(\d{5,8}|max)")
_ONE = re.compile(_N)
_RANGE = re.compile(rf"(?:from |between )?{_N}\s*(?:-|to|and)\s*{_N}")
_AT_LEAST = re.compile(rf"(?:>=|≥|at least )\s*{_N}|{_N}\s*(?:\+|or more|and more|and above|and over)")
_OVER = re.compile(rf"(?:>|over[ -]|more than |above )\s*{_N}")
_UNDER = re.compile(rf"(?:<|under[ -]|less than |below |fewer than )\s*{_N}")
_UP_TO = re.compile(rf"(?:<=|≤|up to )\s*{_N}")

_FORMS: tuple[tuple[re.Pattern[str], Callable[[float], Interval]], ...] = (
    (_ONE, lambda n: Interval(n, n)),
    (_AT_LEAST, lambda n: Interval(n, inf)),
    (_OVER, lambda n: Interval(n + 1, inf)),  # whole people: over 10 is at least 11
    (_UNDER, lambda n: Interval(0.0, n - 1)),
    (_UP_TO, lambda n: Interval(0.0, n)),
)


def headcount(raw: str) -> Interval | None:
    """The employees a text states: exact, a band, or open at one end (`inf`); None when unreadable.

    Zero is allowed; negative, NaN and more than ten million are None, and so is "8.914", which is 8,914
    in half of Europe. The year beside a number ("120 (2023)", "as of 2024") is passed over.
    """
    return _headcount(raw) if len(raw) <= LONGEST else None


@lru_cache(maxsize=16_384)
def _headcount(raw: str) -> Interval | None:
    text = _NOUN.sub("", noted(plainly(raw)).text)
    found = _crunchbase(text) or _words(text)
    if found is None or found.low > found.high or found.low > MOST or MOST < found.high < inf:
        return None
    return found


def _crunchbase(text: str) -> Interval | None:
    band = _CRUNCHBASE.fullmatch(text)
    return Interval(float(band[1]), inf if band[2] == "max" else float(band[2])) if band else None


def _words(text: str) -> Interval | None:
    """Plain numbers and bands in words."""
    for pattern, build in _FORMS:
        if found := pattern.fullmatch(text):
            groups = found.groups()
            digits, unit = groups[:2] if groups[0] else groups[2:4]
            count = _count(digits, unit)
            return None if count is None else build(count)
    found = _RANGE.fullmatch(text)
    return _range(*found.groups()) if found else None


def _range(low: str, low_unit: str | None, high: str, high_unit: str | None) -> Interval | None:
    """ "1k-5k", "251-1K". In "1-5k" the low end may mean 1 or 1,000: the wider reading holds both."""
    bounds = (_count(low, low_unit), _count(high, high_unit))
    return None if bounds[0] is None or bounds[1] is None else Interval(bounds[0], bounds[1])


def _count(digits: str, unit: str | None) -> float | None:
    """Whole or full-time-equivalent people. Machines write "1200.0", never "1.200" for twelve hundred."""
    read = numeral(digits.strip(), decimal_thirds=bool(unit))
    if read is None or (unit is None and "," in digits and not read.value.is_integer()):
        return None  # "1,2" is a band to some and a decimal to others
    return read.value * _UNITS[unit or ""]
