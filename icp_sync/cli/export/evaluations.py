"""`icp-sync export evaluations`: what was thought of every account, now, on a past day, or monthly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.cli.output import STDOUT, TABLES, draft_of, precious, rows_to
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.cli.export.months import Month
    from icp_sync.cli.export.rows import Row, Rows, Tally
    from icp_sync.cli.opening import Opened
    from icp_sync.journal import Journal, Snapshot

PAGE = 900
"""Accounts in memory at once."""

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
    from icp_sync.cli.opening import opened
    from icp_sync.cli.rendering import document

    _refuse(out, as_of, monthly, form, as_json=as_json)
    with opened(config, connection, existing=True) as at:
        told = _months(at, monthly, form) if monthly is not None else _one(at, out or STDOUT, as_of)
    told = {"connection": at.name, **told}
    if as_json:
        document(told)
    elif monthly is not None:
        _show_months(told)
    else:
        _show(told)


def _refuse(out: Path | None, as_of: str, monthly: Path | None, form: str, *, as_json: bool) -> None:
    """Options that contradict each other, all at once."""
    from icp_sync.tables.parquet import SUFFIX, refuse_missing

    problems = []
    if (out is None) == (monthly is None):
        hint = "--out FILE, or --monthly FOLDER"
        problems.append(Problem(where="export evaluations", what="name one place to write to", hint=hint))
    if as_of and monthly is not None:
        problems.append(Problem(where="--as-of", what="months have their own days", hint="leave one out"))
    if form != "csv" and monthly is None:
        hint = "name the file .parquet or .csv"
        problems.append(Problem(where="--format", what="goes with --monthly", hint=hint))
    if out == STDOUT and as_json:
        problems.append(Problem(where="--out -", what="standard output is for the JSON document already"))
    if monthly is not None and monthly.exists() and not monthly.is_dir():
        problems.append(Problem(where="--monthly", what=f"{monthly} is no folder"))
    problems += precious(out, (*TABLES, SUFFIX))
    if problems:
        raise ConfigError(problems)
    if form == "parquet" or (out is not None and out.suffix.lower() == SUFFIX):
        refuse_missing()


# One file


def _one(at: Opened, out: Path, as_of: str) -> dict[str, object]:
    from icp_sync.cli.moments import moment
    from icp_sync.cli.text import instant

    if not as_of:
        active = at.journal.active()
        if active is None:
            raise ConfigError(
                f"connection {at.name} has no active profile", next_step="icp-sync profile activate"
            )
        return {"as_of": None, **_written(at, out, active[0], lambda: _now(at.journal))}
    now, end = time.time(), moment(as_of, option="--as-of", end=True)
    where, kept = f"--as-of {as_of[:40]}", _kept_since(at, now)
    if moment(as_of, option="--as-of") > now:
        raise ConfigError([Problem(where=where, what="lies in the future")])
    if end < kept:
        what = f"older than retention: evaluations are kept since {instant(kept)}"
        raise ConfigError([Problem(where=where, what=what)])
    end = min(now, end)
    version = _version(at.journal, end)
    if not version:
        raise ConfigError([Problem(where=where, what="no profile was active yet")])
    told = _written(at, out, version, lambda: _past(at.journal, end))
    return {"as_of": instant(end), **told}


def _written(
    at: Opened, out: Path, version: int, snapshots: Callable[[], Iterator[Snapshot]]
) -> dict[str, object]:
    """Write one file; what went into it."""
    from icp_sync.cli.export.rows import Rows
    from icp_sync.wiring import facts_of

    rows = Rows(at.journal, facts_of(at.connection)[1], version)
    with _into(out, rows) as put:
        for one in snapshots():
            put(rows.row(one))
    return {"out": str(out), "profile_version": version, **_counts(rows.tally)}


def _counts(tally: Tally) -> dict[str, object]:
    tiers = {tier or "out of scope": n for tier, n in sorted(tally.tiers.items())}
    return {"accounts": tally.accounts, "tiers": tiers, "not_proved": tally.unproved}


@contextmanager
def _into(out: Path, rows: Rows) -> Iterator[Callable[[Row], None]]:
    """Where rows go, as the name of the file says."""
    from icp_sync.domain.standing import instant_text
    from icp_sync.tables.parquet import INSTANT, SUFFIX, ParquetRows
    from icp_sync.tables.writing import writer

    columns = rows.columns
    if out.suffix.lower() == SUFFIX:
        with draft_of(out) as draft, ParquetRows(draft, columns) as file:
            yield file.row
        return
    instants = [at for at, kind in enumerate(columns.values()) if kind == INSTANT]
    with rows_to(out) as stream:
        lines = writer(stream, columns)

        def put(row: Row) -> None:
            for place in instants:
                row[place] = instant_text(row[place])
            lines.row(row)

        yield put


def _now(journal: Journal) -> Iterator[Snapshot]:
    last = ""
    while page := journal.snapshot_page(last, PAGE):
        last = page[-1].id
        yield from page


def _past(journal: Journal, at: float) -> Iterator[Snapshot]:
    page, last = journal.snapshot_page_at(at, "", PAGE)
    yield from page
    while last:
        page, last = journal.snapshot_page_at(at, last, PAGE)
        yield from page


def _version(journal: Journal, at: float) -> int:
    """The profile version active at an instant, 0 for none."""
    return max((one.version for one in journal.versions() if one.activated_at <= at), default=0)


def _kept_since(at: Opened, now: float) -> float:
    from icp_sync.wiring import keep_of

    return now - keep_of(at.connection).history


# Every month


def _months(at: Opened, folder: Path, form: str) -> dict[str, object]:
    """Write what is missing of the months that are over."""
    from icp_sync.cli.export.months import months

    now = time.time()
    kept = _kept_since(at, now)
    written, there, lost = [], [], []
    for month in months(_begun(at), now):
        file = folder / f"evaluations-{at.name}-{month.name}.{form}"
        if file.exists():
            there.append(month.name)
        elif month.end < kept:
            lost.append(month.name)
        else:
            written.append(_month(at, month, file))
    return {"folder": str(folder), "written": written, "there": there, "not_covered": lost}


def _begun(at: Opened) -> float:
    """When this connection began to think. Raises ConfigError where it has not."""
    begun = [one.activated_at for one in at.journal.versions()]
    first = at.journal.evaluated_since()
    if first is None or not begun:
        raise ConfigError(f"connection {at.name} has evaluated nothing yet", next_step="icp-sync run --once")
    return min(first, *begun)


def _month(at: Opened, month: Month, file: Path) -> dict[str, object]:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"cannot be made: {error.strerror or error}"
        raise ConfigError([Problem(where=str(file.parent), what=what)]) from error
    version = _version(at.journal, month.end) or min(one.version for one in at.journal.versions())
    told = _written(at, file, version, lambda: _past(at.journal, month.end))
    return {"month": month.name, **told}


# For people


def _show(told: dict[str, object]) -> None:
    from icp_sync.cli.rendering import note

    note(f"{_said(told)}, written to {told['out']}" if told["out"] != str(STDOUT) else _said(told))
    _unproved(told)


def _show_months(told: dict[str, object]) -> None:
    from icp_sync.cli.rendering import Screen

    screen = Screen.here()
    written = told["written"]
    for one in written if isinstance(written, list) else []:
        screen.say(f"{one['month']}: {_said(one)}, written to {one['out']}")
    if not written:
        screen.say("No month is over that has no file there yet.")
    if told["there"]:
        screen.say(f"there already, and left as they are: {_listed(told['there'])}")
    if told["not_covered"]:
        screen.say(f"no longer covered by the history that is kept: {_listed(told['not_covered'])}")


def _said(told: dict[str, object]) -> str:
    from icp_sync.cli.text import counted

    return counted(int(str(told["accounts"])), "account")


def _unproved(told: dict[str, object]) -> None:
    from icp_sync.cli.rendering import note

    if n := int(str(told["not_proved"])):
        note(f"{n:,} could not be made again as they were kept: they show tier and score alone")


def _listed(names: object) -> str:
    return ", ".join(map(str, names)) if isinstance(names, list) else ""
