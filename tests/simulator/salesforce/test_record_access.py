"""UserRecordAccess, which answers one question only: what one user may do with up to 200 named records."""

import pytest

from salesforce.served_org import Client, served

FULL = "RecordId, HasReadAccess, HasEditAccess, HasTransferAccess"


@pytest.fixture
def crm():
    with served() as running:
        yield running


@pytest.fixture
def client(crm):
    return Client(crm)


@pytest.fixture
def account(crm):
    return crm.admin("POST create", properties={"Name": "Acme"})["id"]


def ask(client, columns, where, rest=""):
    return client.json("GET", "query", params={"q": f"SELECT {columns} FROM UserRecordAccess {where} {rest}"})


def about(crm, *records, user=None):
    named = ", ".join(f"'{one}'" for one in records)
    return f"WHERE UserId = '{user or crm.org.integration.id}' AND RecordId IN ({named})"


def test_one_record_or_a_list_can_be_asked_about_and_by_a_level(crm, client, account):
    us = crm.org.integration.id
    one = f"WHERE UserId = '{us}' AND RecordId = '{account}'"
    assert ask(client, FULL, one)[1]["totalSize"] == 1
    assert ask(client, FULL, about(crm, account), "ORDER BY HasEditAccess DESC LIMIT 1")[0] == 200
    by_level = "AND HasEditAccess = TRUE"
    assert ask(client, "RecordId", f"{one} {by_level}")[1]["totalSize"] == 1
    crm.admin("POST access", read_only=[account])
    assert ask(client, "RecordId", f"{one} {by_level}")[1]["totalSize"] == 0


@pytest.mark.parametrize(
    ("columns", "where", "rest"),
    [
        ("RecordId", "", ""),
        ("RecordId", "WHERE RecordId = '{account}'", ""),
        ("RecordId", "WHERE UserId = '{us}'", ""),
        ("RecordId", "WHERE UserId = '{us}' AND HasEditAccess = TRUE", ""),
        ("RecordId", "WHERE UserId = '{us}' OR RecordId = '{account}'", ""),
        ("RecordId", "WHERE UserId = '{us}' AND RecordId NOT IN ('{account}')", ""),
        ("RecordId", "WHERE UserId = '{us}' AND RecordId > '{account}'", ""),
        ("RecordId", "WHERE UserId = '{us}' AND RecordId IN (SELECT Id FROM Account)", ""),
        ("HasEditAccess", "WHERE UserId = '{us}' AND RecordId = '{account}'", ""),
        ("RecordId, UserId", "WHERE UserId = '{us}' AND RecordId = '{account}'", ""),
        (
            "RecordId, HasEditAccess",
            "WHERE UserId = '{us}' AND RecordId = '{account}' AND HasEditAccess=true",
            "",
        ),
        ("COUNT()", "WHERE UserId = '{us}' AND RecordId = '{account}'", ""),
        ("COUNT(RecordId) n", "WHERE UserId = '{us}' AND RecordId = '{account}'", ""),
        ("RecordId", "WHERE UserId = '{us}' AND RecordId = '{account}'", "ORDER BY HasEditAccess"),
    ],
)
def test_any_other_question_is_refused(crm, client, account, columns, where, rest):
    filled = where.format(us=crm.org.integration.id, account=account)
    status, body = ask(client, columns, filled, rest)
    assert (status, body[0]["errorCode"]) == (400, "MALFORMED_QUERY")


def test_no_more_than_two_hundred_records_at_once(crm, client):
    made = crm.admin("POST create", count=201)["ids"]
    assert ask(client, FULL, about(crm, *made[:200]))[1]["totalSize"] == 200
    status, body = ask(client, FULL, about(crm, *made))
    assert (status, body[0]["errorCode"]) == (400, "EXCEEDED_ID_LIMIT")


def test_contacts_and_deals_can_be_asked_about_too(crm, client, account):
    contact = crm.admin("POST create", type="contacts", account=account, properties={"LastName": "Doe"})["id"]
    deal = crm.admin("POST create", type="opportunities", account=account)["id"]
    rows = ask(client, FULL, about(crm, contact, deal, "00Q000000000001"))[1]["records"]
    assert {row["RecordId"]: row["HasEditAccess"] for row in rows} == {contact: True, deal: True}


def test_the_rights_of_others_are_for_who_sees_all_data(crm, client, account):
    seller = crm.org.user("amara.okafor@sales.example").id
    status, body = ask(client, FULL, about(crm, account, user=seller))
    assert (status, body[0]["errorCode"]) == (400, "INSUFFICIENT_ACCESS")
    crm.admin("POST tokens", token="admin's", user="admin@simulator.example")
    crm.admin("POST access", read_only=[account])
    [row] = ask(Client(crm, "admin's"), FULL, about(crm, account, user=seller))[1]["records"]
    assert (row["HasReadAccess"], row["HasEditAccess"]) == (True, False)
    gone = about(crm, account, user="005000000000001AAA")
    assert ask(Client(crm, "admin's"), FULL, gone)[1]["totalSize"] == 0


def test_it_is_described_and_queried_and_nothing_else(client, account):
    body = {"ids": [account], "fields": ["RecordId"]}
    status, said = client.json("POST", "composite/sobjects/UserRecordAccess", body)
    assert (status, said[0]["errorCode"]) == (400, "INVALID_TYPE")
    assert client.json("GET", f"sobjects/UserRecordAccess/{account}")[0] == 404
    assert "RecordId" in client.describe("UserRecordAccess")
