"""The same deaths on a Salesforce org: around a collection, around an owner, in the midst of a bulk job."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from icp_sync.domain.account import Origin
from icp_sync.domain.standing import Mode
from tests.postgres import journal_url
from tests.sync.processes import Nursery
from tests.sync.station import ACCOUNTS, TOUCHED, OrgStation


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("processes"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[OrgStation]:
    with journal_url("postgresql") as url:
        made = OrgStation(tmp_path_factory.mktemp("kill"), nursery, journal=url)
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
        given = []
        for account in station.wired.crm.fetch(station.live_ids()).accounts:
            stored = station.wired.journal.account(account.id)
            owner = stored.confirmed.get("owner") if stored else None
            if owner is not None and owner.origin is Origin.OURS and owner.value:
                given.append((account.owner, account.live["routed_owner"]))
        assert given, "somebody was given an account"
        assert all(owner == routed for owner, routed in given), "whom we routed is known"
    finally:
        station.close()


class BulkStation(OrgStation):
    """An org whose large pages are written by bulk jobs: what is due for that is 2,000 rows and more."""

    bulk = True

    def access(self) -> str:
        """Without the canary wave, which is too small for a job and waits for people."""
        return super().access() + "[connections.main.backfill]\ncanary = 0\n"

    def jobs(self) -> list[str]:
        """The states of every ingest job there ever was."""
        found = requests.get(
            f"{self.crm.url}/services/data/v66.0/jobs/ingest",
            headers={"Authorization": f"Bearer {self.crm.token}"},
            timeout=30,
        )
        return [str(job["state"]) for job in found.json()["records"]]


@pytest.fixture
def bulk(tmp_path: Path, nursery: Nursery) -> Iterator[BulkStation]:
    made = BulkStation(tmp_path, nursery, accounts=2_500)
    made.wired.journal.set_mode(Mode.WRITE, now=time.time())
    yield made
    made.close()


def test_a_bulk_job_that_was_never_closed_is_aborted_by_the_next_process(bulk: BulkStation) -> None:
    before = bulk.written()
    assert bulk.run("run", "--backfill", fault="salesforce.bulk").code == 137
    assert bulk.jobs() == ["Open"]
    assert len(bulk.wired.journal.open_jobs()) == 1
    assert bulk.written() == before
    again = bulk.run("run", "--backfill")
    assert again.code == 0, again.err
    assert bulk.jobs() == ["Aborted"], "one that has ended well is not left lying about"
    made = bulk.stats()["requests"]
    assert isinstance(made, dict)
    assert (made["POST jobs/ingest"], made["DELETE jobs/ingest/{id}"]) == (2, 1)
    assert bulk.wired.journal.open_jobs() == {}
    bulk.assert_converged()
    assert "assignment rules" in again.err, "said each time that Auto-Assign cannot be switched off"
    assert int(str(bulk.stats()["auto_assigned"])) >= 2_000, "and they run"


def test_a_bulk_job_that_goes_on_without_us_is_waited_for(bulk: BulkStation) -> None:
    bulk.crm.admin("POST settings", bulk_seconds=4.0)
    pid = bulk.nursery.start(*bulk.args("run", "--backfill"))
    deadline = time.monotonic() + 60
    while "InProgress" not in bulk.jobs() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    bulk.nursery.wait(pid)
    assert len(bulk.wired.journal.open_jobs()) == 1
    again = bulk.run("run", "--backfill")
    assert again.code == 0, again.err
    assert bulk.wired.journal.open_jobs() == {}
    bulk.assert_converged()
    assert bulk.jobs().count("JobComplete") == 1, "what the job wrote is not written again"
