"""How alike two companies are: laws of the number, and what it says of plain cases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.domain.conditions import AnyOf, Between, Within
from icp_sync.domain.facts import Interval, Members, Money
from icp_sync.domain.likeness import Yardstick, likeness, yardstick
from icp_sync.domain.profile import DAY, Criterion, Profile
from tests.domain.cases import BY_FACT, NOW, facts, profiles, some_facts

BY = Yardstick(
    weights=(("employees", 0.5), ("industry", 0.3), ("technologies", 0.2)), dates=frozenset(), currency="USD"
)


@st.composite
def yardsticks(draw: st.DrawFn) -> Yardstick:
    weights = draw(st.dictionaries(st.sampled_from(sorted(BY_FACT)), st.integers(1, 9), min_size=1))
    ordered = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
    return Yardstick(
        weights=tuple((name, weight / sum(weights.values())) for name, weight in ordered),
        dates=frozenset({"founded", "last_funding_date"}),
        currency="USD",
    )


def alike(one: dict, other: dict, by: Yardstick = BY) -> float:
    return likeness(one, other, by).score


@given(yardsticks(), some_facts(), some_facts())
def test_it_is_symmetric_and_between_nothing_and_all(by, one, other):
    there, back = likeness(one, other, by), likeness(other, one, by)
    assert there == back
    assert 0.0 <= there.score <= 1.0
    assert 0.0 <= there.comparable <= 1.0


@given(yardsticks(), some_facts())
def test_a_company_is_wholly_like_itself_in_whatever_is_known(by, one):
    found = likeness(one, one, by)
    assert found.score == (1.0 if found.facts else 0.0)
    assert found.different == ()


@given(yardsticks(), some_facts(), some_facts(), st.sampled_from(sorted(BY_FACT)))
def test_an_unknown_fact_contributes_nothing_and_lowers_what_is_comparable(by, one, other, name):
    known = likeness(one, other, by)
    less = likeness({n: v for n, v in one.items() if n != name}, other, by)
    assert less.comparable <= known.comparable + 1e-9
    assert name not in dict(less.facts)
    assert {n: s for n, s in known.facts if n != name} == dict(less.facts)


@given(profiles())
@settings(max_examples=25)
def test_weights_are_shares_of_one(profile):
    weights = dict(yardstick(profile).weights)
    assert sum(weights.values()) == pytest.approx(1.0)
    assert all(w > 0 for w in weights.values())


def test_sizes_are_compared_by_ratio():
    one = facts(employees=100)
    twice, tenfold = alike(one, facts(employees=200)), alike(one, facts(employees=1100))
    assert 0.4 < twice < 0.6
    assert tenfold == 0.0
    assert alike(facts(employees=10_000), facts(employees=20_000)) == pytest.approx(twice, abs=0.01)
    assert alike(facts(employees=(51, 200)), facts(employees=(51, 200))) == 1.0
    assert alike(facts(employees=(51, 200)), facts(employees=120)) > 0.6


def test_sets_are_compared_by_what_they_share():
    assert alike(facts(technologies={"a", "b"}), facts(technologies={"b", "c"})) == pytest.approx(1 / 3)
    nothing_known = {"technologies": Members(frozenset(), False)}
    assert likeness(nothing_known, nothing_known, BY).facts == ()
    known_to_be_none = {"technologies": Members(frozenset(), True)}
    assert alike(known_to_be_none, known_to_be_none) == 1.0


def test_what_is_alike_and_what_differs_is_named_weightiest_first():
    found = likeness(facts(employees=100, industry="a"), facts(employees=110, industry="b"), BY)
    assert (found.alike, found.different) == (("employees",), ("industry",))
    assert found.comparable == pytest.approx(0.8)


def test_money_is_compared_in_the_profiles_currency():
    by = Yardstick(weights=(("revenue", 1.0),), dates=frozenset(), currency="USD")
    dollars = {"revenue": Money(1e7, 1e7, "USD")}
    assert alike(dollars, {"revenue": Money(1e7, 1e7, "EUR")}, by) > 0.7
    assert alike(dollars, {"revenue": Money(1e7, 1e7, "JPY")}, by) == 0.0


def test_a_range_without_any_bound_compares_with_nothing():
    anything = {"employees": Interval(float("-inf"), float("inf"))}
    assert likeness(anything, anything, BY).facts == ()
    open_band = {"employees": Interval(10_001, float("inf"))}
    assert alike(open_band, open_band) == 1.0


def test_dates_are_compared_in_years():
    profile = Profile(
        name="p",
        currency="USD",
        criteria=(
            Criterion(name="c", layer="buying", when=Within(fact="raised", seconds=90 * DAY), weight=1),
        ),
    )
    by = yardstick(profile)
    assert by.dates == {"raised"}
    now, year = Interval(NOW, NOW), Interval(NOW - 365 * DAY, NOW - 365 * DAY)
    decade = Interval(NOW - 3650 * DAY, NOW - 3650 * DAY)
    assert 0.4 < alike({"raised": now}, {"raised": year}, by) < 0.8
    assert alike({"raised": now}, {"raised": decade}, by) == 0.0


def test_a_gate_counts_as_the_average_criterion_and_several_facts_share_a_weight():
    size = Criterion(name="s", layer="firmographic", when=Between(fact="employees", low=1), weight=3)
    field = replace(size, name="f", when=AnyOf(fact="industry", values=frozenset("a")), weight=1)
    gate = Criterion(
        name="g", layer="technographic", when=AnyOf(fact="technologies", values=frozenset("a")), required=True
    )
    by = yardstick(Profile(name="p", currency="USD", criteria=(size, field, gate)))
    assert dict(by.weights) == pytest.approx({"employees": 3 / 6, "technologies": 2 / 6, "industry": 1 / 6})
