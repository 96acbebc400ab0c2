"""Amounts and revenue bands become money in whole units, with the currency that was named."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.facts import Money
from icp_sync.normalize.money import amount


@pytest.mark.parametrize(
    ("raw", "low", "high", "currency"),
    [
        ("$10M-$25M", 10e6, 25e6, "USD"),
        ("$10-25M", 10e6, 25e6, "USD"),
        ("$0-$1M", 0, 1e6, "USD"),
        ("$10B+", 10e9, inf, "USD"),
        ("US$ 15.4 billion (2024)", 15.4e9, 15.4e9, "USD"),
        ("US$ $1.59 billion (2024)", 1.59e9, 1.59e9, "USD"),
        ("€4.400 billion (2020)", 4.4e9, 4.4e9, "EUR"),
        ("€ 1.996 billion (2024)", 1.996e9, 1.996e9, "EUR"),
        ("¥ 12.63 trillion", 12.63e12, 12.63e12, "JPY"),
        ("CHF 3,627 million", 3.627e9, 3.627e9, "CHF"),
        ("918,3 Mio.€", 918.3e6, 918.3e6, "EUR"),
        ("6,8 billion", 6.8e9, 6.8e9, ""),
        ("63.751 billion kr", 63.751e9, 63.751e9, ""),
        ("under-1m", 0, 1e6, ""),
        ("over-1b", 1e9, inf, ""),
        ("10m-50m", 10e6, 50e6, ""),
        ("$250 mil. - $500 mil.", 250e6, 500e6, "USD"),
        ("$500 mil. - $1 bil.", 500e6, 1e9, "USD"),
        ("Less than $1M", 0, 1e6, "USD"),
        ("r_00001000", 1e6, 10e6, "USD"),
        ("r_10000000", 10e9, inf, "USD"),
        ("18.3 MM", 18.3e6, 18.3e6, ""),
        ("5000000", 5e6, 5e6, ""),
        ("1,234,567.89", 1_234_567.89, 1_234_567.89, ""),
        ("€4.400.000", 4.4e6, 4.4e6, "EUR"),
        ("£1.2m", 1.2e6, 1.2e6, "GBP"),
        ("C$ 5M", 5e6, 5e6, "CAD"),
        ("$ 5M CAD", 5e6, 5e6, "CAD"),
        ("5.2 bn EUR", 5.2e9, 5.2e9, "EUR"),
        ("₹12.5 crore", 125e6, 125e6, "INR"),
        ("₹1,25,000", 125_000, 125_000, "INR"),
        ("1,23,45,678.50", 12_345_678.5, 12_345_678.5, ""),
        ("INR 12 lakh", 1.2e6, 1.2e6, "INR"),
        ("12.5 Cr.", 125e6, 125e6, ""),
        ("18.3mm", 18.3e6, 18.3e6, ""),
        ("500 T€", 500e3, 500e3, "EUR"),
        ("TEUR 500", 500e3, 500e3, "EUR"),
        ("MSEK 20", 20e6, 20e6, "SEK"),
        ("SEKm 147,147", 147.147e9, 147.147e9, "SEK"),
        ("€m 12.5", 12.5e6, 12.5e6, "EUR"),
        ("60.2 BSEK", 60.2e9, 60.2e9, "SEK"),
        ("140.7 kr billion", 140.7e9, 140.7e9, ""),
        ("TRY 5M", 5e6, 5e6, "TRY"),
        ("KWD 2.5 million", 2.5e6, 2.5e6, "KWD"),
        ("3 Milliarden Euro", 3e9, 3e9, "EUR"),
    ],
)
def test_an_amount_is_what_it_names(raw: str, low: float, high: float, currency: str) -> None:
    read = amount(raw)
    assert read is not None
    assert (read.low, read.high, read.currency) == (pytest.approx(low), pytest.approx(high), currency)


def test_the_callers_currency_reads_only_what_the_text_leaves_open() -> None:
    assert amount("5M", "EUR") == Money(5e6, 5e6, "EUR")
    assert amount("$5M", "EUR") == Money(5e6, 5e6, "USD")
    assert amount("$5M", "CAD") == Money(5e6, 5e6, "CAD")
    assert amount("63 billion kr", "SEK") == Money(63e9, 63e9, "SEK")
    assert amount("63 billion kr", "USD") == Money(63e9, 63e9, "")
    assert amount("¥5M", "CNY") == Money(5e6, 5e6, "CNY")
    assert amount("Rs 5 crore", "INR") == Money(5e7, 5e7, "INR")
    assert amount("Rs 5 crore", "USD") == Money(5e7, 5e7, "")


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "$",
        "-5",
        "-$5M",
        "($5,000)",
        "NaN",
        "inf",
        "1e308",
        "$4.400",
        "4.400",
        "$500-$1B",
        "€5 USD",
        "$25M - €50M",
        "$25M-$10M",
        "5 trillion trillion",
        "1,23,45",
        "$5M (Q2 2016)",
        "$5M (H1 2024)",
        "$5M (France, 2024)",
        "$5M (48)",
        "five million",
        "\x00",
        "😀",
        "٥",
        "9" * 70_000,
        "1" + "0" * 20,
    ],
    ids=lambda raw: ascii(raw)[:40],
)
def test_what_can_be_read_in_two_ways_or_none_is_unknown(raw: str) -> None:
    assert amount(raw) is None


@pytest.mark.parametrize(
    ("raw", "year"),
    [
        ("$5M (FY2024)", 2024),
        ("$5M (FY24)", 2024),
        ("FY2024: $5M", 2024),
        ("FY23/24 $5M", 2024),
        ("$5M FY24", 2024),
        ("$5M (fiscal year ended June 2024)", 2024),
        ("$5M, fiscal year ended 30 June 2024", 2024),
        ("$5M (year ended March 31, 2024)", 2024),
        ("$5M (2023/24)", 2024),
        ("$5M (2023-2024)", 2024),
        ("$5M (TTM, June 2025)", 2025),
        ("$5M (est. 2022)", 2022),
        ("$5M in 2024", 2024),
        ("$5M as of 2024", 2024),
        ("$5M TTM", None),
        ("$5M", None),
    ],
)
def test_the_business_year_beside_an_amount_is_its_year(raw: str, year: int | None) -> None:
    assert amount(raw) == Money(5e6, 5e6, "USD", year)


@given(st.integers(0, 2**53), st.sampled_from(["USD", "EUR", "SEK", ""]))
def test_a_plain_number_is_exact_in_the_callers_currency(units: int, currency: str) -> None:
    assert amount(str(units), currency) == amount(f"{units:,}", currency) == Money(units, units, currency)
