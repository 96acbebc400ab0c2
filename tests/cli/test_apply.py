"""`icp-sync plan --out`, `apply`, `approve`, `apply --held`: written exactly, and with whose word."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from icp_sync.journal import Journal
from icp_sync.simulator import Simulator
from tests.cli.conftest import Place
from tests.sync.processes import Nursery

ACCOUNTS = 12
NOTHING_DOWN = '[connections.main.guard]\ndowngrades = "0%"\nfloor = 0\n[health]\nport = 0'


@pytest.fixture(scope="module")
def portal() -> Iterator[Simulator]:
    with Simulator(accounts=ACCOUNTS, seed=5, index_lag=0.0) as crm:
        crm.admin("POST settings", property_lag=0)
        yield crm


@pytest.fixture(scope="module")
def ready(portal: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A connection in mode route whose portal nobody has read; every test works on copies of its journal."""
    place = Place(tmp_path_factory.mktemp("apply"), portal).write()
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


@pytest.fixture
def plan(place: Place) -> Path:
    """A plan in which one account at least is to be written, whatever other tests have written before."""
    new(place)
    path = place.folder / "plan.json"
    place.run("plan", "--out", str(path))
    return path


def new(place: Place) -> None:
    """A company nobody has evaluated."""
    name = f"new-{token_hex(4)}"
    known = {"name": name, "domain": f"{name}.com", "country": "France", "numberofemployees": "5000"}
    place.crm.admin("POST create", properties=known)
    place.crm.admin("POST clock", advance=5)


def written(place: Place) -> int:
    return int(place.crm.admin("GET stats")["records_written"])


def journal_of(place: Place) -> Journal:
    return Journal.open(f"sqlite:///{place.folder}/journal.sqlite", "main")


def test_a_plan_is_kept_and_applied_exactly_and_once(place: Place, plan: Path) -> None:
    document = json.loads(plan.read_text())
    planned = {row["id"]: row["changes"] for row in document["accounts"]}
    assert planned
    assert {"migrations", "owners", "calls", "enrichment", "triggers", "guard"} <= document["summary"].keys()
    before = written(place)
    done = place.json("apply", str(plan), "--note", "looks right")
    assert (done["written"], done["moved"], done["done"]) == (len(planned), 0, True)
    assert written(place) == before + len(planned)
    tiers = {c["id"]: c["icp_tier"] for c in _tiers(place)}
    for account_id, changes in planned.items():
        for change in changes:
            if change["field"] == "tier":
                assert tiers[account_id] == change["desired"]
    assert "was applied already, as run" in place.run("apply", str(plan)).stdout
    assert written(place) == before + len(planned)


def _tiers(place: Place) -> list[dict[str, Any]]:
    states = ("A", "B", "C", "D", "Needs data", "Not ICP")
    return [company for state in states for company in place.companies(icp_tier=state)]


def test_plan_says_what_it_may_trigger_and_how_to_write_it(place: Place) -> None:
    new(place)
    path = place.folder / "plan.json"
    said = place.run("plan", "--out", str(path)).stdout
    assert "It may trigger" in said
    assert "as a backfill, its waves' waits among it" in said
    assert "workflows, flows, lists and alerts that watch our properties" in said
    assert f"icp-sync apply {path}" in said
    assert place.json("plan", "--out", str(path))["digest"].startswith("sha256:")  # a plan may replace one


def test_in_mode_observe_a_plan_can_be_made_for_the_next_step_up(place: Place) -> None:
    new(place)
    place.run("mode", "observe")
    path = place.folder / "plan.json"
    said = " ".join(place.run("plan", "--out", str(path)).stdout.split())
    assert "this is what mode route would write" in said
    assert f"icp-sync mode route, then: icp-sync apply {path}" in said
    assert f"icp-sync plan --mode write --out {path}" in said
    planned = place.json("plan", "--mode", "write", "--out", str(path))
    assert planned["mode"] == "write"
    assert "owner" not in planned["fields"]
    refused = place.run("apply", str(path), code=2).stderr
    assert "next: icp-sync mode write" in refused
    place.run("mode", "write")
    assert place.json("apply", str(path))["done"] is True
    assert "nothing is written" in place.run("plan", "--mode", "observe", code=2).stderr


def test_a_plan_overwrites_nothing_but_a_plan(place: Place) -> None:
    other = place.folder / "package.json"
    other.write_text("{}")
    assert "is there already, and no plan" in place.run("plan", "--out", str(other), code=2).stderr
    assert "a JSON file" in place.run("plan", "--out", str(place.folder / "plan.csv"), code=2).stderr
    assert other.read_text() == "{}"


def test_what_moved_since_is_listed_and_left_alone(place: Place, plan: Path) -> None:
    row = next(r for r in json.loads(plan.read_text())["accounts"] if r["name"].startswith("new-"))
    place.crm.admin("POST edit", id=row["id"], properties={"icp_lane": "success"})
    said = place.run("apply", str(plan)).stdout
    assert "Not made, as something moved since: 1 change" in said
    assert "(1 of them in part)" in " ".join(said.split())
    assert row["id"] in {c["id"] for c in place.companies(icp_lane="success")}
    assert row["id"] in {c["id"] for c in _tiers(place)}


def test_an_account_whose_facts_moved_is_left_whole_and_nothing_written_offers_no_undo(place: Place) -> None:
    place.run("run", "--backfill")
    new(place)
    path = place.folder / "plan.json"
    place.run("plan", "--out", str(path))
    rows = json.loads(path.read_text())["accounts"]
    for row in rows:
        place.crm.admin("POST edit", id=row["id"], properties={"numberofemployees": "7"})
    before = written(place)
    said = " ".join(place.run("apply", str(path), "--force").stdout.split())
    assert f"{len(rows)} account" in said
    assert "left whole, as their facts are others" in said
    assert "To take it back" not in said
    assert written(place) == before


def test_a_plan_made_by_hand_is_refused(place: Place, plan: Path) -> None:
    plan.write_text(plan.read_text().replace('"desired": "', '"desired": "x', 1))
    refused = place.run("apply", str(plan), code=2)
    assert "changed since it was made" in refused.stderr
    assert "next: icp-sync plan --out plan.json" in refused.stderr


def test_a_plan_made_with_other_files_asks_for_their_activation(place: Place) -> None:
    profile = place.folder / "other.yaml"
    source = Path(__file__).parents[2] / "config" / "profiles" / "listed-companies.yaml"
    profile.write_text(source.read_text() + "\n# another\n")
    path = place.folder / "plan.json"
    place.run("plan", "--profile", str(profile), "--out", str(path))
    refused = place.run("apply", str(path), code=2)
    assert "made with other.yaml" in refused.stderr
    assert "next: icp-sync profile activate" in refused.stderr
    place.run("profile", "activate", str(profile))
    assert place.json("apply", str(path))["done"] is True


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "one plan, or --held, is wanted"),
        (("a.json", "b.json"), "one plan, or --held, is wanted"),
        (("a.json", "--rule", "downgrades"), "--rule: goes with --held"),
        (("--held", "--force"), "--force: goes with a plan"),
        (("--held", "--rule", "nonsense"), "there are: downgrades, owner moves"),
        (("none.json",), "No such file"),
    ],
)
def test_what_does_not_go_together_is_refused(place: Place, options: tuple[str, ...], says: str) -> None:
    assert says in place.run("apply", *options, code=2).stderr


def test_beyond_the_guard_s_limits_it_ends_with_3_unless_forced(place: Place) -> None:
    new(place)
    place.run("run", "--backfill")
    place.write(NOTHING_DOWN)
    down(place)
    path = place.folder / "plan.json"
    assert "Beyond the guard's limits" in place.run("plan", "--out", str(path)).stdout
    refused = place.run("apply", str(path), code=3)
    assert "downgrade" in refused.stderr
    assert f"icp-sync apply {path} --force" in refused.stderr
    assert place.json("apply", str(path), "--force")["written"] >= 1


def down(place: Place) -> str:
    """A company with a tier from A to D becomes one that is certainly not for us; its id."""
    company = next(c for tier in "ABC" for c in place.companies(icp_tier=tier))
    place.crm.admin("POST edit", id=company["id"], properties={"numberofemployees": "1"})
    place.crm.admin("POST clock", advance=5)
    return str(company["id"])


def test_what_the_guard_holds_is_listed_and_lands_once_somebody_lets_it_pass(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    new(place)
    place.run("run", "--backfill")
    place.write(NOTHING_DOWN)
    account_id = down(place)
    before = next(c["icp_tier"] for c in _tiers(place) if c["id"] == account_id)
    summary = place.run("run", "--backfill").stdout
    assert "waiting for a person (downgrades)" in summary
    assert "verdicts moved: " in summary
    assert "; of these 1 wait for a person, the CRM shows the tier before" in summary
    assert "what waits for a person: icp-sync status --held" in summary
    waiting = {rule["rule"]: rule for rule in place.json("status", "--held")["waiting"]}
    held = waiting["downgrades"]  # what tests before this one left behind may wait by other rules
    assert held["accounts"] == 1
    assert [e["account"] for e in held["examples"]] == [account_id]
    said = place.run("status", "--held").stdout
    assert 'to let them pass: icp-sync apply --held --rule "downgrades"' in said
    assert "1 of them wait for a person, and the CRM shows the tier before" in said
    assert "Held: " not in said, "what the guard holds is told once"
    assert next(c["icp_tier"] for c in _tiers(place) if c["id"] == account_id) == before
    assert "Nothing of that is held" in place.run("apply", "--held", "--rule", "owner-moves").stdout
    monkeypatch.setenv("ICP_SYNC_WHO", "ada@desk")
    done = place.json("apply", "--held", "--rule", "downgrades", account_id, "--note", "seen")
    assert (done["released"], done["rules"]) == (1, {"downgrades": 1})
    assert "1 account let pass; not landed yet" in place.run("status", "--held").stdout
    place.run("run", "--once")
    assert next(c["icp_tier"] for c in _tiers(place) if c["id"] == account_id) != before
    assert "let pass" not in place.run("status", "--held").stdout
    assert place.json("status", "--held")["waiting"] == []
    journal = journal_of(place)
    said_last = journal.audited()[-1]
    journal.close()
    assert (said_last.what, said_last.who, said_last.detail["note"]) == ("apply --held", "ada@desk", "seen")


def test_an_approval_is_somebody_else_s_word_on_exactly_this_file(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ICP_SYNC_CONNECTIONS__MAIN__APPLY", "needs_approval")
    monkeypatch.setenv("ICP_SYNC_WHO", "ada@desk")
    new(place)
    path = place.folder / "plan.json"
    place.run("plan", "--out", str(path))
    refused = place.run("apply", str(path), code=3)
    assert "nobody has approved it" in refused.stderr
    assert f"icp-sync approve {path}" in refused.stderr
    assert "ada@desk made it" in place.run("approve", str(path), code=2).stderr
    monkeypatch.setenv("ICP_SYNC_WHO", "bob@desk")
    assert place.json("approve", str(path), "--note", "fine")["approved_by"] == "bob@desk"
    approved = path.read_bytes()
    monkeypatch.setenv("ICP_SYNC_WHO", "ada@desk")
    new(place)
    place.run("plan", "--out", str(path))
    assert "nobody has approved it" in place.run("apply", str(path), code=3).stderr
    path.write_bytes(approved)
    assert place.json("apply", str(path))["done"] is True
    monkeypatch.setenv("ICP_SYNC_WHO", "bob@desk")
    assert "applied already, as run" in place.run("approve", str(path), code=2).stderr


def test_a_plan_of_another_profile_than_the_active_one_cannot_be_approved(
    place: Place, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ICP_SYNC_WHO", "bob@desk")
    profile = place.folder / "other.yaml"
    source = Path(__file__).parents[2] / "config" / "profiles" / "listed-companies.yaml"
    profile.write_text(source.read_text() + "\n# another\n")
    place.run("profile", "activate", str(profile))
    refused = place.run("approve", str(plan), code=2).stderr
    assert "not what is active now" in refused
    assert "next: icp-sync plan --out plan.json" in refused


def test_a_plan_applied_can_be_undone(place: Place, plan: Path) -> None:
    planned = {row["id"] for row in json.loads(plan.read_text())["accounts"]}
    before = _tiers(place)
    done = place.json("apply", str(plan))
    assert planned <= {c["id"] for c in _tiers(place)}
    place.run("undo", done["run"], "--apply")
    assert _tiers(place) == before


def test_beside_a_running_worker_the_plan_is_handed_over(
    place: Place, plan: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    nursery = Nursery(tmp_path_factory.mktemp("processes"))
    rows = len(json.loads(plan.read_text())["accounts"])
    worker = nursery.start("run", "--config", str(place.config))
    try:
        deadline = time.monotonic() + 30
        while '"run"' not in _lock(place):
            assert time.monotonic() < deadline, nursery.said_so_far(worker)
            time.sleep(0.02)
        ended = nursery.run("apply", str(plan), "--json", "--config", str(place.config))
        assert ended.code == 0, ended.err
        done = json.loads(ended.out)
        assert (done["done"], done["accounts"]) == (True, rows)
        assert done["request"]
    finally:
        nursery.close()
    journal = journal_of(place)
    assert journal.position("apply", done["plan"]).finished
    journal.close()


def _lock(place: Place) -> str:
    lock = place.folder / "journal.sqlite.lock"
    return lock.read_text() if lock.exists() else ""
