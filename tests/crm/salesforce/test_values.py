"""One text for a value however Salesforce prints it, one JSON value for a text, and nothing that raises."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.crm.salesforce.columns import Column, Columns, text_of
from icp_sync.crm.salesforce.ids import account_id, long_id, number, numbered
from icp_sync.crm.salesforce.reads.snapshot import rows_of
from icp_sync.crm.salesforce.values import UnfitError
from icp_sync.domain.standing import FIELDS
from tests.crm.contract import OWNED
from tests.crm.salesforce.reads import Reads, reading


@pytest.fixture(scope="module")
def reads() -> Iterator[Reads]:
    with reading() as found:
        yield found


# Ids


@pytest.mark.parametrize(
    ("short", "whole"),
    [("001D000000IRFma", "001D000000IRFmaIAH"), ("00130000000xxxx", "00130000000xxxxAAA")],
)
def test_an_id_of_fifteen_characters_is_the_one_of_eighteen(short: str, whole: str) -> None:
    assert long_id(short) == whole
    assert long_id(whole) == whole


@pytest.mark.parametrize("text", ["", "1", "987654321", "001D000000IRFmaIAX", "001D000000IRFm'", "x" * 18])
def test_what_is_no_id_is_none(text: str) -> None:
    assert long_id(text) == ""


def test_a_users_id_is_no_accounts() -> None:
    assert account_id("005D000000IRFma") == ""
    assert account_id("001D000000IRFma") == "001D000000IRFmaIAH"


@given(st.integers(0, 62**12 - 1), st.integers(0, 62**12 - 1))
def test_ids_are_in_order_of_their_numbers(one: int, other: int) -> None:
    first, second = numbered("001", one), numbered("001", other)
    assert long_id(first) == first
    assert number(first) == one
    assert (first < second) is (one < other)


# The same from JSON and from CSV


def _printed(draw: st.DrawFn, kind: str) -> tuple[object, str]:
    """A value of a type as the REST API's JSON has it, and as the Bulk API's CSV does."""
    if draw(st.booleans()) and kind != "boolean":
        return None, ""
    if kind == "boolean":
        yes = draw(st.booleans())
        return yes, "true" if yes else "false"
    if kind == "int":
        whole = draw(st.integers(-(10**9), 10**9))
        return whole, str(whole)
    if kind == "currency":
        amount = draw(st.floats(-1e15, 1e15, allow_nan=False))
        return amount, draw(st.sampled_from([repr(amount), f"{amount:.17E}"]))
    if kind == "datetime":
        at = datetime.fromtimestamp(draw(st.integers(0, 4_000_000_000)), UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{at}.000+0000", f"{at}.000Z"
    text = draw(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
    return text, text


TYPES = ("string", "boolean", "int", "currency", "datetime", "textarea", "picklist")


@st.composite
def records(draw: st.DrawFn) -> list[tuple[object, str]]:
    return [_printed(draw, kind) for kind in TYPES]


@given(st.lists(records(), max_size=4))
def test_a_record_says_the_same_as_json_and_as_a_row_of_csv(found: list[list[tuple[object, str]]]) -> None:
    every = tuple(
        Column(name=f"F{at}", keys=(f"F{at}",), text=text_of(kind)) for at, kind in enumerate(TYPES)
    )
    shown = Columns(every=every)
    page = io.StringIO(newline="")
    writer = csv.writer(page, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(shown.names)
    writer.writerows([text for _, text in record] for record in found)
    rows = list(rows_of(io.BytesIO(page.getvalue().encode()), shown.names))
    assert len(rows) == len(found)
    for record, row in zip(found, rows, strict=True):
        printed = json.loads(json.dumps(dict(zip(shown.names, (value for value, _ in record), strict=True))))
        assert shown.of_row(row) == shown.of_json(printed)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("double", 72.0, "72"),
        ("double", "1.0E7", "10000000"),
        ("currency", 1e22, "10000000000000000000000"),
        ("double", "NaN", "NaN"),
        ("double", "1e999", "1e999"),
        ("boolean", True, "true"),
        ("datetime", "2026-11-22T10:00:07.000+0000", "2026-11-22T10:00:07.000Z"),
        ("datetime", "soon", "soon"),
        ("string", " a ", " a "),
        ("textarea", "a\r\nb", "a\nb"),
        ("reference", "001D000000IRFma", "001D000000IRFmaIAH"),
        ("date", "2026-11-22", "2026-11-22"),
    ],
)
def test_a_value_has_one_text(kind: str, value: object, text: str) -> None:
    assert text_of(kind)(value) == text


# Canonical forms and back


@pytest.mark.parametrize(
    ("field", "canonical", "wire"),
    [
        ("fit_score", "72", 72),
        ("fit_score", "72.5", 72.5),
        ("fit_score", "", None),
        ("tier", "A", "A"),
        ("tier", "", None),
        ("flags", "a;b", "a;b"),
        ("tier_changed_at", "2026-11-21T22:00:00.000Z", "2026-11-21T22:00:00.000Z"),
        ("target_account", "true", True),
        ("target_account", "", False),
        ("routed_owner", "", None),
    ],
)
def test_a_canonical_value_is_typed_for_the_wire_and_comes_back(
    reads: Reads, field: str, canonical: str, wire: object
) -> None:
    sent = reads.values.wire(field, canonical)
    assert (sent, type(sent)) == (wire, type(wire))
    assert reads.values.canonical(field, sent) == (canonical or ("false" if wire is False else ""))


def test_a_user_is_an_id_on_the_wire(reads: Reads) -> None:
    sent = reads.values.wire("owner", OWNED)
    assert isinstance(sent, str)
    assert sent.startswith("005")
    assert reads.values.canonical("owner", sent) == OWNED
    assert reads.values.canonical("owner", sent[:15]) == OWNED


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("fit_score", "many", "no number"),
        ("fit_score", "NaN", "no number"),
        ("fit_score", "1e999", "no number"),
        ("tier_changed_at", "soon", "no instant"),
        ("target_account", "perhaps", "neither"),
        ("owner", "nobody@sales.example", "nobody@sales.example"),
        ("owner", "#123", "no id"),
        ("routed_owner", "nobody@sales.example", "nobody"),
    ],
)
def test_a_value_that_does_not_fit_is_said_and_not_sent(
    reads: Reads, field: str, value: str, said: str
) -> None:
    with pytest.raises(UnfitError, match=said):
        reads.values.wire(field, value)


@given(
    raw=st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=40)),
    field=st.sampled_from(sorted(FIELDS)),
)
def test_whatever_salesforce_holds_has_a_canonical_form(reads: Reads, raw: object, field: str) -> None:
    once = reads.values.canonical(field, raw)
    assert reads.values.canonical(field, once) == once
