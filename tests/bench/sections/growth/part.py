"""One size of the growing base: read and written once, read again, then looked at while nothing happens."""

from __future__ import annotations

import json
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from icp_sync.console.place import Place
from icp_sync.console.serving import serving
from icp_sync.ports import Stream
from icp_sync.settings import load
from icp_sync.settings.console import ConsoleServer
from icp_sync.sync.cycle import cycle
from icp_sync.wiring import wire
from tests.bench.console import timed
from tests.bench.counted import Rest, Statements, at_rest
from tests.bench.places import NO_PORT, NO_WAVES, Served, measured, prepared, served, settings_of
from tests.console.visiting import paths

ONE_GO = NO_WAVES + NO_PORT
LATER = 2 * 3600.0
"""Seconds after which nothing that was written is in a window any more."""
POLLS = 5
RESTS, BEGINS = 120.0, 15.0
"""Seconds a worker is looked at, and those before in which it begins."""


@dataclass(frozen=True, kw_only=True)
class Pass:
    """Every account once: seconds of wall clock and processor, peak memory, calls."""

    wall: float
    cpu: float
    megabytes: float
    calls: int
    written: int


@dataclass(frozen=True, kw_only=True)
class Poll:
    """A poll that finds nothing new, the median of several."""

    cpu: float
    statements: int
    calls: int


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one size took. journal: bytes, after the first pass. caught: the round that sees all we wrote.

    pages: page of the console → its median and longest, ms.
    """

    accounts: int
    first: Pass
    second: Pass
    caught: Pass
    journal: int
    poll: Poll
    rest: Rest
    pages: dict[str, tuple[float, float]]


def part_from(told: dict[str, Any]) -> Part:
    """What `asdict` made of one."""
    passes = {name: Pass(**told[name]) for name in ("first", "second", "caught")}
    pages = {page: (median, longest) for page, (median, longest) in told["pages"].items()}
    return Part(
        **{**told, **passes, "poll": Poll(**told["poll"]), "rest": Rest(**told["rest"]), "pages": pages}
    )


def part(folder: Path, accounts: int, *, rests: float = RESTS, begins: float = BEGINS) -> Part:
    """One size, in a folder of its own."""
    with served(accounts=accounts) as crm:
        config = prepared(settings_of(crm, folder, more=ONE_GO))
        first = passed(crm, config, "--backfill")
        journal = sum(file.stat().st_size for file in folder.glob("journal.sqlite*"))
        second = passed(crm, config, "--backfill", "--restart")
        _ask(crm, "clock", advance=LATER)
        caught = passed(crm, config, "--once")
        return Part(
            accounts=accounts,
            first=first,
            second=second,
            caught=caught,
            journal=journal,
            poll=polled(crm, config),
            rest=at_rest(config, rests, settling=begins),
            pages=_pages(config),
        )


def passed(crm: Served, config: Path, *how: str) -> Pass:
    requests.delete(f"{crm.url}/__simulator/stats", timeout=600).raise_for_status()
    command = [sys.executable, "-m", "icp_sync", "run", *how, "--config", str(config), "--json"]
    took = measured(command, timeout=4 * 3600)
    said: dict[str, Any] = json.loads(took.out)
    if said["refused"] or said["interrupted"]:
        raise RuntimeError(f"{' '.join(how)} did not end as it should: {said}")
    return Pass(
        wall=took.wall,
        cpu=took.cpu,
        megabytes=took.megabytes,
        calls=crm.requests(),
        written=said["written"],
    )


def _ask(crm: Served, control: str, **given: object) -> None:
    requests.post(f"{crm.url}/__simulator/{control}", json=given, timeout=600).raise_for_status()


def polled(crm: Served, config: Path) -> Poll:
    statements = Statements()
    taken = []
    with ExitStack() as stack:
        wired = wire(load(config))
        stack.callback(wired.journal.close)
        wired.crm.identity()
        cycle(Stream.POLL, wired.parts)  # connects, and reads what a fresh process has to
        for _ in range(POLLS):
            calls, sent, began = crm.requests(), statements.seen, time.process_time()
            cycle(Stream.POLL, wired.parts)
            cpu = time.process_time() - began
            taken.append(Poll(cpu=cpu, statements=statements.seen - sent, calls=crm.requests() - calls))
    return sorted(taken, key=lambda one: one.cpu)[POLLS // 2]


def _pages(config: Path) -> dict[str, tuple[float, float]]:
    settings = load(config)
    wired = wire(settings)
    place = Place(name=wired.name, settings=settings, wired=lambda: wired)
    try:
        with serving([place], ConsoleServer(), "127.0.0.1:0", somebody="bench", clock=time.time) as url:
            return timed(f"{url}c/{wired.name}/", [*paths(wired.journal), "now"])
    finally:
        wired.journal.close()
