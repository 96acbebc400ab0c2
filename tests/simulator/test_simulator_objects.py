"""Single companies and the list."""

import pytest
from simulator_client import COMPANIES


def walk(client, **query):
    """Every id of the list, page by page."""
    ids, after = [], None
    while True:
        page = client.get(COMPANIES, limit=7, **query, **({"after": after} if after else {}))[1]
        ids += [company["id"] for company in page["results"]]
        if "paging" not in page:
            return ids
        after = page["paging"]["next"]["after"]


@pytest.mark.parametrize("inclusive", [True, False])
def test_the_list_shows_every_company_once_in_id_order(crm, client, inclusive):
    crm.admin("POST settings", list_after_inclusive=inclusive)
    made = [client.make(name=f"Company {n}") for n in range(20)]
    assert walk(client) == made == sorted(made, key=int)


def test_ids_have_eleven_digits_and_gaps(client):
    first, second = client.make(name="a"), client.make(name="b")
    assert len(first) == len(second) == 11
    assert int(second) > int(first)


def test_a_list_may_start_at_any_id(client):
    made = [client.make(name="x") for _ in range(5)]
    assert walk(client)[2:] == [
        c["id"] for c in client.get(COMPANIES, after=str(int(made[1]) + 1))[1]["results"]
    ]


def test_the_links_of_a_page_carry_the_question(client):
    client.make(name="a")
    client.make(name="b")
    link = client.get(COMPANIES, limit=1, properties="city")[1]["paging"]["next"]["link"]
    assert "properties=city" in link
    assert "after=" in link


@pytest.mark.parametrize(
    ("limit", "history", "status"), [(100, "", 200), (101, "", 400), (51, "name", 400), (0, "", 400)]
)
def test_a_page_has_at_most_100_companies_and_50_with_history(client, limit, history, status):
    assert client.get(COMPANIES, limit=limit, propertiesWithHistory=history)[0] == status


def test_never_set_is_null_cleared_is_empty_and_undefined_is_dropped(client):
    made = client.make(name="Acme", city="Oslo")
    client.patch(f"{COMPANIES}/{made}", {"properties": {"city": ""}})
    shown = client.company(made, "city", "state", "no_such_property")
    assert shown["city"] == ""
    assert shown["state"] is None
    assert "no_such_property" not in shown


def test_properties_may_be_repeated_or_a_comma_list(client):
    made = client.make(name="Acme", city="Oslo")
    _, repeated = client.get(f"{COMPANIES}/{made}", properties=["name", "city"])
    assert repeated["properties"] == client.company(made, "name", "city")


def test_an_answer_to_a_write_shows_what_was_written_and_no_more(client):
    made = client.make(name="Acme", city="Oslo", state="Oslo")
    _, body = client.patch(f"{COMPANIES}/{made}", {"properties": {"city": "Bergen"}})
    assert set(body["properties"]) == {
        "name", "domain", "city", "createdate", "hs_lastmodifieddate", "hs_object_id"
    }  # fmt: skip
    assert body["url"].endswith(f"/record/0-2/{made}")
    assert body["updatedAt"] == body["properties"]["hs_lastmodifieddate"]


def test_an_archived_company_is_only_found_when_asked_for(client):
    made = client.make(name="Acme")
    assert client.delete(f"{COMPANIES}/{made}")[0] == 204
    assert client.delete(f"{COMPANIES}/{made}")[0] == 204
    assert client.get(f"{COMPANIES}/{made}")[0] == 404
    assert client.patch(f"{COMPANIES}/{made}", {"properties": {"city": "Oslo"}})[0] == 404
    status, body = client.get(f"{COMPANIES}/{made}", archived="true")
    assert (status, body["archived"]) == (200, True)
    assert walk(client) == []
    assert walk(client, archived="True") == [made]


def test_an_unknown_company_is_not_found(client):
    for wrong in ("1", "abc", "-1", "9" * 30):
        status, body = client.get(f"{COMPANIES}/{wrong}")
        assert (status, body["category"]) == (404, "OBJECT_NOT_FOUND")


def merged(client):
    survivor = client.make(name="Acme", domain="acme.example")
    other = client.make(name="Acme Ltd", city="Oslo")
    status, body = client.post(f"{COMPANIES}/merge", {"primaryObjectId": survivor, "objectIdToMerge": other})
    assert (status, body["id"]) == (200, survivor)
    return survivor, other


def test_the_survivor_of_a_merge_keeps_its_values_and_takes_what_it_lacked(client):
    survivor, other = merged(client)
    shown = client.company(survivor, "name", "city", "hs_merged_object_ids")
    assert (shown["name"], shown["city"], shown["hs_merged_object_ids"]) == ("Acme", "Oslo", other)


def test_a_merged_away_id_reads_and_writes_the_survivor(client):
    survivor, other = merged(client)
    assert client.get(f"{COMPANIES}/{other}")[1]["id"] == survivor
    client.patch(f"{COMPANIES}/{other}", {"properties": {"city": "Bergen"}})
    assert client.company(survivor, "city")["city"] == "Bergen"


def test_merges_chain(client):
    survivor, other = merged(client)
    last = client.make(name="Acme Group")
    client.post(f"{COMPANIES}/merge", {"primaryObjectId": last, "objectIdToMerge": survivor})
    assert client.get(f"{COMPANIES}/{other}")[1]["id"] == last
    assert client.company(last, "hs_merged_object_ids")["hs_merged_object_ids"] == f"{survivor};{other}"


@pytest.mark.parametrize("listed", [False, True])
def test_whether_a_merged_away_id_is_among_the_archived_is_a_switch(crm, client, listed):
    crm.admin("POST settings", merged_in_archived_list=listed)
    _, other = merged(client)
    assert walk(client, archived="true") == ([other] if listed else [])
    assert other not in walk(client)


def test_a_company_is_not_merged_with_itself_or_with_nothing(client):
    made = client.make(name="Acme")
    for other in (made, "1", None):
        status, _ = client.post(f"{COMPANIES}/merge", {"primaryObjectId": made, "objectIdToMerge": other})
        assert status == 400


def test_giving_an_owner_dates_the_assignment(client):
    owner = client.get("/crm/v3/owners")[1]["results"][0]["id"]
    made = client.make(name="Acme", hubspot_owner_id=owner)
    shown = client.company(made, "hubspot_owner_assigneddate", "hs_all_owner_ids")
    assert shown["hubspot_owner_assigneddate"] == "2026-11-21T12:00:00.000Z"
    assert shown["hs_all_owner_ids"] == owner
