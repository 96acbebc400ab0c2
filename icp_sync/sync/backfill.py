"""One full backfill: continued where it was left, begun again when what it is for has changed.

A change of mode, outputs or profile is a request in the journal; it is struck out once a whole pass has
been made for exactly that request. Knows neither who asked nor how often it is tried.
"""

from __future__ import annotations

from dataclasses import replace

from icp_sync.ports import Stream
from icp_sync.sync.cycle import Parts, Scope, cycle
from icp_sync.sync.report import Report


def backfill(parts: Parts, scope: Scope) -> Report | None:
    """Read and settle every account; None when another worker is at it.

    Ends early when `scope.going` says so, at `scope.limit`, or when the request behind it changes: then the
    next call begins again. Raises what `cycle` raises; the next call continues after the last settled page.
    """
    journal = parts.journal
    request = journal.backfill_request()

    def going() -> bool:
        return scope.going() and journal.backfill_request() == request

    report = cycle(Stream.BACKFILL, parts, replace(scope, going=going))
    whole = report is not None and finished(parts, scope)
    if whole and request is not None and journal.backfill_request() == request:
        journal.clear_backfill_request()
    return report


def finished(parts: Parts, scope: Scope) -> bool:
    """Whether the last whole backfill reached its end. A selection or a dry run never counts as one."""
    whole = scope.apply and scope.where is None
    return whole and parts.journal.position(Stream.BACKFILL.value).finished
