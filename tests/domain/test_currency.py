"""An amount in another currency is a range: that of its year where it has one, wider where nobody said."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.currency import ANY_CURRENCY, DOLLARS_PER_UNIT, convert, worth
from icp_sync.domain.facts import Money, value_from_json, value_to_json
from icp_sync.domain.rates import DOLLARS_BY_YEAR

CODES = sorted(DOLLARS_PER_UNIT)
YEARS = st.none() | st.integers(1990, 2040)


@pytest.mark.parametrize(
    ("code", "year", "average"),
    [
        ("EUR", 2008, 1.4708),
        ("EUR", 2015, 1.1095),
        ("EUR", 2022, 1.0530),
        ("GBP", 2016, 1.3555),
        ("JPY", 2012, 1 / 79.79),
        ("JPY", 2024, 1 / 151.4),
        ("TRY", 2018, 1 / 4.82),
    ],
)
def test_a_years_range_holds_its_average_and_is_no_point(code: str, year: int, average: float) -> None:
    low, high = worth(code, year) or (0.0, 0.0)
    assert low < average < high
    assert high < 2.2 * low


def test_an_amount_converts_at_the_rates_of_its_year() -> None:
    then, now = convert(Money(1e9, 1e9, "TRY", 2013), "USD"), convert(Money(1e9, 1e9, "TRY", 2025), "USD")
    assert then.low > 400e6
    assert now.high < 40e6


@pytest.mark.parametrize("code", sorted(DOLLARS_BY_YEAR))
def test_an_undated_amount_may_be_of_any_recent_year(code: str) -> None:
    low, high = DOLLARS_PER_UNIT[code]
    recent = [worth for year, worth in DOLLARS_BY_YEAR[code].items() if year >= 2016]
    assert recent
    assert all(low <= least <= most <= high for least, most in recent)


def test_a_year_without_rates_is_as_wide_as_none() -> None:
    for year in (1990, 2040):
        assert worth("EUR", year) == worth("EUR")
    assert worth("RUB", 2023) == worth("RUB")
    assert worth("XXX", 2020) is None
    assert worth("") == ANY_CURRENCY


def test_an_unknown_currency_is_unbounded_and_an_unnamed_one_nearly() -> None:
    assert convert(Money(5, 5, "XXX", 2020), "USD") == (0, inf)
    assert convert(Money(-5, 5, "XXX"), "USD") == (-inf, inf)
    assert convert(Money(5, 5, "USD"), "XXX") == (0, inf)
    assert convert(Money(1e6, 1e6, ""), "USD") == pytest.approx((10, 3.5e6))


def test_an_amount_in_the_wanted_currency_stays_as_it_is() -> None:
    assert convert(Money(1, 2, "EUR", 2008), "EUR") == (1, 2)


@given(st.sampled_from(CODES), st.sampled_from(CODES), YEARS, st.floats(0, 1e12), st.floats(0, 1e12))
def test_a_wider_amount_is_nowhere_narrower(
    source: str, target: str, year: int | None, one: float, other: float
) -> None:
    low, high = sorted((one, other))
    wide = convert(Money(low, high, source, year), target)
    narrow = convert(Money(low, low, source, year), target)
    assert wide.low <= narrow.low <= narrow.high <= wide.high


@given(st.sampled_from(["", *CODES]), YEARS, st.floats(0, 1e12))
def test_an_amount_keeps_its_year_in_the_journal(code: str, year: int | None, low: float) -> None:
    value = Money(low, inf, code, year)
    assert value_from_json(value_to_json(value)) == value


def test_an_amount_stored_before_years_were_kept_has_none() -> None:
    assert value_from_json(["money", 5, 6, "EUR"]) == Money(5, 6, "EUR")
    assert value_to_json(Money(5, 6, "EUR")) == ["money", 5, 6, "EUR"]
