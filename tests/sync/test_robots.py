"""Two robots: something changes an account back whenever we have written it. One account, then a portal."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from icp_sync.domain.guard import Limits, Rule
from icp_sync.ports import Stream
from icp_sync.sync.cycle import cycle
from tests.sync.station import Station
from tests.sync.world import GOOD, World, facts

HOUR = 3600.0
SIZES = (100, 5000)  # tier A, tier C


def flip(world: World, account_id: str, turn: int) -> None:
    """The other robot: puts the company's size back and forth."""
    world.crm.edit(account_id, signals=facts(employees=SIZES[turn % 2], industry="SOFTWARE"))


def most_in_an_hour(world: World, account_id: str) -> int:
    """The most writes to an account within any hour; one write may carry many fields."""
    instants = sorted({at for at, _, _, _ in world.writes(account_id)})
    return max((sum(at <= other < at + HOUR for other in instants) for at in instants), default=0)


def round_of(world: World) -> None:
    for stream in (Stream.POLL, Stream.DUE):
        world.cycle(stream)


def test_an_account_something_keeps_changing_is_quarantined_with_one_alert(world: World) -> None:
    fought, calm = world.company("Fought over", **GOOD), world.company("Calm", **GOOD)
    world.backfill()
    with capture_logs() as said:
        for turn in range(16):
            world.clock.step(120)
            flip(world, fought, turn + 1)
            world.clock.step(180)
            round_of(world)
    assert most_in_an_hour(world, fought) <= Limits().writes_an_hour
    assert world.journal.waiting_holds() == {Rule.ROBOTS.value: 1}
    assert [alert.name for alert in world.journal.alerts()] == ["held: two robots"]
    assert [line["rule"] for line in said if line["event"] == "changes are held"] == [Rule.ROBOTS.value]
    assert len({at for at, *_ in world.writes(fought)}) == Limits().writes_an_hour, "and it stays there"
    assert len({at for at, *_ in world.writes(calm)}) == 1


def test_a_quarantine_delays_nobody_else(world: World) -> None:
    fought = world.company("Fought over", **GOOD)
    world.backfill()
    for turn in range(10):
        world.clock.step(60)
        flip(world, fought, turn + 1)
        new = world.company(f"New {turn}", **GOOD)
        world.clock.step(60)
        world.poll()
        assert world.live(new)["tier"] == "A", f"round {turn}"
    assert world.journal.waiting_holds() == {Rule.ROBOTS.value: 1}


def test_released_it_is_written_again_and_held_again_if_the_fight_goes_on(world: World) -> None:
    fought = world.company("Fought over", **GOOD)
    world.backfill()
    for turn in range(10):
        world.clock.step(60)
        flip(world, fought, turn + 1)
        world.clock.step(60)
        round_of(world)
    assert world.journal.waiting_holds()
    world.clock.step(2 * HOUR)
    flip(world, fought, 1)
    world.clock.step(60)
    round_of(world)
    assert world.journal.waiting_holds(), "time alone lifts no quarantine"
    world.journal.release_holds(by="ada@laptop", now=world.clock())
    round_of(world)
    assert world.live(fought)["tier"] == "C"
    assert (world.journal.waiting_holds(), world.journal.alerts()) == ({}, [])
    before = len({at for at, *_ in world.writes(fought)})
    for turn in range(9):
        world.clock.step(60)
        flip(world, fought, turn)
        world.clock.step(60)
        round_of(world)
    assert len({at for at, *_ in world.writes(fought)}) - before < Limits().writes_an_hour + 1
    assert world.journal.waiting_holds() == {Rule.ROBOTS.value: 1}


def test_a_workflow_that_rewrites_our_field_meets_no_second_robot(world: World) -> None:
    """What somebody else has put there is theirs: nothing is written back, so there is nothing to fight."""
    acme = world.company(**GOOD)
    world.backfill()
    for turn in range(10):
        world.clock.step(60)
        world.crm.edit(acme, live={"lane": ("nurture", "research")[turn % 2]})
        world.clock.step(60)
        round_of(world)
    assert len([w for w in world.writes(acme) if w[2] == "lane"]) <= 1
    assert world.journal.waiting_holds() == {}


def test_when_too_many_accounts_are_fought_over_nothing_is_written_to_the_portal(world: World) -> None:
    limit = Limits().quarantined
    fought = [world.company(f"Fought {n}", **GOOD) for n in range(limit + 5)]
    world.backfill()
    for turn in range(9):
        world.clock.step(60)
        for account_id in fought:
            flip(world, account_id, turn + 1)
        world.clock.step(60)
        round_of(world)
    before = len(world.writes())
    new = world.company("New", **GOOD)
    world.clock.step(60)
    world.poll()
    assert world.live(new).get("tier", "") == ""
    assert len(world.writes()) == before
    assert set(world.journal.waiting_holds()) >= {Rule.PORTAL.value}
    names = Counter(alert.name for alert in world.journal.alerts())
    assert names["held: portal of robots"] == 1
    assert max(names.values()) == 1
    world.clock.step(2 * HOUR)
    world.journal.release_holds(by="ada@laptop", now=world.clock())
    round_of(world)
    assert world.live(new)["tier"] == "A"


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station(tmp_path, accounts=12)


def test_over_http_the_fought_over_record_is_left_alone_after_six_writes(station: Station) -> None:
    """A workflow of the simulated portal sets the size back whenever we have written."""
    try:
        parts = station.wired.parts
        cycle(Stream.BACKFILL, parts)
        fought, *others = sorted(station.live_ids())
        station.crm.admin("POST clock", advance=5)
        for turn in range(12):
            size = ("400000", "300")[turn % 2]
            station.crm.admin("POST edit", id=fought, properties={"numberofemployees": size})
            station.crm.admin("POST clock", advance=5)
            cycle(Stream.POLL, parts)
        runs = {change.run for change in parts.journal.history(fought)}
        assert len(runs) <= Limits().writes_an_hour
        assert parts.journal.waiting_holds() == {Rule.ROBOTS.value: 1}
        station.crm.admin("POST edit", id=others[0], properties={"numberofemployees": "5000"})
        station.crm.admin("POST clock", advance=5)
        report = cycle(Stream.POLL, parts)
        assert report is not None
        assert parts.journal.waiting_holds() == {Rule.ROBOTS.value: 1}
        stored = parts.journal.account(others[0])
        assert stored is not None
        assert stored.status == "settled"
    finally:
        station.close()
