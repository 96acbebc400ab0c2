"""`export evaluations --monthly`: each month once, whole, and what is missing in it said."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from icp_sync.cli.export.months import months
from icp_sync.cli.export.rows import COLUMNS
from tests.cli.conftest import Place
from tests.cli.exporting import aged, change, exported, rows


@pytest.fixture
def apart(settled: Place, tmp_path: Path) -> Place:
    """A copy of the settled connection, whose journal may be changed."""
    shutil.copytree(settled.folder, tmp_path / "apart")
    return Place(tmp_path / "apart", settled.crm).write()


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


def test_history_that_was_pruned_stays_uncovered_however_long_is_kept_now(
    apart: Place, tmp_path: Path
) -> None:
    aged(apart, 120)
    with closing(sqlite3.connect(apart.folder / "journal.sqlite")) as db, db:
        names = [row[1] for row in db.execute("PRAGMA table_info(evaluation_log)") if row[1] != "seq"]
        same = ", ".join(names)
        later = ", ".join("at + 5184000" if name == "at" else name for name in names)
        db.execute(f"INSERT INTO evaluation_log ({same}) SELECT {later} FROM evaluation_log")
    month = (datetime.now(UTC) - timedelta(days=90)).strftime("%Y-%m")
    day = (datetime.now(UTC) - timedelta(days=90)).date().isoformat()
    assert {one["accounts"] for one in monthly(apart, tmp_path / "whole")["written"]} == {90}
    apart.write('[connections.main.retention]\nhistory = "30d"').run("journal", "vacuum")
    apart.write()
    told = monthly(apart, tmp_path / "pruned")
    assert month in told["not_covered"]
    assert {one["accounts"] for one in told["written"]} <= {90}
    refused = apart.run("export", "evaluations", "--out", str(tmp_path / "x.csv"), "--as-of", day, code=2)
    assert "older than retention" in refused.output
    account = apart.companies(icp_tier="A")[0]["id"]
    assert "older than retention" in apart.run("explain", account, "--as-of", day, code=2).output


def test_accounts_erased_since_are_counted_as_missing_in_each_month_before(
    apart: Place, tmp_path: Path
) -> None:
    aged(apart, 70)
    gone = (datetime.now(UTC) - timedelta(days=40)).timestamp()
    change(
        apart,
        "UPDATE account SET status = 'gone', settled_at = ? WHERE id IN (SELECT id FROM account LIMIT 3)",
        gone,
    )
    apart.run("journal", "vacuum")
    told = monthly(apart, tmp_path / "history")
    month = datetime.fromtimestamp(gone, UTC).strftime("%Y-%m")
    missing = {one["month"]: (one["accounts"], one["erased"]) for one in told["written"]}
    assert missing == {name: (87, 3 if name < month else 0) for name in ends(70)}
    shown = apart.run("export", "evaluations", "--monthly", str(tmp_path / "again")).stdout
    assert "up to 3 accounts may be missing" in " ".join(shown.split())


def test_a_profile_of_then_that_cannot_be_read_costs_its_months_the_facts_and_is_reported(
    apart: Place, tmp_path: Path
) -> None:
    aged(apart, 70)
    _, before = exported(apart, tmp_path)
    change(
        apart,
        "UPDATE profile_version SET documents = replace(documents, 'fact: employees', 'fact: gone_now')",
    )
    told = monthly(apart, tmp_path / "history")
    assert [one["month"] for one in told["written"]] == ends(70)
    assert all("unknown fact 'gone_now'" in one["unread"] for one in told["written"])
    found = rows(Path(told["written"][-1]["out"]))
    assert list(found[0]) == list(COLUMNS)
    assert {row["id"]: (row["tier"], row["score"]) for row in found} == {
        row["id"]: (row["tier"], row["score"]) for row in before
    }
    shown = apart.run("export", "evaluations", "--monthly", str(tmp_path / "again")).stdout
    assert "no fact has a column" in " ".join(shown.split())


def test_in_the_first_month_there_is_nothing_to_write_yet(settled: Place, tmp_path: Path) -> None:
    told = settled.run("export", "evaluations", "--monthly", str(tmp_path / "history"))
    assert "No month is over" in told.output


def test_a_month_ends_with_its_last_microsecond_in_utc_whatever_its_length() -> None:
    first = datetime(2027, 12, 31, 23, 59, tzinfo=UTC).timestamp()
    found = list(months(first, datetime(2028, 3, 1, tzinfo=UTC).timestamp()))
    assert [month.name for month in found] == ["2027-12", "2028-01", "2028-02"]
    last = datetime.fromtimestamp(found[-1].end, UTC)
    assert (last.day, last.hour, last.minute, last.second) == (29, 23, 59, 59)
