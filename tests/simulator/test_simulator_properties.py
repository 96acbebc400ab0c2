"""Property definitions and groups."""

import json

import pytest
from simulator_client import COMPANIES, PROPERTIES

A, B = ({"label": v, "value": v, "displayOrder": n, "hidden": False} for n, v in enumerate("AB"))
TIER = {
    "name": "icp_tier",
    "label": "ICP tier",
    "type": "enumeration",
    "fieldType": "select",
    "groupName": "companyinformation",
    "options": [A, B],
}


def test_a_property_is_made_with_hubspots_full_body(client):
    answer = client.call("POST", PROPERTIES, json=TIER)
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith("/companies/icp_tier")
    body = answer.json()
    assert [option["value"] for option in body["options"]] == ["A", "B"]
    assert body["modificationMetadata"] == {
        "archivable": True,
        "readOnlyDefinition": False,
        "readOnlyValue": False,
    }
    assert client.get(f"{PROPERTIES}/icp_tier")[1] == body
    assert client.make(icp_tier="A")


def test_standard_properties_are_listed_with_types_and_read_only_marks(client):
    listed = {p["name"]: p for p in client.get(PROPERTIES)[1]["results"]}
    assert len(listed["industry"]["options"]) == 148
    assert listed["numberofemployees"]["type"] == "number"
    assert listed["hubspot_owner_id"]["externalOptions"] is True
    assert listed["hs_lastmodifieddate"]["modificationMetadata"]["readOnlyValue"] is True
    assert listed["num_associated_deals"]["calculated"] is True
    assert [o["value"] for o in listed["hs_ideal_customer_profile"]["options"]] == [
        "tier_1",
        "tier_2",
        "tier_3",
    ]


def test_a_name_that_exists_is_a_conflict(client):
    client.post(PROPERTIES, TIER)
    status, body = client.post(PROPERTIES, TIER)
    assert (status, body["category"]) == (409, "OBJECT_ALREADY_EXISTS")
    assert body["subCategory"] == "Properties.PROPERTY_WITH_NAME_EXISTS"
    assert body["message"] == "A property named 'icp_tier' already exists."


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "number"},
        {"type": "money"},
        {"fieldType": "slider"},
        {"groupName": "nowhere"},
        {"name": "Tier"},
        {"name": "hs_tier"},
        {"name": ""},
        {"label": None},
        {"options": [A, A]},
        {"options": [{"label": "A"}]},
        {"options": "AB"},
        {"type": "bool", "fieldType": "booleancheckbox"},
    ],
    ids=str,
)
def test_a_definition_that_does_not_fit_is_refused(client, wrong):
    assert client.post(PROPERTIES, TIER | wrong)[0] == 400
    assert client.get(f"{PROPERTIES}/icp_tier")[0] == 404


def test_options_are_replaced_as_a_whole_or_kept(client, later):
    client.post(PROPERTIES, TIER)
    later(1)
    _, relabelled = client.patch(f"{PROPERTIES}/icp_tier", {"label": "Tier"})
    assert [o["value"] for o in relabelled["options"]] == ["A", "B"]
    _, replaced = client.patch(f"{PROPERTIES}/icp_tier", {"options": [B]})
    assert [o["value"] for o in replaced["options"]] == ["B"]
    assert client.post(COMPANIES, {"properties": {"icp_tier": "A"}})[0] == 400


def test_a_change_that_changes_nothing_keeps_its_date(client, later):
    _, made = client.post(PROPERTIES, TIER)
    later(60)
    _, same = client.patch(f"{PROPERTIES}/icp_tier", {"label": "ICP tier"})
    assert same["updatedAt"] == made["updatedAt"]


def test_archiving_hides_a_property_and_posting_its_name_restores_it(client, later):
    _, made = client.post(PROPERTIES, TIER)
    assert client.delete(f"{PROPERTIES}/icp_tier")[0] == 204
    assert client.get(f"{PROPERTIES}/icp_tier")[0] == 404
    assert client.get(f"{PROPERTIES}/icp_tier", archived="true")[1]["archived"] is True
    assert client.post(COMPANIES, {"properties": {"icp_tier": "A"}})[0] == 400
    later(60)
    status, again = client.post(PROPERTIES, TIER | {"label": "Again"})
    assert (status, again["label"], again["createdAt"]) == (201, "Again", made["createdAt"])


def test_a_definition_can_be_read_back_only_after_a_moment(crm, client):
    crm.admin("POST settings", property_lag=3600)
    assert client.post(PROPERTIES, TIER)[0] == 201
    assert client.get(f"{PROPERTIES}/icp_tier")[0] == 404
    assert client.post(PROPERTIES, TIER)[0] == 409
    assert client.make(icp_tier="A")


def test_standard_properties_are_neither_changed_nor_archived(client):
    assert client.patch(f"{PROPERTIES}/domain", {"description": "x"})[0] == 400
    assert client.delete(f"{PROPERTIES}/domain")[0] == 400


def test_batches_of_definitions_name_what_failed(client):
    client.post(PROPERTIES, TIER)
    status, body = client.post(f"{PROPERTIES}/batch/create", {"inputs": [TIER, TIER | {"name": "other"}]})
    assert (status, [p["name"] for p in body["results"]]) == (207, ["other"])
    assert body["errors"][0]["context"] == {"name": ["icp_tier"]}
    inputs = [{"name": "icp_tier"}, {"name": "nope"}]
    status, body = client.post(f"{PROPERTIES}/batch/read", {"inputs": inputs})
    assert (status, [p["name"] for p in body["results"]], body["numErrors"]) == (207, ["icp_tier"], 1)
    assert client.post(f"{PROPERTIES}/batch/archive", {"inputs": inputs})[0] == 204
    assert client.get(f"{PROPERTIES}/icp_tier")[0] == 404


def test_a_group_is_made_once_and_archived_only_when_empty(client):
    status, made = client.post(f"{PROPERTIES}/groups", {"name": "icp", "label": "ICP"})
    assert (status, made["label"], made["archived"]) == (201, "ICP", False)
    assert client.post(f"{PROPERTIES}/groups", {"name": "icp", "label": "ICP"})[0] == 409
    assert client.patch(f"{PROPERTIES}/groups/icp", {"label": "Fit"})[1]["label"] == "Fit"
    client.post(PROPERTIES, TIER | {"groupName": "icp"})
    status, body = client.delete(f"{PROPERTIES}/groups/icp")
    assert status == 400
    assert json.loads(body["message"])["subCategory"] == "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES"
    client.delete(f"{PROPERTIES}/icp_tier")
    assert client.delete(f"{PROPERTIES}/groups/icp")[0] == 204
    assert client.get(f"{PROPERTIES}/groups/icp")[0] == 404


def test_there_are_at_most_a_thousand_custom_properties(client):
    client.post(PROPERTIES, TIER)
    _, body = client.get("/crm/v3/limits/custom-properties")
    assert (body["byObjectType"][0]["limit"], body["byObjectType"][0]["usage"]) == (1000, 1)
    text = TIER | {"type": "string", "fieldType": "text", "options": []}
    for start in range(0, 999, 100):
        inputs = [text | {"name": f"p{n}", "label": str(n)} for n in range(start, min(start + 100, 999))]
        client.post(f"{PROPERTIES}/batch/create", {"inputs": inputs})
    assert client.post(PROPERTIES, text | {"name": "one_more"})[0] == 400
    client.delete(f"{PROPERTIES}/p1")
    assert client.post(PROPERTIES, text | {"name": "one_more"})[0] == 201
