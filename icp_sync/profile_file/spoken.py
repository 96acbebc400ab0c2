"""Conditions in a document's words: countries and industries by name, tapers and half-lives in a phrase.

Builds on `domain.words.clause`, which every other report uses too; says nothing about an account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from math import inf

from icp_sync.domain.conditions import (
    All,
    AllOf,
    Any,
    AnyOf,
    Between,
    Condition,
    Leaf,
    NoneOf,
    Not,
    Within,
    leaves,
)
from icp_sync.domain.facts import Interval
from icp_sync.domain.profile import DAY
from icp_sync.domain.words import clause, value_text
from icp_sync.normalize import countries, industries

MOST_NAMES = 8  # more countries than that are listed by their codes


def spoken(condition: Condition) -> str:
    """A condition as an English clause; its tapers are said apart, by `fading`."""
    named = _named(condition)
    if isinstance(named, All):  # a comma parts what "or" inside the parts would run together
        return ", and ".join(clause(All(parts=(part,))) for part in named.parts)
    return clause(named)


def fading(condition: Condition, currency: str) -> str:
    """Where credit fades: "fading to nothing at 25 and at 750"; "" where it does not."""
    return "; ".join(_fading(leaf, currency) for leaf in leaves(condition) if _fades(leaf))


def aging(condition: Condition) -> str:
    """How credit ages: "worth half after every 90 days"; "" where it does not."""
    spans = {leaf.half_life for leaf in leaves(condition) if isinstance(leaf, Within) and leaf.half_life}
    return "; ".join(f"worth half after every {days(span)}" for span in sorted(spans))


def days(seconds: float) -> str:
    """A duration in days or hours: "7 days", "1 day", "12 hours"."""
    count, unit = (seconds / DAY, "day") if seconds >= DAY else (seconds / 3600.0, "hour")
    return f"{count:.3g} {unit}" + ("" if f"{count:.3g}" == "1" else "s")


def _fades(leaf: Leaf) -> bool:
    return isinstance(leaf, Between) and leaf.taper > 0


def _fading(leaf: Leaf, currency: str) -> str:
    assert isinstance(leaf, Between)
    unit = f"{currency} " if leaf.money and currency else ""

    def amount(value: float) -> str:
        return unit + value_text("number", Interval(value, value))

    low, high = leaf.low * (1 - leaf.taper), leaf.high * (1 + leaf.taper)
    ends = []
    if leaf.low > 0 and low > 0:
        ends.append(f"at {amount(low)}")
    if leaf.high < inf:
        ends.append(f"at {amount(high)}")
    return f"fading to nothing {' and '.join(ends)}" if ends else ""


def _named(condition: Condition) -> Condition:
    """The same tree with values as people say them, and without tapers."""
    match condition:
        case All(parts=parts):
            return All(parts=tuple(map(_named, parts)))
        case Any(parts=parts):
            return Any(parts=tuple(map(_named, parts)))
        case Not(part=part):
            return Not(part=_named(part))
        case Between():
            return replace(condition, taper=0.0)
        case AnyOf() | NoneOf() | AllOf():
            return replace(condition, values=frozenset(_names(condition.fact, condition.values)))
        case _:
            return condition


def _names(fact: str, values: frozenset[str]) -> Iterator[str]:
    """Values of a vocabulary by their names; other words stay."""
    last = fact.rpartition(".")[2]
    name = _VOCABULARIES.get(last, str)
    if last == "country" and len(values) > MOST_NAMES:
        name = str
    for value in values:
        yield name(value) or value


def _industry(value: str) -> str:
    return value.replace("_", " ").lower() if value in industries.names() else value


_VOCABULARIES: Mapping[str, Callable[[str], str]] = {
    "country": countries.name_of,
    "industry": _industry,
    "sector": industries.sector_title,
}
