"""`check --probe`: asks before it begins, shows what held, keeps it, and leaves nothing, killed or not."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from icp_sync.crm.hubspot.probing import QUESTIONS
from icp_sync.crm.probing import DOMAIN, MOST_CALLS, NAME
from icp_sync.simulator import Simulator
from tests.cli.conftest import Place, command
from tests.cli.test_org import Org

OVERLAP = """
            [connections.main.schedule]
            overlap = "30s"
"""


@pytest.fixture
def trying(tmp_path: Path) -> Iterator[Place]:
    """A connection to a portal nobody works in."""
    with Simulator(accounts=2, seed=9, index_lag=0.0) as crm:
        crm.admin("POST settings", property_lag=0, account_type="DEVELOPER_TEST")
        yield Place(tmp_path, crm).write(OVERLAP)


def companies(place: Place) -> list[dict[str, Any]]:
    """The scratch companies that are there."""
    found = place.crm.admin("GET find", domain=DOMAIN)["results"]
    return [one for one in found if not one["archived"]]


def written(place: Place) -> int:
    """How many companies were made over the API."""
    return int(place.crm.admin("GET stats")["requests"].get("POST companies", 0))


def test_the_screen_fits_a_hundred_columns_and_says_what_to_do(trying: Place) -> None:
    trying.crm.admin("POST settings", same_value_bumps=False, update_validation_207=True)
    trying.crm.admin("POST faults", kind="409", match="DELETE companies")
    said = trying.run("check", "--probe", "--yes", code=1).stdout
    lines = said.splitlines()
    assert max(map(len, lines)) <= 100
    row = next(line for line in lines if line.startswith("same value bumps"))
    assert row.split()[3:7] == ["yes", "did", "not", "hold"]
    assert "Nothing to change" in said.partition("Did not hold")[2]
    assert "--provoke brings one about" in " ".join(said.partition("Not settled")[2].split())
    [left] = companies(trying)
    assert f"not removed: company {left['id']}" in said
    assert lines[-1] == "next: icp-sync check --probe again; it removes what is left"
    assert trying.crm.token not in said


def test_production_is_refused_and_so_is_a_probe_nobody_agreed_to(trying: Place) -> None:
    refused = trying.run("check", "--probe", code=3)
    assert "next: icp-sync check --probe --yes" in refused.stderr
    trying.crm.admin("POST settings", account_type="STANDARD")
    refused = trying.run("check", "--probe", "--yes", code=3)
    assert "in production" in refused.stderr
    assert "--yes-production" in refused.stderr
    assert written(trying) == 0
    assert trying.json("audit")["entries"] == []


@pytest.mark.parametrize("alone", ["--yes", "--yes-production", "--provoke"])
def test_what_goes_with_a_probe_goes_with_nothing_else(trying: Place, alone: str) -> None:
    assert "go with --probe" in trying.run("check", alone, code=2).stderr


def test_somebody_at_a_terminal_is_told_what_will_be_done_and_may_say_no(trying: Place) -> None:
    ours, theirs = pty.openpty()
    arguments = [sys.executable, "-m", "icp_sync", "check", "--probe", "--config", str(trying.config)]
    with subprocess.Popen(arguments, stdin=theirs, stdout=theirs, stderr=theirs) as asking:
        os.close(theirs)
        said = b""
        while b"Begin?" not in said:
            said += os.read(ours, 4_096)
        os.write(ours, b"n\n")
        assert asking.wait(timeout=30) == 0
    os.close(ours)
    assert NAME in said.decode()
    assert "icp_sync_probe" in said.decode()
    assert written(trying) == 0


def started(place: Place) -> subprocess.Popen[str]:
    """A probe that waits for an index that shows nothing, its scratch company made and noted."""
    place.crm.admin("POST settings", index_lag=600)
    arguments = [sys.executable, "-m", "icp_sync", "check", "--probe", "--yes", "--config", str(place.config)]
    begun = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(600):
        if place.crm.admin("GET stats")["requests"].get("POST batch/update"):
            return begun
        time.sleep(0.05)
    begun.kill()
    raise AssertionError(begun.communicate())


def test_what_a_killed_probe_left_the_next_one_removes_and_the_audit_tells_of_both(trying: Place) -> None:
    killed = started(trying)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=30)
    [left] = companies(trying)
    assert (left["properties"]["name"], left["properties"]["domain"]) == (NAME, DOMAIN)
    trying.crm.admin("POST settings", index_lag=0)
    told = trying.json("check", "--probe", "--yes")
    assert not companies(trying)
    entries = trying.json("audit")["entries"]
    assert [one["what"] for one in entries] == [*["probe begun"] * 4, "probe"], "each before and after making"
    begun, done = entries[-2:]
    assert told["removed"] == [left["id"], begun["detail"]["scratch"]] == done["detail"]["removed"]
    assert [one["question"] for one in told["questions"]] == [one.key for one in QUESTIONS]
    assert {one["verdict"] for one in told["questions"]} == {"held", "not settled"}
    assert all(one["where"] and one["instead"] and one["seen"] for one in told["questions"])
    assert (told["crm"], told["production"], told["left"]) == ("hubspot", False, [])
    assert told["calls"] <= MOST_CALLS
    kept = {key: one["verdict"] for key, one in done["detail"]["found"].items()}
    assert kept == {one["question"]: one["verdict"] for one in told["questions"]}


def test_a_probe_told_to_stop_removes_what_it_made(trying: Place) -> None:
    stopped = started(trying)
    stopped.send_signal(signal.SIGTERM)
    stopped.communicate(timeout=30)
    assert stopped.returncode == 128 + signal.SIGTERM
    assert not companies(trying)
    assert trying.crm.admin("GET stats")["requests"]["DELETE properties/{id}"] == 1


def test_an_org_is_probed_as_far_as_its_user_may(tmp_path: Path) -> None:
    org = Org(tmp_path)
    try:
        assert org.run("check", "--probe", "--yes").exit_code == 3  # production
        org.crm.admin("POST settings", sandbox=True)
        said = org.run("check", "--probe", "--yes")
        assert said.exit_code == 0, said.output
        assert max(map(len, said.stdout.splitlines())) <= 100
        org.crm.admin("POST settings", object_rights=False)
        told = json.loads(org.run("check", "--probe", "--yes", "--json").stdout)
        assert {one["verdict"] for one in told["questions"]} == {"held"}
        assert len(told["removed"]) == 1
    finally:
        org.crm.stop()


def test_help_names_the_options() -> None:
    said = command("check", "--help").stdout
    assert all(option in said for option in ("--probe", "--yes", "--yes-production", "--provoke"))


def test_a_company_whose_making_was_not_answered_is_looked_for_and_removed(trying: Place) -> None:
    trying.crm.admin("POST faults", kind="reset_after_apply", match="POST companies$", count=1)
    trying.run("check", "--probe", "--yes", code=1)
    assert (companies(trying), properties(trying)) == ([], [])
    assert [one["what"] for one in trying.json("audit")["entries"]] == ["probe begun"]


def test_one_that_search_does_not_show_yet_is_told_and_goes_next_time(trying: Place) -> None:
    trying.crm.admin("POST settings", index_lag=3_600)
    trying.crm.admin("POST faults", kind="reset_after_apply", match="POST companies$", count=1)
    said = trying.run("check", "--probe", "--yes", code=1).stderr
    assert "if it was made" in said
    assert "next: icp-sync check --probe again" in said
    assert len(companies(trying)) == 1
    trying.crm.admin("DELETE faults")
    trying.crm.admin("POST settings", index_lag=0)
    trying.crm.admin("POST flush")
    trying.run("check", "--probe", "--yes")
    assert companies(trying) == []


def test_what_a_portal_requires_of_a_new_company_is_given(trying: Place) -> None:
    trying.crm.admin("POST settings", creator_required=["industry", "city"])
    trying.config.write_text(
        trying.config.read_text().replace("token =", 'path_version = "2026-09"\ntoken =')
    )
    done = trying.json("check", "--probe", "--yes")
    assert "held" in {one["verdict"] for one in done["questions"]}
    assert companies(trying) == []


def test_what_people_made_of_old_scratch_records_does_not_hide_newer_ones(trying: Place) -> None:
    trying.crm.admin("POST faults", kind="409", match="DELETE companies")
    for number in range(4):
        trying.run("check", "--probe", "--yes", code=1)
        if number < 3:
            for one in companies(trying):
                trying.crm.admin(
                    "POST edit", id=one["id"], properties={"name": "Ours now", "domain": "x.example"}
                )
    trying.crm.admin("DELETE faults")
    [left] = companies(trying)
    assert left["id"] in trying.json("check", "--probe", "--yes")["removed"]
    assert companies(trying) == []


def properties(place: Place) -> list[str]:
    catalogue = place.crm.portal.catalogue
    return [one.name for one in catalogue.readable(archived=False) if one.name == "icp_sync_probe"]
