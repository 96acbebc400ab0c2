"""`icp-sync run`: one round, one full backfill, or the worker; what it prints and how it ends."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from icp_sync import observe
from icp_sync.cli import handing
from icp_sync.cli.run.progress import lines, progress
from icp_sync.journal import Journal
from icp_sync.simulator import Simulator
from icp_sync.sync.report import Report
from tests.cli.conftest import Place, command

ACCOUNTS = 25


@pytest.fixture(scope="module")
def portal() -> Iterator[Simulator]:
    with Simulator(accounts=ACCOUNTS, seed=5, index_lag=0.0) as crm:
        crm.admin("POST settings", property_lag=0)
        yield crm


@pytest.fixture(scope="module")
def ready(portal: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A connection that may write and has not been read yet; every test works on copies of its journal."""
    place = Place(tmp_path_factory.mktemp("run"), portal).write()
    place.run("provision", "--apply")
    place.run("profile", "activate")
    place.run("mode", "route")
    return place


@pytest.fixture
def place(ready: Place, tmp_path: Path) -> Place:
    for file in ready.folder.glob("*"):
        if file.name != "icp-sync.toml":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    return Place(tmp_path, ready.crm).write("[health]\nport = 0")


def journal_of(place: Place) -> Journal:
    return Journal.open(f"sqlite:///{place.folder}/journal.sqlite", "main")


def test_a_backfill_says_what_it_did_and_a_second_one_finds_nothing_to_do(place: Place) -> None:
    said = place.run("run", "--backfill").stdout
    assert said.splitlines()[0] == f"{ACCOUNTS} companies evaluated"
    assert "tier" in said
    place.crm.admin("POST clock", advance=5)
    again = place.json("run", "--backfill")
    assert (again["read"], again["written"]) == (ACCOUNTS, 0)
    assert again["unchanged"] + sum(again["waits"].values()) == ACCOUNTS
    assert sum(again["asked"].values()) == 0
    assert (again["connection"], again["interrupted"], again["apply"]) == ("main", False, True)
    assert place.run("run", "--backfill").stdout.rstrip().endswith("enrichment calls: 0")


def test_a_round_picks_up_what_changed_and_nothing_else(place: Place) -> None:
    place.run("run", "--backfill")
    place.crm.admin("POST clock", advance=5)
    place.run("run", "--once")
    company = place.companies()[0]
    place.crm.admin("POST edit", id=company["id"], properties={"numberofemployees": "7"})
    place.crm.admin("POST clock", advance=5)
    assert place.json("run", "--once")["read"] == 1


def test_a_dry_run_writes_and_remembers_nothing(place: Place) -> None:
    before = place.crm.admin("GET stats")["records_written"]
    dry = place.json("run", "--dry-run")
    assert dry["apply"] is False
    assert dry["read"] == ACCOUNTS
    assert place.crm.admin("GET stats")["records_written"] == before
    journal = journal_of(place)
    assert journal.counts() == {}
    journal.close()
    assert "would be written" in place.run("run", "--dry-run").stdout


def test_a_dry_run_disturbs_nobody_who_works_on_the_journal(place: Place) -> None:
    journal = journal_of(place)
    with journal.hold("run"):
        assert place.json("run", "--dry-run")["read"] == ACCOUNTS
    journal.close()


def test_a_limit_stops_early_and_the_next_backfill_goes_on(place: Place) -> None:
    first = place.json("run", "--backfill", "--limit", "10")
    rest = place.json("run", "--backfill")
    assert (first["read"], rest["read"]) == (10, ACCOUNTS - 10)
    assert place.json("run", "--backfill", "--limit", "10")["read"] == 10
    assert place.json("run", "--backfill", "--restart")["read"] == ACCOUNTS


def test_a_selection_settles_only_what_it_certainly_holds_for(place: Place) -> None:
    every = place.json("run", "--dry-run")["read"]
    some = place.json("run", "--dry-run", "--where", "country=DE")["read"]
    assert 0 <= some < every
    wrong = place.run("run", "--backfill", "--where", "nonsense", code=2)
    assert "--where 'nonsense'" in wrong.stderr
    assert "at most" not in wrong.stderr
    assert "run --backfill" not in {entry["what"] for entry in place.json("audit")["entries"]}


def test_what_a_backfill_may_take_is_said_once_everything_was_read(place: Place) -> None:
    assert "at most" not in place.run("run", "--backfill", "--limit", "10").stderr
    assert "at most" not in place.run("run", "--backfill").stderr, "ten are known, and more are read"
    told = place.run("run", "--backfill", "--restart").stderr
    assert f"if all of {ACCOUNTS} accounts known so far had to be written" in told


def test_a_dry_run_is_a_plan_among_the_runs_and_wrote_on_nobody(place: Place) -> None:
    place.run("plan")
    heads, row = place.run("history").stdout.splitlines()[:2]
    assert "wrote on" in heads
    assert row.split()[1] == "plan"
    assert row.index(str(ACCOUNTS), row.index("finished" if "finished" in row else "UTC")) < len(heads)
    at = heads.index("wrote on")
    assert row[at : at + len("wrote on")].strip() == ""
    assert int(row[at + len("wrote on") :].strip()) > 0


def test_pause_goes_alone(place: Place) -> None:
    for other in (["--backfill"], ["--cancel", "x"], ["--once"]):
        assert "--pause goes alone" in place.run("run", "--pause", *other, code=2).stderr


def test_a_pause_holds_backfills_until_they_are_resumed(place: Place) -> None:
    journal = journal_of(place)
    journal.clear_backfill_request()
    assert "no backfill is asked for or under way" in place.run("run", "--pause", code=2).stderr
    journal.request_backfill("a new profile", 1.0)
    journal.close()
    assert "run --backfill --resume" in place.run("run", "--pause").stdout
    assert "backfills are paused by" in place.run("status").stdout
    assert place.json("status")["backfill_paused"].startswith("paused by")
    assert "paused by" in place.run("run", "--pause", code=2).stderr
    stopped = place.run("run", "--backfill", code=3)
    assert "paused by" in stopped.stderr
    assert "next: icp-sync run --backfill --resume" in stopped.stderr
    place.run("run", "--backfill", "--resume")
    assert place.json("status")["backfill_paused"] == ""
    assert [e["what"] for e in place.json("audit")["entries"]].count("run --pause") == 1


def test_cancel_goes_alone(place: Place) -> None:
    assert "--cancel goes alone" in place.run("run", "--backfill", "--cancel", "x", code=2).stderr


def test_a_backfill_told_to_stop_commits_its_page_and_ends_with_130(place: Place) -> None:
    def told(point: str) -> None:
        if point == "settle.write.before":
            os.kill(os.getpid(), signal.SIGTERM)

    observe.arm_faults(told)
    try:
        said = place.run("run", "--backfill", code=130).stdout
    finally:
        observe.arm_faults(None)
    assert "To continue: icp-sync run --backfill" in said
    journal = journal_of(place)
    assert sum(journal.counts().values()) == ACCOUNTS
    journal.close()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--once", "--backfill"), "choose one"),
        (("--restart",), "--restart goes with --backfill"),
        (("--resume",), "--resume goes with --backfill"),
        (("--backfill", "--resume", "--restart"), "choose one"),
        (("--limit", "5"), "--limit goes with"),
        (("--where", "country=DE", "--json"), "--where, --json goes with"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    place: Place, options: tuple[str, ...], says: str
) -> None:
    assert says in place.run("run", *options, code=2).stderr


@pytest.mark.parametrize("options", [(), ("--once",), ("--backfill",)])
def test_nothing_is_written_without_a_seal_key(place: Place, options: tuple[str, ...]) -> None:
    (place.folder / "seal.key").unlink()
    refused = place.run("run", *options, code=2)
    assert "seal key" in refused.stderr
    assert "next: icp-sync provision --apply" in refused.stderr


@pytest.mark.parametrize("options", [(), ("--once",), ("--backfill",)])
def test_a_journal_somebody_works_on_is_refused_by_name(place: Place, options: tuple[str, ...]) -> None:
    """By one that performs nothing for others; it passes. Beside the worker a backfill is handed over."""
    journal = journal_of(place)
    with journal.hold("run --backfill"):
        refused = place.run("run", *options, code=1)
    journal.close()
    assert f"process {os.getpid()}" in refused.stderr


def test_a_request_whose_worker_has_ended_is_kept_for_its_next_start(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing, "PATIENCE", 0.2)
    journal = journal_of(place)
    asked = threading.Event()

    def worker() -> None:
        with journal.hold("run"):
            asked.set()
            while not journal.requests("waiting"):
                time.sleep(0.02)

    thread = threading.Thread(target=worker)
    thread.start()
    assert asked.wait(30)
    refused = place.run("run", "--backfill", code=1)
    thread.join(30)
    kept = journal.requests("waiting")
    journal.close()
    assert f"the worker has ended; request {kept[0].id} is kept" in refused.stderr
    assert "next: icp-sync run" in refused.stderr


@pytest.mark.parametrize("options", [(), ("--once",), ("--backfill",)])
def test_another_portal_than_the_journal_s_is_refused(place: Place, options: tuple[str, ...]) -> None:
    journal = journal_of(place)
    journal.bind("4711", crm="hubspot", now=0.0, rebind=True)
    journal.close()
    refused = place.run("run", *options, code=2)
    assert "4711" in refused.stderr


@pytest.mark.parametrize("options", [(), ("--once",), ("--backfill",)])
def test_a_token_the_portal_does_not_know_ends_with_2(place: Place, options: tuple[str, ...]) -> None:
    place.write("[health]\nport = 0", token="pat-na1-11111111-2222-3333-4444-555555555555")
    refused = place.run("run", *options, code=2)
    assert "pat-na1" not in refused.output


def test_without_an_active_profile_there_is_nothing_to_run(portal: Simulator, tmp_path: Path) -> None:
    place = Place(tmp_path, portal).write("[health]\nport = 0")
    refused = place.run("run", "--backfill", code=2)
    assert "next: icp-sync profile activate" in refused.stderr


def test_a_connection_nobody_configured_is_named(place: Place) -> None:
    assert command("run", "--config", str(place.config), "--connection", "other").exit_code == 2


def test_without_a_terminal_there_is_one_line_a_minute() -> None:
    now = [0.0]
    report = Report(read=10)
    with capture_logs() as said:
        tick = lines("run --backfill", lambda: now[0])
        for _ in range(300):
            now[0] += 1.0
            report.read += 10
            tick(report)
    assert [(line["event"], line["read"]) for line in said] == [
        ("run --backfill", 10 + 600 * n) for n in range(1, 6)
    ]
    assert said[0]["per_second"] == 10.2


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("total", [0, 1000])
def test_on_a_terminal_there_is_a_bar_with_rate_and_time_left(
    total: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: Any = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm")
    with progress("run --backfill", total) as tick:
        tick(Report(read=400))
    text = shown.getvalue()
    assert "400 accounts" in text
    assert "/s" in text
    assert ("left" in text) is bool(total)
