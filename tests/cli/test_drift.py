"""`icp-sync drift`: findings on one screen, and the accounts behind one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from icp_sync.domain.facts import choice, number
from tests.cli.conftest import command
from tests.learning.shop import PROFILE, Shop

SETTINGS = """
journal = "sqlite:///{folder}/journal.db"
[connections.main]
token = "pat-na1-11111111-2222-3333-4444-555555555555"
profiles = ["{folder}/shop.yaml"]
{more}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    opened = Shop.open(tmp_path)
    configure(tmp_path)
    yield opened
    opened.journal.close()


def configure(folder: Path, more: str = "") -> Path:
    (folder / "shop.yaml").write_text(PROFILE)
    path = folder / "icp-sync.toml"
    path.write_text(SETTINGS.format(folder=folder, more=more))
    return path


def drift(folder: Path, *arguments: str, code: int = 0) -> str:
    result = command("drift", *arguments, "--config", str(folder / "icp-sync.toml"))
    assert result.exit_code == code, result.output
    return result.output


def settle(shop: Shop, trade: str) -> None:
    facts = {"industry": choice(trade), "employees": number(80)}
    shop.settle({f"{i:04d}": ("ABCD"[i % 4], facts) for i in range(120)})


def test_a_first_look_is_taken_and_later_ones_only_when_asked_for(shop: Shop, tmp_path: Path) -> None:
    settle(shop, "RETAIL")
    first = drift(tmp_path)
    assert "main, profile v1" in first
    assert "ok" in first
    assert "too few to tell" in first
    settle(shop, "BANKING")
    assert "inputs/industry" not in drift(tmp_path)
    assert "alert" in drift(tmp_path, "--now")
    assert "inputs/industry" in drift(tmp_path)
    assert shop.alerts() == ["drift inputs/industry"]


def test_the_accounts_behind_a_finding_are_listed_by_its_name_or_its_kind(shop: Shop, tmp_path: Path) -> None:
    settle(shop, "RETAIL")
    drift(tmp_path)
    settle(shop, "BANKING")
    drift(tmp_path, "--now")
    listed = drift(tmp_path, "--accounts", "inputs/industry")
    assert "0007     Company 0007  0007.example  D" in listed
    assert drift(tmp_path, "--accounts", "inputs") == listed
    data = json.loads(drift(tmp_path, "--accounts", "inputs", "--json"))
    assert len(data["accounts"]) == 120
    assert data["accounts"][0]["finding"] == "inputs/industry"


def test_json_holds_every_finding_with_its_figures(shop: Shop, tmp_path: Path) -> None:
    settle(shop, "RETAIL")
    data = json.loads(drift(tmp_path, "--json"))
    assert {one["name"]: one["state"] for one in data["findings"]} == {
        "tiers-win": "too few to tell",
        "outside-wins": "too few to tell",
        "churn": "too few to tell",
        "retention": "too few to tell",
        "tier-shares": "ok",
        "inputs": "ok",
        "fill": "ok",
        "overrides": "ok",
        "review": "ok",
        "event": "ok",
    }
    assert data["version"] == 1
    assert data["baseline_at"] is not None


def test_a_finding_that_is_not_there_is_named_with_those_that_are(shop: Shop, tmp_path: Path) -> None:
    settle(shop, "RETAIL")
    said = drift(tmp_path, "--accounts", "wins", code=2)
    assert "finding 'wins'" in said
    assert "outside-wins" in said
    assert "icp-sync drift" in said


def test_without_an_active_profile_there_is_nothing_to_tell(tmp_path: Path) -> None:
    shop = Shop.open(tmp_path)
    configure(tmp_path, "[connections.second]\ntoken = 'pat-na1-x-y-z'\nprofiles = ['shop.yaml']")
    assert "icp-sync profile activate" in drift(tmp_path, "--connection", "second", code=2)
    shop.journal.close()


def test_events_of_the_settings_ask_for_a_review(shop: Shop, tmp_path: Path) -> None:
    more = '[connections.main.watch]\nevents = [{ on = 2020-01-01, what = "long ago" }]'
    configure(tmp_path, more)
    settle(shop, "RETAIL")
    assert "event  " in drift(tmp_path, "--now")  # the profile is younger
    configure(tmp_path, more.replace("2020-01-01", '"soon"'))
    assert "connections.main.watch" in drift(tmp_path, code=2)
    configure(tmp_path, '[connections.main.watch]\nsegments = ["industri"]')
    assert "did you mean 'industry'?" in drift(tmp_path, code=2)
