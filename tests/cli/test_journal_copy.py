"""`journal copy --to URL`: the journal of a settled portal moves to PostgreSQL, and work goes on there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from icp_sync.journal import Journal
from tests import postgres
from tests.cli.conftest import Place


@pytest.fixture
def apart(settled: Place, tmp_path: Path) -> Place:
    """A copy of the settled connection, whose journal may be changed."""
    shutil.copytree(settled.folder, tmp_path / "apart")
    return Place(tmp_path / "apart", settled.crm).write()


@pytest.fixture
def target() -> Iterator[str]:
    url = postgres.server().database(empty=True)
    yield url
    postgres.server().drop(url)


def now_on(place: Place, url: str) -> None:
    text = place.config.read_text()
    place.config.write_text(text.replace(f"sqlite:///{place.folder}/journal.sqlite", url))


def test_a_settled_journal_moves_and_nothing_is_left_to_do_at_the_new_place(
    apart: Place, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = apart.json("status")
    monkeypatch.setenv("ICP_SYNC_COPY_TO", target)
    told = apart.json("journal", "copy")
    assert (told["moved"], told["already"], told["in_use"]) == (True, False, None)
    assert told["tables"]["account"]["rows"] == told["tables"]["account"]["added"] > 0
    assert "has moved" in apart.run("status", code=2).output
    assert "nothing was left to do" in apart.run("journal", "copy").stdout
    now_on(apart, target)
    assert "is on PostgreSQL already" in apart.run("journal", "copy", code=2).output
    assert apart.json("plan")["changed"] == 0
    assert apart.json("journal", "verify")["findings"] == []
    assert apart.json("status")["mode"] == before["mode"] == "route"
    assert [entry["what"] for entry in apart.json("audit")["entries"]][-1] == "journal copy"


def test_beside_a_worker_it_copies_says_who_works_and_what_to_do_next(apart: Place, target: str) -> None:
    journal = Journal.open(f"sqlite:///{apart.folder}/journal.sqlite", "main")
    try:
        with journal.hold("run"):
            said = apart.run("journal", "copy", "--to", target).stdout
            assert "Not moved yet" in said
            assert "is in use by run (process" in said
            assert "next: icp-sync journal copy" in said
            journal.count_event("the worker goes on")
    finally:
        journal.close()
    assert not list(apart.folder.glob(".*spare*"))
    moved = apart.run("journal", "copy", "--to", target).stdout
    assert "Every row is the same on both sides" in moved
    assert "next: set ICP_SYNC_JOURNAL" in moved


def test_no_backup_takes_the_place_of_a_journal_that_has_moved_and_none_is_made_of_it(
    apart: Place, target: str, tmp_path: Path
) -> None:
    backup = tmp_path / "before.tar"
    apart.run("journal", "backup", str(backup))
    apart.run("journal", "copy", "--to", target)
    refused = apart.run("journal", "restore", str(backup), code=2).output
    assert "has moved to" in refused
    assert "stop every worker there" in refused
    assert "has moved" in apart.run("status", code=2).output
    late = apart.run("journal", "backup", str(tmp_path / "late.tar"), code=2).output
    assert f"{apart.folder}/journal.sqlite: has moved to" in late
    assert "spare" not in late
    assert not (tmp_path / "late.tar").exists()
    for file in apart.folder.glob("journal.sqlite*"):
        file.unlink()
    apart.run("journal", "restore", str(backup))
    assert apart.json("status")["mode"] == "observe"


def test_without_a_journal_or_a_url_it_says_so(place: Place, target: str) -> None:
    assert "there is no journal at" in place.run("journal", "copy", "--to", target, code=2).output
    assert "ICP_SYNC_COPY_TO" in place.run("journal", "copy", code=2).output
