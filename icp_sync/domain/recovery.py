"""What an account says of its own past where the journal cannot: after a crash or a lost journal.

Some of what we write is not a function of the facts alone: since when, from which tier, whom we routed.
After a crash between write and commit, and without the journal, the account itself is the only place that
still holds it. Only values that are ours by evidence are believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from icp_sync.domain.account import Account, Previous, Remembered
from icp_sync.domain.override import Override
from icp_sync.domain.owner_words import chosen_in
from icp_sync.domain.seal import THEIRS, Seal, SealKey
from icp_sync.domain.standing import STATES, instant_of


def recovered(
    account: Account,
    remembered: Remembered,
    seal: Seal,
    key: SealKey,
    version: int,
    override: Override | None = None,
) -> Previous | None:
    """The previous evaluation, completed by what a write of unknown fate turns out to have left behind.

    With a journal, only values count that it had not learned the fate of: those standing as intents, and
    those the seal proves that it knows nothing of. Without, every value the seal proves. `version`: of the
    active profiles, for a journal that is lost. override: the one in force now.
    """
    landed = _landed(account, remembered, seal, key)
    previous = remembered.previous
    if previous:
        previous = as_given(previous, account, remembered)
    if not landed:
        return previous
    tier, model = _tiers(landed, seal, override)
    ours = model or ("" if override else tier)
    if previous is None:
        if tier not in STATES:
            return None
        previous = Previous(
            tier=tier,
            raw_tier=ours if ours in STATES else "",
            profile=landed.get("profile", ""),
            profile_version=version,
            score=_score(landed.get("fit_score", "")),
            model_tier=model if override and tier == override.tier else "",
        )
    else:
        if ours in STATES and ours != (previous.model_tier or previous.tier):
            previous = replace(previous, raw_tier=ours, pending_tier="", pending_since=None)
        if tier in STATES and tier != previous.tier:
            previous = replace(previous, tier=tier)
        if override and tier == override.tier and model:
            previous = replace(previous, model_tier=model)
    routed = landed.get("routed_owner", previous.routed_owner)
    why = previous.routed_why if routed == previous.routed_owner else ""
    return replace(
        previous,
        previous_tier=landed.get("previous_tier", previous.previous_tier),
        tier_changed_at=_instant(landed, "tier_changed_at", previous.tier_changed_at),
        routed_owner=routed,
        routed_why=why or chosen_in(landed.get("reasons", "")),
        routed_at=_instant(landed, "routed_at", previous.routed_at),
    )


def as_given(previous: Previous, account: Account, remembered: Remembered) -> Previous:
    """The same with the owner as routed whom we were about to give: owners travel alone, so one may have
    landed where nothing else did."""
    if not account.owner or account.owner not in remembered.intents.get("owner", ()):
        return previous
    return replace(previous, routed_owner=account.owner, routed_at=account.stamp / 1000, routed_why="")


def _tiers(landed: Mapping[str, str], seal: Seal, override: Override | None) -> tuple[str, str]:
    """The effective tier as we last left it, and our own. A tier that somebody typed was the effective one if
    our last seal knew of it."""
    model = landed.get("model_tier", "")
    if tier := landed.get("tier", ""):
        return tier, model
    known = override is not None and override.direct and seal.marks.get("tier") == THEIRS
    return (override.tier if override and known else model), model


_TELLING = (
    "tier",
    "model_tier",
    "previous_tier",
    "tier_changed_at",
    "profile",
    "fit_score",
    "routed_owner",
    "routed_at",
    "reasons",
)


def _landed(account: Account, remembered: Remembered, seal: Seal, key: SealKey) -> Mapping[str, str]:
    """Our values on the account of which the journal does not know that they are there."""
    live, intents = account.live, remembered.intents
    told = remembered.confirmed if remembered.previous is not None else {}
    found = {}
    for name in _TELLING:
        value = live.get(name)
        if not value:
            continue
        intended = name in intents and value in intents[name]
        last = told.get(name)  # a journal brought back from a backup is behind the account
        if last is not None and last.value == value and not intended:
            continue
        # Intents inherited by a merge are evidence of whose value it is, not of this account's past.
        if seal.proves(key, account.id, name, value) or (intended and not seal.marks):
            found[name] = value
    return found


def _instant(landed: Mapping[str, str], name: str, otherwise: float | None) -> float | None:
    found = instant_of(landed.get(name, ""))
    return otherwise if found is None else found


def _score(text: str) -> int:
    return int(text) if text.isdecimal() else 0
