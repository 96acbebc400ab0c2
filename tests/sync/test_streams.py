"""Streams on a CRM that shows changes late, in lumps, and while we are reading it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from icp_sync.domain.standing import Mode
from icp_sync.ports import Stream
from icp_sync.sync.cycle import FOUND_MISSING
from tests.sync.world import GOOD, POOR, World, facts

LAG = 3600.0


def begin(world: World) -> None:
    """A connection that has been running for a while."""
    world.backfill()
    for _ in range(3):
        world.clock.step(60)
        world.cycle(Stream.POLL)
        world.cycle(Stream.TRAILING)


@pytest.mark.parametrize("late", [1.0, 120.0, 900.0])
def test_a_record_shown_late_is_settled_by_poll_or_trailing_and_never_left_to_the_sweep(
    world: World, late: float
) -> None:
    begin(world)
    acme = world.company(late=late, **GOOD)
    for _ in range(int((LAG + late) / 300) + 2):
        world.clock.step(300)
        world.poll()
        world.cycle(Stream.TRAILING)
    assert world.live(acme)["tier"] == "A"
    world.cycle(Stream.SWEEP)
    assert FOUND_MISSING not in world.journal.events()


def test_a_change_the_index_never_shows_is_found_and_counted_by_the_sweep(world: World) -> None:
    begin(world)
    acme = world.company(late=1e9, **GOOD)
    for _ in range(14):
        world.clock.step(300)
        world.cycle(Stream.TRAILING)
    assert world.live(acme)["tier"] == ""
    world.cycle(Stream.SWEEP)
    assert world.live(acme)["tier"] == "A"
    assert world.journal.events()[FOUND_MISSING] == 1
    world.quiesce()
    assert world.journal.events()[FOUND_MISSING] == 1


def test_what_the_sweep_meets_before_trailing_has_been_there_is_not_called_missed(world: World) -> None:
    begin(world)
    world.company(late=900.0, **GOOD)
    world.clock.step(60)
    world.cycle(Stream.SWEEP)
    assert FOUND_MISSING not in world.journal.events()


def test_three_thousand_records_stamped_in_one_millisecond_are_all_settled_and_nothing_loops(
    tmp_path: Path,
) -> None:
    world = World(folder=tmp_path, mode=Mode.OBSERVE, fields=("tier", "seal"))
    begin(world)
    ids = [world.crm.create(id=str(50_000 + n), signals=facts(**GOOD)) for n in range(3_050)]  # type: ignore[arg-type]
    world.crm.bump(ids)
    world.clock.step(60)
    report = world.poll()
    assert (report.read, report.pages) == (3_050, 4)
    assert world.journal.tiers()["A"] == 3_050
    world.clock.step(60)
    assert (again := world.poll()).read == 0
    assert again.spared == 3_050


def test_an_edit_in_the_very_millisecond_of_our_read_is_not_taken_for_seen(world: World) -> None:
    begin(world)
    acme = world.company(**GOOD)
    world.mode = Mode.OBSERVE  # so that no write of ours moves the stamp
    world.poll()
    world.crm.edit(acme, signals=facts(employees=5000))
    assert world.account(acme).stamp == round(world.clock() * 1000)
    world.clock.step(60)
    world.poll()
    stored = world.journal.account(acme)
    assert stored is not None
    assert stored.tier == "C"


def test_an_echo_of_our_own_write_costs_one_read_and_no_write(world: World) -> None:
    begin(world)
    acme = world.company(**GOOD)
    world.clock.step(10)
    assert world.poll().written == 1
    world.clock.step(60)
    echo = world.poll()
    assert (echo.read, echo.written) == (1, 0)
    writes = len(world.writes(acme))
    for _ in range(14):
        world.clock.step(300)
        assert world.poll().read == 0
        assert world.cycle(Stream.TRAILING).read == 0
    assert len(world.writes(acme)) == writes


def test_a_change_made_while_a_first_backfill_runs_is_not_lost_between_the_streams(world: World) -> None:
    first = world.company("First", **GOOD)
    world.crm._page_size = 1
    for n in range(3):
        world.company(f"C{n}", **GOOD)
    pages = []

    def people_work(call: str) -> None:
        if call == "page":
            pages.append(call)
            world.clock.step(1)
            if len(pages) == 3:  # the first is long settled
                world.crm.edit(first, signals=facts(employees=5000))

    world.crm.before = people_work
    world.backfill()
    world.crm.before = lambda _: None
    assert world.live(first)["tier"] == "A"
    world.clock.step(60)
    world.poll()
    assert world.live(first)["tier"] == "C"


def test_a_merge_ends_the_one_and_keeps_the_other_in_every_order_of_streams(world: World) -> None:
    begin(world)
    for order in (
        (Stream.POLL, Stream.SWEEP, Stream.DUE),
        (Stream.SWEEP, Stream.POLL, Stream.DUE),
        (Stream.DUE, Stream.SWEEP, Stream.POLL),
    ):
        loser, survivor = world.company("Loser", **POOR), world.company("Survivor", **GOOD)
        world.clock.step(60)
        world.poll()
        held = {n: v for n, v in world.live(loser).items() if n != "owner"}
        world.crm.merge(loser, survivor)
        world.crm.edit(survivor, live=held)  # the CRM kept the loser's values
        for stream in order:
            world.clock.step(60)
            world.cycle(stream)
        world.quiesce()
        assert world.journal.left_alone() == []
        assert world.live(survivor)["tier"] == "A"


def test_merges_into_one_that_is_merged_on_end_at_the_last(world: World) -> None:
    ids = [world.company(f"C{n}", **(GOOD if n == 3 else POOR)) for n in range(4)]
    begin(world)
    for loser, survivor in pairwise(ids):
        world.crm.merge(loser, survivor)
    world.quiesce()
    assert world.journal.left_alone() == []
    assert world.journal.counts() == {"settled": 1, "gone": 3}
    assert world.live(ids[3])["tier"] == "A"


def test_deleted_accounts_are_gone_after_the_next_sweep_whoever_changed_them_last(world: World) -> None:
    ids = [world.company(f"C{n}", **GOOD) for n in range(3)]
    begin(world)
    world.crm.delete(ids[0])
    world.crm.edit(ids[1], signals=facts(employees=5000))
    world.crm.delete(ids[1])
    world.quiesce()
    assert world.journal.counts() == {"settled": 1, "gone": 2}
    assert world.journal.tiers() == {"A": 1}


def test_a_deletion_that_nothing_lists_is_noticed_once_a_whole_sweep_has_not_met_it(world: World) -> None:
    ids = [world.company(f"C{n}", **GOOD) for n in range(3)]
    begin(world)
    world.crm.delete(ids[1])
    world.crm.forget_departures()  # the recycle bin was emptied
    world.clock.step(86_400)
    world.cycle(Stream.SWEEP)
    assert world.journal.counts() == {"settled": 3}
    assert world.journal.due(world.clock(), 10) == (ids[1],), "whoever was met sleeps on"
    world.cycle(Stream.DUE)
    assert world.journal.counts() == {"settled": 2, "gone": 1}


def test_a_deletion_committed_late_is_found_by_the_sweep_after(world: World) -> None:
    ids = [world.company(f"C{n}", **GOOD) for n in range(2)]
    begin(world)
    world.cycle(Stream.SWEEP)
    world.crm.delete(
        ids[0], at=world.clock() - 600.0
    )  # stamped before the look at departures, shown after it
    world.clock.step(86_400)
    world.cycle(Stream.SWEEP)
    assert world.journal.counts() == {"settled": 1, "gone": 1}


def test_an_index_behind_by_a_minute_costs_freshness_and_nothing_else(world: World) -> None:
    world.crm.index_lag = 60.0
    ids = [world.company(f"C{n}", **POOR) for n in range(5)]
    begin(world)
    for id in ids:
        world.crm.edit(id, signals=facts(industry="SOFTWARE"))
        world.clock.step(7)
    for _ in range(4):
        world.clock.step(60)
        world.poll()
    assert {world.live(id)["tier"] for id in ids} == {"A"}
    world.quiesce()
    assert FOUND_MISSING not in world.journal.events()
