"""`icp-sync score`: an export scored with nothing but a profile, and a clear refusal of everything else."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bench import export
from tests.cli.conftest import Place, command

PROFILES = Path(__file__).parents[2] / "config" / "profiles"
SAAS = str(PROFILES / "b2b-saas-mid-market.yaml")
TEXT = (
    "Record ID;Company name;Company Domain Name;Number of Employees;Annual Revenue;Country/Region;Industry;"
    "Lifecycle Stage;Web Technologies;Notes\n"
    "1;Acme;acme.com;120;12000000;United States;Computer Software;Lead;HubSpot, Outreach;=1+1\n"
    "2;Öl GmbH;oel.de;viele;;Germany;Widgets;Customer;;-5\n"
    "3;Short;short.com\n"
    "4;Other;other.com;5;90000;France;INTERNET;Other;Shopify;\n"
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without settings."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "export.csv").write_text(TEXT, encoding="cp1252")
    return tmp_path


def rows(path: str | Path) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=";"))


def test_every_row_comes_back_with_tier_and_reasons_beside_it(here: Path) -> None:
    result = command("score", "export.csv", "--profile", SAAS, "--currency", "usd")
    assert result.exit_code == 0, result.output
    acme, oel, short, other = rows("export.scored.csv")
    assert list(acme)[-9:-6] == ["ICP tier", "ICP score", "ICP at least"]
    assert (acme["ICP tier"], acme["ICP lane"], acme["Notes"]) == ("A", "sales", "'=1+1")
    assert acme["ICP reasons"].startswith("A, score ")
    assert "50–500 employees (" in acme["ICP reasons"]
    assert "\n" not in acme["ICP reasons"]
    assert (oel["Company name"], oel["ICP tier"], oel["Notes"]) == ("Öl GmbH", "Needs data", "-5")
    assert (short["ICP tier"], short["ICP reasons"]) == ("", "Not scored: the row has 3 cells instead of 10.")
    assert (other["ICP tier"], other["ICP reasons"]) == ("", "Outside the profile's scope.")
    assert sorted(p.name for p in here.iterdir()) == ["export.csv", "export.scored.csv"]


def test_cells_beyond_the_last_column_are_kept_behind_ours(here: Path) -> None:
    (here / "wide.csv").write_text("domain,employees\nacme.com,100,left over,=2\n")
    assert command("score", "wide.csv", "--profile", SAAS).exit_code == 0
    with (here / "wide.scored.csv").open(encoding="utf-8-sig", newline="") as stream:
        _, row = csv.reader(stream)
    assert (row[:2], row[-2:]) == (["acme.com", "100"], ["left over", "'=2"])


def test_the_report_says_columns_tiers_missing_facts_problems_and_what_next() -> None:
    said = command("score", "export.csv", "--profile", SAAS).stdout
    assert all(len(line) <= 84 for line in said.splitlines())
    for part in (
        "Number of Employees  employees",
        "Not used: Notes",
        "these columns can answer",
        "Amounts without a currency",
        "Tiers of 4 rows",
        "are provisional",
        "Facts worth learning",
        "business model",
        "Widgets",
        "has 3 cells instead of 10",
        "1 row was written without a tier.",
        "Written: export.scored.csv",
        "next: icp-sync score again with --currency",
    ):
        assert part in said


def test_the_report_is_one_document_with_json() -> None:
    found = json.loads(
        command("score", "export.csv", "--profile", SAAS, "--json", "--currency", "EUR").stdout
    )
    assert (found["rows"], found["unscored"], found["problem_count"]) == (4, 1, 1)
    assert found["columns"]["Web Technologies"] == "technologies"
    assert sum(found["tiers"].values()) == 3
    assert found["tiers"]["out of scope"] == 1
    assert found["evaluable"][0]["percent"] > 50
    assert {"column": "Industry", "fact": "industry", "cells": 1, "row": 3, "example": "Widgets"} in found[
        "unreadable"
    ]
    assert {"employees", "revenue"} <= {one["fact"] for one in found["missing"]}


def test_rows_go_to_stdout_and_the_report_aside() -> None:
    result = command("score", "export.csv", "--profile", SAAS, "--out", "-")
    assert result.stdout.startswith("Record ID;Company name;")
    assert len(result.stdout.splitlines()) == 5
    assert "Facts worth learning" in result.stderr


def test_the_settings_profile_is_the_default(place: Place, here: Path) -> None:
    result = place.run("score", str(here / "export.csv"), "--json")
    assert json.loads(result.stdout)["evaluable"][0]["profile"] == "listed-companies"


def test_without_any_profile_the_way_to_one_is_named(here: Path) -> None:
    result = command("score", "export.csv")
    assert result.exit_code == 2
    assert "next: icp-sync init" in result.stderr
    (here / "config" / "profiles").mkdir(parents=True)
    (here / "config" / "profiles" / "mine.yaml").write_text("profile: mine\n")
    assert "--profile config/profiles/mine.yaml" in command("score", "export.csv").stderr


def test_columns_can_be_mapped_by_hand(here: Path) -> None:
    (here / "own.csv").write_text("Firma,Web,Leute,Segment\nAcme,acme.com,120,x\nBeta,beta.io,20,y\n")
    mapped = ["--map", "Web=domain", "--map", "Leute=employees", "--map", "Firma=ignore"]
    found = json.loads(command("score", "own.csv", "--profile", SAAS, *mapped, "--json").stdout)
    assert found["columns"] == {"Web": "domain", "Leute": "employees"}
    assert found["unmapped"] == ["Firma", "Segment"]


def test_a_scored_file_is_scored_again_unless_somebody_made_it_his_own(here: Path) -> None:
    scored = here / "export.scored.csv"
    for options in ([], ["--out", str(scored)]):
        assert command("score", "export.csv", "--profile", SAAS).exit_code == 0
        before = scored.read_text("utf-8-sig")
        assert command("score", "export.csv", "--profile", SAAS, *options).exit_code == 0
        first, *others = before.splitlines()
        own = "\n".join([f"{first};my notes", *(f"{line};call" for line in others)])
        scored.write_text(own)
        refused = command("score", "export.csv", "--profile", SAAS, *options)
        assert refused.exit_code == 2
        assert "with other columns" in " ".join(refused.stderr.split())
        assert scored.read_text() == own
        scored.unlink()
    (here / "twice.csv").write_text(before)
    for _ in range(2):
        assert command("score", "twice.csv", "--profile", SAAS).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.csv"], "cannot be read"),
        (["."], "is a directory"),
        (["empty.csv"], "has a header and no rows"),
        (["export.csv", "--map", "Notes=emploees"], "did you mean 'employees'"),
        (["export.csv", "--map", "Notes"], "must read COLUMN=FACT"),
        (["export.csv", "--currency", "Euro"], "is not a currency code"),
        (["export.csv", "--encoding", "klingon"], "is not an encoding"),
        (["export.csv", "--encoding", "base64"], "is not an encoding"),
        (["export.csv", "--out", "export.csv"], "would overwrite the file it reads"),
        (["export.csv", "--out", "no/such/folder.csv"], "cannot be written"),
        (["export.csv", "--out", "-", "--json"], "standard output is for the JSON document"),
        (["export.csv", "--out", "settings.toml"], "is there already"),
        (["export.csv", "--profile", "none.yaml"], "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_refused_and_leaves_nothing_behind(
    here: Path, arguments: list[str], said: str
) -> None:
    (here / "empty.csv").write_text("domain,employees\n")
    (here / "settings.toml").write_text("[connections.main]\n")
    before = sorted(p.name for p in here.iterdir())
    result = command("score", *arguments, *([] if "--profile" in arguments else ["--profile", SAAS]))
    assert result.exit_code == 2
    assert said in result.stderr
    assert sorted(p.name for p in here.iterdir()) == before
    assert (here / "export.csv").read_bytes() == TEXT.encode("cp1252")


@pytest.mark.parametrize(
    ("told", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_an_interrupted_run_leaves_nothing_behind(here: Path, told: int, code: int) -> None:
    export.write(here / "long.csv", 20_000)
    running = subprocess.Popen(
        [sys.executable, "-m", "icp_sync", "score", "long.csv", "--profile", SAAS],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    while running.poll() is None and not any(here.glob(".*.part")):
        time.sleep(0.01)
    running.send_signal(told)
    assert running.wait(timeout=60) == code
    assert sorted(p.name for p in here.iterdir()) == ["export.csv", "long.csv"]
