"""The three fields deals are stamped with: made, granted, checked and taken away beside the accounts' own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from icp_sync.crm.salesforce.client import Json
from icp_sync.crm.salesforce.provisioning import access, set_up
from icp_sync.crm.salesforce.provisioning.check import check
from icp_sync.crm.salesforce.provisioning.deploying import deploy
from icp_sync.crm.salesforce.provisioning.metadata import Choice, custom_field
from icp_sync.crm.salesforce.provisioning.packaging import sfdx
from icp_sync.crm.salesforce.provisioning.permission_sets import INTEGRATION, READERS
from icp_sync.crm.salesforce.provisioning.removing import remove
from icp_sync.crm.windows import Windows
from icp_sync.domain.stamp import STAMP
from icp_sync.domain.standing import STATES
from icp_sync.errors import Problem
from icp_sync.ports import Blueprint, Step, StepKind
from icp_sync.simulator import Simulator
from icp_sync.simulator.store import Source
from tests.crm.salesforce.parts import Parts, by_name, connect, kinds, only
from tests.crm.salesforce.world import STAMPED

PLAIN = only("tier", "seal")
STAMPING = replace(PLAIN, deal_fields=STAMPED)
TIER = STAMPED["tier"]
SHOWN = {name: f"Opportunity.{api}" for name, api in STAMPED.items()}


@pytest.fixture
def bare() -> Iterator[Simulator]:
    with Simulator(crm="salesforce", accounts=0) as simulator:
        yield simulator


@pytest.fixture
def org(bare: Simulator) -> Parts:
    return connect(bare.url, properties=PLAIN.fields)


def of_deals(org: Parts) -> dict[str, Json]:
    found = org.client.describe("Opportunity")["fields"]
    return {field["name"]: field for field in found if field["custom"]}


def define(bare: Simulator, **field: object) -> None:
    bare.admin("POST fields", object="Opportunity", define=field)


def problems(org: Parts, blueprint: Blueprint = STAMPING) -> list[Problem]:
    windows = Windows(overlap=120.0, lag=3600.0)
    return check(org.client, org.catalogue, org.roster, blueprint, windows)


def taken(org: Parts, blueprint: Blueprint = STAMPING, *, force: bool = False) -> list[Step]:
    return remove(org.client, org.catalogue, blueprint, apply=True, force=force)


def test_without_stamping_nothing_of_deals_is_made_granted_or_asked_for(org: Parts) -> None:
    steps = org.provision(PLAIN)
    assert not any("Opportunity" in step.what for step in steps)
    held = access.held(org.client, INTEGRATION)
    assert held is not None
    assert "allowEdit" not in held.grants.objects["Opportunity"]
    assert problems(org, PLAIN) == []


def test_a_dry_run_names_the_fields_with_their_object_and_changes_nothing(org: Parts) -> None:
    shown = by_name(org.provision(STAMPING, apply=False))
    assert [shown[what].kind for what in SHOWN.values()] == [StepKind.CREATE] * 3
    assert of_deals(org) == {}


def test_the_fields_are_made_with_the_types_we_need_and_doing_it_twice_changes_nothing(org: Parts) -> None:
    assert all(step.done for step in org.provision(STAMPING))
    made = of_deals(org)
    tier, score, profile = (made[STAMPED[name]] for name in ("tier", "score", "profile"))
    assert (tier["type"], tier["restrictedPicklist"], tier["label"]) == (
        "picklist",
        True,
        "ICP tier at creation",
    )
    assert [one["value"] for one in tier["picklistValues"]] == list(STATES)
    assert (score["type"], profile["type"], profile["length"]) == ("double", "string", 255)
    assert {field["updateable"] for field in made.values()} == {True}
    assert kinds(org.provision(STAMPING)) == {StepKind.KEEP}
    assert problems(org) == []


def test_people_may_read_a_stamp_and_nobody_but_us_may_edit_it(org: Parts) -> None:
    org.provision(STAMPING)
    readers, integration = access.held(org.client, READERS), access.held(org.client, INTEGRATION)
    assert readers is not None
    assert integration is not None
    assert {readers.grants.fields[what] for what in SHOWN.values()} == {False}
    assert {integration.grants.fields[what] for what in SHOWN.values()} == {True}
    assert "Opportunity" not in readers.grants.objects  # who sees which deals is not for us to say


def test_stamping_switched_on_later_adds_what_is_missing_and_nothing_else(org: Parts) -> None:
    org.provision(PLAIN)
    steps = [step for step in org.provision(STAMPING) if step.kind is not StepKind.KEEP]
    assert [step.what for step in steps if step.kind is StepKind.CREATE] == list(SHOWN.values())
    told = by_name(steps)[f"permission set {INTEGRATION}"]
    assert told.detail == ", ".join(
        ("allowEdit of Opportunity", *(f"edit {what}" for what in SHOWN.values()))
    )
    assert all(step.done for step in steps)
    assert kinds(org.provision(STAMPING)) == {StepKind.KEEP}


def test_a_field_of_another_type_is_a_conflict_and_the_rest_is_made(bare: Simulator, org: Parts) -> None:
    define(bare, name=TIER, label="Theirs", type="string", length=80)
    steps = by_name(org.provision(STAMPING))
    assert (steps[SHOWN["tier"]].kind, steps[SHOWN["tier"]].done) == (StepKind.CONFLICT, False)
    assert steps[SHOWN["score"]].done
    assert [(p.where, p.what) for p in problems(org) if TIER in p.where] == [
        (f"field {SHOWN['tier']}", "it exists with type string, we need picklist (Picklist)")
    ]


def test_values_others_have_added_stay(bare: Simulator, org: Parts) -> None:
    theirs = (Choice(value="A", label="Gold"), Choice(value="Partner", label="Partner"))
    made = custom_field(STAMP["tier"], TIER, theirs, sobject="Opportunity")
    assert deploy(org.client, [made], check_only=False) == []
    bare.admin("POST fields", object="Opportunity", show=[TIER])
    step = by_name(org.provision(STAMPING))[SHOWN["tier"]]
    assert (step.kind, step.detail, step.done) == (
        StepKind.ADD_OPTION,
        "B, C, D, Needs data, Not ICP",
        True,
    )
    values = of_deals(org)[TIER]["picklistValues"]
    assert [(one["value"], one["label"]) for one in values][:2] == [("A", "Gold"), ("Partner", "Partner")]


def test_a_record_type_of_deals_is_left_to_its_admin_and_named(bare: Simulator, org: Parts) -> None:
    given = {"Name": "Renewal", "DeveloperName": "Renewal", "SobjectType": "Opportunity", "IsActive": "true"}
    bare.org.objects["recordtype"].create(given, Source("UI"))
    step = by_name(org.provision(STAMPING))["record type Opportunity.Renewal"]
    assert (step.kind, step.done) == (StepKind.NOTE, False)
    assert "Needs data" in step.detail
    assert TIER in step.detail


# What check says


def test_missing_fields_and_rights_are_named_with_the_command_that_mends_them(org: Parts) -> None:
    org.provision(PLAIN)
    told = {p.where: p for p in problems(org)}
    assert told.keys() == {f"field {what}" for what in SHOWN.values()}
    assert all("icp-sync provision --apply" in p.hint for p in told.values())


def test_a_field_we_may_not_edit_and_one_people_may_are_told(bare: Simulator, org: Parts) -> None:
    org.provision(STAMPING)
    bare.admin("POST fields", object="Opportunity", lock=[STAMPED["score"]])
    (readers,) = org.rows(f"SELECT Id FROM PermissionSet WHERE Name = '{READERS}'")
    (grant,) = org.rows(
        f"SELECT Id FROM FieldPermissions WHERE ParentId = '{readers['Id']}' AND Field = '{SHOWN['tier']}'"
    )
    org.client.call("PATCH", f"sobjects/FieldPermissions/{grant['Id']}", json={"PermissionsEdit": True})
    (person,) = org.rows("SELECT Id FROM User WHERE Email = 'amara.okafor@sales.example'")
    given = {"AssigneeId": person["Id"], "PermissionSetId": readers["Id"]}
    org.client.call("POST", "sobjects/PermissionSetAssignment", json=given)
    told = {p.where: p.what for p in problems(org)}
    assert told[f"field {SHOWN['score']}"] == "the user may not edit it"
    assert told["permission set ICP Sync readers"] == f"lets 1 person edit {SHOWN['tier']}"


def test_an_org_that_hides_deals_from_us_says_so(bare: Simulator, org: Parts) -> None:
    org.provision(STAMPING)
    bare.admin("POST faults", kind="404", match="sobjects/Opportunity/describe")
    assert [(p.where, p.what) for p in problems(org)] == [
        ("object Opportunity", "the user may not read opportunities")
    ]


def test_where_deals_are_only_followed_the_right_to_read_them_is_all_that_is_asked_for(
    bare: Simulator, org: Parts
) -> None:
    org.provision(PLAIN)
    following = replace(PLAIN, follows_deals=True)
    assert problems(org, following) == []
    bare.admin("POST fields", object="Opportunity", hide=["StageName"])
    (told,) = problems(org, following)
    assert (told.where, told.what) == ("object Opportunity", "the user may not read StageName")
    assert problems(org, PLAIN) == []


# Taking them away


def test_taken_away_nothing_of_ours_is_left_on_deals(org: Parts) -> None:
    org.provision(STAMPING)
    steps = by_name(taken(org))
    assert all(steps[what].done for what in SHOWN.values())
    assert of_deals(org) == {}
    assert steps[f"permission set {INTEGRATION}"].done


def test_fields_made_under_earlier_settings_go_too_and_others_of_such_names_stay(
    bare: Simulator, org: Parts
) -> None:
    org.provision(STAMPING)
    define(bare, name="Theirs__c", label="Theirs", type="string", length=255)
    made = frozenset({*SHOWN.values(), "Opportunity.Theirs__c", "Opportunity.Never__c"})
    steps = by_name(taken(org, replace(PLAIN, deals_made=made)))
    assert all(steps[what].done for what in SHOWN.values())
    assert steps["Opportunity.Theirs__c"].kind is StepKind.CONFLICT
    assert of_deals(org).keys() == {"Theirs__c"}


def test_what_uses_a_field_of_deals_is_told_first_and_stops_everything(bare: Simulator, org: Parts) -> None:
    org.provision(STAMPING)
    bare.admin("POST depend", object="Opportunity", field=TIER, by="Flow", name="Win review")
    first, *rest = taken(org)
    assert (first.kind, first.what, first.detail) == (
        StepKind.DEPENDS,
        "Flow Win review",
        f"uses {SHOWN['tier']}",
    )
    assert not any(step.done for step in rest)
    forced = by_name(taken(org, force=True))
    assert forced[SHOWN["tier"]].kind is StepKind.CONFLICT
    assert forced[SHOWN["score"]].done
    assert set_up.custom(org.client, STAMPED.values(), "Opportunity").keys() == {TIER.lower()}


def test_a_field_of_our_name_that_is_somebody_elses_stays(bare: Simulator, org: Parts) -> None:
    values = list(STATES)
    define(bare, name=TIER, label="Tier", type="picklist", restricted=True, values=values)
    org.provision(STAMPING)
    steps = by_name(taken(org))
    assert steps[SHOWN["tier"]].kind is StepKind.CONFLICT
    assert "description" in steps[SHOWN["tier"]].detail
    assert steps[SHOWN["score"]].done


# As a project


def test_the_project_for_an_admin_has_the_fields_of_deals_only_where_they_are_stamped() -> None:
    folder = "force-app/main/default/objects/Opportunity"
    assert not any(path.startswith(folder) for path in sfdx(PLAIN))
    files = sfdx(STAMPING)
    assert {path for path in files if path.startswith(folder)} == {
        f"{folder}/fields/{api}.field-meta.xml" for api in STAMPED.values()
    }
    granted = files[f"force-app/main/default/permissionsets/{READERS}.permissionset-meta.xml"]
    assert SHOWN["tier"] in granted
