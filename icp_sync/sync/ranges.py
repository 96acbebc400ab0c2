"""A backfill cut into ranges of ids: cut, made one range at a time by whoever is free, closed once.

Until its canary has passed a backfill is made as one, so that what makes a CRM's automations dangerous is
looked at first. From then on each range is a backfill of its own, with its own lease, position and waves;
what halts one halts all. Knows neither who asked nor how many work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

from icp_sync.domain.standing import Mode
from icp_sync.errors import LostLeaseError
from icp_sync.journal import Journal, Lease
from icp_sync.journal.backfills import BackfillState
from icp_sync.journal.partitions import Range
from icp_sync.journal.requests import OPEN
from icp_sync.observe import log
from icp_sync.ports import Position, Stream
from icp_sync.sync.cycle import PURPOSE, Parts, Scope, cycle, purpose_of
from icp_sync.sync.halts import halted
from icp_sync.sync.keeping import kept
from icp_sync.sync.report import Report
from icp_sync.sync.rules import RULES, note_rules, rules_of
from icp_sync.sync.wave_book import OfRange
from icp_sync.sync.waves import ALERT, HaltedError, Waves

_BACKFILL = Stream.BACKFILL.value
WAITING = "backfill waited for"
"""The lease of whoever waits for the end of a backfill."""
BUSY = 1.0
"""Seconds between tries while another worker is at a backfill."""


def are_ready(parts: Parts) -> bool:
    """Whether there are ranges, made for what a backfill begun now would be for."""
    journal = parts.journal
    if not journal.is_cut() or journal.position(_BACKFILL).finished:
        return False
    return journal.position(PURPOSE).last_id == _purpose(parts)


def is_time(parts: Parts, position: Position) -> bool:
    """Whether what is left after a position may be cut: its canary has passed, or needs none as nothing is
    written."""
    journal = parts.journal
    passed = position != Position() and journal.backfill_state().waves > 0
    return passed or not parts.pacing.canary or parts.policy().mode is Mode.OBSERVE


def cut(parts: Parts, lease: Lease, position: Position) -> bool:
    """Cut what is left after a position into ranges; false where there is too little.

    The first range goes on with the wave that is under way, the others begin a new one: their share of the
    canary, where that has not passed.
    """
    journal = parts.journal
    ids = parts.crm.cuts(parts.pacing.partitions, position.last_id)
    if not ids:
        return False
    state = journal.backfill_state() if position != Position() else BackfillState()
    first = replace(state, halted="", at=0.0, request="")
    bounds = [position.last_id, *ids, ""]
    found = [
        Range(name=f"{nth:02}", after=after, up_to=up_to, state=first if nth == 1 else _behind(state))
        for nth, (after, up_to) in enumerate(pairwise(bounds), start=1)
    ]
    log("backfill").info("cut into ranges", connection=journal.connection, ranges=len(found))
    return journal.cut(lease, found)


def _behind(state: BackfillState) -> BackfillState:
    """Where a range begins that goes on with nobody's wave."""
    return BackfillState(waves=state.waves)


def open_ranges(journal: Journal, now: float) -> list[str]:
    """Names of the ranges that are to be made and that nobody holds. Once all are made and nobody has closed
    the backfill yet, the last of them, so that somebody comes by. None while it is halted or paused."""
    ranges = journal.ranges(now=now)
    if not ranges or halted(journal):
        return []
    left = [one for one in ranges if not one.position.finished]
    if not left:
        return [ranges[-1].name]
    return [one.name for one in left if not one.held] if wanted(journal, now) else []


def wanted(journal: Journal, now: float) -> bool:
    """Whether anybody still waits for the backfill: one that was asked for by hand, and then cancelled, keeps
    its ranges as they are."""
    return (
        journal.backfill_request() is not None
        or any(asked.kind == _BACKFILL for asked in journal.requests(*OPEN))
        or journal.is_held(WAITING, now=now)
    )


def make(parts: Parts, scope: Scope, name: str, *, by_hand: bool = False) -> Report | None:
    """Make one range, from where it stands; None where another is at it, or there is no such to make.

    Ends early when `scope.going` says so, at `scope.limit`, and as soon as the request behind the backfill
    changes. Raises HaltedError when it was halted meanwhile, whoever halted it, and what `cycle` raises.
    """
    journal = parts.journal
    request = journal.backfill_request()

    def going() -> bool:
        return scope.going() and journal.backfill_request() == request and not halted(journal)

    names = [one.name for one in journal.ranges(now=parts.clock())]
    book = OfRange(parts, name, first=names[:1] == [name], ranges=len(names))
    waves = Waves(parts, replace(scope, going=going), by_hand=by_hand, book=book)
    report = cycle(
        Stream.BACKFILL,
        parts,
        replace(
            scope,
            partition=name,
            restart=False,
            going=waves.going,
            ticked=waves.ticked,
            split=waves.split,
            ahead=waves.ahead,
            begins=waves.begins,
        ),
    )
    why = waves.halted or (halted(journal) if report is not None and not waves.done else "")
    if why:
        raise HaltedError(why, report)
    return report


def make_all(parts: Parts, scope: Scope, *, by_hand: bool) -> tuple[Report, bool]:
    """Make whatever range nobody is at, one after another, and wait for those others are at, until the
    backfill is closed. The report of what was made here, and whether it came to its end.

    Ends early as `make` does. Raises what it raises.
    """
    with _waiting(parts):
        return _make_all(parts, scope, by_hand=by_hand)


@contextmanager
def _waiting(parts: Parts) -> Iterator[None]:
    """Meanwhile others know that somebody waits, and help."""
    journal = parts.journal
    lease = journal.lease(WAITING, holder=parts.holder, now=parts.clock(), ttl=parts.lease)
    if lease is None:  # somebody else waits as well
        yield
        return
    try:
        with kept(lease, journal, parts.clock, parts.lease):
            yield
    finally:
        journal.release_lease(lease)


def _make_all(parts: Parts, scope: Scope, *, by_hand: bool) -> tuple[Report, bool]:
    journal, total = parts.journal, Report()
    request = journal.backfill_request()
    while scope.going() and journal.backfill_request() == request:
        if why := halted(journal):
            raise HaltedError(why, total)
        limit = None if scope.limit is None else scope.limit - total.read - total.spared
        if limit is not None and limit <= 0:
            return total, True
        ranges = [one for one in journal.ranges(now=parts.clock()) if not one.position.finished]
        if not ranges and close(parts):
            return total, True
        free = [one.name for one in ranges if not one.held]
        if any(_made(parts, replace(scope, limit=limit), name, total, by_hand) for name in free):
            continue
        if not are_ready(parts):  # closed by another, or begun again for something else
            return total, not journal.is_cut() and journal.position(_BACKFILL).finished
        scope.wait(BUSY)
    return total, False


def _made(parts: Parts, scope: Scope, name: str, total: Report, by_hand: bool) -> bool:
    """Make one range and add what was done to the total; false where there was nothing to make of it."""
    report = Report()
    scope = replace(adding(scope, total), report=report)
    try:
        made = make(parts, scope, name, by_hand=by_hand)
    except LostLeaseError as error:
        log("backfill").info("a range was taken over", range=name, error=str(error))
        total += report
        return True
    except HaltedError as error:
        total += report
        error.report = total
        raise
    total += report
    return made is not None


def adding(scope: Scope, done: Report) -> Scope:
    """The scope, told of what was done before as well."""
    before = Report()
    before += done

    def ticked(report: Report) -> None:
        so_far = Report()
        so_far += before
        so_far += report
        scope.ticked(so_far)

    return replace(scope, ticked=ticked)


def help_make(parts: Parts, scope: Scope) -> Report | None:
    """Make the first range that nobody holds; None where there is none, or none for what we would make."""
    journal = parts.journal
    names = open_ranges(journal, parts.clock())
    if not names or not are_ready(parts):
        return None

    def going() -> bool:
        return scope.going() and wanted(journal, parts.clock())

    for name in names:
        report = make(parts, replace(scope, going=going), name)
        if report is not None:
            close(parts)
            return report
    close(parts)
    return None


def close(parts: Parts) -> bool:
    """Close the backfill: it is finished, and the request behind it struck out. All or nothing, and once.

    False while a range is not at its end, while another is at the whole of it, or where it was begun for
    something else than what is asked for now.
    """
    journal = parts.journal
    if any(not one.position.finished for one in journal.ranges(now=parts.clock())):
        return False
    policy = parts.policy()
    rules = rules_of(policy.buying, parts.enrichers)
    lease = journal.lease(_BACKFILL, holder=parts.holder, now=parts.clock(), ttl=parts.lease)
    if lease is None:
        return False
    now = parts.clock()

    def keep(position: Position) -> None:
        journal.commit([], gone={}, position=position, stream=RULES, lease=lease, run="", now=now)

    try:
        with journal.together("partition"):
            if journal.position(PURPOSE).last_id != purpose_of(parts, policy, rules):
                return False
            if not journal.close_ranges(lease, now=now):
                return False
            note_rules(journal, rules, keep, now, ask=False)
            journal.end_alert(ALERT)
            journal.unpause_backfills()  # it came in the midst of the last page
            journal.clear_backfill_request()
            return True
    finally:
        journal.release_lease(lease)


def _purpose(parts: Parts) -> str:
    policy = parts.policy()
    return purpose_of(parts, policy, rules_of(policy.buying, parts.enrichers))
