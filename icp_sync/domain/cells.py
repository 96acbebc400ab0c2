"""The few values of a fact between which questions differ: what an unknown fact may turn out to be.

Pure; a value stands for all that answer every question alike. Values are as exact as a source can tell them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import combinations, pairwise
from math import inf, isfinite
from random import Random

from icp_sync.domain.conditions import AllOf, Between, Leaf, Within
from icp_sync.domain.facts import FactType, FactValue, Interval, Members, Money
from icp_sync.domain.questions import Question, named_by

MOST = 40
"""Values looked at of one fact. Only facts of which very many things are asked have more."""
EVERY_SUBSET = 5
"""Kinds of members of a set of which every combination is looked at."""

ELSE = "\0something else"
"""A member no question names."""


def cells_of(
    questions: Sequence[Question],
    held: FactValue | None,
    kind: FactType | None,
    *,
    whole: bool,
    now: float,
    alike: Callable[[FactValue | None], Hashable] = lambda value: value,
) -> tuple[FactValue | None, ...]:
    """What the fact may be: as it is now first, for who cannot tell more either, then one value for each way
    of answering the questions, at most `MOST` in all.

    held: what is known of it already; every value lies within that. whole: whether its set can become
    complete. alike: equal for values that answer everything alike.
    """
    if not questions or _answered(held):
        return (held,)
    found: Sequence[FactValue] | Iterator[FactValue]
    if kind is FactType.SET:
        found = _sets(questions, held if isinstance(held, Members) else None, whole)
    elif kind in (FactType.CHOICE, FactType.YES_NO):
        found = (Members(frozenset((value,)), True) for value in _classes(questions))
    elif kind is FactType.MONEY:
        found = _amounts(questions, held if isinstance(held, Money) else None)
    else:
        found = _numbers(questions, held if isinstance(held, Interval) else None, now)
    different: dict[Hashable, FactValue | None] = {alike(held): held}
    for value in found:
        different.setdefault(alike(value), value)
    values = tuple(different.values())
    if len(values) <= MOST:
        return values
    if isinstance(values[1], Members):
        return values[:MOST]  # the most important questions come first
    step = (len(values) - 2) / (MOST - 2)  # both ends and those spread between them
    return (held, *(values[1 + round(at * step)] for at in range(MOST - 1)))


def _answered(held: FactValue | None) -> bool:
    """Whether nothing more can be learned of a fact: it is exact, or its set is complete."""
    if held is None:
        return False
    return held.complete if isinstance(held, Members) else held.low == held.high


def _classes(asked: Sequence[Question]) -> Iterator[str]:
    """One member that no question names, then one for each way of answering them: first one that answers the
    first question, one the second, and so on."""
    yield ELSE
    wanted = [(named, sorted(named)) for q in asked if (named := named_by(q.leaf))]
    ways: dict[str, tuple[int, ...]] = {}
    for _, values in wanted:
        for value in values:
            if value not in ways:
                ways[value] = tuple(at for at, (named, _) in enumerate(wanted) if value in named)
    seen: set[tuple[int, ...]] = set()
    first = [values[0] for _, values in wanted]
    for value in [*first, *ways]:
        if ways[value] not in seen:
            seen.add(ways[value])
            yield value


def _sets(asked: Sequence[Question], held: Members | None, whole: bool) -> Iterator[Members]:
    """Combinations of members: all there are of a few kinds, of many the telling ones and some at random."""
    known = held.known if held else frozenset()
    if whole:
        yield Members(known, True)
    elif not held:
        yield Members(frozenset((ELSE,)), False)
    more = [value for value in _classes(asked) if value != ELSE and value not in known]
    for some in _some_of(more, asked):
        yield Members(known | some, whole)


def _some_of(more: Sequence[str], asked: Sequence[Question]) -> Iterator[frozenset[str]]:
    everyone = frozenset(more)
    if len(more) <= EVERY_SUBSET:
        together = [leaf.values for q in asked if isinstance(leaf := q.leaf, AllOf)]
        yield from together
        for size in range(len(more), 0, -1):
            for chosen in combinations(more, size):
                yield frozenset(chosen)
                yield from (frozenset(chosen) | values for values in together)
        return
    yield everyone
    for question in asked:
        named = named_by(question.leaf)
        yield everyone - named
        yield everyone & named
        if isinstance(question.leaf, AllOf):
            yield named
    yield from (frozenset((value,)) for value in more)
    draw = Random(1)  # noqa: S311  the same combinations each time
    for _ in range(MOST):
        yield frozenset(value for value in more if draw.random() < 0.5)


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
    """Every bound, one number between any two, and one beyond each end: those inside what is known."""
    bounds = bounds or [0.0]  # it is only asked whether it is known
    first, last = bounds[0], bounds[-1]
    spread = max(1.0, last - first, abs(last))
    low, high = (within.low, within.high) if within else (-inf, inf)
    ends = (max(first - spread, low), min(last + spread, high))
    edges = sorted({x for x in (*bounds, *ends) if isfinite(x) and low <= x <= high})
    return sorted({*edges, *(a / 2 + b / 2 for a, b in pairwise(edges))})
