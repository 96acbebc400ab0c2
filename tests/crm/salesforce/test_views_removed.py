"""Reps' views go out of an org again: sections, list views, formula fields, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from icp_sync.crm.salesforce.provisioning.deploying import deploy
from icp_sync.crm.salesforce.provisioning.metadata import list_views
from icp_sync.crm.salesforce.provisioning.removing import remove as remove_fields
from icp_sync.crm.salesforce.views import making
from icp_sync.crm.salesforce.views.components import SHARED, list_view
from icp_sync.crm.salesforce.views.removing import remove
from icp_sync.domain.views import VIEWS
from icp_sync.ports import StepKind, Views
from icp_sync.simulator import Simulator
from tests.crm.salesforce.parts import Parts, connect
from tests.crm.salesforce.world import OURS, STANDARD
from tests.simulators import Copied

TIER = OURS["tier"]
FORMULAS = [f"Contact.{OURS[name]}" for name in SHARED]
_COPIED: list[Copied] = []


@pytest.fixture
def bare() -> Iterator[Simulator]:
    """An org with our fields and all the views."""
    if not _COPIED:
        with Simulator(crm="salesforce", accounts=3) as simulator:
            org = connect(simulator.url)
            org.provision()
            making.views(org.client, VIEWS, STANDARD, {}, apply=True, force=False)
        _COPIED.append(Copied(simulator))
    with _COPIED[0].another() as simulator:
        yield simulator


@pytest.fixture
def org(bare: Simulator) -> Parts:
    return connect(bare.url)


def known(org: Parts) -> dict[str, str]:
    found = making.views(org.client, VIEWS, STANDARD, {}, apply=False, force=False)
    return {one.key: one.id for one in found.steps if one.key and one.id}


def taken(org: Parts, ids: Mapping[str, str], *, apply: bool = True, force: bool = False) -> Views:
    return remove(org.client, VIEWS, STANDARD, ids, apply=apply, force=force)


def steps(views: Views, *wanted: StepKind) -> list[str]:
    return [one.step.what for one in views.steps if one.step.kind in wanted]


def test_all_of_it_goes_and_the_rest_of_the_layout_stays(bare: Simulator, org: Parts) -> None:
    ids = known(org)
    shown = taken(org, ids, apply=False)
    assert not any(one.step.done for one in shown.steps)
    going = steps(shown, StepKind.REMOVE)
    assert going[0] == "section ICP fit on the page layout Account Layout"
    assert going[-len(FORMULAS) :] == FORMULAS
    assert {one.id for one in shown.steps if one.key} == set(ids.values())
    done = taken(org, ids)
    assert steps(done, StepKind.REMOVE) == going
    assert all(one.step.done and not one.id for one in done.steps)
    layouts = bare.admin("POST layouts")["layouts"]
    assert isinstance(layouts, dict)
    labels = [label for label, _ in layouts["Account Layout"]]
    assert labels == ["Account Information", "Address Information", "Description Information"]
    assert org.rows("SELECT Id FROM ListView") == []
    assert not any(one["custom"] for one in org.client.describe("Contact")["fields"])
    assert taken(org, ids).steps == ()


def test_views_and_then_fields_leave_nothing(org: Parts) -> None:
    blueprint = replace(STANDARD, views=known(org))
    taken(org, blueprint.views)
    done = remove_fields(org.client, org.catalogue, blueprint, apply=True, force=False)
    assert all(one.done for one in done if one.kind is StepKind.REMOVE)
    assert {one.kind for one in done} == {StepKind.REMOVE, StepKind.NOTE}
    assert remove_fields(org.client, org.catalogue, STANDARD, apply=True, force=False) == []


def test_our_own_views_are_no_strangers_to_our_fields(bare: Simulator, org: Parts) -> None:
    blueprint = replace(STANDARD, views=known(org))
    looked = remove_fields(org.client, org.catalogue, blueprint, apply=False, force=False)
    assert {one.kind for one in looked} == {StepKind.REMOVE, StepKind.NOTE}
    assert not any(one.what.startswith("list view") for one in looked)
    bare.admin("POST depend", field=TIER, by="Flow", name="Route by tier")
    looked = remove_fields(org.client, org.catalogue, blueprint, apply=False, force=False)
    depends = [one.what for one in looked if one.kind is StepKind.DEPENDS]
    assert depends == ["Flow Route by tier"]


def test_a_formula_that_stays_keeps_the_field_it_refers_to(bare: Simulator, org: Parts) -> None:
    ids = known(org)
    bare.admin("POST depend", object="Contact", field=TIER, by="Flow", name="Greet")
    done = taken(org, ids)
    assert steps(done, StepKind.CONFLICT) == [f"Contact.{TIER}"]
    blueprint = replace(STANDARD, views=ids)
    left = remove_fields(org.client, org.catalogue, blueprint, apply=True, force=True)
    [kept] = [one for one in left if one.what == TIER]
    assert kept.kind is StepKind.CONFLICT
    assert "Formula" in kept.detail


def _filter_of_b(org: Parts, name: str) -> None:
    """People give a list view of accounts the filter of tier B."""
    theirs = next(one for one in list_views(OURS) if one.name == "ICP_Tier_B")
    assert deploy(org.client, [replace(theirs, name=name)], check_only=False) == []


def test_ours_that_people_gave_another_filter_stays_unless_forced(org: Parts) -> None:
    ids = known(org)
    research = list_view(next(view for view in VIEWS if view.key == "research"), OURS)
    assert research is not None
    _filter_of_b(org, research.name)
    [told] = [one for one in taken(org, ids).steps if one.key == "research"]
    assert (told.step.kind, told.id) == (StepKind.KEEP, ids["research"])
    [told] = [one for one in taken(org, ids, force=True).steps if one.key == "research"]
    assert (told.step.kind, told.step.done) == (StepKind.REMOVE, True)


def test_somebody_elses_of_our_name_stays_even_when_forced(org: Parts) -> None:
    ids = {key: id for key, id in known(org).items() if key != "tier_a"}
    _filter_of_b(org, "ICP_Tier_A")
    [told] = [one for one in taken(org, ids, force=True).steps if one.key == "tier_a"]
    assert (told.step.kind, told.id) == (StepKind.KEEP, "")
    assert [row["DeveloperName"] for row in org.rows("SELECT DeveloperName FROM ListView")] == ["ICP_Tier_A"]


def test_a_section_people_put_other_fields_into_stays(bare: Simulator, org: Parts) -> None:
    [layout] = bare.org.layouts
    found = org.client.call("GET", f"tooling/sobjects/Layout/{layout.id}").data
    assert isinstance(found, dict)
    column = found["Metadata"]["layoutSections"][1]["layoutColumns"][0]
    column["layoutItems"].append({"behavior": "Edit", "field": "Rating"})
    body = {"Metadata": found["Metadata"]}
    org.client.call("PATCH", f"tooling/sobjects/Layout/{layout.id}", json=body)
    done = taken(org, known(org))
    assert steps(done, StepKind.KEEP) == ["section ICP fit on the page layout Account Layout"]


def test_without_the_right_to_change_metadata_everything_stays_and_is_told(
    bare: Simulator, org: Parts
) -> None:
    ids = known(org)
    bare.admin("POST settings", metadata_right=False)
    done = taken(org, ids)
    assert not any(one.step.done for one in done.steps)
    assert StepKind.CONFLICT in {one.step.kind for one in done.steps}
    assert len(org.rows("SELECT Id FROM ListView")) == len(VIEWS)
