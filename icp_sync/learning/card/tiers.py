"""Where tiers begin: by the win rate expected of a score, and by how many accounts the team can carry.

Knows scores and labels, not facts. Expected rates rise with the score by construction; where few cases tell,
they are drawn towards the base, or the tier below.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import NamedTuple

from icp_sync.domain.profile import TIERS, Tiers
from icp_sync.learning.figures.logistic import isotonic

NARROWEST = 3
"""Points every tier is wide at least: no fact decides on a single point."""
DRAWN = 20.0
"""Cases of the base rate, or of the tier below, that every tier's expected rate is mixed with."""
COVERAGE = 0.60
LEAST_COVERAGE = 0.20
WITHOUT = 0.25
"""The share of accounts that may be Needs data for want of coverage, before less of it has to do."""
FEWEST = 20

OUT = "out"
"""A ceiling of an account that no tier is given at all."""


class Lifts(NamedTuple):
    """How much better than the base rate a tier is expected to be where it begins."""

    a: float = 2.0
    b: float = 1.15
    c: float = 0.5


USUAL = Lifts()


class Scored(NamedTuple):
    """An account as the engine would show it. covered: share of weight known. ceiling: the tier a flag caps
    it at, `OUT` where a flag or gate excludes it, "" where none does."""

    score: int
    covered: float
    ceiling: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """expected: tier → expected share of good ones, of tiers with cases. notes: what could not be had."""

    tiers: Tiers
    expected: Mapping[str, float]
    notes: tuple[str, ...] = ()


def cut_tiers(
    cases: Sequence[Scored],
    good: Sequence[bool],
    crowd: Sequence[Scored],
    *,
    lifts: Lifts = USUAL,
    capacity: int | None = None,
    stands_for: float = 1.0,
) -> Cut:
    """Tiers for these scores. crowd: everybody, whom capacity and coverage are counted on, each standing for
    so many accounts."""
    notes: list[str] = []
    base = sum(good) / len(good)
    rates = expected_rates(cases, good)
    a, b, c = _floors(rates, cases, base, lifts, notes)
    if capacity is not None:
        a = _carried(a, _reached(crowd, stands_for), capacity, notes)
    a, b, c = _widened(a, b, c)
    coverage = _coverage(crowd, notes)
    tiers = Tiers(a=a, b=b, c=c, min_coverage=coverage)
    return Cut(tiers=tiers, expected=_expected(tiers, cases, good, base), notes=tuple(notes))


def tier_of(tiers: Tiers, scored: Scored) -> str:
    """A to D, or `OUT`."""
    return scored.ceiling if scored.ceiling == OUT else max(tiers.of(scored.score), scored.ceiling)


def expected_rates(cases: Sequence[Scored], good: Sequence[bool]) -> dict[int, float]:
    """Score → share of good ones, rising; of every score that some case has, those left out apart."""
    counts = Counter((s.score, g) for s, g in zip(cases, good, strict=True) if not s.ceiling)
    scores = sorted({score for score, _ in counts})
    sizes = [counts[s, False] + counts[s, True] for s in scores]
    rates = [counts[s, True] / size for s, size in zip(scores, sizes, strict=True)]
    return dict(zip(scores, isotonic(rates, sizes), strict=True))


def _floors(
    rates: Mapping[int, float], cases: Sequence[Scored], base: float, lifts: Lifts, notes: list[str]
) -> tuple[int, int, int]:
    """The lowest score of A, B and C by expected rate.

    Where the base is high, twice as much may be more than everybody: then halfway to everybody will do.
    """

    def floor_at(rate: float) -> int | None:
        return min((score for score, expected in rates.items() if expected >= rate), default=None)

    best = min(lifts.a * base, base + (1 - base) / 2)
    a = floor_at(best)
    if a is None:
        a = _top(cases)
        notes.append(f"No score is expected to reach {best:.0%}, so A holds the best there are.")
    b = floor_at(min(lifts.b * base, base + (1 - base) / 4))
    c = floor_at(lifts.c * base)
    return a, a if b is None else b, 0 if c is None else c


def _top(cases: Sequence[Scored]) -> int:
    """The highest score that enough cases reach."""
    scores = sorted((s.score for s in cases if not s.ceiling), reverse=True)
    return scores[min(FEWEST, len(scores)) - 1] if scores else 100


def _reached(crowd: Sequence[Scored], stands_for: float) -> dict[int, int]:
    """Score that tier A may begin at → how many accounts reach it, where any does."""
    scores = Counter(s.score for s in crowd if not s.ceiling)
    found: dict[int, int] = {}
    above = 0
    for score in range(100, -1, -1):
        above += scores[score]
        if score <= 101 - NARROWEST and above:
            found[score] = round(stands_for * above)
    return found


def _carried(a: int, reached: Mapping[int, int], capacity: int, notes: list[str]) -> int:
    """The lowest score at or above `a` that at most `capacity` accounts reach, or else the fewest."""
    able = [score for score in sorted(reached) if score >= a] or [a]
    chosen = next((score for score in able if reached.get(score, 0) <= capacity), able[-1])
    carried = "1 account" if capacity == 1 else f"{capacity:,} accounts"
    if (left := reached.get(chosen, 0)) > capacity:
        notes.append(
            f"A begins at {chosen} and holds {left:,} accounts, the fewest that score alike, although only "
            f"{carried} can be carried."
        )
    elif chosen > a:
        notes.append(f"A begins at {chosen} instead of {a}, as only {carried} can be carried.")
    return chosen


def _widened(a: int, b: int, c: int) -> tuple[int, int, int]:
    """Falling floors, each tier at least so wide."""
    a = min(max(a, 3 * NARROWEST), 101 - NARROWEST)
    b = min(max(b, 2 * NARROWEST), a - NARROWEST)
    return a, b, min(max(c, NARROWEST), b - NARROWEST)


def _coverage(crowd: Sequence[Scored], notes: list[str]) -> float:
    """The usual least coverage, or less where more than a quarter of the accounts would lack it."""
    covered = sorted(s.covered for s in crowd)
    quarter = covered[floor(WITHOUT * len(covered))] if covered else 1.0
    if quarter >= COVERAGE:
        return COVERAGE
    chosen = max(LEAST_COVERAGE, floor(20 * quarter + 1e-9) / 20)
    short = sum(share < COVERAGE - 1e-9 for share in covered) / len(covered)
    notes.append(
        f"Of {short:.0%} of the accounts less than {COVERAGE:.0%} of the points are known, so {chosen:.0%} "
        "have to do; their tiers stay provisional."
    )
    return chosen


def _expected(tiers: Tiers, cases: Sequence[Scored], good: Sequence[bool], base: float) -> dict[str, float]:
    """Tier → share of good ones, never lower than in the tier below. Drawn towards the base, or what the tier
    below has where that is more, so that a narrow tier at the top is not taken for the one under it."""
    counts = Counter((tier_of(tiers, s), g) for s, g in zip(cases, good, strict=True))
    risen: dict[str, float] = {}
    below = base
    for tier in reversed(TIERS):
        if size := counts[tier, False] + counts[tier, True]:
            drawn = (counts[tier, True] + DRAWN * max(base, below)) / (size + DRAWN)
            below = risen[tier] = max(drawn, below) if risen else drawn
    return {tier: risen[tier] for tier in TIERS if tier in risen}
