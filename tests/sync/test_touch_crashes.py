"""Killed at any point while an account is given, or passed on: it is given once, and passed on once."""

from __future__ import annotations

from pathlib import Path

import pytest

from icp_sync import observe
from icp_sync.domain.assignment import Action, How
from icp_sync.ports import Stream
from tests.sync.test_touch_machine import Crash
from tests.sync.touch_world import WITHIN, given, one_given, touching
from tests.sync.world import GOOD, World


def dies(world: World, stream: Stream, nth: int) -> bool:
    """A cycle killed at the nth fault point it reaches; whether it came that far."""
    passed = 0

    def die(_: str) -> None:
        nonlocal passed
        passed += 1
        if passed == nth:
            raise Crash

    observe.arm_faults(die)
    try:
        world.cycle(stream)
    except Crash:
        return True
    finally:
        observe.arm_faults(None)
    return False


def after_a_crash(world: World) -> None:
    world.reopen()
    for _ in range(3):
        world.clock.step(130)
        for stream in (Stream.POLL, Stream.DUE):
            world.cycle(stream)


def owners_written(world: World) -> list[str]:
    return [value for _, _, field, value in world.writes() if field == "owner"]


@pytest.mark.parametrize("nth", range(1, 30, 3))
def test_an_account_is_given_once_wherever_the_worker_dies(tmp_path: Path, nth: int) -> None:
    for step in range(nth, nth + 3):
        (tmp_path / str(step)).mkdir()
        world = World(tmp_path / str(step), profile=touching())
        world.backfill()  # from here on changes are followed
        account_id = world.company(**GOOD)
        dies(world, Stream.POLL, step)
        after_a_crash(world)
        [only] = given(world, account_id)
        assert (only.owner, only.rule) == (world.account(account_id).owner, 1)
        assert only.due == only.routed_at + WITHIN
        assert len(set(owners_written(world))) == 1
        world.journal.close()


@pytest.mark.parametrize("nth", range(1, 30, 3))
def test_a_breach_is_followed_once_wherever_the_worker_dies(tmp_path: Path, nth: int) -> None:
    for step in range(nth, nth + 3):
        (tmp_path / str(step)).mkdir()
        world = World(tmp_path / str(step), profile=touching())
        account_id, owner = one_given(world)
        world.clock.step(WITHIN + 1)
        dies(world, Stream.DUE, step)
        after_a_crash(world)
        first, second = given(world, account_id)
        assert (first.how, first.action, first.breached_at) == (How.REROUTED, Action.REROUTE, first.due)
        assert (second.owner, second.rerouted) == (world.account(account_id).owner, 1)
        assert second.let_lie == {owner: first.due}
        assert len(set(owners_written(world))) == 2
        world.journal.close()


def test_no_cycle_reaches_a_point_that_was_not_tried(tmp_path: Path) -> None:
    world = World(tmp_path, profile=touching())
    one_given(world)
    world.clock.step(WITHIN + 1)
    assert dies(world, Stream.DUE, 5)
    world.reopen()
    assert not dies(world, Stream.DUE, 31)
