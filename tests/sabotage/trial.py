"""A day at a simulated portal in which everything happens once that the checker looks for; its table as JSON.

`python -m tests.sabotage.trial`: with the sound program every column is 0. All in one process, a few seconds:
changes, an edit over a value of ours, one between our read and our write, a page overtaken by another stream,
sweeps that find nothing to do, and a day's calls that come to their end.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import structlog

from icp_sync.domain.plan import Outcome, Write
from icp_sync.errors import UnavailableError
from icp_sync.ports import Page, Query, Stream
from icp_sync.simulator.others import ON_ITS_WAY
from icp_sync.sync.cycle import cycle
from tests.soak.checker import Table, check
from tests.soak.ground import Ground

ABOVE = 8
"""Calls above the reserve that are left in the end."""


class _Meddled:
    """The CRM with people at work at a chosen moment: after a page was read, or before it is written."""

    def __init__(
        self, crm: Any, *, read: Callable[[], None] | None, written: Callable[[], None] | None
    ) -> None:
        self._crm, self._after_read, self._before_write = crm, read, written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._crm, name)

    def pages(self, query: Query) -> Iterator[Page]:
        for page in self._crm.pages(query):
            if page.accounts and self._after_read:
                meddle, self._after_read = self._after_read, None
                meddle()
            yield page

    def write(self, writes: Sequence[Write]) -> Iterator[Outcome]:
        if writes and self._before_write:
            meddle, self._before_write = self._before_write, None
            meddle()
        yield from self._crm.write(writes)


def trial(folder: Path) -> Table:
    """Everything once; see the module."""
    at = Ground(folder, None, accounts=0)
    try:
        for n in range(6):
            values = {"name": f"Company {n}", "domain": f"company-{n}.com", "country": "France"}
            made = at.crm.admin("POST create", properties={**values, "numberofemployees": "80"})
            at.companies.append(str(made["id"]))
        at.cycle(Stream.BACKFILL)
        _settled(at)
        _a_day(at)
        for _ in range(12):
            at.pass_time()
            at.cycle(Stream.SWEEP)
        _to_the_reserve(at)
        return check(at.ledger.evidence(at.companies))
    finally:
        at.close()


def _a_day(at: Ground) -> None:
    grown, typed, between, overtaken = at.companies[:4]
    _edit(at, grown, employees="90000")
    _settled(at)
    _edit(at, typed, lane="success")
    _settled(at)
    at.cycle(Stream.SWEEP)
    _edit(at, between, employees="150000")
    _meddled(at, Stream.POLL, written=lambda: _edit(at, between, lane="success"))
    _settled(at)
    _edit(at, overtaken, employees="20")
    _settled(at)
    _edit(at, overtaken, employees="150000")

    def faster() -> None:
        _edit(at, overtaken, employees="80")
        _settled(at)

    _meddled(at, Stream.SWEEP, read=faster)
    _settled(at)


def _edit(at: Ground, id: str, **values: str) -> None:
    named = {at.properties[name]: value for name, value in values.items()}
    at.crm.admin("POST edit", id=id, properties=named, source="person")


def _settled(at: Ground) -> None:
    """The daemon's round, twice: what was written is seen."""
    for _ in range(2):
        at.pass_time()
        at.cycle(Stream.POLL, Stream.DUE)


def _meddled(
    at: Ground,
    stream: Stream,
    *,
    read: Callable[[], None] | None = None,
    written: Callable[[], None] | None = None,
) -> None:
    at.pass_time()
    parts = at.wired.parts
    cycle(stream, replace(parts, crm=_Meddled(parts.crm, read=read, written=written)))


def _to_the_reserve(at: Ground) -> None:
    """Polls until the day's calls are used up to what is left to others, and some more: the second half when
    every reply has been read for certain."""
    stats: Any = at.crm.admin("GET stats")
    limit = -(-(int(stats["used_today"]) + ABOVE) * 10 // 8)
    at.ledger.take()  # before the log is emptied with the rest
    at.crm.admin("DELETE stats")
    at.crm.admin("POST settings", daily_limit=limit, reserve=-(-limit // 5))
    for n in range(2 * ABOVE):
        at.pass_time()
        if n == ABOVE - 2:
            time.sleep(ON_ITS_WAY)
        try:
            at.cycle(Stream.POLL, Stream.SWEEP)  # a search alone does not tell what is left
        except UnavailableError:
            return


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with TemporaryDirectory() as folder:
        table = trial(Path(folder))
    told = {name: len(found) for name, found in table.findings.items()}
    print(json.dumps({"columns": told, "said": table.said(2)}))


if __name__ == "__main__":
    main()
