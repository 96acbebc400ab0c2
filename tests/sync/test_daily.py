"""The row of a day: how accounts stand, what was done, and that gaps are gaps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from icp_sync.domain.facts import choice
from icp_sync.journal import Day
from icp_sync.ports import Stream
from icp_sync.quota import Daily, InJournal, Quota, Rate
from icp_sync.quota.hours import calls_by_hour
from icp_sync.sync.daily import keep_today
from icp_sync.sync.report import Report
from tests.sync.world import GOOD, POOR, START, Vendor, World

DAY = 86_400.0
MIDNIGHT = START // DAY * DAY + DAY


@pytest.fixture
def day(world: World) -> Callable[[], Day]:
    """Look, and return the newest row."""
    world.clock.now = MIDNIGHT + 3_600

    def looked() -> Day:
        keep_today(world.journal, world.journal.stood(), now=world.clock())
        return world.journal.days()[-1]

    return looked


def test_a_day_says_how_accounts_stand_and_what_was_done(world: World, day: Callable[[], Day]) -> None:
    world.enrichers = [Vendor(book={"x.com": {"industry": choice("SOFTWARE")}})]
    world.backfill()
    world.cycle(Stream.TRAILING)
    for known in (GOOD, GOOD, POOR, {"lifecycle": "customer"}):
        world.company(**known)
    world.company(employees=100, domain="x.com")
    world.clock.step(30)
    world.poll()
    row = day()
    assert row.day == MIDNIGHT // DAY
    assert row.data["tiers"] == {"A": 3, "B": 1}
    assert (row.data["in_scope"], row.data["out_of_scope"], row.data["settled"]) == (4, 1, 5)
    assert (row.data["refused"], row.data["held"], row.data["overrides"]) == (0, 0, None)
    assert (row.data["read"], row.data["written"]) == (5, 4)
    assert row.data["freshness"]["accounts"] == 3
    assert row.data["freshness"]["bought"]["accounts"] == 1
    assert row.data["freshness"]["p95"] == pytest.approx(30, rel=0.03)
    assert row.data["spend"] == {"vendor": 1.0}


def test_the_first_look_of_a_day_ends_the_one_before_and_leaves_its_counts(
    world: World, day: Callable[[], Day]
) -> None:
    world.company(**GOOD)
    world.backfill()
    day()
    world.company(**GOOD)
    world.clock.now = MIDNIGHT + DAY - 60
    world.poll()
    world.clock.now = MIDNIGHT + DAY + 60
    day()
    before, today = world.journal.days()
    assert before.data["written"] == 2, "what was done in its last minutes is in it"
    assert before.data["tiers"] == {"A": 1}, "how accounts stood is as of its last look"
    assert (today.data["tiers"], today.data["written"]) == ({"A": 2}, 0)


def test_a_day_on_which_nothing_ran_has_no_row(world: World, day: Callable[[], Day]) -> None:
    day()
    world.clock.step(3 * DAY)
    day()
    first, second = world.journal.days()
    assert second.day - first.day == 3


def test_overrides_are_those_counted_last(world: World, day: Callable[[], Day]) -> None:
    keep_today(world.journal, world.journal.stood(), overridden=7, now=world.clock())
    assert day().data["overrides"] == 7
    world.clock.step(DAY)
    assert day().data["overrides"] is None


def test_calls_are_added_up_by_hour_also_after_the_limits_have_forgotten_them(
    world: World, day: Callable[[], Day]
) -> None:
    rates = {"burst": Rate(limit=100, seconds=10.0)}
    quota = Quota(rates, daily=Daily(), kept=InJournal(world.journal, rates))
    for _ in range(3):
        quota.acquire("burst")
    hours = calls_by_hour(world.journal.quota_text()[0])
    assert sum(hours.values()) == 3
    world.clock.now = max(hours) * 3_600.0 + 1  # the limits are counted by the database's clock
    assert day().data["calls"] == 3
    world.journal.forget_quota()
    quota.acquire("burst")
    assert day().data["calls"] == 3
    assert calls_by_hour("no ledger") == calls_by_hour("") == {}


def test_a_run_that_spans_midnights_counts_each_part_on_its_own_day(world: World) -> None:
    journal = world.journal

    def done(run: str, n: int, at: float, *, over: bool = False) -> None:
        report = Report(read=n, written=n, fresh=Counter({"10": n})).to_json()
        if over:
            journal.end_run(run, report, now=at)
        else:
            journal.report_run(run, report)
        keep_today(journal, journal.stood(), now=at)

    run = journal.start_run("backfill", now=MIDNIGHT - 4 * 3_600, detail={"apply": True})
    done(run, 100, MIDNIGHT - 60)
    done(run, 110, MIDNIGHT + 60)
    done(run, 500, MIDNIGHT + DAY - 60)
    done(run, 900, MIDNIGHT + DAY + 3_600, over=True)
    days = journal.days()
    assert [day.data["written"] for day in days] == [110, 0 + 790, 0]
    assert [day.data["read"] for day in days] == [110, 790, 0]
    assert [sum(day.data["digests"]["fresh"].values()) for day in days] == [110, 790, 0]


def test_what_was_done_after_the_last_look_of_a_day_is_not_lost_when_days_pass(world: World) -> None:
    journal = world.journal
    for n, at in ((10, MIDNIGHT + 60), (77, MIDNIGHT + 300)):
        run = journal.start_run("poll", now=at, detail={"apply": True})
        journal.end_run(run, Report(read=n, written=n).to_json(), now=at + 1)
        if n == 10:
            keep_today(journal, journal.stood(), now=at + 2)
    keep_today(journal, journal.stood(), now=MIDNIGHT + 3 * DAY)
    assert [day.data["written"] for day in journal.days()] == [87, 0]
