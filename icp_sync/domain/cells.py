"""The few values of a fact between which questions differ: what an unknown fact may turn out to be.

Pure; a value stands for all that answer every question alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from math import inf, isfinite

from icp_sync.domain.compile import Compiled
from icp_sync.domain.conditions import AllOf, AnyOf, Between, Condition, Leaf, NoneOf, Within, leaves
from icp_sync.domain.facts import FactType, FactValue, Interval, Members, Money
from icp_sync.domain.roster import NO_TABLES, Tables

MOST = 7
"""Values looked at of one fact; beyond them nothing new is learned of whether it matters."""

ELSE = "\0something else"
"""A member no question names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One leaf, and the currency its money is in."""

    leaf: Leaf
    currency: str


def questions_of(
    compiled: Sequence[Compiled], tables: Tables = NO_TABLES
) -> Mapping[str, tuple[Question, ...]]:
    """Fact → every question that tier, flags or routes ask about it, the profiles' own first. Timing is none
    of them: it changes no tier, flag or route."""
    found: dict[str, dict[Question, None]] = {}
    for one in compiled:
        for condition in _conditions(one):
            for leaf in leaves(condition):
                found.setdefault(leaf.fact, {})[Question(leaf=leaf, currency=one.profile.currency)] = None
    named = {route.target.territory for one in compiled for route in one.profile.routes}
    for name, table in tables.territories.items():
        for row in table.rows if name in named else ():
            for want in row.wants:
                for leaf in leaves(want):
                    found.setdefault(leaf.fact, {})[Question(leaf=leaf, currency=table.currency)] = None
    return {fact: tuple(questions) for fact, questions in found.items()}


def _conditions(compiled: Compiled) -> Iterator[Condition]:
    profile = compiled.profile
    yield from (s for s in (profile.score_scope, profile.route_scope) if s is not None)
    yield from (c.when for c in profile.criteria)
    yield from (f.when for f in profile.flags)
    yield from (r.when for r in profile.routes if r.when is not None)


def cells_of(
    questions: Sequence[Question],
    held: FactValue | None,
    kind: FactType | None,
    *,
    whole: bool,
    now: float,
) -> tuple[FactValue | None, ...]:
    """What the fact may be, at most `MOST` values: as it is now first, for who cannot tell more either.

    held: what is known of it already; every value lies within that. whole: whether its set can become
    complete.
    """
    asked = [q for q in questions if not _answered(q.leaf, held)]
    if not asked:
        return (held,)
    found: Iterator[FactValue]
    if kind is FactType.SET:
        found = _sets(asked, held if isinstance(held, Members) else None, whole)
    elif kind in (FactType.CHOICE, FactType.YES_NO):
        found = _choices(asked)
    elif kind is FactType.MONEY:
        found = _amounts(asked, held if isinstance(held, Money) else None)
    else:
        found = _numbers(asked, held if isinstance(held, Interval) else None, now)
    different: dict[FactValue, None] = dict.fromkeys(found)
    return (held, *islice(different, MOST - 1))


def _answered(leaf: Leaf, held: FactValue | None) -> bool:
    """Whether nothing more can be learned of a fact: it is exact, or its set is complete."""
    if held is None:
        return False
    return held.complete if isinstance(held, Members) else held.low == held.high


def named_by(leaf: Leaf) -> frozenset[str]:
    """The members a question names."""
    return leaf.values if isinstance(leaf, AnyOf | NoneOf | AllOf) else frozenset()


def _classes(asked: Sequence[Question]) -> Iterator[str]:
    """One member for each way of answering the questions, and one that none of them names."""
    yield ELSE
    seen = set()
    for question in asked:
        for value in sorted(named_by(question.leaf)):
            answers = tuple(value in named_by(q.leaf) for q in asked)
            if answers not in seen:
                seen.add(answers)
                yield value


def _choices(asked: Sequence[Question]) -> Iterator[Members]:
    return (Members(frozenset((value,)), True) for value in _classes(asked))


def _sets(asked: Sequence[Question], held: Members | None, whole: bool) -> Iterator[Members]:
    known = held.known if held else frozenset()
    if whole:
        yield Members(known, True)
    more = [value for value in _classes(asked) if value != ELSE]
    if more:
        yield Members(known | set(more), whole)
    for question in asked:
        if isinstance(question.leaf, AllOf):
            yield Members(known | question.leaf.values, whole)
    for value in more:
        yield Members(known | {value}, whole)
    if not held and not whole:
        yield Members(frozenset((ELSE,)), False)


def _amounts(asked: Sequence[Question], held: Money | None) -> Iterator[Money]:
    """Amounts in the currency of the questions. A held band in another one bounds nothing for certain."""
    for currency in sorted({q.currency for q in asked}):
        bounds = _bounds([q.leaf for q in asked if q.currency == currency], 0.0)
        within = Interval(held.low, held.high) if held and held.currency == currency else None
        for value in _points(bounds, within):
            yield Money(value, value, currency)


def _numbers(asked: Sequence[Question], held: Interval | None, now: float) -> Iterator[Interval]:
    for value in _points(_bounds([q.leaf for q in asked], now), held):
        yield Interval(value, value)


def _bounds(asked: Sequence[Leaf], now: float) -> list[float]:
    """Where an answer begins to change: the bounds of bands, the ends of their tapers, and ages."""
    bounds: set[float] = set()
    for leaf in asked:
        if isinstance(leaf, Within):
            bounds |= {now - leaf.seconds, now}
        elif isinstance(leaf, Between):
            low, high = leaf.low, leaf.high
            bounds |= {low, high, low - abs(low) * leaf.taper, high + abs(high) * leaf.taper}
    return sorted(b for b in bounds if isfinite(b))


def _points(bounds: Sequence[float], within: Interval | None) -> list[float]:
    """One number between any two bounds, and one beyond each end, those inside what is known."""
    if not bounds:
        return []
    first, last = bounds[0], bounds[-1]
    spread = max(1.0, last - first, abs(last))
    low, high = (within.low, within.high) if within else (-inf, inf)
    edges = [max(first - spread, low), *(b for b in bounds if low < b < high), min(last + spread, high)]
    return [(a + b) / 2 for a, b in pairwise(edges) if isfinite(a) and isfinite(b) and a <= b]
