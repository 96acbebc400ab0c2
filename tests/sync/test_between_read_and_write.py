"""A person who edits a field of ours after we read it and before we write it: found, given back, reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from icp_sync.domain.account import Origin
from icp_sync.domain.guard import Limits
from icp_sync.domain.plan import Outcome, Result, Write
from icp_sync.errors import UnavailableError
from icp_sync.observe import arm_faults
from icp_sync.ports import Editor
from icp_sync.sync.report import Report
from tests.sync.world import GOOD, POOR, World, facts


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def type_before_the_write(world: World, value: str, by: Editor = Editor.PERSON, field: str = "lane") -> None:
    """Once, just before the next write of each account arrives."""
    done: set[str] = set()

    def edit(write: Write) -> Outcome | None:
        if write.account_id not in done and field in write.values:
            done.add(write.account_id)
            world.crm.edit(write.account_id, live={field: value}, by=by)
        return None

    world.crm.refuse = edit


def later(world: World, cycles: int = 4) -> Report:
    """The cycles of the next minutes."""
    whole = Report()
    for _ in range(cycles):
        world.clock.step(60)
        whole += world.poll()
        whole += world.due()
    return whole


def test_an_edit_our_write_went_over_is_given_back_and_said(world: World) -> None:
    acme = world.company(**GOOD)
    type_before_the_write(world, "nurture")
    world.backfill()
    assert world.live(acme)["lane"] == "sales"  # gone over: nobody could know
    report = later(world)
    assert report.restored == [(acme, "lane", "nurture", "person")]
    assert world.live(acme)["lane"] == "nurture"
    stored = world.journal.account(acme)
    assert stored is not None
    assert (stored.confirmed["lane"].value, stored.confirmed["lane"].origin) == ("nurture", Origin.HUMAN)
    assert [(h.field, h.live) for h in world.journal.left_alone()] == [("lane", "nurture")]


def test_it_is_given_back_once_and_then_left_alone(world: World) -> None:
    acme = world.company(**GOOD)
    type_before_the_write(world, "nurture")
    world.backfill()
    later(world)
    writes = len(world.writes())
    assert later(world).written == 0
    assert len(world.writes()) == writes
    assert world.live(acme)["lane"] == "nurture"


def test_a_tier_typed_in_between_becomes_an_override(world: World) -> None:
    acme = world.company(**POOR)
    type_before_the_write(world, "A", field="tier")
    world.backfill()
    later(world)
    assert (world.live(acme)["tier"], world.live(acme)["model_tier"]) == ("A", "B")


def test_what_somebody_typed_after_our_write_is_theirs_and_nothing_is_given_back(world: World) -> None:
    acme = world.company(**GOOD)
    type_before_the_write(world, "nurture")
    world.backfill()
    world.crm.edit(acme, live={"lane": "research"})
    assert later(world).restored == []
    assert world.live(acme)["lane"] == "research"


def test_a_write_that_nobody_came_between_gives_nothing_back(world: World) -> None:
    acme = world.company(**GOOD)
    world.backfill()
    assert later(world).restored == []
    world.crm.edit(acme, signals=facts(**POOR))
    assert later(world).restored == []
    assert world.live(acme)["tier"] == "B"


def test_the_edit_is_found_though_the_reply_was_lost(world: World) -> None:
    acme = world.company(**GOOD)
    type_before_the_write(world, "nurture")
    world.crm.lose_reply = lambda _: True
    world.backfill()
    world.crm.lose_reply = lambda _: False
    assert later(world).restored == [(acme, "lane", "nurture", "person")]
    assert world.live(acme)["lane"] == "nurture"


def test_the_edit_is_found_though_we_died_before_we_could_note_our_write(world: World) -> None:
    acme = world.company(**GOOD)
    type_before_the_write(world, "nurture")

    def die(reached: str) -> None:
        if reached == "settle.write.after":
            raise UnavailableError("the process died here")

    arm_faults(die)
    try:
        with pytest.raises(UnavailableError):
            world.backfill()
    finally:
        arm_faults(None)
    world.reopen()
    world.clock.step(300)
    whole = world.backfill()
    whole += later(world)
    assert whole.restored == [(acme, "lane", "nurture", "person")]
    assert world.live(acme)["lane"] == "nurture"


# What is owed to a person is remembered until it stands again


@pytest.mark.parametrize("result", [Result.FAILED, Result.REFUSED])
def test_what_could_not_be_given_back_at_once_is_given_back_later(world: World, result: Result) -> None:
    acme = world.company(**GOOD)
    type_before_the_write(world, "nurture")
    world.backfill()
    world.crm.refuse = lambda w: Outcome(account_id=w.account_id, result=result, message="not now")
    assert later(world, 1).restored == []
    world.crm.refuse = lambda _: None
    world.clock.step(7 * 3600)
    assert later(world).restored == [(acme, "lane", "nurture", "person")]
    assert world.live(acme)["lane"] == "nurture"


def test_a_tier_given_back_is_no_downgrade_to_be_held(tmp_path: Path) -> None:
    world = World(tmp_path, limits=Limits(downgrades=0.0, floor=0))
    acme = world.company(**GOOD)
    type_before_the_write(world, "D", field="tier")
    world.backfill()
    later(world)
    assert (world.live(acme)["tier"], world.journal.holds()) == ("D", [])


def test_a_second_edit_while_the_first_was_given_back_is_given_back_as_well(world: World) -> None:
    acme = world.company(**GOOD)
    type_before_the_write(world, "nurture")
    world.backfill()
    type_before_the_write(world, "research")
    later(world)
    assert world.live(acme)["lane"] == "research"


def test_what_somebody_put_back_before_we_looked_is_theirs(world: World) -> None:
    acme = world.company(**GOOD)
    world.backfill()
    later(world)
    world.crm.edit(acme, signals=facts(**POOR))
    world.crm.lose_reply = lambda _: True
    world.clock.step(60)
    world.poll()
    world.crm.lose_reply = lambda _: False
    assert world.live(acme)["tier"] == "B"
    world.crm.edit(acme, live={"tier": "A"}, by=Editor.PERSON)  # as it was, and as we know it as ours
    later(world)
    assert (world.live(acme)["tier"], world.live(acme)["model_tier"]) == ("A", "B")


def test_a_person_who_chose_just_what_we_wrote_had_the_last_word(world: World) -> None:
    acme = world.company(**GOOD)
    type_before_the_write(world, "nurture")
    world.backfill()
    world.crm.edit(acme, live={"lane": "research"}, by=Editor.PERSON)
    world.crm.edit(acme, live={"lane": "sales"}, by=Editor.PERSON)
    assert later(world).restored == []
    assert world.live(acme)["lane"] == "sales"
    world.crm.edit(acme, signals=facts(employees=5, industry="RETAIL"))
    later(world)
    assert world.live(acme)["lane"] == "sales"  # theirs, though it equals what we had written
