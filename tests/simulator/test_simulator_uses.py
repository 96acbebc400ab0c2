"""A property that something in the portal uses stays, and HubSpot says what that is as far as it does."""

import pytest
from simulator_client import PROPERTIES, Client

from icp_sync.simulator.hubspot.portal import SCOPES

LISTS = "/crm/v3/lists"


@pytest.fixture
def made(client):
    """A custom property."""
    body = {"name": "shoe", "label": "Shoe", "type": "number", "fieldType": "number"}
    assert client.post(PROPERTIES, {**body, "groupName": "companyinformation"})[0] == 201
    return "shoe"


@pytest.fixture
def reader(crm):
    """A client that may read lists."""
    crm.admin("POST tokens", token="lists", scopes=["crm.lists.read"])
    return Client(crm, "lists")


@pytest.mark.parametrize(
    ("by", "parent"),
    [
        ("list", "CONTACT_LIST"),
        ("workflow", "WORKFLOW"),
        ("report", "REPORT"),
        ("calculation", "CALCULATED_PROPERTY"),
    ],
)
def test_a_property_in_use_cannot_be_archived_and_the_places_are_named(crm, client, made, by, parent):
    used = crm.admin("POST depend", property=made, by=by, name="Big feet")
    status, body = client.delete(f"{PROPERTIES}/{made}")
    assert status == 400
    assert body["subCategory"] == "PropertyValidationError.CANNOT_DELETE_PROPERTY_IN_USE"
    assert "currently used in 1 places" in body["message"]
    assert body["errors"][0]["context"] == {"parentType": [parent], "parentName": [used["id"]]}
    assert client.get(f"{PROPERTIES}/{made}")[0] == 200


def test_what_nothing_uses_can_be_archived(client, made):
    assert client.delete(f"{PROPERTIES}/{made}")[0] == 204


def test_lists_are_read_in_pages_and_with_their_filters_when_asked(crm, reader, made):
    for name in ("Big feet", "Small feet", "Flat feet"):
        crm.admin("POST depend", property=made, name=name)
    crm.admin("POST depend", property=made, by="workflow")
    _, first = reader.post(f"{LISTS}/search", {"count": 2})
    assert [one["name"] for one in first["lists"]] == ["Big feet", "Small feet"]
    assert (first["hasMore"], first["offset"], first["total"]) == (True, 2, 3)
    _, last = reader.post("/crm/lists/2026-03/search", {"count": 2, "offset": 2})
    assert ([one["name"] for one in last["lists"]], last["hasMore"]) == (["Flat feet"], False)
    wanted = [one["listId"] for one in first["lists"]]
    _, plain = reader.json("GET", f"{LISTS}/", params={"listIds": wanted})
    assert [one["listId"] for one in plain["lists"]] == wanted
    assert "filterBranch" not in plain["lists"][0]
    _, full = reader.json("GET", LISTS, params={"listIds": wanted, "includeFilters": True})
    branch = full["lists"][0]["filterBranch"]["filterBranches"][0]
    assert branch["filters"][0]["property"] == made


def test_lists_need_a_scope_of_their_own(crm):
    crm.admin("POST tokens", token="blind", scopes=sorted(SCOPES - {"crm.lists.read"}))
    status, body = Client(crm, "blind").post(f"{LISTS}/search", {})
    assert (status, body["category"]) == (403, "MISSING_SCOPES")


def test_a_calculation_is_a_property_with_a_formula(crm, client, made):
    crm.admin("POST depend", property=made, by="calculation")
    found = [one for one in client.get(PROPERTIES)[1]["results"] if one.get("calculationFormula")]
    assert [(one["calculationFormula"], one["calculated"]) for one in found] == [("shoe * 2", True)]


@pytest.mark.parametrize("how", [{"property": "shoe", "by": "cat"}, {"property": "hat"}, {}])
def test_what_cannot_be_used_is_said(crm, made, how):
    with pytest.raises(ValueError, match=r"by|property"):
        crm.admin("POST depend", **how)
