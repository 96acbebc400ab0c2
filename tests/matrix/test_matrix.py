"""The slice of the fault matrix that runs with the suite: every fault and every endpoint at least once.

The whole is `python -m tests.matrix`; see `tests/README.md`.
"""

from __future__ import annotations

import pytest

from tests.matrix.cells import FAULTS, Cell, each_once
from tests.matrix.orgs import PLACES
from tests.matrix.programme import calls_of_a_day, through
from tests.postgres import DATABASES

EXPECTED = {
    "hubspot": {"POST search", "POST batch/read", "POST batch/update", "GET companies", "GET owners"},
    "salesforce": {"POST oauth2/token", "GET query", "PATCH composite/sobjects", "PATCH sobjects/{id}/{id}"},
    "salesforce by bulk": {"POST jobs/query", "PUT jobs/ingest/{id}/batches", "PATCH jobs/ingest/{id}"},
}
"""Some of what a day calls, so that a day which calls nothing is noticed."""


@pytest.fixture(scope="module")
def slice_() -> list[Cell]:
    return each_once({name: calls_of_a_day(name) for name in PLACES})


@pytest.mark.parametrize("place", PLACES)
def test_whatever_a_call_meets_is_made_good_and_nothing_is_lost_or_doubled(
    place: str, slice_: list[Cell]
) -> None:
    mine = [cell for cell in slice_ if cell.place == place]
    table = through(mine)
    assert table.databases == set(DATABASES)
    assert table.broken == []
    assert table.faults == {cell.fault.name for cell in mine}, "these faults never struck"
    assert table.endpoints == {(place, cell.endpoint) for cell in mine}


def test_the_slice_has_every_fault_and_every_endpoint(slice_: list[Cell]) -> None:
    assert {cell.fault.name for cell in slice_} == {fault.name for fault in FAULTS}
    for place, some in EXPECTED.items():
        assert some <= calls_of_a_day(place).keys()
    called = {endpoint for place in PLACES for endpoint in calls_of_a_day(place)}
    assert {cell.endpoint for cell in slice_} == called
