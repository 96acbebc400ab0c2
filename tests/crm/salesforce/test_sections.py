"""Our section of a page layout: in, out, and nothing else touched, whatever the layout holds."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.crm.salesforce.views import sections
from tests.crm.salesforce.world import OURS, STANDARD

OWN = sections.of(STANDARD)

NAMES = ["Name", "Phone", "Rating", OURS["tier"], OURS["reasons"]]

items = st.lists(
    st.one_of(
        st.builds(lambda name: {"behavior": "Edit", "field": name}, st.sampled_from(NAMES)),
        st.just({"emptySpace": True}),
        st.just({"field": None, "canvas": "a component"}),
    ),
    max_size=4,
)
section = st.fixed_dictionaries(
    {
        "label": st.sampled_from(["Account Information", "Address", "ICP"]),
        "layoutColumns": st.lists(st.fixed_dictionaries({"layoutItems": st.none() | items}), max_size=2)
        | st.none(),
        "style": st.just("TwoColumnsTopToBottom"),
    }
)
layouts = st.fixed_dictionaries(
    {"layoutSections": st.none() | st.lists(section, max_size=4)},
    optional={
        "relatedLists": st.just([{"relatedList": "RelatedContactList"}]),
        "emailDefault": st.just(False),
    },
)


@given(layouts)
def test_with_and_without_is_as_it_was(layout: dict[str, Any]) -> None:
    before = copy.deepcopy(layout)
    made = sections.added(layout, OWN)
    assert layout == before
    assert sections.shows(made, OWN) == "ours"
    assert sections.lacking(made, OWN) == ()
    assert sections.same_beside(layout, made, OWN)
    taken = sections.removed(made, OWN)
    assert taken["layoutSections"] == (layout["layoutSections"] or [])
    assert {key: taken[key] for key in layout if key != "layoutSections"} == {
        key: layout[key] for key in layout if key != "layoutSections"
    }


@given(layouts)
def test_no_field_is_put_where_it_stands_already(layout: dict[str, Any]) -> None:
    there = sections.placed(layout)
    made = sections.added(layout, OWN)
    [mine] = [one for one in made["layoutSections"] if one["label"] == sections.LABEL]
    added = [item["field"].lower() for column in mine["layoutColumns"] for item in column["layoutItems"]]
    assert not there & set(added)
    assert len(added) == len(set(added))


def test_a_change_beside_our_section_is_noticed() -> None:
    layout: dict[str, Any] = {"layoutSections": [{"label": "Account Information"}], "relatedLists": ["x"]}
    made = sections.added(layout, OWN)
    assert not sections.same_beside(layout, {**made, "relatedLists": []}, OWN)
    assert sections.same_beside(layout, {**made, "headers": None}, OWN)


def test_the_seal_is_on_no_layout() -> None:
    assert OURS["seal"] not in [name for half in sections.columns(OURS) for name in half]


def _layout(*held: dict[str, Any], label: str = sections.LABEL) -> dict[str, Any]:
    return {"layoutSections": [{"label": label, "layoutColumns": [{"layoutItems": list(held)}]}]}


@pytest.mark.parametrize(
    "more",
    [
        {"page": "CreditCheck", "height": 200},
        {"customLink": "Dossier"},
        {"component": "runtime:thing"},
        {"canvas": "App"},
        {"reportChartComponent": {"reportName": "x"}},
        {"field": "Rating", "behavior": "Edit"},
    ],
)
def test_a_section_with_anything_of_somebody_elses_in_it_is_theirs(more: dict[str, Any]) -> None:
    tier = {"behavior": "Readonly", "field": OURS["tier"]}
    assert sections.shows(_layout(tier, {"emptySpace": True}), OWN) == "ours"
    theirs = _layout(tier, more)
    assert sections.shows(theirs, OWN) == "theirs"
    assert sections.removed(theirs, OWN) == theirs


@pytest.mark.parametrize("held", [(), ({"emptySpace": True},), ({"page": "CreditCheck"},)])
def test_a_section_of_our_name_without_anything_of_ours_is_theirs(held: tuple[dict[str, Any], ...]) -> None:
    assert sections.shows(_layout(*held), OWN) == "theirs"


def test_our_section_is_known_under_the_name_people_give_it() -> None:
    made = sections.added({"layoutSections": [{"label": "Account Information"}]}, OWN)
    mine = made["layoutSections"][1]
    mine["label"] = "Fit (ours)"
    assert sections.called(sections.ours(made, OWN) or {}, OWN) == "Fit (ours)"
    assert sections.removed(made, OWN)["layoutSections"] == [{"label": "Account Information"}]
    single = _layout({"behavior": "Edit", "field": OURS["tier"]}, label="My tier")
    assert sections.shows(single, OWN) == "", "one field of ours in a section of their own is theirs"


def test_fields_of_earlier_settings_leave_the_section_ours_and_it_is_renewed_in_its_place() -> None:
    old = replace(STANDARD, fields={name: f"Old_{made}" for name, made in OURS.items()})
    made = sections.added({"layoutSections": [{"label": "First"}]}, sections.of(old))
    now = sections.of(replace(STANDARD, made=frozenset(old.fields.values())))
    found = sections.ours(made, now)
    assert found is not None
    assert sections.outdated(found, now)
    again = sections.renewed(made, now)
    assert [one["label"] for one in again["layoutSections"]] == ["First", sections.LABEL]
    assert sections.lacking(again, now) == ()
    mine = sections.ours(again, now)
    assert mine is not None
    assert not sections.outdated(mine, now)
    assert sections.shows(made, sections.of(STANDARD)) == "theirs", "nobody wrote those down"


def test_what_another_installation_put_there_is_not_ours() -> None:
    made = sections.added({"layoutSections": []}, OWN)
    assert sections.shows(made, sections.of(replace(STANDARD, proven=False))) == "theirs"
