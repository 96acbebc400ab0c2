"""Provisioning beside other people: what they do meanwhile stays, and what they have set up stays too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from icp_sync.crm.salesforce.provisioning import access, existing, set_up
from icp_sync.crm.salesforce.provisioning.deploying import deploy
from icp_sync.crm.salesforce.provisioning.metadata import Choice, custom_field
from icp_sync.crm.salesforce.provisioning.permission_sets import INTEGRATION
from icp_sync.domain.standing import FIELDS
from icp_sync.ports import StepKind
from icp_sync.simulator import Simulator
from tests.crm.salesforce.parts import FLAGS, Parts, by_name, connect, kinds, only


@pytest.fixture
def bare() -> Iterator[Simulator]:
    with Simulator(crm="salesforce", accounts=3) as simulator:
        yield simulator


def before_deployment(
    patch: pytest.MonkeyPatch, parts: Parts, meanwhile: Callable[[], object], *, check_only: bool
) -> None:
    """Let something happen right before the first deployment (or validation) of this provisioner."""
    send = parts.client.deploy

    def slowly(archive: bytes, options: dict[str, Any]) -> dict[str, Any]:
        if options["checkOnly"] is check_only:
            patch.setattr(parts.client, "deploy", send)
            meanwhile()
        return send(archive, options)

    patch.setattr(parts.client, "deploy", slowly)


@pytest.mark.parametrize("check_only", [True, False])
def test_a_value_somebody_adds_while_we_deploy_stays_active(
    bare: Simulator, monkeypatch: pytest.MonkeyPatch, check_only: bool
) -> None:
    first, second = connect(bare.url), connect(bare.url)
    first.provision(only("tier", "flags", flags=("agency", "old")))
    bare.admin("POST record_types", name="Partner", picklists={})
    retired = [Choice(value="agency", label="agency"), Choice(value="old", label="old", active=False)]
    made = custom_field(FIELDS["flags"], FLAGS, retired)
    assert deploy(first.client, [made], check_only=False) == []

    def add() -> None:
        assert by_name(second.provision(only("tier", "flags", flags=("agency", "theirs"))))[FLAGS].done

    before_deployment(monkeypatch, first, add, check_only=check_only)
    steps = by_name(first.provision(only("tier", "flags", flags=("agency", "ours"))))
    assert (steps[FLAGS].kind, steps[FLAGS].done) == (StepKind.ADD_OPTION, True)
    assert {value: active for value, _, active in first.values(FLAGS)} == {
        "agency": True,
        "old": False,  # people took that one away, and it stays away
        "ours": True,
        "theirs": True,
    }
    assert bare.org.record_types["Partner"].picklists[FLAGS.lower()] >= {"agency", "ours", "theirs"}
    assert kinds(second.provision(only("tier", "flags", flags=("agency", "theirs")))) == {StepKind.KEEP}


def test_a_field_somebody_makes_while_we_plan_to_is_widened_and_not_made_anew(
    bare: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = connect(bare.url), connect(bare.url)
    before_deployment(
        monkeypatch,
        first,
        lambda: second.provision(only("flags", flags=("theirs",))),
        check_only=True,
    )
    steps = by_name(first.provision(only("flags", flags=("ours",))))
    assert (steps[FLAGS].kind, steps[FLAGS].done) == (StepKind.ADD_OPTION, True)
    assert [(value, active) for value, _, active in first.values(FLAGS)] == [("theirs", True), ("ours", True)]


def test_rights_two_provisioners_give_at_once_are_all_given(
    bare: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = connect(bare.url), connect(bare.url)
    first.provision(only("tier"))
    before_deployment(monkeypatch, first, lambda: second.provision(only("tier", "lane")), check_only=False)
    first.provision(only("tier", "certainty"))
    held = access.held(first.client, INTEGRATION)
    assert held is not None
    assert sorted(held.grants.fields) == [
        "Account.ICP_Certainty__c",
        "Account.ICP_Lane__c",
        "Account.ICP_Tier__c",
    ]


def test_a_field_that_gets_more_values_keeps_all_else_people_gave_it(bare: Simulator) -> None:
    org = connect(bare.url)
    org.provision(only("flags", flags=("agency",)))
    theirs = {
        "label": "Flags of ours",
        "description": "An admin's own words",
        "inlineHelpText": "Ask Ada",
        "visibleLines": "7",
    }
    values = (Choice(value="agency", label="Agencies", default=True),)
    made = custom_field(FIELDS["flags"], FLAGS, values, kept=theirs)
    assert deploy(org.client, [made], check_only=False) == []
    assert by_name(org.provision(only("flags", flags=("agency", "b2c"))))[FLAGS].done
    reply = org.client.call(
        "GET",
        "tooling/query",
        params={"q": "SELECT Id FROM CustomField WHERE DeveloperName = 'ICP_Flags'"},
    )
    (row,) = reply.data["records"]
    told = org.client.call("GET", f"tooling/sobjects/CustomField/{row['Id']}").data["Metadata"]
    assert {key: str(told[key]) for key in theirs} == theirs
    definition = told["valueSet"]["valueSetDefinition"]
    assert [(one["valueName"], one["label"], one["default"]) for one in definition["value"]] == [
        ("agency", "Agencies", True),
        ("b2c", "b2c", False),
    ]


def test_the_setup_tells_what_a_describe_does_not() -> None:
    values = {"sorted": True, "value": [{"valueName": "a", "label": "A", "default": True, "isActive": False}]}
    told = {"type": "Picklist", "label": "Theirs", "description": None, "trackHistory": True}
    found = {**told, "valueSet": {"valueSetDefinition": values, "controllingField": "Industry"}}
    assert set_up.ordered(found)
    assert set_up.kept(found, {}) == {"description": "", "label": "Theirs", "trackHistory": "true"}
    described = set_up.described(found)
    assert described["picklistValues"] == [
        {"value": "a", "label": "A", "active": False, "defaultValue": True}
    ]
    assert "another field" in existing.conflict(FIELDS["tier"], described)


@pytest.mark.parametrize(
    ("field", "found", "told"),
    [
        ("tier", {"type": "Picklist", "valueSet": {"valueSetName": "Tiers"}}, "global value set"),
        ("reasons", {"type": "Html", "length": 32_768}, "rich text"),
        ("reasons", {"type": "TextArea"}, "255 characters"),
        (
            "routed_owner",
            {"type": "Lookup", "referenceTo": "User", "lookupFilter": {"active": True}},
            "filter",
        ),
        ("profile", {"type": "Text", "length": 255, "unique": True}, "only once"),
        ("profile", {"type": "Text", "length": 255, "required": True}, "may not be blank"),
        ("fit_score", {"type": "Number", "precision": 6, "scale": 2, "formula": "1"}, "calculated"),
        ("fit_score", {"type": "Number", "precision": 6, "scale": 2}, ""),
        ("fit_score", {"type": "Summary"}, "type summary"),
    ],
)
def test_a_field_of_the_setup_is_judged_like_one_we_see(
    field: str, found: dict[str, object], told: str
) -> None:
    problem = existing.conflict(FIELDS[field], set_up.described(found))
    assert told in problem
    assert bool(problem) == bool(told)
