"""Calls: a first backfill, an unchanged CRM again, a poll after people's edits, beside the least there is.

The least is a read for each page that accounts come in and a write for each batch of those that change.
What is asked besides (owners, properties, how far the ids go, searches of a poll) is told by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from icp_sync.ports import Stream
from icp_sync.settings import load
from icp_sync.sync.cycle import Parts, Scope, cycle
from icp_sync.sync.report import Report
from icp_sync.wiring import wire
from tests.bench.places import NO_WAVES, Served, prepared, served, settings_of
from tests.bench.sections.size import Size
from tests.bench.table import Row, Section

MOST = 1.02
CHANGED = 0.01
"""Of the accounts, edited by people before the poll."""
LATER = 60.0
"""Seconds after which search shows what was written, and no window of a poll is still open."""
_FEW = 9_900
_ENRICHER = '[[connections.bench.enrichers]]\nuse = "csv"\npath = "{path}"\nkey = "domain"\n'


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What carries accounts in a CRM: endpoints, and how many accounts a call. edited: what people change."""

    crm: str
    name: str
    edited: str
    reads: frozenset[str]
    writes: frozenset[str]
    page: int
    batch: int

    def least(self, read: int, changed: int) -> int:
        return -(-read // self.page) + -(-changed // self.batch)


HUBSPOT = Kind(
    crm="hubspot",
    name="HubSpot",
    edited="numberofemployees",
    reads=frozenset({"GET companies", "POST batch/read"}),
    writes=frozenset({"POST batch/update"}),
    page=100,
    batch=100,
)
SALESFORCE = Kind(
    crm="salesforce",
    name="Salesforce",
    edited="NumberOfEmployees",
    reads=frozenset({"GET query", "GET queryAll", "POST composite/sobjects/{id}"}),
    writes=frozenset({"PATCH composite/sobjects"}),
    page=2_000,
    batch=200,
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a command reported, and the calls it took by endpoint."""

    said: Sequence[Report]
    calls: Mapping[str, int]

    @property
    def read(self) -> int:
        return sum(one.read for one in self.said)

    @property
    def written(self) -> int:
        return sum(one.written for one in self.said)

    @property
    def asked(self) -> int:
        """Questions to enrichers."""
        return sum(one.asked.total() for one in self.said)

    def of(self, endpoints: frozenset[str]) -> int:
        return sum(n for endpoint, n in self.calls.items() if endpoint in endpoints)

    def others(self, kind: Kind) -> str:
        """The calls that carry no account, by endpoint."""
        carrying = kind.reads | kind.writes
        return ", ".join(f"{n:,} {name}" for name, n in sorted(self.calls.items()) if name not in carrying)


def economy(folder: Path, size: Size) -> Section:
    """Four rows of each CRM; Salesforce's accounts are few enough for queries."""
    few = min(size.accounts, _FEW)
    return Section(
        title=f"Calls: {size.ceiling:,} accounts on HubSpot, {few:,} on Salesforce",
        rows=[*_of(folder / "hubspot", HUBSPOT, size.ceiling), *_of(folder / "salesforce", SALESFORCE, few)],
    )


def _of(folder: Path, kind: Kind, n: int) -> list[Row]:
    folder.mkdir()
    table = folder / "known.csv"
    table.write_text("domain,founded\nnobody.example,1990\n", encoding="utf-8")
    with ExitStack() as stack:
        crm = stack.enter_context(served(kind.crm, accounts=n))
        config = prepared(settings_of(crm, folder, more=NO_WAVES + _ENRICHER.format(path=table)))
        parts = stack.enter_context(_opened(config))
        first = _counted(crm, parts, Stream.BACKFILL)
        written = _written(crm, max(1, int(n * CHANGED)))
        echo = _polled(crm, parts)
        _counted(crm, parts, Stream.BACKFILL)  # sees the last of our own writes, where polls came too late
        second = _counted(crm, parts, Stream.BACKFILL)
        _edited(crm, kind, written)
        poll = _polled(crm, parts)
    spelled, key = kind.name, "economy" if kind is HUBSPOT else f"economy.{kind.crm}"
    return [
        _row(f"{key}.first", f"{spelled}, first backfill", kind, first, n, goal=kind is HUBSPOT),
        _row(f"{key}.second", f"{spelled}, an unchanged CRM again", kind, second, n, goal=kind is HUBSPOT),
        _row(f"{key}.changed", f"{spelled}, a poll after people's edits", kind, poll, poll.read),
        _row(f"{key}.echo", f"{spelled}, the polls that see our own writes", kind, echo, echo.read),
        _nothing(f"{key}.nothing", f"{spelled}, an unchanged CRM again", kind, second),
    ]


def _row(key: str, what: str, kind: Kind, step: Step, read: int, *, goal: bool = False) -> Row:
    """The calls that carry accounts, beside the least; the others by name."""
    ours, least = step.of(kind.reads | kind.writes), kind.least(read, step.written)
    return Row(
        key=key,
        what=f"{what}: calls that read and write accounts",
        unit="calls",
        ours=ours,
        beside=least,
        goal=f"≤ {MOST} ×" if goal else "",
        met=ours <= MOST * least if goal else None,
        note=f"{read:,} read, {step.written:,} changed; besides {step.others(kind) or 'none'}",
    )


def _nothing(key: str, what: str, kind: Kind, step: Step) -> Row:
    asked, writes = step.asked, step.of(kind.writes)
    return Row(
        key=key,
        what=f"{what}: writes and questions to enrichers",
        unit="calls",
        ours=writes + asked,
        goal="0",
        met=not writes + asked,
    )


@contextmanager
def _opened(config: Path) -> Iterator[Parts]:
    wired = wire(load(config))
    try:
        wired.crm.identity()
        yield wired.parts
    finally:
        wired.journal.close()


def _counted(crm: Served, parts: Parts, *streams: Stream) -> Step:
    """Run streams one after another."""
    requests.delete(f"{crm.url}/__simulator/stats", timeout=60).raise_for_status()
    said = [cycle(stream, parts, Scope(restart=True)) for stream in streams]
    found: Any = crm.stats()
    return Step(said=[one for one in said if one is not None], calls=found["requests"])


def _polled(crm: Served, parts: Parts) -> Step:
    """A poll, once search shows all there is."""
    requests.post(f"{crm.url}/__simulator/clock", json={"advance": LATER}, timeout=60).raise_for_status()
    return _counted(crm, parts, Stream.POLL)


def _written(crm: Served, most: int) -> list[str]:
    """Ids of so many accounts we wrote."""
    ids: dict[str, None] = {}
    after, more = 0, True
    while more and len(ids) < most:
        asked = requests.get(f"{crm.url}/__simulator/writes", params={"after": str(after)}, timeout=60)
        page = asked.json()
        ids |= {entry["id"]: None for entry in page["results"]}
        after, more = page["results"][-1]["seq"], page["more"]
    return list(ids)[:most]


def _edited(crm: Served, kind: Kind, ids: Sequence[str]) -> None:
    """People change these."""
    for id in ids:
        edit = {"id": id, "properties": {kind.edited: "7"}}
        requests.post(f"{crm.url}/__simulator/edit", json=edit, timeout=60).raise_for_status()
