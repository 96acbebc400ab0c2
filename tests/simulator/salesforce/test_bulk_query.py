"""Bulk API 2.0 query jobs over HTTP: states, CSV, pages, versions, restrictions."""

from __future__ import annotations

import csv
import io

import pytest

from icp_sync.simulator.salesforce.bulk_query import DAY, MOST_JOBS_A_DAY, Jobs
from icp_sync.simulator.salesforce.errors import Refusal
from salesforce.served_org import NOON, Client, served


@pytest.fixture
def crm():
    with served() as running:
        yield running


@pytest.fixture
def client(crm):
    return Client(crm)


def make(crm, count=1, **properties):
    return crm.admin("POST create", type="accounts", properties={"Name": "x", **properties}, count=count)[
        "ids"
    ]


def start(client, soql, operation="query", **more):
    status, body = client.json("POST", "jobs/query", {"operation": operation, "query": soql, **more})
    assert status == 200, body
    return body


def refusal(client, method, path, body=None, **how):
    status, said = client.json(method, path, body, **how)
    return status, said[0]["errorCode"]


def page(client, job, **params):
    answer = client.call("GET", f"jobs/query/{job}/results", params=params, headers={"Accept": "text/csv"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/csv"
    return answer


def rows(text, **how):
    return list(csv.DictReader(io.StringIO(text, newline=""), **how))


def test_a_job_tells_what_it_is_and_when_it_is_done(crm, client):
    make(crm, 3)
    job = start(client, "SELECT Id FROM Account")
    assert job["id"].startswith("750")
    assert {name: job[name] for name in ("operation", "object", "state", "contentType", "apiVersion")} == {
        "operation": "query",
        "object": "Account",
        "state": "UploadComplete",
        "contentType": "CSV",
        "apiVersion": 66.0,
    }
    _, done = client.json("GET", f"jobs/query/{job['id']}")
    assert (done["state"], done["jobType"], done["numberRecordsProcessed"]) == ("JobComplete", "V2Query", 3)
    assert done["isPkChunkingSupported"] is True
    _, listed = client.json("GET", "jobs/query")
    assert [one["id"] for one in listed["records"]] == [job["id"]]


def test_a_job_takes_the_time_it_is_told_to(crm, client):
    crm.admin("POST settings", bulk_seconds=60)
    job = start(client, "SELECT Id FROM Account")["id"]

    def state():
        return client.json("GET", f"jobs/query/{job}")[1]["state"]

    assert state() == "UploadComplete"
    assert refusal(client, "GET", f"jobs/query/{job}/results") == (400, "INVALIDJOBSTATE")
    assert refusal(client, "DELETE", f"jobs/query/{job}") == (400, "INVALIDJOBSTATE")
    crm.admin("POST clock", advance=30)
    assert state() == "InProgress"
    crm.admin("POST clock", advance=30)
    assert state() == "JobComplete"


def test_every_field_is_quoted_and_line_ends_and_quotes_survive(crm, client):
    (parent,) = make(crm, Name="Parent")
    make(
        crm,
        Name='Say "hi", ok',
        Description="one\ntwo",
        NumberOfEmployees=5,
        AnnualRevenue=10,
        ParentId=parent,
    )
    soql = (
        "SELECT Name, Description, NumberOfEmployees, AnnualRevenue, IsDeleted, CreatedDate, Phone, "
        "Parent.Name FROM Account WHERE ParentId != null"
    )
    text = page(client, start(client, soql)["id"]).text
    assert text.startswith('"Name","Description","NumberOfEmployees",')
    assert '"Say ""hi"", ok"' in text
    (row,) = rows(text)
    assert row["Description"].replace("\r\n", "\n") == "one\ntwo"
    assert {name: row[name] for name in row if name != "Description"} == {
        "Name": 'Say "hi", ok',
        "NumberOfEmployees": "5",
        "AnnualRevenue": "10.0",
        "IsDeleted": "false",
        "CreatedDate": "2026-11-21T12:00:00.000Z",
        "Phone": "",
        "Parent.Name": "Parent",
    }


def test_delimiter_and_line_end_are_as_asked_for(crm, client):
    make(crm, 2, Name="a;b")
    job = start(client, "SELECT Id, Name FROM Account", columnDelimiter="SEMICOLON", lineEnding="CRLF")
    text = page(client, job["id"]).content.decode()
    assert text.count("\r\n") == 3
    assert [row["Name"] for row in rows(text, delimiter=";")] == ["a;b", "a;b"]


def test_pages_follow_the_locator_until_it_is_the_word_null(crm, client):
    made = make(crm, 25)
    job = start(client, "SELECT Id FROM Account ORDER BY Id")["id"]
    found, locators, locator = [], [], ""
    while locator != "null":
        answer = page(client, job, maxRecords="10", **({"locator": locator} if locator else {}))
        part = rows(answer.text)
        assert int(answer.headers["Sforce-NumberOfRecords"]) == len(part)
        found += [row["Id"] for row in part]
        locator = answer.headers["Sforce-Locator"]
        locators.append(locator)
    assert found == made
    assert len(locators) == 3
    assert locators[0] == "MTA"


def test_the_server_may_choose_smaller_pages(crm, client):
    crm.admin("POST settings", bulk_page=4)
    make(crm, 5)
    answer = page(client, start(client, "SELECT Id FROM Account")["id"], maxRecords="1000")
    assert answer.headers["Sforce-NumberOfRecords"] == "4"
    assert answer.headers["Sforce-Locator"] != "null"


def test_an_empty_answer_is_a_header_and_no_more_pages(client):
    answer = page(client, start(client, "SELECT Id, Name FROM Account WHERE Name = 'nobody'")["id"])
    assert answer.text == '"Id","Name"\n'
    assert (answer.headers["Sforce-NumberOfRecords"], answer.headers["Sforce-Locator"]) == ("0", "null")


def test_rows_come_in_no_order_of_their_ids_unless_asked_for(crm, client):
    made = make(crm, 700)
    loose = [row["Id"] for row in rows(page(client, start(client, "SELECT Id FROM Account")["id"]).text)]
    assert sorted(loose) == made
    assert loose != made
    job = start(client, "SELECT Id FROM Account ORDER BY Id")
    assert [row["Id"] for row in rows(page(client, job["id"]).text)] == made
    assert client.json("GET", f"jobs/query/{job['id']}")[1]["isPkChunkingSupported"] is False


def test_pages_can_be_read_side_by_side(crm, client):
    made = make(crm, 65)
    job = start(client, "SELECT Id FROM Account ORDER BY Id")["id"]
    _, first = client.json("GET", f"jobs/query/{job}/resultPages", params={"maxRecords": "10"})
    assert (len(first["resultPages"]), first["done"]) == (5, False)
    _, second = client.json("GET", first["nextRecordsUrl"], params={"maxRecords": "10"})
    assert (len(second["resultPages"]), second["done"]) == (2, True)
    urls = [one["resultUrl"] for one in (*first["resultPages"], *second["resultPages"])]
    found = [row["Id"] for url in urls for row in rows(client.call("GET", url).text)]
    assert found == made


def test_results_are_those_of_the_moment_the_job_was_made(crm, client):
    (one,) = make(crm, Industry="Retail")
    job = start(client, "SELECT Id, Industry FROM Account")["id"]
    crm.admin("POST edit", id=one, properties={"Industry": "Banking"})
    make(crm)
    assert rows(page(client, job).text) == [{"Id": one, "Industry": "Retail"}]


def test_query_all_reads_the_recycle_bin_too(crm, client):
    kept, gone = make(crm, 2)
    crm.admin("POST delete", id=gone)
    job = start(client, "SELECT Id, IsDeleted FROM Account ORDER BY Id", operation="queryAll")["id"]
    assert rows(page(client, job).text) == [
        {"Id": kept, "IsDeleted": "false"},
        {"Id": gone, "IsDeleted": "true"},
    ]


def test_results_are_read_with_the_version_the_job_was_made_with(client):
    job = start(client, "SELECT Id FROM Account")["id"]
    other = f"/services/data/v65.0/jobs/query/{job}/results"
    assert refusal(client, "GET", other)[0] == 409
    assert client.json("GET", f"/services/data/v65.0/jobs/query/{job}")[0] == 200
    old = "/services/data/v57.0/jobs/query"
    job = client.json("POST", old, {"operation": "query", "query": "SELECT Id FROM Account"})[1]["id"]
    assert client.call("GET", f"{old}/{job}/results").status_code == 200
    assert client.call("GET", f"{old}/{job}/resultPages").status_code == 404


def test_a_job_can_be_aborted_while_it_works_and_deleted_when_it_does_not(crm, client):
    crm.admin("POST settings", bulk_seconds=60)
    job = f"jobs/query/{start(client, 'SELECT Id FROM Account')['id']}"
    assert refusal(client, "PATCH", job, {"state": "UploadComplete"}) == (400, "INVALIDJOBSTATE")
    status, told = client.json("PATCH", job, {"state": "Aborted"})
    assert (status, told["state"]) == (200, "Aborted")
    assert refusal(client, "GET", f"{job}/results") == (400, "INVALIDJOBSTATE")
    assert client.call("DELETE", job).status_code == 204
    assert client.call("GET", job).status_code == 404


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT COUNT() FROM Account", "API_ERROR"),
        ("SELECT COUNT(Id) FROM Account", "API_ERROR"),
        ("SELECT Industry FROM Account GROUP BY Industry", "API_ERROR"),
        ("SELECT Id FROM Account OFFSET 5", "API_ERROR"),
        ("SELECT Id FROM", "MALFORMED_QUERY"),
        ("SELECT Nope FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
        ("", "INVALIDJOB"),
        (5, "INVALIDJOB"),
    ],
)
def test_what_a_bulk_query_cannot_do_is_refused_at_once(client, soql, code):
    assert refusal(client, "POST", "jobs/query", {"operation": "query", "query": soql}) == (400, code)


@pytest.mark.parametrize(
    "more",
    [
        {"operation": "upsert"},
        {"columnDelimiter": "SPACE"},
        {"lineEnding": "CR"},
        {"columnDelimiter": ["COMMA"]},
    ],
)
def test_a_job_that_is_none_is_refused(client, more):
    body = {"operation": "query", "query": "SELECT Id FROM Account", **more}
    assert refusal(client, "POST", "jobs/query", body) == (400, "INVALIDJOB")


@pytest.mark.parametrize(
    "params",
    [{"locator": "!!"}, {"locator": "OTk5"}, {"maxRecords": "0"}, {"maxRecords": "-1"}, {"maxRecords": "x"}],
)
def test_a_page_there_is_not_is_refused(client, params):
    job = start(client, "SELECT Id FROM Account")["id"]
    assert client.call("GET", f"jobs/query/{job}/results", params=params).status_code == 400


def test_a_job_nobody_made_is_not_found(client):
    for path in ("jobs/query/750000000000001AAA", "jobs/query/x", "jobs/query/x/results"):
        assert client.call("GET", path).status_code == 404


def test_the_day_has_an_end_of_jobs():
    jobs = Jobs()
    numbers = {jobs.next_number(NOON) for _ in range(MOST_JOBS_A_DAY)}
    assert len(numbers) == MOST_JOBS_A_DAY
    with pytest.raises(Refusal) as caught:
        jobs.next_number(NOON + DAY - 1)
    assert caught.value.code == "LIMIT_EXCEEDED"
    assert jobs.next_number(NOON + DAY) not in numbers


def test_a_query_job_has_no_properties_but_its_own(client):
    wanted = {"operation": "query", "query": "SELECT Id FROM Account"}
    assert refusal(client, "POST", "jobs/query", {**wanted, "nope": 1}) == (400, "JSON_PARSER_ERROR")
    job = start(client, wanted["query"], contentType="CSV")
    path = f"jobs/query/{job['id']}"
    assert refusal(client, "PATCH", path, {"state": "Aborted", "nope": 1}) == (400, "JSON_PARSER_ERROR")
