"""Several processes on one PostgreSQL keep a limit together, and each has its part of it."""

from __future__ import annotations

import signal
import time

import pytest

from tests import postgres
from tests.shared.hammering import Hammer, counting

LIMIT, WINDOW = 60, 3.0


@pytest.fixture(autouse=True)
def _there_is_a_server() -> None:
    postgres.server()


def test_processes_near_and_far_with_clocks_apart_get_even_parts_of_all_there_is_and_no_more() -> None:
    with counting() as (url, counted):
        hammer = Hammer(url, limit=LIMIT, seconds=WINDOW)
        try:
            for n, who in enumerate("abcd"):
                hammer.prepare(who, distance=0.004 * n, ahead=300.0 * (n == 1))
            began = hammer.begin(*"abcd") + WINDOW
            time.sleep(3 * WINDOW)
            parts = counted.between(began, began + 2 * WINDOW)
        finally:
            hammer.close()
    assert counted.above(WINDOW, LIMIT) == 0
    assert sum(parts.values()) >= 0.85 * 2 * LIMIT, "the guard alone costs 3 %; hammering.py says more"
    assert all(parts[who] >= 0.7 * sum(parts.values()) / 4 for who in "abcd"), parts


def test_one_that_is_killed_and_one_that_sleeps_and_wakes_put_no_call_too_many_into_any_window() -> None:
    with counting() as (url, counted):
        hammer = Hammer(url, limit=LIMIT, seconds=WINDOW)
        try:
            for who in "abc":
                hammer.prepare(who)
            hammer.begin(*"abc")
            time.sleep(0.3)
            hammer.signal("a", signal.SIGKILL)
            hammer.signal("b", signal.SIGSTOP)
            time.sleep(1.3 * WINDOW)  # what was given to the sleeper is others' by now
            asleep = time.monotonic()
            hammer.signal("b", signal.SIGCONT)
            time.sleep(0.7 * WINDOW)
            awake = counted.between(asleep, time.monotonic())
        finally:
            hammer.close()
    assert counted.above(WINDOW, LIMIT) == 0
    assert awake["b"]
    assert awake["c"]
    assert not awake["a"]
