"""The reckoning finds what is wrong: every column is turned non-zero by a doctored log."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.vendors.reckoning import COLUMNS, Evidence, Life, Limits, Purchase, reckon
from tests.vendors.server import BILLED, COST, FETCHED, NO_CREDIT, Entry

PRICE = 3.0
WELL, DEAD, LATER = (Life(began=n, ended=n + 9.0, killed=n == 10.0) for n in (0.0, 10.0, 20.0))
ACME = "acme.com"


def billed(at: float, key: str = ACME, **more: Any) -> Entry:
    return Entry(at=at, vendor="plain", kind=BILLED, key=key, credits=COST, **more)


def counted(amount: float, at: float = 1.0, key: str = ACME, run: str = "1") -> Purchase:
    return Purchase(vendor="plain", key=key, run=run, at=at, amount=amount)


def evidence(*entries: Entry, purchases: tuple[Purchase, ...], kept: bool = True, **more: Any) -> Evidence:
    return Evidence(
        entries=entries,
        lives=(WELL, DEAD, LATER),
        purchases=purchases,
        price={"plain": PRICE, "jobs": PRICE},
        flight={"plain": 1, "jobs": 1},
        kept=frozenset((one.vendor, one.key) for one in entries) if kept else frozenset(),
        **more,
    )


SOUND = evidence(billed(1), purchases=(counted(COST),))
REPEATED = evidence(billed(11), billed(21), purchases=(counted(PRICE), counted(COST)))


def wrong(found: Evidence) -> set[str]:
    return {name for name in COLUMNS if reckon(found).findings[name]}


def test_one_look_up_that_was_counted_and_kept_is_in_order() -> None:
    assert reckon(SOUND).clean()
    assert reckon(SOUND).figures()["look-ups billed"] == 1


@pytest.mark.parametrize(
    "found",
    [
        REPEATED,
        evidence(billed(1, lost=True), billed(21), purchases=(counted(PRICE), counted(COST))),
    ],
    ids=["in flight at a kill", "the vendor hung up"],
)
def test_a_look_up_nobody_knew_the_fate_of_may_be_repeated_and_is_counted(found: Evidence) -> None:
    table = reckon(found)
    assert table.clean(), table.said()
    assert table.repeated == 1


def test_a_look_up_that_was_answered_and_is_repeated_was_paid_twice() -> None:
    twice = (counted(PRICE), counted(COST))
    assert wrong(evidence(billed(1), billed(21), purchases=twice)) == {"paid twice"}
    assert wrong(evidence(billed(11), billed(12), purchases=twice)) == {"paid twice"}, "in the same process"
    answered = (counted(COST), counted(COST))
    assert wrong(evidence(billed(11), billed(21), purchases=answered)) == {"paid twice"}


def test_more_repetitions_than_were_in_flight_at_the_kill_were_paid_twice() -> None:
    other = (billed(12, "other.com"), billed(22, "other.com"))
    rows = (counted(PRICE, key="other.com"), counted(COST, key="other.com"))
    found = evidence(*REPEATED.entries, *other, purchases=(*REPEATED.purchases, *rows))
    assert wrong(found) == {"paid twice"}
    assert wrong(replace(found, flight={"plain": 2})) == set()


def test_a_result_that_was_heard_and_is_fetched_again_was_fetched_twice() -> None:
    order = Entry(at=1, vendor="jobs", kind=BILLED, key=ACME, credits=COST, job="7")
    row = Purchase(vendor="jobs", key=ACME, run="1", at=1.0, amount=COST)
    first, again = (replace(order, at=at, kind=FETCHED, credits=0.0) for at in (2, 22))
    assert wrong(evidence(order, first, purchases=(row,))) == set()
    assert wrong(evidence(order, first, again, purchases=(row,))) == {"fetched twice"}
    assert wrong(evidence(order, replace(first, lost=True), again, purchases=(row,))) == set()


@pytest.mark.parametrize("purchases", [(), (counted(0.0),)])
def test_a_look_up_no_purchase_stands_for_is_uncounted(purchases: tuple[Purchase, ...]) -> None:
    assert wrong(evidence(billed(1), purchases=purchases)) == {"uncounted"}


def test_an_answer_that_was_heard_and_is_not_remembered_is_forgotten() -> None:
    assert wrong(evidence(billed(1), purchases=(counted(COST),), kept=False)) == {"forgotten"}
    in_flight = evidence(billed(11), purchases=(counted(PRICE),), kept=False)
    assert wrong(in_flight) == set(), "nobody may have heard it"


@pytest.mark.parametrize(
    "limits",
    [
        Limits(account=1.5),
        Limits(day=1.5),
        Limits(vendors={"plain": 1.5}),
    ],
    ids=["account", "day", "vendor"],
)
def test_a_bill_beyond_a_budget_is_found_without_what_was_counted(limits: Limits) -> None:
    entries = (billed(1, lost=True), billed(2))
    rows = (counted(0.0), counted(0.0))
    assert wrong(evidence(*entries, purchases=rows, limits=limits)) >= {"over budget"}
    assert "over budget" not in wrong(evidence(*entries, purchases=rows))


def test_what_was_counted_beyond_a_budget_is_found_though_it_was_never_billed() -> None:
    rows = (counted(PRICE), counted(PRICE, key="other.com"))
    for limits in (Limits(account=2), Limits(run=4), Limits(day=4), Limits(vendors={"plain": 4})):
        assert wrong(evidence(purchases=rows, limits=limits)) == {"over budget"}
    assert wrong(evidence(purchases=rows, limits=Limits(account=3, run=6, day=6))) == set()


def test_one_process_spends_no_more_than_a_run_may() -> None:
    entries = (billed(1), billed(2, "other.com"))
    rows = (counted(COST, run="1"), counted(COST, run="2", key="other.com"))
    assert wrong(evidence(*entries, purchases=rows, limits=Limits(run=1))) == {"over budget"}


def test_who_is_out_of_credit_is_asked_no_more_once_a_process_heard_it_out() -> None:
    first, second = (Entry(at=at, vendor="several", kind=NO_CREDIT) for at in (1, 21))
    assert wrong(evidence(first, purchases=())) == set()
    assert wrong(evidence(first, second, purchases=())) == {"asked without credit"}
    assert wrong(evidence(replace(first, at=11), second, purchases=())) == set(), "it was killed"
