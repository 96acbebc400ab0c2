"""The fault points of real HTTP: a simulated portal or org, with its journal on either database.

An exception is met in this process; a death is the real command's, started as `icp-sync run --once`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from icp_sync.domain.standing import Mode
from icp_sync.ports import Stream
from icp_sync.sync.cycle import Scope, cycle
from tests import postgres
from tests.faults import dying
from tests.sync.processes import Nursery
from tests.sync.station import TOUCHED, OrgStation, Station

POINTS = {
    "hubspot": ("http.send", "http.reply", "hubspot.written"),
    "salesforce": ("http.send", "http.reply", "salesforce.written"),
}
"""CRM → the points around its requests, each passed whenever something is written."""

OWNER = "salesforce.owner"
"""Passed by a first backfill, which gives owners."""

BULK = "salesforce.bulk"
"""Passed by pages of thousands only; tried by the whole programme and in `sync/test_kill_salesforce.py`."""

KINDS = {"hubspot": Station, "salesforce": OrgStation}
_SEEDS = count(7000)


class _BulkStation(OrgStation):
    bulk = True


@contextmanager
def opened(
    crm: str,
    database: str,
    nursery: Nursery | None = None,
    kind: type[Station] | None = None,
    accounts: int = 40,
) -> Iterator[Station]:
    """A CRM that was backfilled, unless `kind` is given: then it is fresh."""
    folder = Path(mkdtemp(prefix="icp-sync-outside-"))
    url = "" if database == "sqlite" else postgres.server().database()
    station = (kind or KINDS[crm])(folder, nursery, accounts=accounts, journal=url)
    try:
        if kind is None:
            _run(station, Stream.BACKFILL)
        yield station
    finally:
        station.close()
        if url:
            postgres.server().drop(url)
        rmtree(folder, ignore_errors=True)


def _run(station: Station, stream: Stream) -> None:
    assert cycle(stream, station.wired.parts, Scope()) is not None, f"{stream} is busy"


def with_exception(station: Station, point: str, passage: int = 1) -> bool:
    """People work, a poll stumbles, the next ones do not; false when the point is not passed so often."""
    before = station.written()
    station.people_work(next(_SEEDS))
    reached = dying.raises(point, passage, lambda: _run(station, Stream.POLL))
    assert station.wired.journal.left_alone() == []
    for _ in range(2):
        station.crm.admin("POST clock", advance=5)  # a window ends at the last whole second
        _run(station, Stream.POLL)
    _made_good(station, before)
    return reached


def with_death(station: Station, point: str) -> None:
    """The same with the real command, killed at the point."""
    before = station.written()
    station.people_work(next(_SEEDS))
    ended = station.run("run", "--once", fault=point)
    assert ended.code == dying.DIED, f"{point} was not passed: {ended.err}"
    assert station.wired.journal.left_alone() == []
    station.crm.admin("POST clock", advance=5)
    again = station.run("run", "--once")
    assert again.code == 0, again.err
    _made_good(station, before)


def _made_good(station: Station, before: int) -> None:
    station.assert_converged()
    assert station.written() - before <= 4 * TOUCHED, "more was written than a repetition explains"


def owner_with_exception(database: str) -> None:
    """A first backfill that stumbled after an owner was given."""
    with opened("salesforce", database, kind=OrgStation) as station:
        assert dying.raises(OWNER, 1, lambda: _run(station, Stream.BACKFILL)), f"{OWNER} was not passed"
        assert station.wired.journal.left_alone() == []
        station.crm.admin("POST clock", advance=5)
        _run(station, Stream.BACKFILL)
        station.assert_converged()
        assert station.stats()["auto_assigned"] == 0


def bulk_with_exception(database: str) -> None:
    """A bulk job that nobody closed, after an exception in the process that goes on."""
    with opened("salesforce", database, kind=_BulkStation, accounts=2_500) as station:
        station.wired.journal.set_mode(Mode.WRITE, now=time.time())
        before = station.written()
        assert dying.raises(BULK, 1, lambda: _run(station, Stream.BACKFILL)), f"{BULK} was not passed"
        assert station.written() == before
        _run(station, Stream.BACKFILL)
        assert station.wired.journal.open_jobs() == {}
        station.assert_converged()
