"""`icp-sync export evaluations`: what was thought of every account, now, on a past day, or monthly."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.cli.output import STDOUT, TABLES, unfit
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.reporting.opened import Opened

Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FILE", help="Write there: Parquet if it ends in .parquet, else CSV; - for stdout."
    ),
]


def evaluations(
    out: Out = None,
    as_of: Annotated[
        str, typer.Option("--as-of", metavar="DATE", help="As on this day, or at this instant (UTC).")
    ] = "",
    monthly: Annotated[
        Path | None,
        typer.Option(
            "--monthly", metavar="FOLDER", help="A file for every past month that has none there yet."
        ),
    ] = None,
    form: Annotated[
        Literal["csv", "parquet"], typer.Option("--format", help="Of the files of --monthly.")
    ] = "csv",
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Write a row for every account that was evaluated: tier, score, flags, route, and the facts asked about.

    Reads the journal only. A file appears when it is whole; no month is ever written twice.
    """
    from icp_sync.cli.export.monthly import every_month
    from icp_sync.cli.export.telling import show, show_months
    from icp_sync.cli.opening import opened
    from icp_sync.cli.rendering import document

    _refuse(out, as_of, monthly, form, as_json=as_json)
    with opened(config, connection, existing=True) as at:
        told = every_month(at, monthly, form) if monthly is not None else _one(at, out or STDOUT, as_of)
    told = {"connection": at.name, **told}
    if as_json:
        document(told)
    elif monthly is not None:
        show_months(told)
    else:
        show(told)


def _refuse(out: Path | None, as_of: str, monthly: Path | None, form: str, *, as_json: bool) -> None:
    """Options that contradict each other, all at once."""
    from icp_sync.cli.export.rows import ours
    from icp_sync.tables.parquet import SUFFIX, refuse_missing

    if form == "parquet" or (out is not None and out.suffix.lower() == SUFFIX):
        refuse_missing()
    problems = []
    if (out is None) == (monthly is None):
        hint = "--out FILE, or --monthly FOLDER"
        problems.append(Problem(where="export evaluations", what="name one place to write to", hint=hint))
    if as_of and monthly is not None:
        problems.append(Problem(where="--as-of", what="months have their own days", hint="leave one out"))
    if form != "csv" and monthly is None:
        hint = "name the file .parquet or .csv"
        problems.append(Problem(where="--format", what="goes with --monthly", hint=hint))
    if monthly is not None and monthly.exists() and not monthly.is_dir():
        problems.append(Problem(where="--monthly", what=f"{monthly} is no folder"))
    problems += unfit(out, ours, kinds=(*TABLES, SUFFIX), as_json=as_json)
    if problems:
        raise ConfigError(problems)


def _one(at: Opened, out: Path, as_of: str) -> dict[str, object]:
    from icp_sync.cli.export.writing import version_at, write_now, write_past
    from icp_sync.reporting.text import instant

    if as_of:
        end = _end(at, as_of)
        if not (version := version_at(at.journal, end)):
            raise ConfigError([Problem(where=_where(as_of), what="no profile was active yet")])
        return {"as_of": instant(end), **write_past(at, out, version, end)}
    active = at.journal.active()
    if active is None:
        raise ConfigError(
            f"connection {at.name} has no active profile", next_step="icp-sync profile activate"
        )
    return {"as_of": None, **write_now(at, out, active[0])}


def _end(at: Opened, as_of: str) -> float:
    """The instant that is meant. Raises ConfigError where nobody can tell of it."""
    from icp_sync.cli.moments import kept_since, moment
    from icp_sync.reporting.text import instant

    now, end = time.time(), moment(as_of, option="--as-of", end=True)
    kept = kept_since(at, now)
    if moment(as_of, option="--as-of") > now:
        raise ConfigError([Problem(where=_where(as_of), what="lies in the future")])
    if end < kept:
        what = f"older than retention: evaluations are kept since {instant(kept)}"
        raise ConfigError([Problem(where=_where(as_of), what=what)])
    return min(now, end)


def _where(as_of: str) -> str:
    return f"--as-of {as_of[:40]}"
