"""What a set of facts can answer: the share of a profile that sources, fields or columns can feed."""

from __future__ import annotations

from collections.abc import Set

from icp_sync.domain.conditions import Any, Condition, facts_of
from icp_sync.domain.profile import Profile


def own_facts(condition: Condition) -> set[str]:
    """The facts asked about, whoever's: the group's employees are fed by what feeds employees."""
    return {fact.rpartition(".")[2] for fact in facts_of(condition)}


def answerable(condition: Condition, supplied: Set[str]) -> bool:
    """Whether these facts can answer it with yes: one part of `any` will do, everything else needs all."""
    if isinstance(condition, Any):
        return any(answerable(part, supplied) for part in condition.parts)
    return supplied >= own_facts(condition)


def evaluable(profile: Profile, supplied: Set[str]) -> float:
    """Share of the weight (0 to 1) whose criteria these facts can answer."""
    total = sum(criterion.weight for criterion in profile.criteria)
    known = sum(c.weight for c in profile.criteria if answerable(c.when, supplied))
    return known / total if total else 0.0
