"""From nothing to a writing connection, step by step; and what goes wrong on the way."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from icp_sync.journal import Journal
from icp_sync.quota import DAILY, Daily, InJournal, Quota
from icp_sync.simulator import Simulator
from tests.cli.conftest import PROFILE, Place, command


def test_each_step_leads_to_the_next(fresh: Place) -> None:
    first = fresh.json("check", code=2)
    missing = [p for p in first["problems"] if p["severity"] == "error"]
    assert {p["next"] for p in missing} == {"icp-sync provision --apply"}
    assert "property icp_tier" in {p["where"] for p in missing}
    planned = fresh.json("provision")
    assert (planned["changed"], planned["applied"]) == (0, False)
    assert not (fresh.folder / "seal.key").exists()
    made = fresh.json("provision", "--apply")
    assert made["changed"] == planned["left"] == len(made["steps"])
    assert (made["left"], made["conflicts"], made["seal_made"], made["bound_now"]) == (0, 0, True, True)
    again = fresh.json("provision", "--apply")
    assert (again["changed"], again["seal_made"], again["bound_now"]) == (0, False, False)
    fresh.run("mode", "write", code=2)
    activated = fresh.json("profile", "activate")
    assert (activated["version"], activated["changed"]) == (1, True)
    assert fresh.json("profile", "activate")["changed"] is False
    assert fresh.json("mode", "write") == {
        "connection": "main",
        "before": "observe",
        "mode": "write",
        "backfill": True,
    }
    assert fresh.json("mode", "observe")["backfill"] is False
    assert fresh.json("status")["backfill_requested"] == "profile version 1; mode observe → write"
    assert fresh.json("check")["ok"] is True


def test_a_plan_before_the_first_step_shows_tiers_by_the_files(fresh: Place) -> None:
    plan = fresh.json("plan")
    assert plan["profile"] == str(PROFILE)
    assert (plan["connection_mode"], plan["mode"]) == ("observe", "route")
    assert sum(move["accounts"] for move in plan["migrations"]) == plan["accounts"] == 5
    assert "tier" in plan["outputs_absent"]
    assert not (fresh.folder / "seal.key").exists()


def test_the_seal_key_is_for_its_owner_alone(fresh: Place) -> None:
    fresh.run("provision", "--apply")
    seal = fresh.folder / "seal.key"
    assert seal.stat().st_mode & 0o077 == 0
    seal.chmod(0o644)
    assert any("others on this machine" in p["what"] for p in fresh.json("check")["problems"])
    seal.unlink()
    [unmade] = [p for p in fresh.json("check")["problems"] if p["area"] == "seal"]
    assert (unmade["severity"], unmade["next"]) == ("warning", "icp-sync provision --apply")
    assert fresh.json("provision", "--apply")["seal_made"] is True, "nothing was ever sealed with the old one"


def test_a_dry_run_on_a_fresh_install_is_no_lost_key(fresh: Place) -> None:
    fresh.run("profile", "activate")
    journal = Journal.open(f"sqlite:///{fresh.folder}/journal.sqlite", "main")
    journal.bind(str(fresh.crm.portal.account.id), crm="hubspot", now=0.0)
    journal.close()
    fresh.run("run", "--dry-run")
    [unmade] = [p for p in fresh.json("check", code=2)["problems"] if p["area"] == "seal"]
    assert unmade["severity"] == "warning"
    assert "there is no seal key yet" in fresh.run("mode", "write", code=2).stderr


def test_a_lost_seal_key_is_restored_and_replaced_only_on_a_persons_word(fresh: Place) -> None:
    seal = fresh.folder / "seal.key"
    for step in (("provision", "--apply"), ("profile", "activate"), ("mode", "write")):
        fresh.run(*step)
    fresh.settle()
    kept = seal.read_text()
    seal.unlink()
    restore = "restore the seal file from your backup"
    for refused in (("provision", "--apply"), ("bind", "--take-over")):
        said = fresh.run(*refused, code=3).stderr
        assert f"next: {restore}; if it is gone for good: icp-sync provision --apply --new-key" in said
    for refused in (("mode", "route"), ("run", "--once")):
        assert f"next: {restore}" in fresh.run(*refused, code=2).stderr
    fresh.run("mode", "observe")
    for refused in (("plan",), ("run", "--dry-run")):
        said = fresh.run(*refused, code=2).stderr
        assert "the seal key that marks our values is gone" in said
        assert f"next: {restore}" in said
    fresh.run("mode", "write", code=2)
    [lost] = [p for p in fresh.json("check", code=2)["problems"] if p["area"] == "seal"]
    assert (lost["severity"], lost["next"][: len(restore)]) == ("error", restore)
    assert not seal.exists()
    assert "--new-key goes with --apply" in fresh.run("provision", "--new-key", code=2).stderr
    seal.write_text(kept)
    assert "never overwrites" in fresh.run("provision", "--apply", "--new-key", code=2).stderr
    assert seal.read_text() == kept
    seal.unlink()
    said = fresh.run("provision", "--apply", "--new-key").stdout
    assert "icp-sync bind --take-over" in said
    assert fresh.json("bind", "--take-over")["taken_over"]


@pytest.mark.parametrize("text", ["garbage", "{}", '{"installation": "0123456789ab", "key": ""}', "[" * 9999])
def test_a_seal_key_that_cannot_be_read_allows_no_writing(fresh: Place, text: str) -> None:
    fresh.run("provision", "--apply")
    fresh.run("profile", "activate")
    (fresh.folder / "seal.key").write_text(text)
    refused = fresh.run("mode", "write", code=2).stderr
    assert "the seal key cannot be read: it is not what provision made" in refused
    assert "next: restore the file from your backup" in refused
    assert fresh.json("mode")["mode"] == "observe"
    assert "cannot be read" in fresh.run("provision", "--apply", code=2).stderr


def test_a_property_of_somebody_else_is_a_conflict_and_stays(fresh: Place) -> None:
    fresh.write(more='names = {lane = "city"}')
    done = fresh.json("provision", "--apply", code=2)
    assert done["conflicts"] == 1
    assert [s["what"] for s in done["steps"] if s["step"] == "conflict"] == ["city"]


def test_another_portal_is_refused_until_it_is_meant(fresh: Place) -> None:
    journal = Journal.open(f"sqlite:///{fresh.folder}/journal.sqlite", "main")
    journal.bind("4711", crm="hubspot", now=0.0)
    journal.close()
    refused = fresh.run("bind", code=2)
    assert "the journal belongs to 4711" in refused.stderr
    assert "next: icp-sync bind --rebind" in refused.stderr
    assert any("belongs to 4711" in p["what"] for p in fresh.json("check", code=2)["problems"])
    with closing(Journal.open(f"sqlite:///{fresh.folder}/journal.sqlite", "main")) as journal:
        quota = Quota({}, daily=Daily(), kept=InJournal(journal, {}))
        with quota.call("api"):
            quota.observe(DAILY, limit=1000, remaining=100, resets_in=40_000)
        quota.flush()
    moved = fresh.json("bind", "--rebind")  # the calls that were used up are the other portal's
    assert moved["before"] == "4711" != moved["identity"]
    assert fresh.json("bind")["before"] == moved["identity"]


def test_foreign_seals_are_taken_over_only_when_asked(fresh: Place) -> None:
    fresh.run("provision", "--apply")
    fresh.run("profile", "activate")
    for company in fresh.companies():
        seal = {"icp_seal": "icp1;abcdefabcdef;tier=0123456789"}
        fresh.crm.admin("POST edit", id=company["id"], properties=seal)
    assert "next: bring that installation's seal key here" in fresh.run("plan", code=2).stderr
    assert fresh.json("bind")["taken_over"] == {}
    assert fresh.json("bind", "--take-over")["taken_over"] == {"abcdefabcdef": 5}
    assert fresh.json("plan")["held"] == 0
    assert fresh.json("bind", "--take-over")["taken_over"] == {}


def test_every_broken_part_is_reported_at_once(fresh: Place) -> None:
    (fresh.folder / "seal.key").write_text("garbage")
    text = fresh.write(profile=Path("/nowhere.yaml"), token="pat-na1-wrong").config.read_text()
    text = text.replace("public_companies", "public_compnies").replace(
        "journal.sqlite", "no/\0/j".replace("\0", "x")
    )
    (fresh.folder / "no").write_text("a file where a folder should be")
    fresh.config.write_text(text)
    found = fresh.json("check", code=2)
    areas = {p["area"] for p in found["problems"] if p["severity"] == "error"}
    assert areas == {"seal", "journal", "profile", "enrichers", "credentials"}
    assert "did you mean 'public_companies'?" in {p["next"] for p in found["problems"]}
    assert "pat-na1-wrong" not in json.dumps(found)


def test_settings_that_cannot_be_read_are_a_report_too(tmp_path: Path) -> None:
    config = tmp_path / "x.toml"
    config.write_text('[connections.main]\ntokn = "pat-na1-1"\n')
    result = command("check", "--json", "--config", str(config))
    assert result.exit_code == 2
    found = json.loads(result.stdout)
    assert any("unknown setting" in p["what"] for p in found["problems"])
    assert len(found["problems"]) >= 2


@pytest.mark.usefixtures("hurried")
def test_a_crm_out_of_reach_is_the_only_error_and_ends_with_1(place: Place) -> None:
    place.run("provision", "--apply")
    place.config.write_text(place.config.read_text().replace(place.crm.url, "http://127.0.0.1:9"))
    found = place.json("check", code=1)
    [unreachable] = [p for p in found["problems"] if p["severity"] == "error"]
    assert unreachable["what"] == "cannot reach http://127.0.0.1:9: connection refused"
    assert unreachable["next"] == "check base_url and the network"
    (place.folder / "seal.key").write_text("garbage")
    place.json("check", code=2)


def test_without_a_settings_file_the_path_looked_for_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = command("status")
    assert said.exit_code == 2
    assert f"no settings file {tmp_path / 'config' / 'icp-sync.toml'}" in said.stderr
    assert "next: icp-sync init" in said.stderr
    [problem] = json.loads(command("check", "--json").stdout)["problems"]
    assert problem["next"] == "icp-sync init"


def test_profile_files_are_checked_without_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        PROFILE.read_text().replace("fact: employees", "fact: employes", 1).replace("A: 85", "A: 5")
    )
    result = command("profile", "check", str(bad), "--json")
    assert result.exit_code == 2
    problems = json.loads(result.stdout)["problems"]
    assert any("did you mean 'employees'?" in p["hint"] for p in problems)
    assert all(p["where"].startswith(f"{bad}:") for p in problems)
    assert "HubSpot's standard properties" in result.stderr
    assert command("profile", "check", str(PROFILE)).exit_code == 0


def test_the_schema_is_json_schema() -> None:
    schema = json.loads(command("profile", "schema").stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "criteria" in schema["properties"]


def test_two_programs_meet_over_http(tmp_path: Path) -> None:
    """The simulator and a command, each a process of its own, as a person runs them."""
    program = [sys.executable, "-m", "icp_sync"]
    server = subprocess.Popen(
        [*program, "simulator", "--accounts", "3", "--token", "pat-na1-mine-0000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        ready = json.loads(server.stdout.readline())
        assert ready["accounts"] == 3
        config = tmp_path / "c.toml"
        config.write_text(
            f"""
            journal = "sqlite:///{tmp_path}/j.sqlite"
            seal_file = "{tmp_path}/seal.key"
            [connections.main]
            token = "{ready["token"]}"
            base_url = "{ready["url"]}"
            profiles = ["{PROFILE}"]
            """
        )
        done = subprocess.run(
            [*program, "plan", "--config", str(config)], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert "main: 3 accounts" in done.stdout
        assert "\x1b" not in done.stdout
    finally:
        server.send_signal(signal.SIGTERM)
        rest, said = server.communicate(timeout=30)
    assert (server.returncode, rest, said) == (0, "", "")


def test_a_port_that_is_taken_is_said(crm: Simulator) -> None:
    port = crm.url.rsplit(":", 1)[1]
    result = command("simulator", "--port", port)
    assert result.exit_code == 2
    assert f"port {port} cannot be used" in result.stderr
