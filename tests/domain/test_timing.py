"""Timing from several signals, its grades, and the first instant at which what we say changes by itself."""

from __future__ import annotations

import pytest

from icp_sync.domain.compile import Compiled
from icp_sync.domain.conditions import Within
from icp_sync.domain.evaluation import evaluate
from icp_sync.domain.facts import Facts, Interval
from icp_sync.domain.profile import DAY, TimingSignal
from icp_sync.domain.timing import next_change
from tests.domain.cases import NOW
from tests.domain.test_evaluation import by_employees, compiled

RAISED = TimingSignal(
    name="raised", when=Within(fact="last_funding_date", seconds=180 * DAY, half_life=None), weight=3
)
NEW = TimingSignal(name="new", when=Within(fact="founded", seconds=365 * DAY, half_life=None), weight=1)
FADES = TimingSignal(
    name="raised", when=Within(fact="last_funding_date", seconds=180 * DAY, half_life=90 * DAY), weight=1
)


def on(**days: float) -> Facts:
    """Dates so many days ago."""
    return {name: Interval(NOW - ago * DAY, NOW - ago * DAY) for name, ago in days.items()}


def two(**changes: object) -> tuple[Compiled, ...]:
    return compiled(by_employees(timing=(RAISED, NEW), timing_grades=(80, 30), **changes))


@pytest.mark.parametrize(
    ("known", "number", "grade"),
    [
        (on(last_funding_date=10, founded=10), 100, 1),
        (on(last_funding_date=10), 80, 1),
        (on(founded=10), 30, 2),
        (on(founded=400, last_funding_date=200), 0, 3),
        ({}, 0, 3),
    ],
)
def test_each_signal_earns_its_weight_and_grades_begin_at_their_number(
    known: Facts, number: int, grade: int
) -> None:
    for criteria in (by_employees().criteria, by_employees().criteria * 3):
        timing = evaluate(two(criteria=criteria), known, None, NOW).timing
        assert (timing.number, timing.grade) == (number, grade)


def test_without_signals_nothing_speaks_for_now() -> None:
    timing = evaluate(compiled(by_employees()), on(founded=1), None, NOW).timing
    assert (timing.number, timing.grade) == (0, 3)


def test_the_first_date_to_grow_too_old_is_the_next_change() -> None:
    known = on(last_funding_date=10, founded=10)
    first = NOW + 170 * DAY
    assert next_change(two(), known, NOW, None) == first
    assert next_change(two(), known, NOW, NOW + DAY) == NOW + DAY
    assert next_change(two(), known, NOW, NOW + 300 * DAY) == first
    assert next_change(two(), known, first, None) == NOW + 355 * DAY
    assert next_change(two(), {}, NOW, None) is None


def test_a_wait_that_ends_now_is_over() -> None:
    assert next_change(two(), {}, NOW, NOW) is None
    assert next_change(two(), {}, NOW, NOW + 1) == NOW + 1


def test_only_what_fades_changes_before_its_moment() -> None:
    known = on(last_funding_date=0, founded=10)
    mixed = compiled(by_employees(timing=(FADES, NEW)))
    falls = next_change(mixed, known, NOW, None)
    assert falls is not None
    assert NOW < falls < NOW + 180 * DAY
    before = evaluate(mixed, known, None, falls - 1).timing.number
    assert (evaluate(mixed, known, None, NOW).timing.number, before) == (100, 100)
    assert evaluate(mixed, known, None, falls).timing.number < 100
