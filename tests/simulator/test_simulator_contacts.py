"""Contacts and the ties of companies to them."""

import pytest
from simulator_client import Client

from icp_sync.simulator import Simulator

CONTACTS = "/crm/v3/objects/contacts"
TIES = "/crm/v4/associations/companies/contacts/batch/read"
DATED_TIES = "/crm/associations/2026-03/companies/contacts/batch/read"


def contact(crm, company, **properties):
    return crm.admin("POST create", type="contacts", company=company, properties=properties)["id"]


def tied(client, *companies, path=TIES, **more):
    """Status and {company: ids} of the ties of companies, and the errors."""
    status, body = client.post(path, {"inputs": [{"id": c, **more} for c in companies]})
    found = {r["from"]["id"]: [str(t["toObjectId"]) for t in r["to"]] for r in body.get("results", [])}
    return status, found, body.get("errors", [])


def test_contacts_are_listed_read_and_searched_like_companies(crm, client, later):
    company = client.make(name="Acme")
    made = [
        contact(crm, company, jobtitle=title, email=f"{n}@people.example") for n, title in enumerate("abc")
    ]
    later(5)
    assert [c["id"] for c in client.get(CONTACTS)[1]["results"]] == made
    assert client.get(f"{CONTACTS}/{made[0]}", properties="jobtitle")[1]["properties"]["jobtitle"] == "a"
    _, read = client.post(
        f"{CONTACTS}/batch/read", {"inputs": [{"id": i} for i in made], "properties": ["jobtitle"]}
    )
    assert {c["id"]: c["properties"]["jobtitle"] for c in read["results"]} == dict(
        zip(made, "abc", strict=True)
    )
    found = client.post(
        f"{CONTACTS}/search",
        {"filterGroups": [{"filters": [{"propertyName": "jobtitle", "operator": "EQ", "value": "b"}]}]},
    )[1]
    assert [c["id"] for c in found["results"]] == [made[1]]
    assert read["results"][0]["url"].endswith(f"/record/0-1/{read['results'][0]['id']}")


def test_a_contact_shows_its_own_defaults_and_stamp(crm, client):
    made = contact(crm, client.make(name="Acme"), email="a@people.example")
    shown = client.get(f"{CONTACTS}/{made}")[1]["properties"]
    assert {"email", "firstname", "lastname", "createdate", "lastmodifieddate", "hs_object_id"} == set(shown)
    assert shown["lastmodifieddate"] == "2026-11-21T12:00:00.000Z"


def test_missing_contacts_of_a_batch_are_named_as_contacts(client):
    status, body = client.post(f"{CONTACTS}/batch/read", {"inputs": [{"id": "17"}]})
    assert (status, body["errors"][0]["context"]["ids"]) == (207, ["17"])
    assert "CONTACT objects" in body["errors"][0]["message"]


def test_contacts_are_read_only(client):
    assert client.post(CONTACTS, {"properties": {"email": "a@people.example"}})[0] == 403
    assert client.patch(f"{CONTACTS}/1", {"properties": {}})[0] == 403
    assert client.get("/crm/v3/properties/contacts")[0] == 403


@pytest.mark.parametrize(("path", "kind"), [(TIES, int), (DATED_TIES, str)])
def test_ties_are_told_with_their_types(crm, client, path, kind):
    first, second = client.make(name="a"), client.make(name="b")
    made = contact(crm, first)
    crm.admin("POST tie", company=second, contacts=[made])
    _, body = client.post(path, {"inputs": [{"id": first}, {"id": second}]})
    by_company = {r["from"]["id"]: r["to"] for r in body["results"]}
    assert [t["toObjectId"] for t in by_company[first]] == [kind(made)]
    assert [t["typeId"] for t in by_company[first][0]["associationTypes"]] == [280, 2]
    assert [t["typeId"] for t in by_company[second][0]["associationTypes"]] == [280]


def test_more_than_500_ties_come_in_pages(crm, client):
    company = client.make(name="Acme")
    made = crm.admin("POST create", type="contacts", company=company, count=1_201)["ids"]
    walked, after = [], ""
    for expected in (500, 500, 201):
        _, body = client.post(TIES, {"inputs": [{"id": company, **({"after": after} if after else {})}]})
        [result] = body["results"]
        assert len(result["to"]) == expected
        walked += [str(t["toObjectId"]) for t in result["to"]]
        after = result.get("paging", {}).get("next", {}).get("after", "")
    assert (walked, after) == (made, "")


def test_who_has_no_tie_or_does_not_exist_is_an_error_entry_beside_the_others(crm, client):
    company, lonely = client.make(name="a"), client.make(name="b")
    made = contact(crm, company)
    status, found, errors = tied(client, company, lonely, "17")
    assert (status, found) == (207, {company: [made]})
    assert {e["context"]["fromObjectId"][0] for e in errors} == {lonely, "17"}
    assert {e["subCategory"] for e in errors} == {"crm.associations.NO_ASSOCIATIONS_FOUND"}


@pytest.mark.parametrize(("companies", "status"), [(1_000, 207), (1_001, 400)])
def test_a_request_takes_a_thousand_companies(client, companies, status):
    assert tied(client, *map(str, range(companies)))[0] == status


def test_a_cursor_nobody_gave_out_is_refused(crm, client):
    company = client.make(name="Acme")
    contact(crm, company)
    assert tied(client, company, after="§")[0] == 400


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("deals/contacts", 403),
        ("companies/deals", 403),
        ("companies/butterflies", 400),
        ("contacts/companies", 403),
    ],
)
def test_other_ties_are_refused(client, path, status):
    assert client.post(f"/crm/v4/associations/{path}/batch/read", {"inputs": []})[0] == status


@pytest.mark.parametrize("stale", [True, False])
def test_whether_ties_still_name_who_is_archived_or_merged_away_is_a_switch(crm, client, stale):
    crm.admin("POST settings", stale_associations=stale)
    company = client.make(name="Acme")
    archived, loser, survivor = (contact(crm, company, jobtitle=t) for t in "abc")
    crm.admin("POST delete", type="contacts", id=archived)
    crm.admin("POST merge", **{"type": "contacts", "from": loser, "into": survivor})
    _, found, _ = tied(client, company)
    assert found[company] == ([archived, loser, survivor] if stale else [survivor])
    assert client.company(company, "num_associated_contacts")["num_associated_contacts"] == "1"


def test_the_survivor_of_a_merged_contact_or_company_takes_over_its_ties(crm, client):
    first, second = client.make(name="a"), client.make(name="b")
    one, other = contact(crm, first), contact(crm, second)
    crm.admin("POST merge", **{"type": "contacts", "from": one, "into": other})
    assert other in tied(client, first)[1][first]
    crm.admin("POST merge", **{"from": second, "into": first})
    assert client.company(first, "num_associated_contacts")["num_associated_contacts"] == "1"


def test_the_roll_up_follows_without_moving_the_companys_stamp(crm, client, later):
    company = client.make(name="Acme")
    later(60)
    before = client.company(company, "hs_lastmodifieddate")["hs_lastmodifieddate"]
    contact(crm, company)
    contact(crm, company)
    shown = client.company(company, "num_associated_contacts", "hs_lastmodifieddate")
    assert (shown["num_associated_contacts"], shown["hs_lastmodifieddate"]) == ("2", before)


def test_without_its_scope_a_token_sees_no_contact(crm):
    crm.admin("POST tokens", token="small", scopes=["crm.objects.companies.read"])
    client = Client(crm, "small")
    for status, body in (client.get(CONTACTS), client.post(TIES, {"inputs": [{"id": "1"}]})):
        assert status == 403
        assert body["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.contacts.read"]


@pytest.mark.parametrize(
    ("control", "arguments", "words"),
    [
        ("POST create", {"type": "pets"}, "type: 'pets' is none of companies, contacts"),
        ("POST create", {"type": "contacts", "company": "17"}, "no such record: '17'"),
        ("POST create", {"company": "COMPANY"}, "only contacts and deals belong to one"),
        ("POST tie", {"company": "COMPANY", "contacts": "all"}, "contacts: a list of ids"),
        ("POST tie", {"company": "COMPANY", "contacts": ["17"]}, "no such record: '17'"),
    ],
)
def test_a_control_about_contacts_that_cannot_be_carried_out_says_why(crm, client, control, arguments, words):
    company = client.make(name="Acme")
    given = {name: company if value == "COMPANY" else value for name, value in arguments.items()}
    with pytest.raises(ValueError, match=words):
        crm.admin(control, **given)


def seeded(seed=1, **how):
    return Simulator(accounts=150, seed=seed, start_clock=1_795_262_400, **how).portal


def test_seeded_contacts_are_as_many_as_the_roll_ups_say_and_the_same_for_the_same_seed():
    portal = seeded(contacts=True)
    for company in portal.store.records.values():
        assert len(portal.ties.of(company.id)) == int(company.props["num_associated_contacts"])
    titles = [r.props.get("jobtitle") for r in portal.contacts.store.records.values()]
    assert titles == [r.props.get("jobtitle") for r in seeded(contacts=True).contacts.store.records.values()]
    assert {None, "VP SALES", "Geschäftsführer"} <= set(titles)
    assert 0.1 < titles.count(None) / len(titles) < 0.35


def test_contacts_change_nothing_about_the_companies_of_a_seed():
    assert list(seeded(contacts=True).store.records) == list(seeded().store.records)
    assert not seeded().contacts.store.records
