"""What is kept of each UTC day for charts: how the accounts stood at the last look, and what was done.

Counts of accounts are of the last look, sums are of the runs begun that day; a day is looked at once more
when the next one begins. A day on which nothing ran has no row: gaps are gaps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from icp_sync.domain.freshness import quantile
from icp_sync.journal import Day, Journal, Stood
from icp_sync.quota.hours import calls_by_hour

DAY, HOUR = 86_400, 3_600
REFUSED = ("refused", "dead")


def keep_today(journal: Journal, stood: Stood, *, overridden: int | None = None, now: float) -> None:
    """Keep this day as it is now; the first look of a day also ends the one before.

    overridden: accounts whose tier people decided, None where nobody counted: then the last count stays.
    """
    today = int(now // DAY)
    known = {day.day: day for day in journal.days(2)}
    yesterday = known.get(today - 1)
    if today not in known and yesterday is not None:
        over = {**yesterday.data, **_done(journal, yesterday)}
        journal.keep_day(over, now=now, day=yesterday.day)
    before = known.get(today) or Day(day=today, at=now, data={})
    counted = before.data.get("overrides") if overridden is None else overridden
    data = {**_stood(journal, stood), "overrides": counted, **_done(journal, before)}
    journal.keep_day(data, now=now)


def freshness_of(at_hand: Mapping[str, int], bought: Mapping[str, int]) -> dict[str, Any]:
    """Half and 95 of 100 changes were on the record within so many seconds, null without any; `bought` the
    same of accounts whose facts had to be bought."""
    return {**_quantiles(at_hand), "bought": _quantiles(bought)}


def _quantiles(digest: Mapping[str, int]) -> dict[str, Any]:
    half, most = quantile(digest, 0.5), quantile(digest, 0.95)
    return {
        "p50": None if half is None else round(half, 1),
        "p95": None if most is None else round(most, 1),
        "accounts": sum(digest.values()),
    }


def _stood(journal: Journal, stood: Stood) -> dict[str, Any]:
    """How the accounts stand."""
    return {
        "tiers": dict(stood.tiers),
        "in_scope": stood.in_scope,
        "out_of_scope": stood.out_of_scope,
        "on_active": stood.on_active,
        "settled": stood.statuses.get("settled", 0),
        "deferred": stood.statuses.get("deferred", 0),
        "refused": sum(stood.statuses.get(status, 0) for status in REFUSED),
        "held": sum(journal.waiting_holds().values()),
    }


def _done(journal: Journal, day: Day) -> dict[str, Any]:
    """What was done on a day. Hours that the limits have forgotten since, as the CRM's day ended, stay."""
    began, over = day.began, day.began + DAY
    done = journal.done(began, over)
    hours = dict(day.data.get("calls_by_hour") or {})
    for hour, calls in calls_by_hour(journal.quota_text()[0]).items():
        if began <= hour * HOUR < over:
            name = str(hour - int(began) // HOUR)
            hours[name] = max(calls, hours.get(name, 0))
    spent = journal.spending(began, over)
    return {
        "read": done.read,
        "written": done.written,
        "freshness": freshness_of(done.fresh, done.fresh_bought),
        "digests": {"fresh": dict(done.fresh), "fresh_bought": dict(done.fresh_bought)},
        "calls": sum(hours.values()),
        "calls_by_hour": hours,
        "spend": {name: round(credits, 6) for name, credits in sorted(spent.items()) if credits},
    }
