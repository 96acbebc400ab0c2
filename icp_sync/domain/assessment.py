"""One profile on one account: ranges, gates, flags, and whole points that add up.

Pure; `domain.evaluation` weighs the assessments of several profiles against each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from math import ceil, floor

from icp_sync.domain.compile import Answers, Compiled
from icp_sync.domain.facts import Facts
from icp_sync.domain.profile import Effect, Flag, Profile

EPSILON = 1e-9
"""Float noise of a sum must not move a floor or a ceiling."""


class Fate(StrEnum):
    FAILED = "failed"  # a gate certainly unmet or an exclude flag certainly true
    CERTAIN = "certain"
    OPEN = "open"  # an unknown gate, exclude flag or scope may still take it out


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """One profile's answer on one account. Points are 0–100; `covered` is the share of weight known.

    low, high: the bounds as stated, floor and ceiling. least, most: the lowest and highest whole score
    still possible, which is what tiers compare.
    """

    compiled: Compiled
    fate: Fate
    low: int
    high: int
    least: int
    most: int
    score: int
    covered: float
    answers: Answers

    @property
    def applies(self) -> bool:
        """Whether the account is not certainly outside this profile's scope."""
        return self.answers[1] > 0.0

    @property
    def profile(self) -> Profile:
        return self.compiled.profile

    def credit(self, index: int) -> tuple[float, float]:
        """Low and high credit of the index-th compiled condition."""
        return self.answers[2 * index], self.answers[2 * index + 1]

    def criterion(self, index: int) -> tuple[float, float]:
        return self.credit(2 + index)

    def flag(self, index: int) -> tuple[float, float]:
        return self.credit(2 + len(self.profile.criteria) + len(self.profile.timing) + index)

    def route(self, index: int) -> tuple[float, float]:
        offset = len(self.profile.criteria) + len(self.profile.timing) + len(self.profile.flags)
        return self.credit(2 + offset + index)

    @cached_property
    def flags_true(self) -> tuple[Flag, ...]:
        return tuple(f for i, f in enumerate(self.profile.flags) if self.flag(i)[0] == 1.0)

    @cached_property
    def flags_unknown(self) -> tuple[Flag, ...]:
        return tuple(f for i, f in enumerate(self.profile.flags) if self.flag(i) == (0.0, 1.0))

    @cached_property
    def points(self) -> tuple[tuple[int, int], ...]:
        """Whole points (earned, possible) of each criterion; earned add up to the score, possible to 100."""
        credits = [self.criterion(i) for i in range(len(self.profile.criteria))]
        shown = [
            weight * (low + c.unknown * (high - low))
            for (low, high), c, weight in zip(
                credits, self.profile.criteria, self.compiled.weights, strict=True
            )
        ]
        possible = largest_remainder(self.compiled.weights, 100, [100] * len(shown))
        earned = largest_remainder(shown, self.score, possible)
        return tuple(zip(earned, possible, strict=True))


def assess(compiled: Compiled, facts: Facts, now: float) -> Assessment:
    """One profile on one account's facts."""
    low, high, shown, covered, answers = compiled.answer(facts, now)
    profile = compiled.profile
    fate = Fate.OPEN if answers[0] == 0.0 else Fate.CERTAIN
    at = 4
    for criterion in profile.criteria:
        if criterion.required:
            if answers[at + 1] == 0.0:
                fate = Fate.FAILED
            elif answers[at] == 0.0 and fate is Fate.CERTAIN:
                fate = Fate.OPEN
        at += 2
    at += 2 * len(profile.timing)
    for flag in profile.flags:
        if flag.effect is Effect.EXCLUDE:
            if answers[at] == 1.0:
                fate = Fate.FAILED
            elif answers[at + 1] > 0.0 and fate is Fate.CERTAIN:
                fate = Fate.OPEN
        at += 2
    return Assessment(
        compiled=compiled,
        fate=fate,
        low=floor(low + EPSILON),
        high=ceil(high - EPSILON),
        least=rounded(low),
        most=rounded(high),
        score=rounded(shown),
        covered=covered / 100.0,
        answers=answers,
    )


def rounded(points: float) -> int:
    """Half up, so that a bound rounds as the score between it does."""
    return floor(points + 0.5 + EPSILON)


def largest_remainder(shares: Sequence[float], total: int, most: Sequence[int]) -> list[int]:
    """Whole numbers that add up to `total`, each its share rounded down or up, none above its `most`.

    Requires floor(sum(shares)) ≤ total ≤ sum(most). Ties go to the earlier share.
    """
    whole = [min(floor(share + EPSILON), top) for share, top in zip(shares, most, strict=True)]
    order = sorted(range(len(shares)), key=lambda i: (floor(shares[i] + EPSILON) - shares[i], i))
    left = total - sum(whole)
    while left > 0:
        before = left
        for i in order:
            if left > 0 and whole[i] < most[i]:
                whole[i] += 1
                left -= 1
        if left == before:
            break  # only when total exceeds sum(most); callers never ask for that
    return whole
