"""Win rate, cycle, velocity and retention, by the tier a company had when its deal was created."""

from __future__ import annotations

from datetime import date

import pytest

from icp_sync.learning.figures.chance import wilson
from icp_sync.learning.outcomes import DAY, Kept, Sold, customers, rows

MAY = date(2026, 5, 1)
CREATED = (MAY.toordinal() - date(1970, 1, 1).toordinal()) * DAY


def sold(tier: str, *, won: bool = False, open: bool = False, days: int | None = 10, **more: object) -> Sold:
    closed = None if open or days is None else date.fromordinal(MAY.toordinal() + days)
    known = {"account_id": "1", "created": CREATED + 3_600, "amount": 1_000.0, **more}
    return Sold(tier=tier, won=won, open=open, closed=closed, **known)  # type: ignore[arg-type]


def test_open_deals_count_for_velocity_and_not_for_the_rate() -> None:
    (row,) = rows([sold("A", won=True), sold("A"), *[sold("A", open=True)] * 4], [])
    assert (row.deals, row.open, row.decided, row.won) == (6, 4, 2, 1)
    assert row.rate == 0.5
    assert (row.low, row.high) == wilson(1, 2)
    assert row.velocity == pytest.approx(4 * 0.5 * 1_000 / 10)


def test_rows_stand_in_the_order_of_tiers_with_states_and_unknown_last() -> None:
    made = [sold(tier) for tier in ("", "Needs data", "B", "Not ICP", "A", "D")]
    assert [row.tier for row in rows(made, [])] == ["A", "B", "D", "Needs data", "Not ICP", ""]


def test_a_cycle_is_the_median_of_whole_days_of_what_was_won() -> None:
    made = [sold("A", won=True, days=days) for days in (5, 9, 100)] + [sold("A", days=1)]
    assert rows(made, [])[0].cycle == 9


def test_a_deal_entered_after_it_was_closed_has_no_cycle() -> None:
    (row,) = rows([sold("A", won=True, days=-3)], [])
    assert row.cycle is None
    assert row.velocity is None


def test_a_deal_of_unknown_creation_has_no_cycle() -> None:
    assert rows([sold("A", won=True, created=0.0)], [])[0].cycle is None


def test_west_of_utc_a_deal_may_close_a_day_before_it_begins_and_took_none() -> None:
    made = [sold("A", won=True, days=-1)] * 9 + [sold("A", won=True, days=30)]
    assert rows(made, [])[0].cycle == 0


def test_what_was_bought_first_does_not_depend_on_since_when_one_looks() -> None:
    made = [
        sold("C", won=True, days=3, amount=100.0),
        sold("A", won=True, created=CREATED + 100 * DAY, days=130, amount=900.0),
        sold("B", won=True, created=CREATED + 100 * DAY, days=130, account_id="2", amount=50.0),
    ]
    found = list(customers(made, {"1": 900.0, "2": 60.0}, date(2028, 1, 1), since=CREATED + 50 * DAY))
    assert found == [Kept(tier="B", first=50.0, now=60.0)]


def test_what_is_unknown_is_said_to_be_unknown() -> None:
    (row,) = rows([sold("A", open=True, amount=None)], [])
    assert (row.rate, row.cycle, row.amount, row.velocity, row.retention) == (None,) * 5


def test_customers_are_counted_from_their_first_deal_and_once_a_year_has_passed() -> None:
    made = [
        sold("C", won=True, days=3, amount=100.0),
        sold("A", won=True, days=60, amount=900.0),
        sold("A", won=True, account_id="2"),
        sold("B", won=True, account_id="3", amount=None),
        sold("B", account_id="4"),
    ]
    found = list(customers(made, {"1": 150.0, "2": None, "3": 5.0, "4": 5.0}, date(2027, 5, 1)))
    assert found == [Kept(tier="C", first=100.0, now=150.0)]
    assert not list(customers(made, {"1": 150.0}, MAY))


def test_retention_is_what_is_left_of_what_was_first_sold() -> None:
    kept = [Kept(tier="A", first=100, now=150), Kept(tier="A", first=50, now=0)]
    (row,) = rows([sold("A", won=True)], kept)
    assert row.retention == 1.0
    assert row.customers == 2
