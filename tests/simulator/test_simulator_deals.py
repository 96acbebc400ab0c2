"""Deals: their pipelines, the companies they are tied to, and what rolls up from them."""

import pytest
from simulator_client import Client, where

from icp_sync.simulator import Simulator
from icp_sync.simulator.hubspot.portal import SCOPES

DEALS = "/crm/v3/objects/deals"
TIES = "/crm/v4/associations/deals/companies/batch/read"
DATED_TIES = "/crm/associations/2026-09/0-3/0-2/batch/read"
ROLLED_UP = ("num_associated_deals", "hs_num_open_deals", "hs_lastmodifieddate")


def deal(crm, company=None, **properties):
    tied = {} if company is None else {"company": company}
    return crm.admin("POST create", type="deals", properties=properties, **tied)["id"]


def tied(client, *deals, path=TIES):
    """Status, {deal: [(company, type ids)]} and the errors."""
    status, body = client.post(path, {"inputs": [{"id": d} for d in deals]})
    found = {
        r["from"]["id"]: [
            (t["toObjectId"], [kind["typeId"] for kind in t["associationTypes"]]) for t in r["to"]
        ]
        for r in body.get("results", [])
    }
    return status, found, body.get("errors", [])


def rolled_up(client, company):
    """How many deals, how many of them open, and the company's stamp."""
    shown = client.company(company, *ROLLED_UP)
    return tuple(shown[name] for name in ROLLED_UP)


def test_deals_are_listed_read_and_searched_like_companies(crm, client, later):
    made = [deal(crm, dealname=name, amount=n) for n, name in enumerate("abc")]
    later(5)
    assert [d["id"] for d in client.get(DEALS)[1]["results"]] == made
    shown = client.get(f"/crm/objects/2026-09/0-3/{made[1]}", properties="dealname,amount")[1]
    assert (shown["properties"]["dealname"], shown["properties"]["amount"]) == ("b", "1")
    assert shown["url"].endswith(f"/record/0-3/{made[1]}")
    _, read = client.post(
        f"{DEALS}/batch/read", {"inputs": [{"id": i} for i in made], "properties": ["dealname"]}
    )
    assert {d["properties"]["dealname"] for d in read["results"]} == set("abc")
    filters = [where("hs_lastmodifieddate", "GTE", "1000"), where("amount", "GT", "0")]
    _, found = client.post(f"{DEALS}/search", {"filterGroups": [{"filters": filters}]})
    assert [d["id"] for d in found["results"]] == made[1:]


def test_a_deal_shows_its_own_defaults_and_begins_in_the_first_stage(crm, client):
    shown = client.get(f"{DEALS}/{deal(crm, dealname='Pilot')}")[1]["properties"]
    assert set(shown) == {
        *("dealname", "amount", "closedate", "dealstage", "pipeline"),
        *("createdate", "hs_lastmodifieddate", "hs_object_id"),
    }
    assert (shown["dealstage"], shown["pipeline"], shown["amount"]) == (
        "appointmentscheduled",
        "default",
        None,
    )


def test_missing_deals_of_a_batch_are_named_as_deals(client):
    status, body = client.post(f"{DEALS}/batch/read", {"inputs": [{"id": "17"}]})
    assert (status, body["errors"][0]["context"]["ids"]) == (207, ["17"])
    assert "DEAL objects" in body["errors"][0]["message"]


def test_deals_are_made_and_deleted_by_people_only(crm, client):
    assert client.post(DEALS, {"properties": {"dealname": "Pilot"}})[0] == 403
    assert client.delete(f"{DEALS}/{deal(crm)}")[0] == 403


def custom(client, name="icp_tier_at_creation", **how):
    """A property of deals, made in a group of its own."""
    client.post("/crm/v3/properties/deals/groups", {"name": "icp", "label": "ICP"})
    body = {"name": name, "label": name, "type": "string", "fieldType": "text", "groupName": "icp", **how}
    return client.post("/crm/v3/properties/deals", body)


def test_deals_have_properties_and_groups_of_their_own(crm, client):
    assert custom(client)[0] == 201
    assert client.get("/crm/properties/2026-09/0-3/icp_tier_at_creation")[0] == 200
    assert client.get("/crm/v3/properties/companies/icp_tier_at_creation")[0] == 404
    assert client.get("/crm/v3/properties/companies/groups/icp")[0] == 404
    by_type = {
        one["objectTypeId"]: one["usage"]
        for one in client.get("/crm/v3/limits/custom-properties")[1]["byObjectType"]
    }
    assert by_type == {"0-2": 0, "0-3": 1}
    assert client.delete("/crm/v3/properties/deals/groups/icp")[0] == 400, "it is not empty"
    assert client.delete("/crm/v3/properties/deals/icp_tier_at_creation")[0] == 204
    assert client.delete("/crm/v3/properties/deals/groups/icp")[0] == 204


def test_a_batch_of_deals_is_written_with_the_habits_of_every_batch(crm, client):
    custom(client)
    made = [deal(crm) for _ in range(3)]
    crm.admin("POST merge", type="deals", **{"from": made[1], "into": made[2]})
    inputs = [{"id": id, "properties": {"icp_tier_at_creation": "A"}} for id in (*made, "17")]
    status, body = client.post(f"{DEALS}/batch/update", {"inputs": inputs})
    assert status == 207
    assert {one["id"] for one in body["results"]} == {made[0], made[2]}
    assert body["errors"][0]["context"]["ids"] == ["17"], "of the merged one nothing is said"
    inputs[0]["properties"] = {"no_such": "A"}
    status, body = client.post(f"{DEALS}/batch/update", {"inputs": inputs})
    assert (status, body["errors"][0]["code"]) == (400, "PROPERTY_DOESNT_EXIST")


def test_a_stage_written_to_a_deal_shows_on_its_company(crm, client):
    company = crm.admin("POST create", properties={"name": "Acme"})["id"]
    made = deal(crm, company)
    assert rolled_up(client, company)[:2] == ("1", "1")
    assert client.patch(f"{DEALS}/{made}", {"properties": {"dealstage": "closedwon"}})[0] == 200
    assert rolled_up(client, company)[:2] == ("1", "0")


@pytest.mark.parametrize(
    ("scope", "calls"),
    [
        ("crm.objects.deals.write", [("post", f"{DEALS}/batch/update"), ("patch", f"{DEALS}/1")]),
        ("crm.schemas.deals.write", [("post", "/crm/v3/properties/deals")]),
    ],
)
def test_each_right_to_deals_is_a_scope_of_its_own(crm, client, scope, calls):
    crm.admin("POST tokens", token=crm.token, scopes=sorted(SCOPES - {scope}))
    for verb, path in calls:
        status, body = getattr(client, verb)(path, {})
        assert (status, scope in str(body)) == (403, True)


@pytest.mark.parametrize("path", ["/crm/v3/pipelines/deals", "/crm/pipelines/2026-09/0-3/"])
def test_pipelines_tell_their_stages_and_what_these_count_as(client, path):
    status, body = client.get(path)
    assert status == 200
    marks = {
        stage["id"]: (stage["metadata"]["isClosed"], stage["metadata"]["probability"])
        for pipeline in body["results"]
        for stage in pipeline["stages"]
    }
    assert marks["closedwon"] == ("true", "1.0")
    assert marks["closedlost"] == ("true", "0.0")
    assert ("false", "1.0") in marks.values()
    assert ("true", "0.8") in marks.values()


@pytest.mark.parametrize(
    ("kind", "status"), [("companies", 403), ("contacts", 403), ("tickets", 403), ("butterflies", 400)]
)
def test_pipelines_of_other_types_are_refused(client, kind, status):
    assert client.get(f"/crm/v3/pipelines/{kind}")[0] == status


@pytest.mark.parametrize(
    ("stage", "pipeline", "closed", "won", "lost"),
    [
        ("contractsent", "default", "false", "false", "false"),
        ("closedwon", "default", "true", "true", "false"),
        ("142611858", "75398411", "false", "false", "false"),
        ("142611860", "75398411", "true", "false", "true"),
    ],
)
def test_the_marks_of_a_stage_follow_it_onto_the_deal(crm, client, stage, pipeline, closed, won, lost):
    made = deal(crm)
    crm.admin("POST edit", type="deals", id=made, properties={"dealstage": stage})
    names = ("pipeline", "hs_is_closed", "hs_is_closed_won", "hs_is_closed_lost")
    shown = client.get(f"{DEALS}/{made}", properties=",".join(names))[1]["properties"]
    assert tuple(shown[name] for name in names) == (pipeline, closed, won, lost)


def test_a_stage_there_is_not_is_refused(crm):
    with pytest.raises(ValueError, match="dealstage: signed was not one of the allowed options"):
        deal(crm, dealstage="signed")


def test_ties_are_told_with_their_types_and_which_company_is_primary(crm, client):
    first, second = client.make(name="a"), client.make(name="b")
    made = deal(crm, second)
    crm.admin("POST tie", company=first, deals=[made])
    assert tied(client, made)[1] == {made: [(int(first), [341]), (int(second), [341, 5])]}
    assert tied(client, made, path=DATED_TIES)[1] == {made: [(first, [341]), (second, [341, 5])]}


def test_a_deal_without_a_company_or_that_does_not_exist_is_an_error_entry(crm, client):
    company = client.make(name="a")
    made, lonely = deal(crm, company), deal(crm)
    status, found, errors = tied(client, made, lonely, "17")
    assert (status, list(found)) == (207, [made])
    assert {e["context"]["fromObjectId"][0] for e in errors} == {lonely, "17"}
    assert errors[0]["context"]["fromObjectType"] == ["deal"]


@pytest.mark.parametrize("stale", [True, False])
def test_whether_ties_still_name_a_company_that_is_gone_is_a_switch(crm, client, stale):
    crm.admin("POST settings", stale_associations=stale)
    archived, loser, survivor = (client.make(name=name) for name in "abc")
    deals = [deal(crm, company) for company in (archived, loser)]
    crm.admin("POST delete", id=archived)
    crm.admin("POST merge", **{"from": loser, "into": survivor})
    named = {d: [company for company, _ in ties] for d, ties in tied(client, *deals)[1].items()}
    assert named == (
        {deals[0]: [int(archived)], deals[1]: [int(loser)]} if stale else {deals[1]: [int(survivor)]}
    )


def test_the_roll_ups_follow_their_deals_without_moving_the_companys_stamp(crm, client, later):
    company = client.make(name="Acme")
    later(60)
    stamp = rolled_up(client, company)[2]
    first, second = deal(crm, company), deal(crm, company, dealstage="closedlost")
    assert rolled_up(client, company) == ("2", "1", stamp)
    crm.admin("POST edit", type="deals", id=first, properties={"dealstage": "closedwon"})
    assert rolled_up(client, company) == ("2", "0", stamp)
    crm.admin("POST edit", type="deals", id=second, properties={"dealstage": "contractsent"})
    crm.admin("POST delete", type="deals", id=first)
    assert rolled_up(client, company) == ("1", "1", stamp)


def test_search_sees_a_roll_up_as_late_as_any_change(crm, client, later):
    company = client.make(name="Acme")
    later(5)
    deal(crm, company)
    asked = where("hs_num_open_deals", "EQ", "1")
    assert client.found(asked) == []
    later(5)
    assert client.found(asked) == [company]


def test_the_survivor_of_a_merged_company_or_deal_takes_over(crm, client):
    first, second = client.make(name="a"), client.make(name="b")
    one, other = deal(crm, first), deal(crm, second)
    crm.admin("POST merge", **{"type": "deals", "from": one, "into": other})
    assert [company for company, _ in tied(client, other)[1][other]] == [int(first), int(second)]
    assert rolled_up(client, first)[:2] == ("1", "1")
    crm.admin("POST merge", **{"from": second, "into": first})
    assert rolled_up(client, first)[:2] == ("1", "1")
    deal(crm, first)
    assert rolled_up(client, first)[:2] == ("2", "2")


def test_without_its_scope_a_token_sees_no_deal(crm):
    crm.admin(
        "POST tokens", token="small", scopes=["crm.objects.companies.read", "crm.objects.contacts.read"]
    )
    client = Client(crm, "small")
    answers = [client.get(DEALS), client.get("/crm/v3/pipelines/deals"), client.post(TIES, {"inputs": []})]
    for status, body in answers:
        assert status == 403
        assert body["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.deals.read"]


@pytest.mark.parametrize(
    ("control", "arguments", "words"),
    [
        ("POST create", {"type": "deals", "company": "17"}, "no such record: '17'"),
        ("POST tie", {"company": "COMPANY", "deals": "all"}, "deals: a list of ids"),
        ("POST tie", {"company": "COMPANY", "deals": ["17"]}, "no such record: '17'"),
    ],
)
def test_a_control_about_deals_that_cannot_be_carried_out_says_why(crm, client, control, arguments, words):
    company = client.make(name="Acme")
    given = {name: company if value == "COMPANY" else value for name, value in arguments.items()}
    with pytest.raises(ValueError, match=words):
        crm.admin(control, **given)


def test_a_seeded_roll_up_stays_until_the_company_has_a_deal_that_exists():
    crm = Simulator(accounts=60, start_clock=1_795_262_400)
    said = {id: record.props.get("num_associated_deals") for id, record in crm.portal.store.records.items()}
    id, other = [id for id, count in said.items() if count not in (None, "0", "1")][:2]
    crm.admin("POST merge", **{"into": id, "from": other})
    assert crm.portal.store.records[id].props["num_associated_deals"] == said[id]
    crm.admin("POST create", type="deals", company=id)
    assert crm.portal.store.records[id].props["num_associated_deals"] == "1"


def test_the_portal_begins_anew_without_deals(crm):
    deal(crm)
    crm.admin("POST reset")
    assert not crm.portal.deals.store.records
