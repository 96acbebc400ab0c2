"""How fresh the records are kept: from the instant a change is stamped with to the answer to our write.

Measured where changes are followed, in poll and trailing pass, and where what these could not write is tried
again; by the CRM's clock alone. What does not count:
what changed before these streams began to cover the connection, stamps that are those of our own writes, and
accounts written for another reason than a change of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client import Histogram

from icp_sync.domain.account import Origin, Remembered
from icp_sync.domain.freshness import bucket_of
from icp_sync.domain.plan import Outcome, Result
from icp_sync.observe import registry
from icp_sync.ports import Enricher, Stream, account_key
from icp_sync.sync.draft import Draft
from icp_sync.sync.enrich import Bought
from icp_sync.sync.report import Report
from icp_sync.sync.subjects import company_key

FOLLOWING = frozenset({Stream.POLL, Stream.TRAILING})
MEASURED = FOLLOWING | {Stream.DUE}
SETTLING_MS = 2_000
"""How long after the answer to a write of ours its own stamp may still lie, ms."""

freshness_seconds = Histogram(
    "icp_sync_freshness_seconds",
    "From an account's change to the answer to our write of its standing",
    ["connection", "bought"],
    # Around the goals of 42 s for half of the accounts and 75 s for 95 of 100, every few seconds.
    buckets=(
        *(2.5, 5, 10, 15, 20, 25, 30, 34, 38, 42, 46, 50, 55, 60, 65, 70, 75, 80, 90, 105, 120, 150, 180),
        *(240, 300, 450, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400),
    ),
    registry=registry,
)


def timed(
    outcomes: Iterable[Outcome], answered: dict[str, float], clock: Callable[[], float]
) -> Iterator[Outcome]:
    """The outcomes, with the instant of each noted in `answered`: account id → seconds of the CRM's clock."""
    for outcome in outcomes:
        answered[outcome.account_id] = clock()
        yield outcome


def paid_for(found: Mapping[str, Bought], enrichers: Iterable[Enricher]) -> frozenset[str]:
    """Of the answers that came only now, by their keys: those a source was asked for that costs something."""
    paid = {enricher.name for enricher in enrichers if enricher.price > 0}
    return frozenset(key for key, one in found.items() if one.sources & paid)


def measure(
    report: Report,
    drafts: Sequence[Draft],
    outcomes: Mapping[str, Outcome],
    answered: Mapping[str, float],
    bought: frozenset[str],
    *,
    covered_from: int,
    ahead: float,
    connection: str,
    again: bool = False,
) -> None:
    """Count the accounts of a page that were written because they had changed.

    bought: what `paid_for` returns. covered_from: since when changes are followed, ms on the CRM's
    clock, 0 where nobody knows. ahead: the CRM's clock less ours, seconds. again: only those that could not
    be written at first; the others were due for another reason than a change.
    """
    for d in drafts:
        outcome = outcomes.get(d.account.id)
        if outcome is None or outcome.result is not Result.WRITTEN:
            continue
        if not covered_from or d.account.stamp < covered_from or not _news(d, ahead):
            continue
        if again and not d.remembered.attempts:
            continue
        told = bought & {company_key(d.account.domain), account_key(d.account.id)}
        seconds = max(0.0, answered[d.account.id] - d.account.stamp / 1000)
        freshness_seconds.labels(connection, "yes" if told else "no").observe(seconds)
        (report.fresh_bought if told else report.fresh)[bucket_of(seconds)] += 1


def _news(d: Draft, ahead: float) -> bool:
    """Whether the stamp is that of a change which is not on the record yet, and not of a write of ours."""
    before, stamp = d.remembered, d.account.stamp
    landed = _landed(before, ahead)
    if stamp > before.stamp:
        return stamp > max(landed, before.sent_at * 1000 + SETTLING_MS if before.sent_at else 0.0)
    return before.attempts > 0 and stamp > landed  # read before, and not written then


def _landed(before: Remembered, ahead: float) -> float:
    """Up to when a stamp may be that of a write of ours that is known to have landed, ms on the CRM's clock;
    0 before there was one."""
    ours = [held.at for held in before.confirmed.values() if held.origin is Origin.OURS]
    return (max(ours) + ahead) * 1000 + SETTLING_MS if ours else 0.0
