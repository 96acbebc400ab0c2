"""Accounts become drafts: what is known, what it means, who should own it, and what would change.

Pure but for its types; the same function drafts before and after enrichment, in a dry run and for real.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from icp_sync.domain.account import Account, Memory, Previous, Remembered, Roster
from icp_sync.domain.compile import Compiled
from icp_sync.domain.differences import Differences, desired, difference, vacant_from
from icp_sync.domain.evaluation import ENGINE, Evaluation, carried, evaluate
from icp_sync.domain.facts import CATALOGUE, FactType, Known, merge
from icp_sync.domain.recovery import recovered
from icp_sync.domain.routing import Candidate, Decision, decide
from icp_sync.domain.seal import SealKey, read_seal
from icp_sync.domain.standing import Mode
from icp_sync.domain.why import evidence_of, why_changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a connection decides by: its active profiles, its mode, its seal key and its kinds of facts."""

    compiled: tuple[Compiled, ...]
    version: int
    key: SealKey
    mode: Mode
    types: Mapping[str, FactType] = field(default_factory=lambda: CATALOGUE)

    def may_assign(self, account: Account) -> bool:
        return self.mode.allows(Mode.ROUTE) and bool({"owner", "routed_owner"} & account.live.keys())


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One account as it would be settled. `unchanged`: nothing it depends on moved since the last time."""

    account: Account
    remembered: Remembered
    known: Known
    fingerprint: str
    evaluation: Evaluation
    decision: Decision
    carried: Previous
    differences: Differences
    evidence: Mapping[str, object]
    vacant_from: float | None = None
    unchanged: bool = False


def draft(accounts: Sequence[Account], policy: Policy, memory: Memory, now: float) -> list[Draft]:
    """Draft a page in id order; owners assigned earlier on the page count as load for the later ones."""
    loads = dict(memory.roster.loads)
    drafts = []
    for account in accounts:
        drafted = _draft_one(account, policy, memory.of(account.id), memory.roster, loads, now)
        if drafted.decision.owner and not account.owner:
            loads[drafted.decision.owner] = loads.get(drafted.decision.owner, 0) + 1
        drafts.append(drafted)
    return drafts


def _draft_one(
    account: Account,
    policy: Policy,
    remembered: Remembered,
    roster: Roster,
    loads: Mapping[str, int],
    now: float,
) -> Draft:
    known = merge((*account.signals, *remembered.signals), account.unread, policy.types)
    seal = read_seal(account.live.get("seal", ""), policy.key)
    previous = recovered(account, remembered, seal, policy.key, policy.version)
    evaluation = evaluate(policy.compiled, known.facts, previous, now, version=policy.version)
    free_from = vacant_from(account, remembered, now, seal=seal)
    decision = decide(
        account.id,
        evaluation,
        known.facts,
        live_owner=account.owner,
        vacant_from=free_from,
        owners=roster.owners,
        loads=loads,
        now=now,
    )
    decision = _stay_with(decision, account, previous)
    why = why_changed(previous, remembered.evidence, evaluation, known, policy.compiled, now)
    next_previous = _routed(carried(evaluation, previous, now, why=why), decision, account, policy, now)
    wanted = desired(account, evaluation, decision, next_previous, known.facts)
    differences = difference(account, wanted, remembered, policy.key, mode=policy.mode, reason=why)
    evidence = evidence_of(evaluation, known)
    after = {**account.live, **{c.field: c.desired for c in differences.changes}}
    mark = fingerprint(evidence, after, policy, roster)
    return Draft(
        account=account,
        remembered=remembered,
        known=known,
        fingerprint=mark,
        evaluation=evaluation,
        decision=decision,
        carried=next_previous,
        differences=differences,
        evidence=evidence,
        vacant_from=free_from,
        unchanged=mark == remembered.fingerprint and next_previous == remembered.previous,
    )


def _stay_with(decision: Decision, account: Account, previous: Previous | None) -> Decision:
    """Where the CRM's owner is not ours to write, an account keeps the person we once suggested."""
    suggested = previous.routed_owner if previous else ""
    if not decision.owner or not suggested or "owner" in account.live:
        return decision
    still = [c for c in decision.considered if c.email == suggested]
    if not still:
        return decision
    return replace(
        decision,
        owner=suggested,
        considered=(Candidate(email=suggested, weight=still[0].weight, load=still[0].load),),
        note="suggested before",
    )


def _routed(
    carried_on: Previous, decision: Decision, account: Account, policy: Policy, now: float
) -> Previous:
    """Remember who was routed and when, but only where that is written."""
    if not decision.owner or (decision.owner == carried_on.routed_owner and not _lost_owner(account)):
        return carried_on
    if not policy.may_assign(account):
        return carried_on
    return replace(carried_on, routed_owner=decision.owner, routed_at=now)


def _lost_owner(account: Account) -> bool:
    return "owner" in account.live and not account.owner


def fingerprint(
    evidence: Mapping[str, object], live: Mapping[str, str], policy: Policy, roster: Roster
) -> str:
    """A digest of everything a standing depends on but time; equal means nothing to do."""
    inputs = [ENGINE, policy.version, policy.mode.value, roster.version, evidence.get("facts"), live]
    return blake2b(json.dumps(inputs, sort_keys=True).encode(), digest_size=12).hexdigest()
