"""Our fields as they should be on one account, in canonical form. Compares nothing with what is there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from icp_sync.domain.account import Account, Owner, Previous
from icp_sync.domain.evaluation import Evaluation
from icp_sync.domain.facts import Facts
from icp_sync.domain.owner_words import owner_text
from icp_sync.domain.reasons import Beside, reasons, timing_text
from icp_sync.domain.routing import Decision
from icp_sync.domain.standing import FIELDS, instant_text, number_text
from icp_sync.domain.words import missing_text

_NATIVE_TIER = {"A": "tier_1", "B": "tier_2", "C": "tier_3"}


def desired(
    account: Account,
    evaluation: Evaluation,
    decision: Decision,
    carried: Previous,
    facts: Facts,
    owners: Mapping[str, Owner] | None = None,
    sources: Mapping[str, str] = {},
) -> dict[str, str]:
    """Our fields as they should be, canonical, for the fields this connection carries.

    Outside the profile's scope every field is blank, once. The owner keeps its live value unless the
    decision names somebody. Where somebody typed over the tier, ours is what it would be without that.
    owners: by email, for the reasons to say why this owner; None where owners are not ours to write.
    sources: fact → who says so, for the reasons to name.
    """
    if not evaluation.in_scope:
        blank = {name: "" for name in account.live if name != "owner" and not FIELDS[name].theirs}
        return {**blank, "owner": account.live["owner"]} if "owner" in account.live else blank
    shown = evaluation.shown
    fits = len(evaluation.tier) == 1
    typed = evaluation.override is not None and evaluation.override.direct
    values = {
        "tier": evaluation.model_tier if typed else evaluation.tier,
        "model_tier": evaluation.model_tier,
        "previous_tier": carried.previous_tier,
        "tier_changed_at": _second(carried.tier_changed_at),
        "fit_score": str(evaluation.score),
        "fit_low": str(evaluation.low),
        "fit_high": str(evaluation.high),
        "certainty": evaluation.certainty,
        "priority": evaluation.priority,
        "timing_grade": str(evaluation.timing.grade),
        "timing": number_text(evaluation.timing.number),
        "flags": ";".join(sorted([f.name for f in shown.flags_true])),
        "reasons": told(account.owner, evaluation, decision, carried, facts, owners, sources),
        "missing_facts": missing_text(evaluation, facts),
        "profile": shown.profile.name,
        "coverage": str(evaluation.coverage),
        "lane": decision.lane,
        "onboarding": decision.success.onboarding,
        "expansion": decision.success.expansion,
        "churn_risk": decision.success.churn_risk,
        "routed_owner": carried.routed_owner,
        "routed_at": _second(carried.routed_at),
        "owner": decision.owner or account.live.get("owner", ""),
        "native_tier": _NATIVE_TIER.get(evaluation.tier, ""),
        "target_account": "true" if fits and evaluation.tier == "A" and evaluation.firm else "false",
    }
    live = account.live
    return {name: value for name, value in values.items() if name in live}


def told(
    owner: str,
    evaluation: Evaluation,
    decision: Decision,
    carried: Previous,
    facts: Facts,
    owners: Mapping[str, Owner] | None,
    sources: Mapping[str, str],
) -> str:
    """The reasons as the record has them. owner: who owns the account, as `Account.owner`; the rest as for
    `desired`."""
    beside = Beside(
        why=carried.why,
        success=decision.success,
        owner=owner_text(decision, owner, carried, owners) if owners is not None else "",
        timing=timing_text(evaluation, facts),
        sources=sources,
    )
    return reasons(evaluation, facts, beside)


def as_before(carried: Previous, before: Previous | None) -> Previous:
    """The same with the owner of our choice of before: whoever was chosen since is not given the account."""
    before = before or Previous(tier="")
    return replace(
        carried,
        routed_owner=before.routed_owner,
        routed_at=before.routed_at,
        routed_why=before.routed_why,
    )


@lru_cache(maxsize=1_024)
def _second(seconds: float | None) -> str:
    """An instant to the second, never a later one: not every CRM keeps milliseconds, nobody reads them.

    Accounts that changed in one page have one instant.
    """
    return instant_text(None if seconds is None else math.floor(seconds))
