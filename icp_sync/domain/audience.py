"""Who belongs into an advertising audience and who must be kept out of one. Pure."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from icp_sync.domain.evaluation import NOT_ICP, Evaluation
from icp_sync.domain.facts import Facts, Members
from icp_sync.domain.profile import Effect

KEPT_OUT = frozenset({"customer", "competitor", "partner"})
"""Populations no campaign for new customers is meant for."""


class Audience(StrEnum):
    INCLUDE = "include"
    SUPPRESS = "suppress"


def audience_of(evaluation: Evaluation, facts: Facts, tiers: Collection[str]) -> Audience | None:
    """The audience of an account, None for neither. tiers: those worth advertising to.

    SUPPRESS: Not ICP, an exclude flag certainly true under any profile, or a customer, competitor or
    partner, whether in scope or not. INCLUDE: in scope, of these tiers, with no flag of any kind.
    """
    population = facts.get("population")
    if isinstance(population, Members) and population.known & KEPT_OUT:
        return Audience.SUPPRESS
    flags = [flag for assessment in evaluation.assessments for flag in assessment.flags_true]
    if any(flag.effect is Effect.EXCLUDE for flag in flags):
        return Audience.SUPPRESS
    if not evaluation.in_scope:
        return None
    if evaluation.tier == NOT_ICP:
        return Audience.SUPPRESS
    if evaluation.tier in tiers and not evaluation.shown.flags_true:
        return Audience.INCLUDE
    return None
