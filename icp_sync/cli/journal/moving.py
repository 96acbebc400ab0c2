"""`icp-sync journal copy --to URL`: the journal moves from a SQLite file to PostgreSQL."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config
from icp_sync.errors import ConfigError, Problem, UnavailableError

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.domain.seal import SealKey
    from icp_sync.journal.moving import Move
    from icp_sync.settings import Settings

TO = "ICP_SYNC_COPY_TO"
_SKEW = 1.0
"""Seconds by which two clocks may differ without a word."""


def register(family: typer.Typer) -> None:
    family.command("copy")(copy)


def copy(
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="URL",
            envvar=TO,
            show_envvar=False,
            help=f"postgresql+psycopg://…; better in the variable {TO}, where no list of processes shows it.",
        ),
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Move a SQLite journal to PostgreSQL, every connection of it.

    Beside a worker it copies what there is so far; again, it takes only what changed since. Once no worker
    runs it takes the rest, compares every row, and marks the old journal as moved. Interrupted, run it again.
    """
    from icp_sync.cli.opening import read_settings
    from icp_sync.cli.placing import spare
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.cli.stopped import tidy
    from icp_sync.journal.exclusive import exclusive
    from icp_sync.journal.moving import WHAT, between

    if not to:
        hint = f"set {TO} to postgresql+psycopg://user@host/database, or say --to URL"
        raise ConfigError([Problem(where="--to", what="no database was named", hint=hint)])
    settings = read_settings(config, offline=True)
    source, holder = _source(settings), ""
    with tidy(), ExitStack() as holding, _progress() as tick, between(source, to, tick) as moving:
        try:
            holding.enter_context(exclusive(source, WHAT))
        except UnavailableError as busy:
            holder = str(busy)
        if holder:
            with spare(source.resolve().parent, source.name) as folder:
                moving.beside(folder)
        else:
            _finish(moving.for_good, settings)
        move = moving.move
    if as_json:
        document(_plain(move, source, holder))
    else:
        show(Screen.here(), move, source, holder)


def _source(settings: Settings) -> Path:
    """The file the settings name. Raises ConfigError where there is none."""
    from icp_sync.journal.copying import file_of

    path = file_of(settings.journal)
    if path is None:
        what, hint = "is on PostgreSQL already", "a journal moves from SQLite to PostgreSQL only"
        raise ConfigError([Problem(where="journal", what=what, hint=hint)])
    if not path.exists():
        raise ConfigError(
            [Problem(where="journal", what=f"there is no journal at {path.absolute()}")],
            next_step="icp-sync check",
        )
    return path.absolute()


def _finish(for_good: Callable[..., None], settings: Settings) -> None:
    from icp_sync.cli.acting import who
    from icp_sync.wiring import seal_key

    key: SealKey | None = seal_key(settings.seal_file) if settings.seal_file.exists() else None
    for_good(who=who(), key=key)


@contextmanager
def _progress() -> Iterator[Callable[[str, int], None]]:
    """Which table it is at, and how far, on a terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda table, rows: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("copying", total=None)
        yield lambda table, rows: shown.update(task, description=f"{table}: {rows:,} rows looked at")


def _plain(move: Move, source: Path, holder: str) -> dict[str, object]:
    from dataclasses import asdict

    said = asdict(move)
    return {"from": str(source), "to": said.pop("place"), "in_use": holder or None, **said}


def show(screen: Screen, move: Move, source: Path, holder: str) -> None:
    """What was taken over, and how to go on."""
    if move.already:
        screen.say(f"{source} had moved to {move.place} before; nothing was left to do.")
        return
    rows = [
        (name, f"{t.added:,}", f"{t.changed:,}", f"{t.removed:,}", _rows(t.rows), t.digest[:16])
        for name, t in move.tables.items()
        if t.added or t.changed or t.removed or t.rows
    ]
    heads = ["table", "added", "changed", "removed", "compared", "sha256"]
    screen.table(heads, rows, right=(1, 2, 3, 4))
    if move.dropped:
        screen.say(f"{move.dropped} texts lost their NUL characters, which PostgreSQL cannot hold.", "yellow")
    if not move.moved:
        screen.say(f"Copied so far to {move.place}. Not moved yet: {holder}.", "bold")
        screen.say(
            "It goes on here. The same command again takes only what changed since; for the last time,"
        )
        screen.say("stop the worker first.")
        screen.say("next: icp-sync journal copy")
        return
    screen.say(f"Every row is the same on both sides. {source} has moved to {move.place}.", "bold")
    if abs(move.ahead) > _SKEW:
        side = "ahead of" if move.ahead > 0 else "behind"
        screen.say(
            f"The server's clock is {abs(move.ahead):,.1f} s {side} this machine's: set both right, and "
            "start the first worker 10 s from now or later.",
            "yellow",
        )
    screen.say(
        "The old file stays as it was, and opens for nobody any more. Keep it until a backup was made."
    )
    screen.say(f"next: set ICP_SYNC_JOURNAL, or journal in the settings, to the URL that {TO} or --to named,")
    screen.say("wherever the old one was named; then icp-sync check, and icp-sync run")


def _rows(count: int | None) -> str:
    return "" if count is None else f"{count:,}"
