"""What fit means for a customer: how much onboarding, whether to expand, how likely fit makes a loss."""

from __future__ import annotations

from typing import NamedTuple

from icp_sync.domain.profile import Target

ONBOARDING = ("full", "standard", "light")
EXPANSION = ("likely", "unlikely")
CHURN_RISK = ("low", "medium", "high")


class Success(NamedTuple):
    """Each "" where nothing is said."""

    onboarding: str = ""
    expansion: str = ""
    churn_risk: str = ""


NOTHING_SAID = Success()

_BY_TIER = {
    "A": Success("full", "likely", "low"),
    "B": Success("full", "likely", "low"),
    "C": Success("standard", "unlikely", "medium"),
    "D": Success("light", "unlikely", "high"),
    "Not ICP": Success("light", "unlikely", "high"),
    "Needs data": Success("standard"),
}


def success_of(tier: str, target: Target | None) -> Success:
    """The route's own words where it has any, else by fit alone: who fits well stays and grows."""
    usual = _BY_TIER.get(tier, NOTHING_SAID)
    if target is None:
        return usual
    return Success(
        target.onboarding or usual.onboarding,
        target.expansion or usual.expansion,
        target.churn_risk or usual.churn_risk,
    )
