"""Everything of a connection goes into a file and comes back, whichever database it came from."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from journal_builders import NOW, Worker, employees, ours, settled

from icp_sync.domain.plan import Change
from icp_sync.errors import ConfigError
from icp_sync.journal import Journal, Keep, Tally, VendorState
from icp_sync.journal.positions import PRUNED
from icp_sync.ports import Position
from tests import postgres

Rows = list[dict[str, Any]]


@pytest.fixture
def filled(journal: Journal, worker: Worker) -> Journal:
    journal.bind("portal-1", crm="hubspot", now=NOW)
    journal.activate((("p.yaml", "profile: é"),), now=NOW)
    change = Change(account_id="1", field="tier", live="", desired="B", origin="")
    one = settled(
        "1",
        owner="anna@x",
        evaluation={"at": NOW},
        log_evaluation=True,
        changes=(change,),
        confirmed={"tier": ours("B\x00\ud800")},
    )
    worker.commit(one, settled("2"), position=Position(done_to=7))
    journal.record("vendor", "1.example", "hit", [employees(5)], 2.0, now=NOW, expires_at=NOW + 9)
    journal.record("slow", "1.example", "pending", now=NOW, expires_at=NOW + 9, job="job-7")
    journal.record_all("slow", (), now=NOW, tallies=[Tally(fact="", segment="", asked=1, told=0, charge=0.0)])
    journal.save_vendor("slow", VendorState(failures=1), now=NOW)
    journal.audit("mode", who="ada", now=NOW)
    journal.audit("bind", who="bob", now=NOW + 1)
    journal.end_run(journal.start_run("poll", now=NOW), {"read": 2}, now=NOW)
    return journal


def exported(journal: Journal) -> Rows:
    """As it is after a trip through a file."""
    return [json.loads(json.dumps(line)) for line in journal.export(now=NOW)]


def rows(lines: Rows) -> Rows:
    """The rows of tables, less their numbers, which are the database's own."""
    kept = [line for line in lines if "table" in line]
    for line in kept:
        line["row"].pop("seq", None)
    return kept


def test_a_place_by_the_numbers_of_this_database_does_not_come_along(filled: Journal) -> None:
    filled.prune(Keep(history=0.0), now=NOW + 1)
    assert PRUNED in filled.positions()
    other = filled.for_connection("copy")
    other.take_in(exported(filled))
    assert filled.positions().keys() - other.positions().keys() == {PRUNED}


def test_what_was_exported_comes_back_in_an_empty_connection(filled: Journal) -> None:
    lines = exported(filled)
    other = filled.for_connection("copy")
    counts = other.take_in(lines)
    assert counts == lines[-1]["rows"]
    assert counts["account"] == counts["audit"] == 2
    assert rows(exported(other)) == rows(lines)
    assert other.verify(now=NOW) == []
    assert other.recall({"1": ""}, now=NOW).of("1").confirmed["tier"].value == "B\x00\ud800"
    assert [e.who for e in other.audited()] == ["ada", "bob"]


def test_a_journal_moves_from_one_database_to_the_other(filled: Journal, tmp_path: Any) -> None:
    on_sqlite = filled.engine.dialect.name == "sqlite"
    url = postgres.server().scratch() if on_sqlite else f"sqlite:///{tmp_path}/other.db"
    other = Journal.open(url, "main")
    lines = exported(filled)
    other.take_in(lines)
    assert rows(exported(other)) == rows(lines)
    other.close()


def test_only_this_connection_is_exported(filled: Journal) -> None:
    Worker(filled.for_connection("other")).commit(settled("99"))
    assert [line for line in exported(filled) if line.get("row", {}).get("id") == "99"] == []


def test_a_connection_that_holds_something_takes_nothing_in(filled: Journal) -> None:
    before = rows(exported(filled))
    with pytest.raises(ConfigError, match="holds something already"):
        filled.take_in(exported(filled))
    assert rows(exported(filled)) == before


def of(table: str, lines: Rows) -> int:
    return next(n for n, line in enumerate(lines) if line.get("table") == table)


BAD: dict[str, Callable[[Rows], Rows]] = {
    "it is no export": lambda lines: lines[1:],
    "its schema is 0001": lambda lines: [{**lines[0], "schema": "0001"}, *lines[1:]],
    "cut short": lambda lines: lines[:-1],
    "rows are missing": lambda lines: lines[:3] + lines[4:],
    "follows the end": lambda lines: [*lines, lines[2]],
    "no row of a table": lambda lines: [lines[0], {"table": "sqlite_master", "row": {}}, *lines[1:]],
    "other columns": lambda lines: [lines[0], {"table": "account", "row": {"id": "x"}}, *lines[1:]],
    "account.name is no str": lambda lines: [
        line if line.get("table") != "account" else {**line, "row": {**line["row"], "name": 5}}
        for line in lines
    ],
    "account.version is missing": lambda lines: [
        line if line.get("table") != "account" else {**line, "row": {**line["row"], "version": None}}
        for line in lines
    ],
}


@pytest.mark.parametrize("said", BAD)
def test_anything_but_a_whole_export_is_refused_and_nothing_is_stored(filled: Journal, said: str) -> None:
    other = filled.for_connection("copy")
    with pytest.raises(ConfigError, match=said):
        other.take_in(BAD[said](exported(filled)))
    assert rows(exported(other)) == []


def test_an_empty_file_is_refused(journal: Journal) -> None:
    with pytest.raises(ConfigError, match="no export"):
        journal.take_in([])
