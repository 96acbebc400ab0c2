"""simple-salesforce carries our calls, every one of them goes through our transport, and none of what the
library does about sessions is left."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from pydantic import SecretStr

from icp_sync.crm.salesforce import Salesforce
from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.login import Credentials, Login
from icp_sync.crm.salesforce.wire import STANDING
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.http import UncertainError
from icp_sync.normalize.salesforce_fields import SALESFORCE_DEFAULTS
from icp_sync.quota import Quota, Rate

URL = "https://acme.my.salesforce.com"
DATA = f"{URL}/services/data/v66.0"
ID, OTHER = "001xx000003DGb0AAG", "001xx000003DGb1AAG"
SINCE = "Sun, 22 Nov 2026 10:00:00 GMT"
JOB = "750xx0000000001AAA"
BY_SECRET = Credentials(consumer_key="key", consumer_secret=SecretStr("secret"), my_domain="acme.my")
EXPIRED = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def client(base: str = URL, **how: Any) -> Client:
    quota = Quota({"daily": Rate(100_000, 86_400.0)})
    login = Login(BY_SECRET, base_url=base, sleep=lambda _: False)
    return Client(login=login, base_url=base, quota=quota, sleep=lambda _: False, **how)


def logins(server: responses.RequestsMock) -> int:
    return sum("oauth2/token" in str(call.request.url) for call in server.calls)


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    """Logs in whoever asks, each time with a token of its own."""
    given = iter(range(1, 100))

    def token(_: object) -> tuple[int, dict[str, str], str]:
        return 200, {}, json.dumps({"access_token": f"00D!{next(given)}", "instance_url": URL})

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback("POST", f"{URL}/services/oauth2/token", token)
        yield mock


def sent(server: responses.RequestsMock) -> list[Any]:
    return [call.request for call in server.calls if "oauth2/token" not in str(call.request.url)]


CALLS: dict[str, tuple[str, str, Any, Callable[[Client], object]]] = {
    "query": ("GET", "/query/", {"done": True, "records": []}, lambda c: list(c.query("SELECT Id FROM A"))),
    "queryAll": (
        "GET",
        "/queryAll/",
        {"done": True, "records": []},
        lambda c: list(c.query("SELECT Id FROM A", deleted=True)),
    ),
    "count": ("GET", "/query/", {"totalSize": 3}, lambda c: c.count("SELECT COUNT() FROM A")),
    "retrieve": ("POST", "/composite/sobjects/Account", [None], lambda c: c.retrieve([ID], ["Name"])),
    "describe": ("GET", "/sobjects/Account/describe", {"fields": []}, lambda c: c.describe()),
    "limits": ("GET", "/limits/", {"DailyApiRequests": {}}, lambda c: c.limits()),
    "update": ("PATCH", "/composite/sobjects", [{"success": True}], lambda c: c.update([{"id": ID}])),
    "owner": (
        "PATCH",
        f"/sobjects/Account/{ID}",
        None,
        lambda c: c.update_one(ID, {"OwnerId": "005"}, unmodified_since=SINCE),
    ),
    "open query": ("POST", "/jobs/query", {"id": JOB}, lambda c: c.open_query("SELECT Id FROM A")),
    "job": ("GET", f"/jobs/query/{JOB}", {"state": "InProgress"}, lambda c: c.job("query", JOB)),
    "abort": ("PATCH", f"/jobs/query/{JOB}", {"state": "Aborted"}, lambda c: c.abort("query", JOB)),
    "drop": ("DELETE", f"/jobs/query/{JOB}", None, lambda c: c.drop("query", JOB)),
    "open ingest": ("POST", "/jobs/ingest", {"id": JOB}, lambda c: c.open_ingest()),
    "upload": ("PUT", f"/jobs/ingest/{JOB}/batches", "", lambda c: c.upload(JOB, io.BytesIO(b"Id\n"))),
    "close": ("PATCH", f"/jobs/ingest/{JOB}", {"state": "UploadComplete"}, lambda c: c.close_ingest(JOB)),
    "deploy": (
        "POST",
        "/metadata/deployRequest",
        {"id": "0Af"},
        lambda c: c.deploy(b"zip", {"checkOnly": True}),
    ),
    "deploy status": (
        "GET",
        "/metadata/deployRequest/0Af",
        {"deployResult": {}},
        lambda c: c.deploy_status("0Af"),
    ),
}


def answer(server: responses.RequestsMock, method: str, path: str, body: Any, **how: Any) -> None:
    if body is None:
        server.add(method, DATA + path, status=204, **how)
    elif body == "":
        server.add(method, DATA + path, status=201, body="", **how)
    else:
        server.add(method, DATA + path, json=body, **how)


@pytest.mark.parametrize("name", CALLS)
def test_every_call_carries_the_standing_headers_and_the_token(
    server: responses.RequestsMock, name: str
) -> None:
    method, path, body, call = CALLS[name]
    answer(server, method, path, body)
    call(client())
    (request,) = sent(server)
    assert request.method == method
    assert STANDING.items() <= dict(request.headers).items()
    assert request.headers["Authorization"] == "Bearer 00D!1"
    assert len(request.headers["X-PrettyPrint"]) == 1


@pytest.mark.parametrize("name", CALLS)
def test_a_session_that_ends_in_the_middle_is_renewed_once_and_the_call_sent_again_with_its_headers(
    server: responses.RequestsMock, name: str
) -> None:
    method, path, body, call = CALLS[name]
    server.add(method, DATA + path, status=401, json=EXPIRED)
    answer(server, method, path, body)
    call(client())
    first, second = sent(server)
    assert {**first.headers, "Authorization": ""} == {**second.headers, "Authorization": ""}
    assert second.headers["Authorization"] == "Bearer 00D!2"
    assert second.headers["Sforce-Auto-Assign"] == "FALSE"
    assert str(first.url) == str(second.url)
    assert logins(server) == 2


@pytest.mark.parametrize("name", CALLS)
def test_a_session_that_is_never_accepted_ends_after_one_renewal(
    server: responses.RequestsMock, name: str
) -> None:
    method, path, _, call = CALLS[name]
    server.add(method, DATA + path, status=401, json=EXPIRED)
    with pytest.raises(AuthError):
        call(client())
    assert (len(sent(server)), logins(server)) == (2, 2)


@pytest.mark.parametrize("body", ['{"errorCode": "INVALID_SESSION_ID"}', "<html>no</html>", "", "[]"])
def test_a_401_of_any_shape_is_about_credentials(server: responses.RequestsMock, body: str) -> None:
    server.add("GET", f"{DATA}/limits/", status=401, body=body)
    with pytest.raises(AuthError):
        client().limits()


@pytest.mark.parametrize("name", sorted(CALLS.keys() - {"abort", "drop"}))
@pytest.mark.parametrize("body", ["<html>maintenance</html>", "7", '"text"', ""])
def test_an_answer_of_another_kind_is_unavailable_and_for_a_write_uncertain(
    server: responses.RequestsMock, name: str, body: str
) -> None:
    method, path, _, call = CALLS[name]
    server.add(method, DATA + path, status=200, body=body)
    with pytest.raises(UnavailableError):
        call(client())


@pytest.mark.parametrize("body", ["[]", "{}", "null", "[1]", '[{"success": true}, {"success": true}]'])
def test_a_collection_answered_in_an_unforeseen_way_is_uncertain(
    server: responses.RequestsMock, body: str
) -> None:
    server.add("PATCH", f"{DATA}/composite/sobjects", body=body)
    with pytest.raises(UncertainError):
        client().update([{"id": ID}])


def test_threads_whose_session_ended_share_one_login(server: responses.RequestsMock) -> None:
    def limits(request: Any) -> tuple[int, dict[str, str], str]:
        fresh = request.headers["Authorization"] != "Bearer 00D!1"
        return (200, {}, '{"a": {}}') if fresh else (401, {}, json.dumps(EXPIRED))

    server.add_callback("GET", f"{DATA}/limits/", limits)
    shared = client()
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda _: shared.limits(), range(16))) == [{"a": {}}] * 16
    assert logins(server) == 2


# Queries


def page(*names: str, more: str = "") -> dict[str, Any]:
    rows = [{"Name": name} for name in names]
    return {"totalSize": 9, "done": not more, "records": rows} | ({"nextRecordsUrl": more} if more else {})


def test_pages_follow_each_other_to_the_last_on_the_org_we_were_given(server: responses.RequestsMock) -> None:
    answer(server, "GET", "/query/", page("a", "b", more="/services/data/v66.0/query/0r8-2000"))
    answer(server, "GET", "/query/0r8-2000", page("c"))
    found = list(client().query("SELECT Name FROM Account WHERE Name != 'x & y'"))
    assert [[row["Name"] for row in rows] for rows in found] == [["a", "b"], ["c"]]
    asked = parse_qs(urlsplit(sent(server)[0].url).query)
    assert asked["q"] == ["SELECT Name FROM Account WHERE Name != 'x & y'"]


@pytest.mark.parametrize(
    "more", ["https://evil.example/services/data/v66.0/query/1", "//evil.example/", "query/1", 7, None]
)
def test_a_next_page_anywhere_else_is_not_followed(server: responses.RequestsMock, more: object) -> None:
    answer(server, "GET", "/query/", {"done": False, "records": [], "nextRecordsUrl": more})
    with pytest.raises(UnavailableError, match="does not say where"):
        list(client().query("SELECT Id FROM Account"))


def test_pages_that_lead_in_a_circle_end(server: responses.RequestsMock) -> None:
    answer(server, "GET", "/query/", page("a", more="/services/data/v66.0/query/0r8-2000"))
    answer(server, "GET", "/query/0r8-2000", page("b", more="/services/data/v66.0/query/0r8-2000"))
    with pytest.raises(UnavailableError, match="circle"):
        list(client().query("SELECT Name FROM Account"))


def test_a_cursor_that_expired_is_unavailable_and_a_bad_query_a_refusal(
    server: responses.RequestsMock,
) -> None:
    answer(server, "GET", "/query/", page("a", more="/services/data/v66.0/query/0r8-2000"))
    refusal = [{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}]
    server.add("GET", f"{DATA}/query/0r8-2000", status=400, json=refusal)
    with pytest.raises(UnavailableError, match="expired"):
        list(client().query("SELECT Name FROM Account"))
    server.replace("GET", f"{DATA}/query/", status=400, json=[{"errorCode": "INVALID_FIELD", "message": "x"}])
    with pytest.raises(RequestError) as raised:
        list(client().query("SELECT X FROM Account"))
    assert raised.value.status == 400


# Records


def test_records_come_in_the_order_asked_for_with_none_where_there_is_none(
    server: responses.RequestsMock,
) -> None:
    found = [{"Id": ID, "Name": "a"}, None]
    server.add("POST", f"{DATA}/composite/sobjects/Account", json=found)
    assert client().retrieve([ID, OTHER, ID, "x'; --"], ["Name"]) == [found[0], None, found[0], None]
    assert json.loads(sent(server)[0].body) == {"ids": [ID, OTHER], "fields": ["Id", "Name"]}


def test_a_retrieve_about_nothing_asks_nobody(server: responses.RequestsMock) -> None:
    assert client().retrieve(["", "12"], ["Name"]) == [None, None]
    assert not server.calls


def test_a_retrieve_answered_in_part_is_unavailable(server: responses.RequestsMock) -> None:
    server.add("POST", f"{DATA}/composite/sobjects/Account", json=[{"Id": ID}])
    with pytest.raises(UnavailableError, match="other records"):
        client().retrieve([ID, OTHER], ["Name"])


def test_a_collection_says_its_type_and_lets_good_rows_land(server: responses.RequestsMock) -> None:
    server.add("PATCH", f"{DATA}/composite/sobjects", json=[{"success": True}])
    client().update([{"id": ID, "ICP_Tier__c": None, "ICP_Fit__c": 72}])
    assert json.loads(sent(server)[0].body) == {
        "allOrNone": False,
        "records": [{"attributes": {"type": "Account"}, "id": ID, "ICP_Tier__c": None, "ICP_Fit__c": 72}],
    }


def test_one_record_is_written_only_if_nobody_touched_it(server: responses.RequestsMock) -> None:
    server.add("PATCH", f"{DATA}/sobjects/Account/{ID}", status=412, json=[])
    with pytest.raises(RequestError) as raised:
        client().update_one(ID, {"OwnerId": "005"}, unmodified_since=SINCE)
    assert raised.value.status == 412
    (request,) = sent(server)
    assert request.headers["If-Unmodified-Since"] == SINCE
    assert json.loads(request.body) == {"OwnerId": "005"}


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_write_whose_reply_says_nothing_of_use_is_not_sent_again(
    server: responses.RequestsMock, status: int
) -> None:
    server.add("PATCH", f"{DATA}/composite/sobjects", status=status, body="<html></html>")
    with pytest.raises(UncertainError):
        client().update([{"id": ID}])
    assert len(sent(server)) == 1


def test_an_org_whose_calls_are_used_up_is_left_alone(server: responses.RequestsMock) -> None:
    refusal = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
    server.add("GET", f"{DATA}/limits/", status=403, json=refusal)
    mine = client()
    with pytest.raises(UnavailableError) as raised:
        mine.limits()
    assert raised.value.retry_after is not None
    assert raised.value.retry_after >= 300
    with pytest.raises(UnavailableError):
        mine.describe()
    assert len(sent(server)) == 1


def test_the_rest_of_the_day_is_known_after_one_call(server: responses.RequestsMock) -> None:
    header = {"Sforce-Limit-Info": "api-usage=18/5000; per-app-api-usage=17/250(appName=x)"}
    answer(server, "GET", "/limits/", {"a": {}}, headers=header)
    mine = client()
    mine.limits()
    assert mine.transport.quota.remaining("daily") == 4982


# The rest


def test_a_deployment_is_two_parts_the_library_did_not_touch(server: responses.RequestsMock) -> None:
    answer(server, "POST", "/metadata/deployRequest", {"id": "0Af"})
    client().deploy(b"PK\x03\x04zip", {"checkOnly": True})
    (request,) = sent(server)
    found = re.fullmatch(r"multipart/form-data; boundary=(\w+)", request.headers["Content-Type"])
    assert found
    parts = request.body.split(b"--" + found[1].encode())
    assert b'{"deployOptions": {"checkOnly": true}}' in parts[1]
    assert b"PK\x03\x04zip" in parts[2]
    assert b"application/zip" in parts[2]


def test_a_job_that_is_no_more_is_forgotten(server: responses.RequestsMock) -> None:
    server.add("DELETE", f"{DATA}/jobs/query/{JOB}", status=404, json=[])
    client().drop("query", JOB)
    server.replace("DELETE", f"{DATA}/jobs/query/{JOB}", status=400, json=[])
    with pytest.raises(RequestError):
        client().drop("query", JOB)


@pytest.mark.parametrize("body", [{}, {"id": 5}, {"id": "../../x"}, []])
def test_a_job_without_an_id_of_its_own_is_unavailable(server: responses.RequestsMock, body: Any) -> None:
    server.add("POST", f"{DATA}/jobs/query", json=body)
    with pytest.raises(UnavailableError):
        client().open_query("SELECT Id FROM Account")


def test_a_download_carries_the_standing_headers_and_fills_a_file(server: responses.RequestsMock) -> None:
    server.add("GET", f"{DATA}/jobs/query/{JOB}/results", status=401, json=EXPIRED)
    server.add(
        "GET",
        f"{DATA}/jobs/query/{JOB}/results",
        body='"Id"\n',
        content_type="text/csv",
        headers={"Sforce-Locator": "null"},
    )
    file = io.BytesIO()
    headers = client().download(f"jobs/query/{JOB}/results", params={"maxRecords": "2"}, into=file)
    assert (file.getvalue(), headers["sforce-locator"]) == (b'"Id"\n', "null")
    first, second = sent(server)
    assert STANDING.items() <= dict(second.headers).items()
    assert (first.url, second.url) == (f"{DATA}/jobs/query/{JOB}/results?maxRecords=2",) * 2
    assert second.headers["Accept"] == "text/csv"


def test_the_version_is_ours_and_not_the_librarys(server: responses.RequestsMock) -> None:
    server.add("GET", f"{URL}/services/data/v60.0/limits/", json={"a": {}})
    assert client(version="60.0").limits() == {"a": {}}


def test_an_address_that_begins_with_a_slash_is_taken_as_it_is(server: responses.RequestsMock) -> None:
    server.add("GET", f"{URL}/services/data", json=[{"version": "66.0"}])
    assert client().call("GET", "/services/data").data == [{"version": "66.0"}]
    server.add("GET", f"{URL}/services/oauth2/userinfo", json={"user_id": "005"})
    assert client().userinfo() == {"user_id": "005"}


def test_the_orgs_clock_is_asked_for_once(server: responses.RequestsMock) -> None:
    answer(server, "GET", "/limits/", {"a": {}}, headers={"Date": SINCE})
    mine = client()
    first = mine.now()
    assert 0 <= first - 1_795_341_599 <= 60
    mine.now()
    assert len(sent(server)) == 1


def test_an_org_whose_limits_nobody_keeps_is_not_left_alone_for_a_day_when_it_refuses() -> None:
    org = Salesforce(credentials=BY_SECRET, base_url=URL, facts_map=SALESFORCE_DEFAULTS, properties={})
    for _ in range(3):
        org.quota.refused("daily", 1.0)
    assert not org.quota.counts("daily")
    assert org.quota.standing() == []
    org.close()
