"""Search: an index that lags behind, and the rules of its query language."""

import pytest
from simulator_client import COMPANIES, where

NOON_MS = 1_795_262_400_000


# -- the index


def test_a_new_company_is_found_only_after_the_lag(client, later):
    made = client.make(name="Acme")
    later(2.9)
    assert client.found() == []
    later(0.2)
    assert client.found() == [made]


def test_a_search_matches_the_old_value_and_shows_the_new_one(client, later):
    made = client.make(name="Acme", city="Oslo")
    later(10)
    client.patch(f"{COMPANIES}/{made}", {"properties": {"city": "Bergen"}})
    _, body = client.search(where("city", "EQ", "Oslo"), properties=["city"])
    assert [hit["properties"]["city"] for hit in body["results"]] == ["Bergen"]
    assert client.found(where("city", "EQ", "Bergen")) == []


def test_a_hit_may_carry_a_stamp_beyond_the_window_asked_for(client, later):
    made = client.make(name="Acme")
    later(10)
    upper = str(NOON_MS + 5_000)
    client.patch(f"{COMPANIES}/{made}", {"properties": {"city": "Oslo"}})
    _, body = client.search(where("hs_lastmodifieddate", "BETWEEN", "1000", highValue=upper))
    assert [hit["updatedAt"] for hit in body["results"]] == ["2026-11-21T12:00:10.000Z"]


@pytest.mark.parametrize("seconds", [1, 120, 900])
def test_chosen_records_become_visible_late(crm, client, later, seconds):
    made = client.make(name="Acme")
    later(5)
    crm.admin("POST edit", id=made, properties={"city": "Oslo"}, visible_late=seconds)
    later(seconds - 0.1)
    assert client.found(where("city", "EQ", "Oslo")) == []
    later(0.2)
    assert client.found(where("city", "EQ", "Oslo")) == [made]


def test_nothing_that_happens_later_makes_a_late_record_visible_sooner(crm, client, later):
    made = client.make(name="Acme")
    later(5)
    crm.admin("POST edit", id=made, properties={"city": "Oslo"}, visible_late=120)
    later(10)
    client.patch(f"{COMPANIES}/{made}", {"properties": {"state": "x"}})
    later(60)
    assert client.found(where("city", "EQ", "Oslo")) == []
    later(60)
    assert client.found(where("city", "EQ", "Oslo")) == [made]


def test_an_archived_company_is_never_returned(client, later):
    made = client.make(name="Acme")
    later(10)
    client.delete(f"{COMPANIES}/{made}")
    assert client.found() == []
    later(10)
    assert client.search()[1]["total"] == 0


def test_more_than_ten_thousand_records_of_one_millisecond_are_read_by_id(crm, client, later):
    crm.admin("POST create", properties={"name": "Bulk"}, count=10_500)
    crm.admin("POST bump", at=NOON_MS)
    crm.admin("POST flush")
    stamp = where("hs_lastmodifieddate", "BETWEEN", str(NOON_MS), highValue=str(NOON_MS))
    seen, last = set(), "0"
    while page := client.found(
        stamp, where("hs_object_id", "GT", last), sorts=[{"propertyName": "hs_object_id"}]
    ):
        assert not seen & set(page)
        seen |= set(page)
        last = page[-1]
    assert len(seen) == 10_500


def test_a_record_that_comes_back_to_an_old_stamp_is_found_once(crm, client, later):
    made = client.make(name="Acme")
    for at in (NOON_MS, NOON_MS + 1, NOON_MS):
        crm.admin("POST bump", ids=[made], at=at)
        later(5)
        client.found()
    stamp = str(NOON_MS)
    assert client.found(where("hs_lastmodifieddate", "BETWEEN", stamp, highValue=stamp)) == [made]


# -- pages


def test_pages_go_by_offset_and_the_last_has_no_paging(client, later):
    made = [client.make(name=f"n{n}") for n in range(5)]
    later(5)
    sorts = ["hs_object_id"]
    _, first = client.search(limit="3", sorts=sorts)
    assert (first["total"], first["paging"]) == (5, {"next": {"after": "3"}})
    _, second = client.search(limit=3, sorts=sorts, after=first["paging"]["next"]["after"])
    assert [hit["id"] for hit in first["results"] + second["results"]] == made
    assert "paging" not in second


def test_an_empty_search_gives_ten_by_creation_with_default_properties(client, later):
    for n in range(12):
        client.make(name=f"n{n}")
        later(1)
    later(5)
    _, body = client.post(f"{COMPANIES}/search", {})
    assert [hit["properties"]["name"] for hit in body["results"]] == [f"n{n}" for n in range(10)]
    assert set(body["results"][0]["properties"]) == {
        "name", "domain", "createdate", "hs_lastmodifieddate", "hs_object_id"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("after", "limit", "status"), [(9_800, 200, 200), (9_801, 200, 400), (10_000, 1, 400)]
)
def test_nothing_beyond_the_ten_thousandth_match_is_shown(client, after, limit, status):
    assert client.search(after=str(after), limit=limit)[0] == status


REFUSED = {
    "limit 201": {"limit": 201},
    "limit 0": {"limit": 0},
    "after no number": {"after": "abc"},
    "two sorts": {"sorts": ["name", "domain"]},
    "body too long": {"properties": ["name"] * 500},
    "six groups": {"filterGroups": [{"filters": [where("name", "EQ", "a")]}] * 6},
    "seven filters": {"filterGroups": [{"filters": [where("name", "EQ", "a")] * 7}]},
    "nineteen filters": {"filterGroups": [{"filters": [where("name", "EQ", "a")] * 5}] * 4},
    "no such operator": {"filters": [where("name", "LIKE", "a")]},
    "no value": {"filters": [where("name", "EQ")]},
    "no high value": {"filters": [where("name", "BETWEEN", "a")]},
    "no high stamp": {"filters": [where("hs_lastmodifieddate", "BETWEEN", "1000")]},
    "no values": {"filters": [where("name", "IN", "a")]},
    "no number": {"filters": [where("numberofemployees", "GT", "many")]},
    "groups no list": {"filterGroups": "x"},
    "group no filters": {"filterGroups": [1]},
    "filter no object": {"filters": ["x"]},
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_a_search_the_api_does_not_take_is_a_400(client, body):
    assert client.post(f"{COMPANIES}/search", body)[0] == 400


@pytest.mark.parametrize(
    "body", [{"filterGroups": [{"filters": [where("name", "EQ", "a")] * 6}] * 3}, {"limit": 200}]
)
def test_the_greatest_search_is_taken(client, body):
    assert client.post(f"{COMPANIES}/search", body)[0] == 200


@pytest.mark.parametrize("value", ["0", 0, "1970-01-01T00:00:00Z"])
def test_a_filter_at_the_epoch_breaks_the_search(client, value):
    assert client.search(where("hs_lastmodifieddate", "GTE", value))[0] == 500


# -- operators


@pytest.fixture
def three(client, later):
    """Ids of three different companies, in the index."""
    ids = [
        client.make(
            name="Acme Rockets", industry="BANKING", numberofemployees=100, web_technologies="hubspot;react"
        ),
        client.make(name="Beta Bank", industry="INSURANCE", numberofemployees=20),
        client.make(domain="gamma.example"),
    ]
    later(5)
    return ids


FILTERS = [
    (where("name", "EQ", "acme ROCKETS"), "a"),
    (where("name", "NEQ", "acme rockets"), "b"),
    (where("name", "IN", values=["acme rockets"]), "a"),
    (where("name", "IN", values=["Acme Rockets"]), ""),
    (where("name", "NOT_IN", values=["acme rockets"]), "b"),
    (where("name", "CONTAINS_TOKEN", "rock*"), "a"),
    (where("name", "CONTAINS_TOKEN", "rock"), ""),
    (where("name", "NOT_CONTAINS_TOKEN", "bank"), "a"),
    (where("name", "HAS_PROPERTY"), "ab"),
    (where("name", "NOT_HAS_PROPERTY"), "c"),
    (where("industry", "EQ", "BANKING"), "a"),
    (where("industry", "EQ", "banking"), ""),
    (where("industry", "IN", values=["BANKING", "INSURANCE"]), "ab"),
    (where("numberofemployees", "GT", 20), "a"),
    (where("numberofemployees", "GTE", "20"), "ab"),
    (where("numberofemployees", "LT", "100"), "b"),
    (where("numberofemployees", "LTE", "100.0"), "ab"),
    (where("numberofemployees", "EQ", "1e2"), "a"),
    (where("numberofemployees", "BETWEEN", "20", highValue="99"), "b"),
    (where("numberofemployees", "IN", values=["20"]), "b"),
    (where("createdate", "GTE", "2026-11-21T12:00:00.000999Z"), "abc"),
    (where("createdate", "GT", str(NOON_MS)), ""),
    (where("hs_lastmodifieddate", "GTE", "2026-11-21T07:00:00.000500-05:00"), "abc"),
    (where("hs_lastmodifieddate", "LT", str(NOON_MS)), ""),
    (where("lastmodifieddate", "GTE", "1000"), ""),
]


@pytest.mark.parametrize(("given", "expected"), FILTERS, ids=[str(f) for f, _ in FILTERS])
def test_an_operator_finds_what_it_should(crm, client, later, given, expected):
    crm.admin("POST settings", follow_up=False)
    ids = [
        client.make(name="Acme Rockets", industry="BANKING", numberofemployees=100),
        client.make(name="Beta Bank", industry="INSURANCE", numberofemployees=20),
        client.make(domain="gamma.example"),
    ]
    later(5)
    found = client.found(given)
    assert "".join("abc"[ids.index(i)] for i in sorted(found)) == expected


@pytest.mark.parametrize(("operator", "expected"), [("GT", 1), ("GTE", 2), ("LT", 1), ("LTE", 2), ("EQ", 1)])
def test_ids_compare_as_numbers(client, three, operator, expected):
    assert len(client.found(where("hs_object_id", operator, int(three[1])))) == expected


def test_groups_are_alternatives_and_filters_conditions(client, three):
    groups = [
        {"filters": [where("industry", "EQ", "BANKING"), where("numberofemployees", "GT", 500)]},
        {"filters": [where("industry", "EQ", "INSURANCE")]},
        {"filters": [where("name", "NOT_HAS_PROPERTY")]},
    ]
    _, body = client.post(f"{COMPANIES}/search", {"filterGroups": groups})
    assert {hit["id"] for hit in body["results"]} == {three[1], three[2]}


def test_free_text_looks_at_name_and_domain(client, three):
    assert client.found(query="beta") == [three[1]]
    assert client.found(query="gamma") == [three[2]]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ({"propertyName": "numberofemployees", "direction": "ASCENDING"}, "bac"),
        ({"propertyName": "name", "direction": "DESCENDING"}, "bac"),
        ("-hs_object_id", "cba"),
    ],
)
def test_a_sort_goes_by_the_type_of_the_property_and_blanks_come_last(client, three, sort, expected):
    assert "".join("abc"[three.index(i)] for i in client.found(sorts=[sort])) == expected
