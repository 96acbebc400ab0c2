"""How much of a profile some columns can answer, before a single row is read.

Pure; knows facts and questions only.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from icp_sync.domain import supply
from icp_sync.domain.conditions import Condition, facts_of
from icp_sync.domain.profile import Effect, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A question that no column answers, or not wholly. role: "scope", "must-have", "flag", or its points."""

    name: str
    role: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluable:
    """percent: of the weight whose criteria the columns can answer. unanswered: the most decisive first."""

    percent: int
    unanswered: tuple[Unanswered, ...]

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts no column feeds, each once."""
        return tuple(dict.fromkeys(fact for one in self.unanswered for fact in one.facts))


def evaluable(profile: Profile, fed: Collection[str]) -> Evaluable:
    """What of a profile the facts `fed` answer. Timing is left out: a scored file does not say it."""

    def lacks(when: Condition | None) -> tuple[str, ...]:
        return () if when is None else tuple(name for name in facts_of(when) if name not in fed)

    total = sum(c.weight for c in profile.criteria if not c.required) or 1.0
    decisive = [("the scope", "scope", profile.score_scope)]
    decisive += [(c.name, "must-have", c.when) for c in profile.criteria if c.required]
    decisive += [(f.name, "flag", f.when) for f in profile.flags if f.effect is not Effect.MARK]
    weighted = sorted((c for c in profile.criteria if not c.required), key=lambda c: -c.weight)
    decisive += [(c.name, f"{100 * c.weight / total:.0f} points", c.when) for c in weighted]
    unanswered = tuple(
        Unanswered(name=name, role=role, facts=missing)
        for name, role, when in decisive
        if (missing := lacks(when))
    )
    return Evaluable(percent=round(100 * supply.evaluable(profile, frozenset(fed))), unanswered=unanswered)
