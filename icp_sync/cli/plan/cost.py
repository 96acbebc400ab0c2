"""What writing a dry run's changes would take, by the settings and what the CRM last said of its limits."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.sync.forecast import Forecast
    from icp_sync.sync.pacing import Pacing
    from icp_sync.sync.report import Report
    from icp_sync.wiring import Wired


def cost(wired: Wired, report: Report) -> Forecast:
    """Calls, time and share of the day of a backfill that makes these changes. Asks nobody."""
    from icp_sync.sync.forecast import Speed, Workload, forecast
    from icp_sync.wiring.crms import limits_of

    quota = wired.settings.quota
    rated = wired.crm.kind == "hubspot"
    daily = next((b for b in limits_of(wired.settings, wired.journal) if b.day is not None), None)
    return forecast(
        wired.crm.kind,
        Workload(accounts=report.read, changed=report.written, owners=report.by_field["owner"]),
        Speed(
            burst=quota.burst if rated else 0,
            search=quota.search if rated else 0,
            pauses=pauses(wired.parts.pacing, report.written),
        ),
        now=wired.parts.clock(),
        limit=daily.limit if daily else 0,
        day=daily.day if daily else None,
        backfill=quota.backfill,
    )


def pauses(pacing: Pacing, changed: int) -> float:
    """Seconds a backfill's waves wait altogether: after each that is full, while something is left."""
    left, waited = changed, 0.0
    if pacing.canary and left > pacing.canary:
        left, waited = left - pacing.canary, pacing.watch
    if pacing.wave and left > pacing.wave:
        waited += (ceil(left / pacing.wave) - 1) * pacing.pause
    return waited
