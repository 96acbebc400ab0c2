"""`icp-sync vendors`: the sources of facts of a connection, how they do and what they cost."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen

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
    from icp_sync.reporting.shipped import shipped
    from icp_sync.reporting.vendors import describe, unused

    data = collect(config, connection, optional=everything or as_json)
    ready = shipped() if everything or as_json else []
    data["vendors"] += [unused(one) for one in ready if one.use not in {v["use"] for v in data["vendors"]}]
    for vendor in data["vendors"]:
        describe(vendor, {one.use: one for one in ready})
    if as_json:
        document(data)
    else:
        show(Screen.here(), data)


def collect(config: Path | None, connection: str | None, *, optional: bool) -> Data:
    """The configured enrichers of a connection with what the journal knows of them.

    optional: whether no settings at all are fine, where none are named.
    """
    from icp_sync.cli.opening import opened
    from icp_sync.reporting.vendors import collected
    from icp_sync.settings import BEGIN

    with ExitStack() as stack:
        try:
            at = stack.enter_context(opened(config, connection))
        except ConfigError as error:
            if not optional or config is not None or connection is not None or error.next_step != BEGIN:
                raise
            return {"connection": "", "vendors": [], "budgets_left": {}}
        return collected(at, time.time())


def show(screen: Screen, data: Data) -> None:
    """A line for each; the table for people."""
    from icp_sync.reporting.text import amount

    configured = [v for v in data["vendors"] if v["configured"]]
    if configured:
        heads = ["vendor", "hit rate", "a hit costs", "today", "month", "left", "median age", "health"]
        rows = [_row(v) for v in configured]
        shown = [at for at in range(len(heads)) if at in (0, 7) or any(row[at] for row in rows)]
        right = [new for new, at in enumerate(shown) if at not in (0, 7)]
        screen.table(
            [heads[at] for at in shown], [[row[at] for at in shown] for row in rows], right=right, whole=(0,)
        )
    else:
        screen.say("No enricher is configured; see [[connections.NAME.enrichers]] in config/README.md.")
    for vendor in configured:
        _show_trouble(screen, vendor)
    limits = [f"{name} {amount(max(0.0, n))}" for name, n in data["budgets_left"].items() if n < float("inf")]
    if limits:
        screen.say(f"credits left of the connection's budgets: {', '.join(limits)}")
    unrecorded = [v["name"] for v in configured if v["verified"] is False]
    if unrecorded:
        screen.say(f"No real reply is among the samples of {', '.join(unrecorded)}:")
        screen.say("how it is read follows its documentation alone. To record one, for a request's price:")
        for name in unrecorded:
            screen.say(f"  icp-sync enrich {name} DOMAIN --raw")
    _show_unused(screen, [v for v in data["vendors"] if not v["configured"]])


def _show_trouble(screen: Screen, v: Data) -> None:
    """What is wrong with a source, and what helps, on lines of their own."""
    from icp_sync.reporting.text import short
    from icp_sync.reporting.vendors import lasts, trouble

    if v["problem"]:
        screen.say(f"{v['name']}: {v['problem']}", "yellow")
    elif said := trouble(v):
        screen.say(f"{v['name']}: {short(said, 160)}", "yellow")
    if lasts(v):
        for place in v["keys"]:
            screen.say(f"  its key: {place}")
        screen.say("  once that is mended:")
        screen.say(f"  icp-sync enrich ID --vendor {v['name']}")


def _show_unused(screen: Screen, others: list[Data]) -> None:
    """What could be configured: a line of figures for each, and one of the facts it tells."""
    from icp_sync.reporting.text import amount

    if not others:
        return
    screen.heading("Shipped, not configured")
    rows = [
        (v["use"], amount(v["price"]), ", ".join(v["leaves"]) or "nothing", "yes" if v["verified"] else "no")
        for v in others
    ]
    screen.table(["vendor", "credits", "leaves", "reply recorded"], rows, right=(1,), whole=(0, 1, 2, 3))
    screen.say()
    for v in others:
        screen.say(f"{v['use']}: {v['problem'] or ', '.join(v['facts']) or 'facts as configured'}")


def _row(v: Data) -> tuple[str, ...]:
    from icp_sync.reporting.text import amount, span
    from icp_sync.reporting.vendors import health

    left, age = v["state"]["credits_left"], v["median_age"]
    return (
        v["name"],
        "" if v["hit_rate"] is None else f"{v['hit_rate']:.0%} of {v['asked']:,}",
        "" if v["cost_a_hit"] is None else amount(round(v["cost_a_hit"], 2)),
        _of(v["spent_day"], v["budget_day"]),
        _of(v["spent_month"], v["budget_month"]),
        "" if left is None else amount(left),
        "" if age is None else span(age),
        health(v, time.time()),
    )


def _of(spent: float, budget: float) -> str:
    from icp_sync.reporting.text import amount

    return amount(spent) if budget == float("inf") else f"{amount(spent)} of {amount(budget)}"
