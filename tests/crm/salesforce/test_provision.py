"""Provisioning an org that has things of its own, rights of its own, and no wish to be surprised."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import responses

from icp_sync.crm.salesforce.provisioning import access
from icp_sync.crm.salesforce.provisioning.deploying import deploy
from icp_sync.crm.salesforce.provisioning.metadata import Choice, custom_field, list_views
from icp_sync.crm.salesforce.provisioning.permission_sets import INTEGRATION, READERS, Grants, permission_set
from icp_sync.domain.standing import FIELDS, STATES
from icp_sync.errors import AuthError, ConfigError
from icp_sync.ports import Blueprint, StepKind
from icp_sync.simulator import Simulator
from icp_sync.simulator.salesforce.org import Session
from tests.crm.contract import OWNED
from tests.crm.salesforce.parts import FLAGS, TIER, Parts, by_name, connect, define, kinds, only
from tests.crm.salesforce.world import OURS


@pytest.fixture
def bare() -> Iterator[Simulator]:
    with Simulator(crm="salesforce", accounts=3) as simulator:
        yield simulator


@pytest.fixture
def org(bare: Simulator) -> Parts:
    return connect(bare.url)


def test_a_dry_run_shows_the_steps_and_changes_nothing(bare: Simulator, org: Parts) -> None:
    shown = org.provision(apply=False)
    assert kinds(shown) == {StepKind.CREATE}
    assert org.provision(apply=False) == shown
    assert org.rows("SELECT Id FROM PermissionSet WHERE Name LIKE 'ICP%'") == []
    made = org.provision()
    assert [(step.kind, step.what, step.detail) for step in made] == [
        (step.kind, step.what, step.detail) for step in shown
    ]
    assert all(step.done for step in made)
    assert {(step.kind, step.done) for step in org.provision()} == {(StepKind.KEEP, False)}


def test_there_is_a_step_for_every_field_permission_set_and_list_view_and_one_to_see_them(
    org: Parts,
) -> None:
    steps = [step.what for step in org.provision(apply=False)]
    assert steps == [
        *OURS.values(),
        f"permission set {INTEGRATION}",
        f"permission set {READERS}",
        f"{INTEGRATION} for integration@simulator.example",
        *(f"list view {view.name}" for view in list_views(OURS)),
    ]


def test_made_fields_are_of_the_types_we_need_and_ours_to_write(org: Parts) -> None:
    org.provision()
    found = {name: org.field(name) for name in OURS.values()}
    theirs = {OURS[field] for field in OURS if FIELDS[field].theirs}
    assert all(field is not None for field in found.values())
    assert {name for name, field in found.items() if field and not field["updateable"]} == theirs
    tier, score = found[TIER], found[OURS["fit_score"]]
    assert tier is not None
    assert tier["restrictedPicklist"] is True
    assert org.values(TIER) == [(state, state, True) for state in STATES]
    assert score is not None
    assert (score["type"], score["precision"], score["scale"]) == ("double", 6, 2)


def test_people_get_a_permission_set_that_only_reads_but_for_their_override_and_hides_the_seal(
    org: Parts,
) -> None:
    org.provision()
    (readers,) = org.rows(f"SELECT Id FROM PermissionSet WHERE Name = '{READERS}'")
    rows = org.rows(f"SELECT Field, PermissionsEdit FROM FieldPermissions WHERE ParentId = '{readers['Id']}'")
    assert {row["Field"] for row in rows if row["PermissionsEdit"]} == {
        f"Account.{OURS[field]}" for field in ("tier_override", "tier_override_reason", "tier_override_until")
    }
    assert {row["Field"] for row in rows} == {
        f"Account.{name}" for field, name in OURS.items() if field != "seal"
    }


# What the org has already


def test_a_field_of_another_type_is_a_conflict_and_the_rest_is_made(bare: Simulator, org: Parts) -> None:
    define(bare, name=TIER, label="Theirs", type="string", length=80)
    steps = by_name(org.provision())
    assert steps[TIER].kind is StepKind.CONFLICT
    assert "string" in steps[TIER].detail
    assert not steps[TIER].done
    assert steps[FLAGS].done
    assert not any(what.startswith("list view") for what in steps)  # they would show what is not there
    found = org.field(TIER)
    assert found is not None
    assert found["type"] == "string"
    again = org.provision()
    assert kinds(again) == {StepKind.KEEP, StepKind.CONFLICT}


@pytest.mark.parametrize(
    ("field", "theirs", "told"),
    [
        ("profile", {"type": "string", "length": 80}, "80 characters, we need 255"),
        ("reasons", {"type": "textarea", "length": 255}, "255 characters, we need 4000"),
        ("fit_score", {"type": "double", "precision": 4, "scale": 2}, "2 digits before the point"),
        ("routed_owner", {"type": "reference", "reference_to": "Contact"}, "does not refer to users"),
        ("fit_score", {"type": "double", "precision": 6, "calculated": True}, "is calculated"),
        ("fit_score", {"type": "double", "precision": 6, "nillable": False}, "may not be blank"),
        ("profile", {"type": "string", "length": 255, "unique": True}, "every value only once"),
    ],
)
def test_a_field_too_small_for_our_values_is_a_conflict(
    bare: Simulator, org: Parts, field: str, theirs: dict[str, object], told: str
) -> None:
    define(bare, name=OURS[field], label="Theirs", **theirs)
    step = by_name(org.provision(only(field), apply=False))[OURS[field]]
    assert step.kind is StepKind.CONFLICT
    assert told in step.detail


def test_values_others_have_added_stay_with_their_order_labels_and_rest(bare: Simulator, org: Parts) -> None:
    theirs = (
        Choice(value="A", label="Gold"),
        Choice(value="own", label="Ours"),
        Choice(value="old", label="Old", active=False),
        Choice(value="B", label="Silver", active=False),
    )
    made = custom_field(FIELDS["tier"], TIER, theirs, kept={"label": "Rating of ours"})
    assert deploy(org.client, [made], check_only=False) == []
    bare.admin("POST fields", object="Account", show=[TIER])
    (step,) = [step for step in org.provision(only("tier")) if step.what == TIER]
    assert (step.kind, step.detail, step.done) == (
        StepKind.ADD_OPTION,
        "B, C, D, Needs data, Not ICP",
        True,
    )
    assert org.values(TIER) == [
        ("A", "Gold", True),
        ("own", "Ours", True),
        ("old", "Old", False),
        ("B", "Silver", True),
        *((value, value, True) for value in ("C", "D", "Needs data", "Not ICP")),
    ]
    field = org.field(TIER)
    assert field is not None
    assert field["label"] == "Rating of ours"


def test_a_picklist_that_takes_any_value_goes_on_taking_any(bare: Simulator, org: Parts) -> None:
    define(bare, name=TIER, label="Theirs", type="picklist", restricted=False, values=["A", "theirs"])
    org.provision(only("tier"))
    field = org.field(TIER)
    assert field is not None
    assert field["restrictedPicklist"] is False
    assert "theirs" in [value for value, _, _ in org.values(TIER)]


def test_a_flag_that_is_new_is_the_only_thing_that_changes(org: Parts) -> None:
    org.provision(only("tier", "flags", flags=("agency", "b2c")))
    steps = org.provision(only("tier", "flags", flags=("agency", "Under $1M & <small>")))
    changed = [step for step in steps if step.kind is not StepKind.KEEP]
    assert [(step.kind, step.detail) for step in changed] == [(StepKind.ADD_OPTION, "Under $1M & <small>")]
    assert [value for value, _, _ in org.values(FLAGS)] == ["agency", "b2c", "Under $1M & <small>"]


def test_a_name_or_a_value_salesforce_cannot_hold_is_a_conflict_before_anything_is_sent(org: Parts) -> None:
    odd = Blueprint(
        group="icp",
        group_label="ICP",
        fields={"tier": "icp_tier", "flags": FLAGS, "lane": OURS["lane"]},
        options={"flags": (("a;b", "a;b"),)},
    )
    steps = by_name(org.provision(odd))
    assert "__c at the end" in steps["icp_tier"].detail
    assert "semicolon" in steps[FLAGS].detail
    assert steps[OURS["lane"]].done


def test_list_views_people_have_changed_stay_theirs(org: Parts) -> None:
    org.provision()
    (view,) = [view for view in list_views(OURS) if view.name == "ICP_Tier_A"]
    mine = type(view)(
        kind=view.kind,
        name=view.name,
        body=tuple(("label", "Ada's") if tag == "label" else (tag, content) for tag, content in view.body),
    )
    assert deploy(org.client, [mine], check_only=False) == []
    assert kinds(org.provision()) == {StepKind.KEEP}
    (row,) = org.rows("SELECT Name FROM ListView WHERE DeveloperName = 'ICP_Tier_A'")
    assert row["Name"] == "Ada's"


def test_what_an_administrator_added_to_our_permission_set_stays_in_it(bare: Simulator, org: Parts) -> None:
    org.provision(only("tier"))
    bare.admin("POST record_types", name="Partner", picklists={})
    held = access.held(org.client, INTEGRATION)
    assert held is not None
    more = Grants(
        fields={**held.grants.fields, "Account.Industry": False},
        objects={**held.grants.objects, "User": frozenset({"allowRead"})},
        user=held.grants.user | {"RunReports"},
    )
    seen = ("recordTypeVisibilities", (("recordType", "Account.Partner"), ("visible", "true")))
    wider = permission_set(INTEGRATION, more)
    at = [tag for tag, _ in wider.body].index("userPermissions")
    wider = replace(wider, body=(*wider.body[:at], seen, *wider.body[at:]))
    assert deploy(org.client, [wider], check_only=False) == []
    step = by_name(org.provision(only("tier", "lane")))[f"permission set {INTEGRATION}"]
    assert (step.kind, step.detail, step.done) == (StepKind.ADD_OPTION, f"edit {OURS['lane']}", True)
    after = access.held(org.client, INTEGRATION)
    assert after is not None
    assert after.grants == replace(more, fields={**more.fields, f"Account.{OURS['lane']}": True})
    (row,) = (
        row
        for row in bare.org.objects["permissionset"].store.records.values()
        if row.props["Name"] == INTEGRATION
    )
    assert "Account.Partner" in row.props["Metadata"]


def test_a_right_taken_from_our_permission_set_is_given_again_and_one_refused_is_told(
    bare: Simulator, org: Parts
) -> None:
    org.provision(only("tier", "lane"))
    (ours,) = org.rows(f"SELECT Id FROM PermissionSet WHERE Name = '{INTEGRATION}'")
    grants = f"FROM FieldPermissions WHERE ParentId = '{ours['Id']}' AND Field = 'Account."
    (tier,) = org.rows(f"SELECT Id {grants}{TIER}'")
    (lane,) = org.rows(f"SELECT Id {grants}{OURS['lane']}'")
    org.client.call("PATCH", f"sobjects/FieldPermissions/{tier['Id']}", json={"PermissionsEdit": False})
    org.client.call("DELETE", f"sobjects/FieldPermissions/{lane['Id']}")
    bare.admin("POST faults", kind="403", match="PATCH .*FieldPermissions")
    told = by_name(org.provision(only("tier", "lane")))[f"permission set {INTEGRATION}"]
    assert (told.kind, told.done) == (StepKind.CONFLICT, False)
    assert told.detail.startswith(f"edit {TIER}: ")
    assert OURS["lane"] not in told.detail  # that one came back
    bare.admin("DELETE faults")
    told = by_name(org.provision(only("tier", "lane")))[f"permission set {INTEGRATION}"]
    assert (told.kind, told.detail, told.done) == (StepKind.ADD_OPTION, f"edit {TIER}", True)
    assert kinds(org.provision(only("tier", "lane"))) == {StepKind.KEEP}


def test_writing_owners_later_adds_the_right_to_transfer(bare: Simulator, org: Parts) -> None:
    org.provision(only("tier"))
    routing = connect(bare.url, properties={**OURS, "owner": "OwnerId"})
    step = by_name(routing.provision(only("tier")))[f"permission set {INTEGRATION}"]
    assert (step.kind, step.detail) == (StepKind.ADD_OPTION, "TransferAnyEntity")
    assert kinds(routing.provision(only("tier"))) == {StepKind.KEEP}


def test_fields_that_are_there_and_hidden_keep_their_values(org: Parts) -> None:
    org.provision(only("tier", "flags", flags=("agency", "theirs")))
    (given,) = org.rows("SELECT Id FROM PermissionSetAssignment")
    org.client.call("DELETE", f"sobjects/PermissionSetAssignment/{given['Id']}")
    org.catalogue.refresh()
    assert org.field(FLAGS) is None
    shown = by_name(org.provision(only("tier", "flags", flags=("new",)), apply=False))
    assert (shown[FLAGS].kind, "hidden" in shown[FLAGS].detail) == (StepKind.KEEP, True)
    made = org.provision(only("tier", "flags", flags=("new",)))
    assert [step.what for step in made] == list(shown)
    assert [(value, active) for value, _, active in org.values(FLAGS)] == [
        ("agency", True),
        ("theirs", True),
        ("new", True),
    ]


# Rights and failures


def test_without_the_right_to_change_metadata_the_steps_are_shown_for_somebody_else(
    bare: Simulator,
) -> None:
    user = next(user for user in bare.org.users.values() if user.email == OWNED)
    bare.org.sessions["somebody"] = Session(user=user)
    org = connect(bare.url, session="somebody")
    for apply in (False, True):
        steps = org.provision(apply=apply)
        assert kinds(steps[:-1]) == {StepKind.CREATE}
        assert steps[-1].kind is StepKind.CONFLICT
        assert "--sfdx" in steps[-1].detail
        assert not any(step.done for step in steps)


def test_what_salesforce_will_not_take_is_a_conflict_and_the_rest_is_made(
    bare: Simulator, org: Parts
) -> None:
    define(bare, name=TIER, label="Theirs", type="reference", reference_to="User")
    bare.admin("POST fields", object="Account", hide=[TIER])
    bare.admin("POST faults", kind="403", match="GET tooling")  # nobody says that it is there
    shown = org.provision(only("tier", "lane"), apply=False)
    steps = org.provision(only("tier", "lane"))
    assert [(step.kind, step.what) for step in steps] == [(step.kind, step.what) for step in shown]
    told = by_name(steps)
    assert told[TIER].kind is StepKind.CONFLICT
    assert "Lookup" in told[TIER].detail
    assert told[OURS["lane"]].done
    assert told[f"permission set {INTEGRATION}"].done


def test_list_views_are_tried_with_the_other_spelling_of_fields_too(bare: Simulator, org: Parts) -> None:
    bare.admin("POST settings", list_view_prefix=True)
    steps = org.provision(only("tier"))
    assert {step.done for step in steps if step.what.startswith("list view")} == {True}


def test_two_who_provision_at_once_make_everything_once(bare: Simulator) -> None:
    with ThreadPoolExecutor() as both:
        made = list(both.map(lambda _: connect(bare.url).provision(), range(2)))
    for steps in made:
        assert kinds(steps) <= {StepKind.CREATE, StepKind.KEEP}
    assert kinds(connect(bare.url).provision()) == {StepKind.KEEP}


def test_a_login_that_ends_meanwhile_is_no_missing_right(bare: Simulator, org: Parts) -> None:
    bare.admin("POST faults", kind="401_session", match="POST metadata/deployRequest")
    with pytest.raises(AuthError, match="session"):
        org.provision(only("tier"))


def test_without_the_right_to_change_metadata_our_assignment_is_told_as_done(
    bare: Simulator, org: Parts
) -> None:
    org.provision(only("tier"))
    (given,) = org.rows("SELECT Id FROM PermissionSetAssignment")
    org.client.call("DELETE", f"sobjects/PermissionSetAssignment/{given['Id']}")
    root = f"{bare.url}/services/data/v66.0/metadata/deployRequest"
    refusal = [{"errorCode": "INSUFFICIENT_ACCESS", "message": "use of the Metadata API requires …"}]
    with responses.RequestsMock() as server:
        server.add_passthru(bare.url)
        server.add("POST", root, status=403, json=refusal)
        steps = by_name(org.provision(only("tier", "lane")))
    assert [what for what, step in steps.items() if step.done] == [
        f"{INTEGRATION} for integration@simulator.example"
    ]
    assert "right to change metadata" in steps


def test_a_failure_of_nothing_we_sent_names_its_component_and_problem(bare: Simulator, org: Parts) -> None:
    failure = {"componentType": "CustomObject", "fullName": "Account", "problem": "is locked"}
    result = {"done": True, "status": "Failed", "details": {"componentFailures": failure}}
    root = f"{bare.url}/services/data/v66.0/metadata/deployRequest"
    with responses.RequestsMock() as server:
        server.add_passthru(bare.url)
        server.add("POST", root, json={"id": "0Af000000000001AAA"}, status=201)
        server.add("GET", f"{root}/0Af000000000001AAA", json={"deployResult": result})
        with pytest.raises(ConfigError, match="CustomObject Account: is locked"):
            org.provision(only("tier"))
