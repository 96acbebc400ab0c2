"""Lists: who is in one follows from its filter and live records; what a portal does not take is refused."""

import pytest
from simulator_client import COMPANIES, PROPERTIES, Client

from icp_sync.simulator.hubspot.portal import SCOPES

V3, DATED = "/crm/v3/lists", "/crm/lists/2026-09"
NOON, DAY = 1_795_262_400, 86_400
OPTIONS = [{"label": value, "value": value, "displayOrder": n} for n, value in enumerate("AB")]


@pytest.fixture(autouse=True)
def tiers(client):
    """A tier and the instant it changed, on companies."""
    tier = {"name": "tier", "type": "enumeration", "fieldType": "select", "options": OPTIONS}
    changed = {"name": "changed", "type": "datetime", "fieldType": "date"}
    for body in (tier, changed):
        given = {**body, "label": body["name"], "groupName": "companyinformation"}
        assert client.post(PROPERTIES, given)[0] == 201


def asks(property, kind, operator, **more):
    operation = {"operationType": kind, "operator": operator, **more}
    return {"filterType": "PROPERTY", "property": property, "operation": operation}


def tier_is(*values, **more):
    return asks("tier", "ENUMERATION", "IS_ANY_OF", values=list(values), **more)


def anded(*filters, branches=()):
    return {"filterBranchType": "AND", "filters": list(filters), "filterBranches": list(branches)}


def ored(*branches):
    return {"filterBranchType": "OR", "filters": [], "filterBranches": list(branches)}


def through(*filters, type_id=279, other="0-2", **more):
    return {
        "filterBranchType": "ASSOCIATION",
        "objectTypeId": other,
        "operator": "IN_LIST",
        "associationTypeId": type_id,
        "associationCategory": "HUBSPOT_DEFINED",
        "filters": list(filters),
        "filterBranches": [],
        **more,
    }


def last_days(days):
    ends = {"timeType": "INDEXED", "timezoneSource": "CUSTOM", "zoneId": "America/New_York"}
    return asks(
        "changed",
        "TIME_RANGED",
        "IS_BETWEEN",
        lowerBoundTimePoint={
            **ends,
            "indexReference": {"referenceType": "TODAY"},
            "offset": {"days": -days},
        },
        upperBoundTimePoint={**ends, "indexReference": {"referenceType": "NOW"}},
    )


def body(branch, name="Ours", of="0-2", **more):
    return {"name": name, "objectTypeId": of, "processingType": "DYNAMIC", "filterBranch": branch, **more}


def made(client, branch, path=V3, **how):
    status, reply = client.post(path, body(branch, **how))
    assert status == 200, reply
    return reply["list"]


def members(client, listed, path=V3, **query):
    found, after = [], ""
    while after is not None:
        cursor = {"after": after} if after else {}
        status, page = client.get(f"{path}/{listed['listId']}/memberships", **query, **cursor)
        assert status == 200, page
        found += [one["recordId"] for one in page["results"]]
        after = page.get("paging", {}).get("next", {}).get("after")
    return found


@pytest.mark.parametrize("path", [V3, DATED, f"{V3}/"])
def test_an_active_list_holds_exactly_the_records_its_filter_is_true_of(client, path):
    a, b = client.make(name="One", tier="A"), client.make(name="Two", tier="B")
    client.make(name="Three")
    ours = made(client, ored(anded(tier_is("A"))), path)
    assert members(client, ours) == [a]
    client.update((b, {"tier": "A"}), (a, {"tier": ""}))
    assert members(client, ours, DATED) == [b]
    assert client.get(f"{V3}/{ours['listId']}")[1]["list"]["processingStatus"] == "COMPLETE"


def test_branches_are_ors_of_ands(client):
    a = client.make(name="One", tier="A", city="Oslo")
    b = client.make(name="Two", tier="B", city="Oslo")
    c = client.make(name="Three", tier="A", city="Bergen")
    client.make(name="Four", tier="B", city="Bergen")
    oslo = asks("city", "MULTISTRING", "IS_EQUAL_TO", values=["oslo"])
    assert members(client, made(client, ored(anded(tier_is("A"), oslo)), name="both")) == [a]
    assert members(client, made(client, ored(anded(tier_is("A")), anded(oslo)), name="any")) == sorted(
        [a, b, c]
    )


def test_a_blank_is_in_only_where_the_filter_asks_for_it(client):
    client.make(name="One", tier="B")
    blank = client.make(name="Two")
    none_of = asks("tier", "ENUMERATION", "IS_NONE_OF", values=["B"])
    with_blanks = {**none_of, "operation": {**none_of["operation"], "includeObjectsWithNoValueSet": True}}
    assert members(client, made(client, ored(anded(none_of)), name="without")) == []
    assert members(client, made(client, ored(anded(with_blanks)), name="with")) == [blank]


def test_numbers_and_flags_are_compared_as_such(client):
    big = client.make(name="One", numberofemployees="90", is_public="true")
    client.make(name="Two", numberofemployees="100")
    client.make(name="Three")
    below = asks("numberofemployees", "NUMBER", "IS_LESS_THAN", value=95)
    public = asks("is_public", "BOOL", "IS_EQUAL_TO", value=True)
    assert members(client, made(client, ored(anded(below)), name="below")) == [big]
    assert members(client, made(client, ored(anded(public)), name="public")) == [big]


def test_contacts_are_listed_through_their_companies(crm, client):
    a, b = client.make(name="One", tier="A"), client.make(name="Two", tier="B")
    (ada,) = crm.admin("POST create", type="contacts", company=a)["ids"]
    (bob,) = crm.admin("POST create", type="contacts", company=b)["ids"]
    crm.admin("POST tie", company=a, contacts=[bob])
    anybody = made(client, ored(anded(branches=[through(tier_is("A"))])), of="0-1", name="any")
    primary = made(client, ored(anded(branches=[through(tier_is("A"), type_id=1)])), of="0-1", name="first")
    assert members(client, anybody) == sorted([ada, bob])
    assert members(client, primary) == [ada]
    client.update((a, {"tier": "B"}))
    assert members(client, anybody) == []


def test_the_last_days_move_on_and_begin_at_midnight_of_the_zone(client, later):
    client.make(name="Never")
    seven = client.make(name="One", changed=str(round((NOON - 7 * DAY - 6 * 3600) * 1000)))  # 01:00 there
    client.make(name="Two", changed=str(round((NOON - 7 * DAY - 8 * 3600) * 1000)))  # the day before there
    week = made(client, ored(anded(last_days(7))))
    assert members(client, week) == [seven]
    later(DAY)
    assert members(client, week) == []


def test_members_come_in_pages_of_their_ids(client):
    ids = sorted((client.make(name=f"C{n}", tier="A") for n in range(7)), key=int)
    listed = made(client, ored(anded(tier_is("A"))))
    assert members(client, listed, limit=3) == ids
    assert client.get(f"{V3}/{listed['listId']}/memberships", limit=251)[0] == 400
    assert client.get(f"{V3}/{listed['listId']}/memberships", after="!")[0] == 400


def test_a_list_is_found_by_id_by_name_and_by_search_with_its_size(client):
    client.make(name="One", tier="A")
    ours = made(client, ored(anded(tier_is("A"))), name="ICP: Tier A")
    made(client, ored(anded(asks("email", "ALL_PROPERTY", "IS_KNOWN"))), of="0-1", name="Mail")
    _, by_id = client.get(f"{V3}/{ours['listId']}", includeFilters="true")
    _, by_name = client.get(f"{DATED}/object-type-id/0-2/name/icp%3A%20tier%20a", includeFilters="true")
    assert by_id == by_name
    assert client.get(f"{V3}/object-type-id/0-1/name/ICP: Tier A")[0] == 404
    _, found = client.post(f"{V3}/search", {"query": "tier", "objectTypeId": "0-2"})
    assert [(one["name"], one["additionalProperties"]["hs_list_size"]) for one in found["lists"]] == [
        ("ICP: Tier A", "1")
    ]
    assert "filterBranch" not in found["lists"][0]


def test_a_filter_comes_back_with_more_in_it_than_was_sent(client):
    ours = made(client, ored(anded(tier_is("A"), last_days(7))))
    _, reply = client.get(f"{V3}/{ours['listId']}", includeFilters="true")
    root = reply["list"]["filterBranch"]
    (branch,) = root["filterBranches"]
    assert (root["filterBranchOperator"], branch["filterBranchOperator"]) == ("OR", "AND")
    assert branch["filters"][0]["operation"]["includeObjectsWithNoValueSet"] is False
    assert branch["filters"][1]["operation"]["type"] == "TIME_RANGED"


@pytest.mark.parametrize("of", ["0-2", "0-1"])
def test_a_name_is_given_once_whatever_it_lists(client, of):
    made(client, ored(anded(tier_is("A"))), name="Tier A")
    branch = ored(anded(tier_is("A") if of == "0-2" else asks("email", "ALL_PROPERTY", "IS_KNOWN")))
    status, refused = client.post(V3, body(branch, name="tier a", of=of))
    assert (status, refused["subCategory"]) == (400, "ILS.DUPLICATE_LIST_NAMES")


def test_lists_are_renamed_refiltered_deleted_and_restored(client):
    a, b = client.make(name="One", tier="A"), client.make(name="Two", tier="B")
    path = f"{V3}/{(ours := made(client, ored(anded(tier_is('A')))))['listId']}"
    other = made(client, ored(anded(tier_is("B"))), name="Other")
    assert client.json("PUT", f"{path}/update-list-name", params={"listName": "Other"})[0] == 400
    _, renamed = client.json("PUT", f"{path}/update-list-name", params={"listName": "Hot"})
    assert renamed["updatedList"]["name"] == "Hot"
    assert members(client, ours) == [a]
    change = {"filterBranch": ored(anded(tier_is("B")))}
    _, refiltered = client.json("PUT", f"{path}/update-list-filters", change)
    assert refiltered["updatedList"]["listVersion"] == 2
    assert members(client, ours) == [b]
    assert client.delete(path)[0] == 204
    assert client.get(path)[0] == 404
    assert client.get(V3, listIds=[ours["listId"], other["listId"]])[1]["lists"] == [
        client.get(f"{V3}/{other['listId']}")[1]["list"]
    ]
    assert client.json("PUT", f"{path}/restore")[0] == 204
    assert members(client, ours) == [b]


def test_a_name_taken_meanwhile_keeps_a_deleted_list_deleted(client):
    ours = made(client, ored(anded(tier_is("A"))))
    client.delete(f"{V3}/{ours['listId']}")
    made(client, ored(anded(tier_is("B"))))
    assert client.json("PUT", f"{V3}/{ours['listId']}/restore")[0] == 400


def test_a_list_is_processed_in_the_background_when_the_portal_is_slow(crm, client, later):
    crm.admin("POST settings", list_lag=60)
    a, b = client.make(name="One", tier="A"), client.make(name="Two", tier="B")
    ours = made(client, ored(anded(tier_is("A"))))
    assert (ours["processingStatus"], members(client, ours)) == ("PROCESSING", [])
    later(60)
    assert members(client, ours) == [a]
    path = f"{V3}/{ours['listId']}"
    client.json("PUT", f"{path}/update-list-filters", {"filterBranch": ored(anded(tier_is("B")))})
    assert client.get(path)[1]["list"]["processingStatus"] == "PROCESSING"
    assert members(client, ours) == [a]
    later(60)
    assert client.get(path)[1]["list"]["processingStatus"] == "COMPLETE"
    assert members(client, ours) == [b]


@pytest.mark.parametrize(("how", "allowed"), [({"plan": "free"}, 10), ({"active_lists": 2}, 2)])
def test_a_plan_has_room_for_so_many_active_lists(crm, client, how, allowed):
    crm.admin("POST settings", **how)
    for number in range(allowed):
        made(client, ored(anded(tier_is("A"))), name=f"L{number}")
    status, refused = client.post(V3, body(ored(anded(tier_is("A"))), name="One more"))
    assert status == 400
    assert f"limit of {allowed} active lists" in refused["message"]
    static = {"name": "By hand", "objectTypeId": "0-2", "processingType": "MANUAL"}
    assert client.post(V3, static)[0] == 200


def test_another_label_of_an_option_changes_no_list(client):
    a = client.make(name="One", tier="A")
    ours = made(client, ored(anded(tier_is("A"))))
    renamed = [{**option, "label": f"Tier {option['label']} (strategic)"} for option in OPTIONS]
    assert client.patch(f"{PROPERTIES}/tier", {"options": renamed})[0] == 200
    assert members(client, ours) == [a]


def test_a_property_a_list_filters_by_cannot_be_archived_before_the_list_is_gone(client):
    ours = made(client, ored(anded(branches=[through(tier_is("A"))])), of="0-1")
    status, refused = client.delete(f"{PROPERTIES}/tier")
    assert (status, refused["errors"][0]["context"]["parentName"]) == (400, [ours["listId"]])
    client.delete(f"{V3}/{ours['listId']}")
    assert client.delete(f"{PROPERTIES}/tier")[0] == 204


NOT_TAKEN = {
    "no root": anded(tier_is("A")),
    "filters at the root": {**ored(anded(tier_is("A"))), "filters": [tier_is("A")]},
    "an OR under the root": ored(ored(anded(tier_is("A")))),
    "nothing under the root": ored(),
    "an empty AND": ored(anded()),
    "an unknown branch": ored(anded(branches=[{"filterBranchType": "XOR", "filters": [tier_is("A")]}])),
    "an unknown property": ored(anded(asks("nope", "ALL_PROPERTY", "IS_KNOWN"))),
    "an unknown option": ored(anded(tier_is("A", "C"))),
    "no values": ored(anded(tier_is())),
    "an operation of another type": ored(anded(asks("tier", "NUMBER", "IS_EQUAL_TO", value=1))),
    "an unknown operator": ored(anded(asks("tier", "ENUMERATION", "IS", values=["A"]))),
    "an unknown filter": ored(anded({"filterType": "PAGE_VIEW"})),
    "no operation": ored(anded({"filterType": "PROPERTY", "property": "tier"})),
    "no time point": ored(anded(asks("changed", "TIME_RANGED", "IS_BETWEEN"))),
    "no association": ored(anded(branches=[through(tier_is("A"), type_id=280)])),
    "no object": "nonsense",
    "filters that are no list": ored({"filterBranchType": "AND", "filters": "all"}),
}


@pytest.mark.parametrize("branch", NOT_TAKEN.values(), ids=NOT_TAKEN)
def test_a_filter_the_portal_does_not_take_is_refused_with_a_reason(client, branch):
    status, refused = client.post(V3, body(branch))
    assert (status, refused["category"]) == (400, "VALIDATION_ERROR")
    assert client.post(f"{V3}/search", {})[1]["total"] == 0


@pytest.mark.parametrize(
    "lacking", [{"name": ""}, {"objectTypeId": "0-99"}, {"processingType": "ALWAYS"}, {"filterBranch": None}]
)
def test_a_list_needs_a_name_a_type_and_a_filter(client, lacking):
    assert client.post(V3, {**body(ored(anded(tier_is("A")))), **lacking})[0] == 400


@pytest.mark.parametrize(
    ("method", "path", "right"),
    [
        ("POST", "", "crm.lists.write"),
        ("PUT", "/11/update-list-filters", "crm.lists.write"),
        ("DELETE", "/11", "crm.lists.write"),
        ("GET", "/11/memberships", "crm.lists.read"),
        ("GET", "/object-type-id/0-2/name/Ours", "crm.lists.read"),
    ],
)
def test_each_endpoint_asks_for_its_scope(crm, client, method, path, right):
    made(client, ored(anded(tier_is("A"))))
    crm.admin("POST tokens", token="few", scopes=sorted(SCOPES - {right}))
    status, refused = Client(crm, "few").json(method, V3 + path, body(ored(anded(tier_is("A")))))
    assert status == 403
    assert refused["errors"][0]["context"] == {"requiredGranularScopes": [right]}


def test_a_list_that_does_not_follow_its_filter_keeps_who_was_in_it(client):
    a, b = client.make(name="One", tier="A"), client.make(name="Two", tier="B")
    ours = made(client, ored(anded(tier_is("A"))), processingType="SNAPSHOT")
    client.update((a, {"tier": "B"}), (b, {"tier": "A"}))
    assert members(client, ours) == [a]
    client.delete(f"{COMPANIES}/{a}")
    assert members(client, ours) == []
    change = {"filterBranch": ored(anded(tier_is("B")))}
    assert client.json("PUT", f"{V3}/{ours['listId']}/update-list-filters", change)[0] == 400
