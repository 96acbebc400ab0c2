"""A filter over properties lets through whom evaluation lets through: asked of SQLite, company by company."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.domain.conditions import All, AnyOf, Between, Condition, NoneOf, Present
from icp_sync.domain.filtering_clauses import Statement, Written, assumptions
from icp_sync.domain.filtering_text import Sql, sql
from icp_sync.domain.profile import Criterion, Effect, Flag, Profile
from icp_sync.normalize.facts_map import HUBSPOT_DEFAULTS, FactsMap, FactSource
from icp_sync.normalize.kinds import Kind
from icp_sync.normalize.property_filters import statements_of
from icp_sync.normalize.property_values import Form, Ground
from tests.normalize.selections import (
    MINE,
    TAME,
    WILD,
    Raw,
    companies,
    ground,
    profile_sets,
    selected,
    selector,
)

COUNTED = frozenset(name for name, shape in MINE.items() if shape.counts)
DATES = {n: s.form is Form.DATE for n, s in MINE.items() if s.form in (Form.DATE, Form.DATETIME)}


def asked(statements: Sequence[Statement], some: Sequence[Raw], table: str = "accounts") -> list[bool]:
    """Whether SQLite selects each company, and the query it was asked."""
    return _run(sql(statements, Sql(DATES, COUNTED), table), some, table)


def _run(written: Written, some: Sequence[Raw], table: str) -> list[bool]:
    names = list(WILD)
    database = sqlite3.connect(":memory:")
    quoted = table.replace('"', '""')
    columns = ", ".join(f'"{n}" {"NUMERIC" if n in COUNTED - DATES.keys() else "TEXT"}' for n in names)
    database.execute(f'CREATE TABLE "{quoted}" (row INTEGER, {columns})')
    for row, raw in enumerate(some):
        cells = [None if n in COUNTED and not raw.get(n) else raw.get(n) for n in names]
        marks = ",".join("?" * (len(names) + 1))
        database.execute(f'INSERT INTO "{quoted}" VALUES ({marks})', [row, *cells])
    found = {line[0] for line in database.execute(written.text)}
    database.close()
    return [row in found for row in range(len(some))]


@settings(max_examples=150, deadline=None)
@given(profile_sets(), st.lists(companies(WILD), min_size=1, max_size=12))
def test_sql_selects_a_superset_and_exactly_these_when_nothing_is_left_out(some, raws):
    statements = statements_of(some, ground(cased=False, most=2_000))
    written = sql(statements, Sql(DATES, COUNTED), "accounts")
    found = _run(written, raws, "accounts")
    wanted = list(map(selector(some), raws))
    assert all(got for got, want in zip(found, wanted, strict=True) if want), written.text
    if not written.omitted and not assumptions(statements):
        assert found == wanted, written.text


@settings(max_examples=100, deadline=None)
@given(profile_sets(), st.lists(companies(TAME), min_size=1, max_size=12))
def test_what_is_taken_for_granted_is_enough_for_a_well_kept_portal(some, raws):
    statements = statements_of(some, ground(cased=False, most=2_000, assume=True))
    written = sql(statements, Sql(DATES, COUNTED), "accounts")
    found = _run(written, raws, "accounts")
    wanted = list(map(selector(some), raws))
    assert all(got for got, want in zip(found, wanted, strict=True) if want), written.text
    if not written.omitted:
        assert found == wanted, written.text


def gate(when: Condition, name: str = "gate") -> Profile:
    return Profile(
        name="p",
        currency="USD",
        criteria=(Criterion(name=name, layer="firmographic", when=when, required=True),),
        people=True,
    )


def flag(when: Condition) -> Profile:
    return Profile(
        name="p",
        currency="USD",
        criteria=(),
        flags=(Flag(name="flag", when=when, effect=Effect.EXCLUDE),),
        people=True,
    )


def reasons(profile: Profile, on: Ground) -> list[str]:
    return [reason for one in statements_of([profile], on)[0] for reason in one.reasons]


def test_a_property_of_lower_rank_silences_the_others_and_an_unreadable_one_does_not():
    some = [gate(Between(fact="employees", low=50, high=500))]
    raws = [
        {"numberofemployees": "5", "size_band": "51-200"},
        {"numberofemployees": "-5", "size_band": "51-200"},
        {"numberofemployees": "", "size_band": "1-10"},
        {"numberofemployees": "", "size_band": "?"},
        {"numberofemployees": "120", "size_band": "1-10"},
        {},
    ]
    on = ground(cased=False, facts_map=_without("hs_employee_range"))
    assert not reasons(some[0], on)
    assert asked(statements_of(some, on), raws) == [False, True, False, True, True, True]


def _without(name: str) -> FactsMap:
    from tests.normalize.selections import FACTS

    return FactsMap([s for s in FACTS.sources if s.property != name])


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (AnyOf(fact="residency", values=frozenset({"eu-only"})), "no property of the CRM feeds residency"),
        (Between(fact="group.employees", low=5), "no property of the CRM feeds"),
        (AnyOf(fact="funding_stage", values=frozenset({"seed"})), "how mystery is stored is not known"),
        (AnyOf(fact="country", values=frozenset({"DE"})), "country can be spelt in more ways"),
    ],
)
def test_what_the_crm_cannot_be_asked_is_left_out_by_name(when, said):
    assert any(reason.startswith(said) for reason in reasons(gate(when), ground()))


def test_an_incomplete_list_never_fails_a_gate_so_nothing_is_filtered_and_nothing_left_out():
    some = gate(AnyOf(fact="technologies", values=frozenset({"hubspot"})))
    (one,) = statements_of([some], ground())[0]
    assert one.reasons == ()
    assert "may lack members" in one.notes[0]
    assert asked([(one,)], [{"stack": "salesforce"}, {}]) == [True, True]


def test_a_fact_another_source_feeds_too_is_named_and_never_narrows():
    on = ground(cased=False, elsewhere={"business_model": ("vendor",), "lead_status": ("vendor",)})
    models = gate(AnyOf(fact="business_model", values=frozenset({"saas"})))
    assert reasons(models, on) == ["business model may also come from vendor"]
    assert asked(statements_of([models], on), [{"models": "b2b"}]) == [True]  # the vendor may add saas
    known = replace_scope(Present(fact="lead_status", known=True))
    assert asked(statements_of([known], on), [{"hs_lead_status": ""}]) == [True]


def replace_scope(scope: Condition) -> Profile:
    return Profile(name="p", currency="USD", criteria=(), score_scope=scope, people=True)


def test_amounts_in_a_currency_nobody_stated_may_be_anything_near():
    some = gate(Between(fact="revenue", low=5e6, money=True))
    on = ground(cased=False, currency="", facts_map=HUBSPOT_DEFAULTS)
    assert "the currency of annualrevenue is not known" in reasons(some, on)
    assert asked(statements_of([some], on), [{"annualrevenue": "2000000"}, {"annualrevenue": "10"}]) == [
        True,
        False,
    ]


def test_the_population_is_read_off_stage_and_type_together():
    some = gate(AnyOf(fact="population", values=frozenset({"prospect", "customer"})))
    raws = [
        {"lifecyclestage": "lead", "type": "PARTNER"},
        {"lifecyclestage": "other", "type": "PROSPECT"},
        {"lifecyclestage": "other", "type": ""},
        {"lifecyclestage": "", "type": "VENDOR"},
        {},
    ]
    on = ground(cased=False, assume=True)
    assert reasons(some, on) == []
    found = asked(statements_of([some], on), raws)
    assert found == [selected([some], raw) for raw in raws] == [True, True, False, False, True]


def test_a_population_somebody_states_is_left_out_where_it_may_be_derived_as_well():
    mark = FactSource(property="is_public", fact="population", kind=Kind.CHOICE, values={"true": "person"})
    on = ground(facts_map=FactsMap([*HUBSPOT_DEFAULTS.sources, mark]), cased=False)
    for question in (
        AnyOf(fact="population", values=frozenset({"prospect"})),
        Present(fact="population", known=True),
    ):
        (reason,) = reasons(gate(question), on)
        assert "is_public states the population, or else" in reason


def test_a_population_that_another_source_may_tell_names_that_source():
    on = ground(cased=False, elsewhere={"won_deals": ("Opportunities",)})
    some = gate(AnyOf(fact="population", values=frozenset({"prospect"})))
    assert reasons(some, on) == ["the population may also come from Opportunities"]


@pytest.mark.parametrize("table", ["accounts", 'a"; DROP TABLE accounts; --'])
def test_names_and_values_cannot_become_sql(table):
    some = flag(AnyOf(fact="city", values=frozenset({"o'fallon; drop", "' OR 1=1 --"})))
    raws = [{"city": "o'fallon; drop"}, {"city": "Berlin"}]
    assert asked(statements_of([some], ground(cased=False)), raws, table) == [False, True]


def test_letters_beyond_ascii_are_found_in_either_case():
    words = AnyOf(fact="city", values=frozenset({"zürich", "örebro"}))
    raws = [{"city": c} for c in ("ZÜRICH", "Örebro", "zürich", "Berlin")]
    on = ground(cased=False)
    assert asked(statements_of([gate(words)], on), raws) == [True, True, True, False]
    assert asked(statements_of([flag(words)], on), raws) == [False, False, False, True]


def test_clauses_that_contradict_each_other_select_nobody():
    wanted = Between(fact="open_deals", low=1)
    some = replace_scope(
        All(
            parts=(
                Present(fact="lead_status", known=True),
                Present(fact="lead_status", known=False),
                wanted,
                NoneOf(fact="city", values=frozenset({"berlin"})),
            )
        )
    )
    written = sql(statements_of([some], ground(cased=False)), Sql(DATES, COUNTED), "accounts")
    assert written.nobody
    assert _run(written, [{"hs_lead_status": "NEW"}, {}], "accounts") == [False, False]
