"""One profile on one account: ranges, gates, flags, and whole points that add up.

Pure; `domain.evaluation` weighs the assessments of several profiles against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from math import ceil, floor

from icp_sync.domain.compile import Answers, Compiled
from icp_sync.domain.facts import Facts
from icp_sync.domain.profile import Effect, Flag, Profile
from icp_sync.domain.whole_points import EPSILON, largest_remainder, rounded


class Fate(StrEnum):
    FAILED = "failed"  # a gate certainly unmet or an exclude flag certainly true
    CERTAIN = "certain"
    OPEN = "open"  # an unknown gate, exclude flag or scope may still take it out


@dataclass(kw_only=True)
class Assessment:
    """One profile's answer on one account. Points are 0–100; `covered` is the share of weight known.

    low, high: the bounds as stated, floor and ceiling. least, most: the lowest and highest whole score
    still possible, which is what tiers compare. cap: the worst tier a flag that is true caps at, "" for none.
    Nobody changes one; not frozen for the same reason as `Evaluation`.
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
    flags_true: tuple[Flag, ...]
    flags_unknown: tuple[Flag, ...]
    cap: str

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
    def points(self) -> tuple[tuple[int, int], ...]:
        """Whole points (earned, possible) of each criterion; earned add up to the score, possible to 100."""
        return whole_points(self.compiled, self.answers, self.score)


def whole_points(compiled: Compiled, answers: Answers, score: int) -> tuple[tuple[int, int], ...]:
    """As `Assessment.points`. score: the whole points shown."""
    shown = []
    at = 4
    for criterion, weight in zip(compiled.profile.criteria, compiled.weights, strict=True):
        low = answers[at]
        shown.append(weight * (low + criterion.unknown * (answers[at + 1] - low)))
        at += 2
    possible = compiled.asking.possible
    return tuple(zip(largest_remainder(shown, score, possible), possible, strict=True))


def assess(compiled: Compiled, facts: Facts, now: float) -> Assessment:
    """One profile on one account's facts."""
    low, high, shown, covered, answers = compiled.answer(facts, now)
    fate = Fate.OPEN if answers[0] == 0.0 else Fate.CERTAIN
    for gate in compiled.asking.gates:
        if answers[gate.at + 1] == 0.0:
            fate = Fate.FAILED
        elif answers[gate.at] == 0.0 and fate is Fate.CERTAIN:
            fate = Fate.OPEN
    true: list[Flag] = []
    unknown: list[Flag] = []
    cap = ""
    for at, flag in compiled.asking.flags:
        if not answers[at + 1]:
            continue
        if answers[at] == 1.0:
            true.append(flag)
            if flag.effect is Effect.EXCLUDE:
                fate = Fate.FAILED
            elif flag.effect is Effect.CAP:
                cap = max(cap, flag.cap)
        else:
            unknown.append(flag)
            if flag.effect is Effect.EXCLUDE and fate is Fate.CERTAIN:
                fate = Fate.OPEN
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
        flags_true=tuple(true),
        flags_unknown=tuple(unknown),
        cap=cap,
    )
