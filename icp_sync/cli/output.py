"""Where a command's rows go: a file that appears under its name only when it is whole, or standard output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, TextIO

import typer

from icp_sync.cli.stopped import tidy
from icp_sync.errors import Problem

STDOUT = Path("-")
TABLES = (".csv", ".tsv", ".txt")
_HEAD = 1 << 20
"""Characters a header may have."""

Ours = Callable[[Sequence[str]], bool]
"""Whether a header is one that the command writes."""

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
    with tidy(), whole(out) as stream:
        yield stream


@contextmanager
def draft_of(out: Path) -> Iterator[Path]:
    """Where to write a file that is no text, which appears under its name when it is whole. Raises
    ConfigError when it cannot be written there."""
    from icp_sync.tables.writing import drafted

    with tidy(), drafted(out) as draft:
        yield draft


def unfit(
    out: Path | None,
    ours: Ours,
    *read: Path | None,
    option: str = "--out",
    kinds: Collection[str] = TABLES,
    as_json: bool = False,
) -> list[Problem]:
    """What is wrong with writing a table there: the command reads that file, it is another table or no table
    at all, or stdout has another purpose. What this command wrote earlier may be written again.

    ours: whether the header is one this command writes. read: the files it reads. option: that names `out`.
    """
    if out is None:
        return []
    if out == STDOUT:
        what = "standard output is for the JSON document already"
        return [Problem(where=f"{option} -", what=what)] if as_json else []
    if any(one is not None and one.resolve() == out.resolve() for one in read):
        return [Problem(where=option, what="would overwrite the file it reads", hint="name another")]
    if (problems := precious(out, kinds, option=option)) or not out.is_file() or not out.stat().st_size:
        return problems
    if any(map(ours, _headers(out))):
        return []
    what = f"{out} is there already, with other columns than this command writes"
    return [Problem(where=option, what=what, hint="name a new file")]


def exactly(header: Sequence[str]) -> Ours:
    """Nothing but these columns, in this order."""
    wanted = list(header)
    return lambda found: list(found) == wanted


def precious(out: Path | None, kinds: Collection[str], *, option: str = "--out") -> list[Problem]:
    """That a file of another kind stands there: a profile, the settings, a journal, somebody's work."""
    if out in (None, STDOUT) or not out.is_file() or out.suffix.lower() in kinds:
        return []
    what = f"{out} is there already, and nothing that this command writes"
    return [Problem(where=option, what=what, hint=f"name a file that ends in {' or '.join(kinds)}")]


def _headers(file: Path) -> Iterator[list[str]]:
    """What the header of a table may be, none where it cannot be read."""
    import csv
    from io import StringIO

    from icp_sync.tables.parquet import SUFFIX, header_of

    if file.suffix.lower() == SUFFIX:
        yield from (header_of(file),)
        return
    with suppress(OSError):
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            text = stream.read(_HEAD)
        for delimiter in ",;\t|":
            with suppress(csv.Error, StopIteration):
                yield next(csv.reader(StringIO(text, newline=""), delimiter=delimiter))
