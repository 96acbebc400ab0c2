"""Vendors: the sources of facts, how they do, what they cost, how much is left, what leaves to them."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from icp_sync.console.acting import figures_of
from icp_sync.console.beside import counted, failing
from icp_sync.console.charts import DAY
from icp_sync.console.place import Place
from icp_sync.console.rendering import page
from icp_sync.journal.budgets import day_of
from icp_sync.reporting.shipped import shipped
from icp_sync.reporting.vendors import collected, describe, health, lasts, trouble

EVERY = 20.0
MONTHS = 90 * DAY


def routes() -> list[BaseRoute]:
    return [Route("/c/{connection}/vendors", vendors)]


def vendors(request: Request) -> Response:
    place, clock = figures_of(request).place, request.app.state.clock
    made = counted(place.journal, "vendors", lambda: _collected(place, clock()), clock, every=EVERY)
    spent = place.journal.spent_by_day(clock() - MONTHS)
    return page(
        request,
        "vendors.html",
        title="Vendors",
        failed=failing(place.journal, "vendors"),
        made=made,
        budgets=_budgets(place, made.value["budgets_left"]) if made else [],
        spending=_over_time(spent, clock()),
        spends=any(amount for days in spent.values() for amount in days.values()),
    )


def _collected(place: Place, now: float) -> dict[str, Any]:
    data = collected(place.opened, now)
    ready = {one.use: one for one in shipped()}
    for vendor in data["vendors"]:
        describe(vendor, ready)
        vendor |= {"health": health(vendor, now), "trouble": trouble(vendor), "lasts": lasts(vendor)}
        vendor["bars"] = [
            _bar(f"{vendor['name']} {span}", vendor[f"spent_{span}"], vendor[f"budget_{span}"])
            for span in ("day", "month")
        ]
    return dict(data)


def _bar(name: str, spent: float, budget: float) -> dict[str, Any] | None:
    """How much of a budget is used up, of 100; None where there is none."""
    if not isfinite(budget):
        return None
    share = min(100.0, 100.0 * spent / budget) if budget > 0 else 100.0
    return {"name": name, "spent": spent, "budget": budget, "used": round(share, 1)}


def _budgets(place: Place, left: Mapping[str, float]) -> list[dict[str, Any]]:
    """The connection's own budgets, as far as it has any."""
    budgets = place.opened.connection.enrichment.buying.budgets
    whole = {"day": budgets.day, "month": budgets.month}
    bars = (_bar(name, max(0.0, whole[name] - n), whole[name]) for name, n in left.items() if name in whole)
    return [bar for bar in bars if bar is not None]


def _over_time(spent: Mapping[str, Mapping[int, float]], now: float) -> dict[str, Any]:
    """Credits by day and source, from the first day with any to today."""
    days = {day for of_one in spent.values() for day in of_one}
    x = range(min(days, default=day_of(now)), day_of(now) + 1)
    return {
        "x": [day * DAY for day in x],
        "lines": [
            {"name": name, "values": [of_one.get(day, 0.0) for day in x]}
            for name, of_one in sorted(spent.items())
        ],
    }
