"""The tier people put in place of ours, from when, until when, and by whom.

Two ways lead there: the field `tier_override`, which is theirs, and a direct edit of `tier`, which is held
for as long as the policy for its editor says. The field beats the edit. Knows no profiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite

from icp_sync.domain.account import Account, Remembered
from icp_sync.domain.ownership import Claim, Editing, claim_of, is_ours, stands_as_theirs
from icp_sync.domain.seal import Seal, SealKey
from icp_sync.domain.standing import FIELDS, STATES, Standing, instant_of

OVERRIDE_FIELDS = tuple(name for name, known in FIELDS.items() if known.theirs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A tier that people decided. since, until: epoch seconds; until None while it ends only by hand.

    by: class of editor, "" unknown. why: what they gave as the reason. direct: typed over `tier` itself.
    """

    tier: str
    since: float
    until: float | None = None
    by: str = ""
    why: str = ""
    direct: bool = False


def override_of(
    account: Account, remembered: Remembered, seal: Seal, key: SealKey, editing: Editing
) -> Override | None:
    """The override in force on an account, None where our own tier stands."""
    live = account.live
    if tier := field_override(live, editing.now):
        claim = claim_of(account, "tier_override", remembered, editing)
        return Override(
            tier=tier,
            since=claim.since,
            until=instant_of(live.get("tier_override_until", "")),
            by=claim.by,
            why=live.get("tier_override_reason", ""),
        )
    claimed = direct_edit(account, remembered, seal, key, editing)
    if claimed is None or claimed.value not in STATES or not claimed.holds(editing.now):
        return None
    return Override(
        tier=claimed.value,
        since=claimed.since,
        until=claimed.until if isfinite(claimed.until) else None,
        by=claimed.by,
        direct=True,
    )


def direct_edit(
    account: Account, remembered: Remembered, seal: Seal, key: SealKey, editing: Editing
) -> Claim | None:
    """People's claim on the field `tier` itself, None where its value is ours or nobody can tell."""
    live = account.live.get("tier")
    if live is None or seal.problem:
        return None
    ours = is_ours(account.id, "tier", live, remembered, seal, key)
    if ours and not stands_as_theirs("tier", live, editing):
        return None
    return claim_of(account, "tier", remembered, editing)


def field_override(live: Standing, now: float) -> str:
    """The tier that `tier_override` says, "" where it is blank, no tier, over, or its end cannot be read."""
    tier = live.get("tier_override", "")
    return tier if tier in STATES and now < _until(live) else ""


def override_note(live: Standing, now: float) -> str:
    """Why a filled `tier_override` does not count, in a sentence; "" where there is nothing to say."""
    tier, until = live.get("tier_override", ""), live.get("tier_override_until", "")
    if not tier or field_override(live, now):
        return ""
    if tier not in STATES:
        return f"The override '{tier[:40]}' is no tier."
    if instant_of(until) is None:
        return f"The override to {tier} does not count: until '{until[:40]}' is no date."
    return f"The override to {tier} ended on {until[:10]}."


def _until(live: Standing) -> float:
    """When an override by field ends; -inf where the date cannot be read."""
    text = live.get("tier_override_until", "")
    until = instant_of(text) if text else inf
    return -inf if until is None else until


def override_to_json(override: Override) -> dict[str, object]:
    """As evidence keeps it."""
    return {name: getattr(override, name) for name in Override.__slots__}


def override_from_json(stored: object) -> Override | None:
    """The inverse; None for anything else."""
    if not isinstance(stored, Mapping):
        return None
    known = {name: stored[name] for name in Override.__slots__ if name in stored}
    return Override(**known) if {"tier", "since"} <= known.keys() else None
