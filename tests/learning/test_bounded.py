"""Who is among the best is told by the values known on the day learning ends, and by no later one."""

from __future__ import annotations

from dataclasses import replace

from icp_sync.learning.cases import Book, Case, Cohort, Goal
from icp_sync.learning.definitions import Definitions
from icp_sync.learning.learn import Wish, learn, parted
from icp_sync.learning.past.bounded import placed_before
from tests.learning.planted import TYPES, planted


def customer(at: int, value: float | None, **more: object) -> Case:
    return Case(
        id=str(at), name="", domain="", facts={}, begun=0.0, decided=float(at), won=True, value=value,
        stayed=True, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def book(values: list[float | None]) -> Book:
    cases = tuple(customer(at, value) for at, value in enumerate(values))
    return Book(cases=cases, by=Definitions())


def cohorts(found: Book) -> list[Cohort]:
    return [case.cohort for case in found.cases]


def test_later_values_change_no_earlier_cohort() -> None:
    early: list[float | None] = [float(value) for value in range(10)]
    for later in ([1000.0] * 10, [0.5] * 10, [None] * 10):
        found = cohorts(placed_before(book([*early, *later]), 10.0))
        assert found[:10] == [Cohort.LOW] * 5 + [Cohort.UNPLACED] * 3 + [Cohort.BEST] * 2


def test_later_customers_are_placed_by_the_same_bounds() -> None:
    found = cohorts(placed_before(book([*map(float, range(10)), 8.0, 4.0, 7.0, None]), 10.0))
    assert found[10:] == [Cohort.BEST, Cohort.LOW, Cohort.UNPLACED, Cohort.UNPLACED]


def test_whoever_left_or_was_never_won_or_placed_by_hand_stays_where_they_are() -> None:
    there = replace(customer(2, 9.0), stayed=False, cohort=Cohort.CHURNED)
    found = placed_before(Book(cases=(customer(0, 1.0), customer(1, 5.0), there), by=Definitions()), 2.0)
    assert found.cases[2] == there


def test_a_detractor_is_none_of_the_best() -> None:
    cases = (*book([1.0, 2.0, 3.0, 4.0]).cases, customer(5, 9.0, detractor=True))
    assert cohorts(placed_before(Book(cases=cases, by=Definitions()), 5.0))[-1] is Cohort.UNPLACED


def test_a_book_nobody_can_place_again_stays_as_it_is() -> None:
    assert placed_before(Book(cases=()), 1.0) == Book(cases=())
    assert placed_before(book([None, None]), 5.0) == book([None, None])


def test_the_day_is_a_matter_of_when_cases_were_decided_and_never_of_how() -> None:
    cases = planted(300, 1, goal=Goal.BEST).cases
    blurred = [replace(case, cohort=Cohort.UNPLACED) if i % 3 else case for i, case in enumerate(cases)]
    assert parted(cases, Goal.BEST) == parted(blurred, Goal.BEST) == parted(cases, Goal.WON)
    fresh = [replace(case, ripe=False) for case in cases[100:]]
    assert parted([*cases[:100], *fresh], Goal.BEST) == parted(cases[:100], Goal.BEST)
    assert parted([], Goal.WON) is None


def test_what_became_of_later_cases_changes_nothing_in_the_file() -> None:
    cases = planted(900, 2, effect=3.0).cases
    usual = Book(cases=cases, crowd={case.id: case.facts for case in cases}, types=TYPES)
    wish = Wish(rounds=20, capacity=30)
    done = learn(usual, wish)
    assert done.text
    late = {one.case.id for one in done.proving}
    other = tuple(
        replace(case, won=not case.won, cohort=Cohort.LOST if case.won else Cohort.LOW, facts={})
        if case.id in late
        else case
        for case in cases
    )
    assert learn(replace(usual, cases=other, crowd={c.id: c.facts for c in other}), wish).text == done.text
