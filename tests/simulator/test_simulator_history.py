"""Stamps and histories: who changed what, and what HubSpot changes by itself."""

from datetime import datetime

import pytest
from simulator_client import COMPANIES


def history(client, company_id, name):
    _, body = client.get(f"{COMPANIES}/{company_id}", propertiesWithHistory=name)
    return body["propertiesWithHistory"][name]


def stamp(client, company_id):
    return client.company(company_id)["hs_lastmodifieddate"]


def test_a_history_is_newest_first_and_says_who(crm, client, later):
    made = client.make(name="Acme", city="Oslo")
    later(60)
    crm.admin("POST edit", id=made, properties={"city": "Bergen"}, user=42)
    later(60)
    crm.admin("POST edit", id=made, properties={"city": "Voss"}, source="IMPORT", source_id="7")
    assert history(client, made, "city") == [
        {"value": "Voss", "timestamp": "2026-11-21T12:02:00.000Z", "sourceType": "IMPORT", "sourceId": "7"},
        {
            "value": "Bergen",
            "timestamp": "2026-11-21T12:01:00.000Z",
            "sourceType": "CRM_UI",
            "sourceId": "userId:42",
            "updatedByUserId": 42,
        },
        {
            "value": "Oslo",
            "timestamp": "2026-11-21T12:00:00.000Z",
            "sourceType": "INTEGRATION",
            "sourceId": "19083857",
        },
    ]


def test_a_history_keeps_the_last_twenty_values(client):
    made = client.make(city="0")
    for n in range(1, 25):
        client.patch(f"{COMPANIES}/{made}", {"properties": {"city": str(n)}})
    assert [entry["value"] for entry in history(client, made, "city")] == [str(n) for n in range(24, 4, -1)]


def test_a_value_never_set_has_no_history(client):
    assert history(client, client.make(name="Acme"), "city") == []


def test_a_write_is_followed_by_hubspots_own_stamp(client, later):
    made = client.make(name="Acme")
    at_once = stamp(client, made)
    later(1)
    assert at_once == "2026-11-21T12:00:00.000Z"
    moved = datetime.fromisoformat(stamp(client, made)) - datetime.fromisoformat(at_once)
    assert 0.3 <= moved.total_seconds() <= 0.5
    assert history(client, made, "name")[0]["timestamp"] == at_once


def test_the_stamp_that_follows_is_a_switch(crm, client, later):
    crm.admin("POST settings", follow_up=False)
    made = client.make(name="Acme")
    later(1)
    assert stamp(client, made) == "2026-11-21T12:00:00.000Z"


@pytest.mark.parametrize(("bumps", "minute"), [(True, "12:01:00.000"), (False, "12:00:00.000")])
def test_whether_writing_the_same_value_moves_the_stamp_is_a_switch(crm, client, later, bumps, minute):
    crm.admin("POST settings", same_value_bumps=bumps, follow_up=False)
    made = client.make(city="Oslo")
    later(60)
    client.update((made, {"city": "Oslo"}))
    assert stamp(client, made) == f"2026-11-21T{minute}Z"
    assert len(history(client, made, "city")) == 1
    stats = crm.admin("GET stats")
    assert (stats["records_written"], stats["noop_writes"]) == (2, 1)


def test_an_edit_may_carry_any_stamp_and_nothing_follows_it(crm, client, later):
    made = client.make(name="Acme")
    later(5)
    crm.admin("POST edit", id=made, properties={"city": "Oslo"}, at=1_795_262_401.5)
    later(5)
    assert stamp(client, made) == "2026-11-21T12:00:01.500Z"


def test_a_mass_job_gives_many_records_one_stamp_and_no_new_value(crm, client, later):
    ids = [client.make(name=f"n{n}") for n in range(5)]
    later(60)
    crm.admin("POST bump", count=3)
    stamps = [stamp(client, i) for i in ids]
    assert stamps[:3] == ["2026-11-21T12:01:00.000Z"] * 3
    assert "2026-11-21T12:01:00.000Z" not in stamps[3:]
    assert len(history(client, ids[0], "name")) == 1
    crm.admin("POST bump", ids=ids[3:], at="2026-11-21T12:30:00Z")
    assert {stamp(client, i) for i in ids[3:]} == {"2026-11-21T12:30:00.000Z"}


def test_a_merge_shows_in_the_history_of_what_was_taken_over(client):
    survivor, other = client.make(name="Acme"), client.make(city="Oslo")
    client.post(f"{COMPANIES}/merge", {"primaryObjectId": survivor, "objectIdToMerge": other})
    assert [entry["sourceType"] for entry in history(client, survivor, "city")] == ["MERGE_OBJECTS"]


@pytest.mark.parametrize(
    ("editor", "kind"),
    [
        ("person", "CRM_UI"),
        ("workflow", "AUTOMATION_PLATFORM"),
        ("import", "IMPORT"),
        ("app", "INTEGRATION"),
    ],
)
def test_the_usual_editors_have_names(crm, client, editor, kind):
    made = client.make(name="Acme")
    crm.admin("POST edit", id=made, properties={"city": "Oslo"}, source=editor)
    [entry] = history(client, made, "city")
    assert entry["sourceType"] == kind
    assert entry["sourceId"] not in ("", "19083857")


def test_a_history_may_lag_behind_the_values(crm, client, later):
    made = client.make(city="Oslo")
    crm.admin("POST settings", history_lag=5)
    later(60)
    client.patch(f"{COMPANIES}/{made}", {"properties": {"city": "Voss"}})
    assert client.company(made, "city")["city"] == "Voss"
    assert [entry["value"] for entry in history(client, made, "city")] == ["Oslo"]
    shown = crm.admin(f"GET record/{made}")["propertiesWithHistory"]["city"]
    assert [entry["value"] for entry in shown] == ["Voss", "Oslo"]
    later(5)
    assert [entry["value"] for entry in history(client, made, "city")] == ["Voss", "Oslo"]


def test_versions_of_one_millisecond_stand_newest_first(client):
    made = client.make(city="Oslo")
    for city in ("Bergen", "Voss"):
        client.patch(f"{COMPANIES}/{made}", {"properties": {"city": city}})
    told = history(client, made, "city")
    assert [entry["value"] for entry in told] == ["Voss", "Bergen", "Oslo"]
    assert len({entry["timestamp"] for entry in told}) == 1
