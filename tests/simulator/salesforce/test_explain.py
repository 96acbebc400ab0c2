"""`query?explain=`: the plans of a query, best first; and a 412 that says why, where a switch has it so."""

from __future__ import annotations

import pytest

from salesforce.served_org import Client, served


@pytest.fixture
def crm():
    with served() as running:
        yield running


@pytest.fixture
def client(crm):
    return Client(crm)


def plans(client, where):
    status, body = client.json(
        "GET", "query", params={"explain": f"SELECT Id FROM Account WHERE {where} AND IsDeleted = false"}
    )
    assert status == 200, body
    return [(plan["leadingOperationType"], plan["fields"]) for plan in body["plans"]]


SINCE = "> 2020-01-01T00:00:00Z"


def test_an_indexed_filter_leads_and_a_scan_is_always_possible(client):
    scan = ("TableScan", [])
    assert plans(client, f"SystemModstamp {SINCE}") == [("Index", ["SystemModstamp"]), scan]
    assert plans(client, "NumberOfEmployees > 3") == [scan]


@pytest.mark.parametrize("indexed", [True, False])
def test_whether_last_modified_date_has_an_index_is_a_switch(crm, client, indexed):
    crm.admin("POST settings", last_modified_indexed=indexed)
    first, _ = plans(client, f"LastModifiedDate {SINCE}")[0]
    assert first == ("Index" if indexed else "TableScan")


def test_a_query_that_is_none_is_not_explained(client):
    status, body = client.json("GET", "query", params={"explain": "SELECT Nothing"})
    assert (status, body[0]["errorCode"]) == (400, "MALFORMED_QUERY")


@pytest.mark.parametrize("told", [True, False])
def test_a_412_says_why_only_by_a_switch(crm, client, told):
    crm.admin("POST settings", precondition_body=told)
    made = crm.admin("POST create", properties={"Name": "x"})["id"]
    since = {"If-Unmodified-Since": "Thu, 01 Jan 2015 00:00:00 GMT"}
    status, body = client.json("PATCH", f"sobjects/Account/{made}", {"Name": "y"}, headers=since)
    assert status == 412
    assert bool(body) is told
