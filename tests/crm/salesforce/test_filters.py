"""The SOQL of a selection: what it says, how it is escaped, and that it names what it leaves out."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import quote_plus

import pytest

from icp_sync.crm.salesforce.filters import LONGEST, SHAPES, quoted, soql
from icp_sync.domain.conditions import AllOf, AnyOf, Between, Condition, NoneOf, Not, Within
from icp_sync.domain.filtering_clauses import Written
from icp_sync.domain.profile import DAY, Criterion, Effect, Flag, Profile
from icp_sync.errors import ConfigError
from icp_sync.normalize.facts_map import FactsMap, FactSource
from icp_sync.normalize.kinds import Kind
from icp_sync.normalize.property_filters import statements_of
from icp_sync.normalize.property_values import Form, Shape
from icp_sync.normalize.salesforce_fields import SALESFORCE_DEFAULTS, everywhere
from tests.normalize.selections import NOW, ground

MINE = FactsMap(
    (
        *everywhere(SALESFORCE_DEFAULTS).sources,
        FactSource(property="Models__c", fact="business_model", kind=Kind.SET, complete=True),
        FactSource(property="Words__c", fact="keywords", kind=Kind.SET),
        FactSource(property="Founded__c", fact="founded", kind=Kind.DATE),
        FactSource(property="Listed__c", fact="listed", kind=Kind.CHOICE, values={"true": "public"}),
    )
)
STORED = {
    **SHAPES,
    "Models__c": Shape(form=Form.CHOICES),
    "Words__c": Shape(form=Form.TEXT),
    "Founded__c": Shape(form=Form.DATETIME),
    "Listed__c": Shape(form=Form.YES_NO),
}


def gate(when: Condition, **more: object) -> Profile:
    return Profile(
        name="p",
        currency="USD",
        criteria=(Criterion(name="gate", layer="firmographic", when=when, required=True),),
        people=True,
        **more,  # type: ignore[arg-type]
    )


def flag(when: Condition) -> Profile:
    found = Flag(name="flag", when=when, effect=Effect.EXCLUDE)
    return Profile(name="p", currency="USD", criteria=(), flags=(found,), people=True)


def query(*some: Profile, facts: FactsMap = MINE) -> Written:
    on = ground(cased=False, facts_map=facts, shapes=STORED, most=2_000)
    return soql(statements_of(some, on), STORED)


def where(*some: Profile) -> str:
    written = query(*some)
    assert written.omitted == ()
    return written.text.removeprefix("SELECT Id FROM Account WHERE ")


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        (
            gate(Between(fact="revenue", low=5e6, high=5e7, money=True)),
            "(AnnualRevenue = null OR AnnualRevenue < 0 OR (AnnualRevenue >= 5000000 AND "
            "AnnualRevenue <= 50000000) OR AnnualRevenue > 100000000000000000)",
        ),
        (
            gate(Between(fact="employees", low=50)),
            "(NumberOfEmployees = null OR NumberOfEmployees < 0 OR NumberOfEmployees >= 50)",
        ),
        (
            gate(AnyOf(fact="account_type", values=frozenset({"prospect"}))),
            "(Type = null OR Type IN ('prospect'))",
        ),
        (
            flag(AnyOf(fact="ownership", values=frozenset({"public"}))),
            "(Ownership = null OR Ownership NOT IN ('public'))",
        ),
        (
            flag(AnyOf(fact="business_model", values=frozenset({"agency", "b2c"}))),
            "((Models__c = null OR Models__c EXCLUDES ('agency')) AND "
            "(Models__c = null OR Models__c EXCLUDES ('b2c')))",
        ),
        (
            gate(AllOf(fact="business_model", values=frozenset({"saas", "b2b"}))),
            "(Models__c = null OR (Models__c INCLUDES ('b2b') AND Models__c INCLUDES ('saas')))",
        ),
        (
            flag(Not(part=Within(fact="founded", seconds=30 * DAY))),
            "(Founded__c = null OR Founded__c > 2026-08-22T14:13:20Z)",
        ),
        (
            flag(Between(fact="last_activity", high=1_483_228_799.0)),
            "(LastActivityDate = null OR LastActivityDate > 2016-12-31)",
        ),
        (
            flag(AnyOf(fact="listed", values=frozenset({"public"}))),
            "(Id = null OR Listed__c != true)",
        ),
        (
            flag(AnyOf(fact="listed", values=frozenset({"private"}))),
            "(Id = null OR Id != null)",
        ),
        (
            gate(Between(fact="employees", low=49.5, high=500.5)),
            "(NumberOfEmployees = null OR NumberOfEmployees < 0 OR "
            "(NumberOfEmployees >= 50 AND NumberOfEmployees <= 500) OR NumberOfEmployees > 10000000)",
        ),
    ],
)
def test_a_clause_is_said_in_soql_with_blank_asked_apart(profile, said):
    assert where(profile) == said


def test_industries_are_asked_for_by_salesforces_own_labels():
    some = flag(AnyOf(fact="industry", values=frozenset({"BANKING"})))
    on = ground(cased=False, facts_map=MINE, shapes=STORED, assume=True)
    written = soql(statements_of([some], on), STORED)
    assert written.omitted == ()
    assert written.text == ("SELECT Id FROM Account WHERE (Industry = null OR Industry NOT IN ('banking'))")


def test_several_profiles_are_alternatives():
    one = gate(AnyOf(fact="state", values=frozenset({"texas"})))
    other = replace(gate(AnyOf(fact="city", values=frozenset({"berlin"}))), name="q")
    assert where(one, other) == (
        "((BillingState = null OR BillingState IN ('texas')) OR "
        "(BillingCity = null OR BillingCity IN ('berlin')))"
    )


@pytest.mark.parametrize(
    "attack",
    [
        "x') OR Name != null OR (Name IN ('x",
        "back\\",
        "\\' OR Id != null --",
        "both \" and ' and \\",
        "line\nbreak\ttab",
        "half \ud83d character",
        "nul \x00 bell \x07",
    ],
)
def test_a_value_never_ends_its_literal(attack):
    literal = quoted(attack)
    assert literal[0] == literal[-1] == "'"
    inner = re.sub(r"\\[\\'nrtbf]", "", literal[1:-1])
    assert "'" not in inner
    assert "\\" not in inner
    assert all(letter >= " " for letter in literal)
    text = query(gate(AnyOf(fact="city", values=frozenset({" ".join(attack.lower().split())})))).text
    assert len(re.findall(r"(?<!\\)(?:\\\\)*'", text)) % 2 == 0
    assert text.count("BillingCity") == 2


def test_a_field_name_that_is_none_is_refused():
    facts = FactsMap([FactSource(property="Name FROM User --", fact="city", kind=Kind.TEXT)])
    shapes = {"Name FROM User --": Shape(form=Form.TEXT)}
    on = ground(cased=False, facts_map=facts, shapes=shapes)
    some = [gate(AnyOf(fact="city", values=frozenset({"berlin"})))]
    with pytest.raises(ConfigError, match="no name of a Salesforce field"):
        soql(statements_of(some, on), shapes)


def test_a_literal_longer_than_soql_takes_is_refused_by_name():
    with pytest.raises(ConfigError, match="4,000"):
        quoted("x" * 4_001)


def test_what_soql_cannot_ask_is_left_out_by_name():
    written = query(flag(AnyOf(fact="keywords", values=frozenset({"crm"}))))
    assert written.text == "SELECT Id FROM Account"
    assert written.everybody
    assert [one.reason for one in written.omitted] == [
        "Words__c is no multi-select picklist, so its parts cannot be asked for"
    ]


def test_a_query_too_long_to_send_loses_its_longest_clause_by_name():
    many = frozenset(f"city number {i} of very many" for i in range(900))
    some = Profile(
        name="p",
        currency="USD",
        criteria=gate(Between(fact="employees", low=50)).criteria,
        flags=(Flag(name="far away", when=AnyOf(fact="city", values=many), effect=Effect.EXCLUDE),),
        people=True,
    )
    written = query(some)
    assert "NumberOfEmployees" in written.text
    assert [(one.clause, "15,000" in one.reason) for one in written.omitted] == [("flag far away", True)]


@pytest.mark.parametrize("word", ["city {}", "město číslo {}", "城市 {}"])
@pytest.mark.parametrize("count", [300, 500, 700])
def test_a_query_is_measured_as_an_address_spells_it(word, count):
    some = frozenset(word.format(i) for i in range(count))
    written = query(gate(AnyOf(fact="city", values=some)), gate(AnyOf(fact="state", values=some)))
    assert len(quote_plus(written.text)) <= LONGEST
    kept = 2 - len(written.omitted)
    assert sum(name in written.text for name in ("BillingCity", "BillingState")) == (kept if kept == 2 else 0)


def test_nothing_asked_is_every_account():
    written = query(gate(NoneOf(fact="residency", values=frozenset({"eu-only"}))))
    assert (written.text, written.everybody) == ("SELECT Id FROM Account", True)


def test_salesforces_own_fields_read_as_facts():
    signals, unread = SALESFORCE_DEFAULTS.read(
        {
            "Industry": "Technology",
            "NumberOfEmployees": "120",
            "Type": "Customer - Direct",
            "BillingCountry": "Germany",
            "Ownership": "Subsidiary",
            "LastActivityDate": "2026-01-31",
        },
        observed_at=NOW,
        account_currency="USD",
    )
    facts = {signal.fact for signal in signals}
    assert {"employees", "account_type", "country", "last_activity"} <= facts
    assert "ownership" not in facts
    assert unread == {}
