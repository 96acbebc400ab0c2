"""How well scores rank the good above the rest, and how sure that is with this many cases.

Scores and labels only: it does not know what was scored, or by what. Every draw follows a seed, so that the
same cases give the same interval everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from math import floor, sqrt
from random import Random
from typing import NamedTuple

WITHIN = 1.959964
"""Standard deviations of a normal distribution within which 95 % lie."""

LEFT_OUT = 0.025
"""The share of bootstrap rounds beyond each end of an interval: 95 % lie inside."""

CROWDED = 8
"""From so many cases per distinct score on, counts are drawn instead of cases: the same, but faster."""


FEW = 30
"""Good cases, or others, below which drawing them again says too little of those that were not drawn."""


class Estimate(NamedTuple):
    """A value with the 95 % interval around it."""

    low: float
    value: float
    high: float


def auc(scores: Sequence[float], good: Sequence[bool]) -> float | None:
    """The chance that a good case scores above another, ties counting half; None without both kinds."""
    wins = Counter(score for score, is_good in zip(scores, good, strict=True) if is_good)
    return _auc(sorted(set(scores)), wins, Counter(scores) - wins)


def _auc(levels: Iterable[float], wins: Mapping[float, int], others: Mapping[float, int]) -> float | None:
    below = doubled = won = 0
    for level in levels:
        here, rest = wins.get(level, 0), others.get(level, 0)
        doubled += here * (2 * below + rest)
        below += rest
        won += here
    return doubled / (2 * won * below) if won and below else None


def auc_estimate(
    scores: Sequence[float], good: Sequence[bool], *, rounds: int = 1000, seed: int = 0
) -> Estimate | None:
    """The AUC with its interval, None without both kinds: a percentile bootstrap, good and other cases drawn
    apart; with few of either, for which that is too narrow, Newcombe's."""
    value = auc(scores, good)
    if value is None:
        return None
    if min(sum(good), len(good) - sum(good)) < FEW:
        return _of_few(value, sum(good), len(good) - sum(good))
    order = {level: place for place, level in enumerate(sorted(set(scores)))}
    wins = _Draw([order[score] for score, is_good in zip(scores, good, strict=True) if is_good], len(order))
    others = _Draw(
        [order[score] for score, is_good in zip(scores, good, strict=True) if not is_good], len(order)
    )
    random = Random(seed)  # noqa: S311 - statistics, not secrets
    return _interval(value, (_counted(wins.counts(random), others.counts(random)) for _ in range(rounds)))


def _of_few(value: float, wins: int, others: int) -> Estimate:
    """The interval of Newcombe (2006, method 5): every AUC from which the one found is less than so many
    standard errors away, of Hanley and McNeil's variance at that AUC. It holds for a perfect order too."""

    def far(supposed: float) -> bool:
        mean = (wins + others) / 2
        shape = 1 + (mean - 1) * ((1 - supposed) / (2 - supposed) + supposed / (1 + supposed))
        error = WITHIN * sqrt(supposed * (1 - supposed) * shape / (wins * others))
        return abs(value - supposed) > error

    def end(outside: float) -> float:
        inside = value
        for _ in range(40):
            middle = (inside + outside) / 2
            inside, outside = (inside, middle) if far(middle) else (middle, outside)
        return inside

    return Estimate(end(0.0), value, end(1.0))


def _counted(wins: Sequence[int], others: Sequence[int]) -> float:
    """The AUC of counts per level, lowest level first."""
    below = doubled = 0
    for here, rest in zip(wins, others, strict=True):
        doubled += here * (2 * below + rest)
        below += rest
    return doubled / (2 * sum(wins) * below)


def auc_difference(
    new: Sequence[float], old: Sequence[float], good: Sequence[bool], *, rounds: int = 1000, seed: int = 0
) -> Estimate | None:
    """How much better `new` ranks than `old` (AUC less AUC), each round drawing the same cases for both."""
    first, second = auc(new, good), auc(old, good)
    if first is None or second is None:
        return None
    ranks = [{level: place for place, level in enumerate(sorted(set(scores)))} for scores in (new, old)]
    widths = len(ranks[0]), len(ranks[1])
    # one number for both places, so that one draw serves two scores
    codes = [ranks[0][x] * widths[1] + ranks[1][y] for x, y in zip(new, old, strict=True)]
    wins = [code for code, is_good in zip(codes, good, strict=True) if is_good]
    others = [code for code, is_good in zip(codes, good, strict=True) if not is_good]
    random = Random(seed)  # noqa: S311 - statistics, not secrets

    def once() -> float:
        won, rest = (
            _both(random.choices(wins, k=len(wins)), widths),
            _both(random.choices(others, k=len(others)), widths),
        )
        return _counted(won[0], rest[0]) - _counted(won[1], rest[1])

    return _interval(first - second, (once() for _ in range(rounds)))


def _both(codes: Iterable[int], widths: tuple[int, int]) -> tuple[list[int], list[int]]:
    """Counts per place of each score, from how often each pair of places was drawn."""
    first, second = [0] * widths[0], [0] * widths[1]
    width = widths[1]
    for code, times in Counter(codes).items():
        first[code // width] += times
        second[code % width] += times
    return first, second


def estimate(
    statistic: Callable[[Sequence[int]], float | None], n: int, *, rounds: int = 1000, seed: int = 0
) -> Estimate | None:
    """Any statistic of case numbers 0 … n − 1 with its percentile bootstrap interval.

    Rounds in which it is undefined are left out; None where it is undefined on all cases.
    """
    value = statistic(range(n))
    if value is None:
        return None
    random, everybody = Random(seed), range(n)  # noqa: S311 - statistics, not secrets
    drawn = (statistic(random.choices(everybody, k=n)) for _ in range(rounds))
    return _interval(value, (found for found in drawn if found is not None))


def _interval(value: float, drawn: Iterable[float]) -> Estimate:
    ordered = sorted(drawn)
    if not ordered:
        return Estimate(value, value, value)
    return Estimate(_quantile(ordered, LEFT_OUT), value, _quantile(ordered, 1 - LEFT_OUT))


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear between the two nearest of the ordered values."""
    place = share * (len(ordered) - 1)
    below = floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


class _Draw:
    """Draws as many cases as there are, with replacement, and counts them per level."""

    def __init__(self, levels: Sequence[int], width: int) -> None:
        self.levels, self.width = levels, width
        tally = Counter(levels)
        self.filled = sorted(tally)
        left = list(accumulate(tally[level] for level in reversed(self.filled)))[::-1]
        self.shares = [tally[level] / rest for level, rest in zip(self.filled, left, strict=True)]

    def counts(self, random: Random) -> list[int]:
        drawn, n = [0] * self.width, len(self.levels)
        if n < CROWDED * len(self.filled):
            for level, times in Counter(random.choices(self.levels, k=n)).items():
                drawn[level] = times
            return drawn
        # level after level: how many of those still to be placed fall here
        for level, share in zip(self.filled, self.shares, strict=True):
            if not n:
                break
            drawn[level] = here = binomial(random, n, share)
            n -= here
        return drawn


def binomial(random: Random, n: int, share: float) -> int:
    """How many of n succeed, each with probability `share` (exact to the digits of a float).

    n numbers are compared with `share` bit by bit, all at once: a bit that differs decides its number, and
    how many differ is the count of ones among as many random bits. Two looks a number, on average.
    """
    if share >= 1.0:
        return n
    hits = 0
    while n and share:
        share *= 2
        decided = random.getrandbits(n).bit_count()
        n -= decided
        if share >= 1.0:
            share -= 1.0
            hits += decided
    return hits
