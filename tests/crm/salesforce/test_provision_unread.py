"""Provisioning an org that does not answer every question, or hides what it has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import responses

from icp_sync.crm.salesforce.provisioning import access
from icp_sync.crm.salesforce.provisioning.deploying import deploy
from icp_sync.crm.salesforce.provisioning.metadata import Choice, Component, custom_field, list_views
from icp_sync.crm.salesforce.provisioning.permission_sets import INTEGRATION, READERS, Grants, permission_set
from icp_sync.domain.standing import FIELDS
from icp_sync.ports import StepKind
from icp_sync.simulator import Simulator
from tests.crm.salesforce.parts import FLAGS, TIER, Parts, by_name, connect, define, kinds, only, refusing
from tests.crm.salesforce.world import OURS


@pytest.fixture
def bare() -> Iterator[Simulator]:
    with Simulator(crm="salesforce", accounts=3) as simulator:
        yield simulator


@pytest.fixture
def org(bare: Simulator) -> Parts:
    return connect(bare.url)


def offered(bare: Simulator, name: str) -> list[tuple[str, bool]]:
    """A picklist's values, whoever may see it."""
    field = bare.org.accounts.field(name)
    assert field is not None
    return [(choice.value, choice.active) for choice in field.choices]


@pytest.mark.parametrize(
    "question", ["FROM FieldPermissions", "FROM ObjectPermissions", "FROM PermissionSet "]
)
def test_a_permission_set_that_cannot_be_read_is_a_conflict_and_loses_nothing(
    bare: Simulator, org: Parts, question: str
) -> None:
    org.provision(only("tier"))
    held = access.held(org.client, INTEGRATION)
    assert held is not None
    more = Grants(
        fields={**held.grants.fields, "Account.Industry": True},
        objects={**held.grants.objects, "User": frozenset({"allowRead"})},
        user=held.grants.user | {"RunReports"},
    )
    assert deploy(org.client, [permission_set(INTEGRATION, more)], check_only=False) == []
    with refusing(bare, question):
        steps = by_name(org.provision(only("tier", "lane")))
    assert steps[f"permission set {INTEGRATION}"].kind is StepKind.CONFLICT
    assert "could not be read" in steps[f"permission set {INTEGRATION}"].detail
    after = access.held(org.client, INTEGRATION)
    assert after is not None
    assert after.grants == more


def test_list_views_that_cannot_be_read_stay_peoples(bare: Simulator, org: Parts) -> None:
    org.provision()
    view = list_views(OURS)[0]
    theirs = tuple(("label", "Ada's") if tag == "label" else (tag, inside) for tag, inside in view.body)
    named = Component(kind=view.kind, name=view.name, body=theirs)
    assert deploy(org.client, [named], check_only=False) == []
    with refusing(bare, "FROM ListView"):
        told = by_name(org.provision())[f"list view {view.name}"]
    assert (told.kind, told.done) == (StepKind.CONFLICT, False)
    (row,) = org.rows(f"SELECT Name FROM ListView WHERE DeveloperName = '{view.name}'")
    assert row["Name"] == "Ada's"


def test_record_types_that_cannot_be_read_are_a_conflict(bare: Simulator, org: Parts) -> None:
    bare.admin("POST record_types", name="Partner", picklists={})
    with refusing(bare, "FROM RecordType"):
        steps = by_name(org.provision(only("tier")))
    assert steps["record types of accounts"].kind is StepKind.CONFLICT
    assert steps[TIER].done
    told = by_name(org.provision(only("tier")))[TIER]
    assert told.detail.startswith("record type Partner: A, B")


def test_a_record_type_whose_setup_cannot_be_read_is_not_deployed_over(bare: Simulator, org: Parts) -> None:
    org.provision(only("flags", flags=("agency", "theirs")))
    bare.admin("POST record_types", name="Partner", picklists={FLAGS: ["theirs"]})
    bare.admin("POST faults", kind="403", match="GET tooling/sobjects/RecordType")
    steps = by_name(org.provision(only("flags", flags=("agency", "new"))))
    assert steps["record type Partner"].kind is StepKind.CONFLICT
    assert steps[FLAGS].done
    assert bare.org.record_types["Partner"].picklists[FLAGS.lower()] == {"theirs"}


def test_what_only_our_permission_set_shows_is_kept_until_we_have_it(bare: Simulator, org: Parts) -> None:
    org.provision(only("tier"))
    (given,) = org.rows("SELECT Id FROM PermissionSetAssignment")
    org.client.call("DELETE", f"sobjects/PermissionSetAssignment/{given['Id']}")
    with refusing(bare, "FROM FieldPermissions"):
        shown = by_name(org.provision(only("tier"), apply=False))
    assert {step.kind for what, step in shown.items() if "for integration" not in what} == {StepKind.KEEP}
    done = [step.what for step in org.provision(only("tier")) if step.done]
    assert done == [f"{INTEGRATION} for integration@simulator.example"]


# Fields that exist and nobody shows us


def test_a_picklist_nobody_sees_keeps_its_values_labels_and_name(bare: Simulator, org: Parts) -> None:
    theirs = (Choice(value="agency", label="Agencies"), Choice(value="theirs", label="Theirs"))
    made = custom_field(FIELDS["flags"], FLAGS, theirs, kept={"label": "Rating of ours"})
    assert deploy(org.client, [made], check_only=False) == []
    blueprint = only("flags", flags=("agency", "new"))
    told = by_name(org.provision(blueprint, apply=False))[FLAGS]
    assert (told.kind, "hidden" in told.detail) == (StepKind.KEEP, True)
    made_now = by_name(org.provision(blueprint))[FLAGS]
    assert (made_now.kind, made_now.detail, made_now.done) == (StepKind.ADD_OPTION, "new", True)
    assert org.values(FLAGS) == [
        ("agency", "Agencies", True),
        ("theirs", "Theirs", True),
        ("new", "new", True),
    ]
    field = org.field(FLAGS)
    assert field is not None
    assert field["label"] == "Rating of ours"
    assert kinds(org.provision(blueprint)) == {StepKind.KEEP}


@pytest.mark.parametrize("asked", [True, False])
def test_another_kind_of_field_nobody_sees_stays_what_it_is(bare: Simulator, org: Parts, asked: bool) -> None:
    name = OURS["reasons"]
    define(bare, name=name, label="Theirs", type="string", length=80)
    bare.admin("POST fields", object="Account", hide=[name])
    if not asked:
        bare.admin("POST faults", kind="403", match="GET tooling")
    for apply in (False, True):
        steps = by_name(org.provision(only("reasons", "lane"), apply=apply))
        assert steps[name].kind is StepKind.CONFLICT
    assert steps[OURS["lane"]].done
    field = bare.org.accounts.field(name)
    assert field is not None
    assert (field.type, field.length, field.label) == ("string", 80, "Theirs")


def test_a_hidden_field_nothing_is_told_of_is_a_conflict(bare: Simulator, org: Parts) -> None:
    made = custom_field(FIELDS["tier"], TIER, (Choice(value="A", label="Gold"),))
    assert deploy(org.client, [made], check_only=False) == []
    bare.admin("POST faults", kind="403", match="GET tooling/sobjects/CustomField")
    told = by_name(org.provision(only("tier", "lane")))[TIER]
    assert (told.kind, "administrator" in told.detail) == (StepKind.CONFLICT, True)
    assert offered(bare, TIER) == [("A", True)]


def test_one_field_that_cannot_be_granted_does_not_cost_the_others_theirs(
    bare: Simulator, org: Parts
) -> None:
    name = OURS["fit_score"]
    define(bare, name=name, label="Theirs", type="double", precision=6, scale=2, calculated=True)
    grants = Grants(fields={f"Account.{name}": False}, objects={"Account": frozenset({"allowRead"})})
    labelled = tuple(
        ("label", "Theirs") if tag == "label" else (tag, inside)
        for tag, inside in permission_set(READERS, grants).body
    )
    theirs = Component(kind="PermissionSet", name="Theirs", body=labelled)
    assert deploy(org.client, [theirs], check_only=False) == []
    bare.admin("POST fields", object="Account", hide=[name])
    steps = by_name(org.provision(only("tier", "fit_score")))
    assert steps[name].kind is StepKind.CONFLICT
    assert steps[f"permission set {INTEGRATION}"].done
    assert org.field(TIER) is not None


@contextmanager
def answering(bare: Simulator, *failures: dict[str, str]) -> Iterator[None]:
    """The first deployment fails so, the second succeeds."""
    root = f"{bare.url}/services/data/v66.0/metadata/deployRequest"
    refused = {"done": True, "status": "Failed", "details": {"componentFailures": list(failures)}}
    taken = {"done": True, "status": "Succeeded", "details": {}}
    with responses.RequestsMock() as server:
        server.add_passthru(bare.url)
        for id, result in (("0Af000000000001AAA", refused), ("0Af000000000002AAA", taken)):
            server.add("POST", root, json={"id": id}, status=201)
            server.add("GET", f"{root}/{id}", json={"deployResult": result})
        yield


def test_a_field_a_permission_set_cannot_grant_is_left_out_of_it(bare: Simulator, org: Parts) -> None:
    problem = f"Field Account.{OURS['lane']} is not editable"
    failure = {"componentType": "PermissionSet", "fullName": INTEGRATION, "problem": problem}
    with answering(bare, failure):
        steps = by_name(org.provision(only("tier", "lane"), apply=False))
    assert steps[OURS["lane"]].kind is StepKind.CONFLICT
    assert "not editable" in steps[OURS["lane"]].detail
    assert {steps[f"permission set {INTEGRATION}"].kind, steps[TIER].kind} == {StepKind.CREATE}


def test_a_field_the_org_spells_otherwise_is_blamed_all_the_same(bare: Simulator, org: Parts) -> None:
    define(bare, name=FLAGS.lower(), label="Theirs", type="multipicklist", values=["theirs"])
    failure = {"componentType": "CustomField", "fullName": f"Account.{FLAGS.lower()}", "problem": "is locked"}
    with answering(bare, failure):
        steps = by_name(org.provision(only("tier", "flags", flags=("agency",)), apply=False))
    assert (steps[FLAGS].kind, steps[FLAGS].detail) == (StepKind.CONFLICT, "is locked")
    assert steps[TIER].kind is StepKind.CREATE
