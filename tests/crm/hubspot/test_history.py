"""Whose hand gave a property its values: editors by source, ourselves by what we wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.crm.hubspot import history
from icp_sync.crm.hubspot.history import Hands, Version
from icp_sync.ports import Edit, Editor
from tests.crm.contract import OWNED, write_one
from tests.crm.hubspot.test_writing import calls
from tests.crm.hubspot.world import PROPERTIES, Portal, connect


def past(portal: Portal, id: str, field: str = "tier") -> tuple[Edit, ...]:
    return portal.crm.history([id], [field])[id][field]


def edit(portal: Portal, id: str, source: str, source_id: str = "", **fields: str) -> None:
    properties = {PROPERTIES[name]: value for name, value in fields.items()}
    portal.simulator.admin("POST edit", id=id, properties=properties, source=source, source_id=source_id)


@pytest.mark.parametrize(
    ("source", "by"),
    [
        ("CRM_UI", Editor.PERSON),
        ("CRM_UI_BULK_ACTION", Editor.PERSON),
        ("MOBILE_IOS", Editor.PERSON),
        ("MOBILE_ANDROID", Editor.PERSON),
        ("AUTOMATION_PLATFORM", Editor.WORKFLOW),
        ("WORKFLOWS", Editor.WORKFLOW),
        ("IMPORT", Editor.IMPORT),
        ("INTEGRATION", Editor.APP),
        ("API", Editor.APP),
        ("DATA_ENRICHMENT", Editor.APP),
        ("MERGE_OBJECTS", Editor.UNKNOWN),
        ("SOMETHING_NEW", Editor.UNKNOWN),
        ("", Editor.UNKNOWN),
    ],
)
def test_an_editor_is_classed_by_the_kind_of_its_source(portal: Portal, source: str, by: Editor) -> None:
    id = portal.create()
    edit(portal, id, source, "4711", tier="B")
    assert [edit.by for edit in past(portal, id)] == [by]


def test_a_person_is_named_by_their_user_and_an_app_by_its_id(portal: Portal) -> None:
    id = portal.create()
    portal.simulator.admin("POST edit", id=id, properties={"icp_tier": "A"}, user=42)
    edit(portal, id, "INTEGRATION", "551234", tier="B")
    assert [edit.who for edit in past(portal, id)] == ["551234", "userId:42"]


def test_our_own_writes_are_known_from_the_first_one_confirmed_on(portal: Portal) -> None:
    first, second = portal.create_many(2)
    portal.edit_as(second, Editor.APP, tier="C")
    write_one(portal.crm, first, tier="A")
    portal.advance(60)
    edit(portal, second, "INTEGRATION", "19083857", tier="B")  # our credentials, from an earlier life of ours
    assert [edit.by for edit in past(portal, second)] == [Editor.APP, Editor.APP]
    assert [edit.by for edit in past(portal, first)] == [Editor.OURS]
    assert [edit.by for edit in past(portal, second)] == [Editor.OURS, Editor.APP]


def test_after_a_restart_the_seal_says_which_app_we_are(portal: Portal) -> None:
    sealed, plain = portal.create_many(2)
    write_one(portal.crm, sealed, tier="A", seal="icp1;000000000000;tier=0123456789")
    write_one(portal.crm, plain, tier="A")
    portal.edit_as(sealed, Editor.APP, tier="C")
    fresh = connect(portal.simulator)
    told = fresh.history([sealed, plain], ["tier"])
    assert [edit.by for edit in told[sealed]["tier"]] == [Editor.APP, Editor.OURS]
    assert [edit.by for edit in told[plain]["tier"]] == [Editor.APP]
    fresh.close()


def test_an_app_that_writes_what_we_wrote_at_another_time_is_not_taken_for_us(portal: Portal) -> None:
    id = portal.create()
    write_one(portal.crm, id, tier="A")
    portal.advance(60)
    portal.edit_as(id, Editor.APP, tier="B")
    portal.advance(60)
    portal.edit_as(id, Editor.APP, tier="A")
    told = past(portal, id)
    assert [(edit.value, edit.by) for edit in told] == [
        ("A", Editor.APP),
        ("B", Editor.APP),
        ("A", Editor.OURS),
    ]


def test_a_history_that_lags_behind_the_value_is_not_told(portal: Portal) -> None:
    id = portal.create()
    write_one(portal.crm, id, tier="A", lane="sales")
    portal.simulator.admin("POST settings", history_lag=5.0)
    portal.advance(60)
    portal.edit(id, tier="B")
    told = portal.crm.history([id], ["tier", "lane"])[id]
    assert told.keys() == {"lane"}
    portal.advance(5)
    assert [edit.by for edit in past(portal, id)] == [Editor.PERSON, Editor.OURS]


def test_versions_of_one_millisecond_keep_hubspots_order(portal: Portal) -> None:
    id = portal.create()
    write_one(portal.crm, id, tier="A")
    portal.edit(id, tier="B")
    write_one(portal.crm, id, tier="C")
    told = past(portal, id)
    assert [edit.value for edit in told] == ["C", "B", "A"]
    assert len({edit.at for edit in told}) == 1


def test_of_more_than_twenty_versions_the_last_twenty_are_told(portal: Portal) -> None:
    id = portal.create()
    for score in range(30):
        write_one(portal.crm, id, fit_score=str(score))
    assert [edit.value for edit in past(portal, id, "fit_score")] == [str(n) for n in range(29, 9, -1)]


def test_values_are_told_in_canonical_form(portal: Portal) -> None:
    id = portal.create()
    write_one(portal.crm, id, owner=OWNED, flags="b2c;agency")
    write_one(portal.crm, id, owner="", flags="")
    told = portal.crm.history([id], ["owner", "flags"])[id]
    assert [edit.value for edit in told["owner"]] == ["", OWNED]
    assert [edit.value for edit in told["flags"]] == ["", "agency;b2c"]


def test_a_field_that_never_had_a_value_has_an_empty_past(portal: Portal) -> None:
    assert past(portal, portal.create()) == ()


def test_fifty_accounts_are_one_call_and_asking_for_nothing_is_none(portal: Portal) -> None:
    ids = portal.create_many(120)
    portal.crm.history([*ids, *ids], ["tier", "tier", "lane"])
    assert calls(portal, "POST batch/read") == 3
    portal.crm.history(ids, [])
    portal.crm.history(ids, ["shoe_size"])
    portal.crm.history([], ["tier"])
    assert calls(portal, "POST batch/read") == 3


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"propertiesWithHistory": None},
        {"propertiesWithHistory": ["icp_tier"]},
        {"propertiesWithHistory": {"icp_tier": "A"}},
        {"propertiesWithHistory": {"icp_tier": [{"value": "A", "timestamp": "yesterday"}]}},
        {"propertiesWithHistory": {"icp_tier": [{"value": "A"}, None]}},
        {"propertiesWithHistory": {"icp_tier": [7]}},
    ],
)
def test_a_history_nobody_can_read_is_no_history(body: dict[str, object]) -> None:
    assert history._past(body) in (None, {})


def version(value: str, at: int, type: str, id: str = "7") -> Version:
    return Version(value=value, at=at, type=type, id=id, who="")


@pytest.mark.parametrize(
    "written",
    [
        version("A", 1_000, "CRM_UI"),  # a person typed what we wrote, in the same second
        version("A", 9_000, "INTEGRATION"),
        version("B", 1_000, "INTEGRATION"),
        version("A", 1_000, "INTEGRATION", ""),  # a source nobody could tell from another's
    ],
)
def test_only_a_programs_version_of_our_value_and_instant_makes_us_known(written: Version) -> None:
    hands = Hands()
    hands.wrote("1", {"icp_tier": "A"}, 1_000)
    assert hands.learn("1", {"icp_tier": [written]}, "") == frozenset()
    assert hands.learn("2", {"icp_tier": [version("A", 1_000, "INTEGRATION")]}, "") == frozenset()
    assert hands.learn("1", {"icp_tier": [version("A", 1_000, "INTEGRATION")]}, "") == {("INTEGRATION", "7")}


def test_what_was_written_is_remembered_of_the_last_accounts_only() -> None:
    hands = Hands()
    for number in range(history.KEPT + 1):
        hands.wrote(str(number), {"icp_tier": "A"}, 1_000)
    assert hands.learn("0", {"icp_tier": [version("A", 1_000, "API")]}, "") == frozenset()
    assert hands.learn("1", {"icp_tier": [version("A", 1_000, "API")]}, "") == {("API", "7")}


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
ENTRIES = st.dictionaries(
    st.sampled_from(["value", "timestamp", "sourceType", "sourceId", "sourceLabel", "updatedByUserId"]),
    SCALARS | st.sampled_from(["2026-11-21T22:00:00Z", "INTEGRATION", "CRM_UI", "99999999999999999999"]),
)


@given(st.dictionaries(st.text(max_size=3), SCALARS | st.lists(SCALARS | ENTRIES, max_size=4), max_size=3))
def test_whatever_stands_where_a_history_should_is_read_without_a_stumble(found: dict[str, object]) -> None:
    past = history._past({"id": "1", "propertiesWithHistory": found})
    assert past is not None
    for versions in past.values():
        assert [one.at for one in versions] == sorted((one.at for one in versions), reverse=True)
    assert Hands().learn("1", past, next(iter(past), "")) <= {v.source for vs in past.values() for v in vs}
