"""What became of the writes of a page, as counts of its report, as metrics, and a line for each that failed.

Must not change what becomes of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set

from icp_sync.domain.plan import Outcome, Result
from icp_sync.observe import accounts_total, fields_written_total, log
from icp_sync.ports import Stream
from icp_sync.sync.claiming import Claim
from icp_sync.sync.remember import said
from icp_sync.sync.report import Report


def count(
    report: Report,
    stream: Stream,
    claim: Claim,
    outcomes: Mapping[str, Outcome],
    gone: Set[str],
    connection: str,
) -> None:
    report.lost += len(claim.lost)
    results, fields = (
        Counter[Result](),
        Counter[str](),
    )  # a metric is looked up once a page, not once a change
    for account_id, outcome in outcomes.items():
        results[outcome.result] += 1
        if outcome.result is Result.WRITTEN:
            report.written += 1
            landed = tuple(c for c in claim.plan[account_id] if c.field not in outcome.refused)
            report.planned(landed)
            report.refused += bool(outcome.refused.keys() - outcome.deferred)
            fields.update([change.field for change in landed])
        elif outcome.result is Result.REFUSED:
            report.refused += 1
        elif outcome.result is Result.GONE and account_id in gone:
            report.gone += 1
        else:
            report.deferred += 1
        if outcome.refused or outcome.result not in (Result.WRITTEN, Result.GONE):
            report.problems.append((account_id, said(outcome)))
            log("settle").warning(
                "account not written" if not outcome.refused else "account written in part",
                account=account_id,
                result=outcome.result.value,
                code=outcome.code,
                message=said(outcome),
            )
    for result, times in results.items():
        accounts_total.labels(connection, stream.value, result.value).inc(times)
    for name, times in fields.items():
        fields_written_total.labels(connection, name).inc(times)
