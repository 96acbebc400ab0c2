"""From counts to how likely chance alone would have made them: intervals, tests and their corrections.

Pure arithmetic on whole numbers and the standard library. It knows nothing of accounts, facts or profiles,
and never decides what is enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import ceil, erfc, exp, fsum, lgamma, log, sqrt
from statistics import NormalDist
from typing import NamedTuple

FEW = 5.0
"""Below this many expected in a cell the chi-square distribution is no longer trusted (Cochran 1954)."""

MANY = 2_000
"""Up to this many cases Fisher's test is used; beyond it chi-square says the same in no time."""

OUT_OF_REACH = 1_000_000_000
"""What `needed` says when no number of cases would do."""

_TIE = 1e-10  # tables as probable as the one seen count as such in spite of rounding
_NORMAL = NormalDist()


class Chi(NamedTuple):
    """Pearson's statistic, its degrees of freedom, and the chance of one at least as large."""

    statistic: float
    freedom: int
    p: float


@lru_cache(maxsize=64)
def _z(share: float) -> float:
    return _NORMAL.inv_cdf(share)


def wilson(hits: int, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share (no continuity correction), inside [0, 1]; (0, 1) for n = 0."""
    if n <= 0:
        return 0.0, 1.0
    z = _z(0.5 + confidence / 2)
    share = hits / n
    spread = z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = sqrt(spread * share * (1 - share) + spread * spread / 4) / (1 + spread)
    low = 0.0 if hits == 0 else max(0.0, min(share, middle - half))
    high = 1.0 if hits == n else min(1.0, max(share, middle + half))
    return low, high


def fisher(a: int, b: int, c: int, d: int) -> float:
    """Fisher's exact test of [[a, b], [c, d]], two-sided: all tables with these margins that are at most as
    probable as this one. Its time grows with the square root of the counts at worst; 0.0 below 1e-308."""
    row, column, n = a + b, a + c, a + b + c + d
    least, most = max(0, row + column - n), min(row, column)
    if least == most:
        return 1.0
    mode = min(most, max(least, (row + 1) * (column + 1) // (n + 2)))
    rest = n - row - column
    below, above = [], []
    weight, k = 1.0, mode
    while k > least and weight > 0.0:
        weight *= k * (rest + k) / ((row - k + 1) * (column - k + 1))
        k -= 1
        below.append(weight)
    weight, k = 1.0, mode
    while k < most and weight > 0.0:
        weight *= (row - k) * (column - k) / ((k + 1) * (rest + k + 1))
        k += 1
        above.append(weight)
    side, distance = (below, mode - a) if a < mode else (above, a - mode)
    if distance > len(side):
        return 0.0
    seen = (side[distance - 1] if distance else 1.0) * (1 + _TIE)
    tail = fsum(w for w in (*below, *above) if w <= seen) + (seen >= 1.0)
    return min(1.0, tail / (fsum(below) + fsum(above) + 1.0))


def chi_square(table: Sequence[Sequence[int]]) -> Chi:
    """Pearson's chi-square of a table without continuity correction; empty rows and columns do not count.

    A table with fewer than two rows or columns left tells nothing: (0, 0, 1).
    """
    filled = [list(row) for row in table if any(row)]
    columns = [column for column in zip(*filled, strict=True) if any(column)]
    freedom = (len(filled) - 1) * (len(columns) - 1)
    if not filled or freedom == 0:
        return Chi(0.0, 0, 1.0)
    totals = [sum(row) for row in zip(*columns, strict=True)]
    n = sum(totals)
    terms = []
    for column in columns:
        share = sum(column) / n
        terms += [
            (seen - total * share) ** 2 / (total * share) for seen, total in zip(column, totals, strict=True)
        ]
    statistic = fsum(terms)
    return Chi(statistic, freedom, chi_tail(statistic, freedom))


def chi_tail(statistic: float, freedom: int) -> float:
    """The chance of a chi-square value of at least `statistic` with whole `freedom` ≥ 1.

    A finite sum of positive terms, each from its logarithm, so that the far tail keeps its digits.
    """
    if statistic <= 0.0:
        return 1.0
    half = statistic / 2
    if freedom % 2:
        total, first = erfc(sqrt(half)), 0.5
    else:
        total, first = 0.0, 0.0
    scale = log(half)
    return min(1.0, total + fsum(_term(half, scale, first + i) for i in range(freedom // 2)))


def _term(half: float, scale: float, power: float) -> float:
    return exp(power * scale - half - lgamma(power + 1))


def independence(a: int, b: int, c: int, d: int) -> float:
    """Two-sided p of [[a, b], [c, d]]: Fisher's where an expected count is below 5 and there are at most
    2,000 cases, else chi-square. 1.0 where a row or column is empty."""
    first, second, left, right = a + b, c + d, a + c, b + d
    product = first * second * left * right
    if product == 0:
        return 1.0
    n = first + second
    if n <= MANY and min(first, second) * min(left, right) < FEW * n:
        return fisher(a, b, c, d)
    return erfc(sqrt(n * (a * d - b * c) ** 2 / product / 2))


def two_rates(hits: int, n: int, other_hits: int, other_n: int) -> float:
    """Two-sided p that two rates are the same; 1.0 where one has no cases."""
    return independence(hits, n - hits, other_hits, other_n - other_hits)


def trend(good: Sequence[int], total: Sequence[int]) -> float:
    """Cochran and Armitage: whether the rate rises or falls along equally spaced bands; two-sided p.

    With the exact variance under shuffled labels (n − 1, linear-by-linear association), the more careful of
    the two in use. 1.0 where undefined: fewer than two bands with cases, or one outcome only.
    """
    n, hits = sum(total), sum(good)
    mean = sum(i * cases for i, cases in enumerate(total))
    spread = n * sum(i * i * cases for i, cases in enumerate(total)) - mean * mean
    if spread <= 0 or hits <= 0 or hits >= n:
        return 1.0
    pull = n * sum(i * seen for i, seen in enumerate(good)) - hits * mean
    return erfc(sqrt(pull * pull * (n - 1) / (spread * hits * (n - hits)) / 2))


def benjamini_hochberg(ps: Sequence[float]) -> list[float]:
    """The p values adjusted for how many there are, in the order given: kept below q, at most a share q of
    what is found is found by chance."""
    order = sorted(range(len(ps)), key=ps.__getitem__, reverse=True)
    adjusted, least = [1.0] * len(ps), 1.0
    for place, i in enumerate(order):
        # the factor first: it is at least 1 after rounding too, so that nothing falls below its own p
        least = min(least, ps[i] * (len(ps) / (len(ps) - place)))
        adjusted[i] = least
    return adjusted


def simes(ps: Sequence[float]) -> float:
    """One p for several tests of one thing (Simes 1986), 1.0 for none."""
    return min(benjamini_hochberg(ps), default=1.0)


def odds_ratio(a: int, b: int, c: int, d: int) -> float:
    """The odds of the first row over those of the second, half a case added to every cell (Haldane and
    Anscombe), so that it is always finite."""
    return (a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5))


def needed(base: float, rate: float, share: float, *, alpha: float, power: float = 0.8) -> int:
    """How many cases it takes to tell `rate` in a `share` of them from the rate of the rest, two-sided.

    base: the rate over all of them; shares and rates in (0, 1). The rest has what is left of the base.
    OUT_OF_REACH where nothing tells them apart.
    """
    if not 0 < share < 1:
        return OUT_OF_REACH
    rest = min(1.0, max(0.0, (base - share * rate) / (1 - share)))
    pooled = share * rate + (1 - share) * rest
    gap = abs(rate - rest)
    if gap < 1e-9:
        return OUT_OF_REACH
    null = sqrt(pooled * (1 - pooled) / (share * (1 - share)))
    real = sqrt(rate * (1 - rate) / share + rest * (1 - rest) / (1 - share))
    size = ((_z(1 - alpha / 2) * null + _z(power) * real) / gap) ** 2
    return max(2, min(OUT_OF_REACH, ceil(size)))


def stability(before: Sequence[int], after: Sequence[int]) -> float:
    """The population stability index of two counts over the same bands: 0 for equal shares, conventionally
    unremarkable below 0.1 and a shift from 0.25 on. Half a case is added to every band; 0.0 where one side
    has no cases."""
    n, m = sum(before), sum(after)
    if n <= 0 or m <= 0:
        return 0.0
    bands = len(before)
    pairs = (
        ((old + 0.5) / (n + bands / 2), (new + 0.5) / (m + bands / 2))
        for old, new in zip(before, after, strict=True)
    )
    return fsum((new - old) * log(new / old) for old, new in pairs)
