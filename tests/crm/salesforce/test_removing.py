"""Taking away what we made: all of it, nothing else, and not what something depends on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from icp_sync.crm.salesforce.provisioning.belongings import look
from icp_sync.crm.salesforce.provisioning.deploying import deploy
from icp_sync.crm.salesforce.provisioning.metadata import custom_field, list_views, wanted_choices
from icp_sync.crm.salesforce.provisioning.permission_sets import INTEGRATION, READERS
from icp_sync.crm.salesforce.provisioning.removing import remove
from icp_sync.domain.standing import FIELDS
from icp_sync.ports import Blueprint, Step, StepKind
from icp_sync.simulator import Simulator
from icp_sync.simulator.salesforce.org import Session
from tests.crm.contract import OWNED
from tests.crm.salesforce.parts import FLAGS, TIER, Parts, by_name, connect, define, kinds
from tests.crm.salesforce.world import OURS, STANDARD

LANE = OURS["lane"]


@pytest.fixture
def bare() -> Iterator[Simulator]:
    with Simulator(crm="salesforce", accounts=3) as simulator:
        yield simulator


@pytest.fixture
def org(bare: Simulator) -> Parts:
    parts = connect(bare.url)
    parts.provision()
    return parts


def taken(
    org: Parts, blueprint: Blueprint = STANDARD, *, apply: bool = True, force: bool = False
) -> list[Step]:
    return remove(org.client, org.catalogue, blueprint, apply=apply, force=force)


def dependent(bare: Simulator, **how: object) -> None:
    bare.admin("POST depend", **{"field": TIER, "by": "Flow", "name": "Route by tier", **how})


def left(org: Parts) -> set[str]:
    """What there is of ours, in whatever state."""
    return {one.what for one in look(org.client, STANDARD).found}


def test_everything_we_made_goes_views_first_then_fields_then_permission_sets(org: Parts) -> None:
    shown = taken(org, apply=False)
    assert [step.what for step in shown if step.kind is StepKind.REMOVE] == [
        *(f"list view {view.name}" for view in list_views(OURS)),
        *OURS.values(),
        f"permission set {READERS}",
        f"permission set {INTEGRATION}",
    ]
    assert len(left(org)) == len(shown) - 2
    done = taken(org)
    assert [replace(step, done=False) for step in done] == shown
    assert all(step.done for step in done if step.kind is StepKind.REMOVE)
    assert left(org) == set()
    assert taken(org) == []


def test_what_becomes_of_the_fields_and_their_values_is_said_beforehand(org: Parts) -> None:
    notes = {step.what: step.detail for step in taken(org, apply=False) if step.kind is StepKind.NOTE}
    assert "15 days" in notes["deleted fields"]
    assert "_del" in notes["deleted fields"]
    assert "Where is this used?" in notes["reports"]


def test_what_is_made_again_is_empty(bare: Simulator, org: Parts) -> None:
    (first, *_) = org.rows("SELECT Id FROM Account ORDER BY Id")
    bare.admin("POST edit", id=first["Id"], properties={TIER: "A"})
    taken(org)
    org.provision()
    assert [row[TIER] for row in org.rows(f"SELECT {TIER} FROM Account")] == [None] * 3


def test_people_who_have_the_permission_sets_are_counted_and_lose_them(bare: Simulator, org: Parts) -> None:
    (readers,) = org.rows(f"SELECT Id FROM PermissionSet WHERE Name = '{READERS}'")
    (person,) = org.rows(f"SELECT Id FROM User WHERE Email = '{OWNED}'")
    body = {"AssigneeId": person["Id"], "PermissionSetId": readers["Id"]}
    org.client.call("POST", "sobjects/PermissionSetAssignment", json=body)
    step = by_name(taken(org))[f"permission set {READERS}"]
    assert (step.detail, step.done) == ("1 person has it", True)


def test_a_permission_set_that_cannot_be_taken_from_people_stays_and_the_rest_is_gone(
    bare: Simulator, org: Parts
) -> None:
    bare.admin("POST faults", kind="403", match="DELETE .*PermissionSetAssignment")
    steps = by_name(taken(org))
    told = steps[f"permission set {INTEGRATION}"]
    assert (told.kind, told.done) == (StepKind.CONFLICT, False)
    assert "could not be taken from" in told.detail
    assert steps[TIER].done


# Somebody else's


def test_a_field_of_our_name_that_is_somebody_elses_stays(bare: Simulator) -> None:
    define(bare, name=TIER, label="ICP tier", type="picklist", values=["A", "B"])  # fits, and is not ours
    define(bare, name=LANE, label="Lane", type="string")
    org = connect(bare.url)
    org.provision()
    steps = by_name(taken(org))
    assert {steps[TIER].kind, steps[LANE].kind} == {StepKind.CONFLICT}
    assert "description" in steps[TIER].detail
    assert "string" in steps[LANE].detail
    assert org.client.describe("Account")
    assert {TIER, LANE} == left(org)


def test_fields_of_others_and_the_crms_own_are_never_named(bare: Simulator, org: Parts) -> None:
    define(bare, name="ICP_Theirs__c", label="Theirs", type="string")
    named = {step.what for step in taken(org)}
    assert named.isdisjoint({"ICP_Theirs__c", "OwnerId", "Industry"})
    assert org.field("ICP_Theirs__c") is not None


def test_a_list_view_people_have_changed_stays_and_so_does_the_field_it_filters_by(
    bare: Simulator, org: Parts
) -> None:
    bare.admin("POST clock", advance=300)
    (view,) = [view for view in list_views(OURS) if view.name == "ICP_Tier_A"]
    body = tuple(("label", "Ada's") if tag == "label" else (tag, text) for tag, text in view.body)
    assert deploy(org.client, [replace(view, body=body)], check_only=False) == []
    first, *_ = steps = taken(org)
    assert (first.kind, first.what, first.detail) == (StepKind.DEPENDS, "List View Ada's", f"uses {TIER}")
    assert by_name(steps)["list view ICP_Tier_A"].kind is StepKind.CONFLICT
    assert not any(step.done for step in steps)
    forced = by_name(taken(org, force=True))
    assert (forced[TIER].kind, forced[TIER].done) == (StepKind.CONFLICT, False)
    assert forced[LANE].done
    assert left(org) == {TIER, "list view ICP_Tier_A"}


def test_a_permission_set_that_is_called_otherwise_is_somebody_elses(bare: Simulator, org: Parts) -> None:
    (readers,) = org.rows(f"SELECT Id FROM PermissionSet WHERE Name = '{READERS}'")
    org.client.call("PATCH", f"sobjects/PermissionSet/{readers['Id']}", json={"Label": "Theirs"})
    assert by_name(taken(org))[f"permission set {READERS}"].kind is StepKind.CONFLICT
    assert left(org) == {f"permission set {READERS}"}


# What depends on it


def test_what_depends_on_a_field_is_told_first_and_stops_everything(bare: Simulator, org: Parts) -> None:
    dependent(bare)
    dependent(bare, field=FLAGS, by="Layout", name="Account Layout", refuses=False)
    for apply in (False, True):
        steps = taken(org, apply=apply)
        assert [(step.what, step.detail) for step in steps[:2]] == [
            ("Flow Route by tier", f"uses {TIER}"),
            ("Layout Account Layout", f"uses {FLAGS}"),
        ]
        assert kinds(steps[:2]) == {StepKind.DEPENDS}
        assert not any(step.done for step in steps)
    assert {TIER, FLAGS, f"permission set {INTEGRATION}"} <= left(org)


def test_a_report_nobody_told_of_is_found_by_trying(bare: Simulator, org: Parts) -> None:
    dependent(bare, by="Report", name="Tiers")
    first, *_ = steps = taken(org)
    assert (first.kind, first.what) == (StepKind.DEPENDS, "Report Tiers")
    assert not any(step.done for step in steps)


def test_forced_what_salesforce_will_not_let_go_stays_and_the_rest_goes(bare: Simulator, org: Parts) -> None:
    dependent(bare)
    dependent(bare, field=FLAGS, by="Layout", name="Account Layout", refuses=False)
    steps = by_name(taken(org, force=True))
    assert (steps[TIER].kind, steps[TIER].done) == (StepKind.CONFLICT, False)
    assert "Flow - Route by tier" in steps[TIER].detail
    assert steps[FLAGS].done
    assert left(org) == {TIER}
    bare.admin("POST depend", clear=True)
    assert by_name(taken(org))[TIER].done
    assert left(org) == set()


def test_an_org_without_the_dependency_api_is_tried_and_says_what_is_not_known(
    bare: Simulator, org: Parts
) -> None:
    bare.admin("POST settings", dependency_api=False)
    dependent(bare)
    steps = taken(org, apply=False)
    assert (steps[0].kind, steps[0].what) == (StepKind.DEPENDS, "Flow Route by tier")
    notes = {step.what for step in steps if step.kind is StepKind.NOTE}
    assert "what uses our fields could not be asked" in notes


def test_what_comes_to_depend_on_a_field_while_we_work_keeps_it_and_is_told(
    bare: Simulator, org: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = org.client.deploy

    def late(archive: bytes, options: dict[str, object]) -> dict[str, object]:
        begun = send(archive, options)
        if options["checkOnly"] and not bare.org.dependents:
            assert org.client.deploy_status(str(begun["id"]))["deployResult"]
            org.client.deploy_status(str(begun["id"]))
            dependent(bare)
        return begun

    monkeypatch.setattr(org.client, "deploy", late)
    steps = by_name(taken(org))
    assert steps["Flow Route by tier"].kind is StepKind.DEPENDS
    assert not steps[TIER].done
    assert TIER in left(org)


# Rights


def test_without_the_right_to_change_metadata_the_steps_are_for_somebody_else(
    bare: Simulator, org: Parts
) -> None:
    user = next(user for user in bare.org.users.values() if user.email == OWNED)
    bare.org.sessions["somebody"] = Session(user=user)
    steps = taken(connect(bare.url, session="somebody"))
    assert not any(step.done for step in steps)
    assert steps[-1].kind is StepKind.CONFLICT
    assert {TIER, f"permission set {READERS}"} <= left(org)


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        ("GET tooling/sobjects/CustomField", TIER),
        ("GET tooling/query", "fields"),
    ],
)
def test_while_something_cannot_be_looked_at_nothing_is_taken_for_ours_and_nothing_goes(
    bare: Simulator, org: Parts, refused: str, told: str
) -> None:
    before = left(org)
    bare.admin("POST faults", kind="403", match=refused)
    steps = taken(org, force=True)
    assert by_name(steps)[told].kind is StepKind.CONFLICT
    assert "could not be read" in by_name(steps)[told].detail
    assert not any(step.done for step in steps)
    bare.admin("DELETE faults")
    assert left(org) == before
    assert by_name(taken(org))[TIER].done


def test_a_field_made_from_our_project_by_an_administrator_is_ours(bare: Simulator) -> None:
    org = connect(bare.url)
    made = custom_field(FIELDS["tier"], TIER, wanted_choices(FIELDS["tier"], STANDARD))
    assert deploy(org.client, [made], check_only=False) == []
    assert by_name(taken(org))[TIER].done
