"""Apply a plan: write exactly what it says, page by page, where nothing moved since it was made.

Nothing is evaluated and nothing is bought. Each page is read as it is now, compared field by field, claimed
in the journal, written, and remembered together with how far the plan is; cut short anywhere, the same plan
goes on there. A plan applied is a run with a history, so it can be undone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from icp_sync.domain.plan import Result
from icp_sync.domain.standing import FIELDS
from icp_sync.errors import UnavailableError, UnsafePlanError
from icp_sync.journal import Journal, Lease
from icp_sync.ports import Position
from icp_sync.quota import Priority, working_for
from icp_sync.sync.cycle import Parts, Scope
from icp_sync.sync.draft import Policy
from icp_sync.sync.exactly import SEAL
from icp_sync.sync.keeping import kept
from icp_sync.sync.plan_file.applied import Applied
from icp_sync.sync.plan_file.binding import refuse_misfit, refuse_unapproved
from icp_sync.sync.plan_file.deciding import decided
from icp_sync.sync.plan_file.document import PlanFile, Row
from icp_sync.sync.plan_file.making import Guarded
from icp_sync.sync.plan_file.writing import amended, claimed, found_again
from icp_sync.sync.report import Report
from icp_sync.sync.settle import after_write, before_write

STREAM = "apply"
"""Under this name the journal keeps how far a plan was applied, and the lease of whoever does."""
APPLIED = "applied"
"""Under this name the audit keeps what became of it."""
RUN = "apply run"
"""Under this name the journal keeps which run applies a plan."""
AT_ONCE = 1_000
"""Accounts of one page."""
COUNTED = ("written", "partly", "fields", "moved", "other", "gone", "refused")
"""What of a plan applied goes into the audit."""
WHOLE = Scope()
TRIES = 3
"""Times an account is tried that another worker settles at the same moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    """One plan at work. resumed: an earlier attempt was cut short, maybe between its write and its record."""

    plan: PlanFile
    parts: Parts
    policy: Policy
    lease: Lease
    report: Applied
    resumed: bool

    @property
    def journal(self) -> Journal:
        return self.parts.journal


@working_for(Priority.SWEEP)  # somebody waits for it, but it may be large: the minute's changes go first
def apply(
    plan: PlanFile, parts: Parts, scope: Scope = WHOLE, *, by: str, note: str = "", force: bool = False
) -> Applied:
    """Write a plan; see the module. `scope.going` false ends it after a page, to be gone on with.

    by: who asked, for the audit. Raises ConfigError for a plan that does not fit here, UnsafePlanError for
    one that was not approved, or is beyond the guard's limits unless `force`, and what the CRM raises.
    """
    refuse_misfit(plan, parts)
    refuse_unapproved(plan, parts)
    journal = parts.journal
    if before := applied_as(plan, journal):
        report = Applied(run=before, plan=plan.digest, again=True, done=True, skipped=plan.accounts)
        _close(report, journal, by, parts.clock())
        return report
    policy = parts.policy()
    if not force:
        _refuse_unsafe(plan, parts, policy)
    lease = journal.lease(STREAM, holder=parts.holder, now=parts.clock(), ttl=parts.lease)
    if lease is None:
        raise UnavailableError("another plan is being applied", next_step="icp-sync status")
    try:
        with kept(lease, journal, parts.clock, parts.lease):
            journal.set_owners(parts.crm.owners(), now=parts.clock())
            session = _begin(plan, parts, policy, lease, {"by": by, "note": note, "force": force})
            _through(session, scope, by)
    finally:
        journal.release_lease(lease)
    return session.report


def applied_as(plan: PlanFile, journal: Journal) -> str:
    """The run that has written the whole plan, "" where none has."""
    finished = journal.position(STREAM, plan.digest).finished
    return journal.position(RUN, plan.digest).last_id if finished else ""


def _refuse_unsafe(plan: PlanFile, parts: Parts, policy: Policy) -> None:
    population = parts.journal.population()
    moved = parts.journal.guarded([], [], population=population, now=parts.clock()).moved
    beyond = Guarded.from_json(plan.summary.get("guard")).beyond(policy.limits, population, moved)
    if beyond:
        raise UnsafePlanError(
            f"{plan.path} goes beyond the guard's limits, so nothing was written: {'; '.join(beyond)}",
            next_step=f"look at it once more, then: icp-sync apply {plan.path} --force",
        )


def _begin(
    plan: PlanFile, parts: Parts, policy: Policy, lease: Lease, detail: Mapping[str, object]
) -> _Session:
    """The plan's run: a new one, or that of an attempt that did not reach its end."""
    journal, now = parts.journal, parts.clock()
    run = journal.position(RUN, plan.digest).last_id
    resumed = bool(run) and journal.run(run) is not None
    if not resumed:
        run = journal.start_run(STREAM, now=now, detail={"apply": True, "plan": plan.digest, **detail})
        journal.amend(
            [],
            position=Position(last_id=run),
            stream=RUN,
            partition=plan.digest,
            lease=lease,
            run=run,
            now=now,
        )
    who = str(detail["by"])
    said = {name: value for name, value in detail.items() if name != "by"}
    journal.audit(STREAM, who=who, now=now, plan=plan.digest, run=run, accounts=plan.accounts, **said)
    report = Applied(run=run, plan=plan.digest)
    return _Session(plan=plan, parts=parts, policy=policy, lease=lease, report=report, resumed=resumed)


def _through(session: _Session, scope: Scope, by: str) -> None:
    """All pages from where an earlier attempt stood, the position after each."""
    journal, report, plan = session.journal, session.report, session.plan
    report.skipped = done = journal.position(STREAM, plan.digest).done_to
    first = session.resumed
    try:
        for rows in _pages(plan, done):
            _page(session, rows, again=first)
            first = False
            done += len(rows)
            _move(session, Position(done_to=done, finished=done == plan.accounts))
            scope.ticked(Report(read=done, written=report.written))
            if not scope.going():
                break
        if not plan.accounts:
            _move(session, Position(finished=True))
        report.done = done == plan.accounts
    finally:
        outcome = "done" if report.done else "failed" if scope.going() else "interrupted"
        now = session.parts.clock()
        _tell(report, journal, by, outcome, now)
        _end(report, journal, outcome, now)


def _tell(report: Applied, journal: Journal, by: str, outcome: str, now: float) -> None:
    """What became of it, for the audit."""
    counts = {name: getattr(report, name) for name in COUNTED}
    journal.audit(APPLIED, who=by, now=now, plan=report.plan, run=report.run, outcome=outcome, **counts)


def _end(report: Applied, journal: Journal, outcome: str, now: float) -> None:
    journal.end_run(report.run, {**report.to_json(), "outcome": outcome, "moves": []}, now=now)


def _close(done: Applied, journal: Journal, by: str, now: float) -> None:
    """End the run of a plan that was written whole by a process that died before it could say so."""
    run = journal.run(done.run)
    if run is None or run.report.get("outcome") == "done" or journal.is_going(run, now=now):
        return
    told = [a.detail for a in journal.audited(since=run.started_at) if a.what == APPLIED]
    report, after = replace(done, again=False, skipped=0), ""
    while changed := journal.changed_in(done.run, after=after, limit=AT_ONCE):
        after = list(changed)[-1]
        landed = [[c for c in several if c.result == Result.WRITTEN.value] for several in changed.values()]
        report.written += sum(map(bool, landed))
        report.fields += sum(c.field != SEAL for several in landed for c in several)
    if not any((said.get("run"), said.get("outcome")) == (done.run, "done") for said in told):
        _tell(report, journal, by, "done", now)
    _end(report, journal, "done", now)


def _move(session: _Session, position: Position) -> None:
    session.journal.amend(
        [],
        position=position,
        stream=STREAM,
        partition=session.plan.digest,
        lease=session.lease,
        run=session.report.run,
        now=session.parts.clock(),
    )


def _pages(plan: PlanFile, skip: int) -> Iterator[list[Row]]:
    rows = plan.rows(skip)
    while page := list(islice(rows, AT_ONCE)):
        yield page


def _page(session: _Session, rows: Sequence[Row], *, again: bool) -> None:
    """One page. Accounts that another worker settles meanwhile are read and tried again.

    again: an earlier attempt may have written some of them without remembering it.
    """
    left = list(rows)
    for _ in range(TRIES):
        lost = _once(session, left, again=again)
        left = [row for row in left if row.id in lost]
        if not left:
            return
    session.report.accounts += len(left)
    session.report.deferred += len(left)
    for row in left:
        session.report.problem(row.id, "another worker was settling it each time")


def _once(session: _Session, rows: Sequence[Row], *, again: bool) -> Mapping[str, str]:
    """Read, decide, claim, write and remember; returns those another worker settled meanwhile, and why."""
    crm, journal, report = session.parts.crm, session.journal, session.report
    by_id = {row.id: row for row in rows}
    # Recalled before it is read: what somebody settles in between has another version, and is not claimed.
    memory = journal.recall(dict.fromkeys(by_id, ""), now=session.parts.clock())
    page = crm.fetch(list(by_id))
    policy, now = session.policy, session.parts.clock()
    found = [decided(by_id[a.id], a, memory.of(a.id), policy, now) for a in page.accounts]
    sent_at = crm.now()
    writes, lost = claimed(
        found, memory, journal, session.lease, run=report.run, now=session.parts.clock(), sent_at=sent_at
    )
    before_write()
    outcomes = {o.account_id: o for o in crm.write(writes)}
    after_write()
    done = []
    for d in found:
        if d.row.id in lost:
            continue
        report.decided(d)
        if outcome := outcomes.get(d.row.id):
            one = amended(d, outcome, sent_at, session.parts.clock(), again=again)
            report.sent(outcome, sum(not FIELDS[c.field].hidden for c in one.changes), partly=bool(d.moved))
            done.append(one)
        elif again and d.already:
            done.append(found_again(d))
    report.lost(row.id for row in rows if row.id not in page.ids)
    journal.amend(
        done,
        position=None,
        stream=STREAM,
        partition=session.plan.digest,
        lease=session.lease,
        run=report.run,
        now=session.parts.clock(),
    )
    return lost
