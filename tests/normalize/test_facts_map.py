"""A facts map turns properties into signals, and says what it could not read."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.facts import CATALOGUE, FactType, Members, Money, Signal, choice, merge, number
from icp_sync.errors import ConfigError
from icp_sync.normalize.facts_map import HUBSPOT_DEFAULTS, FactsMap, FactSource
from icp_sync.normalize.kinds import Kind
from icp_sync.normalize.sizes import headcount

PROPERTIES: dict[str, str | None] = {
    "name": "Acme GmbH",
    "domain": "acme.com",
    "website": "https://www.acme.com/",
    "industry": "COMPUTER_SOFTWARE",
    "numberofemployees": "620",
    "hs_employee_range": "501 - 1000",
    "annualrevenue": "52000000",
    "hs_revenue_range": "$10M - $50M",
    "country": "Germany",
    "hs_country_code": "DE",
    "state": "Bavaria",
    "city": " Munich ",
    "founded_year": "1999",
    "web_technologies": "salesforce;HubSpot; Google Analytics",
    "is_public": "true",
    "type": "PROSPECT",
    "lifecyclestage": "lead",
    "hs_lead_status": "NEW",
    "hs_num_open_deals": "0",
    "num_associated_contacts": "8.600000000000000477",
    "hs_num_child_companies": None,
    "total_money_raised": "",
    "notes_last_updated": "1700000000000",
    "hs_keywords": "SaaS;B2B",
}


def read(properties: Mapping[str, str | None], facts: FactsMap = HUBSPOT_DEFAULTS) -> dict[str, object]:
    signals, unread = facts.read(properties, observed_at=7.0, account_currency="EUR")
    return dict(merge(signals, unread, facts.types).facts)


def unread(properties: Mapping[str, str | None], facts: FactsMap = HUBSPOT_DEFAULTS) -> dict[str, str]:
    return facts.read(properties, observed_at=7.0, account_currency="EUR")[1]


def test_hubspots_standard_properties_feed_their_facts() -> None:
    assert read(PROPERTIES) == {
        "name": choice("acme gmbh"),
        "domain": choice("acme.com"),
        "industry": choice("COMPUTER_SOFTWARE"),
        "sector": choice("51"),
        "employees": number(620),
        "revenue": Money(52e6, 52e6, "EUR"),
        "country": choice("DE"),
        "state": choice("bavaria"),
        "city": choice("munich"),
        "founded": (915_148_800, 946_684_799),
        "technologies": Members(frozenset({"salesforce", "hubspot", "google analytics"}), False),
        "ownership": choice("public"),
        "account_type": choice("prospect"),
        "lifecycle": Members(frozenset({"lead", "prospect"}), True),
        "lead_status": choice("new"),
        "open_deals": number(0),
        "contacts": number(8.6),
        "last_activity": number(1_700_000_000),
        "keywords": Members(frozenset({"saas", "b2b"}), False),
    }


def test_a_signal_is_whole_and_keeps_what_the_crm_said() -> None:
    signals, _ = HUBSPOT_DEFAULTS.read({"country": "Germany"}, observed_at=7.0, account_currency="")
    assert signals == (
        Signal(fact="country", value=choice("DE"), source="crm:country", observed_at=7.0, raw="Germany"),
    )
    assert hash(signals[0])


def test_a_fallback_property_counts_only_where_the_first_one_is_missing() -> None:
    assert read({"website": "www.acme.com/en", "hs_employee_range": "51-200", "hs_country_code": "FR"}) == {
        "domain": choice("acme.com"),
        "employees": number(51, 200),
        "country": choice("FR"),
    }
    assert read({"numberofemployees": "70", "hs_employee_range": "10001+"})["employees"] == number(70)
    assert read({"numberofemployees": "", "hs_employee_range": "10001+"})["employees"] == number(10001, inf)


@given(st.text("0123456789", min_size=1, max_size=9))
def test_plain_digits_are_the_headcount_they_are_elsewhere(digits: str) -> None:
    assert read({"numberofemployees": digits}).get("employees") == headcount(digits)


def test_money_is_in_the_accounts_currency_and_a_range_only_in_the_one_it_names() -> None:
    assert read({"annualrevenue": "1.5E7"})["revenue"] == Money(1.5e7, 1.5e7, "EUR")
    assert read({"hs_revenue_range": "10M-50M"})["revenue"] == Money(10e6, 50e6, "")


@pytest.mark.parametrize("text", ["4.400", " 950.000"])
def test_an_amount_with_three_digits_behind_one_point_may_be_thousands_and_is_not_read(text: str) -> None:
    assert "revenue" not in read({"annualrevenue": text})
    assert unread({"annualrevenue": text}) == {"revenue": text}
    assert read({"annualrevenue": "1234.400"})["revenue"] == Money(1234.4, 1234.4, "EUR")
    assert read({"annualrevenue": "0.400"})["revenue"] == Money(0.4, 0.4, "EUR")


@pytest.mark.parametrize("nothing", ["", "   ", None])
def test_empty_text_is_missing_and_not_unreadable(nothing: str | None) -> None:
    properties = dict.fromkeys(HUBSPOT_DEFAULTS.properties, nothing)
    assert read(properties) == {}
    assert unread(properties) == {}


def test_what_cannot_be_read_is_named_with_its_text() -> None:
    bad = {
        "domain": "gmail.com",
        "industry": "Technology",
        "numberofemployees": "-5",
        "annualrevenue": "1e308",
        "country": "Georgia",
        "founded_year": "N/A",
        "hs_num_open_deals": "NaN",
        "notes_last_updated": "yesterday",
    }
    assert read(bad) == {}
    assert unread(bad) == {
        "domain": "gmail.com",
        "industry": "Technology",
        "employees": "-5",
        "revenue": "1e308",
        "country": "Georgia",
        "founded": "N/A",
        "open_deals": "NaN",
        "last_activity": "yesterday",
    }


def test_an_enormous_name_is_unread_and_shortened() -> None:
    said = unread({"name": "🏢" * 65_536})
    assert said["name"].startswith("🏢🏢")
    assert len(said["name"]) == 1_001


@pytest.mark.parametrize(
    ("stage", "words", "complete"),
    [
        ("customer", {"customer"}, True),
        ("evangelist", {"evangelist", "customer"}, True),
        ("opportunity", {"opportunity", "prospect"}, True),
        ("other", {"other"}, True),
        ("48210365", {"48210365"}, False),
    ],
)
def test_a_lifecycle_stage_says_what_the_company_is(stage: str, words: set[str], complete: bool) -> None:
    assert read({"lifecyclestage": stage})["lifecycle"] == Members(frozenset(words), complete)


def test_not_public_says_nothing_about_ownership() -> None:
    assert read({"is_public": "false"}) == {}
    assert unread({"is_public": "false"}) == {}


def test_json_values_that_are_no_text_are_read_as_the_crm_writes_them() -> None:
    odd: dict[str, object] = {"is_public": True, "numberofemployees": 12, "annualrevenue": 1.5}
    signals, _ = HUBSPOT_DEFAULTS.read(odd, observed_at=0.0, account_currency="USD")
    assert {s.fact: s.value for s in signals} == {
        "ownership": choice("public"),
        "employees": number(12),
        "revenue": Money(1.5, 1.5, "USD"),
    }


def test_every_default_fits_its_fact() -> None:
    told = HUBSPOT_DEFAULTS.provenance
    read = {source.property for source in HUBSPOT_DEFAULTS.sources}
    assert told
    assert set(HUBSPOT_DEFAULTS.properties) == read | {told.flag, told.at}
    assert {source.fact for source in HUBSPOT_DEFAULTS.sources} <= set(CATALOGUE)
    assert HUBSPOT_DEFAULTS.types == CATALOGUE


def test_a_configuration_adds_replaces_and_ignores() -> None:
    facts = FactsMap.from_config(
        [
            {"property": "industry", "ignore": True},
            {"property": "seats", "fact": "employees", "rank": 5},
            {"property": "annualrevenue", "fact": "revenue", "currency": "USD"},
            {"property": "nps", "fact": "satisfaction", "kind": "number"},
            {"property": "stack", "fact": "technologies", "separator": ",", "complete": True},
            {
                "property": "segment",
                "fact": "business_model",
                "kind": "set",
                "values": {"MSP": "agency;reseller"},
            },
        ],
        HUBSPOT_DEFAULTS,
    )
    assert "industry" not in facts.properties
    assert facts.types["satisfaction"] is FactType.NUMBER
    properties = {
        "seats": "40",
        "annualrevenue": "9",
        "nps": "-12",
        "stack": "Slack, HubSpot",
        "segment": "msp",
    }
    assert read(properties, facts) == {
        "employees": number(40),
        "revenue": Money(9, 9, "USD"),
        "satisfaction": number(-12),
        "technologies": Members(frozenset({"slack", "hubspot"}), True),
        "business_model": Members(frozenset({"agency", "reseller"}), False),
    }


def test_every_problem_of_a_configuration_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        FactsMap.from_config(
            [
                {"property": "x", "fact": "employes"},
                {"fact": "revenue", "kind": "moeny", "curency": "USD"},
                {"property": "a", "fact": "employees", "kind": "text", "rank": True, "separator": ","},
                {"property": "b", "fact": "score", "kind": "number", "complete": True, "values": []},
                {"property": "c", "fact": "revenue", "currency": "usd"},
                {"property": "d", "fact": "name"},
                {"property": "d", "fact": "name"},
                {"property": "e", "fact": "Not A Name", "kind": "text"},
                5,
            ],
            HUBSPOT_DEFAULTS,
        )
    assert [(p.where, bool(p.hint)) for p in caught.value.problems] == [
        ("facts[0].kind", True),
        ("facts[1].curency", True),
        ("facts[1].property", False),
        ("facts[1].kind", True),
        ("facts[2].kind", True),
        ("facts[2].rank", True),
        ("facts[2].separator", True),
        ("facts[3].values", False),
        ("facts[3].complete", True),
        ("facts[4].currency", False),
        ("facts[6].property", True),
        ("facts[7].fact", False),
        ("facts[8]", False),
    ]
    assert "did you mean 'employees'?" in str(caught.value)


def test_a_source_can_be_given_in_code() -> None:
    facts = FactsMap((FactSource(property="sells_to", fact="residency", kind=Kind.SET, separator="|"),))
    assert read({"sells_to": "EU|US"}, facts) == {"residency": Members(frozenset({"eu", "us"}), False)}
