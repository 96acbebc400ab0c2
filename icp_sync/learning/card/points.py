"""Factors weighed together, and whole points for their steps: what a scorecard's numbers are made of.

A logistic regression that shrinks gives each factor its weight beside the others; facts that say the same
share it, and what weighs against is left out. Knows factors and labels, not profiles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from icp_sync.domain.whole_points import largest_remainder
from icp_sync.learning.card.bands import without_step
from icp_sync.learning.card.factors import Factor
from icp_sync.learning.figures.logistic import ridge
from icp_sync.learning.marks.coded import NOT_KNOWN

PENALTY = 2.0
"""Against large coefficients: worth as much as a few dozen cases at usual base rates."""
WEAKEST = 0.1
"""A coefficient below this says the opposite of, or the same as, what the others have said already."""
LEAST_POINTS = 3
MOST_STEPS = 12


class Pointed(NamedTuple):
    """A factor and the whole points of its steps, the lowest step first."""

    factor: Factor
    points: tuple[int, ...]


def weighed(factors: Sequence[Factor], good: bytes) -> list[tuple[Factor, float]]:
    """Each factor with its coefficient; one that weighs nothing or against is dropped, the rest refitted."""
    left = list(factors)
    while left:
        worth = [
            {band: level.evidence for level in factor.levels for band in level.bands} | {NOT_KNOWN: 0.0}
            for factor in left
        ]
        counts = Counter(zip(*(factor.codes for factor in left), good, strict=True))
        rows = [[table.get(band, 0.0) for table, band in zip(worth, row[:-1], strict=True)] for row in counts]
        labels, sizes = [row[-1] == 1 for row in counts], [float(size) for size in counts.values()]
        weights = ridge(rows, labels, penalty=PENALTY, weights=sizes).coefficients
        if min(weights) > WEAKEST:
            return list(zip(left, weights, strict=True))
        left.pop(min(range(len(left)), key=weights.__getitem__))
    return []


def points_of(weights: Sequence[tuple[Factor, float]]) -> list[Pointed]:
    """Whole points that add up to 100, in proportion to the evidence each step adds; the factor with most
    of them first. Steps worth fewer than three join their neighbours, as do those beyond a dozen."""
    left = list(weights)
    while left:
        gains = [
            (index, step, weight * (above.evidence - below.evidence))
            for index, (factor, weight) in enumerate(left)
            for step, (below, above) in enumerate(zip(factor.levels, factor.levels[1:], strict=False), 1)
        ]
        total = sum(gain for _, _, gain in gains)
        whole = largest_remainder([100 * gain / total for *_, gain in gains], 100, [100] * len(gains))
        if min(whole) >= LEAST_POINTS and len(gains) <= MOST_STEPS:
            pointed = [
                Pointed(factor, tuple(p for (at, *_), p in zip(gains, whole, strict=True) if at == index))
                for index, (factor, _) in enumerate(left)
            ]
            return sorted(pointed, key=lambda one: -sum(one.points))
        index, step, _ = min(gains, key=lambda gain: gain[2])
        factor, weight = left[index]
        shorter = without_step(factor, step)
        left[index : index + 1] = [(shorter, weight)] if shorter else []
    return []
