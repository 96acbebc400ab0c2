"""Bands as conditions of the profile language, and as words: "employees at least 50", "founded before 2010".

Knows cuts, not cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

from icp_sync.domain.conditions import Between
from icp_sync.domain.facts import FactType
from icp_sync.domain.spelling import amount_text, date_text, fact_text

Asked = tuple[Between, str]


def at_least(fact: str, kind: FactType, cuts: Sequence[float], currency: str) -> list[Asked]:
    """At least each cut."""
    money = kind is FactType.MONEY
    since = "since" if kind is FactType.DATE else "at least"
    return [
        (Between(fact=fact, low=cut, money=money), f"{fact_text(fact)} {since} {_bound(kind, cut, currency)}")
        for cut in cuts
    ]


def bands(fact: str, kind: FactType, cuts: Sequence[float], currency: str) -> list[Asked]:
    """Each band between two cuts, the upper one not in it."""
    money = kind is FactType.MONEY
    words = band_words(fact, kind, cuts, currency)[1:-1]
    return [
        (Between(fact=fact, low=low, high=high, high_open=True, money=money), f"{fact_text(fact)} {said}")
        for (low, high), said in zip(pairwise(cuts), words, strict=False)
    ]


def band_words(fact: str, kind: FactType, cuts: Sequence[float], currency: str) -> tuple[str, ...]:
    """What each band is called, without the fact: "below 10", "10 to below 50", "at least 50"."""
    if not cuts:
        return ("any",)
    below, since = ("before", "since") if kind is FactType.DATE else ("below", "at least")
    said = [_bound(kind, cut, currency) for cut in cuts]
    inner = [f"{low} to {below} {high}" for low, high in pairwise(said)]
    return (f"{below} {said[0]}", *inner, f"{since} {said[-1]}")


def members_words(fact: str, word: str) -> str:
    """ "technologies: hubspot"; "" is any value that is not named."""
    return f"{fact_text(fact)}: {value_words(word)}"


def value_words(word: str) -> str:
    """A value as people read it: "computer software" for an enumeration's COMPUTER_SOFTWARE."""
    if not word:
        return "any other"
    return word.lower().replace("_", " ") if word.isupper() and len(word) > 3 else word


def _bound(kind: FactType, value: float, currency: str) -> str:
    if kind is FactType.MONEY:
        return f"{currency} {amount_text(value)}".strip()
    if kind is not FactType.DATE:
        return amount_text(value)
    text = date_text(value)
    try:
        start = datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError):
        return text
    return str(start.year) if (start.month, start.day) == (1, 1) else text
