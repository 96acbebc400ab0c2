"""The overview: is it fresh, is it healthy, where do the accounts stand, what waits for somebody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from icp_sync.console.acting import figures_of
from icp_sync.console.charts import bars, over_time
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
    return page(
        request,
        "overview.html",
        title="Overview",
        counted_at=found.latest.at if found.latest else None,
        **_shown(found.latest.data if found.latest else None),
        tiers_over_time=over_time(
            days, "tiers", [state for state in STATES if any(state in d.data.get("tiers", {}) for d in days)]
        ),
        freshness_over_time=over_time(days, "freshness", ["p50", "p95"]),
    )


def now(request: Request) -> Response:
    """The part that is asked for again while the page is open."""
    found = figures_of(request)
    return page(
        request,
        "_now.html",
        counted_at=found.latest.at if found.latest else None,
        **_shown(found.latest.data if found.latest else None),
    )


def _shown(data: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the template needs of the figures."""
    if data is None:
        return {"data": None, "tiers": (), "day": None}
    tiers = {state: data["tiers"].get(state, 0) for state in STATES}
    days = [one for one in data["limits"] if one["day"] is not None and one["day"]["remaining"] is not None]
    return {
        "data": data,
        "tiers": bars({**tiers, "out of scope": data["out_of_scope"]}),
        "day": days[0] if days else None,
    }
