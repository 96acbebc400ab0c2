"""A worker that was paused past its lease and resumed: at most it completes the requests it had begun."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from icp_sync.ports import Stream
from icp_sync.sync.cycle import Scope, cycle
from tests import postgres
from tests.shared.pausing import Sleepers
from tests.sync.station import OrgStation, Station

WRITES = "settle.write.before"
SENDS = "http.send"
BEGUN = 4
"""Requests that may have been begun by then: those that travel at the same time, and a read ahead."""


@pytest.fixture(scope="module")
def sleepers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sleepers]:
    made = Sleepers(tmp_path_factory.mktemp("sleepers"))
    yield made
    made.close()


@pytest.fixture(params=[Station, OrgStation], ids=["hubspot", "salesforce"])
def station(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Station]:
    made: Station = request.param(tmp_path, accounts=120, journal=postgres.server().database())
    yield made
    made.close()


def taken_over(station: Station, stream: str) -> object:
    """Somebody else has the stream: the sleeper's lease has run out."""
    lease = station.wired.journal.lease(stream, holder="another", now=time.time() + 3600)
    assert lease is not None
    return lease


def requests(station: Station) -> int:
    return int(str(station.stats()["total"]))


@pytest.mark.parametrize("points", [(WRITES,), (WRITES, SENDS)], ids=["about to write", "about to send"])
def test_one_that_wakes_after_its_lease_has_gone_sends_no_more_than_it_had_begun(
    station: Station, sleepers: Sleepers, points: tuple[str, ...]
) -> None:
    sleeper = sleepers.start(*station.args("run", "--backfill"), points=points)
    sleepers.asleep(sleeper)
    before = requests(station)
    lease = taken_over(station, "backfill")
    _, said = sleepers.wake(sleeper)
    sent = requests(station) - before
    assert sent <= BEGUN, said
    assert "was taken over" in said
    assert "Traceback" not in said
    station.wired.journal.release_lease(lease)  # type: ignore[arg-type]
    assert station.wired.journal.left_alone() == []
    report = cycle(Stream.BACKFILL, station.wired.parts, Scope(split=lambda page: (page,)))
    assert report is not None
    station.crm.admin("POST clock", advance=5)
    station.assert_converged()
