"""The overview: is it fresh, is it healthy, where do the accounts stand, what waits for somebody."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from icp_sync.console.acting import figures_of
from icp_sync.console.charts import bars, over_time
from icp_sync.console.figures import Figures
from icp_sync.console.rendering import page
from icp_sync.domain.standing import STATES

YEAR = 366
MONTH = 30


def routes() -> list[BaseRoute]:
    return [Route("/c/{connection}/", overview), Route("/c/{connection}/now", now)]


def overview(request: Request) -> Response:
    """The whole page."""
    found = figures_of(request)
    days = found.place.journal.days(YEAR) if found.latest else []
    met = {name for one in days for name in one.data.get("tiers", {})}
    return page(
        request,
        "overview.html",
        title="Overview",
        **_shown(found),
        tiers_over_time=over_time(days, "tiers", {name: name for name in STATES if name in met}),
        freshness_over_time=over_time(days, "freshness", {"p50": "half within", "p95": "95 % within"}),
    )


def now(request: Request) -> Response:
    """The part that is asked for again while the page is open."""
    found = figures_of(request)
    return page(
        request,
        "_now.html",
        **_shown(found),
    )


def _shown(found: Figures) -> dict[str, Any]:
    """What the template needs of the figures."""
    if found.latest is None:
        return {"data": None, "tiers": (), "day": None, "counted_at": None, "failing": found.failing}
    data = found.latest.data
    tiers = {state: data["tiers"].get(state, 0) for state in STATES}
    days = [one for one in data["limits"] if one["day"] is not None and one["day"]["remaining"] is not None]
    return {
        "data": data,
        "tiers": bars({**tiers, "out of scope": data["out_of_scope"]}),
        "day": days[0] if days else None,
        "counted_at": found.latest.at,
        "failing": found.failing,
    }
