"""Undo: what a run wrote goes back to what stood there before, where it is still ours, and stays so.

Page by page in order of account ids. An undo is a run with a history like any other, so it can be undone; cut
short at any point, the same undo goes on where it was, tells of all it did, and is audited once. It asks for
no mode: whoever switched a connection to observe may still take back what it wrote. What happens on a page is
`sync.undo_page`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from icp_sync.errors import UnavailableError
from icp_sync.journal import Asked, Changed, Lease
from icp_sync.ports import Position
from icp_sync.quota import Priority, working_for
from icp_sync.sync.cycle import Parts, Scope
from icp_sync.sync.keeping import kept
from icp_sync.sync.report import Report
from icp_sync.sync.undo_page import Session, undo_page
from icp_sync.sync.undoable import UNDO, Wanted, undoable
from icp_sync.sync.undone import Undone

OF = "undo of"
"""Under this name the journal keeps which run undoes a run."""
AT_ONCE = 1_000
"""Accounts of one page."""
THROUGH, REQUEST, OUTCOME = "through", "request", "outcome"
"""In the report of an undo's own run: the last account it tells of, the request it was for, how it ended."""


def perform(asked: Asked, parts: Parts, scope: Scope) -> Mapping[str, object] | None:
    """An undo that a command handed over; None when it was cut short."""
    wanted = Wanted.from_json(asked.args, by=asked.by)
    last = parts.journal.run(parts.journal.position(OF, wanted.partition).last_id)
    if last is not None and last.report.get(OUTCOME) == "done" and last.report.get(REQUEST) == asked.id:
        own = (THROUGH, REQUEST, OUTCOME)  # its process died before it could say so
        return {name: value for name, value in last.report.items() if name not in own}
    report = undo(wanted, parts, replace(scope, apply=True), request=asked.id)
    return report.to_json() if report.done else None


@working_for(Priority.SWEEP)  # somebody waits for it, but it may be large: the minute's changes go first
def undo(wanted: Wanted, parts: Parts, scope: Scope, *, request: str = "") -> Undone:
    """Undo a run, or with `scope.apply` false say what that would do; see the module.

    request: that of a command which handed it over. `scope.going` false ends it after a page; the same undo
    then goes on from there. Raises ConfigError for a run that cannot be undone, UnavailableError while
    another undo is under way, and what the CRM raises.
    """
    journal = parts.journal
    target = undoable(journal, wanted.run, parts.clock())
    people = parts.crm.owners()
    report = Undone(run=target.id, kind=target.kind, apply=scope.apply, purchases=journal.spent_in(target.id))
    session = Session(
        target=target,
        wanted=wanted,
        parts=parts,
        policy=parts.policy(),
        owners=frozenset(owner.email for owner in people if owner.active),
        report=report,
        lifts=target.kind == UNDO and not target.detail.get("lifts", False),
    )
    if not scope.apply:
        for _ in _through(session, scope, ""):
            pass
        return report
    journal.set_owners(people, now=parts.clock())
    lease = journal.lease(UNDO, holder=parts.holder, now=parts.clock(), ttl=parts.lease)
    if lease is None:
        raise UnavailableError("another undo is under way", next_step="icp-sync status")
    try:
        with kept(lease, journal, parts.clock, parts.lease):
            _apply(replace(session, lease=lease), scope, lease, request)
    finally:
        journal.release_lease(lease)
    return report


def _apply(session: Session, scope: Scope, lease: Lease, request: str) -> None:
    """All pages from where an earlier attempt stood; after each what was done so far, then the position."""
    journal, report, clock = session.journal, session.report, session.parts.clock
    after = _begin(session, lease)
    told = {**report.to_json(), THROUGH: after, REQUEST: request}
    partition = session.wanted.partition
    move = partial(journal.amend, [], stream=UNDO, partition=partition, lease=lease, run=report.undo)
    outcome = "failed"
    try:
        for last in _through(session, scope, after):
            told |= {**report.to_json(), THROUGH: last}
            journal.report_run(report.undo, told)
            move(position=Position(last_id=last), now=clock())
        if report.done:
            move(position=Position(finished=True), now=clock())
            _audit(session)
            told["done"] = True
        outcome = "done" if report.done else "interrupted"
    finally:  # less what it did of a page it did not end: that is told when the page is done
        journal.end_run(report.undo, {**told, OUTCOME: outcome}, now=clock())


def _audit(session: Session) -> None:
    """Who took back what, once it is all done."""
    report, wanted = session.report, session.wanted
    if report.continued and _audited(session):
        return
    session.journal.audit(
        UNDO,
        who=wanted.by,
        now=session.parts.clock(),
        undoes=report.run,
        run=report.undo,
        fields=list(wanted.fields),
        ids=list(wanted.ids),
        note=wanted.note,
        restored=report.restored,
        people=report.people,
        left=report.left,
    )


def _audited(session: Session) -> bool:
    """Whether an earlier attempt came that far."""
    entries = session.journal.audited()
    return any(entry.what == UNDO and entry.detail.get("run") == session.report.undo for entry in entries)


def _begin(session: Session, lease: Lease) -> str:
    """The undo's own run, a new one unless an earlier attempt did not reach its end; and the last account
    that one had done, "" for none."""
    journal, report, wanted, now = session.journal, session.report, session.wanted, session.parts.clock()
    begun = journal.run(journal.position(OF, wanted.partition).last_id)
    if begun is not None and begun.report.get(OUTCOME) != "done":
        report.undo, report.continued = begun.id, True
        report.take_up(begun.report)
        return str(begun.report.get(THROUGH, "")) or journal.position(UNDO, wanted.partition).last_id
    detail = {**wanted.to_json(), "apply": True, "undoes": session.target.id, "lifts": session.lifts}
    report.undo = journal.start_run(UNDO, now=now, detail=detail)
    journal.reset_position(UNDO, wanted.partition)
    own = Position(last_id=report.undo)
    journal.amend(
        [], position=own, stream=OF, partition=wanted.partition, lease=lease, run=report.undo, now=now
    )
    return ""


def _through(session: Session, scope: Scope, after: str) -> Iterator[str]:
    """Undo page by page, yielding the last id of each."""
    report = session.report
    earlier = Report(read=report.accounts, written=report.restored)
    for changed in _pages(session, after):
        held = {account_id: session.wanted.then(rows) for account_id, rows in changed.items()}
        then = {account_id: found for account_id, found in held.items() if found}
        for found in then.values():
            report.wrote(found)
        undo_page(session, then)
        yield list(changed)[-1]
        read, written = report.accounts - earlier.read, report.restored - earlier.written
        scope.ticked(Report(read=read, written=written))
        if not scope.going():
            return
    report.done = True


def _pages(session: Session, after: str) -> Iterator[Mapping[str, Sequence[Changed]]]:
    """What the run sent, some accounts at a time, in the journal's order of ids."""
    journal, run = session.journal, session.target.id
    if ids := session.wanted.ids:
        if after:
            return  # they are one page
        histories = {account_id: journal.history(account_id) for account_id in ids}
        yield {id: [c for c in changes if c.run == run] for id, changes in histories.items()}
        return
    while changed := journal.changed_in(run, after=after, limit=AT_ONCE):
        after = list(changed)[-1]
        yield changed
