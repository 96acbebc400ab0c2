"""A long run says how far it is while it goes on, and what it said outlives a process that dies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from icp_sync.ports import Stream
from icp_sync.sync.cycle import Scope
from icp_sync.sync.report import Report
from tests.sync.world import GOOD, World


@pytest.fixture
def slow(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Ten companies, two a page; each page takes eleven seconds to write."""
    world = World(folder=tmp_path_factory.mktemp("slow"), page_size=2)
    for n in range(10):
        world.company(f"C{n}", **GOOD)
    world.crm.before = lambda call: world.clock.step(11) if call == "write" else None
    return world


def seen(world: World, scope: Scope) -> tuple[Scope, list[int]]:
    """The scope, and what the journal says was read, after each page, before anybody waits for the next."""
    found: list[int] = []

    def ticked(_: Report) -> None:
        found.append(world.journal.read_since(Stream.BACKFILL.value, 0.0))

    return replace(scope, ticked=ticked), found


def test_a_backfill_under_way_tells_how_many_accounts_it_has_read(slow: World) -> None:
    scope, found = seen(slow, Scope())
    slow.backfill(scope)
    assert found == [2, 4, 6, 8, 10, 10], "the last page of all is empty"
    assert slow.journal.read_since(Stream.BACKFILL.value, 0.0) == 10
    assert slow.journal.runs(1)[0].report["outcome"] == "done"


def test_what_a_killed_run_had_read_counts_with_what_the_next_one_reads(slow: World) -> None:
    calls: list[str] = []

    def dies(call: str) -> None:
        calls.append(call)
        slow.clock.step(11 if call == "write" else 0)
        if calls.count("write") == 4:
            raise KeyboardInterrupt

    slow.crm.before = dies
    with pytest.raises(KeyboardInterrupt):
        slow.backfill()
    run = slow.journal.runs(1)[0]
    slow.journal.report_run(run.id, {"apply": True, "read": 6})  # as it stood when a kill -9 hits
    slow.reopen()
    slow.crm.before = lambda _: None
    slow.backfill()
    assert slow.journal.read_since(Stream.BACKFILL.value, 0.0) == 10


def test_a_dry_run_and_a_poll_leave_no_notes(slow: World) -> None:
    scope, found = seen(slow, Scope(apply=False))
    slow.backfill(scope)
    assert set(found) == {0}
    assert slow.journal.read_since(Stream.BACKFILL.value, 0.0) == 0
