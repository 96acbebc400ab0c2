"""/query and /queryAll over HTTP: documents, pages, locators, snapshots, refusals."""

from __future__ import annotations

import pytest

from salesforce.served_org import DATA, Client, served


@pytest.fixture
def crm():
    with served() as running:
        yield running


@pytest.fixture
def client(crm):
    return Client(crm)


def make(crm, count=1, **properties):
    """New accounts' ids."""
    return crm.admin("POST create", type="accounts", properties={"Name": "x", **properties}, count=count)[
        "ids"
    ]


def ask(client, soql, path="query", **how):
    status, body = client.json("GET", path, params={"q": soql}, **how)
    assert status == 200, body
    return body


def follow(client, page, **how):
    status, body = client.json("GET", page["nextRecordsUrl"], **how)
    assert status == 200, body
    return body


def refusal(client, soql, path="query"):
    status, body = client.json("GET", path, params={"q": soql})
    return status, body[0]["errorCode"], body[0]["message"]


def test_a_record_comes_with_its_type_its_address_and_typed_values(crm, client):
    (made,) = make(crm, Name="Acme", NumberOfEmployees=50, AnnualRevenue=1.5e6)
    body = ask(
        client,
        "select id, name, NumberOfEmployees, AnnualRevenue, IsDeleted, Phone, SystemModstamp from account",
    )
    assert body == {
        "totalSize": 1,
        "done": True,
        "records": [
            {
                "attributes": {"type": "Account", "url": f"{DATA}/sobjects/Account/{made}"},
                "Id": made,
                "Name": "Acme",
                "NumberOfEmployees": 50,
                "AnnualRevenue": 1_500_000.0,
                "IsDeleted": False,
                "Phone": None,
                "SystemModstamp": "2026-11-21T12:00:00.000+0000",
            }
        ],
    }


def test_a_parents_fields_come_as_a_document_of_their_own(crm, client):
    (parent,) = make(crm, Name="Parent")
    make(crm, Name="Child", ParentId=parent)
    found = ask(client, "SELECT Name, Parent.Name, Parent.Owner.IsActive FROM Account ORDER BY Name")[
        "records"
    ]
    assert found[0]["Parent"]["Name"] == "Parent"
    assert found[0]["Parent"]["attributes"]["url"] == f"{DATA}/sobjects/Account/{parent}"
    assert found[0]["Parent"]["Owner"]["attributes"]["type"] == "User"
    assert found[1]["Parent"] is None


def test_counts_and_groups_have_documents_of_their_own(crm, client):
    make(crm, 3, Industry="Retail")
    make(crm, 2)
    assert ask(client, "SELECT COUNT() FROM Account") == {"totalSize": 5, "done": True, "records": []}
    body = ask(client, "SELECT Industry, COUNT(Id) n FROM Account GROUP BY Industry ORDER BY Industry")
    assert body["totalSize"] == 2
    kind = {"attributes": {"type": "AggregateResult"}}
    assert body["records"] == [kind | {"Industry": None, "n": 2}, kind | {"Industry": "Retail", "n": 3}]


def test_pages_hold_two_thousand_records_and_each_names_the_next(crm, client):
    made = make(crm, 4_100)
    first = ask(client, "SELECT Id FROM Account ORDER BY Id")
    assert (first["totalSize"], first["done"], len(first["records"])) == (4_100, False, 2_000)
    assert first["nextRecordsUrl"].startswith(f"{DATA}/query/0r8")
    assert first["nextRecordsUrl"].endswith("-2000")
    second = follow(client, first)
    third = follow(client, second)
    assert (third["done"], len(third["records"]), "nextRecordsUrl" in third) == (True, 100, False)
    found = [r["Id"] for page in (first, second, third) for r in page["records"]]
    assert found == made
    assert follow(client, first) == second


@pytest.mark.parametrize(
    ("asked", "got"), [("200", 200), ("1", 200), ("300", 300), ("9999", 2_000), ("x", 2_000)]
)
def test_the_batch_size_is_kept_between_two_hundred_and_two_thousand(crm, client, asked, got):
    make(crm, 2_001)
    headers = {"Sforce-Query-Options": f"batchSize={asked}"}
    assert len(ask(client, "SELECT Id FROM Account", headers=headers)["records"]) == got


def test_later_pages_keep_the_size_of_the_first_unless_told_otherwise(crm, client):
    make(crm, 900)
    first = ask(client, "SELECT Id FROM Account", headers={"Sforce-Query-Options": "batchSize=250"})
    assert len(follow(client, first)["records"]) == 250
    assert len(follow(client, first, headers={"Sforce-Query-Options": "batchSize=400"})["records"]) == 400


def test_two_long_texts_make_pages_of_two_hundred(crm, client):
    fields = [{"name": f"Long{n}__c", "type": "textarea", "length": 4_000} for n in (1, 2)]
    for define in fields:
        crm.admin("POST fields", object="Account", define=define)
    crm.admin("POST fields", object="Account", show=[define["name"] for define in fields])
    make(crm, 450)
    assert len(ask(client, "SELECT Id, Long1__c FROM Account")["records"]) == 450
    assert len(ask(client, "SELECT Id, Long1__c, Long2__c FROM Account")["records"]) == 200


def test_pages_may_be_smaller_than_asked_for(crm, client):
    crm.admin("POST settings", page_size=7)
    make(crm, 20)
    page = ask(client, "SELECT Id FROM Account")
    sizes = [len(page["records"])]
    while not page["done"]:
        page = follow(client, page)
        sizes.append(len(page["records"]))
    assert sizes == [7, 7, 6]


def test_a_locator_shows_what_there_was_when_it_was_asked_for(crm, client):
    made = make(crm, 300, Industry="Retail")
    first = ask(
        client,
        "SELECT Id, Industry FROM Account WHERE Industry = 'Retail' ORDER BY Id",
        headers={"Sforce-Query-Options": "batchSize=200"},
    )
    crm.admin("POST edit", id=made[250], properties={"Industry": "Banking"})
    crm.admin("POST delete", id=made[251])
    make(crm, 5, Industry="Retail")
    second = follow(client, first)
    assert [record["Id"] for record in second["records"]] == made[200:]
    assert {record["Industry"] for record in second["records"]} == {"Retail"}


def test_a_locator_is_good_for_two_days(crm, client):
    make(crm, 300)
    crm.admin("POST tokens", token=crm.token, expired=False)
    first = ask(client, "SELECT Id FROM Account", headers={"Sforce-Query-Options": "batchSize=200"})
    crm.admin("POST clock", advance=172_700)
    assert follow(client, first)["done"]
    crm.admin("POST clock", advance=200)
    status, body = client.json("GET", first["nextRecordsUrl"])
    assert (status, body[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


@pytest.mark.parametrize("locator", ["nothing", "0r8000000000001AAA-2000", "0r8000000000001-5", "001-1", "-"])
def test_a_locator_nobody_gave_is_refused(client, locator):
    status, body = client.json("GET", f"query/{locator}")
    assert (status, body[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def test_query_all_also_shows_the_recycle_bin_for_fifteen_days(crm, client):
    kept, gone, loser = make(crm, 3)
    crm.admin("POST delete", id=gone)
    crm.admin("POST merge", **{"from": loser, "into": kept})
    soql = "SELECT Id, IsDeleted, MasterRecordId FROM Account ORDER BY Id"
    assert [r["Id"] for r in ask(client, soql)["records"]] == [kept]
    found = ask(client, soql, path="queryAll")["records"]
    assert [(r["Id"], r["IsDeleted"], r["MasterRecordId"]) for r in found] == [
        (kept, False, None),
        (gone, True, None),
        (loser, True, kept),
    ]
    crm.admin("POST clock", advance=15 * 86_400)
    assert [r["Id"] for r in ask(client, soql, path="queryAll")["records"]] == [kept]


def test_an_account_that_is_not_shared_is_in_no_answer(crm, client):
    kept, hidden = make(crm, 2)
    crm.admin("POST access", hide=[hidden])
    assert [r["Id"] for r in ask(client, "SELECT Id FROM Account")["records"]] == [kept]


def test_a_field_without_rights_spoils_the_whole_query(crm, client):
    crm.admin("POST fields", object="Account", define={"name": "Secret__c", "type": "string", "length": 20})
    crm.admin("POST fields", object="Account", hide=["Secret__c"])
    status, code, message = refusal(client, "SELECT Id, Secret__c FROM Account")
    assert (status, code) == (400, "INVALID_FIELD")
    assert "SELECT Id, Secret__c FROM" in message
    assert "ERROR at Row:1:Column:12" in message
    assert "No such column 'Secret__c' on entity 'Account'" in message
    crm.admin("POST fields", object="Account", hide=["Industry"])
    assert refusal(client, "SELECT Id FROM Account WHERE Industry = null")[1] == "INVALID_FIELD"


def test_bad_queries_are_refused_with_the_reason(client):
    assert refusal(client, "SELECT Id FRM Account")[:2] == (400, "MALFORMED_QUERY")
    assert refusal(client, "SELECT Id FROM Nothing__c")[:2] == (400, "INVALID_TYPE")
    assert refusal(client, "")[:2] == (400, "MALFORMED_QUERY")
    status, body = client.json("GET", "query")
    assert (status, body[0]["errorCode"]) == (400, "MALFORMED_QUERY")
    assert client.call("POST", "query", json={"q": "SELECT Id FROM Account"}).status_code == 405


def test_an_address_longer_than_the_front_takes_is_refused(client):
    listed = ", ".join(f"'{n:015}'" for n in range(900))
    answer = client.call("GET", "query", params={"q": f"SELECT Id FROM Account WHERE Name IN ({listed})"})
    assert answer.status_code in (414, 431)


def test_more_groups_than_a_page_holds_are_refused(crm, client):
    crm.admin("POST settings", page_size=3)
    for n in range(4):
        make(crm, Name=f"n{n}")
    status, code, _ = refusal(client, "SELECT Name, COUNT(Id) FROM Account GROUP BY Name")
    assert (status, code) == (400, "EXCEEDED_ID_LIMIT")


def test_a_reset_org_knows_no_locator_of_its_former_life(crm, client):
    make(crm, 300)
    first = ask(client, "SELECT Id FROM Account", headers={"Sforce-Query-Options": "batchSize=200"})
    crm.admin("POST reset")
    assert client.call("GET", first["nextRecordsUrl"]).status_code == 400
