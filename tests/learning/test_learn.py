"""The whole line: what is learned is proven on what came later, and nothing is learned from nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from icp_sync.domain.facts import Signal, choice
from icp_sync.learning.cases import Book
from icp_sync.learning.learn import Learned, Wish, learn
from icp_sync.profile_file import parse
from icp_sync.sync.draft import Policy
from tests.learning.planted import ODDS, TYPES, planted
from tests.sync.world import World

QUICK = Wish(rounds=200)
STRONG = dict.fromkeys(ODDS, 3.0)


def book(n: int, seed: int, **more: object) -> Book:
    """Made-up companies, all of them prospects when they were sold to."""
    prospect = {"population": choice("prospect"), "lifecycle": choice("prospect")}
    made = planted(n, seed, **more).cases  # type: ignore[arg-type]
    cases = tuple(replace(case, facts={**case.facts, **prospect}) for case in made)
    return Book(cases=cases, crowd={case.id: case.facts for case in cases}, types=TYPES)


@cache
def learned() -> Learned:
    return learn(book(2_860, 1), QUICK)


@pytest.mark.parametrize("seed", range(5))
def test_where_nothing_tells_there_is_not_enough_evidence(seed: int) -> None:
    done = learn(book(1_400, seed, effect="none"), QUICK)
    assert done.enough
    assert done.proof is None or not done.proof.verdict.passed


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_labels_teach_nothing(seed: int) -> None:
    done = learn(book(1_400, 100 + seed, shuffled=True), QUICK)
    assert done.enough
    assert done.proof is None or not done.proof.verdict.passed


def test_a_weak_effect_among_few_is_not_enough_and_it_says_what_would_be() -> None:
    done = learn(book(200, 7, effect=1.2), QUICK)
    assert "it takes" in done.enough or "decided accounts" in done.enough
    assert not done.text


def test_what_was_planted_is_found_proven_and_would_be_promoted() -> None:
    done = learned()
    assert done.findings is not None
    assert done.proof is not None
    assert {one.fact for one in done.findings.found} >= ODDS.keys()
    assert not done.enough
    assert done.proof.verdict.passed
    assert len(done.learning) + len(done.proving) == 2_860
    assert max(one.case.decided for one in done.learning) < min(one.case.decided for one in done.proving)


def test_the_file_is_the_profile_that_was_judged() -> None:
    done = learned()
    again = parse(done.text, "again.yaml", types=TYPES)
    assert again == done.profile
    assert again.learned is not None
    assert again.learned.until == str(done.until)
    assert again.learned.cases == len(done.learning)


def test_the_same_cases_teach_the_same_profile() -> None:
    once, again = (learn(book(900, 2, odds=STRONG), QUICK) for _ in range(2))
    assert once.text
    assert once.text == again.text


def test_a_planted_leak_is_named_and_never_asked_about() -> None:
    for leak, fact in (("noisy", "onboarded"), ("fill", "health_score")):
        done = learn(book(900, 3, leak=leak, odds=STRONG), QUICK)
        assert done.text
        assert fact in done.left_out
        assert fact not in done.text.split("criteria:")[-1]


def test_a_member_that_gives_the_outcome_away_costs_only_itself() -> None:
    done = learn(book(900, 1, leak="member", odds=STRONG), QUICK)
    assert "our tag" in done.withheld["technologies"]
    assert "technologies" not in done.left_out
    assert "our tag" not in done.text.split("criteria:")[-1]


def test_the_day_between_learning_and_proving_may_be_said() -> None:
    day = datetime.fromtimestamp(book(400, 1).cases[100].decided, UTC).date()
    done = learn(book(400, 1), replace(QUICK, until=day))
    assert done.until == day
    assert len(done.learning) <= 100 < len(done.learning) + len(done.proving)


def test_an_empty_book_says_that_nothing_has_an_end() -> None:
    assert "no account has an end yet" in learn(Book(cases=()), QUICK).enough


class Office(World):
    """A CRM whose facts are the planted ones."""

    def policy(self) -> Policy:
        return replace(super().policy(), types=TYPES)


def test_settle_scores_every_account_as_the_backtest_did(tmp_path: Path) -> None:
    done = learned()
    assert done.profile is not None
    assert done.proof is not None
    office = Office(folder=tmp_path, profile=done.profile)
    of: dict[str, str] = {}
    for one in done.proof.judged:
        signals = tuple(
            Signal(fact=fact, value=value, source=f"crm:{fact}", observed_at=office.clock.now)
            for fact, value in one.case.facts.items()
        )
        of[office.crm.create(name=one.case.name, signals=signals)] = one.case.id
    office.backfill()
    settled = {of[id]: (office.live(id)["fit_score"], office.live(id)["tier"]) for id in of}
    assert settled == {one.case.id: (str(one.score), one.tier) for one in done.proof.judged}
