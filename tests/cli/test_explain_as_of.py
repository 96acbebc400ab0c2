"""`explain --as-of`: what was in force on a past day, proved by making it again; or why it cannot be."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from icp_sync.cli.opening import opened
from icp_sync.reporting.explain import then
from tests.cli.conftest import PROFILE, Place

TODAY = datetime.now(UTC).date().isoformat()


@pytest.fixture
def apart(settled: Place, tmp_path: Path) -> Place:
    """A copy of the settled connection, whose journal may be changed."""
    shutil.copytree(settled.folder, tmp_path / "apart")
    return Place(tmp_path / "apart", settled.crm).write()


def account_of(place: Place) -> str:
    return str(place.companies(icp_tier="A")[0]["id"])


def change(place: Place, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(place.folder / "journal.sqlite")) as db, db:
        db.execute(statement, values)


def logged(place: Place, account: str) -> dict[str, Any]:
    with closing(sqlite3.connect(place.folder / "journal.sqlite")) as db:
        [text] = db.execute("SELECT data FROM evaluation_log WHERE account = ?", (account,)).fetchone()
    found: dict[str, Any] = json.loads(text)
    return found


def altered(place: Place, account: str, alter: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """What is told as of today once the kept evaluation was altered in the journal."""
    data = logged(place, account)
    alter(data)
    change(place, "UPDATE evaluation_log SET data = ? WHERE account = ?", json.dumps(data), account)
    found: dict[str, Any] = place.json("explain", account, "--as-of", TODAY)
    return found


def test_every_evaluation_kept_is_proved_by_making_it_again(settled: Place) -> None:
    with opened(settled.config, None) as at:
        told = [then(at, account_id, TODAY) for account_id in at.journal.live_ids_page("", 100)]
    assert len(told) == 90
    assert {(t.proved, t.said, t.differs) for t in told} == {(True, "proved: recomputed equal", ())}
    assert all(t.explained and t.tier == t.explained.tier for t in told)


def test_as_of_today_is_what_explain_says(settled: Place) -> None:
    account = account_of(settled)
    now, past = settled.json("explain", account), settled.json("explain", account, "--as-of", TODAY)
    changing = ("headline", "owner", "held", "notes", "wake_at", "writes", "told")
    for verdict in (*now["verdicts"], *past["explained"]["verdicts"]):
        verdict["facts"] = [fact["value"] for fact in verdict["facts"]]  # a date moves with the record's
    for name in now.keys() - set(changing) - {"connection"}:
        assert past["explained"][name] == now[name], name
    assert (past["until"], past["active_version"]) == (None, 1)


def test_one_that_no_profile_was_for_is_told_apart(apart: Place) -> None:
    account, other = (str(company["id"]) for company in apart.companies(icp_tier="A")[:2])
    change(apart, "UPDATE evaluation_log SET tier = '', score = NULL WHERE account = ?", account)
    assert apart.json("explain", account, "--as-of", TODAY)["in_scope"] is False
    assert apart.json("explain", other, "--as-of", TODAY)["in_scope"] is True


def test_people_read_the_proof_first(settled: Place) -> None:
    shown = settled.run("explain", account_of(settled), "--as-of", TODAY).stdout
    assert shown.startswith("As of ")
    assert shown.splitlines()[1] == "proved: recomputed equal"
    assert "Verdicts" in shown


def test_the_profile_of_then_proves_what_was_in_force_then(apart: Place, tmp_path: Path) -> None:
    account = account_of(apart)
    before = datetime.now(UTC).isoformat()
    other = tmp_path / "candidate.yaml"
    other.write_text(PROFILE.read_text().replace("A: 85", "A: 100"))
    apart.run("mode", "observe")  # the CRM is not this test's alone
    apart.run("profile", "activate", str(other))
    apart.settle()
    was = apart.json("explain", account, "--as-of", before)
    now = apart.json("explain", account, "--as-of", TODAY)
    assert (was["tier"], was["profile_version"], was["proved"]) == ("A", 1, True)
    assert (now["tier"], now["profile_version"], now["proved"]) == ("B", 2, True)
    assert was["until"] == now["since"]
    assert "PROFILE" in now["why"]


def test_an_altered_journal_is_not_proved(apart: Place) -> None:
    told = altered(apart, account_of(apart), lambda data: data["proof"]["result"].update(tier="D"))
    assert (told["proved"], told["differs"], told["tier"]) == (False, ["tier"], "D")
    assert told["said"].startswith("NOT what it comes to")
    assert told["explained"] is None


def test_an_evaluation_of_another_engine_says_so_and_shows_what_was_kept(apart: Place) -> None:
    def older(data: dict[str, Any]) -> None:
        data["evidence"]["engine"] = 0
        data["proof"]["result"]["score"] = 12

    account = account_of(apart)
    told = altered(apart, account, older)
    assert told["said"] == "not proved: engine 0 made it, this is engine 1; score would differ now"
    assert (told["score"], told["engine"], told["explained"]) == (12, 0, None)
    shown = apart.run("explain", account, "--as-of", TODAY).stdout
    assert "A, score 12 in" in shown
    assert "30/30" in shown


def test_what_an_earlier_version_kept_is_shown_without_a_proof(apart: Place) -> None:
    told = altered(apart, account_of(apart), lambda data: data.pop("proof"))
    assert told["said"].startswith("not proved: it was kept by a version")
    assert told["tier"] == "A"


def test_a_profile_version_that_is_not_there_any_more_is_named(apart: Place) -> None:
    account = account_of(apart)
    change(apart, "DELETE FROM profile_version")
    told = apart.json("explain", account, "--as-of", TODAY)
    assert told["said"] == "not proved: profile version 1 is not in the journal"


def day(back: int) -> str:
    return (datetime.now(UTC).date() - timedelta(days=back)).isoformat()


def test_a_day_before_the_first_evaluation_says_never_evaluated_then(settled: Place) -> None:
    said = settled.run("explain", account_of(settled), "--as-of", day(5), code=2).output
    assert "never evaluated then: its first evaluation known is of" in said


def test_a_day_before_what_is_kept_says_older_than_retention(settled: Place) -> None:
    said = settled.run("explain", account_of(settled), "--as-of", day(500), code=2).output
    assert "older than retention: evaluations are kept since" in said


def test_an_account_gone_for_long_says_erased(apart: Place) -> None:
    account = account_of(apart)
    long = "settled_at = unixepoch() - 40 * 86400"  # beyond `retention.gone`, within the history
    change(apart, f"UPDATE account SET status = 'gone', in_scope = 0, {long} WHERE id = ?", account)
    change(apart, "UPDATE account SET counted_owner = '' WHERE id = ?", account)
    apart.run("journal", "vacuum")
    said = apart.run("explain", account, "--as-of", TODAY, code=2).output
    assert "erased: the record is gone from the CRM" in said
    assert "erased since it is gone" in apart.run("explain", account, code=2).output


def test_a_forgotten_account_says_when_it_was_forgotten(apart: Place) -> None:
    account = account_of(apart)
    apart.run("journal", "forget", account, "--apply")
    for more in ((), ("--as-of", TODAY)):
        assert "erased: it was forgotten on" in apart.run("explain", account, *more, code=2).output
    assert "knows no account" in apart.run("explain", "1", "--as-of", TODAY, code=2).output


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-01", "21.11.2026", "", "٢٠٢٦-١١-٢١", "0001-01-01T00:00+23:59"]
)
def test_what_is_no_date_is_refused_with_an_example(settled: Place, text: str) -> None:
    said = settled.run("explain", account_of(settled), "--as-of", text, code=2).output
    assert "is neither a day nor an instant" in said or "older than retention" in said


def test_the_future_is_refused(settled: Place) -> None:
    assert (
        "lies in the future" in settled.run("explain", account_of(settled), "--as-of", day(-2), code=2).output
    )


def test_an_instant_may_carry_a_zone(settled: Place) -> None:
    account = account_of(settled)
    now = datetime.now(UTC)
    for text in (now.isoformat(), now.strftime("%Y-%m-%dT%H:%M:%SZ")):
        assert settled.json("explain", account, "--as-of", text)["as_of"] == pytest.approx(
            now.timestamp(), abs=1
        )
