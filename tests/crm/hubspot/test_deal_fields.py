"""The properties of deals that hold our stamp: made, checked, used by others, and taken away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from icp_sync.domain.stamp import STAMP
from icp_sync.ports import Step, StepKind
from icp_sync.simulator.hubspot.portal import SCOPES
from tests.crm.deal_contract import VALUES, annotate, deals, with_deals
from tests.crm.hubspot.world import Stamping


@pytest.fixture
def portal() -> Iterator[Stamping]:
    made = Stamping("2026-03")
    yield made
    made.close()


def there(portal: Stamping) -> set[str]:
    return {str(one["name"]) for one in portal.crm._client.properties(of="deals")} & {*portal.stamp.values()}


def remove(portal: Stamping, **how: bool) -> list[Step]:
    return portal.crm.provision(with_deals(portal), remove=True, **{"apply": True, **how})


def without(portal: Stamping, *scopes: str) -> None:
    portal.simulator.admin("POST tokens", token=portal.simulator.token, scopes=sorted(SCOPES - {*scopes}))


def test_they_are_made_in_our_group_with_their_labels_and_options(portal: Stamping) -> None:
    found = {str(one["name"]): one for one in portal.crm._client.properties(of="deals")}
    tier = found["icp_tier_at_creation"]
    assert (tier["label"], tier["groupName"]) == ("ICP tier at creation", "icp_sync")
    assert [one["value"] for one in tier["options"]] == list(STAMP["tier"].options)
    assert found["icp_score_at_creation"]["type"] == "number"
    assert found["icp_profile_at_creation"]["type"] == "string"
    companies = {str(one["name"]) for one in portal.crm._client.properties()}
    assert companies.isdisjoint(portal.stamp.values())


def test_a_deal_property_of_somebody_else_is_never_touched(portal: Stamping) -> None:
    catalogue = portal.simulator.portal.deals.catalogue
    name = portal.stamp["score"]
    catalogue.put(replace(catalogue.all[name], type="string", field_type="text", label="Theirs"))
    steps = portal.crm.provision(with_deals(portal), apply=True)
    assert [s.what for s in steps if s.kind is StepKind.CONFLICT] == [f"deals.{name}"]
    (problem,) = portal.crm.check(with_deals(portal))
    assert "deals.names" in problem.hint
    catalogue.put(replace(catalogue.all[name], description="a score of theirs"))
    assert remove(portal)
    assert there(portal) == {name}


@pytest.mark.parametrize(
    "scope", ["crm.objects.deals.read", "crm.objects.deals.write", "crm.schemas.deals.read"]
)
def test_a_missing_scope_is_named_only_where_it_is_needed(portal: Stamping, scope: str) -> None:
    without(portal, scope, *(["crm.objects.deals.read"] if "schemas" in scope else []))
    assert scope in str(portal.crm.check(with_deals(portal)))
    assert portal.crm.check(portal.blueprint()) == []


def test_who_only_follows_deals_needs_no_more_than_to_read_them(portal: Stamping) -> None:
    without(portal, "crm.objects.deals.write", "crm.schemas.deals.read", "crm.schemas.deals.write")
    followed = replace(portal.blueprint(), follows_deals=True)
    assert portal.crm.check(followed) == []
    without(portal, "crm.objects.deals.read")
    assert "crm.objects.deals.read" in str(portal.crm.check(followed))


def test_without_the_right_to_write_deals_a_stamp_waits_and_says_so(portal: Stamping) -> None:
    deal = portal.add_deal(portal.create())
    without(portal, "crm.objects.deals.write")
    answer = annotate(portal.crm, deal)[deal]
    assert (answer.result.value, "crm.objects.deals.write" in answer.message) == ("failed", True)


def test_a_list_that_filters_by_the_stamp_stops_all_removal(portal: Stamping) -> None:
    portal.see_lists()
    used = {"type": "deals", "property": portal.stamp["tier"]}
    portal.simulator.admin("POST depend", **used, by="list", name="Won A deals")
    steps = remove(portal)
    assert [s.what for s in steps if s.kind is StepKind.DEPENDS] == ["list Won A deals"]
    assert not any(step.done for step in steps)
    assert there(portal) == set(portal.stamp.values())


def test_what_a_workflow_uses_ends_removal_before_anything_of_companies_goes(portal: Stamping) -> None:
    used = {"type": "deals", "property": portal.stamp["tier"]}
    made = portal.simulator.admin("POST depend", **used, by="workflow", name="Hand over")
    steps = remove(portal)
    (conflict,) = [s for s in steps if s.kind is StepKind.CONFLICT]
    assert str(made["id"]) in conflict.detail
    assert not any(step.done for step in steps)


def test_what_depends_on_companies_properties_keeps_those_of_deals_too(portal: Stamping) -> None:
    portal.depend("lane")
    assert not any(step.done for step in remove(portal))
    assert there(portal) == set(portal.stamp.values())
    assert any(step.done for step in remove(portal, force=True))
    assert there(portal) == set()


def test_names_of_earlier_settings_are_known_by_what_provisioning_wrote_down(portal: Stamping) -> None:
    plan = replace(portal.blueprint(), deals_made=frozenset(f"deals.{n}" for n in portal.stamp.values()))
    portal.crm.provision(plan, apply=True, remove=True)
    assert there(portal) == set()
    assert portal.crm._client.group("icp_sync", of="deals") is None


def test_a_portal_where_deals_were_never_stamped_is_not_asked_about_them(portal: Stamping) -> None:
    without(portal, "crm.schemas.deals.read", "crm.schemas.deals.write", "crm.objects.deals.read")
    assert portal.crm.provision(portal.blueprint(), apply=False, remove=True)


def test_a_merged_deal_is_gone_and_its_survivor_keeps_its_own_stamp(portal: Stamping) -> None:
    account = portal.create()
    loser, survivor = portal.add_deal(account), portal.add_deal(account)
    annotate(portal.crm, survivor, **{**VALUES, "tier": "B"})
    portal.simulator.admin("POST merge", type="deals", **{"from": loser, "into": survivor})
    answers = annotate(portal.crm, loser)
    assert answers[loser].result.value == "gone"
    assert deals(portal.crm)[survivor].stamp["tier"] == "B"
