"""Scored rows added up: how many stand in which tier, and which facts would be worth learning.

Pure arithmetic over evaluations; knows no file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from icp_sync.domain import words
from icp_sync.domain.assessment import Assessment
from icp_sync.domain.conditions import facts_of
from icp_sync.domain.evaluation import NEEDS_DATA, Evaluation
from icp_sync.domain.facts import FactValue
from icp_sync.domain.profile import Tiers
from icp_sync.domain.whole_points import rounded

Movers = tuple[tuple[str, float], ...]
"""Facts that could move an account to another tier, with the points in play; inf where it decides."""


@dataclass(slots=True)
class Worth:
    """One fact over all rows: accounts it could still move to another tier, and how.

    decides: accounts where it stands behind a must-have or a flag. points: the sum of the points in play
    on the others.
    """

    accounts: int = 0
    decides: int = 0
    points: float = 0.0

    @property
    def each(self) -> float:
        """Points in play an account, on average."""
        weighed = self.accounts - self.decides
        return self.points / weighed if weighed else 0.0


@dataclass(slots=True)
class Tally:
    """Rows by tier ("" is out of scope), those whose tier is provisional, and what facts are worth."""

    tiers: Counter[str] = field(default_factory=Counter)
    provisional: int = 0
    worth: dict[str, Worth] = field(default_factory=dict)

    def miss(self, facts: Movers, rows: int) -> None:
        """Count provisional rows whose tier these facts could move."""
        self.provisional += rows
        for name, points in facts:
            worth = self.worth.setdefault(name, Worth())
            worth.accounts += rows
            if points == inf:
                worth.decides += rows
            else:
                worth.points += points * rows

    @property
    def rows(self) -> int:
        return self.tiers.total()

    def best(self, most: int = 10) -> list[tuple[str, Worth]]:
        """The facts most worth learning: those that could move most accounts, then by points."""
        ranked = sorted(self.worth.items(), key=lambda item: (-item[1].accounts, -item[1].points, item[0]))
        return ranked[:most]


class Swing(NamedTuple):
    """A missing fact of one account: points in play (inf: it decides), and what it alone may take from
    the shown score, add to it, and make known of the weight (percent).
    """

    fact: str
    points: float
    down: float
    up: float
    known: float


def swings(evaluation: Evaluation, facts: Mapping[str, FactValue]) -> tuple[Swing, ...]:
    """The missing facts of one account that carry points or decide, the most valuable first.

    Where several profiles compete, any of them may come to be shown: then each fact swings all the way.
    """
    several = len(evaluation.assessments) > 1
    return tuple(
        Swing(name, points, 100.0, 100.0, 100.0) if several else _swing(evaluation.shown, name, points)
        for name, points in words.missing_facts(evaluation, facts)
        if points >= 1
    )


def _swing(shown: Assessment, fact: str, points: float) -> Swing:
    down = up = known = 0.0
    for index, criterion in enumerate(shown.profile.criteria):
        low, high = shown.criterion(index)
        if high > low and not criterion.required and fact in facts_of(criterion.when):
            weight = shown.compiled.weights[index] * (high - low)
            down += weight * criterion.unknown
            up += weight * (1 - criterion.unknown)
            known += weight
    return Swing(fact, points, down, up, known)


def movers(found: Sequence[Swing], bands: Tiers, tier: str, score: int, coverage: int) -> Movers:
    """Those of the missing facts of a provisional account that alone could move it out of its tier.

    Alone: everything else stays as it is shown. score, coverage: as shown, whole points and percent.
    """
    return tuple(
        (one.fact, one.points)
        for one in found
        if one.points == inf
        or (
            coverage + one.known >= 100 * bands.min_coverage
            if tier == NEEDS_DATA
            else bands.of(rounded(score - one.down)) != bands.of(rounded(score + one.up))
        )
    )
