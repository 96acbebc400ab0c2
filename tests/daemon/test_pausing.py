"""A connection that people have paused, as its streams and the desk of the worker see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from icp_sync.daemon import Stopping
from icp_sync.daemon.desk import Desk
from icp_sync.daemon.fleet import Fleet
from icp_sync.daemon.readiness import Readiness
from icp_sync.daemon.streams import State
from icp_sync.errors import ConfigError
from icp_sync.journal import Journal
from icp_sync.ports import Stream
from icp_sync.sync.requests import BACKFILLS, LANES, OTHERS
from tests.daemon.station import portal
from tests.sync.world import GOOD, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(folder=tmp_path)


@pytest.fixture
def fleet(world: World) -> Fleet:
    made = Fleet(world.clock)
    made.add(portal(world, Stopping()))
    return made


class Counted:
    """A desk that notes whom it woke."""

    def __init__(self, fleet: Fleet, root: Journal) -> None:
        self.woken: list[str] = []
        self.soon: list[str] = []
        self.desk = Desk(
            fleet,
            root,
            wake=lambda loop: self.woken.append(f"{loop.portal.name}/{loop.stream}"),
            soon=lambda loop: self.soon.append(f"{loop.portal.name}/{loop.stream}"),
        )

    def look(self) -> None:
        self.woken.clear()
        self.soon.clear()
        self.desk.look()


@pytest.fixture
def statements(world: World) -> Iterator[list[str]]:
    met: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        met.append(statement)

    event.listen(world.journal.engine, "before_cursor_execute", note)
    yield met
    event.remove(world.journal.engine, "before_cursor_execute", note)


def test_a_look_is_two_queries_however_many_connections_there_are(
    world: World, fleet: Fleet, statements: list[str]
) -> None:
    for number in range(30):
        fleet.add(portal(world, Stopping(), name=f"c{number}"))
    desk = Counted(fleet, world.journal)
    world.journal.for_connection("c7").ask("undo preview", {}, by="ada", now=world.clock())
    world.journal.for_connection("c9").ask("backfill", {}, by="ada", now=world.clock())
    world.journal.for_connection("c9").pause_connection(by="ada", now=world.clock())
    statements.clear()
    desk.look()
    assert len([one for one in statements if one.startswith("SELECT")]) == 2
    assert sorted(desk.woken) == [f"c7/{OTHERS}", f"c9/{BACKFILLS}"]
    assert [one.name for one in fleet.portals if one.paused] == ["c9"]
    idle = [loop for loop in fleet if loop.stream in LANES and loop.portal.name == "main"]
    assert {loop.state for loop in idle} == {State.OK}, "with nothing to do it is well"


def test_no_stream_of_it_runs_and_all_are_called_paused_and_well(world: World, fleet: Fleet) -> None:
    acme = world.company(**GOOD)
    desk = Counted(fleet, world.journal)
    world.journal.pause_connection(by="ada", why="a migration", now=world.clock())
    desk.look()
    asked: list[str] = []
    world.crm.before = asked.append
    for loop in fleet:
        assert (loop.tick(), loop.state) == (0.0, State.PAUSED)
    assert world.live(acme)["tier"] == ""
    assert asked == [], "the CRM was not called"
    ready, _ = Readiness(fleet, world.clock).report()
    assert ready, "that nothing is done is as somebody wants it"
    world.clock.step(90_000)
    for loop in fleet:
        loop.tick()
        assert loop.state is State.PAUSED
    world.journal.resume_connection(by="ada", now=world.clock())
    desk.look()
    assert f"main/{Stream.POLL}" in desk.soon
    assert f"main/{Stream.SWEEP}" not in desk.soon
    assert fleet.loops["main/poll"].state is not State.LATE


def test_a_cycle_under_way_ends_after_its_page(world: World, fleet: Fleet) -> None:
    world.crm._page_size = 2
    for number in range(8):
        world.company(f"C{number}", **GOOD)
    desk = Counted(fleet, world.journal)

    def paused_meanwhile(call: str) -> None:
        if call == "write":
            world.journal.pause_connection(by="ada", now=world.clock())
            desk.look()

    world.crm.before = paused_meanwhile
    world.journal.request_backfill("a first reading", world.clock())
    backfill = fleet.loops[f"main/{Stream.BACKFILL}"]
    backfill.tick()
    assert world.journal.counts().get("settled") == 2, "one page, and it is committed"
    assert world.journal.break_leases() == 0, "the lease was given back"
    world.crm.before = lambda _: None
    world.journal.resume_connection(by="ada", now=world.clock())
    desk.look()
    backfill.tick()
    assert world.journal.counts().get("settled") == 8


def test_who_was_halted_is_lifted_by_a_resume_and_by_nothing_before_it(world: World, fleet: Fleet) -> None:
    desk = Counted(fleet, world.journal)
    world.journal.resume_connection(by="ada", now=world.clock())
    desk.look()
    made = fleet.portals[0]
    made.halt(ConfigError("no such profile"))
    desk.look()
    assert not made.lifted, "that was before it stopped"
    world.journal.resume_connection(by="ada", now=world.clock())
    desk.look()
    assert made.lifted


def test_one_that_could_not_be_built_is_tried_when_somebody_says_so(world: World, fleet: Fleet) -> None:
    fleet.broke("lost", ConfigError("no such file"))
    desk = Counted(fleet, world.journal)
    desk.look()
    assert desk.desk.lifted == set()
    world.journal.for_connection("lost").resume_connection(by="ada", now=world.clock())
    desk.look()
    assert desk.desk.lifted == {"lost"}
