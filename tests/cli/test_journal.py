"""`journal export | import | vacuum | verify | forget`, on the journal of a settled CRM."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from icp_sync.journal import Journal
from icp_sync.ports import Stream
from tests.cli.conftest import Place


@pytest.fixture
def apart(settled: Place, tmp_path: Path) -> Place:
    """A copy of the settled connection, whose journal may be changed."""
    shutil.copytree(settled.folder, tmp_path / "apart")
    return Place(tmp_path / "apart", settled.crm).write()


def change(place: Place, statement: str) -> None:
    with closing(sqlite3.connect(place.folder / "journal.sqlite")) as db, db:
        db.execute(statement)


def test_a_whole_journal_is_told_whole(settled: Place) -> None:
    assert settled.json("journal", "verify") == {"connection": "main", "whole": True, "findings": []}
    assert "is whole" in settled.run("journal", "verify").stdout


def test_what_is_wrong_is_listed_and_ends_with_exit_code_1(apart: Place) -> None:
    change(apart, "UPDATE load SET load = load + 1")
    change(apart, "UPDATE evaluation SET data = '{' WHERE account = (SELECT min(account) FROM evaluation)")
    found = apart.json("journal", "verify", code=1)
    assert {finding["what"] for finding in found["findings"]} == {"loads", "evaluation"}
    assert "cannot be read" in apart.run("journal", "verify", code=1).stdout


def test_an_export_comes_back_in_an_empty_journal_and_nothing_is_left_to_do(
    apart: Place, tmp_path: Path
) -> None:
    path = tmp_path / "journal.jsonl"
    told = apart.json("journal", "export", str(path))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == sum(told["rows"].values()) + 2
    assert path.stat().st_mode & 0o077 == 0
    (apart.folder / "journal.sqlite").rename(apart.folder / "lost.sqlite")
    taken = apart.json("journal", "import", str(path))
    assert (taken["rows"], taken["findings"]) == (told["rows"], [])
    assert apart.json("plan")["changed"] == 0
    assert apart.json("status")["mode"] == "route"
    assert [e["what"] for e in apart.json("audit")["entries"]][-1] == "journal import"
    assert "holds something already" in apart.run("journal", "import", str(path), code=2).output


def test_a_file_that_is_no_export_is_refused(fresh: Place, tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    for content in (b"", b"hello\n", b"[1]\n", b"\xff\xfe\n", b"[" * 100_000):
        path.write_bytes(content)
        said = fresh.run("journal", "import", str(path), code=2).output
        assert "no export" in said or "is not JSON" in said
    assert "No such file" in fresh.run("journal", "import", "/nowhere", code=1).output


def test_vacuum_prunes_by_the_settings_and_gives_the_room_back(apart: Place) -> None:
    place = apart.write('[connections.main.retention]\nhistory = "1d"')
    change(place, "UPDATE change_log SET at = at - 200000")
    change(place, "UPDATE evaluation_log SET at = at - 200000")
    kept = place.json("journal", "vacuum", "--no-prune")
    assert kept["pruned"] == {}
    told = place.json("journal", "vacuum")
    assert (told["pruned"]["writes"] > 50, told["pruned"]["evaluations"]) == (True, 0)
    assert told["bytes_after"] < told["bytes_before"]
    assert place.json("journal", "verify")["whole"]
    assert "writes" not in place.run("journal", "vacuum").stdout


def test_a_journal_in_use_is_not_written_anew(apart: Place) -> None:
    journal = Journal.open(f"sqlite:///{apart.folder}/journal.sqlite", "main")
    with journal.hold("run"):
        assert "is in use by run" in apart.run("journal", "vacuum", code=1).output
        assert apart.json("journal", "verify")["whole"]
    journal.close()


def test_forget_says_first_what_would_go_and_changes_nothing(apart: Place) -> None:
    account = apart.companies(icp_tier="A")[0]
    before = apart.json("explain", account["id"])
    told = apart.json("journal", "forget", account["id"])
    assert (told["applied"], told["rows"]["account"], told["rows"]["evaluation"]) == (False, 1, 1)
    assert {"tier", "fit_score"} <= set(told["in_the_crm"])
    assert told["seal_in_the_crm"]
    shown = apart.run("journal", "forget", account["id"]).stdout
    assert f"icp-sync journal forget {account['id']} --apply" in shown
    assert apart.json("explain", account["id"]) == before


def test_a_forgotten_account_is_in_no_row_and_the_audit_holds_only_a_digest(apart: Place) -> None:
    account = apart.companies(icp_tier="A")[0]
    apart.run("journal", "forget", account["id"], "--apply", "--note", "asked on Monday")
    entry = apart.json("audit")["entries"][-1]
    assert (entry["what"], entry["detail"]["note"]) == ("journal forget", "asked on Monday")
    assert len(entry["detail"]["account"]) == 10
    path = apart.folder / "after.jsonl"
    apart.run("journal", "export", str(path))
    rows = [line for line in path.read_text().splitlines() if '"table":"position"' not in line]
    assert [line for line in rows if account["id"] in line or account["name"] in line] == []
    assert apart.json("journal", "verify")["whole"]


def test_after_forgetting_the_next_sweep_knows_our_values_by_the_seal(apart: Place) -> None:
    account = apart.companies(icp_tier="A")[0]["id"]
    apart.run("journal", "forget", account, "--apply")
    apart.settle(Stream.SWEEP)
    told = apart.json("explain", account)
    assert (told["tier"], told["held"], told["writes"]) == ("A", [], [])
    journal = Journal.open(f"sqlite:///{apart.folder}/journal.sqlite", "main")
    stored = journal.account(account)
    journal.close()
    assert stored is not None
    assert {held.origin.value for name, held in stored.confirmed.items() if name in told_fields} == {"ours"}


told_fields = {"tier", "model_tier", "fit_score", "reasons"}


def test_what_is_not_known_cannot_be_forgotten(fresh: Place) -> None:
    assert "knows nothing of it" in fresh.run("journal", "forget", "4711", code=2).output


def test_where_there_is_no_journal_none_is_begun_to_be_told_whole(place: Place, tmp_path: Path) -> None:
    for asked in (("verify",), ("vacuum",), ("export", str(tmp_path / "out.jsonl"))):
        said = place.run("journal", *asked, code=2).stderr
        assert f"there is no journal at {place.folder}/journal.sqlite" in said
        assert "next: icp-sync journal rebuild" in said
    assert not (place.folder / "journal.sqlite").exists()
    assert not (tmp_path / "out.jsonl").exists()


def test_an_export_overwrites_nothing_but_an_export(settled: Place, tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("dear all")
    assert "is there already, and no export" in settled.run("journal", "export", str(path), code=2).stderr
    assert path.read_text() == "dear all"
    path.unlink()
    settled.run("journal", "export", str(path))
    settled.run("journal", "export", str(path))


def test_a_folder_is_no_file_to_export_to(settled: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(settled.folder)
    for asked in (("journal", "export", "."), ("audit", "--export", ".")):
        assert "error: .: Is a directory" in settled.run(*asked, code=1).stderr
