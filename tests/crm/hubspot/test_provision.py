"""Provisioning and checking a portal that has things of its own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import responses

from icp_sync.crm.hubspot.catalogue import Catalogue
from icp_sync.crm.hubspot.definitions import TYPES, definition
from icp_sync.crm.hubspot.provision import provision, room
from icp_sync.crm.hubspot.records import Json
from icp_sync.domain.standing import FIELDS
from icp_sync.errors import AuthError, ConfigError, UnavailableError
from icp_sync.ports import Blueprint, StepKind
from icp_sync.simulator import Simulator
from tests.crm.contract import STANDARD, blueprint
from tests.crm.hubspot.test_client import URL, client
from tests.crm.hubspot.world import Portal, connect


@pytest.fixture
def bare() -> Iterator[Simulator]:
    with Simulator(accounts=3) as simulator:
        simulator.admin("POST settings", property_lag=0.0)
        yield simulator


def only(*fields: str) -> Blueprint:
    return Blueprint(group="icp_sync", group_label="ICP", fields={f: f"icp_{f}" for f in fields})


def make(simulator: Simulator, **overrides: object) -> None:
    """Somebody else's property."""
    hubspot = connect(simulator)
    body = definition(FIELDS["tier"], "icp_tier", STANDARD) | {"groupName": "companyinformation"}
    hubspot._client.create_property(body | overrides)


def test_a_property_of_another_type_is_a_conflict_and_not_touched(bare: Simulator) -> None:
    make(bare, type="string", fieldType="text", options=[])
    crm = connect(bare)
    steps = {step.what: step for step in crm.provision(STANDARD, apply=True)}
    assert steps["icp_tier"].kind is StepKind.CONFLICT
    assert not steps["icp_tier"].done
    assert "string" in steps["icp_tier"].detail
    found = crm._client.property("icp_tier")
    assert found is not None
    assert found["type"] == "string"
    assert [problem.where for problem in crm.check(STANDARD)] == ["property icp_tier"]


def test_options_others_have_added_stay_with_their_order_and_labels(bare: Simulator) -> None:
    mine = [{"label": "Gold", "value": "A", "displayOrder": 7}, {"label": "Ours", "value": "own"}]
    make(bare, options=mine)
    crm = connect(bare)
    (step,) = [s for s in crm.provision(only("tier"), apply=True) if s.what == "icp_tier"]
    assert (step.kind, step.detail) == (StepKind.ADD_OPTION, "B, C, D, Needs data, Not ICP")
    found = crm._client.property("icp_tier")
    assert found is not None
    options = {option["value"]: option["label"] for option in found["options"]}
    assert options["A"] == "Gold"
    assert options["own"] == "Ours"
    assert set(options) == {"A", "own", "B", "C", "D", "Needs data", "Not ICP"}


def test_an_archived_property_of_ours_is_made_again(bare: Simulator) -> None:
    crm = connect(bare)
    crm.provision(only("tier"), apply=True)
    crm._client._properties.archive("companies", "icp_tier", _preload_content=False)
    fresh = connect(bare)
    (step,) = [s for s in fresh.provision(only("tier"), apply=True) if s.what == "icp_tier"]
    assert (step.kind, step.done) == (StepKind.CREATE, True)
    assert fresh.provision(only("tier"), apply=False)[1].kind is StepKind.KEEP


def test_the_seal_is_hidden_and_nothing_of_ours_is_in_forms(bare: Simulator) -> None:
    crm = connect(bare)
    crm.provision(STANDARD, apply=True)
    for field, name in STANDARD.fields.items():
        found = crm._client.property(name)
        assert found is not None
        assert found["hidden"] == (field == "seal")
        assert found["formField"] is False
        assert (found["type"], found["fieldType"]) == TYPES[FIELDS[field].type]


def test_two_who_provision_at_once_make_each_property_once(bare: Simulator) -> None:
    bare.admin("POST settings", property_lag=0.3)
    with ThreadPoolExecutor() as both:
        made = list(both.map(lambda _: connect(bare).provision(STANDARD, apply=True), range(2)))
    for steps in made:
        assert {step.kind for step in steps} <= {StepKind.CREATE, StepKind.KEEP}
    bare.admin("POST settings", property_lag=0.0)
    assert {step.kind for step in connect(bare).provision(STANDARD, apply=True)} == {StepKind.KEEP}


def test_a_conflict_about_a_property_nobody_can_see_is_told(bare: Simulator) -> None:
    bare.admin("POST faults", kind="409", match="POST properties$", nth=1)
    with pytest.raises(UnavailableError, match="icp_tier exists"):
        connect(bare).provision(only("tier"), apply=True)


def test_without_room_for_all_nothing_is_made() -> None:
    limits = {"byObjectType": [{"objectTypeId": "0-2", "limit": 1000, "usage": 998}]}
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        base = f"{URL}/crm/properties/2026-03/companies"
        server.add("GET", base, json={"results": []})
        server.add("GET", f"{base}/groups/icp_sync", status=404, json={})
        server.add("GET", f"{URL}/crm/limits/2026-03/custom-properties", json=limits)
        hubspot = client()
        steps = provision(hubspot, Catalogue(hubspot, {}, name="t"), STANDARD, apply=True)
        assert {call.request.method for call in server.calls} == {"GET"}
    assert steps[0].kind is StepKind.CONFLICT
    assert "room for 2" in steps[0].detail
    assert not any(step.done for step in steps)


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        ({}, None),
        ({"byObjectType": "x", "overallLimit": "many"}, None),
        ({"overallLimit": 10_000, "overallUsage": 9_999}, 1),
        (
            {
                "overallLimit": 10_000,
                "overallUsage": 0,
                "byObjectType": [
                    {"objectTypeId": "0-1", "limit": 1000, "usage": 1000},
                    {"objectTypeId": "0-2", "limit": 1000, "usage": 990},
                ],
            },
            10,
        ),
    ],
)
def test_the_room_for_properties_is_the_tighter_of_two_limits(limits: Json, left: int | None) -> None:
    assert room(limits) == left


# Checking


def test_a_token_nobody_accepts_is_the_only_problem_told(bare: Simulator) -> None:
    bare.admin("POST tokens", token=bare.token, expired=True)
    (problem,) = connect(bare).check(STANDARD)
    assert problem.where == "account"
    assert problem.hint


def test_every_missing_scope_is_told_at_once(bare: Simulator) -> None:
    bare.admin("POST tokens", token=bare.token, scopes=["crm.objects.companies.read"])
    problems = connect(bare).check(STANDARD)
    assert [problem.where for problem in problems] == [
        "scope crm.objects.companies.write",
        "scope crm.objects.owners.read",
    ]
    assert all("crm." in problem.what for problem in problems)


def test_checking_writes_nothing(bare: Simulator) -> None:
    before = bare.admin("GET stats")["records_written"]
    connect(bare).check(STANDARD)
    assert bare.admin("GET stats")["records_written"] == before
    assert bare.admin("GET writes")["results"] == []


def test_a_search_that_does_not_find_a_known_company_is_a_problem(portal: Portal) -> None:
    portal.create()
    portal.advance(7200)
    assert portal.crm.check(STANDARD) == []
    hidden = portal.simulator.portal.index
    hidden.visible.clear()
    hidden.ids.clear()
    hidden.generation += 1
    assert [problem.where for problem in portal.crm.check(STANDARD)] == ["search"]


def test_a_missing_option_is_told_with_the_command_that_adds_it(portal: Portal) -> None:
    (problem,) = portal.crm.check(blueprint("agency", "competitor"))
    assert "competitor" in problem.what
    assert "provision" in problem.hint


def test_an_unknown_version_is_a_mistake_in_the_configuration(bare: Simulator) -> None:
    with pytest.raises(ConfigError, match="2025-09"):
        connect(bare, version="2025-09")


def test_the_errors_of_the_port_are_three(bare: Simulator) -> None:
    crm = connect(bare)
    bare.admin("POST faults", kind="404", match="account-info")
    with pytest.raises(UnavailableError):
        crm.identity()
    bare.admin("DELETE faults")
    bare.admin("POST faults", kind="401", match="account-info")
    with pytest.raises(AuthError):
        crm.identity()
