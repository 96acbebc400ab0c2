"""`icp-sync learn`: from exports and from a CRM over HTTP, with an answer either way."""

from __future__ import annotations

import csv
import json
import os
import pty
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from icp_sync.learning.cases import Case
from icp_sync.profile_file import load
from icp_sync.simulator import Simulator
from tests.cli.conftest import Place, command
from tests.learning.planted import DAY, END, ODDS, TYPES, planted
from tests.learning.planted_file import columns, write_accounts

ROOT = Path(__file__).parents[2]
OWN = {fact: kind for fact, kind in TYPES.items() if fact in ODDS or fact == "onboarded"}
MAP = [part for fact, said in columns(tuple(OWN)).items() for part in ("--map", f"{fact}={said}")]

FEW = [part for fact, said in columns(tuple(ODDS)).items() for part in ("--map", f"{fact}={said}")]


def cases(n: int, seed: int = 5, **more: object) -> tuple[Case, ...]:
    """Companies with the five true facts only, decided within the last two years."""
    later = (time.time() - END) // DAY * DAY
    return tuple(
        replace(
            case,
            facts={name: value for name, value in case.facts.items() if name in OWN},
            begun=case.begun + later,
            decided=case.decided + later,
        )
        for case in planted(n, seed, **more).cases  # type: ignore[arg-type]
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
        "if unknown",
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
    again = learn(*mapped, "--scores", "scores.csv")
    assert "Written: scores.csv" in again
    assert "Nothing was written" not in again


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


def test_scores_go_over_no_other_table(tmp_path: Path) -> None:
    theirs, accounts = tmp_path / "theirs.csv", tmp_path / "accounts.csv"
    for file in (theirs, accounts):
        file.write_text("id,tier\n1,A\n")
    said = learn("--accounts", str(accounts), "--scores", str(theirs), code=2)
    assert f"--scores: {theirs} is there already, with other columns" in " ".join(said.split())
    said = learn("--accounts", str(accounts), "--scores", str(accounts), code=2)
    assert "--scores: would overwrite the file it reads" in said
    assert theirs.read_text() == accounts.read_text() == "id,tier\n1,A\n"


def on_a_terminal(folder: Path, width: int, *arguments: str) -> list[str]:
    """The lines that stand on a terminal so many columns wide."""
    ours, theirs = pty.openpty()
    shape = {"COLUMNS": str(width), "LINES": "50", "TERM": "dumb", "PYTHONPATH": str(ROOT)}
    typed = [sys.executable, "-m", "icp_sync", "learn", *arguments]
    process = subprocess.Popen(typed, cwd=folder, stdout=theirs, stderr=theirs, env={**os.environ, **shape})
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # Linux says so when the other side is gone
        while chunk := os.read(ours, 65_536):
            shown += chunk
    os.close(ours)
    process.wait(60)
    return shown.decode().replace("\r\n", "\n").rstrip("\n").split("\n")


@pytest.mark.parametrize(("width", "most"), [(100, 50), (80, 60)])
def test_all_of_it_stands_on_one_screen_with_the_answer_first(
    export: Path, tmp_path: Path, width: int, most: int
) -> None:
    lines = on_a_terminal(tmp_path, width, "--accounts", str(export), "--currency", "USD", *MAP)
    assert "promoted" in lines[0]
    assert len(lines) <= most
    assert max(map(len, lines)) <= width
    heads = ("cohort ", "criterion ", "tier ", "ranks better than ")
    assert [line for line in lines if line.startswith(heads)] == sorted(
        (line for line in lines if line.startswith(heads)),
        key=lambda line: [line.startswith(head) for head in heads].index(True),
    )


@pytest.fixture(scope="module")
def weak(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export in which one yes or no tells, and so a profile no more than that."""
    found = cases(900, odds={**dict.fromkeys(ODDS, 1.0), "vc_backed": 2.5}, flipped=0.0)
    return write_accounts(tmp_path_factory.mktemp("weak") / "accounts.csv", found)


def told(*arguments: str, code: int = 0) -> Any:
    return json.loads(learn(*arguments, "--json", code=code))


def test_scores_are_written_wherever_cases_were_judged_and_what_was_not_written_is_said(
    weak: Path, tmp_path: Path
) -> None:
    out, scores = tmp_path / "new.yaml", tmp_path / "scores.csv"
    shown = learn(
        *("--accounts", str(weak), "--currency", "USD", *FEW),
        *("--out", str(out), "--scores", str(scores)),
        code=1,
    )
    assert shown.startswith("Not enough evidence for a profile. Not proven: ")
    assert f"Written: {scores}" in shown
    assert f"Not written: {out}, as there is no profile to write." in shown
    assert not out.exists()
    with scores.open(encoding="utf-8-sig") as stream:
        assert {row["good"] for row in csv.DictReader(stream)} == {"yes", "no"}


def edited(export: Path, folder: Path, keep: Callable[[dict[str, str]], bool]) -> Path:
    with export.open() as stream:
        rows = [row for row in csv.DictReader(stream) if keep(row)]
    path = folder / "edited.csv"
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_what_is_missing_to_learn_at_all_is_named_as_the_next_step(weak: Path, tmp_path: Path) -> None:
    mapped = ("--currency", "USD", *FEW)
    won = edited(weak, tmp_path, lambda row: row["Outcome"] == "won")
    assert "next: add the lost deals to what is read" in learn("--accounts", str(won), *mapped, code=1)
    lost = edited(weak, tmp_path, lambda row: row["Outcome"] == "lost")
    assert "next: add the won deals to what is read" in learn("--accounts", str(lost), *mapped, code=1)
    found = told("--accounts", str(weak), *mapped, "--until", "1999-01-01", code=1)
    assert found["next"].startswith("name a day between 20")
    shown = learn(
        "--accounts", str(weak), *mapped, "--scores", str(tmp_path / "s.csv"), "--until", "1999-01-01", code=1
    )
    assert "s.csv, as nobody was judged." in shown


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export whose outcomes nothing tells."""
    found = cases(500, 6, odds=dict.fromkeys(ODDS, 1.0), flipped=0.0)
    return write_accounts(tmp_path_factory.mktemp("silent") / "accounts.csv", found)


def test_without_a_finding_p_is_shown_after_everything_that_was_tried_and_in_its_order(silent: Path) -> None:
    mapped = ("--accounts", str(silent), "--currency", "USD", *FEW)
    shown = learn(*mapped, code=1).splitlines()
    first = next(at for at, line in enumerate(shown) if line.startswith("mark ")) + 1
    last = next(at for at, line in enumerate(shown) if line.startswith("Corrected for"))
    ps = [float(line.split()[-1]) for line in shown[first:last]]
    assert ps == sorted(ps)
    findings = told(*mapped, code=1)["findings"]
    assert min(ps) > findings["false_discovery_rate"]
    asked = {mark["question"]: mark["adjusted"] for fact in findings["facts"] for mark in fact["marks"]}
    for line, p in zip(shown[first:last], ps, strict=True):
        words = line.split("  ")[0]
        assert asked[words] == pytest.approx(p, abs=0.0006)


def test_what_would_be_enough_is_said_once_and_of_which_cases(silent: Path) -> None:
    shown = learn("--accounts", str(silent), "--currency", "USD", *FEW, code=1)
    number = "about [1-9](?:0*|,000)|far more"
    assert len(re.findall(f"would take (?:{number}) cases to learn from", shown)) == 1
    learned = told("--accounts", str(silent), "--currency", "USD", *FEW, code=1)["learning"]["cases"]
    assert f"there are {learned}." in shown


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
    document = sold.json("learn", "--out", str(file), code=1)
    assert document["answer"] == "not enough evidence"
    assert document["enough"]
    assert document["cohorts"]["cases"] == 260
    assert document["cohorts"]["cohorts"]["lost"] > 150
    assert not file.exists()
    shown = sold.run("learn", code=1).stdout
    assert "Not enough evidence for a profile." in shown
    assert "learn --describe" in shown
