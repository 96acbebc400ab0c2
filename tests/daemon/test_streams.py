"""One stream in the daemon: what a failure costs it, and what it costs nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from icp_sync.daemon import Stopping
from icp_sync.daemon.pacing import LONGEST, Pace, Room
from icp_sync.daemon.portal import FIRST_READING, Portal
from icp_sync.daemon.streams import LATE_AFTER, LONGEST_DELAY, WATCH, Loop, State
from icp_sync.domain.standing import Mode
from icp_sync.errors import AuthError, ConfigError, NoCallsLeftError, UnavailableError
from icp_sync.ports import Stream
from tests.daemon.station import portal
from tests.sync.world import GOOD, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(folder=tmp_path)


def loop_of(made: Portal, stream: Stream, world: World, stopping: Stopping | None = None) -> Loop:
    return Loop(made, stream, 60.0, stopping or Stopping(), world.clock)


def down(error: Exception):  # type: ignore[no-untyped-def]
    def raising(_: str) -> None:
        raise error

    return raising


def test_a_failing_stream_waits_longer_each_time_up_to_a_quarter_of_an_hour_then_is_back(
    world: World,
) -> None:
    poll = loop_of(portal(world, Stopping()), Stream.POLL, world)
    assert (poll.tick(), poll.state) == (0.0, State.OK)
    with capture_logs() as said:
        world.crm.before = down(UnavailableError("the network is gone"))
        waits = [poll.tick() for _ in range(10)]
        assert waits == sorted(waits)
        assert waits[0] < waits[3] < waits[-1] == LONGEST_DELAY
        assert (poll.state, poll.failures) == (State.DOWN, 10)
        world.crm.before = lambda _: None
        assert (poll.tick(), poll.state) == (0.0, State.OK)
    loud = [(line["event"], line.get("error")) for line in said if line["log_level"] != "debug"]
    assert loud == [("down", "the network is gone"), ("back", None)]


def test_a_stream_waits_as_long_as_the_other_side_asked_for(world: World) -> None:
    poll = loop_of(portal(world, Stopping()), Stream.POLL, world)
    world.crm.before = down(UnavailableError("daily limit", retry_after=7200.0))
    assert poll.tick() == 7200.0


def test_waiting_for_the_calls_of_the_day_is_no_failure(world: World) -> None:
    poll = loop_of(portal(world, Stopping()), Stream.POLL, world)
    poll.tick()
    world.crm.before = down(NoCallsLeftError("the day's calls are used up", retry_after=7200.0))
    with capture_logs() as said:
        assert poll.tick() == 7200.0
    assert [line for line in said if line["log_level"] not in ("debug", "info")] == []
    world.clock.step(7200)
    assert (poll.state, poll.failures) == (State.WAITING, 0)
    world.clock.step(LATE_AFTER + 1)
    assert poll.state is State.LATE, "it should have gone on by now"
    world.crm.before = lambda _: None
    assert (poll.tick(), poll.state) == (0.0, State.OK)


def test_the_look_for_drift_needs_no_crm(world: World) -> None:
    world.crm.before = down(NoCallsLeftError("the day's calls are used up", retry_after=7200.0))
    watch = Loop(portal(world, Stopping()), WATCH, 60.0, Stopping(), world.clock)
    assert (watch.tick(), watch.state) == (0.0, State.OK)


def test_a_stream_another_worker_is_busy_with_is_not_late(world: World) -> None:
    poll = loop_of(portal(world, Stopping()), Stream.POLL, world)
    poll.tick()
    assert world.journal.lease("poll", holder="another", now=world.clock(), ttl=86_400.0)
    for _ in range(40):
        world.clock.step(60)
        poll.tick()
    assert poll.state is State.OK


@pytest.mark.parametrize("error", [AuthError("no such key"), ConfigError("wrong portal")])
def test_only_a_person_helps_a_connection_that_is_halted(world: World, error: Exception) -> None:
    made = portal(world, Stopping())
    poll, due = loop_of(made, Stream.POLL, world), loop_of(made, Stream.DUE, world)
    world.crm.before = down(error)
    assert poll.tick() == 0.0
    assert made.halted is error
    world.crm.before = lambda _: None
    due.tick()
    assert (poll.state, due.state, due.last_success) == (State.HALTED, State.HALTED, None)


def test_what_nobody_foresaw_counts_as_a_failure_and_is_shown(world: World) -> None:
    poll = loop_of(portal(world, Stopping()), Stream.POLL, world)
    world.crm.before = down(ZeroDivisionError("a mistake of ours"))
    with pytest.raises(ZeroDivisionError):
        poll.tick()
    assert (poll.state, poll.delay() > 0) == (State.DOWN, True)


def test_a_lease_taken_over_ends_the_cycle_and_nothing_else(world: World) -> None:
    world.company(**GOOD)
    poll = loop_of(portal(world, Stopping()), Stream.POLL, world)

    def taken(call: str) -> None:
        if call == "page":
            world.journal.break_leases()

    world.crm.before = taken
    assert poll.tick() == 0.0
    assert (poll.failures, poll.portal.halted) == (0, None)


def test_a_stream_told_to_drain_begins_nothing(world: World) -> None:
    stopping = Stopping()
    world.company(**GOOD)
    poll = loop_of(portal(world, stopping), Stream.POLL, world, stopping)
    stopping.drain()
    poll.tick()
    assert world.writes() == []


def test_waits_cut_short_by_our_own_stop_are_no_failure(world: World) -> None:
    stopping = Stopping()
    poll = loop_of(portal(world, stopping), Stream.POLL, world, stopping)

    def stopped(_: str) -> None:
        stopping.end()
        raise UnavailableError("stopped while waiting for the rate limit")

    world.crm.before = stopped
    assert poll.tick() == 0.0
    assert poll.failures == 0


def test_a_new_connection_asks_for_its_first_reading_and_makes_it_once(world: World) -> None:
    acme = world.company(**GOOD)
    made = portal(world, Stopping())
    loop_of(made, Stream.POLL, world).tick()
    request = world.journal.backfill_request()
    assert request is not None
    assert request.reason == FIRST_READING
    reading = loop_of(made, Stream.BACKFILL, world)
    reading.tick()
    assert world.live(acme)["tier"] == "A"
    assert world.journal.backfill_request() is None
    runs = len(world.journal.runs())
    reading.tick()
    assert len(world.journal.runs()) == runs


def test_a_backfill_goes_on_where_a_drain_left_it(world: World) -> None:
    world.crm._page_size = 2
    for n in range(6):
        world.company(f"C{n}", **GOOD)
    stopping = Stopping()

    def told(call: str) -> None:
        if call == "write":
            stopping.drain()

    world.crm.before = told
    loop_of(portal(world, stopping), Stream.BACKFILL, world, stopping).tick()
    assert len({w[1] for w in world.writes()}) == 2
    assert world.journal.backfill_request() is not None
    world.crm.before = lambda _: None
    loop_of(portal(world, Stopping()), Stream.BACKFILL, world).tick()
    assert len({w[1] for w in world.writes()}) == 6
    assert world.journal.position("backfill").finished


def test_a_journal_bound_to_another_portal_halts_the_connection(world: World) -> None:
    world.journal = world.journal.for_connection("main")
    world.journal.bind("another portal", crm="memory", now=0.0)
    made = portal(world, Stopping())
    loop_of(made, Stream.POLL, world).tick()
    assert isinstance(made.halted, ConfigError)
    assert "--rebind" in made.halted.next_step


def test_nothing_is_written_without_a_lasting_seal_key(world: World) -> None:
    world.company(**GOOD)
    made = portal(world, Stopping(), sealed=lambda: False)
    loop_of(made, Stream.BACKFILL, world).tick()
    assert world.writes() == []
    assert isinstance(made.halted, ConfigError)
    assert made.halted.next_step == "icp-sync provision --apply"


def test_a_seal_key_made_while_we_observe_is_taken_up_before_the_first_write(world: World) -> None:
    acme = world.company(**GOOD)
    world.mode = Mode.OBSERVE
    there = [False]
    made = portal(world, Stopping(), sealed=lambda: there[0])
    reading = loop_of(made, Stream.BACKFILL, world)
    reading.tick()
    assert world.journal.tiers() == {"A": 1}
    passing = made.wired
    there[0] = True
    world.mode = Mode.ROUTE
    world.journal.set_mode(Mode.ROUTE, now=world.clock())
    world.journal.request_backfill("mode observe → route", world.clock())
    reading.tick()
    assert made.wired is not passing
    assert world.live(acme)["tier"] == "A"


def test_a_stream_that_settles_nothing_for_ages_is_late_and_one_that_is_at_it_is_not(world: World) -> None:
    made = portal(world, Stopping())
    poll = loop_of(made, Stream.POLL, world)
    assert poll.state is State.STARTING
    poll.tick()
    world.clock.step(LATE_AFTER + 179)
    assert poll.state is State.OK
    world.clock.step(2)
    assert poll.state is State.LATE
    poll._going()  # a page of a long cycle was settled
    assert poll.state is State.OK


def test_a_backfill_writes_no_faster_than_polling_can_read_back() -> None:
    now, waits = [0.0], []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    pace = Pace(400.0, lambda: now[0], wait)
    for written in (1000, 1000, 1200, 2200):
        now[0] += 0.5
        pace.written(written)
    assert waits == [2.0, 2.0]
    assert now[0] == 6.0


def test_a_backfill_waits_while_polling_is_behind_but_not_for_ever() -> None:
    now, behind = [0.0], [500.0]

    def wait(seconds: float) -> bool:
        now[0] += seconds
        behind[0] -= 100.0 * seconds if catches_up else 0.0
        return False

    room = Room(lambda: behind[0], 240.0, lambda: now[0], wait)
    catches_up = True
    room.written(0)
    assert now[0] == 0.0, "what wrote nothing leaves nothing to read back"
    room.written(100)
    assert behind[0] <= 240.0
    before, behind[0], catches_up = now[0], 500.0, False
    room.written(200)
    assert now[0] - before == LONGEST


def test_ranges_that_are_made_at_once_keep_to_that_rate_together() -> None:
    now, sharing, waits = [0.0], [1], []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    pace = Pace(400.0, lambda: now[0], wait, lambda: sharing[0])
    pace.written(400)
    sharing[0] = 4
    pace.written(800)
    pace.written(100)  # of the next range, counted from nothing
    assert waits == [1.0, 4.0]
