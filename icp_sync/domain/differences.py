"""What should change on one account: desired standing, whose live values are whose, and the difference.

A live value is ours only by evidence: it equals a value the journal confirmed as ours, an intent not yet
resolved by a later read, or the seal's digest. Everything else belongs to people and is left alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from icp_sync.domain.account import Account, Confirmed, Origin, Previous, Remembered
from icp_sync.domain.evaluation import Evaluation
from icp_sync.domain.facts import Facts
from icp_sync.domain.plan import Change
from icp_sync.domain.profile import DAY
from icp_sync.domain.routing import Decision
from icp_sync.domain.seal import THEIRS, Seal, SealKey, read_seal
from icp_sync.domain.standing import FIELDS, Mode, Standing, instant_text, number_text
from icp_sync.domain.words import missing_text, reasons

NO_SEAL = Seal()

OWNER_CLEARED_AFTER = 30 * DAY
"""How long an owner cleared by somebody stays cleared before the account is a vacancy again."""

_NATIVE_TIER = {"A": "tier_1", "B": "tier_2", "C": "tier_3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """One account's changes. `theirs`: every value people hold, also where it is what we would write.

    `held`: why nothing may be written on this account at all, "" if it may.

    waiting: changes the connection's mode does not allow yet.
    left_alone: field → (live, desired) where people hold another value than ours.
    ours: live values that are ours by evidence, for the seal and the journal.
    owner_cleared: the owner is blank because somebody cleared it, and we knew one before.
    """

    changes: tuple[Change, ...] = ()
    waiting: tuple[Change, ...] = ()
    left_alone: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    theirs: Mapping[str, str] = field(default_factory=dict)
    ours: Mapping[str, str] = field(default_factory=dict)
    held: str = ""
    foreign: bool = False

    @property
    def material(self) -> bool:
        """Whether any change is worth a write by itself."""
        return any(not cosmetic(c) for c in self.changes)


def desired(
    account: Account, evaluation: Evaluation, decision: Decision, carried: Previous, facts: Facts
) -> dict[str, str]:
    """Our fields as they should be, canonical, for the fields this connection carries.

    Outside the profile's scope every field is blank, once. The owner keeps its live value unless the
    decision names somebody.
    """
    if not evaluation.in_scope:
        blank = {name: "" for name in account.live if name != "owner"}
        return {**blank, "owner": account.live["owner"]} if "owner" in account.live else blank
    shown = evaluation.shown
    fits = len(evaluation.tier) == 1
    values = {
        "tier": evaluation.tier,
        "model_tier": evaluation.tier,
        "previous_tier": carried.previous_tier,
        "tier_changed_at": _second(carried.tier_changed_at),
        "fit_score": str(evaluation.score),
        "fit_low": str(evaluation.low),
        "fit_high": str(evaluation.high),
        "certainty": evaluation.certainty,
        "priority": evaluation.priority,
        "timing_grade": str(evaluation.timing.grade),
        "timing": number_text(evaluation.timing.number),
        "flags": ";".join(sorted(f.name for f in shown.flags_true)),
        "reasons": reasons(evaluation, facts, why=carried.why),
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
    return {name: value for name, value in values.items() if name in account.live}


def _second(seconds: float | None) -> str:
    """An instant to the second, never a later one: not every CRM keeps milliseconds, nobody reads them."""
    return instant_text(None if seconds is None else math.floor(seconds))


def vacant_from(
    account: Account, remembered: Remembered, now: float, *, seal: Seal = NO_SEAL
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


def difference(
    account: Account,
    wanted: Standing,
    remembered: Remembered,
    key: SealKey,
    *,
    mode: Mode = Mode.ROUTE,
    reason: str = "",
) -> Differences:
    """Compare live with desired under the rules of ownership. Canonical values on both sides."""
    seal = read_seal(account.live.get("seal", ""), key)
    if seal.problem:
        return Differences(held=seal.problem, foreign=seal.foreign)
    changes: list[Change] = []
    waiting: list[Change] = []
    left_alone: dict[str, tuple[str, str]] = {}
    theirs: dict[str, str] = {}
    ours: dict[str, str] = {}
    for name, live in account.live.items():
        if name == "seal":
            continue
        want = wanted.get(name, live)
        mine = (name == "owner" and not live) or is_ours(account.id, name, live, remembered, seal, key)
        mine = mine or (name == "owner" and _as_routed(account, remembered, seal, key))
        if mine and (live or (name != "owner" and name in remembered.confirmed)):
            ours[name] = live
        if name == "owner" and not live and not want and _owner_cleared(remembered, seal):
            left_alone[name] = ("", _last_owner(remembered))
            theirs[name] = ""
            continue
        if not mine:
            theirs[name] = live
        if want == live:
            continue
        if not mine:
            left_alone[name] = (live, want)
            continue
        change = Change(account_id=account.id, field=name, live=live, desired=want, reason=reason)
        (changes if mode.allows(FIELDS[name].needs) else waiting).append(change)
    return Differences(
        changes=_sealed(account, changes, ours, theirs, seal, key),
        waiting=tuple(waiting),
        left_alone=left_alone,
        theirs=theirs,
        ours=ours,
    )


def _as_routed(account: Account, remembered: Remembered, seal: Seal, key: SealKey) -> bool:
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


def _owner_cleared(remembered: Remembered, seal: Seal) -> bool:
    """Whether a blank owner was somebody's doing: one was there before, or known to be cleared."""
    last = remembered.confirmed.get("owner")
    if last is None:  # the journal knows better than the seal, where it knows the account
        return remembered.previous is None and "owner" in seal.marks
    return bool(last.value) or last.origin is Origin.HUMAN


def _last_owner(remembered: Remembered) -> str:
    last = remembered.confirmed.get("owner")
    if last is not None and last.value:
        return last.value
    return remembered.previous.routed_owner if remembered.previous else ""


def is_ours(account_id: str, name: str, live: str, remembered: Remembered, seal: Seal, key: SealKey) -> bool:
    """Whether a live value is ours by evidence.

    Blank is ours only if our last confirmed value was blank or nothing was ever confirmed. What a person
    was seen to hold stays theirs while they hold it, whatever we once wrote or meant to write.
    """
    last = remembered.confirmed.get(name)
    if last is not None and last.origin is Origin.HUMAN and last.value == live:
        return False
    if last is not None and last.origin is Origin.OURS and last.value == live:
        return True
    if live in remembered.intents.get(name, ()):
        return True
    if not live:
        return last is None and name not in seal.marks
    return seal.proves(key, account_id, name, live)


def _sealed(
    account: Account,
    changes: list[Change],
    ours: Mapping[str, str],
    theirs: Mapping[str, str],
    seal: Seal,
    key: SealKey,
) -> tuple[Change, ...]:
    """The changes plus the seal over what will be ours once they are written.

    What people hold is marked as theirs, and fields this connection does not read keep their marks. An owner
    is sealed once a read has seen it: it may be refused though all the rest lands.
    """
    unsealed = "owner" in ours and "owner" not in seal.marks
    if "seal" not in account.live or not (changes or (seal.marks and unsealed)):
        return tuple(changes)
    given = {change.field for change in changes} & {"owner"}
    kept = {name: value for name, value in ours.items() if name not in given}
    after = {**kept, **{c.field: c.desired for c in changes if c.field not in given}}
    unread = {name: mark for name, mark in seal.marks.items() if name not in account.live}
    text = key.seal(account.id, after, marks={**unread, **dict.fromkeys(theirs, THEIRS)})
    live = account.live["seal"]
    if text == live:
        return tuple(changes)
    return (*changes, Change(account_id=account.id, field="seal", live=live, desired=text, reason="seal"))


def cosmetic(change: Change) -> bool:
    """Whether a change rides with others but never causes a write by itself."""
    known = FIELDS[change.field]
    if known.cosmetic:
        return True
    if not known.slack or not change.live or not change.desired:
        return False
    try:
        return abs(float(change.live) - float(change.desired)) <= known.slack
    except ValueError:
        return False


def learned(
    account: Account, differences: Differences, remembered: Remembered, now: float
) -> dict[str, Confirmed]:
    """What this read confirms: our values that a later read saw, and the values people hold.

    Only news: a value already confirmed with the same origin is left out.
    """
    if differences.held:
        return {}
    news = {
        name: Confirmed(value=value, origin=Origin.OURS, at=now) for name, value in differences.ours.items()
    }
    news |= {
        name: Confirmed(value=live, origin=Origin.HUMAN, at=now)
        for name, live in differences.theirs.items()
        if live or name in differences.left_alone
    }
    if account.owner and "owner" in account.live and "owner" not in news:
        news["owner"] = Confirmed(value=account.owner, origin=Origin.HUMAN, at=now)

    def is_news(name: str, fresh: Confirmed) -> bool:
        last = remembered.confirmed.get(name)
        return last is None or (last.value, last.origin) != (fresh.value, fresh.origin)

    return {name: fresh for name, fresh in news.items() if is_news(name, fresh)}
