"""What is due: found from the journal and the queue alone, so that any worker finds the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from icp_sync.cluster.queue import LONG, QUICK, Queue, prepared
from icp_sync.cluster.timetable import URGENT, Due, due
from icp_sync.daemon import Stopping
from icp_sync.daemon.loops import loops_of
from icp_sync.daemon.streams import Loop
from icp_sync.journal import Journal
from icp_sync.journal.turns import Key, Turn
from tests import postgres
from tests.daemon.station import portal
from tests.sync.world import World

NOW = time.time()
HOUR = {"poll": "1h", "trailing": "1h", "due": "1h", "sweep": "24h"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    made = postgres.server().database()
    journal = Journal.open(made, "main")
    prepared(journal)
    prepared(journal)  # again, as every further worker does
    journal.close()
    yield made
    postgres.server().drop(made)


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    opened = Journal.open(url, "main")
    yield opened
    opened.forget_turns([(turn.stream, turn.partition) for turn in opened.turns()])
    for asked in opened.requests("waiting", "running"):
        opened.cancel_request(asked.id, now=NOW)
    opened.close()


@pytest.fixture
def loops(journal: Journal, tmp_path: Path) -> list[Loop]:
    world = World(tmp_path)
    world.journal.close()
    world.journal = journal
    stopping = Stopping()
    made = loops_of(portal(world, stopping, schedule=HOUR), stopping, lambda: NOW)
    for loop in made:
        loop.expected = NOW
    return made


def found(journal: Journal, loops: list[Loop], now: float, **ranges: list[str]) -> Mapping[Key, Due]:
    return {one.key: one for one in due(journal, loops, ranges, now)}


def test_what_nobody_has_run_yet_is_due_and_what_was_run_waits_for_its_turn(
    journal: Journal, loops: list[Loop]
) -> None:
    assert ("main", "poll", "") in found(journal, loops, NOW)
    journal.keep_turn(Turn(stream="poll", due_at=NOW + 60))
    assert ("main", "poll", "") not in found(journal, loops, NOW)
    assert ("main", "poll", "") in found(journal, loops, NOW + 61)


def test_what_may_take_hours_leaves_the_others_their_room(journal: Journal, loops: list[Loop]) -> None:
    queues = {stream: one.queue for (_, stream, _), one in found(journal, loops, NOW).items()}
    assert {stream for stream, queue in queues.items() if queue == LONG} == {"backfill", "sweep"}
    assert {"poll", "trailing", "due"} <= {stream for stream, queue in queues.items() if queue == QUICK}


def test_a_lane_runs_only_while_somebody_asks_for_something_and_goes_first(
    journal: Journal, loops: list[Loop]
) -> None:
    assert not any("requests" in stream for _, stream, _ in found(journal, loops, NOW))
    asked = journal.ask("undo", {"run": "x"}, by="ada", now=NOW - 5)
    first = due(journal, loops, {}, NOW)[0]
    assert (first.key, first.priority) == (("main", "undo requests", ""), URGENT)
    journal.cancel_request(asked, now=NOW)
    assert not any("requests" in stream for _, stream, _ in found(journal, loops, NOW))


def test_a_lane_that_fails_waits_as_any_stream_does(journal: Journal, loops: list[Loop]) -> None:
    journal.ask("undo", {"run": "x"}, by="ada", now=NOW - 5)
    journal.keep_turn(Turn(stream="undo requests", due_at=NOW + 60, failures=3, error="away"))
    assert ("main", "undo requests", "") not in found(journal, loops, NOW)
    assert ("main", "undo requests", "") in found(journal, loops, NOW + 61)


def test_a_lane_that_waits_for_the_calls_of_the_next_day_waits(journal: Journal, loops: list[Loop]) -> None:
    journal.ask("undo", {"run": "x"}, by="ada", now=NOW - 5)
    tomorrow = NOW + 20_000
    journal.keep_turn(Turn(stream="undo requests", due_at=tomorrow, began_at=NOW, waits_until=tomorrow))
    assert ("main", "undo requests", "") not in found(journal, loops, NOW)
    assert ("main", "undo requests", "") in found(journal, loops, tomorrow + 1)


@pytest.mark.parametrize("ahead", [3_700.0, 10 * 86_400.0])
def test_a_turn_further_ahead_than_its_schedule_says_is_due(
    journal: Journal, loops: list[Loop], ahead: float
) -> None:
    """Kept by a clock that was wrong, or before the schedule was changed; the interval here is an hour."""
    journal.keep_turn(Turn(stream="poll", due_at=NOW + ahead))
    assert ("main", "poll", "") in found(journal, loops, NOW)
    journal.keep_turn(Turn(stream="poll", due_at=NOW + 3_500))
    assert ("main", "poll", "") not in found(journal, loops, NOW)


def test_tasks_of_another_program_are_its_own(journal: Journal) -> None:
    with journal.engine.begin() as conn:
        conn.exec_driver_sql(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status, args) VALUES"
            " ('invoices', 'send', 'doing', '{}'),"
            " ('invoices', 'send', 'failed', '{\"connection\": \"main\"}')"
        )
    told: list[int] = []
    queue = Queue(journal, perform=lambda *_: None, look=list, run=_at_once, recovered=told.append)

    async def looked_after() -> None:
        async with queue.opened(asyncio.Event()):
            await queue._recover(0)
            await queue._prune(0)

    asyncio.run(looked_after())
    counted = journal.tasks()
    assert counted is not None
    assert (told, counted.dead, counted.counts["failed"]) == ([], (), 0)
    with journal.engine.begin() as conn:
        left = conn.exec_driver_sql(
            "DELETE FROM procrastinate_jobs WHERE queue_name = 'invoices' RETURNING id"
        )
        assert len(left.all()) == 2


async def _at_once(function: object, *args: object) -> object:
    return function(*args)  # type: ignore[operator]


def test_the_ranges_of_a_backfill_are_due_one_by_one(journal: Journal, loops: list[Loop]) -> None:
    keys = set(found(journal, loops, NOW, main=["01", "02"]))
    assert {("main", "backfill", ""), ("main", "backfill", "01"), ("main", "backfill", "02")} <= keys


def test_the_longest_due_goes_first(journal: Journal, loops: list[Loop]) -> None:
    journal.keep_turn(Turn(stream="due", due_at=NOW - 100))
    journal.keep_turn(Turn(stream="poll", due_at=NOW - 50))
    quick = [one.key[1] for one in due(journal, loops, {}, NOW) if one.queue == QUICK]
    assert quick.index("due") < quick.index("poll") < quick.index("trailing")


def test_a_halted_connection_has_no_turn(journal: Journal, loops: list[Loop]) -> None:
    from icp_sync.errors import AuthError

    loops[0].portal.halt(AuthError("the token was revoked"))
    assert found(journal, loops, NOW) == {}
    journal.end_alert("connection stopped")


def test_what_waits_in_the_queue_is_not_put_there_again(journal: Journal, loops: list[Loop]) -> None:
    looks = []

    def look() -> list[tuple[Key, str, int]]:
        found = [(one.key, one.queue, one.priority) for one in due(journal, loops, {}, NOW)]
        looks.append(len(found))
        return found

    queue = Queue(journal, perform=lambda *_: None, look=look, run=_at_once, recovered=lambda _: None)

    async def twice() -> None:
        async with queue.opened(asyncio.Event()):
            await queue._trigger(0)
            await queue._trigger(1)

    asyncio.run(twice())
    assert looks[0] > 0
    assert looks[1] == 0
    counted = journal.tasks()
    assert counted is not None
    assert counted.counts["waiting"] == looks[0]
