"""A command beside the running worker: handed over, followed, stopped, survived. Real processes."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from icp_sync.journal import Asked
from icp_sync.sync.waves import ALERT
from tests.sync.processes import Nursery
from tests.sync.station import ACCOUNTS, Station

_BACKFILL = "ICP_SYNC_CONNECTIONS__MAIN__BACKFILL__"
AT_ONCE = {_BACKFILL + "CANARY": "0", _BACKFILL + "WAVE": "0"}
SLOWLY = {_BACKFILL + "CANARY": "10", _BACKFILL + "WATCH": "5m"}
QUICKLY = {
    _BACKFILL + "CANARY": "10",
    _BACKFILL + "WATCH": "1s",
    _BACKFILL + "WAVE": "10",
    _BACKFILL + "PAUSE": "0.2s",
}


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("processes"))
    yield made
    made.close()


@pytest.fixture
def station(tmp_path: Path, nursery: Nursery) -> Iterator[Station]:
    made = Station(tmp_path, nursery)
    yield made
    made.close()


def until(holds: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + 60
    while not (found := holds()):
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)
    return found


@contextmanager
def worker(station: Station, env: dict[str, str]) -> Iterator[int]:
    """The daemon, ended politely; its process id."""
    pid = station.nursery.start(*station.args("run"), env={"ICP_SYNC_FAULT": "", **env})
    try:
        lock = Path(station.wired.journal.engine.url.database or "x").with_name("journal.sqlite.lock")
        until(lambda: lock.exists() and str(pid) in lock.read_text(), "the worker holds the journal")
        yield pid
    finally:
        if pid in station.nursery._living:
            os.kill(pid, signal.SIGTERM)
            station.nursery.wait(pid)


def request(station: Station) -> Asked | None:
    found = station.wired.journal.requests(limit=1)
    return found[0] if found else None


def read_through(station: Station) -> bool:
    return station.wired.journal.position("backfill").finished


def test_a_backfill_beside_the_worker_is_handed_over_and_followed_to_its_end(station: Station) -> None:
    with worker(station, AT_ONCE):
        until(lambda: read_through(station), "the first reading")
        env = {"ICP_SYNC_WHO": "ada@laptop"}
        ended = station.nursery.run(*station.args("run", "--backfill", "--json"), env=env)
        assert ended.code == 0, ended.err
        said = json.loads(ended.out)
        assert (said["read"], said["written"], said["connection"]) == (ACCOUNTS, 0, "main")
        kept = station.wired.journal.request(said["request"])
        assert kept is not None
        assert (kept.state, kept.by) == ("done", "ada@laptop")
        told = station.run("run", "--backfill")
        assert f"{ACCOUNTS} companies evaluated" in told.out
        assert "handed to the worker that is running" in told.out
        refused = station.run("run", "--backfill", "--where", "nonsense", "--restart")
        assert refused.code == 2
        assert "nonsense" in refused.err
        assert station.run("run", "--once").code == 1, "two rounds at once make no sense"
    station.assert_converged()


def test_ctrl_c_leaves_it_running_and_cancel_stops_it(station: Station) -> None:
    with worker(station, SLOWLY):
        until(lambda: station.written() == 10, "the canary of the first reading, watched for five minutes")
        follower = station.nursery.start(*station.args("run", "--backfill"))
        asked = until(lambda: request(station), "the request")
        until(lambda: (found := request(station)) and found.state == "running", "it is taken up")
        os.kill(follower, signal.SIGINT)
        ended = station.nursery.wait(follower)
        assert ended.code == 130
        assert f"icp-sync run --cancel {asked.id}" in ended.err
        assert "icp-sync status" in ended.err
        shown = station.run("status").out
        assert f"request {asked.id} (backfill" in shown
        station.crm.admin("POST create", properties={"name": "New", "domain": "new.com", "country": "France"})
        station.crm.admin("POST clock", advance=5)
        until(lambda: station.written() == 11, "polling goes on during the watch")
        cancelled = station.run("run", "--cancel", asked.id)
        assert cancelled.code == 0, cancelled.err
        again = station.run("run", "--cancel", asked.id)
        assert again.code == 2
        assert "is cancelled already" in again.err
        assert station.run("run", "--cancel", "nonsense").code == 2
        until(lambda: not station.wired.journal.requests("running"), "it ended")
    assert station.written() == 11, "the worker stopped in the midst of its watch"


def test_a_worker_killed_in_the_midst_of_a_handed_backfill_goes_on_with_it(station: Station) -> None:
    with worker(station, AT_ONCE):
        until(lambda: read_through(station), "the first reading")
    station.people_work(1)
    station.wired.journal.ask("backfill", {"restart": True}, by="ada@laptop", now=time.time())
    for point in ("journal.request.before", "settle.write.after", "journal.request.after:2"):
        doomed = station.nursery.start(*station.args("run"), env={"ICP_SYNC_FAULT": point, **QUICKLY})
        assert station.nursery.wait(doomed).code == 137, point
    with worker(station, QUICKLY):
        until(lambda: (found := request(station)) and found.state == "done", "taken up again and done")
    station.crm.admin("POST clock", advance=5)
    assert station.run("run", "--once").code == 0
    station.assert_converged()


def test_a_worker_killed_in_every_wave_of_a_backfill_doubles_nothing(station: Station) -> None:
    """Killed each time it has landed something more, in its writes or in its wait."""
    for landed in (1, 11, 21):
        pid = station.nursery.start(*station.args("run"), env={"ICP_SYNC_FAULT": "", **QUICKLY})
        until(lambda: station.written() >= landed, f"{landed} accounts are written")  # noqa: B023
        os.kill(pid, signal.SIGKILL)
        station.nursery.wait(pid)
        assert station.wired.journal.left_alone() == []
    with worker(station, QUICKLY):
        until(lambda: read_through(station), "it is read through")
    station.assert_converged()
    assert station.written() <= ACCOUNTS + 10, "at most the wave in flight is repeated"


def test_a_backfill_a_workflow_reacts_to_halts_with_3_and_goes_on_when_told(station: Station) -> None:
    watched = {**SLOWLY, _BACKFILL + "WATCH": "5s"}
    pid = station.nursery.start(*station.args("run", "--backfill"), env={"ICP_SYNC_FAULT": "", **watched})
    journal = station.wired.journal
    ids = until(
        lambda: len(sent := journal.written_after(0, "backfill")) == 10 and sent, "the canary is committed"
    )
    os.kill(pid, signal.SIGSTOP)  # however slow we are, the workflow is done before the watch ends
    station.crm.admin("POST clock", advance=10)
    for account_id in ids[:5]:
        station.crm.admin("POST edit", id=account_id, properties={"name": "Touched by a workflow"})
    os.kill(pid, signal.SIGCONT)
    ended = station.nursery.wait(pid)
    assert ended.code == 3, ended.err
    assert "5 of 10 accounts looked at were changed again" in ended.err
    assert "next: icp-sync run --backfill --resume" in ended.err
    assert "10 companies evaluated" in ended.out
    assert station.written() == 10
    assert [alert.name for alert in station.wired.journal.alerts()] == [ALERT]
    shown = station.run("status").out
    assert "reacts to our fields" in shown
    assert "icp-sync run --backfill --resume" in shown
    assert station.run("run", "--backfill").code == 3
    gone_on = station.nursery.run(*station.args("run", "--backfill", "--resume"), env=AT_ONCE)
    assert gone_on.code == 0, gone_on.err
    assert f"{ACCOUNTS - 10} companies evaluated" in gone_on.out
    assert station.wired.journal.alerts() == []
