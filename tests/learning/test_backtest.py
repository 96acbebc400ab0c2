"""How a profile did on cases whose end is known: the engine's own scores, forward only, with intervals."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.compile import compile_profile
from icp_sync.domain.evaluation import NOT_ICP, evaluate
from icp_sync.domain.facts import FactValue, Interval, Members, choice
from icp_sync.learning.cases import Case, Goal, Labelled
from icp_sync.learning.figures.chance import wilson
from icp_sync.learning.figures.ranking import auc
from icp_sync.learning.proof.backtest import BELOW_ALL, Judged, backtest, blinded, judged
from icp_sync.learning.proof.proving import split
from tests.learning.proved import HYPOTHESIS, IDLE, TRUE, book, cases, learned, middle, profile

AGED = """
profile: aged
currency: USD
scope: {score: {fact: population, any_of: [prospect]}}
criteria:
  - {name: Round, layer: behavioral, fact: last_funding_date, within: 365d, weight: 60}
  - {name: Size, layer: firmographic, fact: employees, between: [50, 500], taper: 50%, weight: 40}
flags: [{name: Bank, when: {fact: industry, any_of: [BANKING]}, effect: exclude}]
"""


def case(number: int = 0, *, good: bool = True, **facts: FactValue) -> Labelled:
    """A case decided on day `number` of 2026."""
    at = 1_767_225_600.0 + 86_400 * number
    return Labelled(
        Case(id=str(number), name="", domain="", facts=facts, begun=at - 1, decided=at, won=good),
        good,
    )


def scored(number: int, tier: str, *, good: bool, score: int) -> Judged:
    rank = BELOW_ALL if tier == NOT_ICP else float(score)
    return Judged(case=case(number).case, good=good, score=score, tier=tier, rank=rank)


@given(st.integers(0, 10_000), st.sampled_from([TRUE, IDLE, AGED]), st.booleans())
def test_every_case_is_scored_as_the_engine_scores_it_on_the_day_it_was_decided(
    seed: int, text: str, two: bool
) -> None:
    profiles = [profile(text), *([profile(AGED.replace("aged", "beside"))] if two else [])]
    compiled = tuple(map(compile_profile, profiles))
    drawn = Random(seed).sample(cases(), 3)
    for one in judged(profiles, [Labelled(found, True) for found in drawn]):
        said = evaluate(compiled, one.case.facts, None, one.case.decided)
        assert (one.score, one.tier, one.in_scope) == (said.score, said.tier, said.in_scope)
        assert one.rank == (BELOW_ALL if said.tier == NOT_ICP else said.score)


def test_an_age_is_counted_to_the_day_of_the_decision() -> None:
    raised = Interval(1_767_225_600.0, 1_767_225_600.0)
    told = [case(day, last_funding_date=raised, employees=Interval(90, 90)) for day in (30, 300, 400)]
    assert [one.score for one in judged([profile(AGED)], told)] == [100, 100, 40]


def test_what_is_certainly_not_the_icp_ranks_below_every_score() -> None:
    told = [
        case(1, industry=choice("BANKING"), employees=Interval(90, 90)),
        case(2, employees=Interval(1, 1)),
    ]
    bank, tiny = judged([profile(AGED)], told)
    assert bank.tier == NOT_ICP
    assert bank.score > tiny.score
    assert bank.rank < tiny.rank


def test_no_profile_is_shown_what_gives_the_outcome_away() -> None:
    told = case(
        1,
        lifecycle=choice("customer"),
        population=Members(frozenset({"customer"}), True),
        employees=Interval(90, 90),
    )
    [blind] = blinded([told], {"lifecycle": "it moves when a deal is won", "population": "derived"})
    assert set(blind.case.facts) == {"population", "employees"}
    assert blind.case.facts["population"] == Members(frozenset({"prospect"}), True)
    [before], [after] = judged([profile(AGED)], [told]), judged([profile(AGED)], [blind])
    assert (before.in_scope, after.in_scope) == (False, True)


def test_a_competitor_or_a_person_stays_one_and_everybody_else_is_a_prospect_again() -> None:
    told = [
        case(1, population=Members(frozenset(known), True))
        for known in (("competitor",), ("person",), ("former", "partner"), ("former",), ("prospect",))
    ]
    kept = [one.case.facts["population"] for one in blinded([*told, case(2)], {"population": "derived"})]
    assert kept == [
        Members(frozenset({"competitor"}), True),
        Members(frozenset({"person"}), True),
        Members(frozenset({"partner"}), True),
        *[Members(frozenset({"prospect"}), True)] * 3,
    ]
    assert blinded(told, {}) == told


def test_the_figures_of_a_tier_are_counts_of_its_cases() -> None:
    found = [scored(i, "A", good=i < 6, score=90) for i in range(10)]
    found += [scored(i, "D", good=i < 12, score=10) for i in range(10, 30)]
    told = backtest(found, expected={"A": 0.5, "D": 0.5}, rounds=200)
    [a, b, c, d] = told.tiers
    assert (told.n, told.good, told.base) == (30, 8, pytest.approx(8 / 30))
    assert (a.n, a.good, a.rate, a.precision, a.recall) == (10, 6, 0.6, 0.6, 0.75)
    assert 0.0 < a.low < 0.6 < a.high < 1.0
    assert (b.n, b.rate, b.lift) == (c.n, c.rate, c.lift) == (0, None, None)
    assert told.lift_a is not None
    assert told.lift_a.value == a.lift == pytest.approx(2.25)
    assert told.lift_a.low < 2.2
    assert told.lift_a.high > 2.3
    assert told.brier == pytest.approx(0.25)
    assert [(band.name, band.observed, band.held) for band in told.calibration] == [
        ("A", 0.6, True),
        ("D", 0.1, False),
    ]
    assert d.recall == 0.25


def test_states_are_rows_of_their_own_where_there_are_any() -> None:
    found = [scored(1, "A", good=True, score=90), scored(2, NOT_ICP, good=False, score=50)]
    assert [row.tier for row in backtest(found, expected={}).tiers] == ["A", "B", "C", "D", NOT_ICP]
    assert [row.tier for row in backtest(found[:1], expected={}).tiers] == ["A", "B", "C", "D"]


def test_without_foretold_rates_like_scores_are_shown_together_and_nothing_is_foretold() -> None:
    draw = Random(4)
    found = [scored(i, "B", good=draw.random() < 0.3, score=draw.randint(0, 12)) for i in range(300)]
    found += [scored(i, NOT_ICP, good=False, score=50) for i in range(300, 330)]
    told = backtest(found, expected={}, rounds=50)
    assert told.brier is None
    assert sum(band.n for band in told.calibration) == 330
    assert all(band.expected is None for band in told.calibration)
    assert len(told.calibration) <= 10
    assert told.calibration[-1].name.startswith(NOT_ICP)


@pytest.mark.parametrize(("n", "hits"), [(1, 1), (2, 2), (8, 0), (9, 4), (30, 30), (30, 0)])
def test_the_lift_of_a_few_cases_or_of_cases_all_alike_is_as_sure_as_their_rate(n: int, hits: int) -> None:
    inside = [scored(at, "A", good=at < hits, score=90) for at in range(n)]
    outside = [scored(n + at, "D", good=at % 7 == 0, score=10) for at in range(300)]
    told = backtest([*inside, *outside], expected={}, rounds=100)
    low, high = wilson(hits, n)
    assert told.lift_a is not None
    assert told.lift_a == pytest.approx((low / told.base, hits / n / told.base, high / told.base))
    assert told.lift_a.low < told.lift_a.high


def test_a_lift_is_as_sure_as_resampling_the_cases_makes_it() -> None:
    found = [scored(i, "A", good=i % 2 == 0, score=90) for i in range(200)]
    found += [scored(i, "D", good=i % 10 == 0, score=10) for i in range(800)]
    lift = backtest(found, expected={}, rounds=800).lift_a
    labels = [(one.tier == "A", one.good) for one in found]
    draw, lifts = Random(1), []
    for _ in range(400):
        again = draw.choices(labels, k=len(labels))
        inside = [good for in_a, good in again if in_a]
        lifts.append(sum(inside) / len(inside) / (sum(good for _, good in again) / len(again)))
    lifts.sort()
    assert lift is not None
    assert lift.low == pytest.approx(lifts[10], abs=0.08)
    assert lift.high == pytest.approx(lifts[-11], abs=0.08)


def test_nothing_is_made_up_where_there_is_no_case_or_only_one_kind() -> None:
    empty = backtest([], expected={"A": 0.5})
    assert (empty.n, empty.auc, empty.lift_a, empty.brier, empty.calibration) == (0, None, None, None, ())
    none = backtest([scored(i, "A", good=False, score=90) for i in range(5)], expected={})
    assert (none.auc, none.lift_a, none.tiers[0].recall, none.tiers[0].lift) == (None, None, None, None)


def test_what_was_learned_from_is_never_judged_on() -> None:
    found = cases()
    until = middle(found)
    parted = split([profile(TRUE, learned(until))], book(found), Goal.WON)
    assert not parted.hindsight
    assert max(one.case.decided for one in parted.learning) < until
    assert min(one.case.decided for one in parted.proving) >= until
    assert len(parted.learning) + len(parted.proving) == len(found)


def test_outcomes_known_when_it_was_learned_cannot_change_how_it_is_judged() -> None:
    found = cases()
    until = middle(found)
    turned = [replace(one, won=not one.won) if one.decided < until else one for one in found]
    one, other = (
        backtest(judged([made], split([made], book(those), Goal.WON).proving), expected={}, rounds=50)
        for made in [profile(TRUE, learned(until))]
        for those in (found, turned)
    )
    assert one == other


def test_of_several_profiles_the_one_learned_last_says_from_when_on_they_are_judged() -> None:
    found = cases()
    early, late = middle(found, 0.4), middle(found, 0.7)
    set_of_two = [profile(TRUE, learned(early)), profile(IDLE, learned(late))]
    parted = split(set_of_two, book(found), Goal.WON)
    assert min(one.case.decided for one in parted.proving) >= late


def test_a_profile_written_by_hand_is_judged_on_everything_and_called_hindsight() -> None:
    parted = split([profile(TRUE)], book(cases()), Goal.WON)
    assert (parted.until, parted.hindsight, len(parted.proving)) == (None, True, 2_000)
    assert parted.learning == []
    drafted = split([profile(TRUE, HYPOTHESIS)], book(cases()), Goal.WON)
    assert (drafted.until, drafted.hindsight) == (None, True)


def test_a_profile_says_itself_which_goal_it_was_learned_for() -> None:
    found = cases()
    until = middle(found)
    assert split([profile(TRUE, learned(until, goal="best"))], book(found), Goal.WON).goal is Goal.BEST
    assert split([profile(TRUE, HYPOTHESIS)], book(found), Goal.BEST).goal is Goal.BEST


def test_planted_truth_ranks_and_what_tells_nothing_does_not() -> None:
    told = [Labelled(one, bool(one.good(Goal.WON))) for one in cases()]
    good = [label for _, label in told]
    true, idle = (auc([one.rank for one in judged([profile(text)], told)], good) for text in (TRUE, IDLE))
    assert true is not None
    assert idle is not None
    assert true > 0.66
    assert abs(idle - 0.5) < 0.05
