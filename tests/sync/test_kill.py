"""Processes that die: at every fault point, at random instants, on a polite request, and twice over.

The simulated CRM is real HTTP, the journal a real file, the command the real one; a killed process is gone
without a word. Afterwards everything converges, and no value of ours ever passes for a person's edit.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

import icp_sync.crm.hubspot
import icp_sync.sync.cycle  # noqa: F401 - both for their fault points
from icp_sync.observe import FAULT_POINTS
from tests.postgres import journal_url
from tests.sync.processes import Nursery
from tests.sync.station import ACCOUNTS, TOUCHED, Station

_JOURNAL = (
    *("profile", "release", "event", "job", "amend", "hold", "request", "audit", "alert", "view"),
    *("notice", "turn", "worker", "partition", "moved"),
)
_BESIDE = ("journal.deal.", "journal.watch.", "salesforce.", "undo.", "deals.", "telling.")
ELSEWHERE = (*(f"journal.{what}." for what in _JOURNAL), *_BESIDE)
"""Fault points of other commands, of the sweep, of the daily watch, of deals that nobody follows here, of
people who are told nothing, or of jobs and a CRM there are none of; their own tests kill there."""


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("processes"))
    yield made
    made.close()


@contextmanager
def _backfilled(folder: Path, nursery: Nursery, journal: str = "") -> Iterator[Station]:
    made = Station(folder, nursery, journal=journal)
    ended = made.run("run", "--backfill")
    assert ended.code == 0, ended.err
    assert f"{ACCOUNTS} companies evaluated" in ended.out
    yield made
    made.close()


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[Station]:
    with _backfilled(tmp_path_factory.mktemp("kill"), nursery) as made:
        yield made


@pytest.fixture(scope="module")
def on_postgres(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[Station]:
    with journal_url("postgresql") as url, _backfilled(tmp_path_factory.mktemp("kill"), nursery, url) as made:
        yield made


POINTS = sorted(name for name in FAULT_POINTS if not name.startswith(ELSEWHERE))


@pytest.mark.parametrize("point", POINTS)
def test_a_process_that_dies_at_a_fault_point_is_made_good_by_the_next(
    request: pytest.FixtureRequest, point: str
) -> None:
    """On SQLite and on PostgreSQL in turn."""
    station: Station = request.getfixturevalue(("station", "on_postgres")[POINTS.index(point) % 2])
    before = station.written()
    station.people_work(POINTS.index(point))
    ended = station.run("run", "--once", fault=point)
    assert ended.code == 137, f"{point} was not passed: {ended.err}"
    assert station.wired.journal.left_alone() == []
    station.crm.admin("POST clock", advance=5)  # a window ends at the last whole second
    again = station.run("run", "--once")
    assert again.code == 0, again.err
    station.assert_converged()
    assert station.written() - before <= 2 * TOUCHED


@pytest.mark.parametrize(
    ("point", "database"),
    [
        ("settle.write.before", "postgresql"),
        ("hubspot.written", "postgresql"),
        ("journal.commit.before", "sqlite"),
    ],
)
def test_a_first_backfill_that_dies_around_its_write_is_made_good_by_the_next(
    tmp_path: Path, nursery: Nursery, point: str, database: str
) -> None:
    with journal_url(database) as url, closing(Station(tmp_path, nursery, journal=url)) as station:
        assert station.run("run", "--backfill", fault=point).code == 137
        again = station.run("run", "--backfill")
        assert again.code == 0, again.err
        station.assert_converged()
        assert station.written() <= ACCOUNTS, "what had landed was written again"


def test_processes_killed_at_random_instants_lose_and_double_nothing(station: Station) -> None:
    dice = random.Random(7)
    station.crm.admin("POST settings", latency=0.02)
    before = station.written()
    touched = 0
    for n in range(9):
        station.people_work(1000 + n)
        touched += TOUCHED
        pid = station.nursery.start(*station.args("run", "--backfill"))
        time.sleep(dice.uniform(0.05, 0.9))
        os.kill(pid, signal.SIGKILL)
        station.nursery.wait(pid)
        assert station.wired.journal.left_alone() == []
    station.crm.admin("POST settings", latency=0.0)
    ended = station.run("run", "--backfill")
    assert ended.code == 0, ended.err
    station.assert_converged()
    assert station.written() - before <= 2 * touched


def _healthy(station: Station, pid: int) -> dict[str, object]:
    """Wait until the worker has ended a poll well, and return what /healthz says."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urlopen(f"http://127.0.0.1:{station.health_port}/healthz", timeout=5) as reply:
                said: dict[str, object] = json.loads(reply.read())
        except OSError:
            said = {}
        connections = said.get("connections")
        if isinstance(connections, dict) and connections["main"]["poll"]["state"] == "ok":
            return said
        time.sleep(0.05)
    raise AssertionError(station.nursery.said_so_far(pid))


def test_the_worker_keeps_up_refuses_a_second_one_survives_a_kill_and_drains_on_request(
    station: Station,
) -> None:
    first = station.nursery.start(*station.args("run"))
    assert _healthy(station, first)["status"] == "ok"

    second = station.run("run")
    assert second.code == 1
    assert str(first) in second.err
    assert station.run("run", "--once").code == 1

    os.kill(first, signal.SIGKILL)
    assert station.nursery.wait(first).code == -signal.SIGKILL
    station.people_work(5000)
    third = station.nursery.start(*station.args("run"))
    _healthy(station, third)
    deadline = time.monotonic() + 60
    while station.wired.journal.find("new-5000-0.com") == [] and time.monotonic() < deadline:
        time.sleep(0.1)
    with urlopen(f"http://127.0.0.1:{station.health_port}/metrics", timeout=5) as reply:
        metrics = reply.read().decode()
    assert 'icp_sync_cycles_total{connection="main",outcome="done",stream="poll"}' in metrics
    assert station.crm.token not in metrics

    os.kill(third, signal.SIGTERM)
    ended = station.nursery.wait(third)
    assert ended.code == 0, ended.err
    assert station.crm.token not in ended.err
    assert station.run("run", "--once").code == 0
    station.assert_converged()
