"""A plan never undoes what we ourselves decided after it was made."""

from __future__ import annotations

from pathlib import Path

from icp_sync.domain.standing import Mode
from icp_sync.sync.cycle import Scope
from icp_sync.sync.undo import undo
from icp_sync.sync.undoable import Wanted
from tests.sync.test_plan_file import DOCUMENTS, applied, drawn
from tests.sync.world import GOOD, POOR, World, facts


def test_a_value_we_wrote_since_is_moved_and_not_overwritten_by_an_older_plan(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.journal.activate(DOCUMENTS, now=world.clock())
    world.journal.set_mode(Mode.ROUTE, now=world.clock())
    account_id = world.company(**POOR)
    world.backfill()
    world.crm.edit(account_id, signals=facts(**GOOD))
    world.clock.step(60)
    plan = drawn(world)
    world.crm.edit(account_id, signals=facts(lifecycle="customer"))
    world.clock.step(60)
    world.quiesce()
    assert world.live(account_id)["tier"] == ""
    done = applied(world, plan)
    assert ("tier", "B", "") in {(m.field, m.planned, m.live) for m in done.moves}
    assert world.live(account_id)["tier"] == "", (
        "what was ours when the plan was made is ours still, and newer"
    )


def test_a_value_of_ours_that_was_put_back_since_is_moved_though_the_facts_are_the_same(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    world.journal.activate(DOCUMENTS, now=world.clock())
    world.journal.set_mode(Mode.ROUTE, now=world.clock())
    account_id = world.company(**POOR)
    world.backfill()
    first = world.journal.runs(1)[0].id
    world.crm.edit(account_id, signals=facts(**GOOD))
    world.clock.step(60)
    plan = drawn(world)
    undo(Wanted(run=first), world.parts(), Scope())
    done = applied(world, plan)
    assert done.other == 0
    assert ("tier", "B", "") in {(m.field, m.planned, m.live) for m in done.moves}
    assert world.live(account_id)["tier"] == ""
