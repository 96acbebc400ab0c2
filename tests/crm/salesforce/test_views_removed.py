"""Reps' views go out of an org again: sections, list views, formula fields, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from icp_sync.crm.salesforce.provisioning.deploying import deploy
from icp_sync.crm.salesforce.provisioning.metadata import list_views
from icp_sync.crm.salesforce.provisioning.removing import remove as remove_fields
from icp_sync.crm.salesforce.views import making
from icp_sync.crm.salesforce.views.components import SHARED, list_view
from icp_sync.crm.salesforce.views.removing import remove
from icp_sync.domain.views import VIEWS
from icp_sync.http import Reply
from icp_sync.ports import StepKind, Views
from icp_sync.simulator import Simulator
from tests.crm.salesforce.parts import Parts, connect
from tests.crm.salesforce.world import OURS, STANDARD
from tests.simulators import Copied

TIER = OURS["tier"]
OF_STATES = {"tier_a", "tier_b", "tier_c", "tier_d", "needs_data", "not_icp"}
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


def left(org: Parts) -> set[str]:
    """The names of the list views there are."""
    return {str(row["DeveloperName"]) for row in org.rows("SELECT DeveloperName FROM ListView")}


def steps(views: Views, *wanted: StepKind) -> list[str]:
    return [one.step.what for one in views.steps if one.step.kind in wanted]


def test_all_of_it_goes_and_the_rest_of_the_layout_stays(bare: Simulator, org: Parts) -> None:
    ids = known(org)
    shown = taken(org, ids, apply=False)
    assert not any(one.step.done for one in shown.steps)
    going = steps(shown, StepKind.REMOVE)
    assert going[0] == "section ICP fit on the page layout Account Layout"
    assert going[-len(FORMULAS) :] == FORMULAS
    assert {one.id for one in shown.steps if one.id} == {ids[key] for key in ids if key not in OF_STATES}
    assert {one.key for one in shown.steps if one.step.kind is StepKind.KEEP} == OF_STATES
    done = taken(org, ids)
    assert steps(done, StepKind.REMOVE) == going
    assert all(one.step.done and not one.id for one in done.steps if one.key not in OF_STATES)
    layouts = bare.admin("POST layouts")["layouts"]
    assert isinstance(layouts, dict)
    labels = [label for label, _ in layouts["Account Layout"]]
    assert labels == ["Account Information", "Address Information", "Description Information"]
    assert left(org) == {one.name for one in list_views(OURS)}, (
        "they are made with the fields, and go with them"
    )
    assert not any(one["custom"] for one in org.client.describe("Contact")["fields"])
    assert {one.step.kind for one in taken(org, ids).steps} == {StepKind.KEEP}


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
    before = left(org)
    stopped = taken(org, ids)
    assert steps(stopped, StepKind.DEPENDS) == ["Flow Greet"]
    assert not any(one.step.done for one in stopped.steps)
    assert left(org) == before
    done = taken(org, ids, force=True)
    assert steps(done, StepKind.CONFLICT) == [f"Contact.{TIER}"]
    blueprint = replace(STANDARD, views=ids)
    done = remove_fields(org.client, org.catalogue, blueprint, apply=True, force=True)
    [kept] = [one for one in done if one.what == TIER]
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
    ids = {key: id for key, id in known(org).items() if key != "research"}
    _filter_of_b(org, "ICP_Research")
    [told] = [one for one in taken(org, ids, force=True).steps if one.key == "research"]
    assert (told.step.kind, told.id) == (StepKind.KEEP, "")
    assert "ICP_Research" in left(org)


def test_columns_people_changed_make_a_view_theirs_unless_forced(bare: Simulator, org: Parts) -> None:
    ids = known(org)
    bare.admin("POST clock", advance=300)
    ours = list_view(next(view for view in VIEWS if view.key == "research"), OURS)
    assert ours is not None
    body = tuple(one for one in ours.body if one != ("columns", "CORE.USERS.ALIAS"))
    assert deploy(org.client, [replace(ours, body=body)], check_only=False) == []
    [told] = [one for one in taken(org, ids).steps if one.key == "research"]
    assert (told.step.kind, "columns" in told.step.detail) == (StepKind.KEEP, True)
    assert deploy(org.client, [ours], check_only=False) == []
    [told] = [one for one in taken(org, ids).steps if one.key == "research"]
    assert told.step.done, "as we make it again, whenever that was"


def test_columns_people_changed_of_a_tiers_view_keep_it_beside_the_fields(
    bare: Simulator, org: Parts
) -> None:
    bare.admin("POST clock", advance=300)
    ours = next(one for one in list_views(OURS) if one.name == "ICP_Tier_A")
    body = tuple(one for one in ours.body if one != ("columns", "CORE.USERS.ALIAS"))
    assert deploy(org.client, [replace(ours, body=body)], check_only=False) == []
    others = {key: id for key, id in known(org).items() if key not in OF_STATES}
    blueprint = replace(STANDARD, views=others)
    looked = remove_fields(org.client, org.catalogue, blueprint, apply=False, force=False)
    [kept] = [one for one in looked if one.what == "list view ICP_Tier_A"]
    assert (kept.kind, "people have changed it" in kept.detail) == (StepKind.CONFLICT, True)


def test_another_installation_takes_nothing_that_it_did_not_make(org: Parts) -> None:
    before = left(org)
    stranger = replace(STANDARD, proven=False)
    told = remove(org.client, VIEWS, stranger, {}, apply=True, force=True)
    assert not any(one.step.done for one in told.steps)
    done = remove_fields(org.client, org.catalogue, stranger, apply=True, force=True)
    assert not any(one.done for one in done)
    assert left(org) == before
    made = making.views(org.client, VIEWS, stranger, {}, apply=True, force=True)
    assert {one.step.kind for one in made.steps if one.key} == {StepKind.CONFLICT}
    assert not any(one.id for one in made.steps)


def test_what_was_made_under_earlier_settings_goes_all_the_same(bare: Simulator, org: Parts) -> None:
    ids = known(org)
    minimal = {name: made for name, made in OURS.items() if name in ("tier", "fit_score", "reasons", "seal")}
    blueprint = replace(STANDARD, fields=minimal, made=frozenset(OURS.values()))
    again = making.views(org.client, VIEWS, blueprint, ids, apply=True, force=False)
    assert [one.step.what for one in again.steps if one.step.done] == [
        "section ICP fit on the page layout Account Layout"
    ]
    told = remove(org.client, VIEWS, blueprint, ids, apply=True, force=False)
    gone = {one.step.what for one in told.steps if one.step.done}
    assert {"list view ICP_Research", "list view ICP_Tier_Changed", f"Contact.{OURS['lane']}"} <= gone
    remove_fields(org.client, org.catalogue, blueprint, apply=True, force=False)
    assert left(org) == set()
    assert not any(one["custom"] for one in org.client.describe("Account")["fields"])


def test_other_names_of_fields_set_views_and_section_right_without_force(bare: Simulator, org: Parts) -> None:
    ids = known(org)
    renamed = {name: f"Fit_{made}" for name, made in OURS.items()}
    blueprint = replace(STANDARD, fields=renamed, made=frozenset(OURS.values()))
    org.provision(blueprint)
    told = making.views(org.client, VIEWS, blueprint, ids, apply=True, force=False)
    updated = {one.key or one.step.what for one in told.steps if one.step.kind is StepKind.UPDATE}
    assert updated == {*ids, "section ICP fit on the page layout Account Layout"}
    assert all(one.step.done for one in told.steps if one.step.kind is StepKind.UPDATE)
    assert {one.key: one.id for one in told.steps if one.key} == ids
    again = making.views(org.client, VIEWS, blueprint, ids, apply=True, force=False)
    assert not any(one.step.done for one in again.steps)


def test_a_section_people_put_other_fields_into_stays(bare: Simulator, org: Parts) -> None:
    [layout] = bare.org.layouts
    found = org.client.call("GET", f"tooling/sobjects/Layout/{layout.id}").data
    assert isinstance(found, dict)
    column = found["Metadata"]["layoutSections"][1]["layoutColumns"][0]
    column["layoutItems"].append({"behavior": "Edit", "field": "Rating"})
    body = {"Metadata": found["Metadata"]}
    org.client.call("PATCH", f"tooling/sobjects/Layout/{layout.id}", json=body)
    done = taken(org, known(org))
    assert steps(done, StepKind.KEEP)[0] == "section ICP fit on the page layout Account Layout"


def test_what_people_put_into_the_section_while_we_work_keeps_it(
    bare: Simulator, org: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = known(org)
    [layout] = bare.org.layouts
    path, call, looks = f"tooling/sobjects/Layout/{layout.id}", org.client.call, []

    def late(method: str, asked: str, **more: Any) -> Reply:
        looks.append((method, asked))
        if looks.count(("GET", path)) == 2 and looks[-1] == ("GET", path):
            held = call("GET", path).data["Metadata"]
            held["layoutSections"][1]["layoutColumns"][0]["layoutItems"].append({"page": "CreditCheck"})
            call("PATCH", path, json={"Metadata": held})
        return call(method, asked, **more)

    monkeypatch.setattr(org.client, "call", late)
    done = taken(org, ids)
    assert steps(done, StepKind.KEEP)[0] == "section ICP fit on the page layout Account Layout"
    assert "ICP fit" in str(bare.admin("POST layouts")["layouts"])


def test_without_the_right_to_change_metadata_everything_stays_and_is_told(
    bare: Simulator, org: Parts
) -> None:
    ids = known(org)
    bare.admin("POST settings", metadata_right=False)
    done = taken(org, ids)
    assert not any(one.step.done for one in done.steps)
    assert StepKind.CONFLICT in {one.step.kind for one in done.steps}
    assert len(org.rows("SELECT Id FROM ListView")) == len(VIEWS)
