"""Where a command's rows go: a file that appears under its name only when it is whole, or standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer

from icp_sync.errors import Problem

STDOUT = Path("-")

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
    with whole(out) as stream:
        yield stream


def unfit(out: Path | None, read: Path | None, *, as_json: bool) -> list[Problem]:
    """What is wrong with writing there: it is the file that is read, or stdout has another purpose."""
    if out == STDOUT and as_json:
        return [Problem(where="--out -", what="standard output is for the JSON document already")]
    if out not in (None, STDOUT) and read is not None and out.resolve() == read.resolve():
        return [Problem(where="--out", what="would overwrite the file it reads", hint="name another")]
    return []
