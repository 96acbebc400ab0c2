"""The official client carries our calls, and every one of them goes through our transport."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import responses
from pydantic import SecretStr

from icp_sync.crm.hubspot import paths
from icp_sync.crm.hubspot.client import Client
from icp_sync.errors import AuthError, NoCallsLeftError, RequestError, UnavailableError
from icp_sync.http import UncertainError
from icp_sync.ports import Query, Stream
from icp_sync.quota import Quota
from icp_sync.simulator import Simulator
from tests.crm.hubspot.test_replies import DAILY, INVALID, NOT_FOUND, ROLLING, SCOPES, SECONDLY
from tests.crm.hubspot.world import UNLIMITED, connect

URL = "https://api.hubapi.com"


def client(version: str = "2026-03", **how: Any) -> Client:
    settings: dict[str, Any] = {
        "token": SecretStr("pat-na1-secret"),
        "base_url": URL,
        "version": version,
        "quota": Quota(UNLIMITED),
        "name": "t",
        "stop": threading.Event(),
        "connections": 4,
        "patience": 60.0,
    }
    return Client(**{**settings, **how})


@pytest.mark.parametrize(
    ("version", "path"),
    [
        ("v3", "/crm/v3/objects/companies/batch/update"),
        ("2026-03", "/crm/objects/2026-03/companies/batch/update"),
        ("2026-09", "/crm/objects/2026-09/companies/batch/update"),
    ],
)
def test_a_call_goes_out_on_the_path_of_its_version_with_the_token(version: str, path: str) -> None:
    with responses.RequestsMock() as server:
        server.add("POST", URL + path, json={"results": []})
        client(version).batch_update([{"id": "1", "properties": {}}])
        request = server.calls[0].request
    assert request.headers["Authorization"] == "Bearer pat-na1-secret"
    assert request.body == b'{"inputs":[{"id":"1","properties":{}}]}'


@pytest.mark.parametrize(
    ("path", "dated"),
    [
        ("/crm/v3/objects/companies", "/crm/objects/2026-09/companies"),
        ("/crm/v3/objects/companies/17", "/crm/objects/2026-09/companies/17"),
        ("/crm/v3/properties/companies/groups/g", "/crm/properties/2026-09/companies/groups/g"),
        ("/crm/v3/owners/", "/crm/owners/2026-09"),
        ("/crm/v3/owners/5", "/crm/owners/2026-09/5"),
        ("/account-info/v3/details", "/account-info/2026-09/details"),
        ("/crm/v3/limits/custom-properties", "/crm/limits/2026-09/custom-properties"),
        ("/crm/v3/pipelines/deals", "/crm/pipelines/2026-09/deals"),
        ("/something/else", "/something/else"),
    ],
)
def test_every_path_has_a_dated_form(path: str, dated: str) -> None:
    assert paths.dated(path, "2026-09") == dated
    assert paths.dated(path, "v3") == path


def test_searches_count_against_their_own_limit_and_writes_are_not_repeated() -> None:
    search = paths.endpoint("POST", "/crm/v3/objects/companies/search")
    assert (search.buckets, search.idempotent) == (("search",), True)
    read = paths.endpoint("POST", "/crm/v3/objects/companies/batch/read")
    assert (read.buckets, read.idempotent) == (("burst",), True)
    for method, path in [
        ("POST", "/crm/v3/objects/companies/batch/update"),
        ("POST", "/crm/v3/properties/companies"),
        ("PATCH", "/crm/v3/properties/companies/x"),
        ("DELETE", "/anything"),
    ]:
        assert not paths.endpoint(method, path).idempotent


@pytest.mark.parametrize("version", paths.VERSIONS)
def test_every_call_reaches_a_portal_in_every_version(version: str) -> None:
    with Simulator(accounts=3) as portal:
        portal.admin("POST settings", property_lag=0.0)
        hubspot = client(version, base_url=portal.url, token=SecretStr(portal.token))
        assert hubspot.account()["portalId"]
        listed = hubspot.list_page(["name"])["results"]
        assert len(listed) == 3
        id = listed[0]["id"]
        assert hubspot.batch_read([id], ["name"])["results"][0]["id"] == id
        assert hubspot.company(id, ["name"]) is not None
        assert hubspot.company("999", ["name"]) is None
        assert hubspot.search({"limit": 1})["total"] == 3
        assert hubspot.owners()["results"]
        assert hubspot.property_limits()["byObjectType"]
        assert hubspot.group("nothing") is None
        hubspot.create_group({"name": "ours", "label": "Ours"})
        definition = {
            "name": "ours_x",
            "label": "X",
            "type": "string",
            "fieldType": "text",
            "groupName": "ours",
        }
        hubspot.create_property(definition)
        hubspot.change_property("ours_x", {"label": "Y"})
        found = hubspot.property("ours_x")
        assert found is not None
        assert found["label"] == "Y"
        assert "ours_x" in {entry["name"] for entry in hubspot.properties()}
        written = hubspot.batch_update([{"id": id, "properties": {"ours_x": "1"}}])
        assert written["results"][0]["properties"]["ours_x"] == "1"


def test_many_calls_need_few_connections() -> None:
    with Simulator(accounts=2500) as portal:
        crm = connect(portal, parallel=4)
        pages = list(crm.pages(Query(stream=Stream.BACKFILL)))
        assert sum(len(page.accounts) for page in pages) == 2500
        assert int(str(portal.admin("GET stats")["connections"])) <= 6
        crm.close()


SEARCH = f"{URL}/crm/objects/2026-03/companies/search"
UPDATE = f"{URL}/crm/objects/2026-03/companies/batch/update"
READ = f"{URL}/crm/objects/2026-03/companies/batch/read"


@pytest.mark.parametrize("body", [ROLLING, SECONDLY], ids=["rolling", "secondly"])
def test_a_429_is_waited_out_by_everybody_and_sent_again(body: dict[str, Any]) -> None:
    now = [0.0]

    def sleep(seconds: float) -> bool:
        now[0] += seconds
        return False

    quota = Quota(UNLIMITED, clock=lambda: now[0], sleep=sleep)
    with responses.RequestsMock() as server:
        server.add("POST", SEARCH, status=429, json=body)
        server.add("POST", SEARCH, json={"total": 0, "results": []})
        assert client(quota=quota).search({}) == {"total": 0, "results": []}
    assert 1.0 <= now[0] <= 1.2


def test_the_daily_limit_stops_every_call_without_sending_it() -> None:
    with responses.RequestsMock() as server:
        server.add("POST", SEARCH, status=429, json=DAILY)
        hubspot = client()
        for call in (lambda: hubspot.search({}), lambda: hubspot.batch_read(["1"], [])):
            with pytest.raises(NoCallsLeftError) as raised:
                call()
            assert raised.value.retry_after
        assert len(server.calls) == 1


def test_missing_scopes_are_named() -> None:
    with responses.RequestsMock() as server:
        server.add("POST", SEARCH, status=403, json=SCOPES)
        with pytest.raises(AuthError, match=r"crm\.objects\.deals\.read"):
            client().search({})


def test_a_validation_error_comes_with_its_body() -> None:
    with responses.RequestsMock() as server:
        server.add("POST", UPDATE, status=400, json=INVALID)
        with pytest.raises(RequestError) as raised:
            client().batch_update([])
    assert raised.value.body == INVALID


def test_a_207_is_a_reply_like_another() -> None:
    body = {"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [NOT_FOUND]}
    with responses.RequestsMock() as server:
        server.add("POST", READ, status=207, json=body)
        assert client().batch_read(["17", "18"], []) == body


def test_a_gateways_html_leaves_a_write_uncertain() -> None:
    with responses.RequestsMock() as server:
        server.add("POST", UPDATE, status=502, body="<html>502 Bad Gateway</html>")
        with pytest.raises(UncertainError):
            client().batch_update([])


@pytest.mark.parametrize("body", ["[]", '"x"', "null", "7"])
def test_json_of_another_shape_is_unavailable_for_reads_and_uncertain_for_writes(body: str) -> None:
    with responses.RequestsMock() as server:
        server.add("POST", SEARCH, body=body)
        server.add("POST", UPDATE, body=body)
        with pytest.raises(UnavailableError):
            client().search({})
        with pytest.raises(UncertainError):
            client().batch_update([])
