"""How far a run is: a bar with rate and time left on a terminal, a log line a minute elsewhere."""

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
def progress(what: str, total: int) -> Iterator[Callable[[Report], None]]:
    """A function to call with the report after each page.

    total: accounts there were last time, 0 where nobody knows; then there is a rate and no time left.
    """
    if sys.stderr.isatty():
        with _bar(what, total) as tick:
            yield tick
    else:
        yield lines(what, time.monotonic)


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[Report], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} accounts, {task.fields[rate]:,.0f}/s"),
        TimeElapsedColumn(),
        *((TextColumn("left"), TimeRemainingColumn()) if total else ()),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=total or None, rate=0.0)
        began = time.monotonic()

        def tick(report: Report) -> None:
            done = report.read + report.spared
            rate = done / max(0.001, time.monotonic() - began)
            shown.update(task, completed=done, total=max(total, done) or None, rate=rate)

        yield tick


def lines(what: str, clock: Callable[[], float]) -> Callable[[Report], None]:
    """Logs a line at the first page after each minute."""
    from icp_sync.observe import log

    began = clock()
    said = [began]

    def tick(report: Report) -> None:
        now = clock()
        if now - said[0] < EVERY:
            return
        said[0] = now
        rate = round(report.read / max(0.001, now - began), 1)
        log("run").info(what, read=report.read, written=report.written, per_second=rate)

    return tick
