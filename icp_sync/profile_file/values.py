"""How amounts, shares, durations, dates and words are written in a profile.

Every function takes one YAML scalar and raises ValueError with a sentence for people. Knows no fact
but by its name's vocabulary, and nothing of files.
"""

from __future__ import annotations

import math
import re
from datetime import date

from icp_sync.domain.facts import Interval
from icp_sync.normalize.dates import instant

LARGEST = 1e15  # beyond any head count or amount of money; keeps tapers finite

_MULTIPLES = {"": 1.0, "k": 1e3, "m": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9}
_AMOUNT = re.compile(r"([-+]?)(\d{1,3}(?:,\d{3})+|\d+)?(\.\d+)?\s*(k|mn|m|bn|b)?", re.IGNORECASE)
_SYMBOLS = {"€": "EUR", "£": "GBP"}
_DOLLARS = {"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD"}
_MONEY = re.compile(r"(?:([A-Za-z]{3})\s+|([$€£])\s*)?([^A-Za-z$€£].*?)(?:\s+([A-Za-z]{3}))?")
_SPANS = {"h": 3_600.0, "d": 86_400.0, "w": 604_800.0, "y": 31_536_000.0}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)", re.IGNORECASE)


def number(raw: object) -> float:
    """`50`, `1.5`, `5,000,000`, `50k`, `5M`, `1B`."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise ValueError(f"{shown(raw)} is not a number")
    if isinstance(raw, str):
        match = _AMOUNT.fullmatch(raw.strip())
        if not match or not (match[2] or match[3]):
            raise ValueError(f"{shown(raw)} is not a number; write 50, 5,000,000, 50k or 5M")
        value = float(f"{match[1]}{(match[2] or '0').replace(',', '')}{match[3] or ''}")
        value *= _MULTIPLES[(match[4] or "").lower()]
    else:
        value = float(raw) if abs(raw) < 10 * LARGEST or raw != raw else math.inf
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise ValueError(f"{shown(raw)} is not a number one could count to")
    return value


def money(raw: object, currency: str) -> float:
    """`1M USD`, `USD 1M`, `$5M`, `5,000,000`: an amount in the profile's currency, a bare number too.

    currency: ISO 4217, or "" while the profile's own cannot be read: then any currency passes.
    """
    if not isinstance(raw, str):
        return number(raw)
    match = _MONEY.fullmatch(raw.strip())
    if not match:
        raise ValueError(f"{shown(raw)} is not an amount of money; write 1M {currency} or 5,000,000")
    for said in filter(None, (match[1], match[4])):
        if currency and said.upper() != currency:
            raise ValueError(f"{shown(raw)} is in {said.upper()}, but the profile's currency is {currency}")
    symbol = match[2]
    if (
        currency
        and symbol
        and not (_SYMBOLS.get(symbol) == currency or (symbol == "$" and currency in _DOLLARS))
    ):
        raise ValueError(
            f"{shown(raw)} is in {_SYMBOLS.get(symbol, 'dollars')}, but the profile's currency is {currency}"
        )
    return number(match[3])


def share(raw: object) -> float:
    """`50%` or `0.5`: a share from 0 to 1."""
    if isinstance(raw, str) and raw.strip().endswith("%"):
        value = number(raw.strip()[:-1].strip()) / 100
    else:
        value = number(raw)
        if value > 1:
            raise ValueError(f"{shown(raw)} is more than 100 %; write {raw}% for a percentage")
    if not 0 <= value <= 1:
        raise ValueError(f"{shown(raw)} is not between 0% and 100%")
    return value


def duration(raw: object) -> float:
    """`24h`, `180d`, `12w`, `2y`: seconds. A year has 365 days; a month has no fixed length."""
    match = _SPAN.fullmatch(raw.strip()) if isinstance(raw, str) else None
    unit = match[2].lower() if match else ""
    if not match or unit not in _SPANS:
        why = (
            "a month is not always as long" if unit in {"m", "mo", "month", "months"} else "a unit is needed"
        )
        raise ValueError(f"{shown(raw)} is not a duration ({why}); write 24h, 180d, 12w or 2y")
    seconds = float(match[1]) * _SPANS[unit]
    if seconds > 200 * _SPANS["y"]:
        raise ValueError(f"{shown(raw)} is longer than two centuries")
    return seconds


def instants(raw: object) -> Interval:
    """`2024-03-01`, a month `2024-03` or a year `1990`: from its first second to its last."""
    read = instant(str(raw)) if isinstance(raw, str | int) and not isinstance(raw, bool) else None
    if read is None:
        raise ValueError(f"{shown(raw)} is not a date; write 2026-03-01 or a year")
    return read


def iso_date(raw: object) -> str:
    """A calendar date, as text."""
    try:
        return date.fromisoformat(raw.strip() if isinstance(raw, str) else "").isoformat()
    except ValueError:
        raise ValueError(f"{shown(raw)} is not a date; write 2026-03-01") from None


def shown(raw: object) -> str:
    """A value as a message may quote it."""
    if isinstance(raw, bool):
        return str(raw).lower()
    text = f"'{raw}'" if isinstance(raw, str) else f"{raw:.6g}" if isinstance(raw, float) else str(raw)
    return text if len(text) <= 60 else text[:57] + "…'"
