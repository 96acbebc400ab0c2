"""How near a first backfill comes to what the CRM allows: HubSpot's windows, and Salesforce's answers.

The real program in a process of its own, every account read and written once. What is counted is the CRM's
own log of requests: of HubSpot in whole windows after the first, whose slots a full bucket would flatter.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path

from tests.bench.sections.ceiling.backfilled import Filled, backfilled
from tests.bench.sections.size import Size
from tests.bench.table import Row, Section, spread

LATENCY = 0.25
PRO, FREE = 190, 100
"""Calls in 10 seconds that a plan allows one token."""
THIRD = PRO // 3
"""Calls in 10 seconds of the other client."""
_FEW = 9_900
"""Accounts of a Salesforce org that is still read by queries, not by a bulk job."""


def ceiling(folder: Path, size: Size) -> Section:
    """Three rows of HubSpot and two of Salesforce."""
    n = size.ceiling
    few, rounds = min(n, _FEW), min(size.rounds, 3)
    rows = [
        *_hubspot(folder, n, size.rounds, plan="pro", burst=PRO),
        *_hubspot(folder, n, rounds, plan="free", burst=FREE),
        *_hubspot(folder, n, rounds, plan="pro", burst=PRO, others=THIRD),
        _salesforce(folder, few, rounds, "collections", reads=-(-few // 2_000), writes=-(-few // 200)),
        _salesforce(folder, n, rounds, "bulk", reads=-(-n // 2_000), writes=-(-n // 200)),
    ]
    return Section(title=f"As fast as the CRM allows, {n:,} accounts, {LATENCY:.2f} s an answer", rows=rows)


def _hubspot(folder: Path, n: int, rounds: int, *, plan: str, burst: int, others: int = 0) -> list[Row]:
    """Accounts a second beside half the calls the limit leaves us; and who was told to come later."""
    most = (burst - others) * 10 / 2
    ran = [
        backfilled(folder, "hubspot", n, latency=LATENCY, limits=plan, burst=burst, others=others)
        for _ in range(rounds)
    ]
    rate = statistics.median(one.rate for one in ran)
    name = "shared" if others else "free" if plan == "free" else "hubspot"
    beside = f", another client using {others} of them" if others else ""
    refused = sum(one.refused for one in ran)
    told = sum(one.others_refused for one in ran)
    return [
        Row(
            key=f"ceiling.{name}",
            what=f"HubSpot, {burst} calls in 10 s{beside}: accounts read and written, against the limit's",
            unit="accounts/s",
            ours=rate,
            beside=most,
            goal="≥ 0.95 ×",
            met=rate >= 0.95 * most,
            note=f"median of {rounds}; the whole run {_median(ran, lambda one: one.wall):.0f} s",
            spread=spread(one.rate for one in ran),
        ),
        Row(
            key=f"ceiling.{name}.refused",
            what="the same: requests answered 429, ours" + (" and the other's" if others else ""),
            unit="requests",
            ours=refused + told,
            goal="0",
            met=not refused + told,
            note=f"{refused} ours, {told} the other's" if others else "",
        ),
    ]


def _salesforce(folder: Path, n: int, rounds: int, by: str, *, reads: int, writes: int) -> Row:
    """Accounts a second beside a loop that does nothing but wait for its answers."""
    ran = [backfilled(folder, "salesforce", n, latency=LATENCY, bulk=by == "bulk") for _ in range(rounds)]
    rate = statistics.median(one.rate for one in ran)
    calls = _median(ran, lambda one: one.calls)
    how = "Bulk API 2.0" if by == "bulk" else "queries and collections"
    return Row(
        key=f"ceiling.salesforce.{by}",
        what=f"Salesforce, {n:,} accounts by {how}, against the latency alone of a loop of query pages and "
        "collections",
        unit="accounts/s",
        ours=rate,
        beside=n / ((reads + writes) * LATENCY),
        note=f"{calls:.0f} calls; median of {rounds}",
        spread=spread(one.rate for one in ran),
    )


def _median(ran: list[Filled], figure: Callable[[Filled], float]) -> float:
    return statistics.median(map(figure, ran))
