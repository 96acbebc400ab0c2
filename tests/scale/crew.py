"""Workers with places for so many cycles, their processors, and the database they share.

Whose turn it is: what is urgent first, then who asked first; nobody gets more than a share of a worker.
"""

from __future__ import annotations

import heapq
from collections.abc import Generator
from dataclasses import dataclass, field
from itertools import count

from icp_sync.quota import Priority
from icp_sync.settings.cluster import Cluster
from tests.scale.costs import Assumed, Costs, Work
from tests.scale.engine import Gate, Process, Shared, Time
from tests.scale.limits import Waits

USUAL = Cluster()
TASK_TRANSACTIONS = 5.0
"""Of the queue for each cycle: deferred, fetched, ended, and its turn noted before and after."""


@dataclass(slots=True)
class Worker:
    name: str
    processor: Shared
    free: dict[bool, int] = field(default_factory=lambda: {False: USUAL.jobs, True: USUAL.long})
    shares: dict[tuple[str, bool], int] = field(default_factory=dict)
    died_at: float | None = None
    most: int = 0


@dataclass(slots=True)
class _Wanted:
    portal: str
    long: bool
    gate: Gate
    worker: Worker | None = None


class Crew:
    """All workers of one journal. minutes: minute → transactions in it."""

    def __init__(self, time: Time, workers: int, costs: Costs, assumed: Assumed) -> None:
        self.time, self.costs, self.assumed = time, costs, assumed
        self.workers = [Worker(f"worker {n}", Shared(time, 1.0)) for n in range(workers)]
        self.database = Shared(time, float(assumed.cores))
        self.done = Work()
        self.minutes: dict[int, float] = {}
        self._order = count()
        self._queue: list[tuple[int, int, _Wanted]] = []

    def place(self, portal: str, priority: int, waits: Waits) -> Generator[float | Gate, None, Worker]:
        """Wait for a place for a cycle of this portal; the worker that has it."""
        wanted = _Wanted(portal, _long(priority), Gate(self.time))
        heapq.heappush(self._queue, (priority, next(self._order), wanted))
        self._assign()
        asked = self.time.now
        yield wanted.gate
        waits.note("a free place", self.time.now - asked)
        assert wanted.worker is not None
        return wanted.worker

    def leave(self, worker: Worker, portal: str, priority: int) -> None:
        worker.free[_long(priority)] += 1
        worker.shares[portal, _long(priority)] -= 1
        self._assign()

    def wanted(self, priority: int) -> bool:
        """Whether somebody at least as urgent waits for a place."""
        return bool(self._queue) and self._queue[0][0] <= priority

    def dies(self, worker: Worker) -> None:
        worker.died_at = self.time.now

    def work(self, worker: Worker, work: Work, waits: Waits) -> Process:
        """The worker's part of it, then the database's."""
        began = self.time.now
        if work.cpu:
            yield worker.processor.use(work.cpu)
        waits.note("a worker's processor", self.time.now - began)
        began = self.time.now
        if work.database:
            yield self.database.use(work.database)
        yield work.statements * self.assumed.trip + work.commits * self.assumed.flush
        waits.note("the database", self.time.now - began)
        self.done += work
        minute = int(self.time.now // 60)
        self.minutes[minute] = self.minutes.get(minute, 0.0) + work.transactions

    def task(self) -> Work:
        """What the queue takes for one cycle: as many of the limits' own transactions."""
        slot = self.costs.slot
        return slot * (TASK_TRANSACTIONS / slot.transactions) if slot.transactions else Work()

    def _assign(self) -> None:
        """Give places to who waits, as long as there are any."""
        passed: list[tuple[int, int, _Wanted]] = []
        living = [one for one in self.workers if one.died_at is None]
        while self._queue and any(one.free[True] or one.free[False] for one in living):
            entry = heapq.heappop(self._queue)
            wanted = entry[2]
            kind = wanted.portal, wanted.long
            fit = [one for one in living if one.free[wanted.long] and one.shares.get(kind, 0) < USUAL.share]
            if not fit:
                passed.append(entry)
                continue
            worker = max(fit, key=lambda one: one.free[wanted.long])
            worker.free[wanted.long] -= 1
            worker.most = max(worker.most, USUAL.long - worker.free[True])
            worker.shares[kind] = worker.shares.get(kind, 0) + 1
            wanted.worker = worker
            wanted.gate.open()
        for entry in passed:
            heapq.heappush(self._queue, entry)


def _long(priority: int) -> bool:
    """Whether a cycle has its place among those that may take hours."""
    return priority >= Priority.SWEEP
