"""Whatever is sent to the endpoints that write, the answer is one the API knows."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.salesforce.org_world import DATA, an_org


@pytest.fixture(scope="module")
def world():
    with an_org() as running:
        running.known = running.make()
        yield running


SCALAR = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
JSON = st.recursive(
    SCALAR, lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=6), one, max_size=3)
)
NAMES = st.sampled_from(
    ["attributes", "id", "Id", "Name", "OwnerId", "NumberOfEmployees", "ICP_Hold__c", "ICP_Score__c", "url"]
)
RECORD = st.dictionaries(NAMES, JSON | st.just({"type": "Account"}), max_size=4)
BODY = st.one_of(
    JSON,
    RECORD,
    st.fixed_dictionaries({"records": st.lists(RECORD | JSON, max_size=3), "allOrNone": JSON}),
    st.fixed_dictionaries(
        {"ids": JSON | st.lists(JSON, max_size=3), "fields": JSON | st.lists(JSON, max_size=3)}
    ),
    st.fixed_dictionaries({"compositeRequest": st.lists(RECORD | JSON, max_size=2)}),
    st.fixed_dictionaries({"batchRequests": st.lists(RECORD | JSON, max_size=2)}),
    st.fixed_dictionaries({"object": JSON | st.just("Account"), "operation": JSON | st.just("upsert")}),
)
PLACES = (
    ("POST", "sobjects/Account"),
    ("PATCH", "sobjects/Account/{known}"),
    ("PATCH", "sobjects/Account/ICP_Key__c/k"),
    ("POST", "composite/sobjects"),
    ("PATCH", "composite/sobjects"),
    ("POST", "composite/sobjects/Account"),
    ("POST", "composite"),
    ("POST", "composite/batch"),
    ("POST", "jobs/ingest"),
)


@given(place=st.sampled_from(PLACES), body=BODY)
def test_any_json_gets_an_answer(world, place, body):
    method, path = place
    answer = world.call(method, path.format(known=world.known), data=json.dumps(body).encode())
    assert answer.status_code < 500
    assert not answer.content or answer.json() is not None


@given(place=st.sampled_from(PLACES), body=st.binary(min_size=1, max_size=40))
def test_any_bytes_get_an_answer(world, place, body):
    method, path = place
    assert world.call(method, path.format(known=world.known), data=body).status_code < 500


WORD = st.text(st.characters(codec="ascii", exclude_characters="/?#%", min_codepoint=33), max_size=12)


@given(words=st.lists(WORD, min_size=1, max_size=4), method=st.sampled_from(["GET", "DELETE"]))
def test_any_path_below_the_objects_gets_an_answer(world, words, method):
    path = f"{DATA}/sobjects/Account/{'/'.join(words)}"
    assert world.call(method, path, params={"start": words[0], "ids": words[-1]}).status_code < 500
