"""`vendors`: what each source of facts is, how it does and what it costs; every shipped one with `--json`."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from icp_sync.cli.rendering import Screen
from icp_sync.cli.vendors import collect, show
from icp_sync.domain.buying import NO_BUDGETS
from icp_sync.enrichers import BUILT_IN, manifest
from icp_sync.journal import Journal
from icp_sync.journal.bought import Answered, Tally, VendorState
from icp_sync.reporting.shipped import shipped
from icp_sync.reporting.vendors import describe
from tests.cli.conftest import command

KEY = "hunter2-hunter2"


@dataclass(frozen=True)
class Configured:
    """A connection with two sources, one of which nobody has ever seen a reply of, and a broken third."""

    folder: Path

    def made(self, more: str = "") -> Configured:
        (self.folder / "known.json").write_text("{}")
        (self.folder / "x.toml").write_text(
            f"""
            journal = "sqlite:///{self.folder}/j.sqlite"
            [connections.main]
            token = "pat-eu1-0badcafe"
            profiles = ["a.yaml"]
            [connections.main.enrichment.budgets]
            day = 50
            [[connections.main.enrichers]]
            use = "tests.cli.vendors_at_hand:Headcounts"
            path = "{self.folder}/known.json"
            budget_day = 10
            budget_month = 100
            [[connections.main.enrichers]]
            use = "public_companies"
            {more}
            """
        )
        return self

    def run(self, *arguments: str, code: int = 0) -> str:
        result = command("vendors", *arguments, "--config", str(self.folder / "x.toml"))
        assert result.exit_code == code, result.output
        assert KEY not in result.output
        return result.output

    def json(self, *arguments: str) -> dict[str, Mapping[str, Any]]:
        """Each vendor by its name."""
        return {one["name"]: one for one in json.loads(self.run("--json", *arguments))["vendors"]}

    def journal(self) -> Journal:
        return Journal.open(f"sqlite:///{self.folder}/j.sqlite", "main")


@pytest.fixture
def place(tmp_path: Path) -> Configured:
    return Configured(tmp_path).made()


def bought(place: Configured) -> None:
    """Three questions to headcounts: two hits at two credits, one free miss."""
    now = time.time()
    with closing(place.journal()) as journal:
        keys = ["a.com", "b.com", "c.com"]
        journal.reserve(
            "headcounts",
            dict.fromkeys(keys, 2.0),
            now=now,
            run="",
            budgets=NO_BUDGETS,
            retry_unknown_after=60.0,
        )
        answers = [
            Answered(key="a.com", kind="hit", charge=2.0, expires_at=now + 9e6, until=now + 9e6),
            Answered(key="b.com", kind="hit", charge=2.0, expires_at=now + 9e6, until=now + 9e6),
            Answered(key="c.com", kind="miss", expires_at=now + 9e6),
        ]
        tally = Tally(fact="", segment="US/mid", asked=3, told=2, charge=4.0)
        journal.record_all("headcounts", answers, now=now, tallies=[tally])


def test_what_was_never_asked_is_said_to_be(place: Configured) -> None:
    shown = place.run()
    assert "never asked" in shown
    assert "No real reply is among the samples of headcounts:" in shown
    assert "\n  icp-sync enrich headcounts DOMAIN --raw\n" in shown
    assert "credits left of the connection's budgets: day 50" in shown


def test_hit_rate_cost_and_budgets_are_told(place: Configured) -> None:
    bought(place)
    told = place.json()["headcounts"]
    assert (told["hits"], told["misses"], told["asked"], told["told"]) == (2, 1, 3, 2)
    assert told["hit_rate"] == pytest.approx(2 / 3)
    assert (told["cost_a_hit"], told["spent_day"], told["budget_day"], told["budget_month"]) == (
        2.0,
        4.0,
        10.0,
        100.0,
    )
    assert told["median_age"] >= 0
    shown = place.run()
    assert "67% of 3" in shown
    assert "4 of 10" in shown
    assert "4 of 100" in shown
    assert "day 46" in shown


def test_one_that_is_left_alone_says_why_and_until_when(place: Configured) -> None:
    now = time.time()
    state = VendorState(
        failures=1, open_until=now + 6e3, kind="no_credit", message="buy some", credits_left=3.0, at=now
    )
    with closing(place.journal()) as journal:
        journal.save_vendor("headcounts", state, now=now)
    told = place.json()["headcounts"]
    assert (told["healthy"], told["state"]["kind"], told["state"]["credits_left"]) == (
        False,
        "no_credit",
        3.0,
    )
    shown = place.run()
    assert "left alone until 20" in shown
    assert "headcounts: it has no credits left (buy some)" in shown
    assert "\n  icp-sync enrich ID --vendor headcounts\n" in shown


def test_a_refused_key_is_named_by_the_variable_that_holds_it(tmp_path: Path) -> None:
    entry = (
        f'[[connections.main.enrichers]]\nuse = "apollo"\n[connections.main.secrets.apollo]\nkey = "{KEY}"'
    )
    place = Configured(tmp_path).made(entry)
    now = time.time()
    state = VendorState(failures=1, open_until=now + 6e3, kind="not_entitled", message="HTTP 401", at=now)
    with closing(place.journal()) as journal:
        journal.save_vendor("apollo", state, now=now)
    shown = place.run()
    assert "apollo: its key was refused, or does not allow this (HTTP 401)" in shown
    assert "its key: ICP_SYNC_CONNECTIONS__MAIN__SECRETS__APOLLO__KEY" in shown


def test_a_missing_key_and_a_broken_manifest_are_named_where_they_stand(tmp_path: Path) -> None:
    (tmp_path / "north.yaml").write_text("vendor: northwind\ntitle: N\nchargee: 3\n")
    entries = (
        '[[connections.main.enrichers]]\nuse = "apollo"\n'
        f'[[connections.main.enrichers]]\nuse = "rest"\nmanifest = "{tmp_path}/north.yaml"\n'
    )
    told = Configured(tmp_path).made(entries).json()
    assert told["apollo"]["problem"].startswith(
        "key: is missing (put it into ICP_SYNC_CONNECTIONS__MAIN__SECRETS__APOLLO__KEY"
    )
    assert f"{tmp_path}/north.yaml:3:1: unknown key 'chargee'" in told["northwind"]["problem"]
    assert "Input" not in told["northwind"]["problem"]


def test_every_shipped_vendor_fits_a_narrow_terminal_with_its_name_whole(place: Configured) -> None:
    from rich.console import Console

    console = Console(width=80, record=True, file=io.StringIO(), highlight=False, markup=False)
    show(Screen(console), collect(place.folder / "x.toml", None, optional=True) | {"vendors": unused()})
    lines = console.export_text().splitlines()
    for name in manifest.shipped():
        assert sum(line.split(" ")[0] == name for line in lines) == 1, name  # its line of the table
        assert sum(line.startswith(f"{name}: ") for line in lines) == 1, name  # and its facts


def unused() -> list[dict[str, Any]]:
    found = [{"name": one.use, "use": one.use, "configured": False, "problem": ""} for one in shipped()]
    for vendor in found:
        describe(vendor, {one.use: one for one in shipped()})
    return found


def test_one_that_cannot_be_used_is_named_and_hides_no_other(tmp_path: Path) -> None:
    broken = '[[connections.main.enrichers]]\nuse = "people_data_lab"\n'
    place = Configured(tmp_path).made(broken)
    assert (
        "people_data_lab: there is no enricher 'people_data_lab' (did you mean 'people_data_labs'?)"
        in " ".join(place.run().split())
    )
    told = place.json()
    assert (told["people_data_lab"]["healthy"], told["public_companies"]["problem"]) == (False, "")


def test_every_shipped_vendor_is_listed_with_what_leaves_and_where_it_is_documented(
    place: Configured,
) -> None:
    told = place.json()
    assert told.keys() >= {*BUILT_IN, *manifest.shipped()}
    for name in manifest.shipped():
        assert told[name]["source"].startswith("https://"), name
        assert told[name]["facts"], name
        assert set(told[name]["leaves"]) <= {"domain", "name", "country"}, name
        assert told[name]["configured"] is False
        assert told[name]["problem"] == "", name
    assert told["public_companies"]["configured"] is True
    shown = place.run("--all")
    assert "Shipped, not configured" in shown
    assert "people_data_labs" in shown
    assert "people_data_labs" not in place.run()


def test_a_configured_vendor_counts_once_and_keeps_what_it_ships_with(tmp_path: Path) -> None:
    entry = (
        f'[[connections.main.enrichers]]\nuse = "people_data_labs"\nname = "pdl"\nkey = "{KEY}"\nprice = 3\n'
    )
    place = Configured(tmp_path).made(entry)
    told = place.json()
    assert "people_data_labs" not in told
    assert (told["pdl"]["price"], told["pdl"]["configured"], told["pdl"]["leaves"]) == (3.0, True, ["domain"])


def test_without_any_settings_the_shipped_ones_can_be_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "people_data_labs" in command("vendors", "--all").output
    assert command("vendors").exit_code == 2
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "icp-sync.toml").write_text("[connections.main]\ntoken = 3\n")
    assert "connections.main.token" in command("vendors", "--all").output  # what is wrong is not passed over


def test_prices_of_what_ships_are_what_one_look_up_costs_at_most() -> None:
    prices = {one.use: one.price for one in shipped()}
    assert (prices["people_data_labs"], prices["public_companies"]) == (1.0, 0.0)
    assert min(prices.values()) >= 0.0
