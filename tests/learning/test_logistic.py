"""The regression finds the optimum an independent optimiser finds, and always a finite one."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite, log
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.learning.figures.logistic import Fit, isotonic, ridge
from tests.learning.reference import near, reference

steps = st.lists(
    st.tuples(st.floats(-100, 100, allow_subnormal=False), st.sampled_from([0.0, 0.5, 1.0, 7.0])), max_size=30
)


def test_coefficients_are_those_of_an_independent_optimiser() -> None:
    for rows, good, weights, penalty, beta in reference("ridge"):
        fit = ridge(rows, [bool(g) for g in good], penalty=penalty, weights=weights)
        for ours, theirs in zip((fit.intercept, *fit.coefficients), beta, strict=True):
            assert abs(ours - theirs) < 1e-9 * max(1.0, abs(theirs))


def test_at_the_optimum_nothing_pulls() -> None:
    """The slope of the penalised likelihood is 0, whoever computed it: a check without another library."""
    random = Random(2)
    rows = [(random.choice((0.0, 0.4, -0.3)), random.choice((0.0, 1.1))) for _ in range(500)]
    good = [random.random() < 0.2 + 0.3 * (row[1] > 0) for row in rows]
    fit = ridge(rows, good, penalty=2.0)
    errors = [fit.chance(row) - won for row, won in zip(rows, good, strict=True)]
    assert abs(sum(errors)) < 1e-8
    for column, b in enumerate(fit.coefficients):
        pull = sum(error * row[column] for error, row in zip(errors, rows, strict=True))
        assert abs(pull + 2.0 * b) < 1e-8


def test_weights_count_as_so_many_cases() -> None:
    rows = [(0.0,), (1.0,), (1.0,), (0.0,), (2.0,)]
    good = [False, True, False, True, True]
    doubled = ridge(rows * 2, good * 2, penalty=1.0)
    assert alike(ridge(rows, good, penalty=1.0, weights=[2.0] * 5), doubled)
    ignored = ridge([*rows, (9.0,)], [*good, False], penalty=1.0, weights=[1.0] * 5 + [0.0])
    assert alike(ignored, ridge(rows, good, penalty=1.0))


def alike(fit: Fit, other: Fit) -> bool:
    return (fit.intercept, *fit.coefficients) == pytest.approx((other.intercept, *other.coefficients))


def test_one_kind_of_case_gives_a_finite_chance_and_no_opinion_on_columns() -> None:
    fit = ridge([(1.0, 2.0)] * 9, [True] * 9, penalty=1.0)
    assert fit == Fit(log(19), (0.0, 0.0))
    assert ridge([(1.0,)] * 3, [False] * 3, penalty=1.0).chance((5.0,)) == pytest.approx(0.125)
    assert ridge([], [], penalty=1.0).chance(()) == 0.5


def test_kinds_parted_entirely_still_give_a_finite_answer() -> None:
    rows = [(-1.0,)] * 50 + [(1.0,)] * 50
    fit = ridge(rows, [False] * 50 + [True] * 50, penalty=0.5)
    assert isfinite(fit.coefficients[0])
    assert fit.coefficients[0] > 1
    free = ridge(rows, [False] * 50 + [True] * 50, penalty=0.0)
    assert all(map(isfinite, (free.intercept, *free.coefficients)))


def test_columns_that_repeat_each_other_share_the_weight() -> None:
    random = Random(4)
    column = [random.choice((0.0, 1.0)) for _ in range(300)]
    good = [random.random() < 0.2 + 0.4 * x for x in column]
    fit = ridge([(x, x) for x in column], good, penalty=1.0)
    assert fit.coefficients[0] == pytest.approx(fit.coefficients[1])
    unpenalised = ridge([(x, x, 0.0) for x in column], good, penalty=0.0)
    assert all(map(isfinite, unpenalised.coefficients))
    assert unpenalised.chance((1.0, 1.0, 0.0)) > unpenalised.chance((0.0, 0.0, 0.0))


def test_huge_columns_do_not_overflow() -> None:
    fit = ridge([(1e6,), (-1e6,), (2e6,), (0.0,)], [True, False, False, True], penalty=1e-6)
    assert 0.0 <= fit.chance((1e300,)) <= 1.0
    assert Fit(0.0, (1.0,)).chance((-1e308,)) == 0.0
    assert Fit(0.0, (1.0,)).chance((1e308,)) == 1.0


def test_a_heavier_penalty_shrinks() -> None:
    random = Random(5)
    rows = [(random.gauss(0, 1),) for _ in range(200)]
    good = [random.random() < 0.2 + 0.5 * (row[0] > 0) for row in rows]
    sizes = [abs(ridge(rows, good, penalty=penalty).coefficients[0]) for penalty in (0.0, 1.0, 100.0, 1e6)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 1e-3
    assert near(ridge(rows, good, penalty=1e9).intercept, log(sum(good) / (200 - sum(good))), relative=1e-6)


def test_rising_fits_are_those_of_scipy() -> None:
    for values, weights, fitted in reference("isotonic"):
        ours = isotonic(values, weights)
        assert all(abs(a - b) < 1e-12 for a, b in zip(ours, fitted, strict=True))


def test_a_band_without_cases_takes_the_value_beside_it() -> None:
    assert isotonic([9.0, 1.0, 5.0, 3.0], [0.0, 2.0, 0.0, 2.0]) == [1.0, 1.0, 1.0, 3.0]
    assert isotonic([2.0, 1.0], [0.0, 0.0]) == [2.0, 2.0]
    assert isotonic([], []) == []


@given(steps)
def test_a_rising_fit_rises_keeps_the_mean_and_is_its_own_fit(
    bands: list[tuple[float, float]],
) -> None:
    values, weights = [v for v, _ in bands], [w for _, w in bands]
    fitted = isotonic(values, weights)
    assert len(fitted) == len(values)
    assert all(b - a >= -1e-9 for a, b in pairwise(fitted))
    again = isotonic(fitted, weights)
    assert all(abs(a - b) < 1e-9 for a, b in zip(fitted, again, strict=True))
    before = sum(v * w for v, w in zip(values, weights, strict=True))
    after = sum(v * w for v, w in zip(fitted, weights, strict=True))
    assert abs(before - after) < 1e-7
