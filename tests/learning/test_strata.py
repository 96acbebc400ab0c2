"""A weaker fact is tested for what it tells beyond the sure ones."""

from __future__ import annotations

from random import Random
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.learning.figures.chance import independence
from icp_sync.learning.marks.attributes import find
from icp_sync.learning.marks.coded import Coded
from icp_sync.learning.marks.strata import grouped, within
from tests.learning.test_attributes import told


def bits(cases: list[bool]) -> int:
    return int("0" + "".join(str(int(case)) for case in cases), 2)


def p_of(cases: list[tuple[int, bool, bool]], groups: int) -> float | None:
    """cases: (group, says yes, good)."""
    return within(
        bits([yes for _, yes, _ in cases]),
        bits([not yes for _, yes, _ in cases]),
        bits([good for _, _, good in cases]),
        [bits([group == at for group, _, _ in cases]) for at in range(groups)],
    )


def table(group: int, a: int, b: int, c: int, d: int) -> list[tuple[int, bool, bool]]:
    """a good and b other ones that say yes, c and d that say no."""
    counts = [(True, True, a), (True, False, b), (False, True, c), (False, False, d)]
    return [(group, yes, good) for yes, good, n in counts for _ in range(n)]


def test_two_tables_together_are_as_mantel_and_haenszel_say():
    """Of each 10 are seen and 4 expected, with a variance of 20·80·20·80 / (100² · 99): z = 5.2767."""
    cases = table(0, 10, 10, 10, 70) + table(1, 10, 10, 10, 70)
    assert p_of(cases, 2) == pytest.approx(2 * (1 - NormalDist().cdf(5.276717)), rel=1e-4)


def test_one_group_is_nearly_the_chi_square():
    alone = p_of(table(0, 60, 140, 90, 310), 1)
    assert alone == pytest.approx(independence(60, 140, 90, 310), rel=0.05)


def test_where_rates_are_the_same_within_the_groups_nothing_is_told():
    """Yes goes along with the better group and has nothing of its own."""
    cases = table(0, 40, 40, 10, 10) + table(1, 2, 18, 8, 72)
    assert p_of(cases, 2) == pytest.approx(1.0)
    assert independence(42, 58, 18, 82) < 0.001


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.booleans()), max_size=60))
def test_it_is_a_probability_or_too_few_and_the_same_for_yes_and_no(cases):
    p = p_of(cases, 3)
    assert p is None or 0 <= p <= 1
    turned = p_of([(group, not yes, good) for group, yes, good in cases], 3)
    assert turned == (None if p is None else pytest.approx(p))


def test_too_few_cases_say_nothing():
    assert p_of(table(0, 3, 3, 3, 3), 1) is None
    assert p_of([], 2) is None


def test_groups_hold_every_case_once_and_rise_with_what_the_strong_fact_says():
    chance = Random(1)
    answers = bytes(chance.choice((0, 1, 2)) for _ in range(1_000))
    labels = bytes(chance.random() < (0.5 if answer == 1 else 0.1) for answer in answers)
    column = told(answers)
    groups = grouped([(column, column.questions[0])], labels)
    assert len(groups) == 10
    assert sum(groups) == 2**1_000 - 1
    assert {group.bit_count() for group in groups} == {100}
    yes = bits([answer == 1 for answer in answers])
    assert not groups[0] & yes
    assert groups[-1] & yes == groups[-1]


def test_there_are_no_groups_where_there_are_few_good_ones():
    answers = bytes([1] * 300 + [0] * 300)
    column = told(answers)
    assert grouped([(column, column.questions[0])], bytes([1] * 30 + [0] * 570)) == []
    assert grouped([(column, column.questions[0])], bytes(600)) == []


def test_a_fact_that_only_goes_along_with_a_sure_one_is_not_found():
    chance = Random(6)
    sure = [chance.random() < 0.5 for _ in range(4_000)]
    along = [yes if chance.random() < 0.16 else chance.random() < 0.5 for yes in sure]
    labels = [chance.random() < 0.1 + 0.25 * yes for yes in sure]
    columns = (told(bytes(sure), "sure"), told(bytes(along), "along"))
    alone = find(Coded(columns=columns[1:], n=4_000), labels)
    together = find(Coded(columns=columns, n=4_000), labels)
    assert [attribute.fact for attribute in alone.found] == ["along"]
    assert [attribute.fact for attribute in together.found] == ["sure"]
