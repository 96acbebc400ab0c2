"""The calls of a day: what is left, what others use, and when one more may start."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.errors import UnavailableError
from icp_sync.quota import DAILY, Daily, DayStanding, Ledger, Quota, Rate
from icp_sync.quota.day import Day
from icp_sync.quota.priority import Carrying, Priority, current, working_for

HOUR, DAY = 3_600.0, 86_400.0


@dataclass
class Clock:
    now: float = 1_000_000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> bool:
        self.slept.append(seconds)
        self.now += seconds
        return False


@dataclass
class Crm:
    """The other side: it counts, tells in each reply what is left, and others use it too."""

    clock: Clock
    left: int
    limit: int = 1000
    resets_at: float | None = None
    reserve: int = 200
    entered: int = 0
    last_told: int | None = None
    told_at: float = 0.0

    def call(self, quota: Quota, *, others: int = 0, bucket: str = "calls") -> None:
        with quota.call(bucket) as flight:
            fresh = self.last_told is not None and self.clock.now - self.told_at < DAY
            self.entered += fresh and self.last_told - 1 < self.reserve  # type: ignore[operator]
            self.left -= 1 + others
            flight.answered = True
            self.last_told, self.told_at = self.left, self.clock.now
            left = None if self.resets_at is None else self.resets_at - self.clock.now
            quota.observe(DAILY, limit=self.limit, remaining=self.left, resets_in=left)


def day_of(quota: Quota) -> DayStanding:
    found = quota.standing()[0].day
    assert found is not None
    return found


def governed(clock: Clock, *, patience: float = 0.0, **how: object) -> Quota:
    daily = Daily(**how)  # type: ignore[arg-type]
    rates = {"calls": Rate(10_000, 1.0), "search": Rate(10_000, 1.0)}
    return Quota(
        rates, daily=daily, quiet=frozenset({"search"}), clock=clock, sleep=clock.sleep, patience=patience
    )


@given(st.lists(st.integers(0, 60), min_size=1, max_size=60), st.integers(190, 1000))
def test_no_call_starts_that_would_enter_the_reserve_by_what_was_last_told(
    others: list[int], left: int
) -> None:
    clock = Clock()
    crm, quota = Crm(clock=clock, left=left, resets_at=clock.now + DAY), governed(clock)
    for more in others:
        try:
            crm.call(quota, others=more)
        except UnavailableError:
            break
        clock.now += 1
    assert crm.entered == 0


def test_the_end_of_the_day_is_waited_for_and_then_work_goes_on() -> None:
    clock = Clock()
    crm, quota = Crm(clock=clock, left=205, resets_at=clock.now + 2 * HOUR), governed(clock)
    for _ in range(4):
        crm.call(quota)
    with pytest.raises(UnavailableError, match="up to the reserve") as stopped:
        crm.call(quota)
    assert stopped.value.retry_after == pytest.approx(2 * HOUR)
    clock.now += 2 * HOUR
    crm.left, crm.resets_at, crm.last_told = 1000, clock.now + DAY, None
    crm.call(quota)
    crm.call(quota)
    assert day_of(quota).stopped_for is None


def test_a_new_day_that_is_late_is_looked_for_now_and_then_and_never_in_the_reserve() -> None:
    clock = Clock()
    crm, quota = Crm(clock=clock, left=203, resets_at=clock.now + HOUR), governed(clock)
    crm.call(quota)
    clock.now += HOUR  # our midnight is not yet theirs
    crm.last_told, crm.resets_at = None, clock.now + DAY
    crm.call(quota)
    with pytest.raises(UnavailableError) as stopped:
        crm.call(quota)
    assert stopped.value.retry_after == pytest.approx(900)
    clock.now += 901
    crm.left, crm.last_told = 1000, None
    crm.call(quota)
    crm.call(quota)


def test_a_rolling_day_is_looked_at_once_an_hour_above_the_reserve_only() -> None:
    clock = Clock()
    crm, quota = Crm(clock=clock, left=20_005, limit=100_000, reserve=20_000), governed(clock, rolling=True)
    crm.call(quota)
    looks = 0
    for _ in range(3 * 24 * 4):
        clock.now += HOUR / 4
        try:
            crm.call(quota)
            looks += 1
        except UnavailableError:
            continue
    assert crm.entered == 0
    assert 4 <= looks <= 8, "four until the reserve, then one a day, when all of it is another day's"


def test_room_that_comes_back_is_used() -> None:
    clock = Clock()
    crm, quota = Crm(clock=clock, left=20_010, limit=100_000, reserve=20_000), governed(clock, rolling=True)
    crm.call(quota)
    with pytest.raises(UnavailableError):
        crm.call(quota)
    clock.now += HOUR + 1
    crm.left = 50_000
    crm.call(quota)
    for _ in range(20):
        crm.call(quota)
    assert crm.entered == 0


def test_until_the_first_reply_one_call_is_made_at_a_time_and_a_silent_crm_is_not_waited_for() -> None:
    clock = Clock()
    quota = governed(clock, patience=0.0)
    with quota.call("calls") as first:
        with pytest.raises(UnavailableError), quota.call("calls"):
            raise AssertionError("nobody knows yet what is left")
        first.answered = True
    for _ in range(2):
        with quota.call("calls") as more:
            more.answered = True
    with quota.call("calls"), quota.call("calls"):
        assert quota.remaining(DAILY) is None
    assert quota.silent(60.0)


def test_a_first_call_of_a_process_that_died_holds_up_the_others_for_seconds_only() -> None:
    day = Day()
    day.hands.depart("dead", 1_000_000.0)
    assert day.may(1_000_001.0, Daily(), Priority.INCREMENTAL) is not None
    assert day.may(1_000_006.0, Daily(), Priority.INCREMENTAL) is None


def test_a_search_that_tells_nothing_counts_until_a_later_reply_has_told() -> None:
    clock = Clock()
    crm, quota = Crm(clock=clock, left=210, resets_at=clock.now + DAY), governed(clock)
    crm.call(quota)
    for _ in range(8):
        with quota.call("search") as flight:
            crm.left -= 1
            flight.answered = True
    assert day_of(quota).in_flight == 8
    with pytest.raises(UnavailableError), quota.call("search"):
        raise AssertionError("nine left, eight searches")


def test_a_reply_that_was_overtaken_does_not_raise_the_remainder() -> None:
    quota = governed(Clock())
    with quota.call("calls"):
        quota.observe(DAILY, limit=1000, remaining=900)
    with quota.call("calls"):
        with quota.call("calls"):
            quota.observe(DAILY, limit=1000, remaining=500)
        quota.observe(DAILY, limit=1000, remaining=899)  # counted before the other, read after it
    assert quota.remaining(DAILY) == 500
    with quota.call("calls"):
        quota.observe(DAILY, limit=1000, remaining=700)
    assert quota.remaining(DAILY) == 700, "begun when all that was known"


def test_others_use_is_what_is_gone_and_not_ours() -> None:
    clock = Clock()
    crm, quota = Crm(clock=clock, left=1000, resets_at=clock.now + DAY), governed(clock)
    for _ in range(10):
        crm.call(quota, others=4)
        clock.now += 360
    standing = quota.standing()[0]
    assert (standing.used, standing.limit) == (10, 1000)
    day = day_of(quota)
    assert (day.remaining, day.others, day.reserve) == (950, 40, 200)
    # 45 in 54 minutes after the first were noted: 750 above the reserve last some 15 hours.
    assert day.runs_out_in == pytest.approx(750 / 45 * 3240, rel=0.02)


def test_the_absolute_reserve_holds_where_it_is_the_larger() -> None:
    assert Daily(share=0.2, calls=10).reserve(1000) == 200
    assert Daily(share=0.2, calls=500).reserve(1000) == 500
    assert Daily(share=0.0).reserve(1000) == 0
    with pytest.raises(ValueError, match="share"):
        Daily(share=1.0)


def test_what_the_journal_holds_is_read_back_as_it_was_and_rubbish_counts_as_nothing() -> None:
    clock = Clock()
    crm, quota = Crm(clock=clock, left=900, resets_at=clock.now + DAY), governed(clock)
    for _ in range(5):
        crm.call(quota)
    rates = {"calls": Rate(10_000, 1.0), "search": Rate(10_000, 1.0)}
    text = quota._kept.ledger.to_text()  # type: ignore[attr-defined]
    assert Ledger.from_text(text, rates).to_text() == text
    empty = Ledger.from_text("", rates).to_text()
    for rubbish in ("[]", "{", '{"windows": 3}', '{"day": {"seen": [1]}}', '{"day": {"hands": {"a": 2}}}'):
        assert Ledger.from_text(rubbish, rates).to_text() == empty


@pytest.mark.parametrize(
    ("stream", "priority"),
    [("poll", 0), ("trailing", 0), ("due", 0), ("sweep", 1), ("backfill", 2), ("dry run", 2), ("else", 0)],
)
def test_streams_have_a_priority_that_pools_carry(stream: str, priority: int) -> None:
    with Carrying(1) as pool:
        assert pool.submit(current).result() is Priority.INCREMENTAL
        with working_for(stream):
            assert pool.submit(current).result() == priority
        assert list(pool.map(lambda _: current(), [0])) == [0]


def test_what_can_wait_lets_what_is_urgent_go_first() -> None:
    clock = Clock()
    rates = {"search": Rate(2, 10.0)}
    quota = Quota(rates, clock=clock, sleep=clock.sleep, patience=0.0)
    with working_for("backfill"):
        quota.acquire("search")
        quota.acquire("search")
    with pytest.raises(UnavailableError):
        quota.acquire("search")  # it is waiting from here on
    clock.now += 10.0
    with working_for("backfill"), pytest.raises(UnavailableError):
        quota.acquire("search")
    assert quota.acquire("search") == pytest.approx(0.1)


def test_the_third_refusal_in_a_row_closes_the_bucket_for_its_whole_window() -> None:
    clock = Clock()
    quota = Quota({"burst": Rate(100, 10.0)}, clock=clock, sleep=clock.sleep)
    waits = []
    for _ in range(3):
        quota.refused("burst", 1.0)
        waits.append(quota.acquire("burst"))
    assert waits == pytest.approx([1.0, 1.0, 10.1])
    with quota.call("burst") as flight:
        flight.answered = True
    quota.refused("burst", 1.0)
    assert quota.acquire("burst") == pytest.approx(1.0), "a reply that is none of these ends the row"


def test_a_refused_bucket_stays_below_its_limit_and_rises_again_by_one_a_minute() -> None:
    clock = Clock()
    quota = Quota({"search": Rate(4, 1.0)}, clock=clock, sleep=clock.sleep)
    for _ in range(9):
        quota.acquire("search")
        quota.refused("search", 1.0)
    assert quota.limit("search") == 1
    clock.now += 121
    assert quota.limit("search") == 3
    clock.now += 3600
    assert quota.limit("search") == 4
