"""`Quota`: every call of a connection asks here first, and what its reply says of the limits comes back here.

Nothing here knows a vendor, an HTTP status or a request.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

from icp_sync.errors import NoCallsLeftError, UnavailableError
from icp_sync.observe import quota_wait_seconds
from icp_sync.quota.day import Daily, Told
from icp_sync.quota.keeping import InJournal, InMemory, Keeping
from icp_sync.quota.ledger import DAILY, Granted, Ledger, Refused
from icp_sync.quota.priority import current
from icp_sync.quota.rates import Rate
from icp_sync.quota.reports import Flight, Reports
from icp_sync.quota.standing import BucketStanding
from icp_sync.quota.telling import Telling

T = TypeVar("T")

TELL_EVERY = 5.0
"""Seconds after which what replies said is kept in the journal though nobody asks for a slot."""


@dataclass(frozen=True, slots=True)
class _Answer:
    given: Granted | Refused
    now: float  # on the ledger's clock
    short: bool = False  # whether the day's calls are known to have ended


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

    # Asking

    @contextmanager
    def call(self, *buckets: str, stop: threading.Event | None = None) -> Iterator[Flight]:
        """Wait for one slot in every bucket named; inside, the call is in flight.

        Raises UnavailableError when told to stop, or when the slot is further away than `patience`; its
        `retry_after` says how far. A bucket that does not exist has no limit. `stop` ends this wait.
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
        sleep = stop.wait if self._sleep is None else self._sleep
        started = self._clock()
        while True:
            asked, pauses = self._clock(), self._pauses
            answer, flight = self._ask(buckets)
            given = answer.given
            if isinstance(given, Refused) and given.at - answer.now > self._patience:
                raise self._too_far(given, given.at - answer.now)
            until = self._clock() + (given.until if isinstance(given, Refused) else given.at) - answer.now
            try:
                # No loop on the clock alone: a sleeper that returns early is asked again.
                while (left := until - self._clock()) > 0:
                    if sleep(left) or stop.is_set():
                        raise UnavailableError("stopped while waiting for the rate limit")
            except BaseException:
                self._cancel(flight)
                raise
            if flight is None:
                continue
            if pauses == self._pauses:
                break
            self._cancel(flight)  # a pause that began while we slept voids the slot
        flight.sent = self._clock()
        flight.late = max(0.0, flight.sent - asked - (flight.at - answer.now))
        flight.waited = flight.sent - started
        if flight.waited > 0 and buckets:
            quota_wait_seconds.labels(self._connection, buckets[0]).inc(flight.waited)
        return flight

    def _ask(self, buckets: tuple[str, ...]) -> tuple[_Answer, Flight | None]:
        daily = self._daily if buckets else None
        if not buckets or not (daily or self._rates.keys() & set(buckets)):
            return _Answer(Granted(at=0.0), 0.0), Flight(buckets=())
        priority = current()

        def act(ledger: Ledger, now: float) -> _Answer:
            ledger.hear(news, self._holder, now)
            took = ledger.take(buckets, now=now, priority=priority, holder=self._holder, daily=daily)
            return _Answer(took, now, bool(ledger.day.short_since))

        with self._lock:
            news = self._reports.news()
            try:
                answer = self._kept.change(act)
            except BaseException:
                self._reports.unheard(news)
                raise
            self._told_at = self._clock()
            flight = None
            if isinstance(answer.given, Granted):
                flight = self._reports.departed(buckets, answer.given, daily is not None)
        try:
            self._telling.tell(answer.given, answer.now, short=answer.short)
        except BaseException:
            self._cancel(flight)  # nobody will send it
            raise
        return answer, flight

    def _cancel(self, flight: Flight | None) -> None:
        if flight is not None:
            with self._lock:
                self._reports.cancelled(flight)

    def _too_far(self, given: Refused, seconds: float) -> UnavailableError:
        why = given.why
        what, kind = (f"{why}: ", NoCallsLeftError) if why else ("", UnavailableError)
        return kind(
            f"{what}the rate limit allows no request for another {seconds:.0f} s",
            retry_after=seconds,
            next_step="icp-sync status" if why else "",
        )

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
        if limit is not None and limit <= 0:
            limit = None
        flight: Flight | None = getattr(self._mine, "flight", None)
        with self._lock:
            told = Told(
                limit=limit,
                remaining=remaining,
                known=flight.known if flight else None,
                period=flight.period if flight else None,
                resets_in=resets_in,
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
