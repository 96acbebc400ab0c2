"""What comes before every endpoint: addresses, versions, limits, headers, faults."""

import gzip
import http.client
import json
import socket

import pytest
import requests

from icp_sync.simulator.salesforce.endpoints import ENDPOINTS
from icp_sync.simulator.salesforce.refusals import KINDS
from salesforce.served_org import DATA, Client, served

BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


@pytest.fixture
def crm():
    with served() as running:
        yield running


@pytest.fixture
def client(crm):
    return Client(crm)


def codes(answer):
    return [entry["errorCode"] for entry in answer.json()]


@pytest.mark.parametrize(
    "path", ["limits", "limits/", "LIMITS", "/services/data/v31.0/limits", "/Services/Data/V68.0/limits/"]
)
def test_an_address_may_be_written_in_any_case_with_a_slash_behind_it(client, path):
    assert client.json("GET", path)[0] == 200


def test_addresses_in_answers_are_in_the_version_that_was_asked_for(client):
    _, body = client.json("GET", "/services/data/v59.0/sobjects/Account/describe")
    assert body["urls"]["describe"] == "/services/data/v59.0/sobjects/Account/describe"
    assert client.json("GET", "/services/data/v60.0/")[1]["query"] == "/services/data/v60.0/query"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/services/data/v30.0/limits", 410, "UNSUPPORTED_API_VERSION"),
        ("/services/data/v69.0/limits", 404, "NOT_FOUND"),
        ("/services/data/latest/limits", 404, "NOT_FOUND"),
        ("nowhere", 404, "NOT_FOUND"),
        ("/elsewhere", 404, "NOT_FOUND"),
        ("sobjects/Nothing__c/describe", 404, "NOT_FOUND"),
    ],
)
def test_what_is_not_there_is_said_so(client, path, status, code):
    answer = client.call("GET", path)
    assert (answer.status_code, codes(answer)) == (status, [code])


def test_a_method_an_endpoint_does_not_have_is_refused(client):
    answer = client.call("DELETE", "limits")
    assert (answer.status_code, codes(answer)) == (405, ["METHOD_NOT_ALLOWED"])


def test_the_versions_are_listed_without_a_session(crm):
    listed = requests.get(crm.url + "/services/data/", timeout=20).json()
    assert [listed[0]["version"], listed[-1]["version"]] == ["31.0", "68.0"]
    assert listed[-1] == {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"}


@pytest.mark.parametrize(
    "credential", [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic x"}]
)
def test_without_a_session_nothing_is_answered(crm, credential):
    answer = requests.get(f"{crm.url}{DATA}/limits", headers=credential, timeout=20)
    assert answer.status_code == 401
    assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def test_every_answer_has_the_orgs_usage_and_the_orgs_time(crm, client):
    crm.admin("POST settings", plan="free")
    first, second = client.call("GET", "limits"), client.call("GET", "sobjects")
    assert first.headers["Sforce-Limit-Info"].startswith("api-usage=1/15000")
    assert second.headers["Sforce-Limit-Info"].startswith("api-usage=2/15000; per-app-api-usage=2/15000(")
    assert first.headers["Date"] == "Sat, 21 Nov 2026 12:00:00 GMT"
    assert first.headers["Content-Type"] == "application/json;charset=UTF-8"
    crm.admin("POST settings", per_app_usage=False)
    assert client.call("GET", "limits").headers["Sforce-Limit-Info"] == "api-usage=3/15000"


def test_a_used_up_day_refuses_everything_and_names_no_time_to_come_back(crm, client):
    crm.admin("POST settings", daily_limit=2)
    assert [client.call("GET", "limits").status_code for _ in range(3)] == [200, 200, 403]
    refused = client.call("GET", "limits")
    assert codes(refused) == ["REQUEST_LIMIT_EXCEEDED"]
    assert "Retry-After" not in refused.headers
    assert crm.admin("GET stats")["limited"] == 2
    crm.admin("POST clock", advance=86_400)
    assert client.call("GET", "limits").status_code == 200


def test_the_limits_resource_trails_the_requests_really_made(crm, client):
    crm.admin("POST settings", plan="free")

    def left():
        return client.json("GET", "limits")[1]["DailyApiRequests"]

    assert [left(), left()] == [{"Max": 15_000, "Remaining": 15_000}] * 2
    crm.admin("POST clock", advance=300)
    assert left()["Remaining"] == 14_998
    crm.admin("POST settings", limits_lag=0)
    assert left()["Remaining"] == 14_996


def test_the_org_tells_its_currency(crm, client):
    crm.admin("POST settings", currency="EUR", multi_currency=True)
    _, body = client.json("GET", "connect/organization")
    assert body["orgId"] == crm.org.id
    assert (body["features"]["defaultCurrencyIsoCode"], body["features"]["multiCurrency"]) == ("EUR", True)


@pytest.mark.parametrize("wanted", [True, False])
def test_answers_over_a_kilobyte_are_compressed_for_who_asks(client, wanted):
    headers = {"Accept-Encoding": "gzip" if wanted else "identity"}
    answer = client.call("GET", "sobjects/Account/describe", headers=headers, stream=True)
    raw = answer.raw.read()
    assert ("gzip" in answer.headers.get("Content-Encoding", "")) == wanted
    assert json.loads(gzip.decompress(raw) if wanted else raw)["name"] == "Account"
    small = client.call("GET", "connect/organization", headers=headers)
    assert "Content-Encoding" not in small.headers


def test_json_is_printed_prettily_for_who_asks(client):
    plain = client.call("GET", "limits", headers={"X-PrettyPrint": "0"}).text
    pretty = client.call("GET", "limits", headers={"X-PrettyPrint": "1"}).text
    assert (plain.count("\n"), pretty.count("\n") > 10) == (0, True)
    assert json.loads(plain) == json.loads(pretty)


def test_a_body_may_come_in_chunks(client):
    def pieces():
        yield b'{"allOrNone": false, '
        yield b'"records": [{"attributes": {"type": "Account"}, "Name": "Acme"}]}'

    headers = {"Content-Type": "application/json"}
    answer = client.call("POST", "composite/sobjects", data=pieces(), headers=headers)
    assert (answer.status_code, answer.json()[0]["success"]) == (200, True)
    assert client.query("SELECT Name FROM Account") == [{"Name": "Acme"}]


def chunked(crm, body):
    """The answer to a request whose chunked body is written by hand."""
    head = f"POST {DATA}/composite/sobjects HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
    head += "Content-Type: application/json\r\n"
    head += f"Authorization: Bearer {crm.token}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(crm.url.rpartition(":")[2])), timeout=10) as peer:
        peer.sendall(head.encode() + body)
        peer.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(peer)
        answer.begin()
        return answer.status


def test_extensions_and_trailers_of_chunks_are_left_aside(crm):
    body = b'e;x=y\r\n{"records": []\r\n1\r\n}\r\n0\r\nX-Trailer: 1\r\n\r\n'
    assert chunked(crm, body) == 200


@pytest.mark.parametrize("body", [b"zz\r\n{}\r\n", b"2\r\n{}{}\r\n", b"FFFFFFFF\r\n{}", b"", b"5\r\n{}"])
def test_malformed_chunks_are_refused_and_hang_nobody(crm, body):
    assert chunked(crm, body) == 411


def test_heads_beyond_sixteen_kilobytes_are_refused(client):
    assert client.call("GET", "query", params={"q": "x" * 17_000}).status_code == 414
    assert client.call("GET", "query", params={"q": "x" * 16_250}).status_code == 431


def test_soap_logs_nobody_in(crm):
    for version, code in (("66.0", "UNSUPPORTED_API_VERSION"), ("59.0", "INVALID_OPERATION")):
        answer = requests.post(f"{crm.url}/services/Soap/u/{version}", data="<x/>", timeout=20)
        assert (answer.status_code, f"<sf:exceptionCode>{code}<" in answer.text) == (500, True)


ANSWERS = [
    ("401", 401, "INVALID_SESSION_ID"),
    ("401_html", 401, "<h1>401 Unauthorized</h1>"),
    ("401_object", 401, '"error":"invalid_session"'),
    ("403", 403, "API_DISABLED_FOR_ORG"),
    ("404", 404, "NOT_FOUND"),
    ("409", 409, "CONFLICT"),
    ("412", 412, ""),
    ("423", 200, "UNABLE_TO_LOCK_ROW"),
    ("429", 403, "ConcurrentRequests"),
    ("429_retry_after", 429, "429 Too Many Requests"),
    ("429_daily", 403, "TotalRequests Limit exceeded."),
    ("477", 503, "SERVER_UNAVAILABLE"),
    ("500", 500, "UNKNOWN_EXCEPTION"),
    ("502_html", 502, "<h1>502 Bad Gateway</h1>"),
    ("503", 503, ""),
    ("504", 504, "504 Gateway Time-out"),
    ("524", 524, "524: A timeout occurred"),
    ("concurrent_limit", 403, "REQUEST_LIMIT_EXCEEDED"),
    ("empty_200", 200, ""),
    ("empty_results", 200, "[]"),
    ("error_200", 200, "UNKNOWN_EXCEPTION"),
    ("html_200", 200, "<h1>Login | Salesforce</h1>"),
    ("invalid_locator", 400, "INVALID_QUERY_LOCATOR"),
    ("maintenance", 503, "maintenance"),
    ("query_timeout", 400, "QUERY_TIMEOUT"),
    ("request_limit", 403, "REQUEST_LIMIT_EXCEEDED"),
    ("unable_to_lock_row", 200, "UNABLE_TO_LOCK_ROW"),
]


def rename(account, name):
    record = {"attributes": {"type": "Account"}, "id": account, "Name": name}
    return {"allOrNone": False, "records": [record]}


@pytest.mark.parametrize(("kind", "status", "words"), ANSWERS, ids=[kind for kind, *_ in ANSWERS])
def test_a_pretended_answer_comes_instead_of_the_write(crm, client, kind, status, words):
    made = crm.admin("POST create", properties={"Name": "Acme"})["id"]
    crm.admin("POST faults", rules=[{"kind": kind, "match": "PATCH composite/sobjects", "nth": 1}])
    answer = client.call("PATCH", "composite/sobjects", json=rename(made, "Other"))
    assert answer.status_code == status
    assert words in answer.text
    assert client.query("SELECT Name FROM Account") == [{"Name": "Acme"}]
    assert client.call("PATCH", "composite/sobjects", json=rename(made, "Other")).json()[0]["success"] is True


@pytest.mark.parametrize(
    ("kind", "applied"),
    [("reset", False), ("timeout", False), ("reset_after_apply", True), ("truncated", True)],
)
def test_a_broken_connection_tells_nothing_of_what_was_done(crm, client, kind, applied):
    made = crm.admin("POST create", properties={"Name": "Acme"})["id"]
    crm.admin("POST faults", rules=[{"kind": kind, "match": "PATCH", "nth": 1, "seconds": 0.05}])
    with pytest.raises(BROKEN):
        client.call("PATCH", "composite/sobjects", json=rename(made, "Other"))
    assert client.query("SELECT Name FROM Account") == [{"Name": "Other" if applied else "Acme"}]


def test_a_single_row_that_is_locked_is_a_refusal(crm, client):
    made = crm.admin("POST create", properties={"Name": "Acme"})["id"]
    crm.admin("POST faults", rules=[{"kind": "unable_to_lock_row", "nth": 1}])
    answer = client.call("PATCH", f"sobjects/Account/{made}", json={"Name": "Other"})
    assert (answer.status_code, codes(answer)) == (400, ["UNABLE_TO_LOCK_ROW"])


def test_every_second_row_of_a_mixed_collection_is_locked(crm, client):
    ids = crm.admin("POST create", count=5)["ids"]
    crm.admin("POST faults", rules=[{"kind": "207_mixed", "match": "composite/sobjects", "nth": 1}])
    records = [rename(account, f"n{n}")["records"][0] for n, account in enumerate(ids)]
    _, rows = client.json("PATCH", "composite/sobjects", {"allOrNone": False, "records": records})
    assert [row["success"] for row in rows] == [True, False, True, False, True]
    found = {row["Name"] for row in client.query("SELECT Name FROM Account")}
    assert found == {"n0", "n2", "n4", "Unnamed account"}


def test_a_session_that_is_over_stays_so(crm, client):
    crm.admin("POST faults", rules=[{"kind": "401_session", "nth": 1}])
    assert [client.call("GET", "limits").status_code for _ in range(3)] == [401] * 3


def test_a_csv_may_end_in_its_middle_without_a_word(crm, client):
    crm.admin("POST create", count=9)
    _, job = client.json("POST", "jobs/query", {"operation": "query", "query": "SELECT Id FROM Account"})
    crm.admin("POST faults", rules=[{"kind": "short_csv", "match": "results", "nth": 1}])

    def read():
        return client.call("GET", f"jobs/query/{job['id']}/results", headers={"Accept": "text/csv"})

    short, whole = read(), read()
    assert (len(short.text.splitlines()), len(whole.text.splitlines())) == (5, 10)
    assert short.headers["Sforce-NumberOfRecords"] == whole.headers["Sforce-NumberOfRecords"] == "9"


@pytest.mark.parametrize(
    ("soql", "left"), [("SELECT Id FROM Account", 5), ("SELECT Id FROM Account WHERE Name = 'none'", 0)]
)
def test_a_csv_may_end_within_a_row_without_a_word(crm, client, soql, left):
    crm.admin("POST create", count=9)
    _, job = client.json("POST", "jobs/query", {"operation": "query", "query": soql})
    crm.admin("POST faults", rules=[{"kind": "truncated_csv", "match": "results", "nth": 1}])

    def read():
        return client.call("GET", f"jobs/query/{job['id']}/results", headers={"Accept": "text/csv"})

    cut, whole = read(), read()
    assert cut.status_code == 200
    assert cut.text.count("\n") == left
    assert whole.text.startswith(cut.text)
    assert cut.text[-1] != "\n" != whole.text[len(cut.text)]
    assert cut.headers["Sforce-NumberOfRecords"] == whole.headers["Sforce-NumberOfRecords"]


@pytest.mark.parametrize("kind", ["short_csv", "truncated_csv"])
def test_what_is_no_csv_is_not_cut(crm, client, kind):
    crm.admin("POST create", properties={"Name": "Acme"})
    crm.admin("POST faults", rules=[{"kind": kind}])
    assert client.query("SELECT Name FROM Account") == [{"Name": "Acme"}]


def test_every_kind_of_fault_is_tried_here_or_breaks_the_wire():
    wire = {"refused", "slow", "drip", "gzip_garbage", "timeout_after_apply", "401_expired"}
    tried = {kind for kind, *_ in ANSWERS} | {"401_session", "short_csv", "truncated_csv", "207_mixed"}
    assert set(KINDS) - tried - wire == {"reset", "timeout", "reset_after_apply", "truncated"}


def test_the_log_of_requests_shows_the_headers_that_decide_what_a_write_does(crm, client):
    client.call("GET", "limits", headers={"sforce-auto-assign": "FALSE", "Sforce-Call-Options": "client=x"})
    [entry] = crm.admin("GET requests")["results"]
    assert (entry["endpoint"], entry["status"]) == ("GET limits", 200)
    assert entry["headers"] == {"Sforce-Auto-Assign": "FALSE", "Sforce-Call-Options": "client=x"}


BODIES = [
    b"",
    b"[]",
    b"{}",
    b'{"records": [null, 7, {"attributes": 1}], "ids": [1], "fields": [{}]}',
    b"\xff{",
]
PARTS = ["Account", "001000000000000AAA", "%00x", "nothing"]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("part", PARTS)
def test_no_request_however_odd_makes_the_simulator_fail(crm, client, part, body):
    crm.admin("POST create", count=2)
    for routes in ENDPOINTS.by_length.values():
        for parts, route in routes:
            path = "/".join(part if word == "*" else word for word in parts)
            answer = client.call(route.method, path, data=body, params={"q": "SELECT", "fields": ","})
            assert "the simulator failed" not in answer.text, (route.method, path, answer.text)
            assert answer.status_code < 500, (route.method, path, answer.text)
