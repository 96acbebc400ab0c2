"""`Quota`: every call of a connection asks here first, and what its reply says of the limits comes back here.

Nothing here knows a vendor, an HTTP status or a request.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TypeVar

from icp_sync.errors import UnavailableError
from icp_sync.observe import quota_wait_seconds
from icp_sync.quota.day import Daily, Told
from icp_sync.quota.fence import still_ours
from icp_sync.quota.keeping import InJournal, InMemory, Keeping
from icp_sync.quota.ledger import DAILY, Granted, Ledger, Refused
from icp_sync.quota.line import Line
from icp_sync.quota.priority import Priority, current
from icp_sync.quota.rates import Rate
from icp_sync.quota.reports import Flight, Reports
from icp_sync.quota.several import AT_ONCE, Answer, several, tolerated, too_far
from icp_sync.quota.standing import BucketStanding
from icp_sync.quota.telling import Telling

T = TypeVar("T")

TELL_EVERY = 5.0  # seconds after which what replies said is kept though nobody asks for a slot


class Quota:
    """All limits of one connection, shared by its threads, and by its processes where there is a journal.

    buckets: name → rate. daily: how the calls of a day are shared, None where nobody counts them.
    kept: where slots are given out; in this process's memory unless said otherwise.
    quiet: buckets whose replies say nothing of the day. connection: label of the metric.
    stop: set to end every wait. patience: the longest wait in seconds; beyond it `acquire` raises instead of
    holding a thread for hours. clock, sleep: monotonic seconds, and a wait that returns true when it was cut
    short (tests replace both).
    """

    def __init__(
        self,
        buckets: Mapping[str, Rate],
        *,
        daily: Daily | None = None,
        kept: InJournal | None = None,
        quiet: frozenset[str] = frozenset(),
        connection: str = "",
        stop: threading.Event | None = None,
        patience: float = 120.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], bool] | None = None,
    ) -> None:
        self._rates, self._daily, self._connection = dict(buckets), daily, connection
        self._kept: Keeping = kept or InMemory(buckets, clock)
        self._stop = stop or threading.Event()
        self._patience, self._clock, self._sleep = patience, clock, sleep
        self._lock = threading.Lock()
        self._reports = Reports(quiet)
        self._holder = secrets.token_hex(4)
        self._pauses = 0
        self._telling = Telling(self._kept, connection)
        self._told_at = clock()
        self._mine = threading.local()
        self._lines: dict[tuple[tuple[str, ...], Priority], Line[Flight]] = {}

    # Asking

    @contextmanager
    def call(self, *buckets: str, stop: threading.Event | None = None) -> Iterator[Flight]:
        """Wait for one slot in every bucket named; inside, the call is in flight.

        Raises LostLeaseError where another worker took over what this call is made for (see `fence`), and
        UnavailableError where nobody can tell, when told to stop, or when the slot is further away than
        `patience`; its `retry_after` says how far. A bucket that is none has no limit. `stop` ends this wait.
        """
        flight = self._depart(buckets, self._stop if stop is None else stop)
        around: Flight | None = getattr(self._mine, "flight", None)
        self._mine.flight = flight
        try:
            yield flight
        finally:
            self._mine.flight = around
            with self._lock:
                self._reports.landed(flight, self._clock())
            self._tell_now_and_then()

    def acquire(self, *buckets: str, stop: threading.Event | None = None) -> float:
        """Wait for a slot and use it now; returns the seconds waited."""
        with self.call(*buckets, stop=stop) as flight:
            return flight.waited

    def _depart(self, buckets: tuple[str, ...], stop: threading.Event) -> Flight:
        started = self._clock()
        while True:
            flight = self._slot(buckets, stop)
            try:
                self._sleep_until(flight.due, stop)
                still_ours()  # after the wait, and before the last look at the clock
            except BaseException:
                self._cancel(flight)
                raise
            flight.sent = self._clock()
            flight.late = max(0.0, flight.sent - flight.soonest)
            if self._holds(flight, flight.late):
                break
            self._cancel(flight)
        flight.waited = flight.sent - started
        if flight.waited > 0 and buckets:
            quota_wait_seconds.labels(self._connection, buckets[0]).inc(flight.waited)
        return flight

    def _slot(self, buckets: tuple[str, ...], stop: threading.Event) -> Flight:
        """A slot, its time yet to come; waits in line for it."""
        if not buckets or (self._daily is None and self._rates.keys().isdisjoint(buckets)):
            return Flight(buckets=(), pauses=self._pauses)
        with self._lock:
            line = self._lines.setdefault((buckets, current()), Line())
        with line.standing(stop):
            while True:
                while line.spare:
                    flight = line.spare.popleft()
                    if self._holds(flight, self._clock() - flight.soonest):
                        return flight
                    self._cancel(flight)  # whom it was for has stopped
                given, until, flights = self._ask(buckets, 1 + min(line.behind, AT_ONCE - 1))
                line.spare.extend(flights)
                if isinstance(given, Refused):
                    self._sleep_until(until, stop)

    def _sleep_until(self, until: float, stop: threading.Event) -> None:
        sleep = self._sleep or stop.wait
        # No loop on the clock alone: a sleeper that returns early is asked again.
        while (left := until - self._clock()) > 0:
            if sleep(left) or stop.is_set():
                raise UnavailableError("stopped while waiting for the rate limit")

    def _holds(self, flight: Flight, late: float) -> bool:
        """Whether a slot is still good: a pause that began after it was given voids it."""
        return flight.pauses == self._pauses and late <= tolerated(flight.buckets, self._rates)

    def _ask(self, buckets: tuple[str, ...], most: int) -> tuple[Granted | Refused, float, list[Flight]]:
        """Up to so many slots: the first answer, when (on our clock) it bids us to act, and the calls that
        may go. Raises where the wait would be beyond patience."""
        asked, priority = self._clock(), current()

        def act(ledger: Ledger, now: float) -> Answer:
            ledger.hear(news, self._holder, now)
            return several(
                ledger, buckets, most, now=now, priority=priority, holder=self._holder, daily=self._daily
            )

        with self._lock:
            news, pauses = self._reports.news(), self._pauses
            try:
                answer = self._kept.change(act)
            except BaseException:
                self._reports.unheard(news)
                raise
            heard = self._told_at = self._clock()
            granted = [one for one in answer.given if isinstance(one, Granted)]
            flights = [self._reports.departed(buckets, one, self._daily is not None) for one in granted]
        for flight in flights:
            flight.pauses = pauses
            flight.due, flight.soonest = heard + flight.at - answer.now, asked + flight.at - answer.now
        try:
            for one in answer.given:
                self._telling.tell(one, answer.now, short=answer.short)
        except BaseException:
            for flight in flights:
                self._cancel(flight)  # nobody will send it
            raise
        first, ours = answer.given[0], heard - answer.now
        if isinstance(first, Granted):
            return first, ours + first.at, flights
        if first.at - answer.now > self._patience:
            raise too_far(first, first.at - answer.now)
        return first, ours + first.until, flights

    def _cancel(self, flight: Flight) -> None:
        with self._lock:
            self._reports.cancelled(flight)

    # Learning

    def pause(self, bucket: str, seconds: float) -> None:
        """Nobody gets a slot in this bucket for so long."""
        self._stand_still(lambda ledger, now: ledger.pause(bucket, now + seconds))

    def refused(self, bucket: str, seconds: float) -> None:
        """The other side said we were too fast: nobody goes for so long; from the third time in a row on for
        the whole window. We stay a little below the limit for a while: others use it too."""
        self._stand_still(lambda ledger, now: ledger.refused(bucket, now, seconds))

    def pause_all(self, seconds: float) -> None:
        """Nobody gets a slot in any bucket for so long."""
        for name in (*self._rates, DAILY):
            self.pause(name, seconds)

    def _stand_still(self, act: Callable[[Ledger, float], None]) -> None:
        with self._lock:
            self._tell()
            self._pauses += 1
            self._kept.change(act)

    def observe(
        self,
        bucket: str,
        *,
        limit: int | None = None,
        remaining: int | None = None,
        resets_in: float | None = None,
    ) -> None:
        """What the other side says of a bucket, in the reply to the call in flight in this thread, if there
        is one. Only a LOWER limit of rate than ours is believed. resets_in: seconds to the end of its day."""
        if bucket == DAILY and self._daily is None and DAILY not in self._rates:
            return
        limit = limit if limit is None or limit > 0 else None
        with self._lock:
            flight: Flight | None = getattr(self._mine, "flight", None)
            told = Told(
                limit=limit,
                remaining=remaining,
                known=flight.known if flight else None,
                period=flight.period if flight else None,
                resets_in=resets_in,
                sent=flight.reached if flight and bucket in flight.buckets else None,
            )
            self._reports.heard(bucket, told, flight if bucket == DAILY else None)
            if not self._kept.shared:
                self._tell()

    def flush(self) -> None:
        """Keep what was learned since the last call."""
        with self._lock, suppress(UnavailableError):
            self._tell()

    def _tell_now_and_then(self) -> None:
        if self._kept.shared and self._clock() - self._told_at > TELL_EVERY:
            self.flush()

    def _tell(self) -> None:
        news = self._reports.news()
        try:
            self._kept.change(lambda ledger, now: ledger.hear(news, self._holder, now))
        except BaseException:
            self._reports.unheard(news)
            raise
        self._told_at = self._clock()

    # Looking

    def counts(self, bucket: str) -> bool:
        """Whether there is a limit for calls of this bucket."""
        return bucket in self._rates or (bucket == DAILY and self._daily is not None)

    def limit(self, bucket: str) -> int:
        """Requests a window this bucket allows now, 0 unknown. KeyError for a bucket that does not exist."""
        if bucket == DAILY and self._daily is not None:
            return self._look(lambda ledger, now: ledger.day.limit)
        if bucket not in self._rates:
            raise KeyError(bucket)
        return self._look(lambda ledger, now: ledger.windows[bucket].limit(now))

    def remaining(self, bucket: str) -> int | None:
        """What the other side last said is left, None while it has not said."""
        if bucket == DAILY and self._daily is not None:
            return self._look(lambda ledger, now: ledger.day.remaining)
        return self._look(lambda ledger, now: ledger.windows[bucket].remaining)

    def silent(self, seconds: float) -> bool:
        """Whether the other side has said nothing of the day for so long, though we would like to know."""
        if self._daily is None:
            return False

        def act(ledger: Ledger, now: float) -> bool:
            return not ledger.day.observed_at or now - ledger.day.observed_at > seconds

        return self._look(act)

    def standing(self) -> list[BucketStanding]:
        """How every limit stands now, the day's first."""
        return self._look(lambda ledger, now: ledger.standing(now, self._daily))

    def _look(self, act: Callable[[Ledger, float], T]) -> T:
        def looked(ledger: Ledger, now: float) -> T:
            ledger.hear(news, self._holder, now)
            return act(ledger, now)

        with self._lock:
            news = self._reports.news()
            try:
                return self._kept.change(looked)
            except BaseException:
                self._reports.unheard(news)
                raise
