"""One full backfill: continued where it was left, begun again when what it is for has changed.

A change of mode, outputs or profile is a request in the journal; it is struck out once a whole pass has
been made for exactly that request. It writes in waves (`sync.waves`) and, where workers share
it, in ranges of ids (`sync.ranges`); one that was halted waits for a person. Knows neither who asked nor how
often it is tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from icp_sync.journal import Asked
from icp_sync.journal.requests import BEGUN
from icp_sync.ports import Position, Stream
from icp_sync.sync import ranges
from icp_sync.sync.cycle import Parts, Scope, cycle
from icp_sync.sync.halts import halted, lift, paused
from icp_sync.sync.ranges import BUSY, help_make, open_ranges
from icp_sync.sync.report import Report
from icp_sync.sync.settle import Run
from icp_sync.sync.waves import ALERT, HaltedError, Waves
from icp_sync.sync.where import parse

__all__ = [
    "BUSY",
    "backfill",
    "finished",
    "halted",
    "help_backfill",
    "lift",
    "open_ranges",
    "paused",
    "perform",
]


def backfill(parts: Parts, scope: Scope, *, by_hand: bool = False, resume: bool = False) -> Report | None:
    """Read and settle every account; None when another worker is at it.

    by_hand: a person asked for exactly this one, see `Waves`. resume: go on although it was halted; a scope
    that restarts goes on as well. Ends early when `scope.going` says so, at `scope.limit`, or when the
    request behind it changes: then the next call begins again. Raises HaltedError when it was halted, now or
    earlier, and what `cycle` raises; the next call continues after the last settled page.

    Once it is cut into ranges, any number of workers may call it at once. Each makes what nobody else is at,
    waits for the others, and reports what it made itself.
    """
    return _made(parts, scope, by_hand=by_hand, resume=resume)[0]


def help_backfill(parts: Parts, scope: Scope) -> Report | None:
    """Make one range of a backfill that was cut, for as long as `scope.going` says; None where there is none
    that nobody holds. Begins no backfill, and none again. Raises HaltedError when it was halted meanwhile,
    and what `cycle` raises."""
    return help_make(parts, scope)


def _made(parts: Parts, scope: Scope, *, by_hand: bool, resume: bool) -> tuple[Report | None, bool]:
    """The report of `backfill`, and whether all there was to read was read."""
    journal = parts.journal
    if not scope.apply:
        return cycle(Stream.BACKFILL, parts, scope), scope.going()
    whole = scope.where is None
    if resume or scope.restart:
        if whole:  # a selection that somebody asks for goes ahead; that of all accounts still waits
            lift(journal)
    elif why := halted(journal):
        raise HaltedError(why)
    if not whole:
        return _whole(parts, scope, by_hand=by_hand, ahead=resume)[:2]
    cuts, is_time, total = parts.pacing.partitions > 1 and scope.limit is None, False, Report()
    try:
        while scope.restart or not ranges.are_ready(parts):
            told = ranges.adding(scope, total)
            report, done, is_time = _whole(parts, told, by_hand=by_hand, cuts=cuts, is_time=is_time)
            if report is None:
                return (total if total.pages else None), False
            total += report
            scope = replace(scope, restart=False)
            if not is_time and not ranges.are_ready(parts):
                return total, done
        made, done = ranges.make_all(parts, ranges.adding(scope, total), by_hand=by_hand)
    except HaltedError as error:
        if error.report is not None:
            error.report += total
        raise
    total += made
    return total, done


def _whole(
    parts: Parts,
    scope: Scope,
    *,
    by_hand: bool,
    ahead: bool = False,
    cuts: bool = False,
    is_time: bool = False,
) -> tuple[Report | None, bool, bool]:
    """A backfill, or what is made of it before it is cut: its report, whether all there was to read was read,
    and whether it ended because it is time to cut the rest.

    ahead: whether it goes on although backfills are paused. cuts: whether it is ever cut; is_time: now.
    """
    journal, request = parts.journal, parts.journal.backfill_request()

    def going() -> bool:
        return scope.going() and journal.backfill_request() == request and (ahead or not paused(journal))

    waves = Waves(parts, replace(scope, going=going), by_hand=by_hand, cuts=cuts)

    def begins(run: Run, position: Position) -> None:
        waves.begins(run, position)
        if cuts and (is_time or ranges.is_time(parts, position)):
            waves.cuts = False  # where there is too little to cut, it is made as one
            ranges.cut(parts, run.lease, position)

    paced = replace(
        scope,
        going=waves.going,
        ticked=waves.ticked,
        split=waves.split,
        ahead=waves.ahead,
        begins=begins,
    )
    report = cycle(Stream.BACKFILL, parts, paced)
    whole = scope.where is None
    if waves.halted:
        raise HaltedError(waves.halted, report, whole=whole)
    if report is not None and not waves.done and not ahead and (why := paused(journal)):
        raise HaltedError(why, report, whole=whole)
    if report is not None and finished(parts, scope):
        journal.end_alert(ALERT)
        journal.unpause_backfills()  # it came in the midst of the last page
        if request is not None and journal.backfill_request() == request:
            journal.clear_backfill_request()
    return report, waves.done, waves.to_cut


def finished(parts: Parts, scope: Scope) -> bool:
    """Whether the last whole backfill reached its end. A selection or a dry run never counts as one."""
    whole = scope.apply and scope.where is None
    return whole and parts.journal.position(Stream.BACKFILL.value).finished


def perform(asked: Asked, parts: Parts, scope: Scope) -> Mapping[str, object] | None:
    """A backfill somebody handed over: `restart`, `resume`, `limit` and `where` in its args.

    One taken up again after its process had ended goes on where it was, tells of both, and reads no more than
    its limit altogether; a selection keeps no place, so it is read through again. While another worker is at
    a backfill it waits, and where that one has read everything there is nothing left to do.
    """
    args = asked.args
    clauses, limit = args.get("where"), args.get("limit")
    earlier = Report.from_json(asked.progress)
    begun = "read" in asked.progress
    scope = replace(
        scope,
        where=parse([str(c) for c in clauses], parts.policy().types) if isinstance(clauses, list) else None,
        limit=limit if isinstance(limit, int) else None,
        restart=bool(args.get("restart")) and not begun,
    )
    resume, met = bool(args.get("resume")) and not begun, False
    joins = not scope.restart and scope.where is None and scope.limit is None
    if scope.where is not None:
        earlier = Report(written=earlier.written, waves=earlier.waves)
    elif _read_before(asked, parts):
        return told(earlier)
    while scope.going():
        left = scope.limit
        if left is not None and scope.where is None:
            left = max(0, left - earlier.read)
            if not left:
                return told(earlier)
        try:
            report, done = _made(parts, replace(scope, limit=left), by_hand=True, resume=resume)
        except HaltedError as error:
            if error.report is not None:
                error.report += earlier
            raise
        if report is None:
            met |= not finished(parts, scope)  # until it has begun, the position is that of an earlier one
            scope.wait(BUSY)
            if joins and met and finished(parts, scope):
                return {"joined": True}
            continue
        earlier += report
        if done:
            return told(earlier)
        scope, resume = replace(scope, restart=False), False
    return None


def _read_before(asked: Asked, parts: Parts) -> bool:
    """Whether the process that had this request in hand read everything, and ended before it said so."""
    begun = asked.progress.get(BEGUN)
    position, at = parts.journal.positions().get((Stream.BACKFILL.value, ""), (Position(), 0.0))
    return position.finished and isinstance(begun, float) and at >= begun


def told(report: Report) -> dict[str, object]:
    """A report as it is kept with a request: counts and examples of problems, no list of changes."""
    return {**report.to_json(), "changes": [], "left_alone": report.left_alone[:20]}
