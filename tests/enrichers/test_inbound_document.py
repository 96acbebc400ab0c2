"""Bodies of calls: JSON as its authors meant it, or refused unquoted; HubSpot's are ids of companies."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.enrichers.inbound.document import UnreadableError, parsed
from icp_sync.enrichers.inbound.hubspot import companies
from icp_sync.enrichers.inbound.mapping import TooManyError

JANE = "jane.doe@acme.com"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[NaN]",
        b"[Infinity]",
        b"[1e999]",
        b"[" * 200_000,
        b"[" * 33 + b"]" * 33,
        b'{"a":' * 200_000,
        b"[" + b"9" * 5_000 + b"]",
        b'"' + b'\\"' * 120_000,
        b"\x00",
    ],
)
def test_what_is_no_json_we_take_is_refused_without_quoting_it(body: bytes) -> None:
    with pytest.raises(UnreadableError) as refused:
        parsed(body)
    assert str(refused.value).split(" is ")[0] == "the body"
    assert len(str(refused.value)) < 60


@given(JSON)
def test_json_of_others_is_read_as_they_meant_it(document: Any) -> None:
    try:
        text = json.dumps(document, allow_nan=False)
    except ValueError:
        return
    assert parsed(text.encode()) == document


def test_hubspots_events_name_companies_of_the_portal_and_nothing_else() -> None:
    said = [
        {"subscriptionType": "company.propertyChange", "objectId": 11, "portalId": 5, "propertyValue": JANE},
        {"subscriptionType": "company.creation", "objectId": 12, "portalId": 5},
        {"subscriptionType": "company.propertyChange", "objectId": 11, "portalId": 5},
        {"subscriptionType": "object.propertyChange", "objectTypeId": "0-2", "objectId": 13, "portalId": 5},
        {"subscriptionType": "contact.creation", "objectId": 14, "portalId": 5},
        {"subscriptionType": "company.creation", "objectId": 15, "portalId": 6},
        {"subscriptionType": "company.creation", "objectId": "16; drop", "portalId": 5},
        {"subscriptionType": "company.creation", "objectId": -1, "portalId": 5},
        "text",
    ]
    assert companies(said, "5") == (["11", "12", "13"], 5)
    assert companies(said[0], "") == (["11"], 0)
    with pytest.raises(TooManyError):
        companies(said * 200, "5")
