"""The overview: is it fresh, is it healthy, where do the accounts stand, what waits for somebody."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from icp_sync.console.access import Role
from icp_sync.console.acting import Act, Done, action, figures_of
from icp_sync.console.charts import bars, over_time
from icp_sync.console.figures import Figures
from icp_sync.console.rendering import page
from icp_sync.domain.standing import STATES
from icp_sync.errors import ConfigError

YEAR = 366
MONTH = 30


def routes() -> list[BaseRoute]:
    return [
        Route("/c/{connection}/", overview),
        Route("/c/{connection}/now", now),
        action("pause", Role.OPERATOR, _pause),
        action("resume", Role.OPERATOR, _resume),
    ]


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
    """What the template needs of the figures, and whether somebody paused it."""
    pause = found.place.journal.connection_paused()
    if found.latest is None:
        nothing = {"data": None, "tiers": (), "day": None, "counted_at": None}
        return {**nothing, "failing": found.failing, "pause": pause}
    data = found.latest.data
    tiers = {state: data["tiers"].get(state, 0) for state in STATES}
    days = [one for one in data["limits"] if one["day"] is not None and one["day"]["remaining"] is not None]
    return {
        "data": data,
        "tiers": bars({**tiers, "out of scope": data["out_of_scope"]}),
        "day": days[0] if days else None,
        "counted_at": found.latest.at,
        "failing": found.failing,
        "pause": pause,
    }


def _pause(act: Act) -> Done:
    if not act.place.journal.pause_connection(by=act.user.name, now=act.now):
        raise ConfigError(f"it is paused already, {act.place.journal.connection_paused()}")
    said = "Paused. What is under way ends after its page, and nothing new begins."
    return Done(what="pause", said=said, to=_to(act))


def _resume(act: Act) -> Done:
    """What was paused goes on; what had stopped by itself is tried again."""
    journal, stopped = act.place.journal, bool(act.place.halted())
    if journal.connection_paused() is None and not stopped:
        raise ConfigError("it is neither paused nor stopped, so there is nothing to let go on")
    paused = journal.resume_connection(by=act.user.name, now=act.now)
    detail: dict[str, object] = {"paused": paused, "stopped": stopped}
    said = "It may go on. The worker looks at it in a moment."
    return Done(what="resume", said=said, to=_to(act), detail=detail)


def _to(act: Act) -> str:
    return f"/c/{quote(act.place.name)}/"
