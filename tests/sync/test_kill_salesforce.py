"""The same deaths on a Salesforce org: around a collection, around an owner, in the midst of a bulk job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync.processes import Nursery
from tests.sync.station import ACCOUNTS, TOUCHED, OrgStation


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("processes"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[OrgStation]:
    made = OrgStation(tmp_path_factory.mktemp("kill"), nursery)
    ended = made.run("run", "--backfill")
    assert ended.code == 0, ended.err
    assert f"{ACCOUNTS} companies evaluated" in ended.out
    yield made
    made.close()


@pytest.mark.parametrize("point", ["settle.write.before", "salesforce.written", "journal.commit.before"])
def test_a_process_that_dies_around_its_write_is_made_good_by_the_next(
    station: OrgStation, point: str
) -> None:
    before = station.written()
    station.people_work(len(point))
    ended = station.run("run", "--once", fault=point)
    assert ended.code == 137, f"{point} was not passed: {ended.err}"
    assert station.wired.journal.left_alone() == []
    station.crm.admin("POST clock", advance=5)
    again = station.run("run", "--once")
    assert again.code == 0, again.err
    station.assert_converged()
    assert station.written() - before <= 4 * TOUCHED  # an account's owner is a write of its own
    assert station.stats()["auto_assigned"] == 0


def test_a_backfill_that_dies_after_an_owner_was_given_gives_it_once(
    tmp_path: Path, nursery: Nursery
) -> None:
    station = OrgStation(tmp_path, nursery)
    try:
        assert station.run("run", "--backfill", fault="salesforce.owner").code == 137
        station.crm.admin("POST clock", advance=5)
        again = station.run("run", "--backfill")
        assert again.code == 0, again.err
        station.assert_converged()
        assert station.stats()["auto_assigned"] == 0
    finally:
        station.close()
