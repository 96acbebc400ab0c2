"""Which values are refused, and how."""

import json

import pytest
from simulator_client import COMPANIES, DATED

REFUSED = [
    ("first000name", "x", "PROPERTY_DOESNT_EXIST", 'Property "first000name" does not exist'),
    ("industry", "Technology", "INVALID_OPTION", "Technology was not one of the allowed options: ["),
    ("industry", "banking", "INVALID_OPTION", "banking was not one"),
    ("web_technologies", "hubspot;cobol", "INVALID_OPTION", "cobol was not one"),
    ("is_public", "True", "INVALID_OPTION", "True was not one"),
    ("numberofemployees", "51-200", "INVALID_INTEGER", "51-200 was not a valid number"),
    ("numberofemployees", "1,234", "INVALID_INTEGER", "1,234 was not a valid number"),
    ("annualrevenue", "NaN", "INVALID_INTEGER", "NaN was not a valid number"),
    ("annualrevenue", "1e309", "INVALID_INTEGER", "1e309 was not a valid number"),
    ("annualrevenue", "1_000", "INVALID_INTEGER", "1_000 was not a valid number"),
    ("closedate", "1/1/1", "INVALID_LONG", "1/1/1 was not a valid long."),
    ("hs_lastmodifieddate", "1", "READ_ONLY_VALUE", '"hs_lastmodifieddate" is a read only property'),
    ("createdate", "1", "READ_ONLY_VALUE", '"createdate" is a read only'),
    ("num_associated_deals", "1", "READ_ONLY_VALUE", '"num_associated_deals" is a read only'),
    ("hubspot_owner_id", "9586500", "INVALID_OWNER_ID", "9586500 was not a valid owner id"),
    ("hubspot_owner_id", "41629990", "INVALID_OWNER_ID", "41629990 was not a valid owner id"),
    ("name", "x" * 65_537, "VALUE_TOO_LONG", "exceeds the maximum"),
]


@pytest.mark.parametrize(
    ("name", "value", "code", "message"), REFUSED, ids=[f"{n}={v[:9]}" for n, v, *_ in REFUSED]
)
def test_a_value_that_does_not_fit_is_refused_with_hubspots_code(client, name, value, code, message):
    status, body = client.post(COMPANIES, {"properties": {name: value}})
    assert (status, body["category"]) == (400, "VALIDATION_ERROR")
    assert body["errors"][0]["code"] == code
    assert body["errors"][0]["context"] == {"propertyName": [name]}
    assert message in body["errors"][0]["message"]
    embedded = json.loads(body["message"].removeprefix("Property values were not valid: "))
    assert embedded[0]["error"] == code
    assert embedded[0]["name"] == name
    assert embedded[0]["isValid"] is False


def test_one_bad_value_refuses_all_values_of_the_record(client):
    made = client.make(name="Acme", city="Oslo")
    status, _ = client.patch(f"{COMPANIES}/{made}", {"properties": {"city": "Bergen", "nope": "1"}})
    assert status == 400
    assert client.company(made, "city")["city"] == "Oslo"


def test_the_list_of_errors_may_be_shorter_than_the_message_says(client):
    _, body = client.post(COMPANIES, {"properties": {f"nope{n}": "x" for n in range(4)}})
    embedded = json.loads(body["message"].removeprefix("Property values were not valid: "))
    assert (len(embedded), len(body["errors"])) == (4, 3)


KEPT = [
    ("numberofemployees", 1234, "1234"),
    ("annualrevenue", "1.5e6", "1.5e6"),
    ("is_public", True, "true"),
    ("name", "Ærø 🚀 שלום", "Ærø 🚀 שלום"),
    ("closedate", "1732190401123", "2024-11-21T12:00:01.123Z"),
    ("closedate", "2024-11-21T13:00:01.123999+01:00", "2024-11-21T12:00:01.123Z"),
    ("web_technologies", "hubspot;react;hubspot", "hubspot;react"),
    ("city", None, ""),
]


@pytest.mark.parametrize(("name", "given", "kept"), KEPT)
def test_values_are_kept_as_strings_in_hubspots_form(client, name, given, kept):
    made = client.make(**{name: given})
    assert client.company(made, name)[name] == kept


def test_a_leading_semicolon_adds_to_a_multiple_choice(client):
    made = client.make(web_technologies="hubspot")
    client.patch(f"{COMPANIES}/{made}", {"properties": {"web_technologies": ";react"}})
    assert client.company(made, "web_technologies")["web_technologies"] == "hubspot;react"


def test_a_date_must_be_midnight(client):
    definition = {"label": "D", "type": "date", "fieldType": "date", "groupName": "companyinformation"}
    client.post("/crm/v3/properties/companies", {"name": "d", **definition})
    status, body = client.post(COMPANIES, {"properties": {"d": "1496643178000"}})
    assert (status, body["errors"][0]["code"]) == (400, "INVALID_DATE")
    assert body["errors"][0]["message"] == "1496643178000 is at 6:12:58.0 UTC, not midnight!"
    made = client.make(d="2026-11-21")
    assert client.company(made, "d")["d"] == "2026-11-21"


def test_a_lifecycle_stage_moves_forward_only_and_says_nothing(client):
    made = client.make(lifecyclestage="customer")
    status, _ = client.patch(f"{COMPANIES}/{made}", {"properties": {"lifecyclestage": "lead"}})
    assert status == 200
    assert client.company(made, "lifecyclestage")["lifecyclestage"] == "customer"
    client.patch(f"{COMPANIES}/{made}", {"properties": {"lifecyclestage": ""}})
    client.patch(f"{COMPANIES}/{made}", {"properties": {"lifecyclestage": "lead"}})
    assert client.company(made, "lifecyclestage")["lifecyclestage"] == "lead"


RULE = {"when": {"property": "lifecyclestage", "value": "customer"}, "require": ["industry"]}


def test_conditional_rules_bite_on_2026_09_only(crm, client):
    made = client.make(name="Acme", lifecyclestage="customer")
    crm.admin("POST settings", conditional_required=[RULE])
    status, body = client.patch(f"{DATED}/{made}", {"properties": {"city": "Oslo"}})
    assert (status, body["errors"][0]["code"]) == (400, "MISSING_CONDITIONAL_REQUIRED_PROPERTY")
    assert client.patch(f"{COMPANIES}/{made}", {"properties": {"city": "Oslo"}})[0] == 200
    status, _ = client.patch(f"{DATED}/{made}", {"properties": {"industry": "BANKING"}})
    assert status == 200


def test_conditional_rules_may_leave_unrelated_writes_alone(crm, client):
    made = client.make(name="Acme", lifecyclestage="customer")
    crm.admin("POST settings", conditional_required=[RULE], conditional_on_any_write=False)
    assert client.patch(f"{DATED}/{made}", {"properties": {"city": "Oslo"}})[0] == 200
    assert client.patch(f"{DATED}/{made}", {"properties": {"industry": ""}})[0] == 400


def test_a_portal_may_require_properties_of_new_records(crm, client):
    crm.admin("POST settings", creator_required=["industry"])
    status, body = client.post(DATED, {"properties": {"name": "Acme"}})
    assert (status, body["errors"][0]["code"]) == (400, "MISSING_REQUIRED_PROPERTY")
    assert client.post(COMPANIES, {"properties": {"name": "Acme"}})[0] == 201
