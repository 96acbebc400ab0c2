"""Rate limits as reserved slots: who asks first sends first, and nobody polls a counter.

`acquire` takes the next free instant in every bucket it names, under one lock, and then sleeps until that
instant. A sender that wakes late can therefore never be joined by one who should have come after it.
Nothing here knows a vendor, an HTTP status or a request.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from icp_sync.errors import UnavailableError
from icp_sync.observe import quota_wait_seconds

GUARD = 0.1
"""Seconds added to every window: threads wake late and the other side's clock is not ours. Costs 1 % of
a 10-second window; without it one to three requests too many were measured in some windows."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` requests in any window of `seconds`."""

    limit: int
    seconds: float

    def __post_init__(self) -> None:
        if self.limit < 1 or self.seconds <= 0:
            raise ValueError(f"a rate needs a positive limit and window, not {self.limit}/{self.seconds} s")


class _Bucket:
    """Slots already given, oldest first; instants on the quota's own monotonic clock."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self.limit = rate.limit
        self.slots: deque[float] = deque(maxlen=rate.limit)
        self.paused_until = float("-inf")
        self.remaining: int | None = None

    def free_at(self) -> float:
        """The earliest instant of the next slot, -inf when the bucket has never been full."""
        after_last = self.slots[-1] if self.slots else float("-inf")
        window = self.rate.seconds + GUARD
        full = self.slots[-self.limit] + window if len(self.slots) >= self.limit else float("-inf")
        return max(self.paused_until, after_last, full)


class Quota:
    """All limits of one connection, shared by its threads.

    buckets: name → rate. connection: label of the metric. stop: set to end every wait.
    patience: the longest wait in seconds; beyond it `acquire` raises instead of holding a thread for hours.
    clock, sleep: monotonic seconds, and a wait that returns true when it was cut short (tests replace both).
    """

    def __init__(
        self,
        buckets: Mapping[str, Rate],
        *,
        connection: str = "",
        stop: threading.Event | None = None,
        patience: float = 120.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], bool] | None = None,
    ) -> None:
        self._buckets = {name: _Bucket(rate) for name, rate in buckets.items()}
        self._connection = connection
        self._stop = stop or threading.Event()
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()

    def acquire(self, *buckets: str, stop: threading.Event | None = None) -> float:
        """Wait for one slot in every bucket named; returns the seconds waited. `stop` ends this wait.

        Raises UnavailableError when told to stop, or when the slot is further away than `patience`.
        A bucket that does not exist has no limit.
        """
        stop = self._stop if stop is None else stop
        sleep = stop.wait if self._sleep is None else self._sleep
        started = self._clock()
        named = [self._buckets[name] for name in buckets if name in self._buckets]
        while True:
            at = self._reserve(named)
            # No loop on the clock alone: a sleeper that returns early is asked again.
            while (left := at - self._clock()) > 0:
                if sleep(left) or stop.is_set():
                    raise UnavailableError("stopped while waiting for the rate limit")
            with self._lock:
                # A pause that began while we slept voids the slot: it was reserved under another limit.
                if all(bucket.paused_until <= at for bucket in named):
                    break
        waited = self._clock() - started
        if waited > 0 and buckets:
            quota_wait_seconds.labels(self._connection, buckets[0]).inc(waited)
        return waited

    def pause(self, bucket: str, seconds: float) -> None:
        """Nobody gets a slot in this bucket for so long (the other side said we were too fast)."""
        found = self._buckets.get(bucket)
        if found:
            with self._lock:
                found.paused_until = max(found.paused_until, self._clock() + seconds)

    def pause_all(self, seconds: float) -> None:
        for name in self._buckets:
            self.pause(name, seconds)

    def observe(self, bucket: str, *, limit: int | None = None, remaining: int | None = None) -> None:
        """What the other side says of a bucket. Only a LOWER limit than ours is believed."""
        found = self._buckets.get(bucket)
        if found:
            with self._lock:
                if limit is not None and limit > 0:
                    found.limit = min(found.rate.limit, limit)
                if remaining is not None:
                    found.remaining = remaining

    def limit(self, bucket: str) -> int:
        """Requests a window this bucket allows now. KeyError for a bucket that does not exist."""
        return self._buckets[bucket].limit

    def remaining(self, bucket: str) -> int | None:
        """What the other side last said is left, None while it has not said."""
        return self._buckets[bucket].remaining

    def _reserve(self, named: list[_Bucket]) -> float:
        with self._lock:
            now = self._clock()
            at = max([now, *(bucket.free_at() for bucket in named)])
            if at - now > self._patience:
                raise UnavailableError(
                    f"the rate limit allows no request for another {at - now:.0f} s", retry_after=at - now
                )
            for bucket in named:
                bucket.slots.append(at)
            return at
