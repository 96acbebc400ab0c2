"""Who may call what, and by which path."""

import pytest
import requests
from simulator_client import COMPANIES, Client

PATHS = [
    "/crm/v3/objects/companies",
    "/crm/v3/objects/companies/",
    "/crm/v3/objects/company",
    "/crm/v3/objects/0-2",
    "/crm/objects/2026-03/companies",
    "/crm/objects/2026-09/0-2/",
]


@pytest.mark.parametrize("path", PATHS)
def test_every_path_family_and_type_name_reaches_the_same_companies(client, path):
    made = client.make(name="Acme")
    status, body = client.get(path, archived="False")
    assert status == 200
    assert [c["id"] for c in body["results"]] == [made]


@pytest.mark.parametrize(
    "path",
    [
        "/crm/v3/owners/",
        "/crm/owners/2026-09",
        "/crm/v3/properties/companies",
        "/crm/properties/2026-03/0-2",
        "/account-info/v3/details",
        "/account-info/2026-09/details",
        "/account-info/v3/api-usage/daily/private-apps",
        "/crm/v3/limits/custom-properties",
        "/crm/limits/2026-03/custom-properties",
    ],
)
def test_the_other_endpoints_answer_in_both_families(client, path):
    assert client.get(path)[0] == 200


@pytest.mark.parametrize("path", ["/crm/v3/objects/companies/batch/teleport", "/crm/v9/owners", "/nowhere"])
def test_an_unknown_path_is_not_found(client, path):
    assert client.get(path)[0] == 404


def test_a_known_path_with_another_method_is_not_allowed(client):
    assert client.json("PUT", COMPANIES)[0] == 405


def test_a_type_nobody_has_is_refused_without_a_category(client):
    status, body = client.get("/crm/v3/objects/butterflies")
    assert status == 400
    assert body["message"] == "Unable to infer object type from: butterflies"
    assert "category" not in body


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic abc"}])
def test_without_a_known_bearer_token_nothing_is_answered(crm, header):
    answer = requests.get(crm.url + COMPANIES, headers=header, timeout=5)
    assert answer.status_code == 401
    assert answer.json()["category"] == "INVALID_AUTHENTICATION"


def test_an_expired_token_says_so(crm):
    crm.admin("POST tokens", token="old", expired=True)
    status, body = Client(crm, "old").get(COMPANIES)
    assert (status, body["category"]) == (401, "EXPIRED_AUTHENTICATION")


def test_a_missing_scope_is_named(crm):
    crm.admin("POST tokens", token="reader", scopes=["crm.objects.companies.read"])
    reader = Client(crm, "reader")
    assert reader.get(COMPANIES)[0] == 200
    status, body = reader.post(COMPANIES, {"properties": {"name": "Acme"}})
    assert (status, body["category"]) == (403, "MISSING_SCOPES")
    assert body["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.companies.write"]


def test_types_the_token_may_not_see_are_forbidden_not_unknown(client):
    assert client.get("/crm/v3/objects/tickets")[0] == 403


def test_account_details_need_no_scope(crm):
    crm.admin("POST tokens", token="bare", scopes=[])
    status, body = Client(crm, "bare").get("/account-info/v3/details")
    assert status == 200
    assert body["companyCurrency"] == "USD"
    assert body["utcOffsetMilliseconds"] == -5 * 3600 * 1000


def test_the_date_header_is_the_simulators_clock(client):
    assert client.call("GET", COMPANIES).headers["Date"] == "Sat, 21 Nov 2026 12:00:00 GMT"


def test_a_url_too_long_is_refused(client):
    status, _ = client.json("GET", COMPANIES, params={"properties": ",".join(["name"] * 3000)})
    assert status == 414


@pytest.mark.parametrize(
    "body", [b"{", b"[1]", b'{"properties": [1]}', b'{"properties": {"name": {}}}', b"NaN"]
)
def test_a_body_of_the_wrong_shape_gets_jacksons_complaint(client, body):
    answer = client.call("POST", COMPANIES, data=body)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Invalid input JSON on line 1")
    assert "category" not in answer.json()


def test_owners_are_paged_and_those_who_left_are_listed_apart(client):
    _, first = client.get("/crm/v3/owners/", limit=5)
    _, second = client.get("/crm/v3/owners/", limit=5, after=first["paging"]["next"]["after"])
    active = first["results"] + second["results"]
    assert len(active) == 7
    assert "paging" not in second
    assert [o["type"] for o in active].count("QUEUE") == 1
    _, left = client.get("/crm/v3/owners", archived="true")
    assert [o["userId"] for o in left["results"]] == [None]
    _, one = client.get(f"/crm/v3/owners/{active[0]['userId']}", idProperty="userId")
    assert one["id"] == active[0]["id"]
    _, named = client.get("/crm/v3/owners", email=active[0]["email"].upper())
    assert [o["id"] for o in named["results"]] == [active[0]["id"]]
