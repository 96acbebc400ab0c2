"""A backfill of one connection: its canary alone, then ranges of ids side by side, each in waves of its own.

How large a wave is, how long is waited after it and how fast may be written are the engine's own figures.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

from icp_sync.daemon.pacing import LONGEST, LOOK
from icp_sync.daemon.portal import ACCOUNTS_A_SEARCH, BEHIND, SEARCHES
from icp_sync.quota import Priority
from icp_sync.sync.pacing import USUAL, Pacing
from icp_sync.sync.waves import NEARLY, OUTDATED
from tests.scale.crew import Worker
from tests.scale.engine import Gate, Process
from tests.scale.limits import Waits
from tests.scale.portal import LEASE, TIMETABLE, Portal

PACE = SEARCHES * ACCOUNTS_A_SEARCH / 2
"""Accounts a second that all ranges together write at most: what half of polling's searches reads back."""
FIRST = 0.98
"""Of the accounts read for the first time, those that are written."""
FRESH_FOR = 60.0
"""Seconds for which a snapshot of an org is taken as it is."""


@dataclass(kw_only=True)
class Filling:
    """partitions: ranges it is cut into. paced: whether polling follows, which reads back what is written."""

    portal: Portal
    partitions: int = 1
    pacing: Pacing = USUAL
    paced: bool = True
    changed: float = FIRST
    ended_at: float = 0.0
    at_once: int = 0
    most: int = 0
    waits: Waits = field(default_factory=Waits)

    def begins(self) -> Gate:
        return self.portal.crew.time.start(self._all())

    def _all(self) -> Process:
        """First the canary, by one; then the rest in ranges."""
        portal, time = self.portal, self.portal.crew.time
        canary = min(portal.accounts, ceil(self.pacing.canary / self.changed)) if self.pacing.canary else 0
        rest = portal.accounts
        if canary and canary < portal.accounts:
            yield from self._range(canary, self.pacing.canary, 1, Waits(), first=True)
            self.waits.note("the waves' pauses", self.pacing.watch)
            yield self.pacing.watch
            rest -= canary
        ranges = max(1, min(self.partitions, rest // portal.crm.page or 1))
        wave = max(1, self.pacing.wave // ranges) if self.pacing.wave else 0
        parts = [rest // ranges + (n < rest % ranges) for n in range(ranges)]
        waits = [Waits() for _ in parts]
        began = [time.start(self._range(size, wave, ranges, w)) for size, w in zip(parts, waits, strict=True)]
        yield from began
        for one in waits:  # as if one of them: they went side by side
            for what, seconds in one.seconds.items():
                self.waits.note(what, seconds / ranges)
        self.ended_at = time.now

    def _range(self, accounts: int, wave: int, ranges: int, waits: Waits, *, first: bool = False) -> Process:
        """Page for page; the calls of the next one go out while one is settled."""
        portal, time = self.portal, self.portal.crew.time
        reading, opened = Waits(), [0]
        worker = yield from portal.crew.place(portal.name, Priority.BACKFILL, waits)
        yield from portal.ask(portal.crm.opening(accounts), worker, Priority.BACKFILL, waits, opened)
        snapshot = time.now
        ahead = self._reads(worker, min(portal.crm.page, accounts), snapshot, reading, opened)
        left, written, stale = accounts, 0, 0
        while left > 0:
            page = min(portal.crm.page, left)
            asked = time.now
            yield ahead
            _shared_out(waits, reading, time.now - asked)
            left -= page
            if left > 0:
                ahead = self._reads(worker, min(portal.crm.page, left), snapshot, reading, opened)
            while page > 0:
                room = max(1, wave - written) if wave else page
                part = min(page, ceil(room / self.changed))
                page -= part
                yield from self._settled(worker, part, ranges, waits, opened, stale > 0)
                stale = max(0, stale - 1)
                written += round(part * self.changed)
                if wave and written >= NEARLY * wave and (left or page) and not first:
                    written, stale = 0, 2 if self.pacing.pause >= OUTDATED else 0
                    portal.crew.leave(worker, portal.name, Priority.BACKFILL)
                    waits.note("the waves' pauses", self.pacing.pause)
                    yield self.pacing.pause
                    worker = yield from portal.crew.place(portal.name, Priority.BACKFILL, waits)
                    sample = portal.crm.fetching(self.pacing.sample)
                    yield from portal.ask(sample, worker, Priority.BACKFILL, waits, opened)
            if portal.crew.wanted(Priority.BACKFILL) or worker.died_at is not None:
                portal.crew.leave(worker, portal.name, Priority.BACKFILL)
                worker = yield from portal.crew.place(portal.name, Priority.BACKFILL, waits)
        portal.crew.leave(worker, portal.name, Priority.BACKFILL)

    def _reads(self, worker: Worker, page: int, snapshot: float, reading: Waits, made: list[int]) -> Gate:
        portal, time = self.portal, self.portal.crew.time
        reading.seconds = {}
        calls = portal.crm.reading(page, old=time.now - snapshot > FRESH_FOR)
        return time.start(portal.ask(calls, worker, Priority.BACKFILL, reading, made))

    def _settled(
        self, worker: Worker, part: int, ranges: int, waits: Waits, made: list[int], stale: bool
    ) -> Process:
        """One part of a page, written and committed; of a worker that died meanwhile it is done again."""
        portal, crew = self.portal, self.portal.crew
        began = crew.time.now
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        if stale:
            yield from portal.ask(portal.crm.fetching(part), worker, Priority.BACKFILL, waits, made)
        writes = round(part * self.changed)
        costs = crew.costs.of(portal.crm.name)
        each = costs.bulk if portal.crm.page > 5_000 else costs.written
        yield from crew.work(worker, each * part + portal.slots(made), waits)
        calls = portal.crm.writing(writes, crew.assumed.update)
        yield from portal.ask(calls, worker, Priority.BACKFILL, waits, made)
        self.at_once -= 1
        if worker.died_at is not None and worker.died_at > began:
            lost = max(0.0, worker.died_at + LEASE - crew.time.now)
            waits.note("a lease to end", lost)
            yield lost
            yield from self._again(part, ranges, waits, made)
            return
        portal.wrote(writes)
        portal.read += part
        if self.paced:
            early = writes / (PACE / ranges) - (crew.time.now - began)
            waits.note("the pace of writes", early)
            yield max(0.0, early)
            late = crew.time.now
            while portal.behind() > 3 * TIMETABLE.poll + BEHIND and crew.time.now < late + LONGEST:
                yield LOOK
            waits.note("polling that is behind", crew.time.now - late)

    def _again(self, part: int, ranges: int, waits: Waits, made: list[int]) -> Process:
        """By whoever takes the lease over."""
        portal = self.portal
        worker = yield from portal.crew.place(portal.name, Priority.BACKFILL, waits)
        yield from self._settled(worker, part, ranges, waits, made, stale=True)
        portal.crew.leave(worker, portal.name, Priority.BACKFILL)


def _shared_out(waits: Waits, reading: Waits, seconds: float) -> None:
    """What was waited for a page's calls, by what those calls waited for."""
    total = sum(reading.seconds.values())
    for what, part in reading.seconds.items():
        waits.note(what, seconds * part / total)
