"""`icp-sync routes check | simulate`: what the routes, tables and absences make of the accounts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.grounds import Columns, Currency, On
from icp_sync.cli.options import AsJson, Config, ConnectionName, Files
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.cli.routes.ground import Routing
    from icp_sync.cli.routes.year import Sample

MOST_SAMPLES = 5_000
"""Accounts that arrivals are drawn from; more would not make a year more typical."""


def register(app: typer.Typer) -> None:
    family = typer.Typer(
        name="routes",
        help="Who gets which account: check the routes, simulate a year.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    family.command("check")(check)
    family.command("simulate")(simulate)
    app.add_typer(family)


def check(
    files: Files = None,
    on: On = None,
    columns: Columns = None,
    currency: Currency = "",
    on_date: Annotated[
        str, typer.Option("--on-date", metavar="DATE", help="As of this day, not today: 2026-12-01.")
    ] = "",
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Find holes, double matches and people at fault in the routes and their tables.

    Judges every account as if nobody owned it yet; writes nothing.
    """
    from icp_sync.cli.grounds import grounds, nothing_there
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.cli.routes import ahead, report
    from icp_sync.cli.routes.findings import check as look
    from icp_sync.cli.routes.ground import routing

    now = _instant(on_date)
    with grounds(on, config, connection, columns=columns or (), currency=currency) as at:
        ground = routing(at, files, now)
        found = look(ground, now)
        at.tell()
        if not found.accounts:
            raise nothing_there(at.source)
    changes = ahead.upcoming(ground.tables, now)
    lost = ahead.never_reached(ground.tables, ground.grounds.types)
    if as_json:
        document(report.to_json(ground, found, changes, lost, now))
    else:
        report.show(Screen.here(), ground, found, changes, lost, now)


def simulate(
    files: Files = None,
    on: On = None,
    columns: Columns = None,
    currency: Currency = "",
    arrivals: Annotated[
        int, typer.Option("--arrivals", min=1, max=1_000_000, help="How many accounts arrive.")
    ] = 2_000,
    days: Annotated[
        int, typer.Option("--days", min=1, max=3_660, help="Over how many days, from now.")
    ] = 365,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Another number is another year; the same repeats it.")
    ] = 1,
    leave: Annotated[
        float,
        typer.Option("--leave", min=0.0, max=1.0, help="Share of assigned accounts that close again."),
    ] = 0.0,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Everybody begins with no account, not with today's.")
    ] = False,
    on_date: Annotated[
        str, typer.Option("--on-date", metavar="DATE", help="Begin on this day, not now: 2026-12-01.")
    ] = "",
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Play a year of arriving accounts through the routes; writes nothing.

    Each arrival is one of the accounts as it is judged today, under a new id.
    """
    from icp_sync.cli.grounds import grounds
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.cli.routes import year as years
    from icp_sync.cli.routes import year_report
    from icp_sync.cli.routes.ground import routing

    now = _instant(on_date)
    with grounds(on, config, connection, columns=columns or (), currency=currency) as at:
        ground = routing(at, files, now)
        samples = _samples(ground, now, seed)
        at.tell()
    plan = years.Plan(arrivals=arrivals, days=float(days), seed=seed, start=now, leaving=leave)
    year = years.simulate(samples, plan, ground.team({} if fresh else ground.loads))
    if as_json:
        document(year_report.to_json(year, plan))
    else:
        year_report.show(Screen.here(), ground, year, plan)
    if year_report.broken(year):
        raise typer.Exit(1)


def _instant(text: str) -> float:
    """Now, or the first instant of the day named (UTC). Raises ConfigError for what is no day."""
    from icp_sync.normalize.dates import instant

    if not text:
        return time.time()
    read = instant(text)
    if read is None:
        what = f"'{text[:40]}' is not a date"
        raise ConfigError([Problem(where="--on-date", what=what, hint="write 2026-12-01")])
    return read.low


def _samples(ground: Routing, now: float, seed: int) -> list[Sample]:
    """In-scope accounts to draw from, evaluated as of now: all of them, or so many picked evenly."""
    from random import Random

    from icp_sync.cli.grounds import nothing_there
    from icp_sync.cli.routes.year import Sample

    random = Random(seed)  # noqa: S311 (draws accounts, guards nothing)
    samples: list[Sample] = []
    met = in_scope = 0
    for subject in ground.grounds.accounts():
        met += 1
        evaluation = ground.evaluate(subject, now)
        if not evaluation.in_scope:
            continue
        in_scope += 1
        place = len(samples) if len(samples) < MOST_SAMPLES else random.randrange(in_scope)
        if place < MOST_SAMPLES:
            samples[place : place + 1] = [Sample(evaluation, subject.facts)]
    if not met:
        raise nothing_there(ground.grounds.source)
    if not samples:
        where = ground.grounds.source
        raise ConfigError([Problem(where=where, what="no account in it is in scope, so none can arrive")])
    return samples
