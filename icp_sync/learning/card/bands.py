"""What each answer to a fact says for or against: bands and values put together into few, monotone levels.

Weight of evidence is the log odds of the good among those who answer so, less the log odds among all who
answer; an unknown answer has none. Knows columns and labels, not profiles: `scorecard` makes points of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from math import log

from icp_sync.learning.card.factors import Factor, Level, any_of
from icp_sync.learning.figures.logistic import isotonic
from icp_sync.learning.marks.coded import NOT_KNOWN, Column

PRIOR = 20.0
"""Cases of the base rate added to every level, so that few cases say little; more where good is rare."""
PEAK = 8.0
"""How much more likely (twice the log) a band in the middle must make the labels than a rise or a fall."""
ALIKE = 2.7
"""Neighbouring levels whose rates differ by less (chi-square, about p = 0.1) are one."""
NOTEWORTHY = 1.64
"""A value's rate against all others' (chi-square, about p = 0.2), below which it is like the rest."""
FEWEST, SHARE = 20, 0.05
"""Cases of a level that stands alone, and their share of those whose answer is known."""


def counted(codes: bytes, good: bytes) -> dict[int, tuple[int, int]]:
    """Band → (cases, good ones), of the bands that are known. good: a byte a case, 1 for the good."""
    pairs = Counter(zip(codes, good, strict=True))
    return {
        band: (pairs[band, 0] + pairs[band, 1], pairs[band, 1])
        for band in sorted({band for band, _ in pairs if band != NOT_KNOWN})
    }


Counts = dict[int, tuple[int, int]]
Spell = Callable[[str], bool]


def ordered(column: Column, good: bytes) -> Factor | None:
    """Levels of an ordered fact: rising, falling, or rising to one peak. None where there is but one."""
    counts = counted(column.codes, good)
    if len(counts) < 2:
        return None
    shape = _shape(counts)
    groups: dict[float, list[int]] = {}
    for band, rate in shape.items():
        groups.setdefault(rate, []).append(band)
    return _factor(column, counts, [groups[rate] for rate in sorted(groups)], most=4)


def values(column: Column, good: bytes, *, spelled: Spell, refused: frozenset[str]) -> Factor | None:
    """Levels of a choice: values that are better than the rest, the rest, values that are worse.

    spelled: whether a profile can write the value. refused: values that mark an anti-cohort as well, which
    are never better than the rest.
    """
    counts = counted(column.codes, good)
    n, won = sum(c for c, _ in counts.values()), sum(g for _, g in counts.values())
    apart: list[int] = []
    for band, (cases, hits) in counts.items():
        word = column.values[band]
        noted = _unlike((cases, hits), (n - cases, won - hits)) >= NOTEWORTHY
        held = word in refused and hits * n > won * cases
        if word and spelled(word) and noted and not held:
            apart.append(band)
    rest = [band for band in counts if band not in apart]
    groups = [[band] for band in apart] + ([rest] if rest else [])
    ranked = sorted(groups, key=lambda group: _rate(counts, group, won / n if n else 0.0))
    return _factor(column, counts, ranked, most=3, rest=frozenset(rest))


def member(column: Column, places: Iterable[int], good: bytes) -> Factor | None:
    """Two levels of a set: one of these members is listed, or none is. None where that says nothing.

    Compared with all cases, as the engine cannot tell an incomplete set from one that nobody has looked at.
    """
    asked = frozenset(places)
    found = any_of([column.questions[at].answers for at in sorted(asked)])
    codes = found.translate(bytes([0, 1, *[NOT_KNOWN] * 254]))
    counts = counted(codes, good)
    n, won = len(good), good.count(1)
    listed, absent = counts.get(1, (0, 0)), counts.get(0, (0, 0))
    if not 0 < won < n:
        return None
    weight = prior(won, n)
    with_it = evidence(listed, won / n, weight) if listed[0] else 0.0
    without = evidence(absent, won / n, weight) if absent[0] else 0.0
    if with_it > 0.0:
        levels = ((0, absent, min(without, 0.0)), (1, listed, with_it))
    elif with_it < 0.0 and absent[0] >= 2 * FEWEST:
        levels = ((1, listed, with_it), (0, absent, max(without, 0.0)))
    else:
        return None
    return Factor(
        column=column,
        codes=codes,
        members=asked,
        levels=tuple(
            Level(bands=frozenset((band,)), n=cases, good=hits, evidence=said)
            for band, (cases, hits), said in levels
        ),
    )


def prior(won: int, n: int) -> float:
    """How many cases of the base rate a level is mixed with: at least two good ones and two others."""
    rare = min(won, n - won) / n if n else 0.0
    return max(PRIOR, 2.0 / rare) if rare else PRIOR


def evidence(counts: tuple[int, int], base: float, weight: float) -> float:
    """Log odds ratio of a level against the base, shrunk towards nothing by `weight` cases of the base."""
    cases, hits = counts
    good, others = hits + weight * base, cases - hits + weight * (1 - base)
    return log(good / others) - log(base / (1 - base))


def _shape(counts: Counts) -> dict[int, float]:
    """Band → fitted rate, rising, falling, or with one peak where that is clearly likelier."""
    bands = sorted(counts)
    sizes = [float(counts[b][0]) for b in bands]
    rates = [counts[b][1] / counts[b][0] for b in bands]

    def falling(part: slice) -> list[float]:
        return isotonic(rates[part][::-1], sizes[part][::-1])[::-1]

    def rising(part: slice) -> list[float]:
        return isotonic(rates[part], sizes[part])

    def likely(fit: Sequence[float]) -> float:
        pairs = zip(bands, fit, strict=True)
        return sum(_likelihood(counts[b], rate) for b, rate in pairs)

    whole = slice(None)
    best = max(rising(whole), falling(whole), key=likely)
    peaks = [rising(slice(at)) + falling(slice(at, None)) for at in range(1, len(bands))]
    peak = max(peaks, key=likely)
    chosen = peak if 2 * (likely(peak) - likely(best)) > PEAK else best
    return dict(zip(bands, chosen, strict=True))


def _likelihood(counts: tuple[int, int], rate: float) -> float:
    cases, hits = counts
    said = hits * log(rate) if hits else 0.0
    return said + ((cases - hits) * log(1 - rate) if cases > hits else 0.0)


def _rate(counts: Counts, group: Sequence[int], base: float) -> float:
    cases, hits = _sum(counts, group)
    return (hits + PRIOR * base) / (cases + PRIOR)


def _sum(counts: Counts, group: Iterable[int]) -> tuple[int, int]:
    pairs = [counts[band] for band in group]
    return sum(c for c, _ in pairs), sum(g for _, g in pairs)


def _unlike(one: tuple[int, int], other: tuple[int, int]) -> float:
    """Chi-square of two rates, 0 where it cannot be told."""
    n, hits = one[0] + other[0], one[1] + other[1]
    if not one[0] or not other[0] or not 0 < hits < n:
        return 0.0
    gap = one[1] / one[0] - other[1] / other[0]
    share = hits / n
    return gap * gap / (share * (1 - share) * (1 / one[0] + 1 / other[0]))


def _factor(
    column: Column, counts: Counts, groups: list[list[int]], *, most: int, rest: frozenset[int] = frozenset()
) -> Factor | None:
    """Groups in rising order become levels: neighbours that are alike or few join, to at most so many."""
    n, won = _sum(counts, counts)
    least = max(FEWEST, SHARE * n)
    while len(groups) > 2:
        totals = [_sum(counts, group) for group in groups]
        gaps = [_unlike(a, b) for a, b in pairwise(totals)]
        few = [i for i, (cases, _) in enumerate(totals) if cases < least]
        if few:
            beside = [i for i in (few[0] - 1, few[0]) if 0 <= i < len(gaps)]
            at = min(beside, key=gaps.__getitem__)
        else:
            at = min(range(len(gaps)), key=gaps.__getitem__)
            if gaps[at] >= ALIKE and len(groups) <= most:
                break
        groups = [*groups[:at], groups[at] + groups[at + 1], *groups[at + 2 :]]
    if not 0 < won < n:
        return None
    weight = prior(won, n)
    levels = []
    for group in groups:
        cases, hits = _sum(counts, group)
        said = evidence((cases, hits), won / n, weight)
        levels.append(Level(bands=frozenset(group), n=cases, good=hits, evidence=said))
    risen = _rising(levels, won / n, weight)
    return Factor(column=column, codes=column.codes, levels=risen, rest=rest) if len(risen) > 1 else None


def _rising(levels: Sequence[Level], base: float, weight: float) -> tuple[Level, ...]:
    """Levels whose evidence rises: shrinking may turn neighbours round, and then they are one."""
    risen: list[Level] = []
    for level in levels:
        risen.append(level)
        while len(risen) > 1 and risen[-2].evidence >= risen[-1].evidence:
            upper, lower = risen.pop(), risen.pop()
            risen.append(_one(lower, upper, base, weight))
    return tuple(risen)


def _one(lower: Level, upper: Level, base: float, weight: float) -> Level:
    cases, hits = lower.n + upper.n, lower.good + upper.good
    said = evidence((cases, hits), base, weight)
    return Level(bands=lower.bands | upper.bands, n=cases, good=hits, evidence=said)


def without_step(factor: Factor, step: int) -> Factor | None:
    """The factor with the two levels around a step made one; None where nothing is left to ask."""
    n, won = sum(level.n for level in factor.levels), sum(level.good for level in factor.levels)
    if len(factor.levels) <= 2 or not 0 < won < n:
        return None
    weight, base = prior(won, n), won / n
    lower, upper = factor.levels[step - 1 : step + 1]
    left = [*factor.levels[: step - 1], _one(lower, upper, base, weight), *factor.levels[step + 1 :]]
    levels = _rising(left, base, weight)
    return replace(factor, levels=levels) if len(levels) > 1 else None
