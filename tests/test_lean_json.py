"""The fast JSON says what the standard library says, whatever it is given."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync import lean_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_written_is_read_back(value):
    assert lean_json.loads(lean_json.dumps(value)) == value
    assert json.loads(lean_json.dumps(value)) == value


@given(VALUES)
def test_what_the_standard_library_wrote_is_read(value):
    assert lean_json.loads(json.dumps(value)) == value
    assert lean_json.loads(json.dumps(value).encode()) == value


@given(st.dictionaries(st.text(), st.integers(), max_size=6))
def test_equal_values_make_equal_texts(value):
    turned = dict(reversed(value.items()))
    assert lean_json.sorted_bytes(value) == lean_json.sorted_bytes(turned)


def test_lone_surrogates_and_null_characters_survive():
    for text in ("\ud800", "a\x00b", "\udfff\ud800"):
        assert lean_json.loads(lean_json.dumps([text])) == [text]


def test_not_a_number_becomes_null_and_what_is_too_large_is_infinite():
    assert lean_json.dumps([math.nan, math.inf]) == "[null,null]"
    assert lean_json.loads("[1e400]") == [math.inf]
    assert math.isnan(lean_json.loads("[NaN]")[0])


@pytest.mark.parametrize("broken", ["", "{", "[1,]", '{"a" 1}', "\x00", b"\xff\xfe", b"[\xff]"])
def test_what_is_no_json_is_refused_as_ever(broken):
    with pytest.raises(ValueError):
        json.loads(broken)
    with pytest.raises(ValueError):
        lean_json.loads(broken)
