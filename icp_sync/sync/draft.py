"""Accounts become drafts: what is known, what it means, who should own it, and what would change.

Pure but for its types; the same function drafts before and after enrichment, in a dry run and for real.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from functools import cached_property
from hashlib import blake2b

from icp_sync.domain.account import ALONE, Account, Kin, Memory, Previous, Remembered, Roster, Withdrawn
from icp_sync.domain.assignment import Assignment
from icp_sync.domain.buying import AS_USUAL, Buying
from icp_sync.domain.choosing import Candidate, Team
from icp_sync.domain.compile import Compiled
from icp_sync.domain.desired import as_before, desired, told
from icp_sync.domain.differences import Differences, difference
from icp_sync.domain.evaluation import ENGINE, Evaluation, carried, evaluate, overridden
from icp_sync.domain.facts import CATALOGUE, FactType, Known, merge
from icp_sync.domain.goals import caps_of
from icp_sync.domain.guard import Limits
from icp_sync.domain.kin import Given, kin_facts, with_kin
from icp_sync.domain.outlook import Outlooks
from icp_sync.domain.override import OVERRIDE_FIELDS, override_note, override_of
from icp_sync.domain.owner_words import chosen_because
from icp_sync.domain.ownership import HELD_FOR, Editing
from icp_sync.domain.populations import with_population
from icp_sync.domain.recovery import as_given, recovered
from icp_sync.domain.roster import NO_TABLES, Tables
from icp_sync.domain.routing import Decision, Held, decide
from icp_sync.domain.seal import Seal, SealKey, read_seal
from icp_sync.domain.standing import Mode, Standing, instant_of
from icp_sync.domain.telling import SILENT, Telling
from icp_sync.domain.vacancy import vacant_from
from icp_sync.domain.why import evidence_of, why_changed
from icp_sync.lean_json import sorted_bytes
from icp_sync.sync.given import as_named_now, given_now, id_of

USUAL = Limits()
_ROUTE = Mode.ROUTE
EDITORS: Mapping[str, float] = {"": HELD_FOR}
"""Class of editor → seconds a value it set on a field of ours is held. "" stands for all not named."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What a connection decides by: its active profiles, its mode, its seal key, its kinds of facts, the
    tables its routes name, and the owners who stand for nobody.

    limits: what the guard lets land. editors: class of editor → seconds a value it set is held, 0 for taken
    back at once; a class that is not named counts as "". dead_after: refusals after which an account is given
    up until it changes. buying: whom it asks for which fact, and what it may spend. telling: what reps are
    told. zone: the CRM's, in which a date is a day; ahead: seconds its clock is ahead of ours.
    """

    compiled: tuple[Compiled, ...]
    version: int
    key: SealKey
    mode: Mode
    types: Mapping[str, FactType] = field(default_factory=lambda: CATALOGUE)
    tables: Tables = NO_TABLES
    nobody: frozenset[str] = frozenset()
    limits: Limits = USUAL
    editors: Mapping[str, float] = field(default_factory=lambda: EDITORS)
    dead_after: int = 8
    buying: Buying = AS_USUAL
    telling: Telling = SILENT
    zone: tzinfo = UTC
    ahead: float = 0.0

    @cached_property
    def outlooks(self) -> Outlooks:
        """What accounts may still become under these profiles, and what decides it."""
        return Outlooks(self.compiled, self.types, self.tables)

    @cached_property
    def kin_facts(self) -> frozenset[str]:
        """What the profiles ask about parents and groups."""
        return kin_facts((c.profile for c in self.compiled), self.tables)

    def caps(self, now: float) -> Mapping[str, int]:
        """The most accounts each person may own."""
        return caps_of((c.profile for c in self.compiled), self.tables, now)

    @cached_property
    def keeps(self) -> bool:
        """Whether a route asks who owns the parent or the group."""
        return any(route.target.keep for c in self.compiled for route in c.profile.routes)

    @cached_property
    def asks_touch(self) -> bool:
        """Whether a route says by when accounts are to be touched."""
        return any(route.target.touch_within for c in self.compiled for route in c.profile.routes)

    def may_assign(self, account: Account) -> bool:
        return self.mode.allows(_ROUTE) and ("owner" in account.live or "routed_owner" in account.live)


@dataclass(kw_only=True)  # not frozen: one is made for every account, at a third of the cost
class Draft:
    """One account as it would be settled. `unchanged`: nothing it depends on moved since the last time.

    at, previous: when and after which evaluation it was evaluated. assignment: how it was given to somebody,
    as far as that is watched, after this look at it. chosen_id: the CRM's id of whom a route chose now."""

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
    kin: Kin = ALONE
    withdrawn: Withdrawn | None = None
    at: float = 0.0
    previous: Previous | None = None
    assignment: Assignment | None = None
    chosen_id: str = ""


def draft(accounts: Sequence[Account], policy: Policy, memory: Memory, now: float) -> list[Draft]:
    """Draft a page in id order; what was assigned earlier on the page counts as load for the later ones,
    and as owner of parents and groups."""
    loads = _loads_now(accounts, memory)
    team = Team(owners=memory.roster.owners, loads=loads, tables=policy.tables, caps=policy.caps(now))
    given = Given()
    drafts = []
    for account in accounts:
        kin = memory.kin.get(account.id, ALONE)
        if policy.keeps:
            kin = given.known_to(kin)
        drafted = _draft_one(account, policy, memory, team, kin, now)
        chosen = drafted.decision.owner
        if chosen and chosen != account.owner and policy.may_assign(account):
            loads[chosen] = loads.get(chosen, 0) + 1
            if account.owner:
                loads[account.owner] = loads.get(account.owner, 0) - 1
            given.note(account.id, kin, chosen)
        drafts.append(drafted)
    return drafts


def _loads_now(accounts: Sequence[Account], memory: Memory) -> dict[str, int]:
    """The loads our counters hold, corrected by the owners this page was read with."""
    loads = dict(memory.roster.loads)
    for account in accounts:
        before = memory.of(account.id)
        if account.owner != before.owner and before.evidence.get("in_scope", True):
            for owner, change in ((account.owner, 1), (before.owner, -1)):
                if owner:
                    loads[owner] = loads.get(owner, 0) + change
    return loads


def _draft_one(account: Account, policy: Policy, memory: Memory, team: Team, kin: Kin, now: float) -> Draft:
    remembered = _without_nobody(memory.of(account.id), policy.nobody)
    remembered = as_named_now(remembered, account, team.owners)
    known = known_of(account, remembered, kin, policy)
    seal = read_seal(account.live.get("seal", ""), policy.key)
    editing = Editing(now=now, editors=policy.editors, edits=memory.edits.get(account.id, {}))
    previous, evaluation = _evaluated(account, known, remembered, seal, policy, editing)
    previous = _told_why(previous, remembered, evaluation, known, policy, now)
    free_from = vacant_from(account, remembered, now, seal=seal)
    evidence = evidence_of(evaluation, known)
    withdrawn = _withdrawn(account, remembered, evidence, policy)
    given = given_now(
        account,
        remembered,
        evaluation,
        known,
        withdrawn,
        team.owners,
        policy.zone,
        now,
        ahead=policy.ahead,
        asked=policy.asks_touch,
    )
    decision = decide(
        account.id,
        evaluation,
        known.facts,
        held=Held(
            owner=account.owner,
            vacant_from=free_from,
            routed=previous.routed_owner if previous else "",
            lapsed=given if given and given.lapsed and policy.may_assign(account) else None,
            told=remembered.told,
        ),
        team=team,
        kin=kin,
        now=now,
    )
    decision = _stay_with(decision, account, previous)
    why = why_changed(previous, remembered.evidence, evaluation, known, policy.compiled, now)
    carried_on = carried(evaluation, previous, now, why=why)
    if previous is None:  # the first write of all may have been cut short after its owner
        carried_on = as_given(carried_on, account, remembered)
    if withdrawn and {"owner", "routed_owner"} & withdrawn.fields.keys():
        decision = replace(decision, owner="", breach="", note="an undo took the owner back")
    routing = team if policy.may_assign(account) else None
    next_previous = _routed(carried_on, decision, account, routing, now)
    owners = routing.owners if routing else None
    wanted = desired(account, evaluation, decision, next_previous, known.facts, owners, known.sources)

    def compared(wanted: Standing) -> Differences:
        return difference(
            account,
            wanted,
            remembered,
            policy.key,
            mode=policy.mode,
            reason=why,
            editing=editing,
            withdrawn=withdrawn.fields if withdrawn else {},
            restore=memory.restore.get(account.id, {}),
            seal=seal,
        )

    differences = compared(wanted)
    if decision.owner and ("owner" in differences.left_alone or "owner" in differences.withdrawn):
        was = as_before(next_previous, previous)  # people hold the owner: whom we chose is not given it
        said = told(account.owner, evaluation, decision, was, known.facts, owners, known.sources)
        differences = compared({**wanted, "reasons": said} if "reasons" in wanted else wanted)
    after = account.live
    if differences.changes:
        after = {**after, **{c.field: c.desired for c in differences.changes}}
    mark = fingerprint(evidence["facts"], kin, after, policy, memory.roster)
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
        unchanged=mark == remembered.fingerprint
        and next_previous == remembered.previous
        and given == remembered.assignment,
        kin=kin,
        withdrawn=withdrawn,
        at=now,
        previous=previous,
        assignment=given,
        chosen_id=id_of(decision.owner, team.owners),
    )


def known_of(account: Account, remembered: Remembered, kin: Kin, policy: Policy) -> Known:
    """All that is known of an account: what the CRM says, what was bought, and what stands above it."""
    bought = policy.buying.ranked(remembered.signals)
    own = merge((*account.signals, *bought), account.unread, policy.types, policy.buying.floors)
    return with_kin(with_population(own), kin, policy.kin_facts)


def _evaluated(
    account: Account, known: Known, remembered: Remembered, seal: Seal, policy: Policy, editing: Editing
) -> tuple[Previous | None, Evaluation]:
    """What the last evaluation was, and what this one is, with what people decided."""
    override = override_of(account, remembered, seal, policy.key, editing)
    previous = recovered(account, remembered, seal, policy.key, policy.version, override)
    model = evaluate(policy.compiled, known.facts, previous, editing.now, version=policy.version)
    return previous, overridden(model, override, override_note(account.live, editing.now))


def _withdrawn(
    account: Account, remembered: Remembered, evidence: Mapping[str, object], policy: Policy
) -> Withdrawn | None:
    """What an undo took back and must stay away, None once the inputs are others."""
    taken = remembered.withdrawn
    if taken is None or taken.mark != inputs_mark(evidence, account.live, policy):
        return None
    return taken


def _told_why(
    previous: Previous | None,
    remembered: Remembered,
    evaluation: Evaluation,
    known: Known,
    policy: Policy,
    now: float,
) -> Previous | None:
    """The previous evaluation with why its tier changed, where that landed on the account but its commit was
    lost: the journal still has the facts of before."""
    before = remembered.previous
    if previous is None or before is None:
        return previous
    if before.tier == previous.tier or previous.tier != evaluation.tier:
        return previous
    at = previous.tier_changed_at or now
    why = why_changed(before, remembered.evidence, evaluation, known, policy.compiled, at)
    return replace(previous, why=why)


def _without_nobody(remembered: Remembered, nobody: frozenset[str]) -> Remembered:
    """What is remembered, less an owner who stands for nobody by now: that account was never anybody's."""
    last = remembered.confirmed.get("owner")
    if last is None or last.value not in nobody:
        return remembered
    kept = {name: held for name, held in remembered.confirmed.items() if name != "owner"}
    return replace(remembered, confirmed=kept)


def _stay_with(decision: Decision, account: Account, previous: Previous | None) -> Decision:
    """Where the CRM's owner is not ours to write, an account keeps the person we once suggested."""
    suggested = previous.routed_owner if previous else ""
    if not decision.owner or not suggested or "owner" in account.live or account.owner:
        return decision
    still = [c for c in decision.considered if c.email == suggested and not c.barred]
    if not still:
        return decision
    return replace(
        decision,
        owner=suggested,
        considered=(Candidate(email=suggested, weight=still[0].weight, load=still[0].load),),
        note="suggested before",
    )


def _routed(
    carried_on: Previous, decision: Decision, account: Account, team: Team | None, now: float
) -> Previous:
    """Remember who was routed, when and why, but only where that is written. team: None where it is not."""
    if not decision.owner or (decision.owner == carried_on.routed_owner and not _lost_owner(account)):
        return carried_on
    if team is None:
        return carried_on
    # One who was chosen before and could not be given yet was chosen then: a try is no news.
    chosen = account.live.get("routed_owner") == decision.owner
    since = instant_of(account.live.get("routed_at", "")) if chosen else None
    return replace(
        carried_on,
        routed_owner=decision.owner,
        routed_at=now if since is None else since,
        routed_why=chosen_because(decision, team.owners),
    )


def _lost_owner(account: Account) -> bool:
    return "owner" in account.live and not account.owner


def fingerprint(facts: object, kin: Kin, live: Mapping[str, str], policy: Policy, roster: Roster) -> str:
    """A digest of everything a standing depends on but time; equal means nothing to do. facts: as evidence
    has them."""
    team = [roster.version, policy.tables.digest]
    inputs = [ENGINE, policy.version, policy.mode, team, [facts, kin.problem], live]
    return blake2b(sorted_bytes(inputs), digest_size=12).hexdigest()


def inputs_mark(evidence: Mapping[str, object], live: Mapping[str, str], policy: Policy) -> str:
    """A digest of what a standing is made from: facts, what people override, profiles, engine.

    What an undo took back stays away while this is the same.
    """
    said = {name: live[name] for name in OVERRIDE_FIELDS if live.get(name)}
    inputs = [ENGINE, policy.version, evidence.get("facts"), said]
    # The standard library's very text: journals keep this digest for as long as something stays away.
    return blake2b(json.dumps(inputs, sort_keys=True).encode(), digest_size=12).hexdigest()
