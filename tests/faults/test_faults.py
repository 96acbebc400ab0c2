"""The slice of the fault programme that runs with the suite; see `tests/README.md` for its size.

Ways and databases take turns, so that each point meets several of them and the time stays short.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

import pytest

import icp_sync
from icp_sync.observe import FAULT_POINTS
from tests.faults import acts, nth, outside, story
from tests.faults.programme import TURNS, first_passages, points_tried
from tests.sync.processes import Nursery
from tests.sync.station import Station

AROUND_A_WRITE = ("journal.intend.", "journal.commit.", "settle.write.")
"""Tried in every story; the others once."""


def _slice() -> list[tuple[int, str]]:
    """(number of a story, point): what is around a write in all of them, the rest where it is met first."""
    chosen: list[tuple[int, str]] = []
    met: set[str] = set()
    for number, one in enumerate(story.STORIES):
        for point in first_passages(one):
            if point not in met or point.startswith(AROUND_A_WRITE):
                chosen.append((number, point))
            met.add(point)
    return chosen


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("number", range(len(story.STORIES)))
def test_a_cycle_that_stumbles_is_made_good_by_the_next(number: int, turn: int) -> None:
    mine = [point for n, point in _slice() if n == number]
    for at, point in enumerate(mine):
        if (at + number) % 4 == turn:
            way, database = TURNS[turn]
            tried = story.with_exception if way == "raises" else story.with_death
            tried(story.STORIES[number], database, point, 1)


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("kind", acts.ACTS)
def test_a_command_that_stumbles_leaves_all_or_nothing(kind: str, side: str) -> None:
    turn = list(acts.ACTS).index(kind) + (side == "after")
    way, database = TURNS[turn % 4]
    acts.tried(kind, database, side, way)


@pytest.mark.parametrize(
    ("seam", "database", "step"),
    [
        ("CRM calls", "postgresql", 3),
        ("CRM replies", "sqlite", 1),
        ("journal statements", "postgresql", 61),
        ("journal commits", "sqlite", 13),
    ],
)
def test_the_nth_call_that_fails_is_made_good(seam: str, database: str, step: int) -> None:
    assert nth.until_clean(story.STORIES[1], database, seam, step) > 0


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("processes"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def portal(nursery: Nursery) -> Iterator[Station]:
    with outside.opened("hubspot", "postgresql", nursery) as made:
        yield made


@pytest.fixture(scope="module")
def org() -> Iterator[Station]:
    with outside.opened("salesforce", "sqlite") as made:
        yield made


@pytest.mark.parametrize("point", outside.POINTS["hubspot"])
def test_a_poll_of_a_portal_that_meets_an_exception_is_made_good(portal: Station, point: str) -> None:
    assert outside.with_exception(portal, point)


def test_a_process_that_dies_around_its_write_is_made_good_on_postgresql(portal: Station) -> None:
    outside.with_death(portal, "hubspot.written")


@pytest.mark.parametrize("point", outside.POINTS["salesforce"])
def test_a_poll_of_an_org_that_meets_an_exception_is_made_good(org: Station, point: str) -> None:
    assert outside.with_exception(org, point)


def test_a_backfill_that_meets_an_exception_after_giving_an_owner_is_made_good() -> None:
    outside.owner_with_exception("postgresql")


def test_every_registered_fault_point_is_tried_by_the_programme() -> None:
    for module in pkgutil.walk_packages(icp_sync.__path__, "icp_sync."):
        if not module.name.endswith((".__main__", ".env")) and ".migrations" not in module.name:
            import_module(module.name)
    assert FAULT_POINTS.keys() - points_tried() == set()
