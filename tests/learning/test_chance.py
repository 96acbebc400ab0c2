"""Counts become chances as scipy and statsmodels say, and nothing overflows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from icp_sync.learning.figures.chance import (
    OUT_OF_REACH,
    Chi,
    benjamini_hochberg,
    chi_square,
    chi_tail,
    fisher,
    independence,
    needed,
    odds_ratio,
    simes,
    stability,
    trend,
    two_rates,
    wilson,
)
from tests.learning.reference import near, reference

cells = st.integers(0, 120)
chances = st.lists(st.floats(0, 1, allow_subnormal=False), max_size=40)
shares = st.integers(1, 10**12).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_wilson_intervals_are_those_of_statsmodels() -> None:
    for hits, n, confidence, low, high in reference("wilson"):
        ours = wilson(hits, n, confidence=confidence)
        # their 0 is a rounding error away from 0
        assert near(1 + ours[0], 1 + low, relative=1e-13), (hits, n)
        assert near(ours[1], high, relative=1e-12), (hits, n)


def test_fisher_is_exact_where_fractions_tell_and_as_scipy_beyond() -> None:
    for a, b, c, d, p in reference("fisher"):
        assert near(fisher(a, b, c, d), p), (a, b, c, d)


def test_chi_square_is_that_of_scipy() -> None:
    for table, statistic, freedom, p in reference("chi_square"):
        ours = chi_square(table)
        assert near(ours.statistic, statistic)
        assert ours.freedom == freedom
        assert near(ours.p, p), table


def test_the_far_tail_of_chi_square_keeps_its_digits() -> None:
    smallest = 1.0
    for statistic, freedom, p in reference("chi_tail"):
        assert near(chi_tail(statistic, freedom), p), (statistic, freedom)
        smallest = min(smallest, p)
    assert smallest < 1e-250


def test_trends_over_bands_are_those_of_statsmodels() -> None:
    assert len(reference("trend")) > 40
    for good, total, p in reference("trend"):
        assert near(trend(good, total), p), (good, total)


def test_corrections_for_many_tests_are_those_of_statsmodels() -> None:
    for ps, adjusted in reference("benjamini_hochberg"):
        assert all(near(ours, theirs) for ours, theirs in zip(benjamini_hochberg(ps), adjusted, strict=True))


def test_the_cases_needed_give_the_power_statsmodels_computes() -> None:
    for base, rate, share, alpha, n in reference("power"):
        assert needed(base, rate, share, alpha=alpha) == n


def test_nothing_is_known_of_no_cases() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert fisher(0, 0, 0, 0) == 1.0
    assert independence(0, 0, 3, 4) == 1.0
    assert two_rates(0, 0, 3, 4) == 1.0
    assert chi_square([]) == Chi(0.0, 0, 1.0)
    assert chi_square([[0, 0], [0, 0]]) == Chi(0.0, 0, 1.0)
    assert chi_square([[3, 4]]) == Chi(0.0, 0, 1.0)
    assert trend([], []) == 1.0
    assert trend([0, 0], [0, 0]) == 1.0
    assert benjamini_hochberg([]) == []
    assert simes([]) == 1.0
    assert odds_ratio(0, 0, 0, 0) == 1.0
    assert stability([0, 0], [3, 4]) == 0.0


def test_a_trend_needs_two_bands_and_both_outcomes() -> None:
    assert trend([3, 0], [9, 0]) == 1.0
    assert trend([0, 0], [9, 9]) == 1.0
    assert trend([9, 9], [9, 9]) == 1.0
    assert trend([1, 8], [9, 9]) < 0.01


def test_bounds_are_exact_where_all_or_none_hit() -> None:
    assert wilson(0, 40)[0] == 0.0
    assert wilson(40, 40)[1] == 1.0


def test_huge_counts_do_not_overflow() -> None:
    big = 10**15
    assert 0.4999 < wilson(big, 2 * big)[0] < 0.5
    assert independence(big, big, big, big) == 1.0
    assert independence(big, 1, 1, big) == 0.0
    assert chi_square([[big, big], [big, big + 10**9]]).p < 1e-50
    assert fisher(10**6, 10**6, 10**6, 10**6) == 1.0
    assert fisher(1000, 0, 0, 1000) == 0.0
    assert trend([big, 2 * big], [4 * big, 4 * big]) == 0.0
    assert odds_ratio(big, 0, 0, big) > 1e30


def test_small_tables_are_tested_exactly_and_large_ones_by_chi_square() -> None:
    assert independence(1, 9, 3, 7) == fisher(1, 9, 3, 7)
    assert near(independence(30, 70, 50, 50), chi_square([[30, 70], [50, 50]]).p)
    assert near(independence(2, 4_000, 3, 900), chi_square([[2, 4_000], [3, 900]]).p)


def test_more_cases_are_needed_for_a_smaller_gap_and_for_a_stricter_test() -> None:
    wide, narrow = (needed(0.15, rate, 0.3, alpha=0.05) for rate in (0.25, 0.18))
    assert wide < narrow < needed(0.15, 0.18, 0.3, alpha=0.0005) < OUT_OF_REACH
    assert needed(0.15, 0.15, 0.3, alpha=0.05) == OUT_OF_REACH
    assert needed(0.15, 0.25, 0.0, alpha=0.05) == OUT_OF_REACH
    assert needed(0.0, 0.0, 0.5, alpha=0.05) == OUT_OF_REACH


def test_a_shift_of_shares_is_measured_and_no_shift_is_nearly_nothing() -> None:
    assert stability([100, 100, 100], [100, 100, 100]) == 0.0
    assert stability([100, 100, 100], [1000, 1000, 1000]) < 1e-4
    assert stability([500, 300, 200], [200, 300, 500]) > 0.25
    assert stability([500, 0], [0, 500]) < 20  # an empty band is no infinity


@given(shares)
def test_wilson_contains_the_share_and_stays_within_0_and_1(counts: tuple[int, int]) -> None:
    hits, n = counts
    low, high = wilson(hits, n)
    assert 0.0 <= low <= hits / n <= high <= 1.0


@given(cells, cells, cells, cells)
def test_fisher_does_not_care_which_row_or_column_comes_first(a: int, b: int, c: int, d: int) -> None:
    p = fisher(a, b, c, d)
    assert 0.0 <= p <= 1.0
    for turned in (fisher(c, d, a, b), fisher(b, a, d, c), fisher(a, c, b, d)):
        assert near(p, turned)


@given(cells, cells, cells, cells)
def test_the_two_ways_to_chi_square_agree(a: int, b: int, c: int, d: int) -> None:
    table = [[30 + a, 30 + b], [30 + c, 30 + d]]
    # with equal rates one way says 1 and the other 1 less a rounding error, whose root is 1e-7
    assert abs(independence(*table[0], *table[1]) - chi_square(table).p) < 1e-6


@given(chances)
def test_adjusted_chances_keep_their_order_and_never_fall_below_themselves(ps: list[float]) -> None:
    adjusted = benjamini_hochberg(ps)
    assert all(p <= q <= 1.0 for p, q in zip(ps, adjusted, strict=True))
    ordered = [q for _, q in sorted(zip(ps, adjusted, strict=True))]
    assert ordered == sorted(ordered)
    if ps:
        assert min(ps) <= simes(ps) <= max(ps)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=8))
def test_a_trend_is_the_same_from_either_end_and_for_either_outcome(bands: list[tuple[int, int]]) -> None:
    good, total = [g for g, _ in bands], [g + b for g, b in bands]
    p = trend(good, total)
    assert 0.0 <= p <= 1.0
    assert near(p, trend(good[::-1], total[::-1]), relative=1e-7)
    assert near(p, trend([b for _, b in bands], total), relative=1e-7)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=12))
def test_stability_is_never_negative_and_the_same_either_way(bands: list[tuple[int, int]]) -> None:
    before, after = [b for b, _ in bands], [a for _, a in bands]
    assert stability(before, after) >= 0.0
    assert near(1 + stability(before, after), 1 + stability(after, before))
