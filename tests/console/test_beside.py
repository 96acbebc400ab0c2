"""Counts made beside the requests: one at a time, kept while they are good, made anew when told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from icp_sync.console.beside import counted, failing, outdated
from icp_sync.errors import UnavailableError
from icp_sync.journal import Journal
from tests.console.conftest import until


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Counting:
    """Counts how often it was asked; waits for `let` before it answers."""

    def __init__(self) -> None:
        self.times, self.let = 0, threading.Event()
        self.let.set()

    def __call__(self) -> int:
        self.times += 1
        assert self.let.wait(30)
        return self.times


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal.open(f"sqlite:///{tmp_path}/j.sqlite", "main")
    yield made
    made.close()


def test_a_quick_count_is_there_at_once_and_kept_while_it_is_good(journal: Journal) -> None:
    clock, count = Clock(), Counting()
    made = counted(journal, "n", count, clock, every=10.0)
    assert made is not None
    assert (made.value, made.at) == (1, 1_000.0)
    clock.now += 9
    again = counted(journal, "n", count, clock, every=10.0)
    assert again is not None
    assert again.value == 1
    clock.now += 1
    until(lambda: (now := counted(journal, "n", count, clock, every=10.0)) and now.value == 2, "anew")


def test_a_slow_count_is_made_once_however_many_look(journal: Journal) -> None:
    clock, count = Clock(), Counting()
    count.let.clear()
    assert [counted(journal, "n", count, clock, every=10.0) for _ in range(3)] == [None] * 3
    count.let.set()
    until(lambda: counted(journal, "n", count, clock, every=10.0), "the count")
    assert count.times == 1


def test_while_a_newer_one_is_made_the_last_one_stands(journal: Journal) -> None:
    clock, count = Clock(), Counting()
    assert counted(journal, "n", count, clock, every=10.0)
    count.let.clear()
    outdated(journal, "n")
    made = counted(journal, "n", count, clock, every=10.0)
    assert made is not None
    assert (made.value, made.busy) == (1, True)
    count.let.set()
    until(lambda: (now := counted(journal, "n", count, clock, every=10.0)) and now.value == 2, "anew")


def test_counts_of_other_names_and_journals_are_others(journal: Journal) -> None:
    clock = Clock()
    one = counted(journal, "a", lambda: "a", clock, every=10.0)
    two = counted(journal, "b", lambda: "b", clock, every=10.0)
    three = counted(journal.for_connection("x"), "a", lambda: "c", clock, every=10.0)
    assert [made.value for made in (one, two, three) if made] == ["a", "b", "c"]


@pytest.mark.parametrize("error", [UnavailableError("the database is away"), KeyError("x"), ValueError("y")])
def test_one_that_fails_says_so_is_tried_again_later_and_breaks_nothing(
    journal: Journal, error: Exception
) -> None:
    clock = Clock()

    def fails() -> int:
        raise error

    assert counted(journal, "n", fails, clock, every=10.0) is None
    until(lambda: failing(journal, "n", "other"), "the failure")
    assert not failing(journal, "other")
    clock.now += 11
    until(lambda: counted(journal, "n", lambda: 5, clock, every=10.0), "the count")
    assert not failing(journal, "n")


def test_one_that_is_outdated_while_it_is_made_is_made_anew(journal: Journal) -> None:
    clock, count = Clock(), Counting()
    count.let.clear()
    assert counted(journal, "n", count, clock, every=10.0) is None
    outdated(journal, "n")
    count.let.set()
    until(lambda: (now := counted(journal, "n", count, clock, every=10.0)) and now.value == 2, "anew")
