"""`icp-sync vendors`: the sources of facts of a connection, how they do and what they cost."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError

if TYPE_CHECKING:
    from icp_sync.cli.opening import Opened
    from icp_sync.cli.rendering import Screen
    from icp_sync.cli.shipped import Shipped
    from icp_sync.journal import Journal
    from icp_sync.ports import Enricher

Data = dict[str, Any]


def register(app: typer.Typer) -> None:
    app.command()(vendors)


def vendors(
    everything: Annotated[
        bool, typer.Option("--all", help="List the shipped ones that are not configured, too.")
    ] = False,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Sources of facts: health, hit rate, cost, credits left."""
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.cli.shipped import shipped

    data = collect(config, connection, optional=everything or as_json)
    ready = shipped() if everything or as_json else []
    data["vendors"] += [_unused(one) for one in ready if one.use not in {v["use"] for v in data["vendors"]}]
    for vendor in data["vendors"]:
        _describe(vendor, {one.use: one for one in ready})
    if as_json:
        document(data)
    else:
        show(Screen.here(), data)


def collect(config: Path | None, connection: str | None, *, optional: bool) -> Data:
    """The configured enrichers of a connection with what the journal knows of them.

    optional: whether no settings at all are fine, where none are named.
    """
    from icp_sync.cli.opening import opened
    from icp_sync.settings import BEGIN

    with ExitStack() as stack:
        try:
            at = stack.enter_context(opened(config, connection))
        except ConfigError as error:
            if not optional or config is not None or connection is not None or error.next_step != BEGIN:
                raise
            return {"connection": "", "vendors": [], "budgets_left": {}}
        return _collected(at, time.time())


def _collected(at: Opened, now: float) -> Data:
    from icp_sync.settings.enrichment import budget_of

    buying = at.connection.enrichment.buying
    left = at.journal.budget_left(buying.budgets, now=now)
    reports, rates = at.journal.vendor_report(now=now), _rates(at.journal)
    found: list[Data] = []
    for entry in at.connection.enrichers:
        enricher, problem = _loaded(entry)
        name = enricher.name if enricher else str(entry.get("name") or entry["use"])
        state = at.journal.vendor(name)
        day, month = budget_of(entry)
        found.append(
            {
                "name": name,
                "use": str(entry["use"]),
                "configured": True,
                "problem": problem,
                **_promises(enricher),
                "healthy": not problem and state.open_until <= now and not state.failures,
                "state": asdict(state),
                **rates.get(name, {"asked": 0, "told": 0, "hit_rate": None, "cost_a_hit": None}),
                **(_counts(reports[name]) if name in reports else _counts(None)),
                "budget_day": day,
                "budget_month": month,
            }
        )
    return {"connection": at.name, "vendors": found, "budgets_left": dict(left)}


def _loaded(entry: Mapping[str, Any]) -> tuple[Enricher | None, str]:
    """The enricher of one entry, or what is wrong with it."""
    from icp_sync.enrichers import load

    try:
        return load([entry])[0], ""
    except ConfigError as error:
        return None, "; ".join(f"{p.what}{f' ({p.hint})' if p.hint else ''}" for p in error.problems)


def _promises(enricher: Enricher | None) -> Data:
    if enricher is None:
        return {"facts": [], "price": None, "verified": None}
    return {
        "facts": sorted(enricher.facts),
        "price": enricher.price,
        "verified": bool(getattr(enricher, "verified", True)),
    }


def _rates(journal: Journal) -> dict[str, Data]:
    """Enricher → how often it told what it was asked, ever, and what that cost."""
    sums: dict[str, list[float]] = {}
    for (name, fact, _), learned in journal.learned().items():
        if not fact:
            own = sums.setdefault(name, [0, 0, 0.0])
            for at, value in enumerate((learned.asked, learned.told, learned.charge)):
                own[at] += value
    return {
        name: {
            "asked": int(asked),
            "told": int(told),
            "hit_rate": told / asked if asked else None,
            "cost_a_hit": charge / told if told else None,
        }
        for name, (asked, told, charge) in sums.items()
    }


def _counts(report: Any) -> Data:
    """Answers by kind, credits spent, and how old half of its facts are at least (seconds)."""
    names = ("hits", "misses", "pending", "unknown", "spent_day", "spent_month", "spent", "median_age")
    return {name: getattr(report, name, None if name == "median_age" else 0) for name in names}


def _unused(one: Shipped) -> Data:
    return {"name": one.use, "use": one.use, "configured": False, "problem": one.problem}


def _describe(vendor: Data, ready: Mapping[str, Shipped]) -> None:
    """Add what ships with it: what leaves, its documentation; its facts where no settings decide them."""
    one = ready.get(vendor["use"])
    if one is None:
        return
    vendor |= {"title": one.title, "leaves": list(one.leaves), "source": one.source, "shipped": True}
    said = {"facts": list(one.facts), "price": one.price, "verified": one.verified}
    vendor |= {name: value for name, value in said.items() if vendor.get(name) in (None, [])}


def show(screen: Screen, data: Data) -> None:
    """A line for each; the table for people."""
    from icp_sync.cli.text import amount

    configured = [v for v in data["vendors"] if v["configured"]]
    if configured:
        heads = ["vendor", "health", "hit rate", "a hit costs", "today", "month", "left", "median age"]
        screen.table(heads, [_row(v) for v in configured], right=(2, 3, 4, 5, 6, 7), whole=(0,))
    else:
        screen.say("No enricher is configured; see [[connections.NAME.enrichers]] in config/README.md.")
    for vendor in configured:
        if vendor["verified"] is False:
            again = f"icp-sync enrich {vendor['name']} DOMAIN --raw"
            screen.say(f"{vendor['name']}: its reply was never seen; to record one: {again}", "yellow")
    limits = [f"{name} {amount(max(0.0, n))}" for name, n in data["budgets_left"].items() if n < float("inf")]
    if limits:
        screen.say(f"credits left of the connection's budgets: {', '.join(limits)}")
    others = [v for v in data["vendors"] if not v["configured"]]
    if others:
        screen.heading("Shipped, not configured")
        rows = [
            (
                v["use"],
                amount(v["price"]),
                ", ".join(v["leaves"]) or "nothing",
                "yes" if v["verified"] else "never seen",
                v["problem"] or ", ".join(v["facts"]) or "as configured",
            )
            for v in others
        ]
        screen.table(["vendor", "credits", "leaves", "verified", "facts"], rows, right=(1,), whole=(0,))


def _row(v: Data) -> tuple[str, ...]:
    from icp_sync.cli.text import amount, span

    left, age = v["state"]["credits_left"], v["median_age"]
    return (
        v["name"],
        health(v),
        "" if v["hit_rate"] is None else f"{v['hit_rate']:.0%} of {v['asked']:,}",
        "" if v["cost_a_hit"] is None else amount(round(v["cost_a_hit"], 2)),
        _of(v["spent_day"], v["budget_day"]),
        _of(v["spent_month"], v["budget_month"]),
        "" if left is None else amount(left),
        "" if age is None else span(age),
    )


def health(v: Data) -> str:
    """How a source is, in a few words: "healthy", "left alone until 2026-11-22 14:00 UTC: throttled"."""
    from icp_sync.cli.text import instant, short

    state = v["state"]
    why = short(": ".join(filter(None, (state["kind"], state["message"]))), 80)
    if v["problem"]:
        return f"cannot be used: {short(v['problem'], 120)}"
    if state["open_until"] > time.time():
        return f"left alone until {instant(state['open_until'])}" + (f": {why}" if why else "")
    if state["failures"]:
        return f"failed {state['failures']} times in a row" + (f": {why}" if why else "")
    return "healthy" if state["at"] or v["asked"] or v["hits"] or v["misses"] else "never asked"


def _of(spent: float, budget: float) -> str:
    from icp_sync.cli.text import amount

    return amount(spent) if budget == float("inf") else f"{amount(spent)} of {amount(budget)}"
