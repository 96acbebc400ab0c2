"""How well scores rank, with honest intervals that are the same on every run."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.learning.figures.ranking import auc, auc_difference, auc_estimate, binomial, estimate
from tests.learning.reference import near, reference

ranked = st.lists(st.tuples(st.integers(-5, 20), st.booleans()), min_size=1, max_size=60)


def book(n: int, seed: int, *, gain: float = 1.0, wide: bool = False) -> tuple[list[float], list[bool]]:
    random = Random(seed)
    good = [i % 4 == 0 for i in range(n)]
    scores = [random.gauss(50 + 10 * gain * won, 12) for won in good]
    return (scores if wide else [float(round(score)) for score in scores]), good


def test_the_auc_is_that_of_mann_and_whitney() -> None:
    for scores, good, value in reference("auc"):
        assert near(auc(scores, [bool(g) for g in good]) or 0.0, value, relative=1e-13)


def test_without_both_kinds_there_is_nothing_to_rank() -> None:
    for good in ([True, True], [False, False]):
        assert auc([1, 2], good) is None
        assert auc_estimate([1, 2], good) is None
        assert auc_difference([1, 2], [2, 1], good) is None
    assert auc([], []) is None


@given(ranked)
def test_turning_scores_round_turns_the_auc_round(cases: list[tuple[int, bool]]) -> None:
    scores, good = [s for s, _ in cases], [g for _, g in cases]
    value, turned = auc(scores, good), auc([-s for s in scores], good)
    assert (value is None) == (turned is None)
    if value is not None and turned is not None:
        assert abs(value + turned - 1) < 1e-12


@settings(max_examples=30)
@given(ranked)
def test_equal_scores_differ_by_nothing(cases: list[tuple[int, bool]]) -> None:
    scores, good = [s for s, _ in cases], [g for _, g in cases]
    difference = auc_difference(scores, [2 * s for s in scores], good, rounds=20)
    assert difference is None or set(difference) == {0.0}


@pytest.mark.parametrize("wide", [False, True])
def test_an_interval_is_as_wide_as_that_of_delong_and_holds_the_value(wide: bool) -> None:
    """Many cases a score or one: two ways to draw, one width. DeLong's variance, computed here, is the
    yardstick: it has no draws in it."""
    scores, good = book(1200, 3, wide=wide)
    found = auc_estimate(scores, good, rounds=1000, seed=1)
    assert found is not None
    assert found.low < found.value < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * delong(scores, good), rel=0.1)


def delong(scores: list[float], good: list[bool]) -> float:
    wins = [s for s, g in zip(scores, good, strict=True) if g]
    rest = [s for s, g in zip(scores, good, strict=True) if not g]
    above = [sum((w > r) + 0.5 * (w == r) for r in rest) / len(rest) for w in wins]
    below = [sum((w > r) + 0.5 * (w == r) for w in wins) / len(wins) for r in rest]

    def variance(values: list[float]) -> float:
        mean = sum(values) / len(values)
        return sum((v - mean) ** 2 for v in values) / (len(values) - 1) / len(values)

    return (variance(above) + variance(below)) ** 0.5


@pytest.mark.parametrize(("wins", "others"), [(15, 15), (15, 100), (29, 29)])
def test_with_few_cases_noise_seems_to_rank_no_more_often_than_the_interval_says(
    wins: int, others: int
) -> None:
    random, good = Random(3), [True] * wins + [False] * others
    found = [auc_estimate([random.random() for _ in good], good) for _ in range(1_000)]
    above = sum(one is not None and one.low > 0.5 for one in found)
    assert above <= 40  # 25 expected of a thousand


def test_a_perfect_order_of_few_cases_is_not_certain() -> None:
    found = auc_estimate([1.0] * 15 + [0.0] * 15, [True] * 15 + [False] * 15)
    assert found is not None
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.75 < found.low < 0.95
    worst = auc_estimate([0.0] * 15 + [1.0] * 15, [True] * 15 + [False] * 15)
    assert worst == pytest.approx((0.0, 0.0, 1 - found.low), abs=1e-6)


@given(ranked)
def test_an_interval_of_few_cases_lies_within_0_and_1_around_the_value(
    cases: list[tuple[int, bool]],
) -> None:
    scores, good = [s for s, _ in cases[:29]], [g for _, g in cases[:29]]
    found = auc_estimate(scores, good)
    if found is not None:
        assert 0.0 <= found.low <= found.value <= found.high <= 1.0


def test_a_paired_difference_is_surer_than_two_intervals_apart() -> None:
    new, good = book(800, 5, wide=True)
    random = Random(6)
    old = [score + random.gauss(0, 4) for score in new]
    paired = auc_difference(new, old, good, rounds=400, seed=2)
    alone = auc_estimate(new, good, rounds=400, seed=2)
    assert paired is not None
    assert alone is not None
    assert paired.high - paired.low < (alone.high - alone.low) / 2
    assert paired.value == pytest.approx((auc(new, good) or 0) - (auc(old, good) or 0))


def test_a_better_ranking_is_told_from_a_useless_one() -> None:
    new, good = book(600, 8)
    random = Random(9)
    useless = [float(random.randrange(100)) for _ in good]
    better = auc_difference(new, useless, good, rounds=400)
    assert better is not None
    assert better.low > 0.05
    same = auc_difference(useless, [float(random.randrange(100)) for _ in good], good, rounds=400)
    assert same is not None
    assert same.low < 0 < same.high


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    scores, good = book(300, 11)
    assert auc_estimate(scores, good, rounds=50, seed=4) == auc_estimate(scores, good, rounds=50, seed=4)
    assert auc_estimate(scores, good, rounds=50, seed=4) != auc_estimate(scores, good, rounds=50, seed=5)


def test_any_statistic_of_the_cases_gets_its_interval() -> None:
    random = Random(12)
    values = [random.gauss(5, 2) for _ in range(400)]

    def mean(drawn: Sequence[int]) -> float:
        return sum(values[i] for i in drawn) / len(drawn)

    found = estimate(mean, len(values), rounds=800, seed=3)
    assert found is not None
    assert found.low < found.value < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * 2 / 20, rel=0.15)


def test_rounds_in_which_a_statistic_is_undefined_do_not_count() -> None:
    assert estimate(lambda drawn: None, 5, rounds=10) is None
    picky = estimate(lambda drawn: 1.0 if 0 in drawn else None, 3, rounds=50)
    assert picky == (1.0, 1.0, 1.0)
    whole = estimate(lambda drawn: 1.0 if list(drawn) == [0, 1, 2, 3] else None, 4, rounds=0)
    assert whole == (1.0, 1.0, 1.0)


def test_drawn_counts_have_the_mean_and_spread_of_a_binomial() -> None:
    random = Random(13)
    for n, share in ((1000, 0.3), (7, 0.9), (50, 1 / 3), (400, 0.002)):
        drawn = [binomial(random, n, share) for _ in range(4000)]
        mean = sum(drawn) / len(drawn)
        spread = sum((x - mean) ** 2 for x in drawn) / len(drawn)
        assert mean == pytest.approx(n * share, abs=4 * (n * share * (1 - share) / 4000) ** 0.5)
        assert spread == pytest.approx(n * share * (1 - share), rel=0.15)


def test_what_is_certain_is_drawn_with_certainty() -> None:
    random = Random(14)
    assert binomial(random, 9, 1.0) == 9
    assert binomial(random, 9, 0.0) == 0
    assert binomial(random, 0, 0.5) == 0
