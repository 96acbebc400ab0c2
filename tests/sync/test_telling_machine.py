"""Whatever happens in whatever order: a rise is told once at most, to whoever owns it, and none is lost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults import dying
from tests.sync.telling_world import TellingWorld
from tests.sync.world import ANNA, BEN

ACTS = ("improve", "worsen", "to anna", "to ben", "settle", "tell", "backfill", "die", "lose a reply")


def happen(world: TellingWorld, account: str, act: str) -> None:
    match act:
        case "improve":
            world.improve(account)
        case "worsen":
            world.worsen(account)
        case "to anna" | "to ben":
            world.crm.edit(account, owner=ANNA if act == "to anna" else BEN)
        case "settle":
            world.settle()
        case "tell":
            world.tell()
        case "backfill":
            world.clock.step(200)
            world.backfill()
        case "die":
            dying.raises("telling.send.after", 1, world.tell)
            world.reopen()
        case _:
            world.crm.beside.lose_reply = lambda _: True
            world.tell()
            world.crm.beside.lose_reply = lambda _: False
    world.clock.step(1.0)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.sampled_from(ACTS), min_size=2, max_size=9))
def test_each_rise_is_told_once_at_most_and_what_is_true_is_not_lost(acts: Sequence[str]) -> None:
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        world = TellingWorld(folder=Path(folder))
        account = world.poor(owner=ANNA)
        world.poll()
        for act in acts:
            happen(world, account, act)
        world.settle(8_000)
        for _ in range(2):
            world.clock.step(8_000)
            world.tell()
        notices = world.journal.notices(audience="rep")
        assert {one.state for one in notices} <= {"sent", "dropped"}
        told = [(one.data["tier"], one.to) for one in notices if one.state == "sent"]
        assert len(told) == len(set(told)), "once for the same tier and owner within the span"
        assert len(told) <= acts.count("improve")
        tasks = len(world.crm.beside.tasks)
        assert bool(told) <= tasks <= 1, "one open task about it at most"
        silent = world.journal.notice_counts().silent
        moved = "to ben" in acts  # what was to be told to Anna is dropped then
        if world.live(account)["tier"] == "A" and not silent and not moved:
            assert told, "it rose, and nobody heard of it"
        world.journal.close()
