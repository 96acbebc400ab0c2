"""An undo beside the running worker: handed over, killed in its midst, people at work; it stays undone."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from icp_sync.ports import Stream
from icp_sync.sync.cycle import Scope, cycle
from tests.sync.processes import Nursery
from tests.sync.station import OrgStation, Station

COMPANIES = 20


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("processes"))
    yield made
    made.close()


@pytest.fixture(params=[Station, OrgStation], ids=["hubspot", "salesforce"])
def station(request: pytest.FixtureRequest, tmp_path: Path, nursery: Nursery) -> Iterator[Station]:
    made = request.param(tmp_path, nursery, accounts=COMPANIES)
    yield made
    made.close()


def until(holds: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + 60
    while not (found := holds()):
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)
    return found


def worker(station: Station, fault: str = "") -> int:
    """The daemon, once it holds the journal."""
    pid = station.nursery.start(*station.args("run"), env={"ICP_SYNC_FAULT": fault})
    lock = Path(station.wired.journal.engine.url.database or "").with_name("journal.sqlite.lock")
    until(lambda: lock.exists() and str(pid) in lock.read_text(), "the worker holds the journal")
    return pid


def standing(station: Station, fields: Mapping[str, set[str]]) -> dict[str, dict[str, str]]:
    """Account → these fields as the CRM shows them."""
    page = station.wired.crm.fetch(sorted(fields))
    return {a.id: {n: v for n, v in a.live.items() if n in fields[a.id]} for a in page.accounts}


def settled(station: Station) -> str:
    """The run that wrote for the first time."""
    report = cycle(Stream.BACKFILL, station.wired.parts, Scope(restart=True))
    assert report is not None
    assert report.written > COMPANIES // 2
    station.wired.journal.clear_backfill_request()
    return next(run.id for run in station.wired.journal.runs(20) if run.kind == "backfill")


def test_it_is_handed_over_survives_a_kill_and_stays_undone_beside_the_worker(station: Station) -> None:
    run = settled(station)
    changed = station.wired.journal.changed_in(run)
    wrote = {id: {c.field for c in rows} - {"seal"} for id, rows in changed.items()}
    found = {id: {c.field: c.before for c in rows if c.field in wrote[id]} for id, rows in changed.items()}
    before = standing(station, wrote)
    tier = station.wired.settings.field_properties["tier"]
    typed = {id: "D" if before[id]["tier"] != "D" else "C" for id in sorted(before)[:3]}
    for id, value in typed.items():
        station.crm.admin("POST edit", id=id, properties={tier: value})
    station.crm.admin("POST clock", advance=5)
    first = worker(station, fault="undo.write.after")
    asked = station.nursery.start(*station.args("undo", run, "--apply", "--json"))
    assert station.nursery.wait(first).code == 137, "the worker died with the values written"
    second = worker(station)
    ended = station.nursery.wait(asked)
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert (told["done"], told["continued"], told["left"], told["people"]) == (True, True, 0, len(typed))
    undone = standing(station, wrote)
    for id, value in typed.items():
        found[id]["tier"] = value
    assert undone == found
    passes = len(station.wired.journal.runs(10_000))
    until(lambda: len(station.wired.journal.runs(10_000)) > passes + 8, "streams go on")
    os.kill(second, signal.SIGTERM)
    assert station.nursery.wait(second).code == 0
    assert cycle(Stream.BACKFILL, station.wired.parts, Scope(restart=True)) is not None
    assert standing(station, wrote) == undone
    own = station.run("undo", str(told["undo"]), "--apply")
    assert own.code == 0, own.err
    after = standing(station, wrote)
    assert {id: after[id] for id in after.keys() - typed} == {id: before[id] for id in before.keys() - typed}
    assert {id: after[id]["tier"] for id in typed} == typed
