"""Headcounts and bands become intervals of employees."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.normalize.sizes import MOST, headcount


@pytest.mark.parametrize(
    ("raw", "low", "high"),
    [
        ("51-200", 51, 200),
        ("51 - 200", 51, 200),
        ("51–200", 51, 200),
        ("1,001-5,000", 1001, 5000),
        ("1,000 - 5,000", 1000, 5000),
        ("10001+", 10001, inf),
        ("10,000+", 10000, inf),
        ("c_00051_00100", 51, 100),
        ("c_10001_max", 10001, inf),
        ("over-10k", 10001, inf),
        ("1k-5k", 1000, 5000),
        ("500-1k", 500, 1000),
        ("251-1K", 251, 1000),
        ("100K+", 100_000, inf),
        ("501 to 1000 Employees", 501, 1000),
        ("1 to 50 employees", 1, 50),
        ("1200", 1200, 1200),
        ("1,200.0", 1200, 1200),
        ("1200.000000", 1200, 1200),
        ("1'200", 1200, 1200),
        ("1 200", 1200, 1200),
        ("1.234.567", 1_234_567, 1_234_567),
        ("8.600000000000000477", 8.6, 8.6),
        ("0", 0, 0),
        ("<10", 0, 9),
        ("up to 10", 0, 10),
        ("more than 500 people", 501, inf),
        ("at least 500", 500, inf),
        ("51-200 (2024)", 51, 200),
        ("1,200 employees as of 2023", 1200, 1200),
        ("120 (FY23)", 120, 120),
        ("1,25,000 employees", 125_000, 125_000),
    ],
)
def test_a_size_is_the_interval_it_names(raw: str, low: float, high: float) -> None:
    assert headcount(raw) == (low, high)


def test_a_range_with_one_unit_keeps_both_readings() -> None:
    assert headcount("1-5k") == (1, 5000)


def test_bands_of_two_vendors_that_do_not_nest_keep_their_own_ends() -> None:
    assert headcount("c_00101_00250") == headcount("101-250") == (101, 250)
    assert headcount("51-200") == (51, 200)
    assert headcount("201-500") == (201, 500)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "-",
        "N/A",
        "-5",
        "NaN",
        "inf",
        "1e308",
        "99999999",
        "200-51",
        "8.914",
        "1,2",
        "814,0000",
        "1,23,45",
        "1,200 (France, 2024)",
        "myself only",
        "١٢",
        "😀",
        "\x00",
        "9" * 70_000,
        "1-2-3",
        "10-",
        "1000,50000",
    ],
    ids=lambda raw: ascii(raw)[:40],
)
def test_what_is_no_headcount_is_unknown(raw: str) -> None:
    assert headcount(raw) is None


@given(st.integers(0, MOST))
def test_every_plain_count_is_exact_however_it_is_grouped(count: int) -> None:
    assert headcount(str(count)) == headcount(f"{count:,}") == headcount(f"{count}.0") == (count, count)


@given(st.integers(0, MOST), st.integers(0, MOST))
def test_a_band_is_read_in_order_or_not_at_all(one: int, other: int) -> None:
    read = headcount(f"{one}-{other}")
    assert read == ((one, other) if one <= other else None)
