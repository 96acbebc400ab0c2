"""Stamping from the settings to the org and back: made, stamped once, left alone, taken away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from icp_sync.simulator import Simulator
from icp_sync.simulator.salesforce.org import CONSUMER_KEY, CONSUMER_SECRET
from tests.cli.conftest import PROFILE, command
from tests.crm.salesforce.world import STAMPED


class Selling:
    """A connection in mode write to an org of a few accounts whose deals are stamped."""

    def __init__(self, folder: Path) -> None:
        self.crm = Simulator(crm="salesforce", accounts=6).start()
        self.config = folder / "icp-sync.toml"
        self.config.write_text(
            f"""
            journal = "sqlite:///{folder}/journal.sqlite"
            seal_file = "{folder}/seal.key"
            [connections.acme]
            crm = "salesforce"
            base_url = "{self.crm.url}"
            profiles = ["{PROFILE}"]
            [connections.acme.deals]
            stamp = true
            [connections.acme.salesforce]
            my_domain = "acme.my"
            consumer_key = "{CONSUMER_KEY}"
            consumer_secret = "{CONSUMER_SECRET}"
            vacant_owners = ["unassigned@sales.example"]
            """
        )
        self.run("provision", "--apply")
        self.run("profile", "activate")
        self.run("mode", "write")
        self.run("run", "--backfill")
        self.run("run", "--once")  # from here on deals are stamped

    def run(self, *arguments: str, code: int = 0) -> str:
        done = command(*arguments, "--config", str(self.config))
        assert done.exit_code == code, done.output
        return str(done.output)

    def account(self) -> tuple[str, str]:
        """One that was scored, and its tier."""
        org = self.crm.org
        numbers = sorted(org.accounts.store.live)
        found = {
            org.accounts.id_of(r): r.props.get("ICP_Tier__c", "")
            for r in map(org.accounts.store.records.get, numbers)
            if r
        }
        return next((id, tier) for id, tier in found.items() if tier)

    def sell(self, account: str, **more: str) -> str:
        self.crm.admin("POST clock", advance=30)  # stamps have whole seconds here
        given = {"Name": "Pilot", "StageName": "Prospecting", "CloseDate": "2026-12-31", **more}
        made = self.crm.admin("POST create", type="opportunities", account=account, properties=given)
        return str(made["id"])

    def stamp(self, deal: str) -> dict[str, str]:
        sobject = self.crm.org.objects["opportunity"]
        number = sobject.number(deal)
        assert number is not None
        held = sobject.store.records[number].props
        return {name: held.get(api, "") for name, api in STAMPED.items()}

    def writes(self, deal: str) -> list[Any]:
        """What was written on a deal over the API, in order."""
        log = self.crm.admin("GET writes", type="opportunities", id=deal)["results"]
        assert isinstance(log, list)
        return [(one["property"], one["value"]) for one in log if one["source"] == "API"]


@pytest.fixture(scope="module")
def selling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Selling]:
    made = Selling(tmp_path_factory.mktemp("selling"))
    yield made
    made.crm.stop()


def test_a_new_deal_is_stamped_once_with_the_tier_of_its_account_and_nothing_else(selling: Selling) -> None:
    account, tier = selling.account()
    deal = selling.sell(account)
    assert "stamped" in selling.run("run", "--once")
    found = selling.stamp(deal)
    assert (found["tier"], found["profile"]) == (tier, "listed-companies v1")
    assert 0 <= float(found["score"]) <= 100
    assert sorted(name for name, _ in selling.writes(deal)) == sorted(STAMPED.values())
    selling.run("run", "--once")
    assert len(selling.writes(deal)) == 3
    assert selling.crm.admin("GET tripwire")["results"] == []


def test_a_deal_somebody_has_filled_is_left_alone(selling: Selling) -> None:
    account, _ = selling.account()
    deal = selling.sell(account, **{STAMPED["tier"]: "D"})
    selling.run("run", "--once")
    assert selling.stamp(deal) == {"tier": "D", "score": "", "profile": ""}
    assert selling.writes(deal) == []


def test_a_connection_that_stamps_is_sound_and_in_mode_observe_leaves_deals_alone(selling: Selling) -> None:
    assert not [
        one
        for one in json.loads(selling.run("check", "--json"))["problems"]
        if "Opportunity" in one["where"] or "deal" in one["where"]
    ]
    selling.run("mode", "observe")
    account, _ = selling.account()
    deal = selling.sell(account)
    selling.run("run", "--once")
    assert not any(selling.stamp(deal).values())
    selling.run("mode", "write")


def test_taken_away_the_fields_are_gone_from_deals_too(selling: Selling) -> None:
    selling.run("mode", "observe")
    config = selling.config.read_text()
    selling.config.write_text(config.replace("stamp = true", "stamp = false"))  # what was made is remembered
    told = json.loads(selling.run("provision", "--remove", "--apply", "--json"))
    assert {f"Opportunity.{api}" for api in STAMPED.values()} <= set(told["removed"])
    assert not [name for name in selling.crm.org.objects["opportunity"].fields if name.startswith("icp_")]
