"""Facts in cells that a program reads: plain digits, ISO dates, and what is known in part says so."""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.facts import FactType, FactValue, Interval, Members, Money
from icp_sync.tables.fact_cells import fact_cell


def day(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("employees", None, ""),
        ("employees", Interval(2_500_000, 2_500_000), "2500000"),
        ("employees", Interval(51, 200), "51-200"),
        ("employees", Interval(10_000, inf), "10000+"),
        ("employees", Interval(-inf, 50), "up to 50"),
        ("employees", Interval(-inf, inf), ""),
        ("employee_growth", Interval(-12.5, -12.5), "-12.5"),
        ("revenue", Money(1_200_000, 1_200_000, "EUR"), "1200000 EUR"),
        ("revenue", Money(1e6, inf, ""), "1000000+"),
        ("technologies", Members(frozenset({"salesforce", "hubspot"}), False), "hubspot;salesforce"),
        ("technologies", Members(frozenset(), True), "none"),
        ("technologies", Members(frozenset(), False), ""),
        ("founded", Interval(day("2024-03-01"), day("2024-03-01")), "2024-03-01"),
        ("founded", Interval(day("2024-01-01"), day("2024-12-31")), "2024-01-01/2024-12-31"),
        ("founded", Interval(day("2024-01-01"), inf), "2024-01-01/.."),
    ],
)
def test_a_fact_in_a_cell(name: str, value: FactValue | None, text: str) -> None:
    assert fact_cell(name, value, None) == text


def test_a_date_of_ones_own_is_a_date_whatever_its_name() -> None:
    value = Interval(day("2026-11-22"), day("2026-11-22"))
    assert fact_cell("renewal", value, FactType.DATE) == "2026-11-22"


bounds = st.floats(min_value=-1e15, max_value=1e15) | st.sampled_from([inf, -inf])


@given(st.tuples(bounds, bounds).map(sorted), st.sampled_from([None, FactType.DATE, FactType.NUMBER]))
def test_no_interval_is_too_odd_for_a_cell(pair: list[float], kind: FactType | None) -> None:
    low, high = pair
    assert "inf" not in fact_cell("employees", Interval(low, high), kind)
    assert "inf" not in fact_cell("revenue", Money(low, high, "USD"), kind)
