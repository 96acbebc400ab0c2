"""The tripwire behind a missing Sforce-Auto-Assign, and duplicate rules."""

import pytest

from tests.simulator.salesforce.org_world import ACCOUNTS, ROWS, an_org


@pytest.fixture
def world():
    with an_org() as running:
        yield running


SAVE = {"Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=false"}


def row(record_id, **values):
    return {"records": [{"attributes": {"type": "Account"}, "id": record_id, **values}]}


@pytest.mark.parametrize("header", ["FALSE", "false", "False"])
def test_a_write_that_says_false_leaves_the_owner_alone(world, header):
    made = world.make()
    world.json("PATCH", ROWS, row(made, Site="x"), headers=SAVE | {"sforce-auto-assign": header})
    assert world.org.tripwire == []
    assert world.shown(made, "OwnerId")["OwnerId"] == world.org.integration.id


@pytest.mark.parametrize("headers", [{}, {"Sforce-Auto-Assign": "TRUE"}, {"Sforce-Auto-Assign": "no"}])
@pytest.mark.parametrize("way", ["collection", "single", "external", "create"])
def test_a_write_without_a_word_against_it_loses_the_account_to_the_territory_manager(world, headers, way):
    made = world.make(ICP_Key__c="k")
    match way:
        case "collection":
            world.json("PATCH", ROWS, row(made, Site="x"), headers=SAVE | headers)
        case "single":
            world.json("PATCH", f"{ACCOUNTS}/{made}", {"Site": "x"}, headers=SAVE | headers)
        case "external":
            world.json("PATCH", "sobjects/Account/ICP_Key__c/k", {"Site": "x"}, headers=SAVE | headers)
        case "create":
            made = world.json("POST", "sobjects/Account", {"Name": "n"}, headers=SAVE | headers)[1]["id"]
    manager = world.person("territory.manager@sales.example")
    [entry] = world.org.tripwire
    assert (entry["id"], entry["from"], entry["to"]) == (made, world.org.integration.id, manager)
    assert world.shown(made, "OwnerId")["OwnerId"] == manager


def test_every_write_trips_even_when_the_account_is_already_taken(world):
    made = world.make()
    for _ in range(3):
        world.json("PATCH", ROWS, row(made, Site="x"), headers=SAVE)
    assert len(world.org.tripwire) == 3


def test_a_write_that_is_refused_and_one_of_another_object_do_not_trip(world):
    made, contact = world.make(), world.make("Contact", LastName="Doe")
    world.json("PATCH", ROWS, row(made, ICP_Tier__c="Z"), headers=SAVE)
    world.json("PATCH", f"sobjects/Contact/{contact}", {"Title": "CEO"}, headers=SAVE)
    assert world.org.tripwire == []


# -- duplicates


def twins(world):
    return [world.make(Website=site) for site in ("https://acme.example", "https://ACME.example")]


def codes(answer):
    return [error["statusCode"] for one in answer[1] for error in one["errors"]]


@pytest.mark.parametrize("values", [{"Site": "x"}, {"Website": "https://acme.example"}])
def test_an_alert_stops_a_write_that_does_not_allow_saving(world, values):
    one, _ = twins(world)
    answer = world.json("PATCH", ROWS, row(one, **values), headers={"Sforce-Auto-Assign": "FALSE"})
    assert codes(answer) == ["DUPLICATES_DETECTED"]
    assert codes(world.update((one, values))) == []


def test_an_account_without_a_double_passes_without_a_word(world):
    twins(world)
    alone, blank = world.make(Website="https://other.example"), world.make()
    for one in (alone, blank):
        assert world.json("PATCH", f"{ACCOUNTS}/{one}", {"Site": "x"}, headers={})[0] == 204


def test_a_double_made_by_the_request_itself_is_seen(world):
    new = [{"attributes": {"type": "Account"}, "Name": "n", "Website": "https://new.example"}] * 2
    status, body = world.json("POST", ROWS, {"records": new[:1]}, headers={})
    assert (status, body[0]["success"]) == (200, True)
    assert codes(world.json("POST", ROWS, {"records": new[1:]}, headers={})) == ["DUPLICATES_DETECTED"]


@pytest.mark.parametrize(
    ("switches", "headers", "passes"),
    [
        ({"duplicate_block": True}, SAVE, False),
        ({"duplicate_alert": False}, {}, True),
        ({"duplicate_alert": False, "duplicate_block": True}, {}, False),
    ],
)
def test_a_block_stops_every_write_and_no_rule_stops_none(switches, headers, passes):
    with an_org() as world:
        one, _ = twins(world)
        for name, value in switches.items():
            setattr(world.org.switches, name, value)
        answer = world.json("PATCH", ROWS, row(one, Site="x"), headers=headers)
        assert codes(answer) == ([] if passes else ["DUPLICATES_DETECTED"])
