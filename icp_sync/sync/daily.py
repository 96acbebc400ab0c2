"""What is kept of each UTC day for charts: how the accounts stood at the last look, and what was done.

Counts of accounts are of the last look, sums are of what runs did that day, of one that spans midnight each
part on its own day; a day is looked at once more when the next one begins. A day on which nothing ran has no
row: gaps are gaps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from icp_sync.domain.freshness import quantile
from icp_sync.journal import Day, Done, Journal, Stood
from icp_sync.quota.hours import calls_by_hour

DAY, HOUR = 86_400, 3_600
REFUSED = ("refused", "dead")
CARRIED = "carried"
"""Under this name a day keeps what runs that span its first midnight had done before."""


def keep_today(journal: Journal, stood: Stood, *, overridden: int | None = None, now: float) -> None:
    """Keep this day as it is now; the first look of a day also ends the one before.

    overridden: accounts whose tier people decided, None where nobody counted: then the last count stays.
    """
    today = int(now // DAY)
    known = {day.day: day for day in journal.days(2)}
    last = max((day for day in known if day < today), default=-1)
    if today not in known and last >= 0:
        over = {**known[last].data, **_done(journal, known[last])}
        journal.keep_day(over, now=now, day=last)
    before = known.get(today) or Day(day=today, at=now, data={})
    if CARRIED not in before.data:
        before = replace(before, data={**before.data, CARRIED: _carried(journal, today * DAY, last)})
    counted = before.data.get("overrides") if overridden is None else overridden
    data = {**_stood(journal, stood), "overrides": counted, **_done(journal, before)}
    journal.keep_day(data, now=now)


def _carried(journal: Journal, began: float, last: int) -> dict[str, Any]:
    """What runs that went on over midnight had done before: run → its counts. last: the last day kept; a run
    begun after that was counted nowhere yet."""
    return {
        run: {} if at >= (last + 1) * DAY else _counts(did)
        for run, (at, did) in journal.done_across(began).items()
    }


def _counts(did: Done) -> dict[str, Any]:
    return {
        "read": did.read,
        "written": did.written,
        "fresh": dict(did.fresh),
        "fresh_bought": dict(did.fresh_bought),
    }


def _of_the_day(journal: Journal, day: Day) -> Done:
    """What runs did on a day: those begun on it, and those that went on from the day before since then."""
    did = journal.done(day.began, day.began + DAY)
    read, written = did.read, did.written
    fresh, bought = Counter(did.fresh), Counter(did.fresh_bought)
    across = journal.done_across(day.began)
    for run, before in day.data.get(CARRIED, {}).items():
        if run not in across:
            continue
        now = across[run][1]
        read += now.read - before.get("read", 0)
        written += now.written - before.get("written", 0)
        fresh += Counter(now.fresh) - Counter(before.get("fresh", {}))
        bought += Counter(now.fresh_bought) - Counter(before.get("fresh_bought", {}))
    return Done(read=read, written=written, fresh=fresh, fresh_bought=bought)


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
    done = _of_the_day(journal, day)
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
        CARRIED: day.data.get(CARRIED, {}),
        "calls": sum(hours.values()),
        "calls_by_hour": hours,
        "spend": {name: round(credits, 6) for name, credits in sorted(spent.items()) if credits},
    }
