"""A run as a line of the table: how long, how fresh, what of whom it took, and what it waited for most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

from tests.scale.costs import Costs
from tests.scale.scenarios import Ran

HOUR = 3_600.0
WARM = 600.0
"""Seconds at the beginning of a run of following that are left out."""
HELPS = 0.95
"""Another worker helps where it takes less than this share of the time."""
RELIEF: Mapping[str, str] = {
    "burst": "the CRM's calls in ten seconds",
    "search": "the CRM's searches in a second",
    "the day's calls": "the share of the day's calls that backfills may use",
    "": "the day's calls",
    "the waves' pauses": "the pauses between waves, a setting (`backfill.wave`, `backfill.pause`)",
    "polling that is behind": "polling, which reads back what the backfill wrote",
    "the pace of writes": "the pace at which a backfill writes, half of what polling can read back",
    "the CRM's answers": "how long the CRM takes to answer",
    "a worker's processor": "the processors of the workers",
    "the database": "the database",
    "a free place": "the cycles a worker runs at once (`cluster.long`, `cluster.share`)",
    "a lease to end": "the lease of a worker that died",
}
"""What was waited for → in words."""
BUSY = 0.85


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """hours: until all was filled, None where nothing was. waits: what was waited for → share of that time.

    p50, p95: freshness, seconds. processors, database: share of what there is that was used. transactions,
    busiest: a second, in the mean and in the busiest minute. log: MB an hour. journal: GB afterwards.
    memory: MB of the largest worker. row: share of the time the busiest portal's limits were locked.
    """

    scenario: str
    accounts: int
    workers: int
    ended: bool
    hours: float | None
    waits: Mapping[str, float]
    calls: int
    breaches: int
    p50: float
    p95: float
    processors: float
    database: float
    transactions: float
    busiest: float
    log: float
    journal: float
    memory: float
    row: float

    @property
    def limit(self) -> str:
        """What was waited for longest, in words; "" where nothing was filled.

        Who waits for a free place while the processors are busy waits for those.
        """
        if not self.waits:
            return ""
        longest = max(self.waits, key=lambda what: self.waits[what])
        if longest == "a free place" and self.processors > BUSY:
            longest = "a worker's processor"
        return RELIEF[longest]

    def to_json(self) -> dict[str, object]:
        return {**asdict(self), "limit": self.limit}


def line(ran: Ran, costs: Costs) -> Line:
    crew, seconds = ran.crew, ran.seconds
    since = WARM if ran.scenario.steady else 0.0
    p50, p95 = percentiles(one.seconds for p in ran.portals for one in p.fresh if one.at >= since)
    calls = [sum(portal.limits.made.values()) for portal in ran.portals]
    slot, assumed = costs.slot, crew.assumed
    held = slot.database + slot.statements * assumed.trip + slot.commits * assumed.flush
    return Line(
        scenario=ran.scenario.name,
        accounts=ran.scenario.accounts,
        workers=ran.workers,
        ended=ran.ended,
        hours=seconds / HOUR if ran.fillings else None,
        waits=_waits(ran),
        calls=sum(calls),
        breaches=sum(portal.limits.breaches for portal in ran.portals),
        p50=p50,
        p95=p95,
        processors=sum(one.processor.worked for one in crew.workers) / seconds / ran.workers,
        database=crew.database.worked / seconds / assumed.cores,
        transactions=crew.done.transactions / seconds,
        busiest=max(crew.minutes.values(), default=0.0) / 60,
        log=crew.done.wal / seconds * HOUR / 1e6,
        journal=ran.scenario.accounts * costs.kept / 1e9,
        memory=_memory(ran, costs),
        row=max(calls, default=0) * held / seconds,
    )


def _waits(ran: Ran) -> Mapping[str, float]:
    """Of the backfill that ended last: the others ended while it went on."""
    if not ran.fillings:
        return {}
    last = max(ran.fillings, key=lambda one: one.ended_at or float("inf"))
    total = sum(last.waits.seconds.values())
    return {what: seconds / total for what, seconds in last.waits.seconds.items()} if total else {}


def _memory(ran: Ran, costs: Costs) -> float:
    """Every place of the busiest worker taken by a range of a backfill, as far as there are that many."""
    most = max(one.most for one in ran.crew.workers)
    filling = min(most, len(ran.fillings) * ran.scenario.partitions)
    return costs.process + costs.connection * len(ran.portals) + costs.filling * filling


def percentiles(seconds: Iterable[float]) -> tuple[float, float]:
    """p50 and p95, 0 of nothing."""
    found = sorted(seconds)
    if not found:
        return 0.0, 0.0
    return found[len(found) // 2], found[int(0.95 * (len(found) - 1))]


def enough(lines: Sequence[Line]) -> Line:
    """Of one scenario's lines, by workers: the one from which more workers help no more."""
    for one, more in pairwise(lines):
        if _goal(more) > HELPS * _goal(one):
            return one
    return lines[-1]


def _goal(one: Line) -> float:
    return one.hours if one.hours is not None else one.p95


def verdict(lines: Sequence[Line]) -> str:
    """The next bottleneck of one scenario, as the lines have it."""
    best = enough(lines)
    first = lines[0]
    took = _took(best)
    if best.hours is None:
        return (
            f"{first.scenario}: {_workers(best.workers)} enough, half of the changes are on the record "
            f"within {best.p50:.0f} s and 95 % within {best.p95:.0f} s; {best.processors:.0%} of the "
            "workers' processors are used."
        )
    share = max(best.waits.values(), default=0.0)
    helped = f"{_workers(best.workers)} enough ({took}), more do not help"
    if best is lines[-1]:
        helped = f"{best.workers} workers take {took}, and more would still help"
    return f"{first.scenario}: {helped}; what is waited for then is {best.limit} ({share:.0%} of the time)."


def _took(one: Line) -> str:
    return "" if one.hours is None else f"{one.hours:.1f} h"


def _workers(number: int) -> str:
    return "one worker is" if number == 1 else f"{number} workers are"


def table(lines: Sequence[Line]) -> list[str]:
    """Markdown."""
    found = [
        "| | workers | all filled | limited by | fresh p50 / p95 | workers' processors | database: "
        "transactions/s, busiest minute, processors | log, MB/h | journal | memory a worker |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    before = ""
    for one in lines:
        name = f"{one.scenario} ({one.accounts:,} accounts)" if one.scenario != before else ""
        before = one.scenario
        took = "–" if one.hours is None else f"{one.hours:.1f} h" if one.ended else f"> {one.hours:.0f} h"
        found.append(
            f"| {name} | {one.workers} | {took} | {one.limit or '–'} | {one.p50:.0f} s / {one.p95:.0f} s | "
            f"{one.processors:.0%} | {one.transactions:.0f}, {one.busiest:.0f}, {one.database:.0%} | "
            f"{one.log:,.0f} | {one.journal:.0f} GB | {one.memory:,.0f} MB |"
        )
    return found
