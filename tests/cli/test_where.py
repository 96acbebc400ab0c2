"""`--where` clauses: what holds for certain passes, everything else does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.facts import CATALOGUE, FactType, Interval, Members, Money, choice, number
from icp_sync.errors import ConfigError
from icp_sync.sync.where import parse

FACTS = {
    "country": choice("DE"),
    "domain": choice("acme.com"),
    "employees": Interval(51, 200),
    "revenue": Money(2e6, 2e6, "EUR"),
    "technologies": Members(frozenset(("hubspot",)), False),
    "lifecycle": Members(frozenset(("lead", "prospect")), True),
}


def holds(*clauses: str) -> bool:
    test = parse(clauses)
    assert test is not None
    return test(FACTS)


@pytest.mark.parametrize(
    "clause",
    [
        "country=DE",
        "country=germany",
        "country = AT, DE",
        "country!=FR",
        "domain=ACME.com",
        "employees>=50",
        "employees<=200",
        "employees>50",
        "employees<1k",
        "revenue>=1M USD",
        "revenue>=€1M",
        "technologies=hubspot",
        "lifecycle!=customer",
    ],
)
def test_a_clause_that_certainly_holds_passes(clause: str) -> None:
    assert holds(clause)


@pytest.mark.parametrize(
    "clause",
    [
        "country=FR",
        "country!=DE",
        "employees>=100",  # 51–200 may be below
        "employees=100",
        "revenue>=2.2M USD",  # between 1.9 and 2.4 million dollars
        "technologies=salesforce",
        "technologies!=salesforce",  # absence from an incomplete set is unknown
        "founded<2015",  # nobody knows when
        "industry!=BANKING",
    ],
)
def test_what_may_or_may_not_hold_does_not_pass(clause: str) -> None:
    assert not holds(clause)


def test_every_clause_must_hold() -> None:
    assert holds("country=DE", "employees>=50")
    assert not holds("country=DE", "employees>=500")


def test_no_clause_is_no_test() -> None:
    assert parse([]) is None


@pytest.mark.parametrize(
    ("clause", "said"),
    [
        ("country", "not of the form FACT=VALUE"),
        ("=DE", "not of the form FACT=VALUE"),
        ("country=", "not of the form FACT=VALUE"),
        ("contry=DE", "did you mean 'country'?"),
        ("country=Mars", "'Mars' is not a country"),
        ("employees>=many", "'many' is not a number"),
        ("employees>=1e999", "is not a number"),
        ("employees!=50", "'!=' cannot be asked of employees"),
        ("country>=DE", "cannot be asked of country"),
        ("revenue>=1M", "write revenue>=1M USD"),
        ("founded<soon", "'soon' is not a date"),
    ],
)
def test_a_clause_that_cannot_be_read_says_why_and_shows_one_that_can(clause: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse([clause])
    assert said in str(raised.value)
    assert clause in str(raised.value)


def test_all_clauses_that_cannot_be_read_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        parse(["nope", "country=DE", "employees>=x"])
    assert len(raised.value.problems) == 2


def test_a_connections_own_facts_can_be_asked_about() -> None:
    test = parse(["seats>=10"], {**CATALOGUE, "seats": FactType.NUMBER})
    assert test is not None
    assert test({"seats": number(12)})


@given(st.text(max_size=60))
def test_any_text_becomes_a_test_or_a_problem(text: str) -> None:
    read = True
    try:
        parse([text])
    except ConfigError:
        read = False
    assert read is False or any(sign in text for sign in "=<>")


@given(low=st.integers(0, 10_000), width=st.integers(0, 10_000), bound=st.integers(1, 20_000))
def test_a_bound_passes_exactly_when_the_whole_interval_does(low: int, width: int, bound: int) -> None:
    facts = {"employees": number(low, low + width)}
    at_least, below = parse([f"employees>={bound}"]), parse([f"employees<{bound}"])
    assert at_least is not None
    assert below is not None
    assert at_least(facts) == (low >= bound)
    assert below(facts) == (low + width < bound)
