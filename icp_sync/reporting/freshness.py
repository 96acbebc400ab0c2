"""How fresh the records were lately, from the journal: what changed was on the record within so long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from icp_sync.sync.daily import freshness_of

if TYPE_CHECKING:
    from icp_sync.journal import Journal

SPANS = {"hour": 3_600.0, "day": 86_400.0}


def freshness(journal: Journal, now: float) -> dict[str, Any]:
    """For the last hour and day: p50 and p95 in seconds (null without any), of how many accounts, and the
    same of those whose facts had to be bought."""
    found = {name: journal.freshness(now - seconds) for name, seconds in SPANS.items()}
    return {name: freshness_of(one.fresh, one.fresh_bought) for name, one in found.items()}
