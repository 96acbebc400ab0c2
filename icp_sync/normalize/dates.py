"""Dates as CRMs and vendors write them → an interval of UTC epoch seconds.

A year is the whole year, a day the whole day. A future date is read like any other; what to make of it
is the evaluation's business.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from icp_sync.domain.facts import Interval

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_YEAR, LAST_YEAR = (
    1000,
    2199,
)  # the oldest companies are younger than the first, plans end before the last

_MILLISECONDS = re.compile(r"-?\d{11,14}")
_YEAR = re.compile(r"(\d{4})(?:\.0{1,20})?")
_MONTH = re.compile(r"(\d{4})-(\d{1,2})")
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?",
    re.IGNORECASE,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_DAY_NAMED = re.compile(rf"(\d{{1,2}})(?:st|nd|rd|th)? {_NAME},? (\d{{4}})")
_NAMED_DAY = re.compile(rf"{_NAME} (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}})")
_NAMED_MONTH = re.compile(rf"{_NAME},? (\d{{4}})")


def instant(raw: str) -> Interval | None:
    """The closed interval of epoch seconds a text names; None when it names none.

    Read: "2024", "2024-05", "2024-05-06", ISO date-times (UTC where no offset is given), epoch
    milliseconds as HubSpot returns them, "6 May 2024", "May 6, 2024", "May 2024". Not read: "05/06/2024",
    which is May or June.
    """
    return _instant(raw) if len(raw) <= 64 else None


@lru_cache(maxsize=2_048)
def _instant(raw: str) -> Interval | None:
    text = raw.strip()
    if not text.isascii():
        return None
    try:
        return _read(text) or _named(" ".join(text.lower().split()))
    except (ValueError, OverflowError):  # month 13, 30 February, a 14-digit instant beyond the calendar
        return None


def _read(text: str) -> Interval | None:
    if _MILLISECONDS.fullmatch(text):
        at = _EPOCH + timedelta(milliseconds=int(text))
        return Interval(int(text) / 1000, int(text) / 1000) if _plausible(at.year) else None
    if found := _YEAR.fullmatch(text):
        return year(int(found[1]))
    if found := _MONTH.fullmatch(text):
        return _month(int(found[1]), int(found[2]))
    if found := _DAY.fullmatch(text):
        return _day(int(found[1]), int(found[2]), int(found[3]))
    if found := _TIME.fullmatch(text):
        return _moment(found)
    return None


def _named(text: str) -> Interval | None:
    if found := _DAY_NAMED.fullmatch(text):
        return _day(int(found[3]), _MONTHS.index(found[2]) + 1, int(found[1]))
    if found := _NAMED_DAY.fullmatch(text):
        return _day(int(found[3]), _MONTHS.index(found[1]) + 1, int(found[2]))
    if found := _NAMED_MONTH.fullmatch(text):
        return _month(int(found[2]), _MONTHS.index(found[1]) + 1)
    return None


def year(number: int) -> Interval | None:
    """The whole calendar year, in UTC."""
    if not _plausible(number):
        return None
    return _until(datetime(number, 1, 1, tzinfo=UTC), datetime(number + 1, 1, 1, tzinfo=UTC))


def _month(number: int, month: int) -> Interval | None:
    if not _plausible(number):
        return None
    after = datetime(number + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return _until(datetime(number, month, 1, tzinfo=UTC), after)


def _day(number: int, month: int, day: int) -> Interval | None:
    if not _plausible(number):
        return None
    start = datetime(number, month, day, tzinfo=UTC)
    return _until(start, start + timedelta(days=1))


def _moment(found: re.Match[str]) -> Interval | None:
    day, hour, minute, second, fraction, offset = found.groups()
    number, month, date = map(int, day.split("-"))
    if not _plausible(number):
        return None
    at = datetime(number, month, date, int(hour), int(minute), int(second or 0), tzinfo=_zone(offset or "Z"))
    seconds = (at - _EPOCH).total_seconds() + float(fraction or 0)
    return Interval(seconds, seconds)


def _zone(offset: str) -> timezone:
    if offset.upper() in ("Z", "UTC"):
        return UTC
    digits = offset[1:].replace(":", "").ljust(4, "0")
    away = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-away if offset[0] == "-" else away)


def _until(start: datetime, end: datetime) -> Interval:
    """From `start` to the last second before `end`."""
    return Interval((start - _EPOCH).total_seconds(), (end - _EPOCH).total_seconds() - 1)


def _plausible(number: int) -> bool:
    return FIRST_YEAR <= number <= LAST_YEAR
