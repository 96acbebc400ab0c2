"""`icp-sync outcomes` on a journal that has followed deals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from icp_sync.domain.facts import number
from tests.cli.conftest import command
from tests.learning.shop import DAY, PROFILE, Shop

SETTINGS = """
journal = "sqlite:///{folder}/journal.db"
[connections.main]
token = "pat-na1-11111111-2222-3333-4444-555555555555"
profiles = ["{folder}/shop.yaml"]
[connections.main.deals]
follow = {follow}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    opened = Shop.open(tmp_path)
    (tmp_path / "shop.yaml").write_text(PROFILE)
    configure(tmp_path, "true")
    yield opened
    opened.journal.close()


def configure(folder: Path, follow: str) -> None:
    (folder / "icp-sync.toml").write_text(SETTINGS.format(folder=folder, follow=follow))


def outcomes(folder: Path, *arguments: str, code: int = 0) -> str:
    result = command("outcomes", *arguments, "--config", str(folder / "icp-sync.toml"))
    assert result.exit_code == code, result.output
    return result.output


def test_win_rates_stand_by_the_tier_at_creation(shop: Shop, tmp_path: Path) -> None:
    shop.settle({str(i): ("D", {"employees": number(80)}) for i in range(8)})  # what they are today
    shop.sell((f"d{i}", str(i), "A" if i < 4 else "C", i < 3, shop.now - i * DAY) for i in range(8))
    told = json.loads(outcomes(tmp_path, "--json"))
    assert [(row["tier"], row["won"], row["decided"], row["rate"]) for row in told["tiers"]] == [
        ("A", 3, 4, 0.75),
        ("C", 0, 4, 0.0),
    ]
    assert {row["cycle"] for row in told["tiers"]} == {30.0, None}
    shown = outcomes(tmp_path)
    assert "75%" in shown
    assert "Retention is unknown" in shown


def test_only_deals_since_a_day(shop: Shop, tmp_path: Path) -> None:
    shop.sell((f"d{i}", str(i), "A", True, shop.now - i * 100 * DAY) for i in range(4))
    assert json.loads(outcomes(tmp_path, "--since", "2026-08-01", "--json"))["deals"] == 2
    assert "no deal that was read was created since 2030-01-01" in outcomes(
        tmp_path, "--since", "2030-01-01", code=2
    )
    assert "neither a day" in outcomes(tmp_path, "--since", "soon", code=2)


def test_without_deals_it_says_what_to_do(shop: Shop, tmp_path: Path) -> None:
    assert "icp-sync run --once" in outcomes(tmp_path, code=2)
    configure(tmp_path, "false")
    assert "follow = true" in outcomes(tmp_path, code=2)
