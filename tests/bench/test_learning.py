"""A slice of the learning bench, so that it cannot rot."""

from __future__ import annotations

from functools import partial

from tests.bench.learning import PLANTED, SILENT, one_seed, oracle, speed
from tests.bench.learning_line import beside_trees, whole_file
from tests.learning.planted import ODDS, planted


def test_a_seed_is_looked_at_by_us_and_by_the_oracle():
    seen = one_seed(1)
    assert seen.true == ODDS.keys()
    assert seen.all_found
    assert seen.oracle
    assert seen.false <= 0.2


def test_the_oracle_sees_nothing_where_nothing_is():
    assert max(oracle(planted(300, 2, effect="none"))) > 0.1


def test_every_way_of_planting_runs():
    options = [options for _, options, _ in (*PLANTED, *SILENT)]
    assert all(partial(one_seed, **{**one, "n": 150})(3).found is not None for one in options)


def test_a_learned_profile_stands_beside_boosted_trees_and_is_timed_as_a_file():
    told = {figure.what: figure for figure in [*beside_trees([1], n=1_600), *whole_file(n=1_600)]}
    assert told["a profile is learned"].ours == "100.0%"
    beside = told["forward AUC, mean (beside: boosted trees)"]
    assert 0.5 < float(beside.beside) < 1
    assert float(beside.ours) > float(beside.beside) - 0.05


def test_both_speeds_are_told():
    assert [figure.goal for figure in speed(200)] == ["< 4 s", "< 1 s"]
