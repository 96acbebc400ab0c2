"""`icp-sync outcomes` on a journal that has followed deals."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from icp_sync.domain.facts import Money, number
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


def test_since_a_day_a_later_deal_of_an_old_customer_is_no_first_one(shop: Shop, tmp_path: Path) -> None:
    with (tmp_path / "icp-sync.toml").open("a") as settings:
        settings.write('[connections.main.learning]\nvalue = "revenue"\n')
    shop.settle({str(i): ("A", {"revenue": Money(900, 900, "USD")}) for i in range(2)})
    shop.sell([("old", "0", "C", True, shop.now - 900 * DAY)])
    shop.sell((f"new{i}", str(i), "A", True, shop.now - 600 * DAY) for i in range(2))
    with closing(sqlite3.connect(tmp_path / "journal.db")) as db, db:
        db.execute("UPDATE deal SET currency = 'USD', amount = CASE WHEN id = 'old' THEN 100 ELSE 300 END")
    (row,) = json.loads(outcomes(tmp_path, "--since", "2025-01-01", "--json"))["tiers"]
    assert (row["tier"], row["won"], row["customers"], row["retention"]) == ("A", 2, 1, 3.0)


def test_amounts_are_said_to_be_per_deal_and_a_day_is_the_least(shop: Shop, tmp_path: Path) -> None:
    shop.sell([("d", "1", "A", True, shop.now)])
    with closing(sqlite3.connect(tmp_path / "journal.db")) as db, db:
        db.execute("UPDATE deal SET created_at = ?, currency = 'USD', amount = 300", (shop.now,))
    shown = outcomes(tmp_path)
    assert "USD per won deal" in shown
    assert "< 1" in shown


def test_without_deals_it_says_what_to_do(shop: Shop, tmp_path: Path) -> None:
    assert "icp-sync run --once" in outcomes(tmp_path, code=2)
    configure(tmp_path, "false")
    assert "follow = true" in outcomes(tmp_path, code=2)
