"""First touch where a read does not tell: booked meetings, old copies, hidden fields, owners who changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from icp_sync.domain.assignment import How
from icp_sync.domain.facts import Interval, Signal
from icp_sync.domain.profile import DAY
from icp_sync.ports import Page, Stream
from icp_sync.sync.cycle import Scope
from tests.sync.touch_world import CYD, LEAD, WITHIN, given, let_lie, one_given, touching
from tests.sync.world import ANNA, BEN, GOOD, World


def booked(world: World, account_id: str, days: int) -> None:
    """The latest day of all activities, as Salesforce shows it, is one to come."""
    day = (world.clock.now // DAY + days) * DAY
    value = Interval(day, day + DAY - 0.001)
    shown = tuple(
        Signal(fact=fact, value=value, source="crm:LastActivityDate", observed_at=world.clock.now)
        for fact in ("last_touch", "last_activity")
    )
    world.crm.edit(account_id, signals=shown)


def test_a_meeting_booked_before_hides_what_is_done_and_is_a_touch_on_its_day(tmp_path: Path) -> None:
    world = World(tmp_path, profile=touching())
    account_id = world.company(**GOOD)
    booked(world, account_id, 9)
    world.poll()
    owner = world.account(account_id).owner
    let_lie(world)
    assert world.account(account_id).owner == owner
    assert given(world, account_id)[0].breached_at is None
    let_lie(world, 8 * DAY)
    assert [one.how for one in given(world, account_id)] == [How.ACTIVITY.value]
    assert world.account(account_id).owner == owner


def test_a_meeting_that_is_called_off_lets_the_breach_be_decided(tmp_path: Path) -> None:
    world = World(tmp_path, profile=touching())
    account_id = world.company(**GOOD)
    booked(world, account_id, 30)
    world.poll()
    owner = world.account(account_id).owner
    let_lie(world)
    booked(world, account_id, -40)
    world.poll()
    let_lie(world, DAY)
    assert world.account(account_id).owner != owner


def test_a_copy_that_was_read_before_the_time_was_over_proves_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, profile=touching())
    account_id, owner = one_given(world)
    world.clock.step(WITHIN - 100)
    real = world.crm.pages

    def late(*what: Any, **how: Any) -> Iterator[Page]:
        for page in real(*what, **how):
            world.clock.step(150)
            yield page

    world.crm.pages = late  # type: ignore[method-assign]
    world.cycle(Stream.SWEEP)
    world.crm.pages = real  # type: ignore[method-assign]
    assert world.account(account_id).owner == owner
    world.clock.step(120)
    world.due()
    assert world.account(account_id).owner != owner


def test_where_the_last_touch_cannot_be_read_nobody_is_blamed(tmp_path: Path) -> None:
    world = World(tmp_path, profile=touching())
    account_id, owner = one_given(world)
    real = world.crm._as_read
    world.crm._as_read = lambda one: replace(real(one), unread={"last_touch": "no right"})  # type: ignore[method-assign]
    let_lie(world)
    assert (world.account(account_id).owner, given(world, account_id)[0].breached_at) == (owner, None)
    world.crm._as_read = real  # type: ignore[method-assign]
    let_lie(world, DAY)
    assert world.account(account_id).owner != owner


def test_an_owner_with_another_email_is_the_same_owner(tmp_path: Path) -> None:
    world = World(tmp_path, profile=touching())
    account_id, owner = one_given(world)
    was = world.crm._owners.pop(owner)
    world.crm._owners["married@example.com"] = replace(was, email="married@example.com")
    world.crm.edit(account_id, owner="married@example.com")
    world.poll()
    (one,) = given(world, account_id)
    assert (one.owner, one.ended_at) == ("married@example.com", None)


def test_an_owner_the_crm_does_not_list_any_more_let_it_lie_all_the_same(tmp_path: Path) -> None:
    world = World(tmp_path, profile=touching())
    account_id, owner = one_given(world)
    world.clock.step(3600)
    world.cycle(Stream.SWEEP)
    gone = world.crm._owners.pop(owner)
    world.crm.edit(account_id, owner=f"#{gone.id}")
    let_lie(world)
    assert world.account(account_id).owner == ({ANNA, BEN} - {owner}).pop()
    assert [one.how for one in given(world, account_id)] == [How.REROUTED.value, ""]


def test_a_profile_that_asks_for_no_touch_any_more_ends_the_wait(tmp_path: Path) -> None:
    world = World(tmp_path, profile=touching(ANNA, escalate=LEAD))
    account_id, _ = one_given(world)
    world.profile, world.version = touching(ANNA, within=None), 2
    world.backfill(Scope(restart=True))
    let_lie(world)
    (one,) = given(world, account_id)
    assert (one.due, one.breached_at, one.ended_at) == (None, None, None)


def test_whoever_let_it_lie_does_not_get_it_back_when_the_next_one_leaves(tmp_path: Path) -> None:
    world = World(tmp_path, profile=touching(ANNA, BEN, even_if_owned=True))
    account_id, first = one_given(world)
    let_lie(world)
    second = world.account(account_id).owner
    let_lie(world)
    world.crm._owners[second] = replace(world.crm._owners[second], active=False)
    world.journal.wake_all(world.clock.now)
    world.due()
    assert world.account(account_id).owner == second != first
    assert [one.rerouted for one in given(world, account_id)] == [0, 1]


def test_one_who_takes_over_from_somebody_who_left_begins_no_new_count(tmp_path: Path) -> None:
    world = World(tmp_path, profile=touching(ANNA, BEN, CYD, even_if_owned=True))
    world.crm._owners[CYD] = replace(world.crm._owners[ANNA], id="7", email=CYD)
    account_id, first = one_given(world)
    let_lie(world)
    second = world.account(account_id).owner
    let_lie(world)
    world.crm._owners[second] = replace(world.crm._owners[second], active=False)
    world.journal.wake_all(world.clock.now)
    world.due()
    third = world.account(account_id).owner
    assert len({first, second, third}) == 3
    let_lie(world)
    let_lie(world)
    assert world.account(account_id).owner == third
    assert given(world, account_id)[-1].rerouted == 1


def test_an_account_is_passed_on_from_an_owner_with_another_email(tmp_path: Path) -> None:
    world = World(tmp_path, profile=touching())
    account_id, owner = one_given(world)
    world.clock.step(3600)
    world.cycle(Stream.SWEEP)
    was = world.crm._owners.pop(owner)
    world.crm._owners["married@example.com"] = replace(was, email="married@example.com")
    world.crm.edit(account_id, owner="married@example.com")
    world.poll()
    world.cycle(Stream.SWEEP)
    let_lie(world)
    assert world.account(account_id).owner == ({ANNA, BEN} - {owner}).pop()
