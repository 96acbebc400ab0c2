"""The daemon looks for drift by itself, when it is time, and writes nothing for it."""

from __future__ import annotations

from pathlib import Path

from icp_sync.daemon import Stopping
from icp_sync.daemon.streams import WATCH, Loop, State
from tests.daemon.station import portal
from tests.sync.world import GOOD, World

DAY = 86_400.0


def test_it_looks_once_a_day_and_once_the_profile_is_rolled_out(tmp_path: Path) -> None:
    world, stopping = World(folder=tmp_path), Stopping()
    made = portal(world, stopping)
    world.version = world.journal.activate([("profile.yaml", "as the world has it")], now=world.clock())
    loop = Loop(made, WATCH, 60.0, stopping, world.clock)

    def looked_at() -> float:
        assert (loop.tick(), loop.state) == (0.0, State.OK)
        kept = world.journal.watched()
        assert kept is not None
        return kept.at

    first = looked_at()
    world.clock.step(DAY / 2)
    assert looked_at() == first
    world.company(**GOOD)
    world.backfill()
    rolled_out = looked_at()
    assert rolled_out > first
    writes = len(world.writes())
    world.clock.step(DAY / 2)
    assert looked_at() == rolled_out
    world.clock.step(DAY / 2)
    assert looked_at() == world.clock()
    assert len(world.writes()) == writes
