"""Where a command's rows go: a file that appears under its name only when it is whole, or standard output."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer

from icp_sync.errors import Problem

STDOUT = Path("-")
TABLES = (".csv", ".tsv", ".txt")

Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the rows to a CSV file, or - for standard output."),
]


@contextmanager
def rows_to(out: Path) -> Iterator[TextIO]:
    """A text stream for rows. Raises ConfigError when they cannot be written there."""
    from icp_sync.tables.writing import whole

    if out == STDOUT:
        yield sys.stdout
        return
    with _tidy(), whole(out) as stream:
        yield stream


@contextmanager
def draft_of(out: Path) -> Iterator[Path]:
    """Where to write a file that is no text, which appears under its name when it is whole. Raises
    ConfigError when it cannot be written there."""
    from icp_sync.tables.writing import drafted

    with _tidy(), drafted(out) as draft:
        yield draft


def unfit(out: Path | None, read: Path | None, *, as_json: bool) -> list[Problem]:
    """What is wrong with writing there: it is the file that is read, or stdout has another purpose."""
    if out == STDOUT and as_json:
        return [Problem(where="--out -", what="standard output is for the JSON document already")]
    if out not in (None, STDOUT) and read is not None and out.resolve() == read.resolve():
        return [Problem(where="--out", what="would overwrite the file it reads", hint="name another")]
    return precious(out, TABLES)


def precious(out: Path | None, kinds: Collection[str]) -> list[Problem]:
    """That a file of another kind stands there: a profile, the settings, a journal, somebody's work."""
    if out in (None, STDOUT) or not out.is_file() or out.suffix.lower() in kinds:
        return []
    what = f"{out} is there already, and nothing that this command writes"
    return [Problem(where="--out", what=what, hint=f"name a file that ends in {' or '.join(kinds)}")]


@contextmanager
def _tidy() -> Iterator[None]:
    """While it lasts, being told to stop ends the block as an error does, so that it can clean up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
