"""The planted cases are what they say, and their file says the same."""

from __future__ import annotations

from math import log
from statistics import fmean

import pytest

from icp_sync.domain.facts import FactType, Members, fits
from icp_sync.learning.cases import Book, Cohort, Goal
from icp_sync.tables.accounts import read_accounts
from tests.learning.planted import FACTS, ODDS, TYPES, Planted, planted
from tests.learning.planted_file import columns, write_accounts


def test_the_same_seed_makes_the_same_cases_and_another_seed_others():
    assert planted(50, 4) == planted(50, 4)
    assert planted(50, 4).labels != planted(50, 5).labels


def test_there_are_forty_facts_of_every_kind_and_a_fifth_is_missing():
    made = planted(500, 1)
    assert len(FACTS) == 40
    assert {TYPES[fact] for fact in FACTS} == set(FactType)
    known = [len(case.facts) for case in made.cases]
    assert fmean(known) == pytest.approx(32, abs=0.5)
    assert all(fits(value, TYPES[fact]) for case in made.cases for fact, value in case.facts.items())


def test_the_base_rate_is_that_of_fifteen_per_cent_with_eight_flipped():
    assert fmean(planted(2_000, 2).labels) == pytest.approx(0.15 * 0.92 + 0.85 * 0.08, abs=0.025)


def test_an_odds_ratio_is_one_per_standard_deviation():
    """Of one fact alone, without noise: between the yes and no of a question that 15 % answer with yes."""
    made = planted(3_000, 3, odds={"vc_backed": 2.0}, flipped=0.0, missing=0.0)
    said = [count is not None and count > 0 for count in made.counts["vc_backed"]]
    pairs = list(zip(said, made.labels, strict=True))
    yes, no = (fmean(good for answer, good in pairs if answer is kind) for kind in (True, False))
    between = log(yes / (1 - yes) / (no / (1 - no)))
    assert between == pytest.approx(log(2.0) / (0.15 * 0.85) ** 0.5, abs=0.35)


@pytest.mark.parametrize("goal", list(Goal))
def test_labels_are_what_the_cases_say_under_their_goal(goal):
    made = planted(300, 6, goal=goal)
    told = [
        (case, good)
        for case, good in zip(made.cases, made.labels, strict=True)
        if case.good(goal) is not None
    ]
    assert len(told) == 300
    assert all(case.good(goal) is good for case, good in told)
    assert {case.cohort for case in made.cases} >= {Cohort.BEST, Cohort.LOST, Cohort.NEVER, Cohort.CHURNED}


def test_cases_are_in_the_order_of_decision_over_two_years():
    cases = planted(400, 7).cases
    assert [case.decided for case in cases] == sorted(case.decided for case in cases)
    assert all(case.begun < case.decided for case in cases)
    assert 500 * 86_400 < cases[-1].decided - cases[0].begun < 731 * 86_400
    assert [one.case for one in Book(cases=cases).labelled(Goal.WON)] == list(cases)


def told(made: Planted, fact: str, word: str = "") -> tuple[float, float]:
    """Share of the good, and of the others, of which a fact is known (or has a member)."""

    def has(value: object) -> bool:
        return value is not None and (not word or (isinstance(value, Members) and word in value.known))

    shares = [
        fmean(
            has(case.facts.get(fact))
            for case, good in zip(made.cases, made.labels, strict=True)
            if good is kind
        )
        for kind in (True, False)
    ]
    return shares[0], shares[1]


def test_leaks_give_the_outcome_away():
    assert told(planted(800, 8, leak="copy"), "onboarded", "yes") == (1.0, 0.0)
    noisy = told(planted(800, 8, leak="noisy"), "onboarded", "yes")
    assert noisy == pytest.approx((0.95, 0.05), abs=0.05)
    assert told(planted(800, 8, leak="fill"), "health_score") == pytest.approx((0.97, 0.04), abs=0.05)
    assert told(planted(800, 8, leak="member"), "technologies", "our tag") == pytest.approx(
        (0.95, 0.02), abs=0.05
    )
    assert told(planted(100, 8), "onboarded") == (0.0, 0.0)


def test_dealt_out_anew_the_labels_are_as_many_and_no_longer_the_companies_own():
    usual, dealt = planted(500, 9, odds=ODDS), planted(500, 9, shuffled=True)
    assert sum(usual.labels) == sum(dealt.labels)
    assert usual.labels != dealt.labels


def test_planted_cases_come_back_from_their_file(tmp_path):
    cases = planted(60, 3).cases
    path = write_accounts(tmp_path / "accounts.csv", cases)
    read = {a.id: a.facts for a in read_accounts(path, columns=columns(), types=TYPES)}
    assert read[cases[0].id].keys() >= {"employees", "revenue"} & cases[0].facts.keys()
    for case in cases:
        exact = {fact: value for fact, value in case.facts.items() if not isinstance(value, Members)}
        assert {fact: read[case.id].get(fact) for fact in exact} == exact
