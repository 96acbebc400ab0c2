"""Which facts are worth learning, and how much of a profile some columns answer."""

from __future__ import annotations

from math import inf

from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import AnyOf, Between
from icp_sync.domain.evaluation import evaluate
from icp_sync.domain.profile import Criterion, Effect, Flag, Profile, Tiers
from icp_sync.tables.evaluable import evaluable
from icp_sync.tables.tally import Tally, movers, swings
from tests.domain.cases import NOW, facts


def about(fact: str, value: str) -> AnyOf:
    return AnyOf(fact=fact, values=frozenset({value}))


SIZE = Between(fact="employees", low=50, high=500)
PROFILE = Profile(
    name="p",
    currency="USD",
    score_scope=about("lifecycle", "prospect"),
    criteria=(
        Criterion(name="Size", layer="firmographic", when=SIZE, weight=70),
        Criterion(name="Place", layer="firmographic", when=about("country", "US"), weight=26),
        Criterion(name="Roles", layer="operational", when=about("open_roles", "sdr"), weight=4),
        Criterion(name="CRM", layer="technographic", when=about("technologies", "hubspot"), required=True),
    ),
    flags=(Flag(name="Agency", when=about("business_model", "agency"), effect=Effect.MARK),),
    tiers=Tiers(min_coverage=0.5),
)


def moving(**known: object) -> dict[str, float]:
    evaluation = evaluate([compile_profile(PROFILE)], facts(**known), None, NOW)
    found = swings(evaluation, facts(**known))
    return dict(movers(found, PROFILE.tiers, evaluation.tier, evaluation.score, evaluation.coverage))


def test_only_facts_that_alone_could_move_the_tier_count() -> None:
    assert moving(lifecycle="prospect", technologies={"hubspot"}, employees=100) == {"country": 26}


def test_what_stands_behind_a_must_have_decides() -> None:
    assert moving(lifecycle="prospect", employees=100, country="US") == {"technologies": inf}


def test_where_data_is_needed_a_fact_counts_that_would_make_it_enough() -> None:
    assert moving(lifecycle="prospect", technologies={"hubspot"}) == {"employees": 70}


def test_worth_adds_up_over_rows_and_is_ranked_by_accounts() -> None:
    tally = Tally()
    tally.miss((("a", inf), ("b", 10.0)), 3)
    tally.miss((("b", 4.0),), 3)
    (first, b), (second, a) = tally.best()
    assert (first, b.accounts, b.decides, b.each) == ("b", 6, 0, 7.0)
    assert (second, a.accounts, a.decides, a.each) == ("a", 3, 3, 0.0)
    assert tally.provisional == 6
    assert len(tally.best(1)) == 1


def test_columns_answer_a_share_of_the_weight_and_the_rest_is_named() -> None:
    found = evaluable(PROFILE, {"employees", "lifecycle"})
    assert found.percent == 70
    assert [(q.name, q.role) for q in found.unanswered] == [
        ("CRM", "must-have"),
        ("Place", "26 points"),
        ("Roles", "4 points"),
    ]
    assert found.facts == ("technologies", "country", "open_roles")
    assert evaluable(PROFILE, {"country"}).unanswered[0].role == "scope"
