"""What a plan says it would take: the waits of a backfill's waves, and the credits of what it would buy."""

from __future__ import annotations

import pytest

from icp_sync.cli.plan.buying import forecast, forecast_of, forecast_words
from icp_sync.cli.plan.cost import pauses
from icp_sync.sync.pacing import Pacing
from icp_sync.sync.report import Report

PACING = Pacing(canary=100, watch=300.0, wave=1_000, pause=60.0)


@pytest.mark.parametrize(
    ("changed", "waited"),
    [(0, 0), (100, 0), (101, 300), (1_100, 300), (1_101, 360), (3_200, 480)],
)
def test_each_full_wave_with_something_after_it_is_waited_for(changed: int, waited: float) -> None:
    assert pauses(PACING, changed) == waited


def test_without_waves_nothing_is_waited_for() -> None:
    assert pauses(Pacing(canary=0, wave=0), 1_000_000) == 0


@pytest.mark.parametrize(
    ("now", "most", "everything", "said"),
    [
        (0.0, 0.0, 0.0, "credits: none; what would be asked is free"),
        (
            12.4,
            30.0,
            90.0,
            "credits: about 12 now, at most 30; asking everything would cost 90, so 78 are saved (86%)",
        ),
        (
            0.0,
            0.0,
            90.0,
            "credits: about 0 now, at most 0; asking everything would cost 90, so 90 are saved (100%)",
        ),
        (2.25, 3.0, 2.25, "credits: about 2.2 now, at most 3"),
    ],
)
def test_credits_are_told_with_what_is_saved(now: float, most: float, everything: float, said: str) -> None:
    assert forecast_words(forecast({"a": now}, {"a": most}, {"a": everything}, {})) == said


def test_credits_of_a_dry_run_add_up_over_its_sources() -> None:
    report = Report(apply=False)
    report.credits.update(a=1.0, b=2.5)
    report.credits_most.update(a=4.0, b=2.5)
    report.credits_everything.update(a=10.0, b=5.0, c=1.0)
    told = forecast_of(report, {})
    assert (told.now, told.most, told.everything, told.saved) == (3.5, 6.5, 16.0, 12.5)
    assert told.bounded_by == ()


@pytest.mark.parametrize(
    ("left", "now", "most", "bounded_by"),
    [
        ({"run": 100.0, "vendor a day": 50.0}, 9.0, 30.0, ()),
        ({"vendor a day": 3.0, "vendor b month": 5.0}, 7.0, 8.0, ("vendor a day", "vendor b month")),
        ({"run": 5.0, "day": 8.0}, 5.0, 5.0, ("run",)),
        ({"vendor a day": 0.0, "month": 2.0}, 2.0, 2.0, ("vendor a day", "month")),
    ],
)
def test_the_budgets_that_are_left_bound_a_forecast(
    left: dict[str, float], now: float, most: float, bounded_by: tuple[str, ...]
) -> None:
    told = forecast({"a": 5.0, "b": 4.0}, {"a": 20.0, "b": 10.0}, {"a": 90.0}, left)
    assert (told.now, told.most, told.wanted, told.bounded_by) == (now, most, 30.0, bounded_by)
