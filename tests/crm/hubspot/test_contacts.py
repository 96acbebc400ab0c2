"""The contacts of companies over HubSpot's API: pages, batches, what is missing, and what goes wrong."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from icp_sync.errors import AuthError, UnavailableError
from tests.crm.hubspot.world import Portal, connect


def requests(portal: Portal) -> dict[str, int]:
    made = portal.simulator.admin("GET stats")["requests"]
    assert isinstance(made, dict)
    return made


def tie(portal: Portal, company: str, contacts: list[str]) -> None:
    portal.simulator.admin("POST tie", company=company, contacts=contacts)


def many(portal: Portal, company: str, count: int) -> list[str]:
    made = portal.simulator.admin(
        "POST create", type="contacts", company=company, count=count, properties={"jobtitle": "CEO"}
    )
    ids = made["ids"]
    assert isinstance(ids, list)
    return [str(id) for id in ids]


@pytest.mark.parametrize("version", ["v3", "2026-03", "2026-09"])
def test_a_company_with_more_contacts_than_a_page_is_read_whole_in_every_version(
    portal: Portal, version: str
) -> None:
    company, other = portal.create_many(2)
    made = many(portal, company, 620)
    portal.add_contact(other, "CFO")
    crm = connect(portal.simulator, version=version)
    portal.simulator.admin("DELETE stats")
    related = crm.related([company, other], "contacts")
    crm.close()
    assert [person.id for person in related[company]] == made
    assert {person.title for person in related[company]} == {"CEO"}
    assert [person.title for person in related[other]] == ["CFO"]
    assert requests(portal) == {"POST associations/batch/read": 2, "POST contacts/batch/read": 7}


def test_a_contact_of_several_companies_is_read_once(portal: Portal) -> None:
    companies = list(portal.create_many(3))
    contact = portal.add_contact(companies[0], "CEO")
    for company in companies[1:]:
        tie(portal, company, [contact])
    portal.simulator.admin("DELETE stats")
    related = portal.crm.related(companies, "contacts")
    assert {person.id for people in related.values() for person in people} == {contact}
    assert requests(portal)["POST contacts/batch/read"] == 1


def test_beyond_a_thousand_contacts_of_a_company_only_their_number_counts(portal: Portal) -> None:
    company = portal.create()
    many(portal, company, 1_150)
    people = portal.crm.related([company], "contacts")[company]
    assert (len(people), sum(bool(person.title) for person in people)) == (1_150, 1_000)


@pytest.mark.parametrize("follows", [True, False])
def test_a_contact_merged_into_another_is_told_as_its_survivor_once(portal: Portal, follows: bool) -> None:
    portal.simulator.admin("POST settings", batch_read_follows_merges=follows)
    company = portal.create()
    loser, survivor = portal.add_contact(company, "CEO"), portal.add_contact(company, "CFO")
    portal.simulator.admin("POST merge", **{"type": "contacts", "from": loser, "into": survivor})
    people = portal.crm.related([company], "contacts")[company]
    assert [(person.id, person.title) for person in people] == [(survivor, "CFO")]


def test_the_missing_scope_is_named(portal: Portal) -> None:
    portal.simulator.admin("POST tokens", token="small", scopes=["crm.objects.companies.read"])
    crm = connect(portal.simulator, token=SecretStr("small"))
    with pytest.raises(AuthError, match=r"crm\.objects\.contacts\.read"):
        crm.related([portal.create()], "contacts")
    crm.close()


def test_companies_of_which_a_batch_fails_are_left_out_and_the_others_told(portal: Portal) -> None:
    companies = list(portal.create_many(4))
    for company in companies:
        portal.add_contact(company, "CEO")
    portal.fault("207_mixed", "associations", nth=1)
    related = portal.crm.related(companies, "contacts")
    assert set(related) == {companies[0], companies[2]}
    assert all(len(people) == 1 for people in related.values())


@pytest.mark.parametrize("kind", ["empty_results", "error_200"])
def test_an_answer_that_says_nothing_is_not_taken_for_nobody(portal: Portal, kind: str) -> None:
    company = portal.create()
    portal.add_contact(company, "CEO")
    portal.fault(kind, "associations", nth=1)
    assert portal.crm.related([company], "contacts") == {}


def test_a_page_that_fails_halfway_leaves_its_company_out(portal: Portal) -> None:
    company, other = portal.create_many(2)
    many(portal, company, 600)
    portal.add_contact(other, "CEO")
    portal.fault("empty_results", "associations", nth=2)
    assert set(portal.crm.related([company, other], "contacts")) == {other}


def test_contacts_whose_titles_are_not_told_still_count(portal: Portal) -> None:
    company = portal.create()
    portal.add_contact(company, "CEO")
    portal.fault("empty_results", "objects/.*contacts/batch/read", nth=1)
    (person,) = portal.crm.related([company], "contacts")[company]
    assert person.title == ""


@pytest.mark.parametrize("kind", ["503", "502_html", "empty_200", "reset"])
def test_a_portal_out_of_order_is_unavailable(portal: Portal, kind: str) -> None:
    portal.fault(kind, "associations", count=9)
    with pytest.raises(UnavailableError):
        portal.crm.related([portal.create()], "contacts")
