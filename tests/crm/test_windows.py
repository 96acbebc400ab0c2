"""Closed windows: where they begin and end, whatever the clock they are cut by does."""

from __future__ import annotations

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.crm.windows import Windows, stamp_is_old
from icp_sync.ports import Position, Stream

NOW = 1_795_302_000.0
MS = round(NOW * 1000)
HOUR = 3_600_000
WINDOWS = Windows(overlap=120.0, lag=3600.0)


def test_a_poll_begins_its_overlap_before_the_end_of_the_last_one() -> None:
    window = WINDOWS.open(Stream.POLL, Position(done_to=MS - 60_000), NOW)
    assert (window.lower, window.upper) == (MS - 180_000, MS)


def test_the_trailing_pass_stays_behind_and_reads_nothing_twice() -> None:
    window = WINDOWS.open(Stream.TRAILING, Position(done_to=MS - 2 * HOUR), NOW)
    assert (window.lower, window.upper) == (MS - 2 * HOUR, MS - HOUR)


def test_an_unfinished_window_is_read_to_the_end_it_had() -> None:
    begun = Position(done_to=MS - HOUR, upper=MS - 1_000, last_id="7")
    window = WINDOWS.open(Stream.POLL, begun, NOW)
    assert (window.upper, window.last_id, window.closed()) == (MS - 1_000, "7", Position(done_to=MS - 1_000))


@pytest.mark.parametrize("stream", [Stream.POLL, Stream.TRAILING])
@pytest.mark.parametrize(
    "position", [Position(done_to=MS + 599_000), Position(done_to=MS - 1, upper=MS + 599_000)]
)
def test_a_clock_that_went_back_a_little_moves_no_position_back(stream: Stream, position: Position) -> None:
    window = WINDOWS.open(stream, position, NOW)
    assert window.closed().done_to == MS + 599_000


@pytest.mark.parametrize("stream", [Stream.POLL, Stream.TRAILING])
@pytest.mark.parametrize(
    "position",
    [
        Position(done_to=MS + 86_400_000),
        Position(upper=MS + 86_400_000, last_id="7"),
        Position(done_to=MS + HOUR, upper=MS + 86_400_000, last_id="7"),
    ],
)
def test_a_position_in_the_future_goes_back_to_what_late_commits_need_and_says_so(
    stream: Stream, position: Position
) -> None:
    with structlog.testing.capture_logs() as said:
        window = WINDOWS.open(stream, position, NOW)
    assert window.lower <= MS - HOUR
    assert window.upper <= MS
    assert window.last_id == ""
    assert [entry["log_level"] for entry in said] == ["error"]


def test_a_window_that_ends_in_the_future_is_left_where_it_began() -> None:
    begun = Position(done_to=MS - 5 * HOUR, upper=MS + 86_400_000, last_id="7")
    window = WINDOWS.open(Stream.TRAILING, begun, NOW)
    assert (window.lower, window.upper, window.last_id) == (MS - 5 * HOUR, MS - HOUR, "")


@given(
    stream=st.sampled_from([Stream.POLL, Stream.TRAILING]),
    done_to=st.just(0) | st.integers(1_000, 2 * MS),
    upper=st.just(0) | st.integers(1_000, 2 * MS),
)
def test_no_window_ends_far_ahead_of_the_clock_and_each_ends_after_it_begins(
    stream: Stream, done_to: int, upper: int
) -> None:
    position = Position(done_to=min(done_to, upper or done_to), upper=upper, last_id="7" if upper else "")
    window = WINDOWS.open(stream, position, NOW)
    assert window.upper <= MS + 600_000
    assert window.lower <= window.upper


def test_a_stamp_is_old_once_its_unit_and_what_settles_have_passed() -> None:
    assert [stamp_is_old(MS, MS + passed) for passed in (2_001, 2_002)] == [False, True]
    slow = [stamp_is_old(MS, MS + passed, unit=1_000, settling=900_000) for passed in (901_000, 901_001)]
    assert slow == [False, True]
