"""Whom a learned profile is not for: must-haves and flags from answers after which almost nobody was good.

Only from many cases and far below the base, since a flag outranks every point. Knows findings and columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Literal, NamedTuple

from icp_sync.domain.conditions import AnyOf, Between, Condition, NoneOf
from icp_sync.learning.card.choosing import spelled
from icp_sync.learning.card.factors import said
from icp_sync.learning.card.naming import distinct, layer_of, name_of
from icp_sync.learning.card.tiers import OUT
from icp_sync.learning.figures.chance import wilson
from icp_sync.learning.marks.attributes import Attribute, Findings
from icp_sync.learning.marks.coded import NO, UNKNOWN, YES, Coded, Column

FEWEST = 40
EXCLUDED, CAPPED = 1 / 5, 1 / 2
"""The upper end of the rate's interval, as a share of the base, below which a flag excludes or caps."""
CAP = "C"
KNOWN = 0.5
"""A fact known of fewer cases makes no flag: it would keep everybody else's tier provisional."""
NEARLY_ALL = 0.95
"""The share of the good ones that have what a must-have asks for."""
MOST = 3

Effect = Literal["gate", "exclude", "cap"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """A must-have (which `condition` says), or a flag on those for whom `condition` holds.

    n: cases it takes out or caps, of `known`; rate: of the good among them, with its Wilson interval, against
    `base` of all. cap: the best tier left, "" unless it caps.
    """

    condition: Condition
    name: str
    layer: str
    effect: Effect
    cap: str = ""
    n: int = 0
    known: int = 0
    hits: int = 0
    rate: float = 0.0
    low: float = 0.0
    high: float = 1.0
    base: float = 0.0

    @property
    def fact(self) -> str:
        return getattr(self.condition, "fact", "")


class Tried(NamedTuple):
    """What an account answers to an exclusion."""

    exclusion: Exclusion
    answer: int


def ceilings(tried: Iterable[Tried]) -> str:
    """The best tier left to an account: `OUT` of all, a cap, or "" for any. Unknown answers do nothing."""
    best = ""
    for exclusion, answer in tried:
        if (exclusion.effect == "gate" and answer == NO) or (exclusion.effect == "exclude" and answer == YES):
            return OUT
        if exclusion.effect == "cap" and answer == YES:
            best = max(best, exclusion.cap)
    return best


def excluded(coded: Coded, found: Iterable[Exclusion]) -> bytes:
    """A byte a case, 1 for those whom a must-have or a flag takes out."""
    columns = {column.fact: column for column in coded.columns}
    out = bytes(coded.n)
    for one in found:
        if one.effect != "cap":
            against = NO if one.effect == "gate" else YES
            answers = said(columns[one.fact], one.condition)
            out = bytes(gone or answer == against for gone, answer in zip(out, answers, strict=True))
    return out


def exclusions(coded: Coded, findings: Findings, good: bytes) -> tuple[Exclusion, ...]:
    """Must-haves and flags of these cases, those that exclude first; at most three of each kind."""
    columns = {column.fact: column for column in coded.columns}
    found = [
        one
        for attribute in findings.attributes
        if attribute.found and (column := columns.get(attribute.fact)) is not None
        for one in _of_one_fact(attribute, column, good)
    ]
    kept = [one for effect in ("gate", "exclude", "cap") for one in _first(found, effect)]
    names = distinct(one.name for one in kept)
    return tuple(replace(one, name=name) for one, name in zip(kept, names, strict=True))


def _first(found: Sequence[Exclusion], effect: str) -> list[Exclusion]:
    return [one for one in found if one.effect == effect][:MOST]


def _of_one_fact(attribute: Attribute, column: Column, good: bytes) -> Iterator[Exclusion]:
    """The widest exclusion and the widest cap of one fact, where they are not the same."""
    weighed = [
        one for when in _negatives(attribute, column) if (one := _weighed(when, column, good)) is not None
    ]
    excluding = _widest([one for one in weighed if one.effect != "cap"], column, good)
    if excluding is not None:
        yield excluding
    capping = _widest(weighed, column, good)
    if capping is not None and capping.effect == "cap" and excluding is None:
        yield capping


def _negatives(attribute: Attribute, column: Column) -> Iterator[Condition]:
    """Answers after which the rate is lower: yes to what marks the others, no to what marks the good."""
    for mark in attribute.marks:
        when = mark.question.when
        if not mark.found or not _writable(when, column):
            continue
        if not mark.positive:
            yield when
        elif isinstance(when, Between) and when.high == inf:
            yield Between(fact=when.fact, high=when.low, high_open=True, money=when.money)
        elif isinstance(when, AnyOf):
            yield NoneOf(fact=when.fact, values=when.values)


def _writable(when: Condition, column: Column) -> bool:
    values = when.values if isinstance(when, AnyOf | NoneOf) else frozenset[str]()
    return all(spelled(column, word) for word in values)


def _weighed(when: Condition, column: Column, good: bytes) -> Exclusion | None:
    """What a condition would do, None where too little is known or the rate is not low enough."""
    counts = Counter(zip(said(column, when), good, strict=True))
    n, hits = counts[YES, 0] + counts[YES, 1], counts[YES, 1]
    known = len(good) - counts[UNKNOWN, 0] - counts[UNKNOWN, 1]
    base = good.count(1) / len(good)
    low, high = wilson(hits, n)
    if n < FEWEST or known < KNOWN * len(good) or high >= CAPPED * base:
        return None
    winners = counts[YES, 1] + counts[NO, 1]
    effect: Effect = "exclude" if high < EXCLUDED * base else "cap"
    if isinstance(when, NoneOf):
        if effect == "exclude" and counts[NO, 1] >= NEARLY_ALL * winners:
            when, effect = AnyOf(fact=when.fact, values=when.values), "gate"
        else:
            return None
    return Exclusion(
        condition=when,
        name=name_of(when),
        layer=layer_of(column.fact),
        effect=effect,
        cap=CAP if effect == "cap" else "",
        n=n,
        known=known,
        hits=hits,
        rate=hits / n,
        low=low,
        high=high,
        base=base,
    )


def _widest(found: Sequence[Exclusion], column: Column, good: bytes) -> Exclusion | None:
    """The one that concerns most cases; values that do the same are named together."""
    best = max(found, key=lambda one: (one.effect == "gate", one.n), default=None)
    if best is None or best.effect == "gate" or not isinstance(best.condition, AnyOf):
        return best
    named = [one.condition.values for one in found if isinstance(one.condition, AnyOf)]
    together = AnyOf(fact=best.fact, values=frozenset[str]().union(*named))
    if column.type.value == "yes_no":
        return best
    return _weighed(together, column, good) or best
