"""The limiter: who asks first sends first, never more than the rate, and every wait can be ended."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.errors import UnavailableError
from icp_sync.observe import registry
from icp_sync.quota import GUARD, Quota, Rate


@dataclass
class Clock:
    """A monotonic clock that only sleeping moves."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> bool:
        self.slept.append(seconds)
        self.now += seconds
        return False


def quota(clock: Clock, **buckets: Rate) -> Quota:
    return Quota(buckets, clock=clock.read, sleep=clock.sleep, patience=1e9)


def test_a_bucket_gives_its_slots_at_once_and_the_next_when_the_oldest_is_a_window_old() -> None:
    clock = Clock()
    burst = quota(clock, burst=Rate(3, 10.0))
    granted = []
    for _ in range(7):
        burst.acquire("burst")
        granted.append(clock.now)
    window = 10.0 + GUARD
    assert granted == pytest.approx([0, 0, 0, window, window, window, 2 * window])


@given(
    limit=st.integers(1, 5),
    seconds=st.floats(0.5, 20),
    pauses=st.lists(st.one_of(st.none(), st.floats(0.1, 30)), min_size=1, max_size=40),
    idle=st.lists(st.floats(0, 15), max_size=40),
)
def test_no_window_ever_holds_more_than_its_limit(
    limit: int, seconds: float, pauses: list[float | None], idle: list[float]
) -> None:
    clock = Clock()
    burst = quota(clock, burst=Rate(limit, seconds))
    granted: list[float] = []
    for number, pause in enumerate(pauses):
        clock.now += idle[number] if number < len(idle) else 0.0
        if pause is not None:
            burst.pause("burst", pause)
        burst.acquire("burst")
        granted.append(clock.now)
    assert granted == sorted(granted)
    for at in granted:
        assert sum(at - seconds < other <= at for other in granted) <= limit


def test_a_call_waits_for_the_slowest_of_its_buckets() -> None:
    clock = Clock()
    both = quota(clock, burst=Rate(100, 10.0), search=Rate(1, 1.0))
    both.acquire("burst", "search")
    both.acquire("burst", "search")
    assert clock.now == pytest.approx(1.0 + GUARD)
    both.acquire("burst")
    assert clock.now == pytest.approx(1.0 + GUARD)


def test_a_pause_holds_everybody_and_then_ends() -> None:
    clock = Clock()
    burst = quota(clock, burst=Rate(100, 10.0), search=Rate(4, 1.0))
    burst.pause("burst", 7.5)
    burst.acquire("search")
    assert clock.now == 0
    assert burst.acquire("burst") == pytest.approx(7.5)
    burst.acquire("burst")
    assert clock.now == pytest.approx(7.5)


def test_a_pause_that_begins_while_one_waits_makes_it_wait_again() -> None:
    clock = Clock()
    burst = Quota({"burst": Rate(1, 10.0)}, clock=clock.read, sleep=lambda s: interrupted(s))

    def interrupted(seconds: float) -> bool:
        if not clock.slept:
            burst.pause("burst", 60.0)
        return clock.sleep(seconds)

    burst.acquire("burst")
    burst.acquire("burst")
    assert clock.now >= 60.0


def test_only_a_lower_limit_is_believed() -> None:
    clock = Clock()
    burst = quota(clock, burst=Rate(10, 10.0))
    burst.observe("burst", limit=4, remaining=3)
    assert (burst.limit("burst"), burst.remaining("burst")) == (4, 3)
    for _ in range(5):
        burst.acquire("burst")
    assert clock.now == pytest.approx(10.0 + GUARD)
    burst.observe("burst", limit=500)
    assert burst.limit("burst") == 10
    burst.observe("burst", limit=0)
    burst.observe("nonsense", limit=1)
    assert burst.limit("burst") == 10


def test_a_wait_beyond_patience_is_an_error_that_says_how_long() -> None:
    clock = Clock()
    burst = Quota({"burst": Rate(1, 1.0)}, clock=clock.read, sleep=clock.sleep, patience=60)
    burst.pause_all(3600)
    with pytest.raises(UnavailableError) as raised:
        burst.acquire("burst")
    assert raised.value.retry_after == pytest.approx(3600)
    assert clock.slept == []


def test_a_bucket_that_does_not_exist_has_no_limit() -> None:
    assert quota(Clock()).acquire("anything") == 0


@pytest.mark.parametrize("own", [True, False])
def test_a_stop_ends_a_wait(own: bool) -> None:
    stop = threading.Event()
    burst = Quota({"burst": Rate(1, 3600.0)}, stop=stop if own else None, patience=1e9)
    burst.acquire("burst")
    ended: list[str] = []

    def wait() -> None:
        try:
            burst.acquire("burst", stop=None if own else stop)
        except UnavailableError as error:
            ended.append(str(error))

    waiter = threading.Thread(target=wait)
    waiter.start()
    stop.set()
    waiter.join(timeout=30)
    assert ended == ["stopped while waiting for the rate limit"]


def test_threads_share_one_rate() -> None:
    window = 0.2
    burst = Quota({"burst": Rate(5, window)})
    started = time.monotonic()
    threads = [threading.Thread(target=lambda: [burst.acquire("burst") for _ in range(3)]) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Fifteen slots at five a window: the last lies two windows after the first, however late we wake.
    assert time.monotonic() - started >= 2 * (window + GUARD)


def test_the_time_waited_is_counted_by_connection_and_bucket() -> None:
    labels = {"connection": "counted", "bucket": "burst"}
    clock = Clock()
    burst = Quota({"burst": Rate(1, 9.9)}, connection="counted", clock=clock.read, sleep=clock.sleep)
    burst.acquire("burst")
    burst.acquire("burst")
    assert registry.get_sample_value("icp_sync_quota_wait_seconds_total", labels) == pytest.approx(10.0)


@pytest.mark.parametrize(("limit", "seconds"), [(0, 1.0), (5, 0.0), (-1, 1.0)])
def test_an_impossible_rate_is_refused(limit: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        Rate(limit, seconds)


def test_what_others_are_seen_to_use_of_a_window_is_left_to_them_for_as_long_as_they_do() -> None:
    clock = Clock()
    burst = quota(clock, burst=Rate(20, 10.0))
    for used in (1, 5, 6):
        with burst.call("burst"):
            burst.observe("burst", limit=20, remaining=20 - used)
    assert burst.limit("burst") == 20 - 4  # of the last six three were ours, and they do not come evenly
    clock.now += 10.0 + GUARD
    assert burst.limit("burst") == 20


def test_others_who_use_a_full_window_are_left_twice_as_much_and_never_more_than_half() -> None:
    clock = Clock()
    burst = quota(clock, burst=Rate(20, 10.0))
    for remaining in (14, 0):
        with burst.call("burst"):
            burst.observe("burst", limit=20, remaining=remaining)
    assert burst.limit("burst") == 10


@given(ours=st.lists(st.floats(0.0, 3.0), min_size=1, max_size=60))
def test_our_own_calls_are_never_taken_for_those_of_others(ours: list[float]) -> None:
    clock = Clock()
    burst = quota(clock, burst=Rate(20, 10.0))
    sent: list[float] = []
    for idle in ours:
        clock.now += idle
        with burst.call("burst"):
            sent.append(clock.now)
            used = sum(clock.now - 10.0 < at for at in sent)
            burst.observe("burst", limit=20, remaining=20 - used)
        assert burst.limit("burst") == 20
