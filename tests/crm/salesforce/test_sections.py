"""Our section of a page layout: in, out, and nothing else touched, whatever the layout holds."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from icp_sync.crm.salesforce.views import sections
from tests.crm.salesforce.world import OURS

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
    made = sections.added(layout, OURS)
    assert layout == before
    assert sections.shows(made, OURS) == "ours"
    assert sections.lacking(made, OURS) == ()
    assert sections.same_beside(layout, made)
    taken = sections.removed(made)
    assert taken["layoutSections"] == (layout["layoutSections"] or [])
    assert {key: taken[key] for key in layout if key != "layoutSections"} == {
        key: layout[key] for key in layout if key != "layoutSections"
    }


@given(layouts)
def test_no_field_is_put_where_it_stands_already(layout: dict[str, Any]) -> None:
    there = sections.placed(layout)
    made = sections.added(layout, OURS)
    [mine] = [one for one in made["layoutSections"] if one["label"] == sections.LABEL]
    added = [item["field"].lower() for column in mine["layoutColumns"] for item in column["layoutItems"]]
    assert not there & set(added)
    assert len(added) == len(set(added))


def test_a_change_beside_our_section_is_noticed() -> None:
    layout: dict[str, Any] = {"layoutSections": [{"label": "Account Information"}], "relatedLists": ["x"]}
    made = sections.added(layout, OURS)
    assert not sections.same_beside(layout, {**made, "relatedLists": []})
    assert sections.same_beside(layout, {**made, "headers": None})


def test_the_seal_is_on_no_layout() -> None:
    assert OURS["seal"] not in [name for half in sections.columns(OURS) for name in half]
