"""Dates of figures alone are read where the column, or the cell itself, leaves no doubt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.normalize.dates import instant
from icp_sync.tables.dates import Order, figures, unfolded


@pytest.mark.parametrize(
    ("cell", "settled", "read"),
    [
        ("45901", "", "2025-09-01"),
        ("45901.604167", "", "2025-09-01"),
        ("04/19/25", "", "2025-04-19"),
        ("19.04.25", "", "2025-04-19"),
        ("01/09/25 10:15", "month", "2025-01-09"),
        ("01/09/2025", "day", "2025-09-01"),
        ("01/09/2025", "", "01/09/2025"),
        ("12/31/99", "", "1999-12-31"),
        ("10-11-12", "day", "10-11-12"),
        ("2025", "", "2025"),
        ("10115", "", "10115"),
        ("99999", "", "99999"),
    ],
)
def test_a_date_is_spelled_out_where_nobody_could_take_it_for_another(
    cell: str, settled: str, read: str
) -> None:
    assert unfolded(cell, settled) == read


def test_years_of_two_figures_show_what_comes_first_as_well() -> None:
    order = Order()
    order.see("04/19/25")
    assert order.settled == "month"
    assert figures("01/02/25")


@given(st.integers(20_000, 73_050))
def test_the_days_of_a_spreadsheet_follow_one_another(day: int) -> None:
    first, second = instant(unfolded(str(day), "")), instant(unfolded(str(day + 1), ""))
    assert first is not None
    assert day == 73_050 or (second is not None and second.low - first.low == 86_400)
