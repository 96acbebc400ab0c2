"""`export evaluations`: what was thought of every account, as rows that are whole, safe and proved."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pytest
from pyarrow import parquet

from icp_sync.cli.export.rows import COLUMNS
from tests.cli.conftest import PROFILE, Place
from tests.cli.exporting import aged, change, exported

TODAY = datetime.now(UTC).date().isoformat()
FACTS = ["fact_employees", "fact_country"]


@pytest.fixture
def apart(settled: Place, tmp_path: Path) -> Place:
    """A copy of the settled connection, whose journal may be changed."""
    shutil.copytree(settled.folder, tmp_path / "apart")
    return Place(tmp_path / "apart", settled.crm).write()


def test_every_evaluated_account_is_a_row_as_explain_has_it(settled: Place, tmp_path: Path) -> None:
    told, found = exported(settled, tmp_path)
    assert (told["accounts"], told["not_proved"], len(found)) == (90, 0, 90)
    assert told["tiers"] == Counter(row["tier"] or "out of scope" for row in found)
    assert list(found[0])[: len(COLUMNS)] == list(COLUMNS)
    one = next(row for row in found if row["tier"] == "A")
    said = settled.json("explain", one["id"])
    assert (one["name"], one["domain"], one["owner"]) == (said["name"], said["domain"], said["owner"])
    assert [int(one[name]) for name in ("score", "low", "high", "coverage")] == [
        said["score"],
        said["low"],
        said["high"],
        said["coverage"],
    ]
    assert (one["model_tier"], one["certainty"], one["version"]) == ("A", "firm", "1")
    assert one["lane"] == "sales"
    assert one["profile"] == "listed-companies"
    assert datetime.fromisoformat(one["evaluated_at"]).date().isoformat() == TODAY


def test_facts_asked_about_have_columns_with_plain_digits(settled: Place, tmp_path: Path) -> None:
    _, found = exported(settled, tmp_path)
    assert set(FACTS) <= found[0].keys()
    assert any(row["fact_employees"].isdigit() for row in found)


def test_as_of_today_is_what_it_is_now(settled: Place, tmp_path: Path) -> None:
    _, now = exported(settled, tmp_path)
    told, past = exported(settled, tmp_path, "--as-of", TODAY)
    assert told["not_proved"] == 0
    same = [name for name in now[0] if name not in ("owner", "routed_owner")]
    assert [[row[n] for n in same] for row in past] == [[row[n] for n in same] for row in now]


def test_as_of_a_day_before_a_new_profile_shows_the_old_verdicts(apart: Place, tmp_path: Path) -> None:
    _, before = exported(apart, tmp_path)
    aged(apart, 2)
    other = tmp_path / "candidate.yaml"
    other.write_text(PROFILE.read_text().replace("A: 85", "A: 100"))
    apart.run("mode", "observe")  # the CRM is not this test's alone
    apart.run("profile", "activate", str(other))
    apart.settle()
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    told, past = exported(apart, tmp_path, "--as-of", yesterday)
    assert (told["profile_version"], told["not_proved"]) == (1, 0)
    assert {row["id"]: row["tier"] for row in past} == {row["id"]: row["tier"] for row in before}
    now, after = exported(apart, tmp_path)
    assert now["profile_version"] == 2
    assert Counter(row["tier"] for row in after)["A"] < Counter(row["tier"] for row in past)["A"]


def test_what_was_altered_shows_only_what_was_kept_and_is_counted(apart: Place, tmp_path: Path) -> None:
    (account,) = [company["id"] for company in apart.companies(icp_tier="A")][:1]
    with closing(sqlite3.connect(apart.folder / "journal.sqlite")) as db, db:
        [text] = db.execute("SELECT data FROM evaluation_log WHERE account = ?", (account,)).fetchone()
        data = json.loads(text)
        data["proof"]["result"]["verdicts"] = "other"
        db.execute("UPDATE evaluation_log SET data = ? WHERE account = ?", (json.dumps(data), account))
    told, found = exported(apart, tmp_path, "--as-of", TODAY)
    (one,) = [row for row in found if row["id"] == account]
    assert told["not_proved"] == 1
    assert (one["tier"], one["coverage"], one["profile"]) == ("A", "", "")
    assert one["certainty"] in ("firm", "provisional")


def test_a_company_that_calls_itself_a_formula_is_text(apart: Place, tmp_path: Path) -> None:
    change(apart, "UPDATE account SET name = '=HYPERLINK(1)' WHERE id = (SELECT min(id) FROM account)")
    _, found = exported(apart, tmp_path)
    assert "'=HYPERLINK(1)" in {row["name"] for row in found}


def test_an_account_that_is_gone_is_in_the_days_before_and_not_after(apart: Place, tmp_path: Path) -> None:
    _, found = exported(apart, tmp_path)
    gone = found[0]["id"]
    aged(apart, 3)
    change(apart, "UPDATE account SET status = 'gone', name = '', domain = '' WHERE id = ?", gone)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    assert gone in {row["id"] for row in exported(apart, tmp_path, "--as-of", yesterday)[1]}
    assert gone not in {row["id"] for row in exported(apart, tmp_path, "--as-of", TODAY)[1]}
    assert gone not in {row["id"] for row in exported(apart, tmp_path)[1]}


def test_parquet_has_the_same_rows_with_numbers_and_instants(settled: Place, tmp_path: Path) -> None:
    _, plain = exported(settled, tmp_path)
    out = tmp_path / "evaluations.parquet"
    told = settled.json("export", "evaluations", "--out", str(out))
    table = parquet.read_table(out)
    assert (told["accounts"], table.num_rows) == (90, 90)
    assert table.column_names == list(plain[0])
    assert str(table.schema.field("score").type) == "int64"
    assert str(table.schema.field("evaluated_at").type) == "timestamp[ms, tz=UTC]"
    assert table["id"].to_pylist() == [row["id"] for row in plain]
    scores = ["" if score is None else str(score) for score in table["score"].to_pylist()]
    assert scores == [row["score"] for row in plain]
    assert table["flags"].to_pylist() == [row["flags"] for row in plain]


def test_without_the_extra_parquet_is_refused_and_named(
    settled: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("icp_sync.tables.parquet.find_spec", lambda _: None)
    told = settled.run("export", "evaluations", "--out", str(tmp_path / "x.parquet"), code=2)
    assert "icp-sync[parquet]" in told.output
    assert list(tmp_path.iterdir()) == []


def test_rows_may_go_to_standard_output(settled: Place) -> None:
    told = settled.run("export", "evaluations", "--out", "-")
    assert len(list(csv.DictReader(io.StringIO(told.stdout)))) == 90


@pytest.mark.parametrize("name", ["evaluations.csv", "evaluations.parquet"])
def test_what_an_export_wrote_an_export_may_write_again(settled: Place, tmp_path: Path, name: str) -> None:
    for _ in range(2):
        assert settled.json("export", "evaluations", "--out", str(tmp_path / name))["accounts"] == 90


@pytest.mark.parametrize("name", ["evaluations.csv", "evaluations.parquet"])
def test_a_file_appears_whole_or_not_at_all(
    settled: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from icp_sync.cli.export import rows as telling

    asked = telling.Rows.row
    count = iter(range(1_000))

    def stop(self: telling.Rows, one: Any) -> Any:
        if next(count) == 40:
            raise KeyboardInterrupt
        return asked(self, one)

    monkeypatch.setattr(telling.Rows, "row", stop)
    settled.run("export", "evaluations", "--out", str(tmp_path / name), code=130)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "name one place"),
        (["--out", "x.csv", "--monthly", "y"], "name one place"),
        (["--monthly", "y", "--as-of", "2026-01-01"], "months have their own days"),
        (["--out", "x.csv", "--format", "parquet"], "goes with --monthly"),
        (["--out", "x.csv", "--as-of", "2999-01-01"], "lies in the future"),
        (["--out", "x.csv", "--as-of", "soon"], "neither a day nor an instant"),
        (["--out", "x.csv", "--as-of", "2001-01-01"], "older than retention"),
        (["--out", "pyproject.toml"], "nothing that this command writes"),
        (["--out", "theirs.csv"], "--out: theirs.csv is there already, with other columns"),
        (["--out", "theirs.parquet"], "--out: theirs.parquet is there already, with other columns"),
        (["--out", "broken.parquet"], "--out: broken.parquet is there already, with other columns"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(
    settled: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    parquet.write_table(arrow.table({"id": ["1"], "tier": ["A"]}), tmp_path / "theirs.parquet")
    for name, text in (("pyproject.toml", "x"), ("theirs.csv", "id,tier\n1,A\n"), ("broken.parquet", "x")):
        (tmp_path / name).write_text(text)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    told = settled.run("export", "evaluations", *options, code=2)
    assert words in told.output
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_day_before_any_profile_has_nothing_to_tell(settled: Place, tmp_path: Path) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    out = str(tmp_path / "x.csv")
    told = settled.run("export", "evaluations", "--out", out, "--as-of", yesterday, code=2)
    assert "no profile was active yet" in told.output
