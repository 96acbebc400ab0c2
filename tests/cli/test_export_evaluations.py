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

import pytest
from pyarrow import parquet

from icp_sync.cli.export.months import months
from icp_sync.cli.export.rows import COLUMNS
from tests.cli.conftest import PROFILE, Place

TODAY = datetime.now(UTC).date().isoformat()
FACTS = ["fact_employees", "fact_country"]


@pytest.fixture
def apart(settled: Place, tmp_path: Path) -> Place:
    """A copy of the settled connection, whose journal may be changed."""
    shutil.copytree(settled.folder, tmp_path / "apart")
    return Place(tmp_path / "apart", settled.crm).write()


def change(place: Place, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(place.folder / "journal.sqlite")) as db, db:
        db.execute(statement, values)


def rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))


def exported(place: Place, folder: Path, *options: str) -> tuple[dict[str, Any], list[dict[str, str]]]:
    out = folder / "evaluations.csv"
    told = place.json("export", "evaluations", "--out", str(out), *options)
    return told, rows(out)


def aged(place: Place, days: float) -> None:
    """Everything the journal knows happened so many days earlier."""
    earlier = days * 86_400
    change(place, "UPDATE evaluation_log SET at = at - ?", earlier)
    change(place, "UPDATE profile_version SET activated_at = activated_at - ?", earlier)


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
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(
    settled: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("kept")
    told = settled.run("export", "evaluations", *options, code=2)
    assert words in told.output
    assert [path.name for path in tmp_path.iterdir()] == ["pyproject.toml"]


def test_a_day_before_any_profile_has_nothing_to_tell(settled: Place, tmp_path: Path) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    out = str(tmp_path / "x.csv")
    told = settled.run("export", "evaluations", "--out", out, "--as-of", yesterday, code=2)
    assert "no profile was active yet" in told.output


# Every month


def monthly(place: Place, folder: Path, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = place.json("export", "evaluations", "--monthly", str(folder), *options)
    return found


def ends(days: int) -> list[str]:
    now = datetime.now(UTC).timestamp()
    return [month.name for month in months(now - days * 86_400, now)]


def test_every_month_that_is_over_gets_its_file_once(apart: Place, tmp_path: Path) -> None:
    aged(apart, 70)
    folder, wanted = tmp_path / "history", ends(70)
    told = monthly(apart, folder)
    assert [one["month"] for one in told["written"]] == wanted
    assert {one["accounts"] for one in told["written"]} == {90}
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == [f"evaluations-main-{month}.csv" for month in wanted]
    files[0].write_text("mine by now")
    files[-1].unlink()
    again = monthly(apart, folder)
    assert [one["month"] for one in again["written"]] == wanted[-1:]
    assert (again["there"], files[0].read_text()) == (wanted[:-1], "mine by now")


def test_months_the_history_no_longer_covers_are_said(apart: Place, tmp_path: Path) -> None:
    aged(apart, 500)
    told = monthly(apart, tmp_path / "history", "--format", "parquet")
    wanted = ends(500)
    kept = next(month.name for month in months(datetime.now(UTC).timestamp() - 400 * 86_400, 2e9))
    assert told["not_covered"] == [month for month in wanted if month < kept]
    assert [one["month"] for one in told["written"]] == [month for month in wanted if month >= kept]
    assert parquet.read_table(told["written"][0]["out"]).num_rows == 90


def test_in_the_first_month_there_is_nothing_to_write_yet(settled: Place, tmp_path: Path) -> None:
    told = settled.run("export", "evaluations", "--monthly", str(tmp_path / "history"))
    assert "No month is over" in told.output


def test_a_month_ends_with_its_last_microsecond_in_utc_whatever_its_length() -> None:
    first = datetime(2027, 12, 31, 23, 59, tzinfo=UTC).timestamp()
    found = list(months(first, datetime(2028, 3, 1, tzinfo=UTC).timestamp()))
    assert [month.name for month in found] == ["2027-12", "2028-01", "2028-02"]
    last = datetime.fromtimestamp(found[-1].end, UTC)
    assert (last.day, last.hour, last.minute, last.second) == (29, 23, 59, 59)
