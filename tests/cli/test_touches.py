"""Accounts given to people on simulated CRMs, by the command line: touched, passed on, escalated."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from icp_sync.simulator import Simulator
from icp_sync.simulator.people import PEOPLE
from tests.cli.conftest import Place
from tests.cli.test_org import PROFILE as LISTED
from tests.cli.test_org import Org

AMARA, BEN = PEOPLE[0].email, PEOPLE[1].email
LEAD = "lead@sales.example"
WITHIN = 0.0003 * 3600  # seconds: the shortest time anybody ever had
PROFILE = f"""
profile: touch
currency: USD
criteria:
  - {{name: Size, layer: firmographic, fact: employees, at_least: 50, weight: 10}}
pools:
  team: {{members: [{{email: {AMARA}}}, {{email: {BEN}}}], imbalance: 50}}
routes:
  - when: {{tier: [A]}}
    to:
      pool: team
      lane: sales
      touch_within: 0.0003h
      otherwise: {{reroute: true, escalate: {LEAD}}}
  - {{else: {{lane: nurture}}}}
"""
Run = Callable[..., Any]


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "touch.yaml"
    path.write_text(PROFILE)
    return path


def ready(run: Run) -> None:
    for arguments in (("provision", "--apply"), ("profile", "activate"), ("mode", "route")):
        run(*arguments)


@pytest.fixture
def portal(tmp_path: Path, profile: Path) -> Iterator[tuple[Run, Simulator, str, str]]:
    with Simulator(accounts=0, seed=9, index_lag=0.0) as crm:
        crm.admin("POST settings", property_lag=0)
        place = Place(tmp_path, crm).write(profile=profile)
        ready(place.run)
        made = [
            crm.admin("POST create", properties={"name": n, "domain": f"{n}.com", "numberofemployees": "100"})
            for n in ("acme", "zeta")
        ]
        yield place.run, crm, str(made[0]["id"]), str(made[1]["id"])


@pytest.fixture
def org(tmp_path: Path, profile: Path) -> Iterator[tuple[Run, Simulator, str, str]]:
    made = Org(tmp_path)
    made.config.write_text(made.config.read_text().replace(str(LISTED), str(profile)))

    def run(*arguments: str) -> Any:
        done = made.run(*arguments)
        assert done.exit_code == 0, done.output
        return done

    ready(run)
    owner = {"OwnerId": "unassigned@sales.example"}
    new = [
        made.crm.admin("POST create", properties={"Name": n, "NumberOfEmployees": "100", **owner})
        for n in ("acme", "zeta")
    ]
    yield run, made.crm, str(new[0]["id"]), str(new[1]["id"])
    made.crm.stop()


def explained(run: Run, account_id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("explain", account_id, "--json").stdout)
    return found


def settle(run: Run, simulator: Simulator) -> None:
    """After the stated time, whatever is due; on the CRM's clock a minute later, as an owner that was changed
    within seconds is left alone there."""
    simulator.admin("POST clock", advance=60)
    time.sleep(WITHIN + 0.05)
    run("run", "--once")


@pytest.mark.parametrize("crm", ["portal", "org"])
def test_what_nobody_touches_goes_on_and_what_somebody_touches_stays(
    crm: str, request: pytest.FixtureRequest
) -> None:
    run, simulator, touched, let_lie = request.getfixturevalue(crm)
    simulator.admin("POST clock", advance=60)
    run("run", "--backfill")
    first = {account_id: explained(run, account_id)["owner"] for account_id in (touched, let_lie)}
    assert set(first.values()) <= {AMARA, BEN}
    today = time.strftime("%Y-%m-%d", time.gmtime())
    called = (
        {"notes_last_contacted": f"{time.time() * 1000:.0f}"}
        if crm == "portal"
        else {"LastActivityDate": today}
    )
    simulator.admin("POST edit", id=touched, properties=called)
    settle(run, simulator)
    kept, moved = explained(run, touched), explained(run, let_lie)
    assert kept["owner"] == first[touched]
    assert [one["how"] for one in kept["assignments"]] == ["a sales activity"]
    assert (moved["owner"], moved["routing"]["replays"]) == ({AMARA: BEN, BEN: AMARA}[first[let_lie]], True)
    passed = {c["email"]: c["skipped"] for c in moved["routing"]["considered"]}
    assert passed[first[let_lie]].startswith("did not touch it by ")
    settle(run, simulator)
    last = explained(run, let_lie)
    assert last["owner"] == moved["owner"]
    assert [(one["action"], one["lead"]) for one in last["assignments"]] == [
        ("escalated", LEAD),
        ("re-routed", ""),
    ]
    shown = run("explain", let_lie).stdout
    assert f"to {moved['owner']} by route 1; first touch by" in shown
    assert f"escalated to {LEAD}" in shown
    told = json.loads(run("touches", "--json").stdout)
    assert sum(one["assigned"] for one in told["owners"]) >= 3
    assert sum(one["touched"] for one in told["owners"]) == 1
    assert told["now"]["actions"]["re-routed"] == told["now"]["actions"]["escalated"]
    assert moved["owner"] in run("touches", "--since", today).stdout
    assert "let lie" in run("status").stdout
    assert json.loads(run("status", "--json").stdout)["touches"] == told["now"]


def test_where_nobody_was_given_anything_that_is_said(place: Place) -> None:
    place.run("profile", "activate")
    assert "none. Owners are given in mode route" in place.run("touches").stdout
    assert place.json("touches")["owners"] == []
    assert "neither a day nor an instant" in place.run("touches", "--since", "monday", code=2).output
    assert "is not over yet" in place.run("touches", "--since", "2999-01-01", code=2).output
