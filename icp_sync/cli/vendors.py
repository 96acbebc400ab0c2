"""`icp-sync vendors`: the sources of facts of a connection, how they do and what they cost."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.cli.shipped import Shipped
    from icp_sync.journal import Journal
    from icp_sync.ports import Enricher
    from icp_sync.reporting.opened import Opened

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
    from icp_sync.settings.enrichment import budget_of, name_of
    from icp_sync.sync.vendors import believed
    from icp_sync.wiring import keys_of

    buying = at.connection.enrichment.buying
    left = at.journal.budget_left(buying.budgets, now=now)
    reports, rates = at.journal.vendor_report(now=now), _rates(at.journal)
    found: list[Data] = []
    for entry in at.connection.enrichers:
        enricher, problem = _loaded(entry, at.name)
        name = enricher.name if enricher else name_of(entry)
        state = believed(at.journal.vendor(name), now)
        day, month = budget_of(entry)
        found.append(
            {
                "name": name,
                "use": str(entry["use"]),
                "configured": True,
                "problem": problem,
                **_promises(enricher),
                "keys": keys_of(at.connection, at.name, name_of(entry)),
                "healthy": not problem and state.open_until <= now and not state.failures,
                "state": asdict(state),
                **rates.get(name, {"asked": 0, "told": 0, "hit_rate": None, "cost_a_hit": None}),
                **(_counts(reports[name]) if name in reports else _counts(None)),
                "budget_day": day,
                "budget_month": month,
            }
        )
    return {"connection": at.name, "vendors": found, "budgets_left": dict(left)}


def _loaded(entry: Mapping[str, Any], connection: str) -> tuple[Enricher | None, str]:
    """The enricher of one entry, or everything that is wrong with it, each with its place."""
    from icp_sync.enrichers import load
    from icp_sync.wiring import named

    try:
        return load([entry])[0], ""
    except ConfigError as error:
        return None, "; ".join(_problem(named(p, [entry], connection)) for p in error.problems)


def _problem(problem: Problem) -> str:
    """Without the number of its entry, which is known here: "key: is missing (put it into …)"."""
    place = re.sub(r"^enrichers\[\d+\][.:]? ?|(?<!\S)\(\S+\)$", "", problem.where).strip().removesuffix(":")
    place = re.sub(r" \(\S+\)$", "", place)
    said = f"{problem.what} ({problem.hint})" if problem.hint else problem.what
    return f"{place}: {said}" if place not in ("", "use") else said


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
    if v["problem"]:
        screen.say(f"{v['name']}: {v['problem']}", "yellow")
        return
    state = v["state"]
    if not state["kind"] and not state["message"]:
        return
    from icp_sync.cli.text import short
    from icp_sync.sync.told import refusal
    from icp_sync.sync.vendors import LASTING

    screen.say(f"{v['name']}: {short(refusal(state['kind'], state['message']), 160)}", "yellow")
    if state["kind"] in LASTING:
        for place in v["keys"]:
            screen.say(f"  its key: {place}")
        screen.say("  once that is mended:")
        screen.say(f"  icp-sync enrich ID --vendor {v['name']}")


def _show_unused(screen: Screen, others: list[Data]) -> None:
    """What could be configured: a line of figures for each, and one of the facts it tells."""
    from icp_sync.cli.text import amount

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
    from icp_sync.cli.text import amount, span

    left, age = v["state"]["credits_left"], v["median_age"]
    return (
        v["name"],
        "" if v["hit_rate"] is None else f"{v['hit_rate']:.0%} of {v['asked']:,}",
        "" if v["cost_a_hit"] is None else amount(round(v["cost_a_hit"], 2)),
        _of(v["spent_day"], v["budget_day"]),
        _of(v["spent_month"], v["budget_month"]),
        "" if left is None else amount(left),
        "" if age is None else span(age),
        health(v),
    )


def health(v: Data) -> str:
    """How a source is, in a few words: "healthy", "left alone until 2026-11-22 14:00 UTC"."""
    from icp_sync.cli.text import counted, instant

    state = v["state"]
    if v["problem"]:
        return "cannot be used"
    if state["open_until"] > time.time():
        return f"left alone until {instant(state['open_until'])}"
    if state["failures"]:
        return f"failed {counted(state['failures'], 'time')} in a row"
    return "healthy" if state["at"] or v["asked"] or v["hits"] or v["misses"] else "never asked"


def _of(spent: float, budget: float) -> str:
    from icp_sync.cli.text import amount

    return amount(spent) if budget == float("inf") else f"{amount(spent)} of {amount(budget)}"
