"""One connection: what people change, and the streams that follow it, as the timetable has them.

Numbers of the timetable, of pages, waves and pace are the engine's own.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from icp_sync.quota import Priority
from icp_sync.settings.connection import Schedule
from tests.scale.costs import Work
from tests.scale.crew import Crew, Worker
from tests.scale.crms import Calls, Crm
from tests.scale.engine import Gate, Process
from tests.scale.limits import Limits, Waits

TIMETABLE = Schedule()
HOURS = (8.0, 18.0)
"""Of the day, between which people work."""
MOVES = 0.3
"""Of the accounts people change, those whose standing changes with it."""
SAMPLES = 20
LEASE = 60.0


@dataclass(slots=True)
class Seen:
    """Seconds from a change to its standing on the record; `at`: when it was written."""

    at: float
    seconds: float


@dataclass(kw_only=True)
class Portal:
    """changes: a day, of its accounts. began: seconds after a midnight at which time begins."""

    name: str
    accounts: int
    changes: float
    crm: Crm
    limits: Limits
    crew: Crew
    dice: random.Random
    began: float = 9 * 3600.0
    filled: Gate | None = None
    fresh: list[Seen] = field(default_factory=list)
    waits: Waits = field(default_factory=Waits)
    following: Waits = field(default_factory=Waits)
    written: int = 0
    read: int = 0
    polled_to: float | None = None
    _events: deque[tuple[float, int, int]] = field(default_factory=deque)  # at, people's, ours

    # What happens in the portal

    def wrote(self, accounts: int) -> None:
        self.written += accounts
        self._events.append((self.crew.time.now, 0, accounts))

    def _people(self, since: float, until: float) -> int:
        """Accounts people changed meanwhile."""
        first, last = (HOURS[0] * 3600, HOURS[1] * 3600)
        middle = (self.began + (since + until) / 2) % 86_400
        if not first <= middle < last or until <= since:
            return 0
        expected = self.accounts * self.changes * (until - since) / (last - first)
        return _poisson(self.dice, expected)

    def _met(self, since: float, until: float) -> tuple[int, int]:
        """(people's, ours) changes in this window that were noted."""
        found = [event for event in self._events if since < event[0] <= until]
        return sum(event[1] for event in found), sum(event[2] for event in found)

    # Calls

    def ask(
        self, calls: Iterable[Calls], worker: Worker, priority: Priority, waits: Waits, made: list[int]
    ) -> Process:
        """These calls, each kind after the other; how many is added to `made`."""
        for one in calls:
            if one.number:
                made[0] += one.number
                yield from self.limits.calls(
                    one.kind,
                    one.bucket,
                    one.number,
                    worker.name,
                    priority,
                    waits,
                    abreast=one.abreast,
                    longer=one.longer,
                )

    def slots(self, made: list[int]) -> Work:
        """What the limits' own transactions took for the calls since the last look."""
        number, made[0] = made[0], 0
        return self.crew.costs.slot * number

    # The streams that follow

    def follows(self) -> None:
        """Begin poll, trailing pass and due, spread over their intervals as the timetable spreads them."""
        time = self.crew.time
        spread = self.dice.random()
        time.start(self._polls(TIMETABLE.poll * spread))
        time.start(self._trails(TIMETABLE.trailing * spread))
        time.start(self._dues(TIMETABLE.due * self.dice.random()))
        time.start(self._sweeps(TIMETABLE.sweep * self.dice.random()))

    def _polls(self, first: float) -> Process:
        time, lag = self.crew.time, self.crew.assumed.lag
        done_to = -lag
        yield first
        while True:
            due = time.now
            worker = yield from self.crew.place(self.name, Priority.INCREMENTAL, self.following)
            until = time.now - lag
            yield from self._window(worker, done_to, until, TIMETABLE.overlap, Priority.INCREMENTAL)
            self.crew.leave(worker, self.name, Priority.INCREMENTAL)
            if worker.died_at is not None:
                yield max(0.0, worker.died_at + LEASE - time.now)
                continue
            done_to = self.polled_to = until
            yield max(0.0, due + TIMETABLE.poll - time.now)

    def behind(self) -> float:
        """Seconds by which polling is behind, 0 where nothing follows."""
        return self.crew.time.now - self.polled_to if self.polled_to is not None else 0.0

    def echo(self, worker: Worker, *, until: float) -> Process:
        """One poll that meets all that was written until then."""
        yield from self._window(worker, 0.0, until, 0.0, Priority.INCREMENTAL)

    def _window(
        self, worker: Worker, since: float, until: float, overlap: float, priority: Priority
    ) -> Process:
        """Find, read, decide and write what changed; a page's calls go out while another is settled."""
        people, ours = self._people(since, until), self._met(since, until)[1]
        earlier = sum(self._met(since - overlap, since))
        if people:
            self._events.append((until, people, 0))
        self._forget(until - TIMETABLE.lag - 2 * TIMETABLE.trailing)
        anew = people + ours + (earlier if self.crm.reads_window_again else 0)
        pages = split(people, anew, self.crm.page)
        searches = spread(self.crm.searching(people + ours + earlier), max(1, len(pages)))
        of_crm, made = self.crew.costs.of(self.crm.name), [0]
        yield from self.crew.work(worker, of_crm.cycle + self.crew.task(), self.following)
        ahead = self._finds(worker, searches[0], pages[:1], priority, made)
        for n, (page, new) in enumerate(pages):
            yield ahead
            if n + 1 < len(pages):
                ahead = self._finds(worker, searches[n + 1], pages[n + 1 : n + 2], priority, made)
            echoes = round((page - new) * ours / (anew - people)) if anew > people else 0
            yield from self._decides(worker, page, new, echoes, priority, made)
            if worker.died_at is None:
                self._sampled(new, since, until)
        yield ahead
        yield from self.crew.work(worker, self.slots(made), self.following)

    def _finds(
        self,
        worker: Worker,
        searches: Sequence[Calls],
        page: Sequence[tuple[int, int]],
        priority: Priority,
        made: list[int],
    ) -> Gate:
        """The searches and reads of one page, on their way."""
        reads = [calls for accounts, _ in page for calls in self.crm.fetching(accounts)]
        return self.crew.time.start(self.ask([*searches, *reads], worker, priority, self.following, made))

    def _decides(
        self, worker: Worker, page: int, new: int, echoes: int, priority: Priority, made: list[int]
    ) -> Process:
        """One page: whose hand it was, what follows, and what has to be written."""
        of_crm, waits = self.crew.costs.of(self.crm.name), self.following
        yield from self.ask(self.crm.remembering(echoes), worker, priority, waits, made)
        yield from self.crew.work(worker, of_crm.again * page + self.slots(made), waits)
        moved = min(new, _poisson(self.dice, new * MOVES))
        if moved:
            calls = self.crm.writing(moved, self.crew.assumed.update)
            yield from self.ask(calls, worker, priority, waits, made)
            more = of_crm.written.less(of_crm.again) * moved + self.slots(made)
            yield from self.crew.work(worker, more, waits)
            self.wrote(moved)

    def _sampled(self, changed: int, since: float, until: float) -> None:
        now = self.crew.time.now
        for _ in range(min(changed, SAMPLES)):
            at = max(0.0, self.dice.uniform(since, until))
            self.fresh.append(Seen(now, now - at))

    def _forget(self, before: float) -> None:
        while self._events and self._events[0][0] < before:
            self._events.popleft()

    def _trails(self, first: float) -> Process:
        """The same windows an hour later: searched again, and read again where the CRM's stamps demand it."""
        time, made, waits = self.crew.time, [0], self.following
        done_to = -TIMETABLE.lag
        yield first
        while True:
            due = time.now
            worker = yield from self.crew.place(self.name, Priority.INCREMENTAL, waits)
            until = time.now - TIMETABLE.lag
            met = sum(self._met(done_to, until))
            read = met if self.crm.reads_window_again else 0
            of_crm = self.crew.costs.of(self.crm.name)
            yield from self.ask(self.crm.searching(met), worker, Priority.INCREMENTAL, waits, made)
            yield from self.ask(self.crm.fetching(read), worker, Priority.INCREMENTAL, waits, made)
            work = of_crm.cycle + self.crew.task() + of_crm.again * read + self.slots(made)
            yield from self.crew.work(worker, work, waits)
            self.crew.leave(worker, self.name, Priority.INCREMENTAL)
            done_to = until
            yield max(0.0, due + TIMETABLE.trailing - time.now)

    def _dues(self, first: float) -> Process:
        time = self.crew.time
        yield first
        while True:
            due = time.now
            worker = yield from self.crew.place(self.name, Priority.INCREMENTAL, self.following)
            yield from self.crew.work(worker, self.crew.costs.due + self.crew.task(), self.following)
            self.crew.leave(worker, self.name, Priority.INCREMENTAL)
            yield max(0.0, due + TIMETABLE.due - time.now)

    def _sweeps(self, first: float) -> Process:
        """Everything once a day, a page at a time: whoever is more urgent goes between."""
        time, made, waits = self.crew.time, [0], Waits()
        yield first
        while True:
            due = time.now
            for at in range(0, self.accounts, self.crm.page):
                worker = yield from self.crew.place(self.name, Priority.SWEEP, waits)
                page = min(self.crm.page, self.accounts - at)
                calls = self.crm.reading(page, old=False)
                yield from self.ask(calls, worker, Priority.SWEEP, waits, made)
                work = self.crew.costs.of(self.crm.name).again * page + self.slots(made)
                yield from self.crew.work(worker, work, waits)
                self.crew.leave(worker, self.name, Priority.SWEEP)
            yield max(0.0, due + TIMETABLE.sweep - time.now)


def split(people: int, anew: int, page: int) -> list[tuple[int, int]]:
    """(accounts, those of people) of each page, as if they were spread evenly."""
    pages, done, fresh = [], 0, 0
    while done < anew:
        upto = min(anew, done + page)
        share = round(people * upto / anew)
        pages.append((upto - done, share - fresh))
        done, fresh = upto, share
    return pages


def spread(calls: Iterable[Calls], pages: int) -> list[list[Calls]]:
    """These calls over so many pages, the first page first."""
    found: list[list[Calls]] = [[] for _ in range(pages)]
    for one in calls:
        for n in range(pages):
            number = one.number * (n + 1) // pages - one.number * n // pages
            if number:
                found[n].append(replace(one, number=number))
    return found


def _poisson(dice: random.Random, expected: float) -> int:
    if expected <= 0:
        return 0
    if expected > 50:
        return max(0, round(dice.gauss(expected, expected**0.5)))
    number, left = -1, expected
    while left > 0:
        left -= dice.expovariate(1.0)
        number += 1
    return number
