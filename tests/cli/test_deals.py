"""Deals on the command line: provisioned, checked, stamped by one round, and taken out again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from icp_sync.simulator import Simulator
from icp_sync.simulator.hubspot.portal import SCOPES
from tests.cli.conftest import Place

NAMES = [f"icp_{name}_at_creation" for name in ("tier", "score", "profile")]
STAMPING = """
            [connections.main.deals]
            stamp = true
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A connection that may write, whose deals are stamped, with nothing provisioned yet."""
    with Simulator(accounts=12, seed=4, index_lag=0.0) as crm:
        crm.admin("POST settings", property_lag=0)
        yield Place(tmp_path, crm).write(STAMPING)


def properties(place: Place, deal: str) -> dict[str, str]:
    reply = requests.get(
        f"{place.crm.url}/crm/v3/objects/deals/{deal}",
        params={"properties": ",".join(NAMES)},
        headers={"Authorization": f"Bearer {place.crm.token}"},
        timeout=10,
    )
    return {name: value for name, value in reply.json()["properties"].items() if name in NAMES}


def sell(place: Place) -> tuple[str, str]:
    """A new deal of a company that has a tier; the deal, and the tier."""
    company = next(c for c in _tiered(place))
    deal = str(place.crm.admin("POST create", type="deals", company=company["id"])["id"])
    place.crm.admin("POST clock", advance=5)
    return deal, company["icp_tier"]


def _tiered(place: Place) -> Iterator[dict[str, str]]:
    for tier in ("A", "B", "C", "D", "Needs data", "Not ICP"):
        yield from place.companies(icp_tier=tier)


def test_from_settings_to_a_stamp_and_out_again(place: Place) -> None:
    missing = json.dumps(place.json("check", code=2))
    assert all(f"property {name} of deals" in missing for name in NAMES)
    made = place.json("provision", "--apply")
    assert {f"deals.{name}" for name in NAMES} <= {step["what"] for step in made["steps"] if step["done"]}
    place.run("profile", "activate")
    place.run("mode", "write")
    place.run("run", "--backfill")
    assert place.json("run", "--once")["deals"]["stamps"] == {}
    place.crm.admin("POST clock", advance=5)
    deal, tier = sell(place)
    assert place.json("run", "--once")["deals"]["stamps"] == {"stamped": 1}
    stamped = properties(place, deal)
    assert stamped["icp_tier_at_creation"] == tier
    assert stamped["icp_profile_at_creation"] == "listed-companies v1"
    assert "deals: 1 read" in place.run("run", "--once").stdout
    written = place.crm.admin("GET writes", type="deals", id=deal, source="INTEGRATION")["results"]
    assert isinstance(written, list)
    assert sorted(one["property"] for one in written) == sorted(NAMES)
    assert place.json("status")["deals"] == {"stamped": 1}
    assert "stamps of deals: stamped 1" in place.run("status").stdout
    place.run("mode", "observe")
    gone = place.json("provision", "--remove", "--apply")["removed"]
    assert {f"deals.{name}" for name in NAMES} <= set(gone)
    assert properties(place, deal) == {}


def test_what_was_made_under_other_settings_is_taken_out_too(place: Place) -> None:
    place.run("provision", "--apply")
    place.write()
    gone = place.json("provision", "--remove", "--apply")["removed"]
    assert {f"deals.{name}" for name in NAMES} <= set(gone)


def test_a_dry_run_and_a_selection_leave_deals_alone(place: Place) -> None:
    place.run("provision", "--apply")
    place.run("profile", "activate")
    assert "deals" not in place.json("run", "--once", "--limit", "1")
    assert "deals" not in place.json("run", "--dry-run", "--limit", "1")


def test_check_names_the_scopes_that_are_missing(place: Place) -> None:
    place.run("provision", "--apply")
    scopes = sorted(SCOPES - {"crm.objects.deals.write"})
    place.crm.admin("POST tokens", token=place.crm.token, scopes=scopes)
    assert "crm.objects.deals.write" in place.run("check", code=2).output
    place.write()
    assert "crm.objects.deals" not in place.run("check").output


def test_deals_that_cannot_be_read_are_said_and_accounts_settled_all_the_same(place: Place) -> None:
    place.run("provision", "--apply")
    place.run("profile", "activate")
    scopes = sorted(SCOPES - {"crm.objects.deals.read"})
    place.crm.admin("POST tokens", token=place.crm.token, scopes=scopes)
    said = place.json("run", "--once")
    assert "crm.objects.deals.read" in said["deals"]["error"]
    assert "deals could not be followed" in place.run("run", "--once").stdout


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ('stamp = true\nnames = {stage = "x"}', "a deal has no stage of ours"),
        ('stamp = true\nnames = {tier = "Tier!"}', "lower-case letters"),
        ('stamp = true\nnames = {tier = "same", score = "same"}', "two fields would share one property"),
        ('every = "often"', "a duration is wanted"),
        ("stamp = 7", "deals.stamp"),
    ],
)
def test_settings_of_deals_that_cannot_be_are_named(place: Place, section: str, said: str) -> None:
    place.write(f"[connections.main.deals]\n{section}")
    assert said in " ".join(place.run("check", code=2).output.split())
