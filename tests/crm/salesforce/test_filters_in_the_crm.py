"""The SOQL of a selection, run by a CRM: it finds whom evaluation selects, or names what it leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icp_sync.crm.salesforce.filters import SHAPES, soql
from icp_sync.domain.conditions import All, AllOf, AnyOf, Between, Condition, NoneOf, Not, Present, Within
from icp_sync.domain.filtering_clauses import Written, assumptions
from icp_sync.domain.profile import DAY, Criterion, Effect, Flag, Profile
from icp_sync.normalize.facts_map import FactsMap, FactSource
from icp_sync.normalize.kinds import Kind
from icp_sync.normalize.property_filters import statements_of
from icp_sync.normalize.property_values import Form, Shape
from icp_sync.normalize.salesforce_fields import SALESFORCE_DEFAULTS, everywhere
from icp_sync.profile_file import load_all
from icp_sync.simulator import Simulator
from tests.normalize.selections import NOW, Raw, ground, profile_sets, selector

ROOT = Path(__file__).parents[3]
PLAIN = everywhere(SALESFORCE_DEFAULTS)
MINE = FactsMap(
    (
        *PLAIN.sources,
        *(s for s in SALESFORCE_DEFAULTS.sources if s.property == "BillingCountryCode"),
        FactSource(property="Size_Band__c", fact="employees", kind=Kind.NUMBER, rank=2),
        FactSource(property="Models__c", fact="business_model", kind=Kind.SET, complete=True),
        FactSource(property="Stack__c", fact="technologies", kind=Kind.SET),
        FactSource(property="Founded__c", fact="founded", kind=Kind.DATE),
        FactSource(property="Eur_Sales__c", fact="revenue", kind=Kind.MONEY, currency="EUR", rank=2),
        FactSource(property="Status__c", fact="lead_status", kind=Kind.CHOICE),
        FactSource(property="Deals__c", fact="open_deals", kind=Kind.NUMBER),
        FactSource(
            property="Listed__c",
            fact="ownership",
            kind=Kind.CHOICE,
            rank=-1,
            values={"true": "public", "false": ""},
        ),
    )
)
PERSONS = FactsMap(
    [s for s in SALESFORCE_DEFAULTS.sources if s.property in ("IsPersonAccount", "BillingCity")]
)
STORED: Mapping[str, Shape] = {
    **SHAPES,
    "Size_Band__c": Shape(form=Form.CHOICE, options=("1-10", "11-50", "51-200", "201+"), complete=True),
    "Models__c": Shape(form=Form.CHOICES, options=("saas", "Agency", "b2b", "b2c"), complete=True),
    "Stack__c": Shape(form=Form.CHOICES, options=("HubSpot", "Salesforce"), complete=True),
    "Founded__c": Shape(form=Form.DATE),
    "Eur_Sales__c": Shape(form=Form.NUMBER),
    "Status__c": Shape(form=Form.CHOICE, options=("New", "Open_Deal"), complete=True),
    "Deals__c": Shape(form=Form.NUMBER),
    "Listed__c": Shape(form=Form.YES_NO),
}
FIELDS = [
    {"name": "Size_Band__c", "type": "picklist"},
    {"name": "Models__c", "type": "multipicklist"},
    {"name": "Stack__c", "type": "multipicklist"},
    {"name": "Founded__c", "type": "date"},
    {"name": "Eur_Sales__c", "type": "currency", "precision": 18, "scale": 2},
    {"name": "Status__c", "type": "picklist"},
    {"name": "Deals__c", "type": "double", "precision": 18},
    {"name": "Listed__c", "type": "boolean"},
]
TAME: Mapping[str, Sequence[str]] = {
    "NumberOfEmployees": ("", "0", "7", "50", "120", "500", "900"),
    "Size_Band__c": ("", "1-10", "11-50", "51-200", "201+"),
    "AnnualRevenue": ("", "0", "900000", "5000000", "60000000"),
    "Eur_Sales__c": ("", "1000000", "4500000.55"),
    "BillingCountry": ("", "Germany", "US", "usa"),
    "BillingCountryCode": ("", "DE", "US"),
    "Industry": ("", "Banking", "Technology", "Retail", "retail"),
    "Type": ("", "Prospect", "Customer - Direct", "Technology Partner", "Other"),
    "Ownership": ("", "Public", "Private", "Subsidiary"),
    "Status__c": ("", "New", "Open_Deal"),
    "Models__c": ("", "saas", "saas;b2b", "Agency", "Agency;b2c;b2b"),
    "Stack__c": ("", "HubSpot", "HubSpot;Salesforce"),
    "Deals__c": ("", "0", "1", "4"),
    "BillingCity": ("", "Berlin", "NEW YORK", "O'Fallon; drop", "Zürich", "Örebro", "back\\slash"),
    "LastActivityDate": ("", "2026-09-21", "2026-09-20", "2026-06-23", "2015-12-31", "2027-01-01"),
    "Founded__c": ("", "2026-09-21", "2026-09-20", "2026-06-23", "2015-12-31", "2016-01-01", "2016-12-31"),
    "IsPersonAccount": ("false", "true"),
    "Listed__c": ("false", "true"),
}
WILD: Mapping[str, Sequence[str]] = {
    **TAME,
    "NumberOfEmployees": (*TAME["NumberOfEmployees"], "-5", "20000000"),
    "AnnualRevenue": (*TAME["AnnualRevenue"], "-1", "900000000000000000"),
    "BillingCountry": (*TAME["BillingCountry"], "Georgia", "Deutschland", "Republic of Nowhere"),
    "Industry": (*TAME["Industry"], "Space Tourism", "Fintech"),
    "Type": (*TAME["Type"], "Competitor", "Strategic", "Former Customer"),
    "Founded__c": (*TAME["Founded__c"], "2300-01-01"),
}
READ = ("Id", *TAME)


class Crm:
    """A simulated org over HTTP: what accounts hold, and whom a query finds."""

    def __init__(self, running: Simulator) -> None:
        self.running = running
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {running.token}"
        self.everyone: Mapping[str, Raw] = {}

    def query(self, text: str) -> list[dict[str, object]]:
        """Every record of a query, page by page."""
        found: list[dict[str, object]] = []
        path, asked = "/services/data/v66.0/query", {"q": text}
        while path:
            reply = self.session.get(self.running.url + path, params=asked, timeout=20)
            assert reply.status_code == 200, reply.text
            page = reply.json()
            found += page["records"]
            path, asked = page.get("nextRecordsUrl", ""), {}
        return found

    def found(self, written: Written) -> set[str]:
        return {str(record["Id"]) for record in self.query(written.text)}

    def accounts(self, fields: Sequence[str]) -> dict[str, Raw]:
        """Everybody's raw values, as a connection reads them."""
        records = self.query(f"SELECT {', '.join(dict.fromkeys(('Id', *fields)))} FROM Account")
        return {str(one["Id"]): {name: _raw(one[name]) for name in fields} for one in records}


def _raw(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def profile(*gates: Condition, flags: Sequence[Condition] = (), scope: Condition | None = None) -> Profile:
    return Profile(
        name="p",
        currency="USD",
        criteria=tuple(
            Criterion(name=f"gate {i}", layer="firmographic", when=when, required=True)
            for i, when in enumerate(gates)
        ),
        flags=tuple(Flag(name=f"flag {i}", when=w, effect=Effect.EXCLUDE) for i, w in enumerate(flags)),
        score_scope=scope,
        people=True,
    )


# -- an org with fields of its own and every kind of value, random profiles


@pytest.fixture(scope="module")
def mixed() -> Iterator[Crm]:
    """Accounts that hold every value of WILD and many of their combinations."""
    with Simulator(crm="salesforce", accounts=0) as running:
        running.admin("POST settings", person_accounts=True, state_country_picklists=True)
        for define in FIELDS:
            running.admin("POST fields", object="Account", define=define)
        running.admin("POST fields", object="Account", show=[define["name"] for define in FIELDS])
        for n in range(400):
            names = enumerate(WILD.items())
            values = {name: some[(n * (7 + 2 * i) + n // 11 + i) % len(some)] for i, (name, some) in names}
            values = {name: value for name, value in values.items() if value}
            running.admin("POST create", type="accounts", properties={"Name": f"a{n}", **values})
        crm = Crm(running)
        crm.everyone = crm.accounts(READ)
        yield crm


def tame(raw: Raw) -> bool:
    return all(_same(raw[name], some) for name, some in TAME.items())


def _same(value: str, some: Sequence[str]) -> bool:
    return value in some or value.removesuffix(".0") in some


SLOW = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@SLOW
@given(profile_sets())
def test_a_query_finds_a_superset_and_exactly_them_when_nothing_is_left_out(mixed, some):
    on = ground(cased=False, facts_map=MINE, shapes=STORED, most=2_000)
    statements = statements_of(some, on)
    written = soql(statements, STORED)
    possible = selector(some, MINE)
    wanted = {i for i, raw in mixed.everyone.items() if possible(raw)}
    found = mixed.found(written)
    assert wanted <= found, written.text
    if not written.omitted and not assumptions(statements):
        assert found == wanted, written.text


@SLOW
@given(profile_sets())
def test_with_known_options_taken_for_granted_it_is_exact_on_a_well_kept_org(mixed, some):
    on = ground(cased=False, facts_map=MINE, shapes=STORED, assume=True, most=2_000)
    written = soql(statements_of(some, on), STORED)
    kept = {i: raw for i, raw in mixed.everyone.items() if tame(raw)}
    possible = selector(some, MINE)
    wanted = {i for i, raw in kept.items() if possible(raw)}
    found = mixed.found(written) & set(kept)
    assert wanted <= found, written.text
    if not written.omitted:
        assert found == wanted, written.text


LAST = "2026-09-20"
SINGLE = {
    "a fraction of an employee": profile(Between(fact="employees", low=49.5, high=500.5)),
    "strictly between": profile(Between(fact="employees", low=5.0, high=50.0, low_open=True, high_open=True)),
    "more employees than an integer holds": profile(flags=[Between(fact="employees", low=5e9)]),
    "a year beyond the calendar": profile(flags=[Between(fact="founded", low=9e11)]),
    "a text with a quote": profile(AnyOf(fact="city", values=frozenset({"o'fallon; drop", "back\\slash"}))),
    "both of a set": profile(AllOf(fact="business_model", values=frozenset({"saas", "b2b"}))),
    "none of a set": profile(NoneOf(fact="business_model", values=frozenset({"agency"}))),
    "a set that is blank": profile(scope=Present(fact="business_model", known=False)),
    "lately": profile(Within(fact="last_activity", seconds=90 * DAY)),
    "not lately": profile(flags=[Within(fact="last_activity", seconds=90 * DAY)]),
    "money in two currencies": profile(Between(fact="revenue", low=5e6, high=5e7, money=True)),
    "what contradicts itself": profile(
        scope=All(parts=(Present(fact="city", known=True), Present(fact="city", known=False)))
    ),
    "either side of a line": profile(
        scope=All(parts=(Between(fact="employees", low=100), Not(part=Between(fact="employees", low=100))))
    ),
    "nobody special": profile(),
}


@pytest.mark.parametrize("which", SINGLE)
def test_one_clause_finds_nobody_too_few(mixed, which):
    some = [SINGLE[which]]
    on = ground(cased=False, facts_map=MINE, shapes=STORED, assume=True, most=2_000)
    written = soql(statements_of(some, on), STORED)
    kept = {i for i, raw in mixed.everyone.items() if tame(raw)}
    possible = selector(some, MINE)
    wanted = {i for i in kept if possible(mixed.everyone[i])}
    found = mixed.found(written) & kept
    assert wanted <= found, written.text
    assert found == wanted or written.omitted, written.text
    assert all(one.reason for one in written.omitted)


@pytest.mark.parametrize(
    "some",
    [
        profile(AnyOf(fact="population", values=frozenset({"person"}))),
        profile(flags=[AnyOf(fact="population", values=frozenset({"person"}))]),
        profile(scope=Present(fact="population", known=False)),
        profile(scope=Present(fact="population", known=True)),
        profile(scope=All(parts=(Present(fact="population", known=True), Present(fact="city", known=False)))),
    ],
    ids=["may be a person", "no person", "unknown", "known", "known, without a city"],
)
def test_a_checkbox_is_never_blank(mixed, some):
    written = soql(statements_of([some], ground(cased=False, facts_map=PERSONS, shapes=STORED)), STORED)
    assert written.omitted == ()
    possible = selector([some], PERSONS)
    wanted = {i for i, raw in mixed.everyone.items() if possible(raw)}
    assert mixed.found(written) == wanted


# -- a seeded org, profiles such as people write


@pytest.fixture(scope="module")
def seeded() -> Iterator[Crm]:
    with Simulator(crm="salesforce", accounts=180, seed=11) as running:
        yield Crm(running)


CRM_ONLY = [
    profile(AnyOf(fact="industry", values=frozenset({"BANKING", "RETAIL", "INSURANCE"}))),
    profile(Between(fact="employees", low=20, high=5_000)),
    profile(NoneOf(fact="account_type", values=frozenset({"prospect"}))),
    profile(Between(fact="last_activity", low=NOW - 300 * DAY)),
    profile(Between(fact="revenue", low=1e6, money=True), scope=Not(part=Between(fact="employees", low=500))),
    profile(AnyOf(fact="city", values=frozenset({"new york", "london", "tokyo"}))),
]


@pytest.mark.parametrize("which", range(len(CRM_ONLY)))
def test_a_profile_of_standard_fields_finds_exactly_whom_evaluation_lets_through(seeded, which):
    some = [CRM_ONLY[which]]
    on = ground(cased=False, facts_map=PLAIN, shapes=SHAPES, assume=True, most=2_000)
    written = soql(statements_of(some, on), SHAPES)
    assert written.omitted == ()
    accounts = seeded.accounts(list(PLAIN.properties))
    possible = selector(some, PLAIN)
    wanted = {i for i, raw in accounts.items() if possible(raw)}
    assert seeded.found(written) == wanted
    assert 0 < len(wanted) < len(accounts)


def test_for_the_flagship_the_query_finds_a_superset_that_names_what_it_leaves_out(seeded):
    path = ROOT / "config" / "profiles" / "b2b-saas-mid-market.yaml"
    some = [one.profile for one in load_all([path], types=SALESFORCE_DEFAULTS.types)]
    on = ground(cased=False, facts_map=PLAIN, shapes=SHAPES, assume=True, most=2_000)
    written = soql(statements_of(some, on), SHAPES)
    accounts = seeded.accounts(list(PLAIN.properties))
    possible = selector(some, PLAIN)
    wanted = {i for i, raw in accounts.items() if possible(raw)}
    found = seeded.found(written)
    assert wanted <= found
    assert {one.clause for one in written.omitted} >= {"flag Services only", "flag Consumer business"}
    assert all(one.reason for one in written.omitted)


def test_the_longest_query_still_gets_through(seeded):
    many = frozenset(f"city no. {i}" for i in range(560))
    some = [profile(Between(fact="employees", low=50), flags=[AnyOf(fact="city", values=many)])]
    written = soql(statements_of(some, ground(cased=False, facts_map=PLAIN, shapes=SHAPES)), SHAPES)
    assert len(written.text) > 5_000
    assert seeded.found(written)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30))
def test_whatever_a_value_holds_the_query_stays_a_query(seeded, text):
    some = [profile(AnyOf(fact="city", values=frozenset({text})))]
    on = ground(cased=False, facts_map=PLAIN, shapes=SHAPES, most=2_000)
    assert seeded.found(soql(statements_of(some, on), SHAPES)) <= set(seeded.accounts(["Name"]))
