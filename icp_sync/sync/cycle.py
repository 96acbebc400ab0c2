"""One cycle of one stream: take the lease, read from where the stream stands, settle, count, give back."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from icp_sync.domain.facts import Facts, merge
from icp_sync.errors import IcpSyncError, NoCallsLeftError
from icp_sync.journal import USUALLY, Journal, Keep, Lease
from icp_sync.journal.partitions import Range
from icp_sync.observe import cycles_total, log, stream_lag_seconds, sweep_found_missing_total
from icp_sync.ports import Crm, Enricher, Page, Position, Query, Stream, nothing_seen
from icp_sync.quota import working_for
from icp_sync.sync.assigning import in_zone
from icp_sync.sync.draft import Policy
from icp_sync.sync.following import Following
from icp_sync.sync.guarding import Guard, tell
from icp_sync.sync.keeping import kept
from icp_sync.sync.pacing import USUAL, Pacing
from icp_sync.sync.progress import Progress
from icp_sync.sync.pruning import prune
from icp_sync.sync.report import Report
from icp_sync.sync.rules import RULES, note_rules, rules_of
from icp_sync.sync.settle import Run, settle
from icp_sync.sync.telling.outgoing import Outgoing

LEASE_SECONDS = 60.0
"""Seconds after which another may take over from one that vanished. Who lives renews four times in it."""
DUE_AT_ONCE = 5_000
UNREADABLE_AGAIN = 6 * 3600.0
"""Seconds after which a due account that the CRM would not show is asked for again."""
TIDIED = 10
"""Pages after which what they left in cycles is freed: every statement of the journal is one, and holds the
ids it asked for. Python by itself would look for it after a hundred pages."""
SWEEP_COSMETICS = 500
"""Purely cosmetic updates one sweep may write."""

FOUND_MISSING = "sweep_found_missing"
WATCH = "watch"
"""Under this name the journal keeps since when the window streams cover a connection."""
DRY = "dry run"
ANCHOR_BACK = 3600.0
"""Seconds before a first backfill from which the trailing stream reads: longer than an index lags."""
PURPOSE = "backfill purpose"
"""Under this name the journal keeps what the backfill that is under way was begun for."""
MISSED = "sweep missed"
"""Under this name the journal keeps when a sweep last found what the others had missed, by our clock."""
MISSED_ALERT = "missed changes"
DEPARTED = "departed"
"""Under this name the journal keeps up to when deletions and merges were looked at."""
DEPARTED_BACK = 3_600_000
"""Milliseconds before that from which they are looked at again: a deletion may be committed late."""
SWEPT = "sweep began"
"""Under this name the journal keeps when the sweep under way began, by our clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What works for one connection. `policy` is asked once a cycle, so an activation takes effect.

    outputs: logical field → property. needs_approval: whether a plan is only applied that somebody approved.
    keep: how long history is kept. following: how deals are followed, None where they are not.
    outgoing: by which ways people are told, None where nobody is. lease: seconds a lease is taken for.
    """

    crm: Crm
    enrichers: Sequence[Enricher]
    journal: Journal
    policy: Callable[[], Policy]
    clock: Callable[[], float]
    holder: str
    pacing: Pacing = USUAL
    outputs: Mapping[str, str] = field(default_factory=dict)
    needs_approval: bool = False
    keep: Keep = USUALLY
    following: Following | None = None
    outgoing: Outgoing | None = None
    lease: float = LEASE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a cycle is restricted to. `where` sees an account's merged facts.

    ticked: told after each page how many accounts were read. going: asked after each page; false ends the
    cycle there, with everything so far settled. split: a page as smaller ones. ahead: asked after each of
    them; whether the next may be asked for before its writes are answered. wait: seconds to let pass, or less
    when told to stop. paused: told the seconds that pass between a backfill's waves, before they do, and
    which wave was the last.
    report: what is counted into, a new one when left out. partition: the range of a backfill, "" for all of
    it. begins: told in whose name, and from where, before anything is read.
    """

    apply: bool = True
    limit: int | None = None
    where: Callable[[Facts], bool] | None = None
    restart: bool = False
    ticked: Callable[[Report], None] = lambda _: None
    going: Callable[[], bool] = lambda: True
    split: Callable[[Page], Iterable[Page]] = lambda page: (page,)
    ahead: Callable[[], bool] = lambda: True
    wait: Callable[[float], object] = time.sleep
    paused: Callable[[float, int], object] = lambda _, __: None
    report: Report | None = None
    partition: str = ""
    begins: Callable[[Run, Position], object] = lambda _, __: None


def cycle(stream: Stream, parts: Parts, scope: Scope = Scope()) -> Report | None:
    """Run one cycle; None when another worker holds the stream, or there is no such range to make any more.

    Raises what stops the whole cycle (AuthError, UnavailableError, LostLeaseError, ConfigError); the
    position then stands after the last settled page.
    """
    with working_for(stream.value if scope.apply else DRY):
        return _cycle(stream, parts, scope)


def _cycle(stream: Stream, parts: Parts, scope: Scope) -> Report | None:
    journal = parts.journal
    name = stream.value if scope.apply else DRY
    lease = journal.lease(name, scope.partition, holder=parts.holder, now=parts.clock(), ttl=parts.lease)
    if lease is None:
        log("cycle").info("stream is busy elsewhere", connection=journal.connection, stream=stream.value)
        return None
    outcome = "failed"
    run = ""
    report = scope.report or Report(apply=scope.apply)
    try:
        journal.set_owners(parts.crm.owners(), now=parts.clock())
        policy = in_zone(parts.policy(), parts.crm, parts.clock())
        rules = rules_of(policy.buying, parts.enrichers)
        span = _span(parts, policy, scope, rules)
        if span is None:
            outcome = "done"
            return None
        detail = {"apply": scope.apply, "worker": parts.holder}
        run = journal.start_run(stream.value, now=parts.clock(), detail=detail, partition=span.name)
        whole = scope.where is None and scope.apply
        session = Run(
            id=run,
            lease=lease,
            cosmetics=SWEEP_COSMETICS if stream is Stream.SWEEP else 0,
            moves=whole and stream is not Stream.DUE,
            covered_from=journal.position(WATCH).done_to,
            # What was read towards a limit must be settled, whenever the process ends.
            ahead=lambda: scope.limit is None and scope.ahead(),
        )
        keep = partial(_store, parts, session, RULES)
        if scope.apply and stream is not Stream.BACKFILL:
            note_rules(journal, rules, keep, parts.clock(), ask=True)
        position = span.position if span.name else _start(stream, parts, policy, scope, session, rules)
        query = Query(
            stream=stream,
            position=position,
            ids=journal.due(parts.clock(), DUE_AT_ONCE) if stream is Stream.DUE else (),
            limit=scope.limit,
            seen=journal.seen if stream in (Stream.POLL, Stream.TRAILING) else nothing_seen,
            after=span.after,
            up_to=span.up_to,
        )
        if stream is Stream.BACKFILL and session.moves and not span.name:
            _anchor_windows(parts, session)
        with kept(lease, journal, parts.clock, parts.lease):
            _bury_departed(stream, parts, session, scope)
            scope.begins(session, position)
            reads = not _is_cut(stream, journal, session)
            settle(
                _pages(query, parts, policy, scope, session, report) if reads else (),
                parts.crm,
                parts.enrichers,
                policy,
                journal,
                Guard(journal, policy.limits),
                session,
                report,
                clock=parts.clock,
                apply=scope.apply,
            )
        outcome = "done" if scope.going() else "interrupted"
        if outcome == "done":
            if session.moves and stream is Stream.BACKFILL and journal.position(stream.value).finished:
                note_rules(journal, rules, keep, parts.clock(), ask=False)
            _wake_unmet(stream, parts, session)
            _missed_no_more(stream, parts, session)
            prune(stream, parts, moves=session.moves, going=scope.going)
    except NoCallsLeftError:
        outcome = "waiting"
        raise
    finally:
        cycles_total.labels(journal.connection, stream.value, outcome).inc()
        _finish(stream, parts, lease, run, report, outcome)
    return report


def purpose_of(parts: Parts, policy: Policy, rules: str) -> str:
    """What a backfill begun now is for: of one begun for something else nothing is gone on with."""
    request = parts.journal.backfill_request()
    return f"version {policy.version}, mode {policy.mode.value}, {request}, {rules}"


def _is_cut(stream: Stream, journal: Journal, session: Run) -> bool:
    """Whether all that is left of a whole backfill is in its ranges: then it reads nothing itself."""
    whole = stream is Stream.BACKFILL and session.moves and not session.lease.partition
    return whole and journal.is_cut()


def _span(parts: Parts, policy: Policy, scope: Scope, rules: str) -> Range | None:
    """The range to make, one without bounds for a whole stream; None where it is made, forgotten, or there
    for another purpose than ours. To be asked under its lease: from then on it stays what it is."""
    if not scope.partition:
        return Range(name="")
    journal = parts.journal
    found = {one.name: one for one in journal.ranges(now=parts.clock())}.get(scope.partition)
    if found is None or found.position.finished:
        return None
    return found if journal.position(PURPOSE).last_id == purpose_of(parts, policy, rules) else None


def _start(stream: Stream, parts: Parts, policy: Policy, scope: Scope, session: Run, rules: str) -> Position:
    """Where to begin. A backfill goes on where it was left only if it is still for the same thing, and one
    that leaves no trace (a dry run, a selection) reads everything."""
    journal = parts.journal
    position = journal.position(stream.value)
    if stream is not Stream.BACKFILL:
        return Position() if scope.restart or position.finished else position
    anew = scope.restart or position.finished
    if session.moves:
        purpose = purpose_of(parts, policy, rules)
        anew |= journal.position(PURPOSE).last_id != purpose
        is_cut = journal.is_cut()
        if anew or (position == Position() and not is_cut):
            if is_cut:  # first forgotten, then begun: a crash in between only repeats
                journal.forget_ranges(session.lease)
            _store(parts, session, stream.value, Position())
            _store(parts, session, PURPOSE, Position(last_id=purpose))
    return Position() if anew or not session.moves else position


def _pages(
    query: Query, parts: Parts, policy: Policy, scope: Scope, session: Run, report: Report
) -> Iterator[Page]:
    """The pages of a query: the lease renewed for each, the sweep's findings counted, `where` applied."""
    journal = parts.journal
    if query.stream is Stream.TRAILING and session.moves:
        _note_watch(parts, session)
    unanswered = set(query.ids)
    progress = Progress(journal, session.id, query.stream, parts.clock)
    for page in parts.crm.pages(query):
        journal.renew(session.lease, now=parts.clock(), ttl=parts.lease)
        if query.stream is Stream.SWEEP and session.moves:
            _count_missing(page, parts, session)
        unanswered.difference_update(page.ids, page.gone)
        where = scope.where
        if where is not None:
            chosen = (a for a in page.accounts if where(merge(a.signals, types=policy.types).facts))
            page = replace(page, accounts=tuple(chosen))
        for part in scope.split(page):
            yield part
            progress.note(report)  # before anybody waits for the next wave
            scope.ticked(report)
            if report.pages % TIDIED == 0:
                gc.collect(1)
            if not scope.going():
                return
    if unanswered and scope.apply:  # neither read nor gone: behind the others, or they would starve them
        log("cycle").warning("due accounts could not be read", accounts=sorted(unanswered)[:20])
        journal.postpone(sorted(unanswered), until=parts.clock() + UNREADABLE_AGAIN)


def _note_watch(parts: Parts, session: Run) -> None:
    """Remember when the window streams began to cover this connection; older changes are the backfill's."""
    if not parts.journal.position(WATCH).done_to:
        _store(parts, session, WATCH, Position(done_to=round(parts.crm.now() * 1000)))


def _anchor_windows(parts: Parts, session: Run) -> None:
    """Before a first backfill, fix where poll and trailing begin, so that no change falls in between."""
    now = parts.crm.now()
    for stream, at in ((Stream.POLL, now), (Stream.TRAILING, now - ANCHOR_BACK)):
        if parts.journal.position(stream.value) == Position():
            _store(parts, session, stream.value, Position(done_to=round(at * 1000)))
    if not parts.journal.position(WATCH).done_to:
        _store(parts, session, WATCH, Position(done_to=round(now * 1000)))


def _store(
    parts: Parts, session: Run, name: str, position: Position, gone: Mapping[str, str] | None = None
) -> None:
    """Keep a position of our own, and who is gone, under the cycle's lease."""
    parts.journal.commit(
        [],
        gone=gone or {},
        position=position,
        stream=name,
        lease=session.lease,
        run=session.id,
        now=parts.clock(),
    )


def _count_missing(page: Page, parts: Parts, session: Run) -> None:
    """What the sweep finds that poll and trailing should have settled; a public metric that must stay 0."""
    journal = parts.journal
    since, until = journal.position(WATCH).done_to, journal.position(Stream.TRAILING.value).done_to
    covered = {a.id: a.stamp for a in page.accounts if since and since < a.stamp < until}
    missing = [
        account_id
        for account_id in covered.keys() - journal.seen(covered)
        if (stored := journal.account(account_id)) is None or stored.status == "settled"
    ]
    if missing:
        log("sweep").error("changes the other streams had missed", accounts=missing[:20], count=len(missing))
        sweep_found_missing_total.labels(journal.connection).inc(len(missing))
        journal.count_event(FOUND_MISSING, len(missing))
        now = parts.clock()
        _store(parts, session, MISSED, Position(done_to=round(now * 1000)))
        text = (
            f"the sweep found {len(missing)} changes that poll and trailing had missed, for example of "
            f"account {missing[0]}. next: icp-sync explain {missing[0]}"
        )
        journal.raise_alert(MISSED_ALERT, text, now=now)


def _missed_no_more(stream: Stream, parts: Parts, session: Run) -> None:
    """After a whole sweep that found nothing the others had missed: nobody needs to look at it any more."""
    journal = parts.journal
    if stream is not Stream.SWEEP or not session.moves or not journal.position(stream.value).finished:
        return
    began = journal.position(SWEPT).done_to
    if began and journal.position(MISSED).done_to < began:
        journal.end_alert(MISSED_ALERT, now=parts.clock())


def _bury_departed(stream: Stream, parts: Parts, session: Run, scope: Scope) -> None:
    """Before a whole sweep: what was deleted or merged away since the last one.

    First, so that the survivors it is about to read have inherited what we wrote to the merged ones.
    """
    if stream is not Stream.SWEEP or not session.moves or scope.limit is not None:
        return
    began = round(parts.crm.now() * 1000)
    stands = parts.journal.position(stream.value)
    if stands.finished or not stands.last_id:
        _store(parts, session, SWEPT, Position(done_to=int(parts.clock() * 1000)))
    gone = parts.crm.departed(max(0, parts.journal.position(DEPARTED).done_to - DEPARTED_BACK))
    _store(parts, session, DEPARTED, Position(done_to=began), gone)


def _wake_unmet(stream: Stream, parts: Parts, session: Run) -> None:
    """After a whole sweep: accounts it did not meet are deleted for good, or hidden from us; asked for one by
    one they will tell."""
    journal = parts.journal
    began = journal.position(SWEPT).done_to
    if stream is not Stream.SWEEP or not session.moves or not journal.position(stream.value).finished:
        return
    if began and (unmet := journal.wake_all(parts.clock(), settled_before=began / 1000)):
        log("sweep").warning("known accounts the sweep did not meet", count=unmet)


def _finish(stream: Stream, parts: Parts, lease: Lease, run: str, report: Report, outcome: str) -> None:
    """Close the run and give the lease back; a failure here must not hide the first one."""
    journal = parts.journal
    try:
        if report.apply:
            tell(journal, parts.crm.disabled, parts.clock())
        if run:
            journal.end_run(run, {**report.to_json(), "outcome": outcome, "changes": []}, now=parts.clock())
        done_to = journal.position(stream.value).done_to
        if done_to:
            lag = parts.crm.now() - done_to / 1000
            stream_lag_seconds.labels(journal.connection, stream.value).set(lag)
        journal.release_lease(lease)
    except IcpSyncError as error:
        log("cycle").warning("a finished cycle could not be closed", error=str(error))
