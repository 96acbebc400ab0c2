"""Taking our properties out of a portal that depends on them, or has things of its own among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from icp_sync.crm.hubspot.definitions import definition
from icp_sync.crm.hubspot.replies import usage
from icp_sync.domain.standing import FIELDS
from icp_sync.errors import UnavailableError
from icp_sync.ports import Blueprint, Step, StepKind
from tests.crm.contract import OURS, STANDARD, write_one
from tests.crm.hubspot.world import Portal, connect


def remove(portal: Portal, blueprint: Blueprint = STANDARD, **how: Any) -> list[Step]:
    return portal.crm.provision(blueprint, remove=True, **{"apply": True, **how})


def kinds(steps: Sequence[Step]) -> dict[str, StepKind]:
    return {step.what: step.kind for step in steps}


def there(portal: Portal) -> set[str]:
    return {str(entry["name"]) for entry in portal.crm._client.properties()}


def depend(portal: Portal, name: str, by: str, called: str = "Something") -> str:
    return str(portal.simulator.admin("POST depend", property=name, by=by, name=called)["id"])


def test_everything_of_ours_goes_the_seal_last_and_then_the_group(portal: Portal) -> None:
    before = there(portal)
    gone = [step.what for step in remove(portal) if step.done]
    assert before - there(portal) == set(OURS.values())
    assert gone[-2:] == ["icp_seal", "group icp_sync"]
    assert portal.crm._client.group("icp_sync") is None
    assert remove(portal) == []


def test_what_happens_to_the_values_is_said_before(portal: Portal) -> None:
    portal.see_lists(may=False)
    notes = " ".join(step.detail for step in remove(portal, apply=False) if step.kind is StepKind.NOTE)
    assert "90 days" in notes
    assert "workflow" in notes
    assert "crm.lists.read" in notes
    portal.see_lists()
    notes = " ".join(step.detail for step in remove(portal, apply=False) if step.kind is StepKind.NOTE)
    assert "crm.lists.read" not in notes


def test_what_people_entered_is_told_to_go_with_its_field(portal: Portal) -> None:
    details = {step.what: step.detail for step in remove(portal, apply=False)}
    assert "people" in details["icp_tier_override"]
    assert details["icp_tier"] == ""


def test_a_list_that_filters_by_a_property_stops_everything(portal: Portal) -> None:
    portal.see_lists()
    for number in range(130):
        depend(portal, "name", "list", f"List {number}")
    depend(portal, "icp_lane", "list", "Hot accounts")
    steps = remove(portal)
    assert [(s.what, s.detail) for s in steps if s.kind is StepKind.DEPENDS] == [
        ("list Hot accounts", "it uses icp_lane")
    ]
    assert not any(step.done for step in steps)
    assert there(portal) >= set(OURS.values())


def test_a_calculation_is_found_by_its_formula(portal: Portal) -> None:
    depend(portal, "icp_fit_score", "calculation", "Score, doubled")
    steps = remove(portal)
    assert steps[0].kind is StepKind.DEPENDS
    assert (steps[0].what, steps[0].detail) == ("calculated property calc_1", "it uses icp_fit_score")
    assert not any(step.done for step in steps)


@pytest.mark.parametrize("by", ["workflow", "report"])
def test_what_cannot_be_looked_up_is_refused_by_hubspot_and_ends_it(portal: Portal, by: str) -> None:
    id = depend(portal, "icp_lane", by)
    steps = remove(portal)
    (refused,) = [step for step in steps if step.kind is StepKind.CONFLICT]
    assert refused.what == "icp_lane"
    assert f"{by} {id}" in refused.detail
    at = steps.index(refused)
    assert not any(step.done for step in steps[at:])
    assert "icp_seal" in there(portal)
    assert kinds(steps)["group icp_sync"] is StepKind.KEEP


def test_forced_all_goes_but_what_hubspot_keeps(portal: Portal) -> None:
    portal.see_lists()
    depend(portal, "icp_lane", "list", "Hot accounts")
    depend(portal, "icp_tier", "workflow")
    steps = remove(portal, force=True)
    assert there(portal) & set(OURS.values()) == {"icp_lane", "icp_tier"}
    found = kinds(steps)
    assert (found["icp_lane"], found["icp_tier"]) == (StepKind.CONFLICT, StepKind.CONFLICT)
    (group,) = [step for step in steps if step.what == "group icp_sync"]
    assert (group.kind, group.detail) == (StepKind.KEEP, "it still holds icp_lane, icp_tier")


def test_a_property_of_others_in_our_group_stays_and_keeps_the_group(portal: Portal) -> None:
    body = definition(FIELDS["tier"], "their_tier", STANDARD) | {"label": "Theirs", "description": "A tier."}
    portal.crm._client.create_property(body)
    steps = remove(portal)
    assert there(portal) >= {"their_tier"}
    assert kinds(steps)["their_tier"] is StepKind.KEEP
    assert kinds(steps)["group icp_sync"] is StepKind.KEEP
    assert there(portal).isdisjoint(OURS.values())


def test_a_property_of_our_name_in_another_group_is_not_touched(portal: Portal) -> None:
    portal.crm._client.change_property("icp_lane", {"groupName": "companyinformation"})
    portal.grow_old()
    (lane,) = [step for step in remove(portal) if step.what == "icp_lane"]
    assert (lane.kind, lane.done) == (StepKind.KEEP, False)
    assert "companyinformation" in lane.detail
    assert there(portal) & set(OURS.values()) == {"icp_lane"}


def test_a_property_of_ours_that_is_no_output_any_more_goes_too(portal: Portal) -> None:
    made = frozenset(OURS.values())
    few = Blueprint(group="icp_sync", group_label="ICP", fields={"tier": "icp_tier"}, made=made)
    details = {step.what: step.detail for step in remove(portal, few)}
    assert "no output" in details["icp_lane"]
    assert there(portal).isdisjoint(OURS.values())


def test_a_clone_of_a_property_of_ours_is_its_makers(portal: Portal) -> None:
    body = definition(FIELDS["tier"], "tier_of_our_partners", STANDARD) | {"label": "Tier (copy)"}
    portal.crm._client.create_property(body)
    clone = {step.what: step for step in remove(portal)}["tier_of_our_partners"]
    assert (clone.kind, clone.detail) == (StepKind.KEEP, "it is not of this installation")
    assert "tier_of_our_partners" in there(portal)


def test_a_property_an_admin_relabelled_still_bears_our_description(portal: Portal) -> None:
    portal.crm._client.change_property("icp_lane", {"label": "Spur"})
    portal.grow_old()
    assert kinds(remove(portal, apply=False))["icp_lane"] is StepKind.REMOVE


def test_properties_hubspot_still_shows_after_they_are_archived_are_no_error(portal: Portal) -> None:
    portal.simulator.admin("POST settings", property_lag=0.3)
    remove(portal)
    again = remove(portal)
    assert all(step.done for step in again if step.kind is StepKind.REMOVE)


def test_values_show_again_when_a_property_is_made_again(portal: Portal) -> None:
    id = portal.create()
    write_one(portal.crm, id, tier="A")
    remove(portal)
    portal.crm.provision(STANDARD, apply=True)
    assert portal.crm.fetch([id]).accounts[0].live["tier"] == "A"


def test_an_outage_halfway_is_told_and_the_next_try_finishes(portal: Portal) -> None:
    portal.fault("503", "DELETE properties", nth=5)
    with pytest.raises(UnavailableError):
        remove(portal)
    assert len(there(portal) & set(OURS.values())) == len(OURS) - 4
    portal.mend()
    remove(portal)
    assert there(portal).isdisjoint(OURS.values())


def test_a_second_adapter_sees_a_bare_portal(portal: Portal) -> None:
    remove(portal)
    fresh = connect(portal.simulator)
    assert {step.kind for step in fresh.provision(STANDARD, apply=False)} == {StepKind.CREATE}
    fresh.close()


@pytest.mark.parametrize("body", [None, "", [], {}, {"errors": [None, {"context": 3}, {"message": "x"}]}])
def test_a_refusal_that_names_no_places_names_none(body: object) -> None:
    assert usage(body) == ()
