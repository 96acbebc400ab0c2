"""Tries cells, one after another, on places that are used again as long as they are in order."""

from __future__ import annotations

import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import cycle
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any
from zlib import crc32

from tests.matrix.cells import Cell, cells
from tests.matrix.checks import check_errors, check_positions, check_rest, come_to_rest
from tests.matrix.orgs import PLACES
from tests.matrix.places import DAY, Portal
from tests.postgres import DATABASES, journal_url

DAYS_AT_ONE = 25
"""Cells after which a place is made anew, long before what people typed there has had its time."""


@contextmanager
def opened(name: str, database: str = "sqlite") -> Iterator[Portal]:
    folder = Path(mkdtemp(prefix="icp-sync-matrix-"))
    with journal_url(database) as url:
        place = PLACES[name](folder, journal=url)
        try:
            come_to_rest(place)
            yield place
        finally:
            place.close()
            rmtree(folder, ignore_errors=True)


@cache
def calls_of_a_day(name: str) -> Mapping[str, int]:
    """Endpoint → how often an undisturbed day calls it, of two days the less busy one."""
    days = []
    with opened(name) as place:
        for seed in (1, 2):
            place.people_work(random.Random(seed))
            place.crm.admin("DELETE stats")
            met = place.work(*DAY)
            assert met == {}, met
            days.append(place.calls())
            come_to_rest(place)
    return {
        endpoint: min(count, days[1][endpoint]) for endpoint, count in days[0].items() if endpoint in days[1]
    }


@dataclass(slots=True)
class Tried:
    """fired: whether the fault struck at all. stopped: how many of the day's cycles it ended. rounds: of
    undisturbed work until all was made good."""

    fired: bool
    stopped: int
    rounds: int


def tried(place: Portal, cell: Cell) -> Tried:
    """A day with a fault in it, and what follows. Raises AssertionError naming the promise that is broken."""
    place.crm.admin("DELETE stats")  # and the logs
    place.people_work(random.Random(crc32(str(cell).encode())))
    rule: dict[str, object] = {"kind": cell.fault.kind(cell.place), "match": f"^{_exactly(cell.endpoint)}$"}
    rule |= {"nth": cell.nth, "count": cell.times}
    if cell.fault.seconds is not None:
        rule["seconds"] = cell.fault.seconds
    place.crm.admin("POST faults", rules=[rule])
    met = place.work(*DAY, impatient="timeout" in cell.fault.name)
    rules: Any = place.crm.admin("GET faults")["rules"]
    place.crm.admin("DELETE faults")
    _await_port(place)
    check_errors(place, met)
    check_positions(place, met)
    rounds = come_to_rest(place)
    check_rest(place, cell)
    return Tried(fired=rules[0]["fired"] > 0, stopped=len(met), rounds=rounds)


def _exactly(endpoint: str) -> str:
    return "".join(f"[{c}]" if c in "{}.()+*?" else c for c in endpoint)


def _await_port(place: Portal) -> None:
    """Until a port that was closed for a moment listens again, twice in a row: it may be about to close."""
    good = 0
    while good < 2:
        time.sleep(0.03 if good else 0.0)
        try:
            with suppress(RuntimeError):
                host, _, port = place.crm.url.removeprefix("http://").partition(":")
                socket.create_connection((host, int(port)), timeout=5.0).close()
                good += 1
        except OSError:
            good = 0


@dataclass(slots=True)
class Table:
    """What came of many cells: by place, and each promise that was broken."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    rounds: int = 0
    endpoints: set[tuple[str, str]] = field(default_factory=set)
    faults: set[str] = field(default_factory=set)
    databases: set[str] = field(default_factory=set)

    def add(self, cell: Cell, found: Tried | AssertionError) -> None:
        counted = self.counts.setdefault(cell.place, Counter())
        counted["cells"] += 1
        if isinstance(found, AssertionError):
            counted["broken"] += 1
            self.broken.append(f"{cell}: {str(found).partition(chr(10))[0]}")
            return
        counted["struck"] += found.fired
        counted["stopped cycles"] += found.stopped
        self.rounds = max(self.rounds, found.rounds)
        if found.fired:
            self.endpoints.add((cell.place, cell.endpoint))
            self.faults.add(cell.fault.name)


def whole() -> list[Cell]:
    """Every cell of every place, in an order of no meaning, so that any beginning of it is a fair sample."""
    every = [cell for name in PLACES for cell in cells(name, calls_of_a_day(name))]
    random.Random(7).shuffle(every)
    return every


def through(
    chosen: list[Cell], going: Callable[[], bool] = lambda: True, told: Callable[[str], None] = lambda _: None
) -> Table:
    """Try these cells, place by place, as long as `going`; `told` of each promise that was broken. The
    databases of the journals take turns."""
    table = Table()
    databases = {name: cycle(DATABASES) for name in PLACES}
    per_turn: dict[tuple[str, str], list[Cell]] = {}
    for cell in chosen:
        where = cell.place, next(databases[cell.place])
        turn = per_turn.setdefault(where, [])
        turn.append(cell)
        if len(turn) == DAYS_AT_ONE:
            _turn(per_turn.pop(where), where[1], table, going, told)
    for (_, database), turn in per_turn.items():
        _turn(turn, database, table, going, told)
    return table


def _turn(
    turn: list[Cell], database: str, table: Table, going: Callable[[], bool], told: Callable[[str], None]
) -> None:
    """Cells of one place. One where a promise was broken is not used again."""
    left = iter(turn)
    while going() and (cell := next(left, None)) is not None:
        with opened(cell.place, database) as place:
            table.databases.add(database)
            while cell is not None and going():
                try:
                    found = tried(place, cell)
                    if not found.fired:  # this day had fewer calls than those it was planned by
                        found = tried(place, replace(cell, nth=1))
                    table.add(cell, found)
                except AssertionError as error:
                    table.add(cell, AssertionError(f"on {database}: {error}"))
                    told(table.broken[-1])
                    break
                cell = next(left, None)


def run(budget_seconds: float) -> dict[str, object]:
    """As much of the whole matrix as fits into so many seconds, and what came of it."""
    every, until = whole(), time.monotonic() + budget_seconds
    table = through(every, going=lambda: time.monotonic() < until)
    return summed(table, len(every))


def summed(table: Table, of: int) -> dict[str, object]:
    done = sum(counted["cells"] for counted in table.counts.values())
    return {
        "cells": done,
        "of": of,
        "struck": sum(counted["struck"] for counted in table.counts.values()),
        "stopped_cycles": sum(counted["stopped cycles"] for counted in table.counts.values()),
        "faults": len(table.faults),
        "endpoints": len(table.endpoints),
        "convergence_rounds": table.rounds,
        "broken": table.broken,
    }
