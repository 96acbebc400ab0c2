"""Tier A of a learned profile against the rate that was foretold of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from icp_sync.domain.profile import Learned, Profile
from icp_sync.learning.cases import Case, Cohort, Labelled
from icp_sync.learning.drift.finding import DAY, LEAST, Finding, State
from icp_sync.learning.drift.foretold import foretells, foretold

LEARNED = Learned(goal="won", until="2026-01-01", cases=900, good=180, expected={"A": 0.4, "B": 0.2})
PROFILE = Profile(name="saas", currency="USD", criteria=(), learned=LEARNED)
NAME = "foretold/saas"


def after(good: int, n: int, *standing: str) -> Finding:
    cases = [
        Labelled(
            Case(
                id=str(i),
                name="",
                domain="",
                facts={},
                begun=0.0,
                decided=0.0,
                won=i < good,
                cohort=Cohort.LOST,
            ),
            i < good,
        )
        for i in range(n)
    ]
    return foretold(PROFILE, cases, settled=180 * DAY, standing=standing)


@pytest.mark.parametrize(
    ("good", "state"),
    [
        (40, State.OK),
        (35, State.OK),
        (25, State.WATCH),
        (60, State.WATCH),
        (10, State.ALERT),
        (0, State.ALERT),
    ],
)
def test_a_rate_whose_interval_excludes_what_was_foretold_is_told_and_half_of_it_is_an_alert(
    good: int, state: State
) -> None:
    one = after(good, 100)
    assert (one.name, one.state) == (NAME, state)
    assert one.behind == (0 if state is State.OK else 100 - good)
    assert "40% was foretold" in one.sentence


def test_few_companies_are_too_few_to_tell_and_end_no_alert_that_stands() -> None:
    assert after(0, LEAST - 1).state is State.FEW
    assert after(0, 0, NAME).state is State.FEW
    assert after(2, LEAST - 1, NAME).state is State.ALERT
    assert after(LEAST - 1, LEAST - 1, NAME).state is State.FEW


def test_an_alert_lasts_until_what_was_foretold_is_possible_again() -> None:
    assert after(25, 100, NAME).state is State.ALERT
    assert after(40, 100, NAME).state is State.OK
    assert after(60, 100, NAME).state is State.WATCH


@pytest.mark.parametrize(
    "learned",
    [
        None,
        Learned(hypothesis=True, cases=14),
        replace(LEARNED, expected={}),
        replace(LEARNED, expected={"B": 0.2}),
    ],
)
def test_a_profile_that_names_no_rate_of_its_best_tier_foretells_nothing(learned: Learned | None) -> None:
    assert not foretells(replace(PROFILE, learned=learned))
