"""How far a long read is: a bar on a terminal, a line a minute elsewhere, always on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.sync.report import Report

EVERY = 60.0  # seconds between lines where there is no terminal


@contextmanager
def ticking(what: str) -> Iterator[Callable[[Report], None]]:
    """A function to call with the report after each page."""
    if sys.stderr.isatty():
        yield from _counter(what)
    else:
        yield _lines(what)


def _counter(what: str) -> Iterator[Callable[[Report], None]]:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what)
        began = time.monotonic()

        def tick(report: Report) -> None:
            rate = report.read / max(0.001, time.monotonic() - began)
            progress.update(task, description=f"{what}: {report.read:,} accounts, {rate:,.0f}/s")

        yield tick


def _lines(what: str) -> Callable[[Report], None]:
    said = [time.monotonic()]

    def tick(report: Report) -> None:
        if time.monotonic() - said[0] >= EVERY:
            said[0] = time.monotonic()
            print(f"{what}: {report.read:,} accounts", file=sys.stderr)

    return tick
