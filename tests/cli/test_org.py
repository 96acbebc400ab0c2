"""The command line on a Salesforce org: check, provision, plan and mode say what is so there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from icp_sync.simulator import Simulator
from icp_sync.simulator.salesforce.org import CONSUMER_KEY, CONSUMER_SECRET
from tests.cli.conftest import command

PROFILE = Path(__file__).parents[2] / "config" / "profiles" / "listed-companies.yaml"
NOBODY = "unassigned@sales.example"


class Org:
    """A simulated org and the settings of a connection to it."""

    def __init__(self, folder: Path) -> None:
        self.crm = Simulator(crm="salesforce", accounts=30).start()
        self.folder = folder
        self.configure()

    def configure(self, *, org: str = f'vacant_owners = ["{NOBODY}"]', further: str = "") -> None:
        self.config = self.folder / "icp-sync.toml"
        self.config.write_text(
            f"""
journal = "sqlite:///{self.folder}/journal.sqlite"
seal_file = "{self.folder}/seal.key"
[connections.acme]
crm = "salesforce"
base_url = "{self.crm.url}"
profiles = ["{PROFILE}"]
{further}
[connections.acme.salesforce]
my_domain = "acme.my"
consumer_key = "{CONSUMER_KEY}"
consumer_secret = "{CONSUMER_SECRET}"
{org}
[connections.acme.outputs]
owner = true
"""
        )

    def run(self, *arguments: str) -> Result:
        return command(*arguments, "--config", str(self.config))

    def findings(self) -> dict[str, tuple[str, str]]:
        """Where → severity and what, of `check`."""
        found = json.loads(self.run("check", "--json").stdout)["problems"]
        return {one["where"]: (one["severity"], one["what"]) for one in found}


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Org]:
    made = Org(tmp_path)
    yield made
    made.crm.stop()


@pytest.fixture
def ready(org: Org) -> Org:
    for arguments in (("provision", "--apply"), ("profile", "activate")):
        done = org.run(*arguments)
        assert done.exit_code == 0, done.output
    return org


def test_an_org_provisioned_is_sound_and_scored(ready: Org) -> None:
    checked = ready.run("check")
    assert checked.exit_code == 0, checked.output
    assert "0 errors" in checked.output
    planned = ready.run("plan")
    assert planned.exit_code == 0, planned.output
    assert "searches" not in planned.output
    assert ready.run("mode", "write").exit_code == 0
    done = ready.run("run", "--backfill")
    assert "30 companies evaluated" in done.output
    assert CONSUMER_SECRET not in checked.output + planned.output + done.output


def test_what_hidden_fields_leave_without_a_source_is_said(ready: Org) -> None:
    ready.crm.admin("POST fields", object="Account", hide=["NumberOfEmployees"])
    said = ready.run("check", "--json").stdout
    found = [one for one in json.loads(said)["problems"] if "nothing feeds 'employees'" in one["what"]]
    assert [one["severity"] for one in found] == ["warning"]


def test_a_stated_field_that_is_not_there_is_an_error(ready: Org) -> None:
    entry = 'facts = [{property = "Headcount__c", fact = "employees"}]'
    ready.configure(further=entry)
    assert ready.findings()["Headcount__c → employees"][0] == "error"
    assert ready.run("check").exit_code == 2


def test_who_stands_for_nobody_is_asked_for_and_must_exist(ready: Org) -> None:
    ready.configure(org="")
    assert ready.findings()["vacant_owners"][0] == "warning"
    ready.configure(org='vacant_owners = ["nobody@sales.example"]')
    severity, what = ready.findings()["vacant_owners"]
    assert (severity, "nobody@sales.example" in what) == ("error", True)


def test_bulk_writes_are_warned_about_and_no_error(ready: Org) -> None:
    ready.configure(org=f'vacant_owners = ["{NOBODY}"]\nbulk_writes = true')
    severity, what = ready.findings()["bulk_writes"]
    assert (severity, "assignment rules" in what) == ("warning", True)
    assert ready.run("check").exit_code == 0


def test_counts_of_opportunities_are_fields_like_others_to_facts(ready: Org) -> None:
    checked = ready.run("facts", "check")
    assert checked.exit_code == 0, checked.output
    assert "Opportunities" not in checked.output
    assert "open_deals" not in checked.output


def test_mode_route_without_the_crm_s_own_owner_says_that_it_only_suggests(ready: Org) -> None:
    text = ready.config.read_text().replace("owner = true", "owner = false")
    ready.config.write_text(text)
    said = ready.run("mode", "route").output
    assert "only suggested" in said


def test_a_project_for_an_admin_is_written_and_no_portal_has_one(org: Org, tmp_path: Path) -> None:
    done = org.run("provision", "--sfdx", str(tmp_path / "project"))
    assert done.exit_code == 0, done.output
    written = {path.name for path in (tmp_path / "project").rglob("*") if path.is_file()}
    assert {"sfdx-project.json", "ICP_Tier__c.field-meta.xml"} <= written
    again = org.run("provision", "--sfdx", str(tmp_path / "project"))
    assert again.exit_code == 2
    both = org.run("provision", "--sfdx", str(tmp_path / "other"), "--apply")
    assert both.exit_code == 2
