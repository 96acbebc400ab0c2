"""What a company is to us, from what the CRM says of the relationship."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import AnyOf, Between
from icp_sync.domain.evaluation import evaluate
from icp_sync.domain.facts import Members, Signal, merge
from icp_sync.domain.populations import MARKS, POPULATIONS, population_of, with_population
from icp_sync.domain.profile import Criterion, Profile
from tests.domain.cases import NOW, facts


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ({"lifecycle": {"lead", "prospect"}}, {"prospect"}),
        ({"lifecycle": {"customer"}}, {"customer"}),
        ({"lifecycle": {"customer"}, "account_type": "former customer"}, {"former"}),
        ({"lifecycle": {"lead", "prospect"}, "account_type": "Customer - Direct"}, {"customer"}),
        ({"account_type": "Channel Partner / Reseller"}, {"partner"}),
        ({"account_type": "partner", "lifecycle": {"customer"}}, {"partner", "customer"}),
        ({"account_type": "competitor"}, {"competitor"}),
        ({"account_type": "person account"}, {"person"}),
        ({"account_type": "vendor"}, {"other"}),
        ({"account_type": "Customer (churned)"}, {"former"}),
        ({"account_type": "Active client"}, {"customer"}),
        ({"account_type": "Potential customer"}, {"prospect"}),
        ({"lifecycle": {"lead", "prospect"}, "account_type": "manufacturer"}, {"prospect"}),
        ({"lifecycle": {"marketingqualifiedlead", "prospect"}}, {"prospect"}),
        ({"won_deals": 2}, {"customer"}),
        ({"won_deals": 2, "account_type": "churned"}, {"former"}),
        ({"lifecycle": {"opportunity", "prospect"}, "won_deals": 0}, {"prospect"}),
    ],
)
def test_the_crm_says_what_a_company_is_to_us(said, means):
    assert population_of(facts(**said)) == Members(frozenset(means), True)


def test_a_stage_of_their_own_leaves_open_what_else_an_account_is():
    found = population_of(facts(lifecycle={"98765"}, account_type="partner"))
    assert found == Members(frozenset({"partner"}), False)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"employees": 5},
        {"won_deals": (0, 3)},
        {"lifecycle": {"98765"}},
        {"account_type": "something of their own"},
    ],
)
def test_where_the_crm_says_nothing_the_population_is_unknown(said):
    assert population_of(facts(**said)) is None


words = st.one_of(st.text(max_size=12), st.sampled_from([w for ws in MARKS.values() for w in ws]))


@given(st.frozensets(words, max_size=3), words)
def test_every_population_is_one_of_those_we_name_and_nobody_is_both_customer_and_former(stages, kind):
    found = population_of(
        {"lifecycle": Members(stages, True), "account_type": Members(frozenset({kind}), True)}
    )
    if found is None:
        return
    assert found.known
    assert found.known <= set(POPULATIONS)
    assert not {"customer", "former"} <= found.known


def test_a_property_that_states_the_population_outranks_what_is_derived():
    def signal(fact, value):
        said = Members(frozenset({value}), True)
        return Signal(fact=fact, value=said, source=f"crm:{fact}", observed_at=NOW)

    derived = with_population(merge([signal("lifecycle", "customer")]))
    assert derived.facts["population"].known == {"customer"}
    assert derived.winners["population"].source == "crm:lifecycle"
    stated = with_population(merge([signal("lifecycle", "customer"), signal("population", "partner")]))
    assert stated.facts["population"].known == {"partner"}


def test_person_accounts_are_in_no_scope_that_does_not_name_them():
    def evaluated(people, known):
        profile = Profile(
            name="p",
            currency="USD",
            criteria=(
                Criterion(name="x", layer="firmographic", when=Between(fact="employees", low=1), weight=1),
            ),
            score_scope=AnyOf(fact="population", values=frozenset({"prospect", "person"}))
            if people
            else None,
            people=people,
        )
        return evaluate((compile_profile(profile),), facts(**known), None, NOW)

    person = {"employees": 5, "population": {"person"}}
    assert not evaluated(False, person).in_scope
    assert evaluated(True, person).in_scope
    assert evaluated(False, {"employees": 5}).in_scope
