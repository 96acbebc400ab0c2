"""`provision --views` on a Salesforce org: every list view holds its accounts, and all of it goes again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from icp_sync.cli.app import build
from icp_sync.domain.views import VIEWS
from icp_sync.journal import Journal
from icp_sync.simulator import Simulator
from icp_sync.simulator.salesforce.org import SESSION

PROFILE = Path(__file__).parents[2] / "config" / "profiles" / "listed-companies.yaml"
DEMO = 1_837
TIERS = ("A", "B", "C", "D", "Needs data", "Not ICP", "")


class Place:
    """A folder with settings for one simulated org."""

    def __init__(self, folder: Path, crm: Simulator) -> None:
        self.folder, self.crm = folder, crm
        self.config = folder / "icp-sync.toml"
        self.config.write_text(
            f"""
            journal = "sqlite:///{folder}/journal.sqlite"
            seal_file = "{folder}/seal.key"
            [connections.main]
            crm = "salesforce"
            base_url = "{crm.url}"
            profiles = ["{PROFILE}"]
            [connections.main.salesforce]
            my_domain = "simulator.my"
            session_id = "{SESSION}"
            """
        )

    def run(self, *words: str, code: int = 0) -> Any:
        """What a command answers, as JSON."""
        result = CliRunner().invoke(build(), [*words, "--json", "--config", str(self.config)])
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    def get(self, path: str, **query: str) -> Any:
        headers = {"Authorization": f"Bearer {self.crm.token}"}
        url = f"{self.crm.url}/services/data/v66.0/{path}"
        reply = requests.get(url, headers=headers, params=query, timeout=20)
        assert reply.ok, reply.text
        return reply.json()

    def shown(self, sobject: str, id: str) -> set[str]:
        """The ids of the records a list view shows."""
        found: set[str] = set()
        done = False
        while not done:
            query = {"limit": "2000", "offset": str(len(found))}
            page = self.get(f"sobjects/{sobject}/listviews/{id}/results", **query)
            cells = [cell for row in page["records"] for cell in row["columns"]]
            found |= {cell["value"] for cell in cells if cell["fieldNameOrPath"] == "Id"}
            done = page["done"]
        return found

    def rows(self, soql: str) -> list[dict[str, Any]]:
        page = self.get("query", q=soql)
        rows = list(page["records"])
        while not page["done"]:
            page = self.get(page["nextRecordsUrl"].partition("/v66.0/")[2])
            rows += page["records"]
        return rows


@contextmanager
def provisioned(folder: Path, accounts: int) -> Iterator[Place]:
    with Simulator(crm="salesforce", accounts=accounts, seed=1, contacts=True) as crm:
        place = Place(folder, crm)
        place.run("provision", "--apply")
        yield place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with provisioned(tmp_path, 5) as place:
        yield place


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Place]:
    with provisioned(tmp_path, DEMO) as place:
        yield place


def test_as_many_accounts_as_the_demo_has_are_listed_one_by_one_with_their_people(large: Place) -> None:
    told = large.run("provision", "--views", "--apply")
    assert (told["left"], told["conflicts"]) == (0, 0)
    journal = Journal.open(f"sqlite:///{large.folder}/journal.sqlite", "main")
    known = {key: view.id for key, view in journal.views().items()}
    journal.close()
    assert known.keys() == {view.key for view in VIEWS}
    store = large.crm.org.accounts.store
    for at, number in enumerate(sorted(store.live)):
        tier = TIERS[at * 7919 % 13 % 7]
        lane = "research" if at % 5 == 0 else "sales"
        record = store.records[number]
        record.props = {**record.props, "ICP_Tier__c": tier, "ICP_Lane__c": lane}
    held = large.rows("SELECT Id, ICP_Tier__c, ICP_Lane__c FROM Account")
    people = large.rows("SELECT Id, ICP_Tier__c, Account.ICP_Tier__c FROM Contact")
    assert len(held) == DEMO
    assert all(one["ICP_Tier__c"] == one["Account"]["ICP_Tier__c"] for one in people)
    for view in VIEWS:
        if view.values:
            name = "ICP_Lane__c" if view.field == "lane" else "ICP_Tier__c"
            of, sobject = (held, "Account") if view.of == "accounts" else (people, "Contact")
            wanted = {one["Id"] for one in of if one[name] in view.values}
            assert large.shown(sobject, known[view.key]) == wanted != set(), view.key


def test_views_are_looked_at_made_once_and_go_with_the_fields(place: Place) -> None:
    looked = place.run("provision", "--views")
    assert (looked["applied"], looked["changed"]) == (False, 0)
    assert looked["left"] > 0
    assert looked["by_hand"]
    assert place.run("provision", "--views", "--apply")["changed"] == looked["left"]
    assert place.run("provision", "--views", "--apply")["changed"] == 0
    shown = place.run("provision", "--remove")
    assert (shown["depends"], shown["conflict"]) == ([], [])
    what = shown["left"]
    assert what[0] == "section ICP fit on the page layout Account Layout"
    assert what.index("Contact.ICP_Tier__c") < what.index("ICP_Tier__c")
    assert len(what) == len(set(what))
    assert place.run("provision", "--remove", "--apply")["removed"] == what
    assert place.rows("SELECT Id FROM ListView") == []
    for sobject in ("Account", "Contact"):
        assert not [one for one in place.get(f"sobjects/{sobject}/describe")["fields"] if one["custom"]]


def test_without_the_right_what_is_there_is_not_denied_nor_asked_for_by_hand(place: Place) -> None:
    place.run("provision", "--views", "--apply")
    place.crm.admin("POST settings", metadata_right=False)
    told = place.run("provision", "--views")
    kinds = {one["what"]: one["step"] for one in told["views"]}
    assert {kinds[f"list view ICP_Contacts_{tier}"] for tier in "AB"} == {"keep"}
    assert {kinds["Contact.ICP_Tier__c"], kinds["page layouts"]} == {"keep"}
    assert not [said for said in told["by_hand"] if "by hand" in said or "name it so" in said]
    before = place.rows("SELECT Id FROM ListView")
    for words in (("--views",), ()):
        refused = CliRunner().invoke(
            build(), ["provision", *words, "--remove", "--apply", "--config", str(place.config)]
        )
        assert refused.exit_code == 2
        assert "ModifyMetadata" in refused.stderr
        assert "--force" not in refused.stderr
    assert place.rows("SELECT Id FROM ListView") == before


def test_views_come_after_the_fields_they_filter_by(tmp_path: Path) -> None:
    with Simulator(crm="salesforce", accounts=1, contacts=True) as crm:
        place = Place(tmp_path, crm)
        for words in ((), ("--apply",)):
            command = ["provision", "--views", *words, "--config", str(place.config)]
            refused = CliRunner().invoke(build(), command)
            assert refused.exit_code == 2
            assert "next: icp-sync provision --apply" in refused.stderr


def test_nothing_goes_while_something_uses_a_field_of_contacts(place: Place) -> None:
    place.run("provision", "--views", "--apply")
    before = place.rows("SELECT Id FROM ListView")
    place.crm.admin("POST depend", object="Contact", field="ICP_Tier__c", by="Flow", name="Greet")
    for words in (("--views",), ()):
        refused = CliRunner().invoke(
            build(), ["provision", *words, "--remove", "--apply", "--config", str(place.config)]
        )
        assert (refused.exit_code, "Flow Greet: uses Contact.ICP_Tier__c" in refused.stderr) == (3, True)
    assert place.rows("SELECT Id FROM ListView") == before


def test_without_views_the_fields_keep_their_list_views_and_check_misses_nothing(place: Place) -> None:
    place.run("provision", "--views", "--apply")
    place.run("provision", "--views", "--remove", "--apply")
    assert len(place.rows("SELECT Id FROM ListView")) == 6
    assert place.run("provision", "--apply")["changed"] == 0
    assert "views" not in {one["area"] for one in place.run("check")["problems"]}


def test_check_misses_a_section_and_a_field_of_contacts(place: Place) -> None:
    place.run("provision", "--views", "--apply")
    [layout] = place.crm.org.layouts
    section = f"section ICP fit on the page layout {layout.name}"
    layout.metadata["layoutSections"] = [
        one for one in layout.metadata["layoutSections"] if one["label"] != "ICP fit"
    ]
    told = {one["where"]: one for one in place.run("check")["problems"] if one["area"] == "views"}
    assert told[section]["next"] == "icp-sync provision --views --apply"


def test_a_tiers_list_view_people_renamed_is_not_made_twice(place: Place) -> None:
    place.run("provision", "--views", "--apply")
    views = place.crm.org.objects["listview"].store.records.values()
    [record] = [one for one in views if one.props["DeveloperName"] == "ICP_Tier_A"]
    record.props = {**record.props, "DeveloperName": "Best_ones"}
    assert place.run("provision", "--apply")["changed"] == 0
