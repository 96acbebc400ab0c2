"""`icp-sync provision --sfdx` for an org that can be asked, and for one that cannot."""

from __future__ import annotations

import xml.etree.ElementTree as Tree
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from icp_sync.cli.app import build
from icp_sync.crm.salesforce.provisioning.deploying import deploy
from icp_sync.crm.salesforce.provisioning.metadata import Choice, Component, Element, custom_field
from icp_sync.crm.salesforce.views import making
from icp_sync.domain.standing import FIELDS, STATES
from icp_sync.domain.views import VIEWS
from icp_sync.ports import StepKind
from icp_sync.simulator import Simulator
from icp_sync.simulator.salesforce.org import SESSION
from tests.crm.salesforce.parts import TIER, connect
from tests.crm.salesforce.world import OURS, STANDARD

PROFILE = Path(__file__).parents[2] / "config" / "profiles" / "listed-companies.yaml"
SPACE = "{http://soap.sforce.com/2006/04/metadata}"


@pytest.fixture
def bare() -> Iterator[Simulator]:
    with Simulator(crm="salesforce", accounts=3) as simulator:
        yield simulator


def write(folder: Path, url: str, session: str = SESSION, *, views: bool = False) -> Result:
    """The command, into `folder`/project."""
    config = folder / "icp-sync.toml"
    config.write_text(
        f"""
        journal = "sqlite:///{folder}/journal.sqlite"
        seal_file = "{folder}/seal.key"
        [connections.main]
        crm = "salesforce"
        base_url = "{url}"
        profiles = ["{PROFILE}"]
        [connections.main.salesforce]
        my_domain = "simulator.my"
        session_id = "{session}"
        """
    )
    command = ["provision", "--sfdx", str(folder / "project"), "--config", str(config)]
    command += ["--views"] if views else []
    result = CliRunner().invoke(build(), command)
    assert result.exit_code == 0, result.output
    return result


def components(project: Path) -> list[Component]:
    """What an admin would deploy from there."""
    found = []
    for path in sorted(project.rglob("*-meta.xml")):
        root = Tree.fromstring(path.read_bytes())
        kind = root.tag.removeprefix(SPACE)
        body = tuple(_element(child) for child in root)
        name = path.name.split(".")[0]
        body = body if kind == "PermissionSet" else tuple(one for one in body if one[0] != "fullName")
        found.append(Component(kind=kind, name=name, body=body, sobject=_sobject(path)))
    return found


def _sobject(path: Path) -> str:
    """objects/Contact/fields/X__c.field-meta.xml"""
    return path.parts[-3] if path.parts[-4] == "objects" else "Account"


def _element(node: Tree.Element) -> Element:
    return node.tag.removeprefix(SPACE), tuple(map(_element, node)) if len(node) else node.text or ""


def test_an_org_that_can_be_asked_gets_its_record_types_and_keeps_its_values(
    bare: Simulator, tmp_path: Path
) -> None:
    org = connect(bare.url)
    bare.admin("POST record_types", name="Partner", picklists={"Industry": ["Banking"]})
    theirs = (Choice(value="A", label="Gold"), Choice(value="Prospect", label="Prospect"))
    made = custom_field(FIELDS["tier"], TIER, theirs, kept={"label": "Rating of ours"})
    assert deploy(org.client, [made], check_only=False) == []
    bare.admin("POST fields", object="Account", show=[TIER])
    bare.admin("POST record_types", name="Partner", picklists={"Industry": ["Banking"], TIER: ["A"]})
    told = write(tmp_path, bare.url)
    assert "was not asked" not in told.output
    assert deploy(org.client, components(tmp_path / "project"), check_only=False) == []
    assert [(value, label) for value, label, active in org.values(TIER) if active] == [
        ("A", "Gold"),
        ("Prospect", "Prospect"),
        *((state, state) for state in STATES[1:]),
    ]
    field = org.field(TIER)
    assert field is not None
    assert field["label"] == "Rating of ours"
    offered = bare.org.record_types["Partner"].picklists
    assert offered["industry"] == {"Banking"}
    assert offered[TIER.lower()] == set(STATES)
    left = [step for step in org.provision() if step.kind is not StepKind.KEEP]
    assert [step.what for step in left if step.what in OURS.values()] == [OURS["flags"]]  # other profiles'


def test_what_a_project_cannot_hold_is_told_for_an_admins_own_hands(bare: Simulator, tmp_path: Path) -> None:
    org = connect(bare.url)
    org.provision()
    (ours,) = org.rows("SELECT Id FROM PermissionSet WHERE Name = 'ICP_Sync_Integration'")
    where = f"ParentId = '{ours['Id']}' AND Field = 'Account.{OURS['lane']}'"
    (row,) = org.rows(f"SELECT Id FROM FieldPermissions WHERE {where}")
    org.client.call("PATCH", f"sobjects/FieldPermissions/{row['Id']}", json={"PermissionsEdit": False})
    told = write(tmp_path, bare.url)
    assert f"edit {OURS['lane']}" in told.output
    assert not any(one.kind == "PermissionSet" for one in components(tmp_path / "project"))


def test_an_org_that_has_it_all_gets_no_project(bare: Simulator, tmp_path: Path) -> None:
    write(tmp_path, bare.url)
    made = tmp_path / "project"
    org = connect(bare.url)
    assert deploy(org.client, components(made), check_only=False) == []
    (ours,) = org.rows("SELECT Id FROM PermissionSet WHERE Name = 'ICP_Sync_Integration'")
    user = org.client.userinfo()["user_id"]
    body = {"AssigneeId": user, "PermissionSetId": ours["Id"]}
    org.client.call("POST", "sobjects/PermissionSetAssignment", json=body)
    made.rename(tmp_path / "deployed")
    told = write(tmp_path, bare.url)
    assert "nothing was written" in told.output
    assert not made.exists()


def test_an_org_that_cannot_be_asked_is_said_to_be_unknown(tmp_path: Path) -> None:
    with Simulator(crm="salesforce", accounts=0) as simulator:
        told = write(tmp_path, simulator.url, session="00D000000000001!nobody")
    assert "The org was not asked" in told.output
    assert {one.kind for one in components(tmp_path / "project")} == {
        "CustomField",
        "ListView",
        "PermissionSet",
    }


# The views reps get


def test_a_project_brings_reps_views_too_where_asked(bare: Simulator, tmp_path: Path) -> None:
    told = write(tmp_path, bare.url, views=True)
    made = components(tmp_path / "project")
    assert {one.sobject for one in made if one.kind == "ListView"} == {"Account", "Contact"}
    assert "section ICP fit on the page layout Account Layout" in " ".join(told.output.split())
    org = connect(bare.url)
    assert deploy(org.client, made, check_only=False) == []
    org.provision()  # assigns the permission set
    looked = making.views(org.client, VIEWS, STANDARD, {}, apply=False, force=False)
    left = [one.step.what for one in looked.steps if one.step.kind not in (StepKind.KEEP, StepKind.NOTE)]
    assert left == ["section ICP fit on the page layout Account Layout"]


def test_an_org_with_our_fields_gets_what_reps_lack(bare: Simulator, tmp_path: Path) -> None:
    org = connect(bare.url)
    org.provision()
    told = write(tmp_path, bare.url, views=True)
    made = components(tmp_path / "project")
    assert {one.full_name for one in made if one.kind == "ListView"} == {
        "Account.ICP_Tier_Changed",
        "Account.ICP_Research",
        "Contact.ICP_Contacts_A",
        "Contact.ICP_Contacts_B",
    }
    assert "PermissionSet" not in {one.kind for one in made}
    assert f"read Contact.{OURS['tier']}" in " ".join(told.output.split())
