"""Reports on a settled connection: as JSON, and as people read them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from icp_sync.journal import Journal, Settled
from icp_sync.ports import Stream
from tests.cli.conftest import PROFILE, Place


@pytest.fixture
def other_profile(tmp_path: Path) -> Path:
    """The same profile with a lower bar for A."""
    path = tmp_path / "candidate.yaml"
    path.write_text(PROFILE.read_text().replace("A: 85", "A: 70"))
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("provision",),
        ("plan", "--limit", "10"),
        ("plan", "--where", "country=US"),
        ("mode",),
        ("status",),
        ("status", "--refused", "--deferred", "--held", "--left-alone"),
        ("profile", "check"),
        ("profile", "plan"),
        ("profile", "plan", "--read"),
        ("profile", "activate"),
        ("bind",),
        ("bind", "--take-over"),
    ],
)
def test_json_is_one_document_and_nothing_else(settled: Place, arguments: tuple[str, ...]) -> None:
    assert isinstance(settled.json(*arguments), dict)


def test_check_passes_a_connection_that_is_in_order(settled: Place) -> None:
    found = settled.json("check")
    assert (found["ok"], found["errors"]) == (True, 0)
    assert {"settings", "credentials", "CRM", "seal", "journal", "profile", "owners"} <= set(found["passed"])


def test_a_plan_on_a_settled_crm_changes_nothing_and_costs_nothing(settled: Place) -> None:
    plan = settled.json("plan")
    assert plan["accounts"] == 90
    assert (plan["changed"], plan["fields"], plan["changes"]) == (0, {}, [])
    assert plan["calls"] == {"reads": 2, "writes": 0, "owners": 0, "echo_searches": 0, "echo_reads": 0}
    assert (plan["written"], plan["bought"]) == (0, 0)
    assert all(move["from"] == move["to"] or "new" in move.values() for move in plan["migrations"])


def test_a_plan_with_other_files_shows_tiers_fields_and_calls_and_writes_nothing(
    settled: Place, other_profile: Path
) -> None:
    before = settled.crm.admin("GET stats")["records_written"]
    plan = settled.json("plan", "--profile", str(other_profile))
    assert any((m["from"], m["to"]) == ("B", "A") for m in plan["migrations"])
    assert plan["fields"]["tier"] > 0
    assert plan["changed"] >= plan["fields"]["tier"]
    assert plan["calls"]["writes"] == 1
    shown = settled.run("plan", "--profile", str(other_profile)).stdout
    assert "B → A" in shown
    assert "Nothing was written to the CRM and nothing was bought." in shown
    assert settled.crm.admin("GET stats")["records_written"] == before


def test_a_plan_reads_only_what_where_and_limit_leave(settled: Place) -> None:
    countries = settled.companies(country="US")
    assert settled.json("plan", "--where", "country=US")["accounts"] >= len(countries) > 0
    assert settled.json("plan", "--where", "country=US", "--where", "country=DE")["accounts"] == 0


def test_profile_plan_names_the_movers_without_asking_the_crm(settled: Place, other_profile: Path) -> None:
    before = settled.crm.admin("GET stats")["total"]
    plan = settled.json("profile", "plan", str(other_profile))
    assert settled.crm.admin("GET stats")["total"] == before
    assert plan["moved"] == sum(m["accounts"] for m in plan["migrations"] if m["from"] != m["to"]) > 0
    assert plan["moved"] == sum(m["up"] + m["down"] for m in plan["movers"])
    assert plan["examples"][0]["from"] != plan["examples"][0]["to"]
    shown = settled.run("profile", "plan", str(other_profile)).stdout
    assert "Criteria that move them" in shown
    assert shown.rstrip().endswith(f"next: icp-sync profile activate {other_profile}")


def test_the_active_files_move_nobody(settled: Place) -> None:
    assert settled.json("profile", "plan")["moved"] == 0


def test_status_counts_what_the_crm_shows(settled: Place) -> None:
    status = settled.json("status")
    assert (status["mode"], status["running"]) == ("route", "")
    assert status["profile"]["version"] == 1
    assert status["profile"]["evaluated"] == status["profile"]["accounts"] == sum(status["tiers"].values())
    assert status["tiers"]["A"] == len(settled.companies(icp_tier="A"))
    backfill = next(s for s in status["streams"] if s["stream"] == "backfill")
    assert backfill["outcome"] == "done"
    assert status["sweep_found_missing"] == 0
    assert status["out_of_scope"] == status["counts"]["settled"] - sum(status["tiers"].values())
    assert f"{status['profile']['accounts']:,} on v1" in settled.run("status").stdout


def test_explain_adds_up_and_replays(settled: Place) -> None:
    account = settled.companies(icp_tier="A")[0]
    told = settled.json("explain", account["id"])
    assert (told["tier"], told["name"]) == ("A", account["name"])
    criteria = [v for v in told["verdicts"] if v["kind"] == "criterion"]
    assert sum(v["got"] for v in criteria) == told["score"]
    assert sum(v["of"] for v in criteria) == 100
    assert {v["state"] for v in told["verdicts"]} <= {"MET", "UNMET", "UNKNOWN", "PARTLY"}
    known = [fact for v in told["verdicts"] for fact in v["facts"]]
    assert all(fact["source"] and fact["at"] for fact in known)
    assert told["routing"]["replays"] is True
    assert told["writes"][-1]["result"] == "written"


def test_explain_reads_like_an_explanation(settled: Place) -> None:
    account = settled.companies(icp_tier="A")[0]
    shown = settled.run("explain", account["domain"]).stdout
    headings = ("Verdicts", "Change", "Routing", "Last writes")
    assert [h for h in headings if f"\n{h}\n" not in shown] == []
    assert "replays: yes" in shown
    assert "Listed on an exchange (must-have, firmographic)" in shown


@pytest.mark.parametrize("written", ["https://www.{}/about?x", "WWW.{}", "{}"])
def test_an_account_is_found_by_any_way_to_write_its_web_address(settled: Place, written: str) -> None:
    account = next(c for c in settled.companies(icp_tier="A") if c["domain"])
    assert settled.json("explain", written.format(account["domain"]))["id"] == account["id"]


def test_why_needs_data_needs_it_is_told_with_the_worth_of_each_fact(settled: Place) -> None:
    account = settled.companies(icp_tier="Needs data")[0]
    told = settled.json("explain", account["id"])
    assert told["missing"]
    assert "Missing facts, most valuable first" in settled.run("explain", account["id"]).stdout


def test_history_begins_with_the_evaluation_and_its_write(settled: Place) -> None:
    account = settled.companies(icp_tier="B")[0]
    events = settled.json("history", account["id"])["events"]
    assert [e["event"] for e in events[:2]] == ["evaluated", "written"]
    assert events[0]["tier"] == "B"
    assert "tier" in [c["field"] for c in events[1]["changes"]]
    assert "blank → B" in settled.run("history", account["id"]).stdout


def test_a_reps_own_tier_is_left_alone_shown_and_released_on_their_word(settled: Place) -> None:
    account = settled.companies(icp_tier="D")[0]["id"]
    settled.crm.admin("POST edit", id=account, properties={"icp_tier": "A"})
    settled.settle()
    [held] = settled.json("status", "--left-alone")["lists"]["left_alone"]
    assert (held["account_id"], held["field"], held["live"], held["desired"]) == (account, "tier", "A", "D")
    told = settled.json("explain", account)
    assert [(h["field"], h["live"], h["ours"]) for h in told["held"]] == [("tier", "A", "D")]
    shown = settled.run("explain", account).stdout
    assert f"icp-sync release {account} --field tier" in shown
    assert shown.splitlines()[1].startswith("! tier: the CRM shows A, typed by a person")
    assert shown.splitlines()[1].endswith("; ours would be D")
    assert told["headline"].startswith("A, typed over ours by a person on ")
    assert "\nThe profile says D, score " in told["headline"]
    assert told["headline"] in shown
    assert (told["tier"], told["model_tier"], told["override"]["by"]) == ("A", "D", "person")
    overrides = settled.json("status")["overrides"]
    assert overrides["D"]["overridden"] == 1 < overrides["D"]["accounts"]
    assert overrides["D"]["to"] == {"A": 1}
    assert "Overridden by people" in settled.run("status").stdout
    assert settled.json("plan")["left_alone"][0]["id"] == account
    settled.run("release", account, "--field", "fit_score", code=2)
    assert settled.json("release", account)["released"] == ["tier"]
    settled.settle(Stream.DUE)
    assert settled.companies(icp_tier="D", id=account)
    assert [e["event"] for e in settled.json("history", account)["events"]][-3:] == [
        "released",
        "evaluated",
        "written",
    ]
    shown = settled.run("history", account).stdout
    assert "given back" in shown
    assert "released" not in shown
    assert "tier A: ours to write again" in shown
    assert settled.json("release", account)["released"] == []


def test_what_could_not_be_read_is_shown_as_it_was_written(settled: Place) -> None:
    with created(settled, country="Atlantis \x1b[31m") as account:
        settled.settle()
        assert "Atlantis" in settled.json("explain", account)["unread"]["country"]
        shown = settled.run("explain", account).stdout
        assert "Could not be read\n" in shown
        assert "Atlantis" in shown
        assert "\x1b" not in shown


def test_a_merged_account_names_its_survivor(settled: Place) -> None:
    with created(settled) as survivor, created(settled) as loser:
        settled.settle()
        settled.crm.admin("POST merge", **{"from": loser, "into": survivor})
        settled.settle(Stream.SWEEP)
        assert (
            f"merged into {survivor}: icp-sync explain {survivor}" in settled.json("explain", loser)["notes"]
        )
        assert "! merged into" in settled.run("explain", loser).stdout


def test_another_active_version_is_said(settled: Place, other_profile: Path, tmp_path: Path) -> None:
    shutil.copytree(settled.folder, tmp_path / "copy")
    copy = Place(tmp_path / "copy", settled.crm).write()
    assert copy.json("profile", "activate", str(other_profile), "--note", "lower the bar")["version"] == 2
    account = settled.companies(icp_tier="A")[0]["id"]
    told = copy.json("explain", account)
    assert told["notes"][0] == "settled under profile version 1; version 2 is active and shown"
    status = copy.json("status")
    assert status["profile"]["evaluated"] == 0 < status["profile"]["accounts"]
    assert "profile version 2" in status["backfill_requested"]
    assert any("differ from the active version 2" in p["what"] for p in copy.json("check")["problems"])


def test_refused_and_deferred_accounts_are_listed_with_their_problem(fresh: Place) -> None:
    fresh.run("provision", "--apply")
    fresh.run("profile", "activate")
    fresh.run("mode", "write")
    fresh.crm.admin("POST faults", kind="207_mixed", match="batch/update")
    fresh.settle()
    status = fresh.json("status", "--refused", "--deferred")
    failed = status["lists"]["refused"] + status["lists"]["deferred"]
    assert len(failed) == status["counts"]["refused"] + status["counts"]["deferred"] > 0
    assert all(item["problem"] and item["wake_at"] for item in failed)
    shown = fresh.run("status", "--refused", "--deferred").stdout
    assert [item["account_id"] for item in failed if item["account_id"] not in shown] == []
    assert f"! {failed[0]['status']}: " in fresh.run("explain", failed[0]["account_id"]).stdout


def test_held_accounts_are_listed_with_their_reason(fresh: Place) -> None:
    for step in (("provision", "--apply"), ("profile", "activate"), ("mode", "write")):
        fresh.run(*step)
    account = fresh.companies()[0]["id"]
    seal = {"icp_seal": "icp1;abcdefabcdef;tier=0123456789"}
    fresh.crm.admin("POST edit", id=account, properties=seal)
    fresh.settle()
    [held] = fresh.json("status", "--held")["lists"]["held"]
    assert held["account_id"] == account
    assert "abcdefabcdef" in held["problem"]
    shown = fresh.run("status", "--held").stdout
    assert "Held: 1" in shown
    assert held["problem"] in shown


def test_status_adds_up_with_what_is_out_of_scope_and_tells_how_a_run_ended(fresh: Place) -> None:
    journal = Journal.open(f"sqlite:///{fresh.folder}/journal.sqlite", "main")
    lease = journal.lease("backfill", holder="test", now=0.0)
    assert lease is not None
    rows = [Settled(account_id=str(n), name="x", in_scope=n < 3, tier="B" if n < 3 else "") for n in range(5)]
    journal.commit(rows, gone={}, position=None, stream="backfill", lease=lease, run="r", now=0.0)
    run = journal.start_run("backfill", now=0.0)
    journal.end_run(run, {"outcome": "interrupted", "read": 5}, now=1.0)
    journal.close()
    status = fresh.json("status")
    assert (status["tiers"], status["out_of_scope"], status["counts"]["settled"]) == ({"B": 3}, 2, 5)
    [backfill] = [s for s in status["streams"] if s["stream"] == "backfill"]
    assert backfill["outcome"] == "interrupted"
    shown = fresh.run("status").stdout
    assert re.search(r"^out of scope +2$", shown, re.MULTILINE)
    assert "interrupted" in shown


def test_status_names_who_works_on_the_journal(settled: Place) -> None:
    journal = Journal.open(f"sqlite:///{settled.folder}/journal.sqlite", "main")
    with journal.hold("run"):
        assert settled.json("status")["running"].startswith(f"run (process {os.getpid()}, since ")
    journal.close()
    assert settled.json("status")["running"] == ""
    assert "working on it now: nobody" in settled.run("status").stdout


@contextmanager
def created(place: Place, **properties: str) -> Iterator[str]:
    """A company somebody enters, gone again afterwards."""
    given = {"name": "Made up", "domain": "made-up.example", "lifecyclestage": "lead", **properties}
    account = str(place.crm.admin("POST create", properties=given)["id"])
    yield account
    with suppress(ValueError):  # it may have been merged away
        place.crm.admin("POST delete", id=account)


def test_several_accounts_of_one_domain_are_listed(settled: Place) -> None:
    twins = "twins.example"
    with created(settled, domain=twins) as one, created(settled, domain=twins) as two:
        settled.settle()
        matches = settled.json("explain", twins)["matches"]
        assert {m["id"] for m in matches} == {one, two}
        assert f"next: icp-sync explain {matches[0]['id']}" in settled.run("explain", twins).stdout
        assert "name one by its id" in settled.run("history", twins, code=2).stderr


def test_a_name_that_steers_terminals_is_shown_harmless(settled: Place) -> None:
    with created(settled, name="\x1b[2J\u202eEvil", domain="evil.example") as account:
        settled.settle()
        shown = settled.run("explain", account).stdout
        assert "Evil" in shown
        assert not set(shown) & set("\x1b\u202e")
        assert "Evil" in settled.json("explain", "evil.example")["name"]
