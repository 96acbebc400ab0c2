"""A reading of the whole CRM keeps one page in memory, however many there are."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from icp_sync.cli.memory import keep_memory_flat
from icp_sync.ports import Page, Query, Stream
from icp_sync.sync.cycle import TIDIED, cycle
from tests.sync.world import GOOD, World

PAGE = 50


def peak_of(world: World, folder: Path, pages: int) -> int:
    """Bytes a first backfill of so many pages needed at its worst, beyond what stood before."""
    world.reopen(f"journal-{pages}.db")
    known = list(world.crm.pages(Query(stream=Stream.BACKFILL)))[:1][0]

    def repeated(_: Query) -> Iterator[Page]:
        """The same fifty companies under ever new ids: the CRM's own store is not what is measured."""
        for n in range(pages):
            fresh = tuple(replace(a, id=f"{n:04}-{a.id}", live=dict(a.live)) for a in known.accounts)
            last = replace(known.position, last_id=fresh[-1].id, finished=n == pages - 1)
            yield replace(known, accounts=fresh, position=last)

    world.crm.pages = repeated  # type: ignore[method-assign]
    world.crm.write = lambda _: iter(())  # type: ignore[method-assign]
    try:
        tracemalloc.start()
        report = cycle(Stream.BACKFILL, world.parts())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        del world.crm.pages, world.crm.write
    assert report is not None
    assert report.read == pages * PAGE
    return peak


@pytest.fixture
def as_the_program_does() -> Iterator[None]:
    """Cycles are looked for as rarely as in a worker."""
    usual = gc.get_threshold()
    keep_memory_flat()
    yield
    gc.set_threshold(*usual)


@pytest.mark.usefixtures("as_the_program_does")
def test_ten_times_the_accounts_need_no_more_memory(tmp_path: Path) -> None:
    world = World(tmp_path, page_size=PAGE)
    for _ in range(PAGE):
        world.company(**GOOD)
    peak_of(world, tmp_path, 1)  # caches fill
    few, many = peak_of(world, tmp_path, TIDIED // 2), peak_of(world, tmp_path, 5 * TIDIED)
    assert many < 1.3 * few
