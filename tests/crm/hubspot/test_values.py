"""Values survive the way to HubSpot and back, and whatever a record holds becomes an account."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from icp_sync.crm.hubspot.records import Json
from icp_sync.crm.hubspot.values import NoSuchOwnerError, Values, merged_ids, properties_of, stamp_of
from icp_sync.domain.standing import FIELDS, Field, FieldType, instant_text, number_text
from tests.crm.contract import OWNED
from tests.crm.hubspot.world import PROPERTIES, Portal

OWNERS = (OWNED, "gwen.former@sales.example", "#999999")


@pytest.fixture(scope="module")
def values() -> Iterator[Values]:
    portal = Portal()
    yield portal.crm._values
    portal.close()


def canonical(field: Field) -> st.SearchStrategy[str]:
    """Values of a field in canonical form."""
    word = st.text(st.characters(codec="utf-8", exclude_characters=";\r"), min_size=1).map(str.strip)
    by_type: dict[FieldType, st.SearchStrategy[str]] = {
        FieldType.ENUM: st.sampled_from(field.options or ("x",)),
        FieldType.NUMBER: st.floats(-1e15, 1e15).map(number_text),
        FieldType.TEXT: word,
        FieldType.LONG_TEXT: word,
        FieldType.DATETIME: st.integers(0, 4_102_444_800_000).map(lambda ms: instant_text(ms / 1000)),
        FieldType.MULTI: st.sets(word.filter(bool), min_size=1).map(lambda parts: ";".join(sorted(parts))),
        FieldType.OWNER: st.sampled_from(OWNERS),
        FieldType.YES_NO: st.sampled_from(("true", "false")),
    }
    return st.one_of(st.just(""), by_type[field.type])


@given(data=st.data(), name=st.sampled_from(sorted(FIELDS)))
def test_a_canonical_value_written_and_read_is_itself(values: Values, data: st.DataObject, name: str) -> None:
    value = data.draw(canonical(FIELDS[name]))
    assert values.canonical(name, values.wire(name, value)) == value


@given(raw=st.one_of(st.none(), st.text(), st.floats().map(str), st.integers().map(str)))
@example(raw="18000000000114")  # a millisecond that a double of seconds holds only nearly
def test_whatever_hubspot_holds_has_one_canonical_form(values: Values, raw: str | None) -> None:
    for name in FIELDS:
        once = values.canonical(name, raw)
        assert values.canonical(name, once) == once


def test_owners_are_ids_on_the_wire_and_emails_with_us(values: Values) -> None:
    id = values.wire("owner", OWNED)
    assert id.isdecimal()
    assert values.canonical("owner", id) == OWNED
    assert values.canonical("routed_owner", id) == OWNED
    assert values.wire("owner", OWNED.upper()) == id


def test_an_owner_hubspot_does_not_list_keeps_its_id(values: Values) -> None:
    assert values.canonical("owner", "4711") == "#4711"
    assert values.wire("owner", "#4711") == "4711"


def test_one_who_left_is_still_known_by_email(values: Values) -> None:
    id = values.wire("owner", "gwen.former@sales.example")
    assert values.canonical("owner", id) == "gwen.former@sales.example"


def test_an_unknown_email_cannot_be_written(values: Values) -> None:
    with pytest.raises(NoSuchOwnerError, match=r"ghost@sales\.example"):
        values.wire("owner", "ghost@sales.example")


@pytest.mark.parametrize(
    "record",
    [
        {"id": 17},
        {"id": "17", "properties": None},
        {"id": "17", "properties": []},
        {"id": "17", "properties": {"name": None, "hs_lastmodifieddate": "soon", "numberofemployees": 12}},
        {"id": "17", "properties": {"name": 5, "hubspot_owner_id": "", "is_public": True}, "updatedAt": 3},
        {"id": "17", "properties": {"name": "\ud83d", "annualrevenue": "NaN", "numberofemployees": "-1e308"}},
        {"id": "17", "properties": {"name": "x" * 65_536, "domain": "http://169.254.169.254/"}},
    ],
)
def test_a_record_of_any_shape_becomes_an_account(values: Values, record: Json) -> None:
    [account] = values.accounts([(record, 1_000_000)], PROPERTIES, currency="USD")
    assert account.id == "17"
    named = record.get("properties") or ()
    assert set(account.live) == {field for field, name in PROPERTIES.items() if name in named}


def test_a_blank_property_is_a_field_and_one_the_record_does_not_name_is_none(values: Values) -> None:
    record: Json = {"id": "17", "properties": {"icp_tier": None, "icp_lane": "sales"}}
    [read] = values.accounts([(record, 1_000_000)], PROPERTIES, currency="USD")
    assert read.live == {"tier": "", "lane": "sales"}


def test_a_stamp_is_the_property_before_the_records_own() -> None:
    record = {
        "id": "1",
        "properties": {"hs_lastmodifieddate": "2024-10-28T16:39:01.173Z"},
        "updatedAt": "2025-01-01T00:00:00Z",
    }
    assert stamp_of(record) == 1_730_133_541_173
    assert stamp_of({"id": "1", "updatedAt": "2024-10-28T16:39:01.173Z"}) == 1_730_133_541_173


def test_the_ids_merged_into_a_record_are_a_list() -> None:
    assert merged_ids({"id": "1", "properties": {"hs_merged_object_ids": "17;18"}}) == {"17", "18"}
    assert merged_ids({"id": "1", "properties": {"hs_merged_object_ids": None}}) == frozenset()


def test_values_that_are_no_text_are_put_as_text() -> None:
    assert properties_of({"id": "1", "properties": {"a": True, "b": 7, "c": None}}) == {
        "a": "true",
        "b": "7",
        "c": None,
    }
