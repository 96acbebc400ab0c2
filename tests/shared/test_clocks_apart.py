"""Machines whose clocks differ by minutes agree by the database's on who holds what, and until when."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from icp_sync.domain.buying import Budgets
from icp_sync.journal import Answered, Journal
from tests import postgres

MINUTES = 600.0
real = time.time


@pytest.fixture
def url() -> str:
    return postgres.server().scratch()


@contextmanager
def clock_ahead(seconds: float) -> Iterator[None]:
    """This machine's clock, set wrongly. The database's stays."""
    time.time = lambda: real() + seconds
    try:
        yield
    finally:
        time.time = real


@pytest.fixture
def journals(url: str) -> Iterator[tuple[Journal, Journal]]:
    one, two = Journal.open(url, "main"), Journal.open(url, "main")
    yield one, two
    one.close()
    two.close()


def test_a_machine_whose_clock_is_ahead_steals_no_lease(journals: tuple[Journal, Journal]) -> None:
    right, wrong = journals
    mine = right.lease("poll", holder="right", now=time.time(), ttl=60.0)
    assert mine is not None
    with clock_ahead(MINUTES):
        assert wrong.lease("poll", holder="wrong", now=time.time(), ttl=60.0) is None
    right.check_fence(mine)


def test_a_machine_whose_clock_is_ahead_keeps_no_lease_for_longer(journals: tuple[Journal, Journal]) -> None:
    right, wrong = journals
    with clock_ahead(MINUTES):
        theirs = wrong.lease("poll", holder="wrong", now=time.time(), ttl=0.2)
        assert theirs is not None
        theirs = wrong.renew(theirs, now=time.time(), ttl=0.2)
    time.sleep(0.4)
    assert right.lease("poll", holder="right", now=time.time()) is not None


def test_a_machine_whose_clock_is_behind_has_its_lease_for_as_long_as_others(
    journals: tuple[Journal, Journal],
) -> None:
    right, wrong = journals
    with clock_ahead(-MINUTES):
        theirs = wrong.lease("poll", holder="wrong", now=time.time(), ttl=60.0)
        assert theirs is not None
    assert right.lease("poll", holder="right", now=time.time()) is None
    wrong.check_fence(theirs)


def test_of_two_machines_with_the_same_question_one_asks_it_whatever_their_clocks_say(
    journals: tuple[Journal, Journal],
) -> None:
    right, wrong = journals
    got = right.reserve("seller", {"a.example": 1.0}, now=time.time(), run="one", retry_unknown_after=300.0)
    assert got.free == ("a.example",)
    with clock_ahead(MINUTES):
        again = wrong.reserve(
            "seller", {"a.example": 1.0}, now=time.time(), run="two", retry_unknown_after=300.0
        )
    assert again.busy == {"a.example"}


def test_a_day_begins_for_every_machine_when_it_does_for_the_database(
    journals: tuple[Journal, Journal],
) -> None:
    right, wrong = journals
    tomorrow = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    to_midnight = tomorrow.timestamp() - real()
    budgets = Budgets(day=1.0)
    got = right.reserve("seller", {"a.example": 1.0}, now=time.time(), run="one", budgets=budgets)
    assert got.free == ("a.example",)
    with clock_ahead(to_midnight + 60.0):
        over = wrong.reserve("seller", {"b.example": 1.0}, now=time.time(), run="two", budgets=budgets)
        assert over.over == {"b.example": "day"}
        wrong.record_all("seller", [Answered(key="a.example", kind="none")], now=time.time(), run="one")
        assert wrong.budget_left(budgets, now=time.time()) == {"day": 1.0}
