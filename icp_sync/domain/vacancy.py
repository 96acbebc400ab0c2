"""Whose the owner of an account is, and from when a blank one is ours to fill. Knows no team and no route."""

from __future__ import annotations

from icp_sync.domain.account import Account, Origin, Remembered
from icp_sync.domain.profile import DAY
from icp_sync.domain.seal import UNSEALED, Seal, SealKey

OWNER_CLEARED_AFTER = 30 * DAY
"""How long an owner cleared by somebody stays cleared before the account is a vacancy again."""


def vacant_from(
    account: Account, remembered: Remembered, now: float, *, seal: Seal = UNSEALED
) -> float | None:
    """From when the blank owner field is ours to fill (0 for always), None while somebody owns the account.

    An owner that somebody cleared is missed first (we knew one, or sealed one) and stays away from then on
    for `OWNER_CLEARED_AFTER`, however long ago they had been given.
    """
    if account.owner or account.live.get("owner"):
        return None
    last = remembered.confirmed.get("owner")
    if last is None:
        sealed = remembered.previous is None and "owner" in seal.marks
        return now + OWNER_CLEARED_AFTER if sealed else 0.0
    if last.value:
        return now + OWNER_CLEARED_AFTER
    return 0.0 if last.origin is Origin.OURS else last.at + OWNER_CLEARED_AFTER


def as_routed(account: Account, remembered: Remembered, seal: Seal, key: SealKey) -> bool:
    """Whether the owner is the one our sealed route chose, on an account the journal has lost. (What it knows
    it knows better: a person may have given the account to somebody we could not give it to.)"""
    chosen = account.live.get("routed_owner", "")
    return (
        remembered.previous is None
        and "owner" not in remembered.confirmed
        and "owner" not in seal.marks
        and bool(chosen)
        and chosen == account.live.get("owner")
        and seal.proves(key, account.id, "routed_owner", chosen)
    )


def owner_cleared(remembered: Remembered, seal: Seal) -> bool:
    """Whether a blank owner was somebody's doing: one was there before, or known to be cleared."""
    last = remembered.confirmed.get("owner")
    if last is None:  # the journal knows better than the seal, where it knows the account
        return remembered.previous is None and "owner" in seal.marks
    return bool(last.value) or last.origin is Origin.HUMAN


def last_owner(remembered: Remembered) -> str:
    last = remembered.confirmed.get("owner")
    if last is not None and last.value:
        return last.value
    return remembered.previous.routed_owner if remembered.previous else ""
