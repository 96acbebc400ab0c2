"""Budgets are kept before a request is sent, by all processes together, and survive restarts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from icp_sync.domain.buying import Budgets
from icp_sync.journal import Journal, Reserved

DAY = 86_400.0
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()
MIDNIGHT = NOON + DAY / 2
KEYS = tuple(f"{n}.example" for n in range(5))


def ask(
    journal: Journal,
    budgets: Budgets,
    *keys: str,
    price: float = 2.0,
    now: float = NOON,
    run: str = "run-1",
    vendor: str = "vendor",
) -> Reserved:
    return journal.reserve(vendor, dict.fromkeys(keys or KEYS, price), now=now, run=run, budgets=budgets)


@pytest.mark.parametrize(
    ("budgets", "named"),
    [
        (Budgets(run=5.0), "run"),
        (Budgets(day=5.9), "day"),
        (Budgets(month=4.0), "month"),
        (Budgets(vendors={"vendor": (5.0, 99.0)}), "vendor day"),
        (Budgets(vendors={"vendor": (99.0, 5.0)}), "vendor month"),
        (Budgets(run=5.0, day=5.0, month=4.0), "run"),
    ],
)
def test_as_many_as_fit_are_asked_in_the_order_given(journal: Journal, budgets: Budgets, named: str) -> None:
    got = ask(journal, budgets)
    assert got.free == KEYS[:2]
    assert got.over == dict.fromkeys(KEYS[2:], named)
    assert journal.spent("vendor", 0) == 4.0
    assert ask(journal, budgets).over == dict.fromkeys(KEYS[2:], named)


def test_what_is_too_dear_makes_room_for_what_is_not(journal: Journal) -> None:
    got = journal.reserve(
        "vendor", {"a": 3.0, "b": 9.0, "c": 2.0}, now=NOON, run="r", budgets=Budgets(day=5.0)
    )
    assert (got.free, got.over) == (("a", "c"), {"b": "day"})


def test_a_budget_may_be_spent_to_its_last_credit_in_any_pieces(journal: Journal) -> None:
    ten = tuple(f"{n}.example" for n in range(11))
    assert ask(journal, Budgets(day=1.0), *ten, price=0.1).free == ten[:10]


def test_one_account_costs_no_more_than_its_budget_in_thirty_days_whoever_is_asked(journal: Journal) -> None:
    budgets = Budgets(account=5.0)
    for vendor in ("one", "two"):
        assert ask(journal, budgets, "a", "b", vendor=vendor).free == ("a", "b")
    assert ask(journal, budgets, "a", vendor="three", now=NOON + 30 * DAY - 1).over == {"a": "account"}
    assert ask(journal, budgets, "c", vendor="three").free == ("c",)
    assert ask(journal, budgets, "a", vendor="three", now=NOON + 30 * DAY).free == ("a",)


def test_what_was_paid_under_another_key_of_the_same_account_counts_for_it(journal: Journal) -> None:
    budgets = Budgets(account=5.0)
    assert ask(journal, budgets, "acme.example", price=3.0).free == ("acme.example",)
    both = {"#1": ("acme.example",), "acme.example": ("#1", "#2")}

    def beside(key: str, vendor: str) -> Reserved:
        return journal.reserve(vendor, {key: 2.0}, now=NOON, run="r", budgets=budgets, beside=both)

    assert beside("#1", "two").free == ("#1",)
    assert beside("#1", "three").over == {"#1": "account"}
    assert beside("acme.example", "three").over == {"acme.example": "account"}
    assert ask(journal, budgets, "acme.example", vendor="three").free == ("acme.example",), (
        "by itself it fits"
    )


def test_a_day_ends_at_midnight_and_a_month_with_its_last_day_in_utc(journal: Journal) -> None:
    for budgets, until in ((Budgets(day=2.0), "day"), (Budgets(month=2.0), "month")):
        mine = journal.for_connection(until)
        assert ask(mine, budgets, "a").free == ("a",)
        assert ask(mine, budgets, "b", now=MIDNIGHT - 1).over == {"b": until}
        assert ask(mine, budgets, "b", now=MIDNIGHT).free == ("b",)
    month = journal.for_connection("month")
    assert ask(month, Budgets(month=2.0), "c", now=MIDNIGHT + 30 * DAY).over == {"c": "month"}
    assert ask(month, Budgets(month=2.0), "c", now=MIDNIGHT + 31 * DAY).free == ("c",)


def test_the_budget_of_one_source_leaves_the_others_theirs(journal: Journal) -> None:
    budgets = Budgets(vendors={"vendor": (2.0, 2.0)})
    assert ask(journal, budgets, "a", "b").over == {"b": "vendor day"}
    assert ask(journal, budgets, "a", "b", vendor="other").free == ("a", "b")


def test_what_costs_nothing_is_asked_when_nothing_is_left(journal: Journal) -> None:
    assert ask(journal, Budgets(day=0.0), "a").over == {"a": "day"}
    assert ask(journal, Budgets(day=0.0), "a", price=0.0).free == ("a",)


def test_a_charge_beyond_what_was_reserved_counts_when_it_arrives(journal: Journal) -> None:
    budgets = Budgets(day=5.0)
    ask(journal, budgets, "a")
    journal.record("vendor", "a", "miss", charge=4.0, now=NOON, expires_at=NOON + DAY)
    assert ask(journal, budgets, "b").over == {"b": "day"}
    assert journal.budget_left(budgets, now=NOON) == {"day": 1.0}


def test_what_was_not_charged_may_be_spent_on_others(journal: Journal) -> None:
    budgets = Budgets(day=2.0)
    ask(journal, budgets, "a")
    journal.record("vendor", "a", "miss", now=NOON, expires_at=NOON + DAY)
    assert ask(journal, budgets, "b").free == ("b",)


def test_a_reservation_of_unknown_fate_counts_after_a_restart(url: str, journal: Journal) -> None:
    ask(journal, Budgets(day=3.0), "a")
    journal.close()
    again = Journal.open(url, "main")
    assert ask(again, Budgets(day=3.0), "b").over == {"b": "day"}
    again.close()


def test_work_outside_a_run_is_bound_by_no_runs_budget(journal: Journal) -> None:
    assert ask(journal, Budgets(run=3.0), run="").free == KEYS


def test_what_is_left_is_told_of_every_budget_with_a_calendar(journal: Journal) -> None:
    budgets = Budgets(account=9.0, run=9.0, day=10.0, month=50.0, vendors={"vendor": (5.0, 20.0)})
    ask(journal, budgets, "a", now=NOON - DAY)
    ask(journal, budgets, "b", "c", vendor="other")
    assert journal.budget_left(budgets, now=NOON) == {
        "day": 6.0,
        "month": 44.0,
        "vendor vendor day": 5.0,
        "vendor vendor month": 18.0,
    }
    assert journal.budget_left(Budgets(), now=NOON) == {}


def test_workers_at_the_same_time_do_not_spend_one_budget_twice(url: str, journal: Journal) -> None:
    rivals = [Journal.open(url, "main") for _ in range(4)]
    budgets = Budgets(day=37.0)

    def buy(number: int) -> int:
        keys = [f"{number}-{n}.example" for n in range(10)]
        return sum(len(ask(rivals[number], budgets, key, price=1.5, run=str(number)).free) for key in keys)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(buy, range(4))) == 24
    assert journal.spent("vendor", 0) == 36.0
    for rival in rivals:
        rival.close()


def test_another_connection_has_budgets_of_its_own(journal: Journal) -> None:
    ask(journal, Budgets(day=2.0), "a")
    assert ask(journal.for_connection("other"), Budgets(day=2.0), "a").free == ("a",)
