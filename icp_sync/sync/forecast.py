"""What a backfill will take, before it begins: calls by kind, time, and its part of the day's calls.

Plain arithmetic on figures a dry run knows; it asks nobody. How many records a call carries is what the
adapters do (`crm/hubspot`, `crm/salesforce`), and a test holds both to the simulator's own count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil

from icp_sync.quota import DayStanding

PAGE = {"hubspot": 1_000, "salesforce": 2_000}
"""Accounts the engine settles at once."""
BULK_FROM = 10_000
"""Accounts from which a Salesforce org is read by one bulk query."""
BULK_ROWS = 50_000
DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """accounts: to be read. changed: of them, to be written. owners: of those, owners given out.

    polls: how often polling meets each of our own writes: once, and once more for each poll that overlaps,
    and the trailing pass; 0 where nothing polls.
    """

    accounts: int
    changed: int
    owners: int = 0
    polls: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """burst: calls in 10 s, 0 unlimited. search: searches a second. latency: seconds a call takes.

    parallel: calls under way at once. written_a_second: accounts a backfill writes a second at most, 0 for no
    pace. pauses: seconds its waves wait altogether.
    """

    burst: int = 190
    search: int = 4
    latency: float = 0.25
    parallel: int = 10
    written_a_second: float = 0.0
    pauses: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """calls: kind → requests: reads, writes, owners (one by one), echo_searches and echo_reads (polling finds
    our own writes again). seconds: from beginning to end, days that are waited for among them.

    share: of the day's calls that all of it takes, None where the CRM has not said how many there are. days:
    how often the end of a day is waited for. ends_at: UTC epoch seconds. Both are infinite where others leave
    it no calls at all.
    """

    calls: Mapping[str, int] = field(default_factory=dict)
    seconds: float
    share: float | None
    days: int
    ends_at: float

    @property
    def total(self) -> int:
        return sum(self.calls.values())


def forecast(
    crm: str,
    work: Workload,
    speed: Speed = Speed(),
    *,
    now: float,
    limit: int = 0,
    day: DayStanding | None = None,
    backfill: float = 0.5,
) -> Forecast:
    """crm: hubspot or salesforce. limit, day: the calls of a day as `quota.BucketStanding` has them, 0 and
    None where nobody knows. backfill: the share of what is above the reserve that it may use.
    """
    calls = _salesforce(work) if crm == "salesforce" else _hubspot(work)
    working = _seconds(crm, calls, work, speed)
    own = calls["reads"] + calls["writes"] + calls["owners"]
    days, waiting = _days(own, working, limit, day, backfill)
    seconds = working + waiting
    return Forecast(
        calls=calls,
        seconds=seconds,
        share=sum(calls.values()) / limit if limit else None,
        days=days,
        ends_at=now + seconds,
    )


def _hubspot(work: Workload) -> dict[str, int]:
    """Lists of 100 read, batches of 100 written; polling searches 200 a call, then reads what we wrote once,
    and its history 50 a call. The owner is a field like any other."""
    changed = [part for _, part, _ in _pages(work, PAGE["hubspot"])]
    echoed = work.changed if work.polls else 0
    return {
        "reads": ceil(work.accounts / 100) + bool(work.accounts),  # the first asks how far the ids go
        "writes": sum(ceil(part / 100) for part in changed),
        "owners": 0,
        "echo_searches": ceil(work.polls * (echoed / 200 + 1)) if echoed else 0,
        "echo_reads": ceil(echoed / 100) + ceil(echoed / 50),
    }


def _salesforce(work: Workload) -> dict[str, int]:
    """A page of 2,000: its ids, its records, what its opportunities say (400 accounts a query); the records
    once more before they are written, 200 a call. Owners go one by one, their accounts' other fields after
    them. From 10,000 accounts on all of what is read comes from bulk jobs."""
    reads, writes = bool(work.accounts) * 1, 0  # how many there are
    bulk = work.accounts >= BULK_FROM
    for accounts, changed, owners in _pages(work, PAGE["salesforce"]):
        reads += 0 if bulk else 3 + ceil(accounts / 400)
        writes += bool(changed) + ceil((changed - owners) / 200)
        writes += (1 + ceil(owners / 200)) if owners else 0
    if bulk:  # two jobs, each opened, looked at and dropped, their pages of results, and the bin
        reads += 2 * (3 + ceil(work.accounts / BULK_ROWS)) + 2
    echoed = work.changed if work.polls else 0
    return {
        "reads": reads,
        "writes": writes,
        "owners": work.owners,
        "echo_searches": ceil(work.polls * echoed / 2_000),
        "echo_reads": ceil(echoed / 2_000) + ceil(echoed / 400),
    }


def _pages(work: Workload, size: int) -> Iterator[tuple[int, int, int]]:
    """Accounts, changed accounts and owners given out of each page, as if they were spread evenly."""
    done = changed = owners = 0
    while done < work.accounts:
        upto = min(work.accounts, done + size)
        now_changed = round(work.changed * upto / work.accounts)
        now_owners = min(now_changed, round(work.owners * upto / work.accounts))
        yield upto - done, now_changed - changed, now_owners - owners
        done, changed, owners = upto, now_changed, now_owners


def _seconds(crm: str, calls: Mapping[str, int], work: Workload, speed: Speed) -> float:
    """The slowest of what limits it: the rate of calls, of searches, the pace, and how long calls take."""
    steady = calls["reads"] + calls["writes"] + calls["owners"] + calls["echo_reads"]
    limits = [steady * speed.latency / max(1, speed.parallel if crm == "hubspot" else 2)]
    if crm == "hubspot":
        limits.append(max(0, steady - speed.burst) * 10.1 / speed.burst if speed.burst else 0.0)
        limits.append(calls["echo_searches"] * 1.1 / speed.search if speed.search else 0.0)
    if speed.written_a_second:
        limits.append(work.changed / speed.written_a_second)
    return max(limits) + speed.pauses


def _days(
    own: int, working: float, limit: int, day: DayStanding | None, backfill: float
) -> tuple[int, float]:
    """How many ends of a day are waited for, and for how many seconds beyond the work itself."""
    if day is None or day.remaining is None or not limit:
        return 0, 0.0
    above = max(0, day.remaining - day.reserve - day.in_flight)
    now = max(0.0, backfill * (above + day.backfill) - day.backfill)
    if own <= now:
        return 0, 0.0
    later = backfill * max(0, limit - day.reserve - _others_a_day(limit, day))
    if later < 1:
        return 0, float("inf")
    left = own - now
    days = ceil(left / later)
    first = day.resets_in if day.resets_in is not None else DAY
    last = (left - (days - 1) * later) / own * working
    return days, max(0.0, first + (days - 1) * DAY + last - working)


def _others_a_day(limit: int, day: DayStanding) -> int:
    """What everybody but our backfills used today stands for any other day."""
    return max(0, min(limit, limit - (day.remaining or 0) - day.backfill))
