"""The two ways a value comes in: JSON and a cell of a CSV."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.simulator.salesforce.errors import Refusal
from icp_sync.simulator.salesforce.typed import Unfit, from_cell, from_json
from tests.simulator.salesforce.org_world import OURS

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.lists(st.integers(), max_size=2),
)
FIELD = st.sampled_from(OURS)


def text_or_error(read, field, value):
    try:
        return read(field, value)
    except (Refusal, Unfit) as error:
        return error


@settings(deadline=None)
@given(field=FIELD, value=ANYTHING)
def test_any_json_value_becomes_text_or_spoils_its_request(field, value):
    found = text_or_error(from_json, field, value)
    assert isinstance(found, str) or (found.code, found.reply.status) == ("JSON_PARSER_ERROR", 400)


@settings(deadline=None)
@given(field=FIELD, cell=st.text(min_size=1, max_size=30))
def test_any_cell_becomes_text_or_fails_alone(field, cell):
    found = text_or_error(from_cell, field, cell)
    assert isinstance(found, str | Unfit)


@settings(deadline=None)
@given(value=st.decimals(min_value=-999, max_value=999, places=2, allow_nan=False))
def test_a_number_means_the_same_in_json_and_in_a_cell(value):
    score = next(field for field in OURS if field.name == "ICP_Score__c")
    assert float(from_json(score, float(value))) == float(from_cell(score, str(value)))


@settings(deadline=None)
@given(at=st.datetimes(datetime(1700, 1, 1), datetime(4000, 12, 31), timezones=st.just(UTC)))
def test_an_instant_means_the_same_in_json_and_in_a_cell(at):
    scored = next(field for field in OURS if field.type == "datetime")
    text = at.isoformat(timespec="milliseconds")
    assert from_json(scored, text) == from_cell(scored, text) == text.replace("+00:00", "Z")
