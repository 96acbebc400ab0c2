"""Whatever is sent, the simulator answers as an API does and never fails by itself."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simulator_client import COMPANIES, PROPERTIES, Client

from icp_sync.simulator import Simulator

BATCH = ["inputs", "id", "idProperty", "properties", "propertiesWithHistory", "objectWriteTraceId"]
SEARCH = ["filterGroups", "filters", "propertyName", "operator", "value", "highValue", "values", "sorts"]
PAGING = ["direction", "query", "limit", "after"]
DEFINITION = ["name", "label", "type", "fieldType", "groupName", "options", "hasUniqueValue"]
KEYS = st.sampled_from([*BATCH, *SEARCH, *PAGING, *DEFINITION, "primaryObjectId", "objectIdToMerge"])
WORDS = ["name", "hs_object_id", "hs_lastmodifieddate", "createdate", "EQ", "BETWEEN", "IN", "GT", "LT"]
ODD = [
    "1",
    "0",
    "-1",
    "2026-11-21",
    "9" * 30,
    "\ud800",
    "\x00",
    "a;b",
    "number",
    "date",
    "companyinformation",
]
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.sampled_from(WORDS),
    st.sampled_from(ODD),
)
BODIES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
TARGETS = st.sampled_from(
    [
        ("POST", f"{COMPANIES}/search"),
        ("POST", COMPANIES),
        ("PATCH", f"{COMPANIES}/1"),
        ("POST", f"{COMPANIES}/merge"),
        *(
            ("POST", f"{COMPANIES}/batch/{verb}")
            for verb in ("read", "create", "update", "upsert", "archive")
        ),
        ("POST", PROPERTIES),
        ("PATCH", f"{PROPERTIES}/custom"),
        ("POST", f"{PROPERTIES}/groups"),
        ("POST", f"{PROPERTIES}/batch/create"),
        ("POST", f"{PROPERTIES}/batch/read"),
        ("POST", "/__simulator/edit"),
        ("POST", "/__simulator/faults"),
    ]
)

CUSTOM = {
    "name": "custom",
    "label": "C",
    "type": "string",
    "fieldType": "text",
    "groupName": "companyinformation",
}


@pytest.fixture(scope="module")
def client():
    with Simulator(accounts=5, index_lag=0) as crm:
        Client(crm).post(PROPERTIES, CUSTOM)
        yield Client(crm)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TARGETS, st.dictionaries(KEYS, BODIES, max_size=4))
def test_no_body_makes_the_simulator_fail(client, target, body):
    method, path = target
    answer = client.call(method, path, data=json.dumps(body), headers={"Content-Type": "application/json"})
    assert "the simulator failed" not in answer.text, answer.text
    assert answer.status_code in (200, 201, 204, 207, 400, 404, 409, 500)
    client.crm.admin("DELETE faults")


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[" * 100_000, b'"x"', b"null", b""])
def test_no_bytes_make_the_simulator_fail(client, body):
    for path in (COMPANIES, f"{COMPANIES}/search", "/__simulator/edit"):
        answer = client.call("POST", path, data=body)
        assert "the simulator failed" not in answer.text
        assert answer.status_code in (200, 201, 400)


@pytest.mark.parametrize(
    "query", ["limit=x", "after=x", "after=" + "9" * 40, "archived=maybe", "limit=-1", "x=%ff"]
)
def test_no_query_makes_the_simulator_fail(client, query):
    for path in (COMPANIES, "/crm/v3/owners", PROPERTIES, "/__simulator/writes", "/__simulator/find"):
        answer = client.call("GET", f"{path}?{query}")
        assert "the simulator failed" not in answer.text
        assert answer.status_code in (200, 400)
