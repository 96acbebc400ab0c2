"""Whose turn it is, and which workers live: what several processes tell one another, on either database."""

from __future__ import annotations

from dataclasses import replace

from icp_sync.journal import Journal
from icp_sync.journal.turns import Turn
from icp_sync.journal.workers import REMEMBERED, WorkerRow

POLL = Turn(
    stream="poll",
    due_at=70.0,
    worker="vm:1",
    began_at=10.0,
    ended_at=None,
    last_success=5.0,
    waits_until=3.0,
    failures=2,
    down_since=4.0,
    error="away",
)


def test_a_turn_comes_back_as_it_was_kept(journal: Journal) -> None:
    assert journal.turn("poll") is None
    journal.keep_turn(POLL)
    assert journal.turn("poll") == POLL
    journal.keep_turn(replace(POLL, worker="", failures=0, error=""))
    assert journal.turn("poll") == replace(POLL, worker="", failures=0, error="")


def test_ranges_of_a_stream_have_turns_of_their_own(journal: Journal) -> None:
    ranges = [Turn(stream="backfill", partition=name, due_at=float(n)) for n, name in enumerate(("01", "02"))]
    for one in (POLL, *ranges):
        journal.keep_turn(one)
    assert sorted(journal.turns(), key=lambda one: (one.stream, one.partition)) == [*ranges, POLL]
    journal.forget_turns([("backfill", "01")])
    assert journal.turn("backfill", "01") is None
    assert journal.turn("backfill", "02") == ranges[1]


def test_whoever_looks_sees_the_turns_of_every_connection(journal: Journal) -> None:
    other = journal.for_connection("other")
    journal.keep_turn(POLL)
    other.keep_turn(replace(POLL, due_at=1.0))
    assert {key: turn.due_at for key, turn in journal.all_turns().items()} == {
        ("main", "poll", ""): 70.0,
        ("other", "poll", ""): 1.0,
    }
    assert [turn.due_at for turn in journal.turns()] == [70.0]


def test_workers_are_known_until_they_say_goodbye_or_nobody_has_heard_of_them_for_a_day(
    journal: Journal,
) -> None:
    first = WorkerRow(id="a:1", version="1", schema="0008", started_at=1.0, seen_at=1.0, jobs=4)
    second = replace(first, id="b:2", started_at=2.0, seen_at=2.0)
    third = replace(first, id="c:3", started_at=3.0, seen_at=3.0)
    for one in (first, second, third):
        journal.worker_seen(one)
    journal.worker_gone("c:3")
    assert journal.workers() == [first, second]
    later = replace(second, seen_at=1.0 + REMEMBERED + 0.5)
    journal.worker_seen(later)
    assert journal.workers() == [later]


def test_without_a_cluster_there_is_no_queue_to_tell_of(journal: Journal) -> None:
    assert journal.tasks() is None
    assert journal.all_task_counts() == {}
