"""Accounts and their sales become cases of one cohort each, and what is missing is said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.facts import FactValue, Interval, Money, yes_no
from icp_sync.learning.cases import Book, Case, Cohort, Goal
from icp_sync.learning.definitions import DAY
from icp_sync.learning.past.cohorts import AsOf, Definitions, Sale, Subject, book_of
from icp_sync.learning.past.wanting import UNDATED

NOW = 1_795_000_000.0
USUAL = Definitions()
LONG_AGO, LATELY = 500, 100
"""Days: a customer since then has stayed, or may still leave."""


def ago(days: float) -> float:
    return NOW - days * DAY


def won(account: str = "1", *, days: float = LONG_AGO, amount: float | None = None, **more: Any) -> Sale:
    more = {"currency": "EUR", "created": ago(days + 60), "id": f"deal-{days:g}", **more}
    return Sale(account_id=account, closed=ago(days), won=True, amount=amount, **more)


def lost(account: str = "1", *, days: float = LONG_AGO) -> Sale:
    return Sale(account_id=account, id=f"deal-{days:g}", created=ago(days + 60), closed=ago(days))


def still_open(account: str = "1", *, days: float) -> Sale:
    return Sale(account_id=account, id=f"deal-{days:g}", created=ago(days), open=True)


def book(*sales: Sale, by: Definitions = USUAL, told: dict[str, dict[str, FactValue]] | None = None) -> Book:
    """The book of all accounts that were sold to; told: account → what is known of its fate."""
    ids = sorted({s.account_id for s in sales}, key=int)
    subjects = [Subject(id=i, name=f"Company {i}", told=(told or {}).get(i, {})) for i in ids]
    return book_of(subjects, sales, by, now=NOW)


def only(found: Book) -> Case:
    (case,) = found.cases
    return case


def placed(found: Book) -> dict[str, Cohort]:
    return {case.id: case.cohort for case in found.cases}


def test_the_first_sale_that_was_won_decides_whatever_was_lost_before_or_since() -> None:
    case = only(book(lost(days=700), won(days=600), won(days=300), lost(days=10)))
    assert (case.won, case.deal, case.decided, case.begun) == (True, "deal-600", ago(600), ago(660))


def test_without_a_win_the_last_loss_decides() -> None:
    case = only(book(lost(days=300), lost(days=200), still_open(days=20)))
    assert (case.cohort, case.deal, case.decided, case.begun) == (
        Cohort.LOST,
        "deal-200",
        ago(200),
        ago(260),
    )


def test_deals_that_grew_stale_never_closed_and_are_given_up_when_the_last_of_them_did() -> None:
    case = only(book(still_open(days=400), still_open(days=250)))
    assert (case.cohort, case.won) == (Cohort.NEVER, False)
    assert (case.begun, case.decided) == (ago(400), ago(250 - 180))


def test_an_account_with_a_young_open_deal_is_no_case_and_counted() -> None:
    found = book(still_open(days=400), still_open(days=20), still_open("2", days=10))
    assert found.cases == ()
    assert any(note.startswith("2 accounts with open deals of less than 180 days") for note in found.notes)


def test_an_account_without_a_deal_belongs_to_the_crowd_alone() -> None:
    found = book_of([Subject(id="1", facts={"employees": Interval(5, 5)})], [], USUAL, now=NOW)
    assert (found.cases, dict(found.crowd)) == ((), {"1": {"employees": Interval(5, 5)}})
    assert found.notes == ("1 account without a deal or an outcome: part of the base, and no case",)


def test_a_customer_who_left_is_churned_however_it_is_told() -> None:
    sales = [won(str(i), amount=1000) for i in range(1, 7)]
    told: dict[str, dict[str, FactValue]] = {
        "1": {"churned_on": Interval(ago(30), ago(29))},
        "2": {"churned_on": Interval(ago(-30), ago(-31))},  # notice was given, and the day is to come
        "3": {"churned_on": yes_no(True)},
        "4": {"churned_on": yes_no(False)},
        "5": {"value": Money(0, 0, "EUR")},
        "6": {"churned_on": Interval(ago(0.5), ago(-0.5))},  # today
    }
    gone = {i for i, cohort in placed(book(*sales, told=told)).items() if cohort is Cohort.CHURNED}
    assert gone == {"1", "3", "5", "6"}


def test_best_is_the_top_share_by_value_and_low_the_bottom_one() -> None:
    found = book(*(won(str(i), amount=1000.0 * i) for i in range(1, 11)))
    best = {i for i, cohort in placed(found).items() if cohort is Cohort.BEST}
    low = {i for i, cohort in placed(found).items() if cohort is Cohort.LOW}
    assert (best, low) == ({"9", "10"}, {"1", "2", "3", "4", "5"})
    assert {case.why for case in found.cases if case.cohort is Cohort.UNPLACED} == {
        "retained, between high and low value"
    }


def test_ties_at_the_edge_of_the_top_share_are_all_best() -> None:
    found = book(*(won(str(i), amount=5000 if i > 6 else 10.0 * i) for i in range(1, 11)))
    assert {i for i, cohort in placed(found).items() if cohort is Cohort.BEST} == {"7", "8", "9", "10"}


def test_customers_who_are_all_worth_the_same_are_neither_high_nor_low() -> None:
    found = book(*(won(str(i), amount=99) for i in range(1, 6)))
    assert {(case.cohort, case.why) for case in found.cases} == {
        (Cohort.UNPLACED, "all who stayed are worth the same")
    }


def test_a_stated_amount_says_what_high_value_is_in_any_currency() -> None:
    by = Definitions(min_value=Money(50_000, 50_000, "EUR"))
    found = book(won("1", amount=60_000), won("2", amount=70_000, currency="USD"), won("3", amount=10), by=by)
    assert found.currency == "EUR"
    assert placed(found) == {"1": Cohort.BEST, "2": Cohort.BEST, "3": Cohort.LOW}


def test_a_customer_has_stayed_from_the_very_day_the_definitions_name() -> None:
    found = book(won("1", days=365, amount=10), won("2", days=364, amount=10))
    assert {case.id: case.why for case in found.cases} == {"1": "", "2": "won too recently"}


def test_who_was_won_lately_is_placed_only_if_it_renewed() -> None:
    found = book(
        *(won(str(i), days=LATELY, amount=100.0 * i) for i in (1, 2, 3)),
        told={"2": {"renewals": Interval(1, 1)}, "3": {"renewals": Interval(0, 0)}},
    )
    assert placed(found)["2"] is Cohort.BEST
    assert [case.why for case in found.cases if case.id != "2"] == ["won too recently"] * 2


def test_a_detractor_is_never_among_the_best() -> None:
    sales = [won(str(i), amount=1000.0 * i) for i in range(1, 11)]
    found = book(*sales, told={"10": {"nps": Interval(6, 6)}, "9": {"nps": Interval(7, 7)}})
    assert (placed(found)["9"], placed(found)["10"]) == (Cohort.BEST, Cohort.UNPLACED)
    assert next(case.why for case in found.cases if case.id == "10") == "high value, but a detractor"


def test_a_fact_that_the_definitions_name_tells_value_and_is_never_learned_from() -> None:
    by = Definitions(value="arr", churned_on="left_on")
    worth: dict[str, dict[str, FactValue]] = {
        "1": {"arr": Money(9, 9, "EUR")},
        "2": {"arr": Money(800, 800, "EUR")},
        "3": {"arr": Money(700, 700, "EUR"), "left_on": Interval(ago(9), ago(9))},
    }
    found = book_of(
        [Subject(id=i, facts=facts) for i, facts in worth.items()],
        [won(i, amount=5.0) for i in worth],
        by,
        now=NOW,
    )
    assert placed(found) == {"1": Cohort.LOW, "2": Cohort.BEST, "3": Cohort.CHURNED}
    assert {case.id: case.value for case in found.cases} == {"1": 9, "2": 800, "3": 700}
    assert set(found.left_out) == {"arr", "left_on"}
    assert "`value`" in found.left_out["arr"]


def test_a_named_fact_that_no_account_has_is_said() -> None:
    found = book(won(), by=Definitions(nps="nps_score"))
    assert any(note.startswith("no account has the fact 'nps_score'") for note in found.notes)


def test_value_is_the_sum_of_what_was_won_in_the_books_currency() -> None:
    found = book(won(amount=100), won(days=400, amount=200), won(days=30, amount=None), lost(days=20))
    assert (only(found).value, found.currency) == (300, "EUR")


def test_an_amount_in_no_currency_is_of_no_known_worth_and_said() -> None:
    found = book(won("1", amount=100, currency=""), won("2", amount=0))
    assert [(case.value, case.why) for case in found.cases] == [(None, "worth unknown")] * 2
    assert any(note.startswith("1 amount that customers are worth, in no currency") for note in found.notes)
    assert any(note.startswith("2 retained customers of unknown worth") for note in found.notes)


def test_what_was_decided_before_the_window_or_in_the_future_is_left_out_and_counted() -> None:
    found = book(lost("1", days=800), lost("2", days=-5), lost("3", days=700))
    assert [case.id for case in found.cases] == ["3"]
    assert set(found.notes) == {
        "1 account left out: decided more than 24 months ago",
        "1 account left out: decided in the future, which cannot be",
    }


def test_deals_of_accounts_nobody_has_are_counted() -> None:
    found = book_of([Subject(id="1")], [won("1"), won("7"), lost("8")], USUAL, now=NOW)
    assert "2 deals left out: of accounts that are not here" in found.notes


def test_a_won_deal_without_a_close_date_counts_from_its_creation_and_is_said() -> None:
    found = book(Sale(account_id="1", created=ago(500), won=True, amount=1, currency="EUR"), lost("2"))
    assert {case.id: case.decided for case in found.cases}["1"] == ago(500)
    assert "1 deal without a close date: taken to have closed when created" in found.notes


def test_a_dateless_deal_among_dated_ones_is_left_out_and_not_guessed() -> None:
    found = book(Sale(account_id="1", won=True), lost("2"))
    assert [case.id for case in found.cases] == ["2"]
    assert "1 account left out: nobody says when its deals were decided" in found.notes


def test_without_any_date_everything_is_decided_now_in_the_order_given() -> None:
    sales = [Sale(account_id=str(i), won=i % 2 == 0, amount=i, currency="EUR") for i in range(6)]
    found = book(*sales)
    assert [case.id for case in found.cases] == [str(i) for i in range(6)]
    assert {case.decided for case in found.cases} == {NOW}
    assert {case.why for case in found.cases if case.won} == {"nobody says when it was won"}
    assert found.notes[0] == UNDATED


def test_a_case_has_the_facts_known_before_it_was_decided() -> None:
    early, late = {"employees": Interval(5, 5)}, {"employees": Interval(900, 900)}
    subjects = [
        Subject(id="1", facts=late, recorded=lambda at: AsOf(early) if at < ago(100) else None),
        Subject(id="2", facts=late, recorded=lambda at: AsOf({}, recorded=False)),
        Subject(id="3", facts=late),
    ]
    found = book_of(subjects, [won("1"), won("2"), won("3")], USUAL, now=NOW)
    assert {case.id: (case.facts, case.recorded) for case in found.cases} == {
        "1": (early, True),
        "2": ({}, False),
        "3": (late, False),
    }
    assert dict(found.crowd) == {"1": late, "2": late, "3": late}


def test_a_repeated_id_counts_once() -> None:
    twins = [Subject(id="1", name="first"), Subject(id="1", name="second")]
    found = book_of(twins, [won()], USUAL, now=NOW)
    assert only(found).name == "first"
    assert "1 account left out: its id is that of another" in found.notes


def test_the_goal_won_forgets_who_left_and_the_goal_best_who_cannot_be_placed() -> None:
    sales = [won(str(i), amount=1000.0 * i) for i in range(1, 8)] + [lost("8"), won("9", days=LATELY)]
    found = book(*sales, told={"7": {"churned_on": yes_no(True)}})
    assert sum(one.good for one in found.labelled(Goal.WON)) == 7
    best = found.labelled(Goal.BEST)
    assert {one.case.id for one in best if one.good} == {"5", "6"}
    assert {one.case.id for one in best} == {"1", "2", "3", "5", "6", "7", "8"}


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_shares_at_their_ends_are_nobody_and_everybody(share: float) -> None:
    by = Definitions(high_value=share, low_value=0.0)
    found = book(*(won(str(i), amount=10.0 * i) for i in range(1, 4)), by=by)
    assert sum(cohort is Cohort.BEST for cohort in placed(found).values()) == round(3 * share)


_SALES = st.builds(
    Sale,
    account_id=st.sampled_from(["1", "2", "3"]),
    id=st.sampled_from(["a", "b", "c"]),
    created=st.none() | st.floats(ago(900), ago(-50)),
    closed=st.none() | st.floats(ago(900), ago(-50)),
    won=st.booleans(),
    open=st.booleans(),
    amount=st.none() | st.floats(-1e9, 1e9),
    currency=st.sampled_from(["EUR", "USD", "XXX", ""]),
    given_up=st.booleans(),
)


@given(st.lists(_SALES, max_size=8), st.permutations(range(8)))
def test_any_sales_give_one_case_an_account_at_most_in_order_and_whatever_order_they_come_in(
    sales: list[Sale], order: list[int]
) -> None:
    subjects = [Subject(id=i) for i in ("1", "2", "3")]
    found = book_of(subjects, sales, USUAL, now=NOW, currency="EUR")
    assert len({case.id for case in found.cases}) == len(found.cases)
    assert all(case.begun <= case.decided <= NOW for case in found.cases)
    assert list(found.cases) == sorted(found.cases, key=lambda case: case.decided)
    assert all(bool(case.why) is (case.cohort is Cohort.UNPLACED) for case in found.cases)
    shuffled = [sales[i] for i in order if i < len(sales)]
    again = book_of(subjects, shuffled, USUAL, now=NOW, currency="EUR")

    def summary(of: Book) -> list[tuple[object, ...]]:
        return [(c.id, c.begun, c.decided, c.won, c.cohort, c.deal) for c in of.cases]

    assert summary(again) == summary(found)
