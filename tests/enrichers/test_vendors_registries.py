"""Registers, which know names and no web addresses, and Wikidata: what is particular to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from icp_sync.domain.facts import Interval, choice
from icp_sync.ports import Hit, Miss, Request, Unavailable
from tests.enrichers.vendor_calls import KEYS, ask, body, facts, header, sample, sent, vendor

EDGAR, GLEIF = "https://data.sec.gov", "https://api.gleif.org/api/v1/lei-records"
HOUSE, TICKERS = (
    "https://api.company-information.service.gov.uk",
    "https://www.sec.gov/files/company_tickers.json",
)


@pytest.fixture(autouse=True)
def web() -> Iterator[responses.RequestsMock]:
    """Nothing but what a test adds answers."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        yield mocked


@pytest.mark.parametrize("name", ["companies_house", "gleif", "opencorporates", "sec_edgar"])
def test_a_register_is_not_asked_about_a_company_without_a_name(
    web: responses.RequestsMock, name: str
) -> None:
    request = Request(account_id="7", domain="acme.com", country="GB")
    enricher = vendor(name)
    assert not enricher.takes(request)
    assert isinstance(ask(enricher, request), Unavailable)
    assert not web.calls


@pytest.mark.parametrize("country", ["US", "", "DE"])
def test_companies_house_is_asked_about_british_companies_only(country: str) -> None:
    request = Request(account_id="7", domain="acme.com", name="Acme", country=country)
    assert not vendor("companies_house").takes(request)


def test_a_register_is_searched_by_name_and_its_record_fetched_by_number(
    web: responses.RequestsMock,
) -> None:
    hit = sample("companies_house", "hit")
    web.get(f"{HOUSE}/search/companies", json=hit["steps"][0]["body"])
    web.get(f"{HOUSE}/company/06543210", json=hit["body"])
    told = facts(ask(vendor("companies_house")))
    assert told["legal_name"] == choice("acme rocket works limited")
    assert told["industry"] == choice("BANKING")
    assert told["sector"] == choice("52")
    assert header(web, "Authorization").startswith("Basic ")
    assert not [said for said in sent(web) if "acme.com" in said or "s3cret" in said]
    assert "employees" not in told
    assert "revenue" not in told


def test_two_companies_of_one_name_are_nobody(web: responses.RequestsMock) -> None:
    items = sample("companies_house", "ambiguous")["steps"][0]["body"]
    web.get(f"{HOUSE}/search/companies", json=items)
    answer = ask(vendor("companies_house"))
    assert isinstance(answer, Miss)
    assert answer.ambiguous
    assert len(web.calls) == 1


def test_a_dissolved_company_of_our_name_is_found_beside_active_ones_of_other_names(
    web: responses.RequestsMock,
) -> None:
    gone = {"title": "ACME ROCKET WORKS", "company_number": "1", "company_status": "dissolved"}
    other = {"title": "ACME ANVILS LIMITED", "company_number": "2", "company_status": "active"}
    web.get(f"{HOUSE}/search/companies", json={"items": [gone, other]})
    web.get(f"{HOUSE}/company/1", json={"company_name": gone["title"], "company_status": "dissolved"})
    assert facts(ask(vendor("companies_house")))["registry_status"] == choice("dissolved")

    found = sample("opencorporates", "hit")["steps"][0]["body"]
    one = found["results"]["companies"][0]["company"]
    record = {**one, "name": "Acme Rocket Works", "inactive": True}
    beside = {**one, "name": "Acme Anvils Limited", "inactive": False, "company_number": "2"}
    found["results"]["companies"] = [{"company": record}, {"company": beside}]
    web.get("https://api.opencorporates.com/v0.4/companies/search", json=found)
    where = f"{record['jurisdiction_code']}/{record['company_number']}"
    web.get(f"https://api.opencorporates.com/v0.4/companies/{where}", json={"results": {"company": record}})
    assert facts(ask(vendor("opencorporates")))["registry_status"] == choice("dissolved")


@pytest.mark.parametrize(
    ("title", "like"),
    [
        ("ACME ROCKET WORKS (UK) LIMITED", True),
        ("ACME ROCKETWORKS LTD", True),
        ("ACME WORKS LIMITED", False),
        ("ACME ANVILS LIMITED", False),
    ],
)
def test_a_name_like_ours_makes_everything_less_sure_and_one_that_is_not_is_nobody(
    web: responses.RequestsMock, title: str, like: bool
) -> None:
    hit = sample("companies_house", "hit")
    found = {"items": [{**hit["steps"][0]["body"]["items"][0], "title": title}]}
    web.get(f"{HOUSE}/search/companies", json=found)
    web.get(f"{HOUSE}/company/06543210", json={**hit["body"], "company_name": title})
    answer = ask(vendor("companies_house"))
    if like:
        assert isinstance(answer, Hit)
        sure = {signal.fact: signal.confidence for signal in answer.signals}
        assert 0.7 <= sure["legal_name"] == sure["founded"] < 1
    else:
        assert isinstance(answer, Miss)


def test_the_sec_is_told_how_to_reach_us_and_its_list_of_names_is_fetched_once(
    web: responses.RequestsMock,
) -> None:
    hit = sample("sec_edgar", "hit")
    web.get(TICKERS, json=hit["steps"][0]["body"])
    web.get(f"{EDGAR}/submissions/CIK0000320999.json", json=hit["body"])
    enricher = vendor("sec_edgar")
    for _ in range(3):
        assert facts(ask(enricher))["ownership"] == choice("public")
    assert [str(call.request.url) for call in web.calls].count(TICKERS) == 1
    assert {str(call.request.headers["User-Agent"]) for call in web.calls} == {"icp-sync ops@example.org"}
    assert not [said for said in sent(web) if re.search("acme", said, re.IGNORECASE)]  # the name stays here


def test_the_sec_blocking_us_is_not_a_company_it_does_not_know(web: responses.RequestsMock) -> None:
    web.get(TICKERS, status=403, body="<html>Request Rate Threshold Exceeded</html>")
    answer = ask(vendor("sec_edgar"))
    assert isinstance(answer, Unavailable)
    assert answer.kind == "throttled"


def test_a_fund_of_the_same_name_is_not_the_company(web: responses.RequestsMock) -> None:
    hit = sample("gleif", "hit")
    web.get(GLEIF, json=hit["steps"][0]["body"])
    web.get(f"{GLEIF}/529900ACMEACMEACME12", json=hit["body"])
    told = facts(ask(vendor("gleif"), Request(account_id="7", domain="acme.com", name="Acme Rocket Works")))
    assert told["lei"] == choice("529900acmeacmeacme12")
    asked = parse_qs(urlsplit(str(web.calls[0].request.url)).query)
    assert asked == {"filter[entity.legalName]": ["Acme Rocket Works"], "page[size]": ["50"]}


def test_where_the_country_is_known_only_companies_of_it_are_looked_at(web: responses.RequestsMock) -> None:
    hit = sample("opencorporates", "hit")
    web.get("https://api.opencorporates.com/v0.4/companies/search", json=hit["steps"][0]["body"])
    web.get("https://api.opencorporates.com/v0.4/companies/us_or/123-45", json=hit["body"])
    answer = ask(
        vendor("opencorporates"), Request(account_id="7", domain="", name="Acme Rocket Works", country="US")
    )
    assert facts(answer)["registry_status"] == choice("active")
    assert isinstance(answer, Hit)
    assert answer.charge == 2
    asked = parse_qs(urlsplit(str(web.calls[0].request.url)).query)
    assert asked["country_code"] == ["us"]
    assert asked["api_token"] == ["s3cret-key"]


def test_the_newest_statement_of_wikidata_counts(web: responses.RequestsMock) -> None:
    web.post("https://query.wikidata.org/sparql", json=sample("wikidata", "hit")["body"])
    answer = ask(vendor("wikidata"))
    told = facts(answer)
    assert told["employees"] == Interval(1240, 1240)
    assert isinstance(answer, Hit)
    assert next(s for s in answer.signals if s.fact == "employees").observed_at == 1_735_603_200  # 2024-12-31
    query = parse_qs(body(web))["query"][0]
    assert "<https://www.acme.com/>" in query
    assert "Acme Rocket" not in query
    assert "ops@example.org" in header(web, "User-Agent")


HOSTILE = ["acme.com> } INSERT DATA { <x", 'acme.com"', "acme.com\nDROP ALL", "a{b}.com", "acme.com/../../x"]


@pytest.mark.parametrize("domain", HOSTILE)
def test_nothing_of_an_account_can_change_the_query(web: responses.RequestsMock, domain: str) -> None:
    web.post("https://query.wikidata.org/sparql", json=sample("wikidata", "miss")["body"])
    plain, tried = vendor("wikidata"), Request(account_id="7", domain=domain)
    plain.answer([Request(account_id="7", domain="acme.com"), tried])
    shapes = {
        re.sub(
            r"(?<=https://)[\w.%-]+(?=/?>)|(?<=http://)[\w.%-]+(?=/?>)",
            "…",
            parse_qs(body(web, n))["query"][0],
        )
        for n in range(len(web.calls))
    }
    assert len(shapes) == 1


def test_two_entries_with_one_website_are_nobody(web: responses.RequestsMock) -> None:
    web.post("https://query.wikidata.org/sparql", json=sample("wikidata", "ambiguous")["body"])
    answer = ask(vendor("wikidata"))
    assert isinstance(answer, Miss)
    assert answer.ambiguous


@pytest.mark.parametrize("name", [*KEYS])
def test_none_of_them_claims_to_have_been_seen_on_the_wire(name: str) -> None:
    assert not vendor(name).verified
