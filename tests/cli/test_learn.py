"""`icp-sync learn`: from exports and from a CRM over HTTP, with an answer either way."""

from __future__ import annotations

import csv
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from icp_sync.learning.cases import Case
from icp_sync.profile_file import load
from icp_sync.simulator import Simulator
from tests.cli.conftest import Place, command
from tests.learning.planted import DAY, END, ODDS, TYPES, planted
from tests.learning.planted_file import columns, write_accounts

OWN = {fact: kind for fact, kind in TYPES.items() if fact in ODDS or fact == "onboarded"}
MAP = [part for fact, said in columns(tuple(OWN)).items() for part in ("--map", f"{fact}={said}")]


def cases(n: int, **more: object) -> tuple[Case, ...]:
    """Companies with the five true facts only, decided within the last two years."""
    later = (time.time() - END) // DAY * DAY
    return tuple(
        replace(
            case,
            facts={name: value for name, value in case.facts.items() if name in OWN},
            begun=case.begun + later,
            decided=case.decided + later,
        )
        for case in planted(n, 5, **more).cases  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export that tells, and holds a copy of the outcome."""
    found = cases(900, odds=dict.fromkeys(ODDS, 3.0), leak="noisy", flipped=0.0)
    return write_accounts(tmp_path_factory.mktemp("export") / "accounts.csv", found)


def learn(*arguments: str, code: int = 0) -> str:
    result = command("learn", *arguments)
    assert result.exit_code == code, result.output
    return result.output


def test_an_export_becomes_a_proven_profile_without_settings_or_a_crm(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mapped = ["--accounts", str(export), "--currency", "USD", *MAP]
    shown = learn(*mapped, "--out", "new.yaml", "--scores", "scores.csv")
    for said in (
        "never closed",
        "onboarded: onboarded 'yes'",
        "What marks the good ones",
        "Runs HubSpot",
        "shuffled labels",
        "somebody chose to sell to",
        "icp-sync profile promote new.yaml",
    ):
        assert said in shown
    learned = load(Path("new.yaml"), types=TYPES).profile
    assert learned.learned is not None
    assert not any("onboarded" in repr(one.when) for one in learned.criteria)
    with Path("scores.csv").open(encoding="utf-8-sig") as stream:
        scored = list(csv.DictReader(stream))
    assert {row["good"] for row in scored} == {"yes", "no"}
    assert min(row["decided"] for row in scored) >= learned.learned.until
    assert "is there already" in learn(*mapped, "--out", "new.yaml", code=2)


def test_what_cannot_be_meant_is_refused_all_at_once_before_anything_is_read(tmp_path: Path) -> None:
    said = learn(
        *("--accounts", "nowhere.csv", "--out", str(tmp_path / "profile.txt"), "--name", "Our ICP!"),
        *("--best", "b.csv"),
        code=2,
    )
    for problem in ("a profile is a YAML file", "is no name for a profile", "goes with --describe"):
        assert problem in said
    assert "is not a day" in learn("--accounts", "a.csv", "--until", "soon", code=2)
    assert "is no goal" in learn("--accounts", "a.csv", "--goal", "rich", code=2)
    assert "--accounts FILE.csv" in learn("--deals", "d.csv", code=2)


def _ids(crm: Simulator) -> list[str]:
    """Every company, over HTTP."""
    found: list[str] = []
    after = ""
    while True:
        reply = requests.get(
            f"{crm.url}/crm/v3/objects/companies",
            params={"limit": "100", **({"after": after} if after else {})},
            headers={"Authorization": f"Bearer {crm.token}"},
            timeout=10,
        ).json()
        found += [record["id"] for record in reply["results"]]
        after = reply.get("paging", {}).get("next", {}).get("after", "")
        if not after:
            return found


@pytest.fixture
def sold(tmp_path: Path) -> Iterator[Place]:
    """A HubSpot whose deals were won and lost by lot."""
    draw = random.Random(11)
    with Simulator(accounts=260, seed=4, index_lag=0.0) as crm:
        crm.admin("POST settings", property_lag=0)
        place = Place(tmp_path, crm).write()
        for company in _ids(crm):
            closed = datetime.fromtimestamp(time.time() - DAY * draw.uniform(5, 600), UTC)
            stage = "closedwon" if draw.random() < 0.3 else "closedlost"
            told = {"dealstage": stage, "closedate": closed.isoformat(timespec="seconds"), "amount": "1000"}
            crm.admin("POST create", type="deals", company=company, count=1, properties=told)
        yield place


def test_a_crm_whose_outcomes_nothing_tells_is_not_enough_evidence(sold: Place, tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    told = sold.json("learn", "--out", str(file), code=1)
    assert told["answer"] == "not enough evidence"
    assert told["enough"]
    assert told["cohorts"]["cases"] == 260
    assert told["cohorts"]["cohorts"]["lost"] > 150
    assert not file.exists()
    shown = sold.run("learn", code=1).stdout
    assert "Not enough evidence for a profile." in shown
    assert "learn --describe" in shown
