"""One page of an undo: read the accounts as they are, decide, claim, write, remember.

The claim is one transaction before anything is sent. It holds whose the restored values are and what is
withdrawn, so that after a crash at any point nobody takes them for something else or writes it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from icp_sync.domain.account import Confirmed, Memory, Origin
from icp_sync.domain.plan import Change, Outcome, Result, Write, awaited
from icp_sync.domain.restoring import Restoring, Then, less, restoring, withdrawal
from icp_sync.domain.standing import Standing
from icp_sync.journal import Journal, Lease, RunRecord
from icp_sync.journal.records import Amended
from icp_sync.journal.undoing import TakenBack
from icp_sync.observe import fault_point
from icp_sync.ports import Page, Stream
from icp_sync.sync.cycle import Parts
from icp_sync.sync.draft import Draft, Policy, draft, inputs_mark
from icp_sync.sync.edits import with_edits
from icp_sync.sync.recalling import as_of_now
from icp_sync.sync.remember import said
from icp_sync.sync.undoable import Wanted
from icp_sync.sync.undone import Undone

before_write = fault_point("undo.write.before", "what was withdrawn: it is claimed, and still stands")
after_write = fault_point("undo.write.after", "restored values of which only the claim knows")

TRIES = 3
"""Times an account is tried that another worker settles at the same moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One undo at work. lease: None in a dry run. lifts: it takes back an undo, so nothing is withdrawn.

    owners: emails of those an account can be given to.
    """

    target: RunRecord
    wanted: Wanted
    parts: Parts
    policy: Policy
    owners: frozenset[str]
    report: Undone
    lifts: bool
    lease: Lease | None = None

    @property
    def journal(self) -> Journal:
        return self.parts.journal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """What goes back on one account, and from when it was claimed."""

    draft: Draft
    then: Mapping[str, Then]
    plan: Restoring
    taken: TakenBack


def undo_page(session: Session, then: Mapping[str, Mapping[str, Then]]) -> None:
    """Undo one page: account id → field → what the run found and left. Accounts that another worker settles
    meanwhile are read and tried again."""
    left = then
    for _ in range(TRIES):
        if not left:
            return
        left = {account_id: then[account_id] for account_id in _once(session, left)}
    session.report.failed += len(left)
    for account_id in left:
        session.report.problem(account_id, "another worker was settling it each time")


def _once(session: Session, then: Mapping[str, Mapping[str, Then]]) -> list[str]:
    """Restore what can be; returns the accounts another worker was faster with."""
    now = session.parts.clock()
    page = session.parts.crm.fetch(list(then))
    page = replace(page, stream=Stream.DUE)
    page, drafts, memory = _drafted(session, page, now)
    planned = [
        _planned(session, d, _with_restored(then[d.account.id], d, memory), memory, now) for d in drafts
    ]
    session.report.gone(survivor for account_id, survivor in page.gone.items() if account_id in then)
    lost: Mapping[str, str] = {}
    if session.lease is not None:
        claims = [p.taken for p in planned if p.plan.changes]
        lost = session.journal.take_back(
            claims,
            run=session.report.undo,
            lease=session.lease,
            now=now,
            sent_at=session.parts.crm.now(),
        )
    kept = [p for p in planned if p.draft.account.id not in lost]
    for p in kept:
        session.report.saw(p.draft.account, p.then, p.plan)
    claimed = [p for p in kept if p.plan.changes]
    if session.lease is None:
        for p in claimed:
            session.report.went_back(p.draft.account, p.then, p.plan, set(p.plan.fates))
    elif claimed:
        _write(session, session.lease, claimed, now)
    return list(lost)


def _drafted(session: Session, page: Page, now: float) -> tuple[Page, list[Draft], Memory]:
    """The accounts of the page as the daemon would evaluate them now: what it would write is withdrawn.

    With the edits that a write of ours went over unseen: they belong back more than what we found then.
    """
    parts, policy = session.parts, session.policy
    page, memory = as_of_now(page, policy, parts.enrichers, session.journal, parts.crm, now)
    drafts = draft(page.accounts, policy, memory, now)
    looked_up = with_edits(drafts, memory, policy, parts.crm, now)
    if looked_up is memory:
        return page, drafts, memory
    return page, draft(page.accounts, policy, looked_up, now), looked_up


def _with_restored(then: Mapping[str, Then], d: Draft, memory: Memory) -> dict[str, Then]:
    """What goes back, with what somebody had typed just before our write in place of what we had read."""
    typed = memory.restore.get(d.account.id, {})
    return {
        name: Then(before=typed[name].value, after=one.after, origin=Origin.HUMAN.value)
        if name in typed
        else one
        for name, one in then.items()
    }


def _planned(session: Session, d: Draft, then: Mapping[str, Then], memory: Memory, now: float) -> _Planned:
    remembered, then = d.remembered, _with_restored(then, d, memory)
    plan = restoring(
        d.account,
        then,
        remembered,
        session.policy.key,
        owners=session.owners,
        now=now,
        reason=f"undo of {session.target.id}",
    )
    typed = memory.restore.get(d.account.id, {})
    confirmed = {n: _dated(held, typed.get(n)) for n, held in plan.confirmed.items()}
    # Also what people hold by now: when they let go of it, what the run had written shall not come back.
    of_the_run = {name: d.account.live[name] for name in then if name in d.account.live and name != "seal"}
    withdrawn = withdrawal(
        {**of_the_run, **plan.values},
        _wanted(d),
        remembered.withdrawn,
        mark=inputs_mark(d.evidence, d.account.live, session.policy),
        run=session.report.undo,
        lifts=session.lifts,
    )
    taken = TakenBack(
        account_id=d.account.id,
        version=remembered.version,
        changes=plan.changes,
        confirmed=confirmed,
        withdrawn=withdrawn,
    )
    return _Planned(draft=d, then=then, plan=plan, taken=taken)


def _dated(held: Confirmed, typed: Confirmed | None) -> Confirmed:
    """With when and by whom it was typed, where the CRM's history told."""
    return typed if typed is not None and typed.value == held.value else held


def _wanted(d: Draft) -> Standing:
    """Our fields as the evaluation would have them, whatever stands in the way."""
    found = dict(d.account.live)
    found |= {name: ours for name, (_, ours) in d.differences.left_alone.items()}
    found |= {name: ours for name, (_, ours) in d.differences.withdrawn.items()}
    return found | {c.field: c.desired for c in (*d.differences.waiting, *d.differences.changes)}


def _write(session: Session, lease: Lease, claimed: Sequence[_Planned], claimed_at: float) -> None:
    """Send what was claimed, and remember what became of it."""
    crm, journal, run = session.parts.crm, session.journal, session.report.undo
    sent_at = round(crm.now() * 1000)
    before_write()
    outcomes = {o.account_id: o for o in crm.write([Write.of(p.plan.changes) for p in claimed])}
    after_write()
    fates: dict[str, tuple[Result, tuple[Change, ...]]] = {}
    amended = []
    for p in claimed:
        outcome = outcomes.get(p.draft.account.id) or _silent(p)
        landed = _landed(p, outcome)
        fates[p.draft.account.id] = (outcome.result, landed or p.plan.changes)
        amended.append(_amended(p, outcome, landed, sent_at))
        _count(session, p, outcome, landed)
    journal.came_to(fates, run=run, claimed_at=claimed_at)
    now = session.parts.clock()
    journal.amend(amended, position=None, stream="", lease=lease, run=run, now=now)


def _silent(p: _Planned) -> Outcome:
    return Outcome(
        account_id=p.draft.account.id, result=Result.UNCERTAIN, message="the CRM said nothing of it"
    )


def _landed(p: _Planned, outcome: Outcome) -> tuple[Change, ...]:
    if outcome.result is not Result.WRITTEN:
        return ()
    return tuple(c for c in p.plan.changes if c.field not in outcome.refused)


def _amended(p: _Planned, outcome: Outcome, landed: tuple[Change, ...], sent_at: int) -> Amended:
    """What the journal shall remember: of what did not land, that nothing of it is withdrawn."""
    maybe = landed if outcome.result is not Result.UNCERTAIN else p.plan.changes
    missed = {c.field for c in p.plan.changes} - {c.field for c in maybe}
    values = {c.field: c.desired for c in landed}
    before = p.draft.remembered
    pairs = awaited(maybe)
    return Amended(
        account_id=p.draft.account.id,
        version=before.version + 1,
        confirmed={n: held for n, held in p.taken.confirmed.items() if n in values},
        replaced={c.field: c.live for c in landed if c.live != c.desired},
        owner=values.get("owner"),
        stamp=sent_at if landed else 0,
        unechoed={**before.unechoed, **pairs},
        sent_at=sent_at / 1000 if pairs else before.sent_at,
        withdrawn=less(p.taken.withdrawn, missed, before.withdrawn) if missed else p.taken.withdrawn,
    )


def _count(session: Session, p: _Planned, outcome: Outcome, landed: tuple[Change, ...]) -> None:
    report = session.report
    report.went_back(p.draft.account, p.then, p.plan, {c.field for c in landed})
    if outcome.result is Result.GONE:
        report.gone([""])
    elif outcome.result is Result.REFUSED or outcome.refused.keys() - outcome.deferred:
        report.refused += 1
    elif outcome.result is not Result.WRITTEN or outcome.refused:
        report.failed += 1
    if outcome.result is not Result.WRITTEN or outcome.refused:
        report.problem(p.draft.account.id, said(outcome) or outcome.result.value)
