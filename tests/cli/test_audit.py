"""`audit`: every command that changes something leaves an entry that says who."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from icp_sync.journal import Journal
from icp_sync.simulator import Simulator
from tests.cli.conftest import Place


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A connection on which each of these commands was run once."""
    with Simulator(accounts=5, seed=9) as crm, pytest.MonkeyPatch.context() as patched:
        crm.admin("POST settings", property_lag=0)
        place = Place(tmp_path_factory.mktemp("audited"), crm).write()
        patched.setenv("ICP_SYNC_WHO", "ada@laptop")
        place.run("provision", "--apply")
        place.run("profile", "activate", "--note", "the first")
        place.run("mode", "route")
        place.run("mode", "route")  # changes nothing
        place.run("bind")
        patched.setenv("ICP_SYNC_WHO", "bob@desk")
        place.run("run", "--backfill", "--restart")
        yield place


def test_whoever_changes_something_is_named(used: Place) -> None:
    entries = used.json("audit")["entries"]
    assert [(e["what"], e["who"]) for e in entries] == [
        ("provision begun", "ada@laptop"),
        ("provision", "ada@laptop"),
        ("profile activate", "ada@laptop"),
        ("mode", "ada@laptop"),
        ("run --backfill", "bob@desk"),
    ]
    assert entries[2]["detail"] == {"version": 1, "files": ["listed-companies.yaml"], "note": "the first"}
    assert entries[3]["detail"] == {"before": "observe", "after": "route"}
    assert entries[4]["detail"]["restart"] is True
    assert "icp_tier" in entries[0]["detail"]["making"]
    assert "icp_tier" in entries[1]["detail"]["made"]


def test_people_read_it_and_that_the_chain_holds(used: Place) -> None:
    shown = used.run("audit").stdout
    assert "bob@desk" in shown
    assert "before observe, after route" in shown
    assert "The chain holds." in shown


def test_a_note_comes_first_and_is_whole_where_nothing_is_cut(place: Place) -> None:
    note, digest = "because " * 60 + "so", f"sha256:{'ab' * 32}"
    journal = Journal.open(f"sqlite:///{place.folder}/journal.sqlite", "main")
    journal.audit("approve", who="ada", now=0.0, plan=digest, note=note)
    journal.close()
    shown = place.run("audit").stdout
    assert f"note {note}, plan sha256:abababababab…" in shown
    assert place.json("audit")["entries"][0]["detail"]["plan"] == digest


def test_since_a_day_and_the_latest_few(used: Place) -> None:
    assert [e["what"] for e in used.json("audit", "--limit", "1")["entries"]] == ["run --backfill"]
    assert len(used.json("audit", "--since", "2020-01-01")["entries"]) == 5
    assert used.json("audit", "--since", "2999-01-01")["entries"] == []
    assert "Nothing since 2999-01-01." in used.run("audit", "--since", "2999-01-01").stdout
    assert "neither a day" in used.run("audit", "--since", "monday", code=2).output


def test_all_of_it_can_be_exported(used: Place, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    told = used.json("audit", "--export", str(path))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == told["entries"]
    assert lines[-1]["digest"] == told["last_digest"]
    assert path.stat().st_mode & 0o077 == 0


def test_an_export_that_cannot_be_written_says_where(used: Place) -> None:
    assert "/nowhere/audit.jsonl" in used.run("audit", "--export", "/nowhere/audit.jsonl", code=1).output


def test_a_broken_chain_is_told_and_ends_with_exit_code_1(used: Place) -> None:
    with closing(sqlite3.connect(used.folder / "journal.sqlite")) as db, db:
        db.execute("UPDATE audit SET who = 'nobody' WHERE seq = 2")
    assert used.json("audit", code=1)["broken_at"] == 2
    assert "broken at entry 2" in used.run("audit", code=1).stdout
    assert used.json("journal", "verify", code=1)["findings"][0]["what"] == "audit"
