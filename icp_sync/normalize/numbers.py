"""Digits as people write them → a number, or None where the separators leave two readings.

A comma before three digits is a thousands separator, as in English texts; a point before three digits
can be either ("8.914" is 8,914 in half of Europe), so the caller says whether it may be a decimal point.
"""

from __future__ import annotations

import re
from math import inf, isfinite
from typing import NamedTuple

from icp_sync.domain.facts import Interval

_PLAIN = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d{1,3})?|\.\d+", re.IGNORECASE)
_GROUPED = re.compile(r"(\d{1,3})(?:([,.' ])\d{3})(?:\2\d{3})*(?:([.,])(\d+))?")
_INDIAN = re.compile(r"\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?")  # 12,50,000: lakhs and crores
_DECIMAL_COMMA = re.compile(r"\d+,\d{1,2}")
_SPACES = re.compile("[\u00a0\u2007\u2009\u202f]")
_QUOTES = re.compile("[\u2019\u02bc]")
_DASHES = re.compile("[\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d]")

LONGEST = 400  # characters; no number, band or date worth reading is longer


class Numeral(NamedTuple):
    """A number as written: its value and the place value of its last significant digit.

    "70,000" has step 10,000; "51,500" has 100; "4.70" has 0.01, since a written decimal is meant.
    """

    value: float
    step: float


def plainly(text: str) -> str:
    """Lower case, ordinary blanks, quotes and hyphens, trimmed: what the readers below expect."""
    text = _DASHES.sub("-", _QUOTES.sub("'", _SPACES.sub(" ", text)))
    return " ".join(text.lower().split())


def numeral(text: str, *, decimal_thirds: bool) -> Numeral | None:
    """A non-negative number of at most 30 characters; None for anything else, NaN and infinity included.

    decimal_thirds: "8.914" is 8.914 when true (a scale word follows, or a machine wrote it), else None.
    """
    if len(text) > 30 or not text.isascii():
        return None
    if _PLAIN.fullmatch(text):
        whole, point, decimals = text.partition(".")
        if len(decimals) == 3 and not decimal_thirds and 1 <= len(whole) <= 3 and whole.strip("0"):
            return None
        return _numeral(text, len(decimals) if point else 0)
    if grouped := _GROUPED.fullmatch(text):
        return _grouped(text, grouped)
    if _INDIAN.fullmatch(text) and not text.startswith("0"):
        whole, _, decimals = text.replace(",", "").partition(".")
        return _numeral(whole + (f".{decimals}" if decimals else ""), len(decimals))
    if _DECIMAL_COMMA.fullmatch(text):
        return _numeral(text.replace(",", "."), len(text.partition(",")[2]))
    return None


def _grouped(text: str, found: re.Match[str]) -> Numeral | None:
    first, separator, point, decimals = found.groups()
    groups = text.count(separator) if point != separator else 0
    if first.startswith("0") or point == separator or (separator == "." and groups == 1 and not point):
        return None
    whole = text[: found.start(3)] if point else text
    return _numeral(whole.replace(separator, "") + (f".{decimals}" if point else ""), len(decimals or ""))


def _numeral(plain: str, decimals: int) -> Numeral | None:
    value = float(plain)
    if not isfinite(value):
        return None
    if decimals or "e" in plain.lower():
        return Numeral(value, 10.0**-decimals if decimals < 300 else 0.0)
    digits = plain.lstrip("0")
    return Numeral(value, 10.0 ** (len(digits) - len(digits.rstrip("0"))))


_NOISE = re.compile(r"[+-]?\d{1,40}(?:\.\d{1,40})?(?:e[+-]?\d{1,3})?", re.IGNORECASE)


def plain_number(raw: str) -> Interval | None:
    """A number a machine wrote, sign and binary noise allowed ("8.600000000000000477"), as an interval.

    Thousands separators are read too; "8.914" is 8.914 here, since machines write decimal points.
    """
    text = raw.strip()
    if _NOISE.fullmatch(text) and text.isascii():
        value = float(text)
        return Interval(value + 0.0, value + 0.0) if isfinite(value) else None
    if len(text) > LONGEST:
        return None
    text = plainly(text)
    sign = -1 if text.startswith("-") else 1
    read = numeral(text.removeprefix("-"), decimal_thirds=False)
    return None if read is None or read.value == inf else Interval(sign * read.value, sign * read.value)
