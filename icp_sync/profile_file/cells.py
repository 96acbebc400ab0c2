"""Representative values of a fact: enough of them that every company answers its questions like one of them.

Exact for questions without a taper; with one, a cell is a stretch of values and its greatest credit is an
upper bound. So whatever no combination of cells can reach, no company can reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from math import inf, nextafter

from icp_sync.domain.conditions import AllOf, AnyOf, Between, Leaf, NoneOf, Present, Within
from icp_sync.domain.facts import CATALOGUE, FactType, FactValue, Interval, Members, Money

NOW = 4e9  # any instant will do: ages are counted back from it
OTHER = "\x00other"  # a word no question names

_SEVERAL = frozenset({"lifecycle"})
"""Choices that hold two words where both are true: a stage, and what it makes of the company."""

_SLICES = 8  # pieces of a stretch on which a taper is bounded


def cells(
    fact: str, kind: FactType, leaves: Sequence[Leaf], currency: str, most: int
) -> list[FactValue | None] | None:
    """Values of one fact for these questions about it, None among them for "unknown" where that is asked.

    Returns None when they cannot be listed, or are more than `most`.
    """
    found: list[FactValue | None] = []
    if any(isinstance(leaf, Present) for leaf in leaves):
        found.append(None)
    if kind is FactType.DATE and any(isinstance(leaf, Within) for leaf in leaves):
        if any(isinstance(leaf, Between) for leaf in leaves):
            return None  # a date and an age meet differently every day
        found += _ages([leaf for leaf in leaves if isinstance(leaf, Within)])
    elif kind in {FactType.NUMBER, FactType.MONEY, FactType.DATE}:
        bands = [leaf for leaf in leaves if isinstance(leaf, Between)]
        floor = 0.0 if fact in CATALOGUE and kind is not FactType.DATE else -inf
        stretches = _stretches(bands, floor)
        money = kind is FactType.MONEY
        found += [Money(low, high, currency) if money else Interval(low, high) for low, high in stretches]
    else:
        asked = [leaf for leaf in leaves if isinstance(leaf, AnyOf | NoneOf | AllOf)]
        members = _subsets(asked, most) if kind is FactType.SET or fact in _SEVERAL else _choices(asked, kind)
        if members is None:
            return None
        found += members
    return found if len(found) <= most else None


def _ages(withins: Sequence[Within]) -> Iterator[Interval]:
    limits = [0.0, *sorted({leaf.seconds for leaf in withins}), 4 * NOW]
    for young, old in pairwise(limits):
        yield Interval(NOW - old + 1, NOW - young)


def _stretches(bands: Sequence[Between], floor: float) -> Iterator[tuple[float, float]]:
    """Every point at which an answer turns, and the open stretches between them."""
    turns = {floor} if floor > -inf else set()
    for band in bands:
        for bound, away in ((band.low, -1), (band.high, 1)):
            if abs(bound) < inf:
                turns |= {bound, bound + away * abs(bound) * band.taper}
    points = sorted(turn for turn in turns if turn >= floor)
    yield from ((point, point) for point in points)
    slices = _SLICES if any(band.taper for band in bands) else 1
    edges = [*([] if floor > -inf else [-inf]), *points, inf]
    for low, high in pairwise(edges):
        start, end = nextafter(low, inf), nextafter(high, -inf)
        if low == -inf or high == inf:
            yield (low if low == -inf else start), (high if high == inf else end)
        elif start <= end:
            steps = [start + (end - start) * i / slices for i in range(slices)] + [end]
            yield from ((a, b) for a, b in pairwise(steps) if a <= b)


def _groups(asked: Sequence[AnyOf | NoneOf | AllOf]) -> list[list[str]]:
    """Words that the same questions name, together: they answer alike."""
    by_questions: dict[tuple[bool, ...], list[str]] = {}
    for word in sorted(frozenset().union(*(leaf.values for leaf in asked))):
        by_questions.setdefault(tuple(word in leaf.values for leaf in asked), []).append(word)
    return list(by_questions.values())


def _choices(asked: Sequence[AnyOf | NoneOf | AllOf], kind: FactType) -> list[Members]:
    words = ["yes", "no"] if kind is FactType.YES_NO else [group[0] for group in _groups(asked)] + [OTHER]
    return [Members(frozenset((word,)), True) for word in words]


def _subsets(asked: Sequence[AnyOf | NoneOf | AllOf], most: int) -> list[Members] | None:
    """Of every group of words: none, the first one, all of them."""
    options = [[(), (group[0],), tuple(group)][: 3 if len(group) > 1 else 2] for group in _groups(asked)]
    if len(options) > 12 or 3 ** len(options) > most:
        return None
    return [Members(frozenset(sum(chosen, ())), True) for chosen in product(*options)]
