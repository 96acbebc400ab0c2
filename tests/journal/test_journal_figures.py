"""What is counted for charts, metrics and alerts, on both databases, and the rows of days."""

from __future__ import annotations

import pytest
from journal_builders import NOW, Worker, settled

from icp_sync.domain.plan import Change, Hold
from icp_sync.journal import Day, Journal, schema
from icp_sync.journal.migrating import beside

DAY = 86_400.0


def ran(journal: Journal, at: float, kind: str = "poll", **report: object) -> None:
    run = journal.start_run(kind, now=at)
    journal.end_run(run, {"apply": True, **report}, now=at + 1)


def test_accounts_are_counted_by_tier_status_and_version(journal: Journal, worker: Worker) -> None:
    journal.activate((("p.yaml", "profile: p"),), now=NOW)
    worker.commit(
        settled("1", tier="A", profile_version=1),
        settled("2", tier="A", profile_version=7),
        settled("3", tier="C", profile_version=1, status="refused"),
        settled("4", in_scope=False),
        settled("5", tier="B", profile_version=1),
    )
    worker.commit(gone={"5": ""})
    stood = journal.stood()
    assert stood.tiers == journal.tiers() == {"A": 2, "C": 1}
    assert (stood.on_active, stood.in_scope) == journal.progress() == (2, 3)
    assert stood.out_of_scope == journal.out_of_scope() == 1
    assert stood.statuses == journal.counts() == {"settled": 3, "refused": 1, "gone": 1}


def test_what_runs_did_is_added_up_by_when_they_began(journal: Journal) -> None:
    ran(journal, NOW - 10, written=99)
    ran(journal, NOW, written=2, read=5, fresh={"70": 2})
    ran(journal, NOW + 5, "backfill", written=3, read=7)
    ran(journal, NOW + 6, "trailing", written=1, fresh={"70": 1, "90": 1}, fresh_bought={"99": 1})
    ran(journal, NOW + 7, written=50, apply=False)
    ran(journal, NOW + 60, written=99)
    done = journal.done(NOW, NOW + 60)
    assert (done.written, done.read) == (6, 12)
    assert (done.fresh, done.fresh_bought) == ({"70": 3, "90": 1}, {"99": 1})
    assert journal.done(NOW, NOW + 60, kinds=("backfill",)).written == 3


def test_freshness_is_read_from_the_streams_that_follow_changes(journal: Journal) -> None:
    ran(journal, NOW, written=2, fresh={"70": 2}, fresh_bought={})
    ran(journal, NOW + 1, fresh={}, fresh_bought={"99": 1})
    ran(journal, NOW + 2, "backfill", fresh={"1": 1})
    ran(journal, NOW + 3, fresh={"80": 4}, apply=False)
    ran(journal, NOW + 100, fresh={"90": 1})
    found = journal.freshness(NOW, NOW + 100)
    assert (found.fresh, found.fresh_bought) == ({"70": 2}, {"99": 1})
    assert journal.for_connection("other").freshness(0.0).fresh == {}


@pytest.mark.parametrize("report", [{"fresh": "x", "written": "y"}, {"fresh": {"70": None}}, {}])
def test_reports_that_make_no_sense_count_for_nothing(journal: Journal, report: dict[str, object]) -> None:
    ran(journal, NOW, **report)
    assert journal.done(NOW).written == 0
    assert sum(journal.done(NOW).fresh.values()) == sum(journal.freshness(NOW).fresh.values()) == 0


def test_a_run_under_way_tells_how_far_it_is(journal: Journal) -> None:
    ran(journal, NOW, "backfill", read=10, spared=1)
    run = journal.start_run("backfill", now=NOW + 1)
    journal.report_run(run, {"apply": True, "read": 5})
    ran(journal, NOW + 2, "poll", read=100)
    assert journal.read_since("backfill", NOW) == 16
    assert journal.read_since("backfill", NOW + 1) == 5


def test_since_when_the_oldest_change_waits(journal: Journal, worker: Worker) -> None:
    assert journal.oldest_hold() is None
    change = Change(account_id="1", field="tier", live="A", desired="B")
    for account_id, since in (("1", NOW - 50), ("2", NOW - 90)):
        hold = Hold(
            account_id=account_id, rule="downgrades", key="k", changes=(change,), reason="r", since=since
        )
        worker.commit(settled(account_id, holds=(hold,)))
    assert journal.oldest_hold() == NOW - 90
    journal.release_holds(by="ada", now=NOW)
    assert journal.oldest_hold() is None


def test_what_was_spent_is_summed_by_whole_days(journal: Journal) -> None:
    midnight = NOW // DAY * DAY
    for n, at in enumerate((midnight - 1, midnight, midnight + DAY - 1, midnight + DAY)):
        journal.record("vendor", f"{n}.example", "hit", [], 10.0**n, now=at, expires_at=at + 9)
    assert journal.spending(midnight, midnight + DAY) == {"vendor": 110.0}
    assert journal.spending(midnight + 100) == {"vendor": 1110.0}
    assert journal.spending(0.0) == {"vendor": 1111.0}


def test_the_database_says_its_revision_and_its_size(journal: Journal) -> None:
    assert journal.schema_state() == (schema.REVISIONS[-1], beside(schema.REVISIONS[-1]))
    assert journal.size() > 10_000


# Days


def test_a_day_is_overwritten_until_it_is_over(journal: Journal) -> None:
    today = int(NOW // DAY)
    journal.keep_day({"tiers": {"A": 1}}, now=NOW)
    journal.keep_day({"tiers": {"A": 2}}, now=NOW + 60)
    journal.keep_day({"tiers": {"A": 3}}, now=NOW + 2 * DAY)
    assert journal.days() == [
        Day(day=today, at=NOW + 60, data={"tiers": {"A": 2}}),
        Day(day=today + 2, at=NOW + 2 * DAY, data={"tiers": {"A": 3}}),
    ]
    assert journal.days()[0].began == today * DAY
    assert [one.day for one in journal.days(1)] == [today + 2]
    assert journal.for_connection("other").days() == []


def test_days_are_kept_for_two_years(journal: Journal) -> None:
    for years in (3, 2, 1):
        journal.keep_day({}, now=NOW - years * 365 * DAY)
    journal.for_connection("other").keep_day({}, now=NOW - 3 * 365 * DAY)
    journal.keep_day({}, now=NOW)
    assert len(journal.days()) == 3
    assert len(journal.for_connection("other").days()) == 1


def test_days_move_with_an_export_and_are_verified(journal: Journal) -> None:
    journal.keep_day({"tiers": {"A": 1}}, now=NOW)
    other = journal.for_connection("copy")
    other.take_in(list(journal.export(now=NOW)))
    assert other.days() == journal.days()
    assert other.verify(now=NOW) == []
