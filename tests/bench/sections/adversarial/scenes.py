"""What happens behind a reader's back, and what it made of it: ties, late records, thousands at once.

A scene is people's side of a simulator alone; the reader is asked again and again for what is new to it. What
shows late is made with a stamp that long before the newest record the reader has seen, and is there at once:
to the reader there is no difference between that and a stamp of then that shows only now.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import requests

from tests.bench.places import Served

BEFORE = 600
LATE = 5
MANY = 12_000
MOST_SECONDS = 45.0
"""After which a reader that has not come to an end is ended."""
OFTEN = 1.5
"""Times each record is given out, on average, above which one that was ended went round in circles."""
A_SECOND = 1.1
"""Seconds after which a stamp is another one, also where it has whole seconds."""
AN_HOUR = 3_700.0
"""What is late by less than an hour has shown by then."""
BEHIND: Mapping[str, float] = {"tie": 0, "1 s late": 1, "120 s late": 120, "900 s late": 900}
"""Scene → seconds by which its records are stamped before the newest one."""
STALE = "stale index"
SCENES = (*BEHIND, STALE)


@dataclass(frozen=True, kw_only=True)
class Read:
    """What one run of a reader gave out. ended: whether it came to an end by itself. refused: why it stopped
    before it had read all."""

    emitted: tuple[str, ...]
    ended: bool = True
    refused: str = ""


class Reader(Protocol):
    """Something that reads accounts and remembers how far it is. `name` is how the table calls it.

    own_clock: it goes by this machine's clock, so the CRM's may not run ahead of it in small."""

    name: str
    own_clock: bool

    def read(self) -> Read:
        """Everything that is new to it."""


@dataclass(kw_only=True)
class Found:
    """at_once, later: scene → how many of the late ones the next run gave out, and how many in all once an
    hour had passed. many: the run over thousands with one stamp; calls: what it took; made: their ids."""

    at_once: dict[str, int] = field(default_factory=dict)
    later: dict[str, int] = field(default_factory=dict)
    many: Read = Read(emitted=())
    calls: int = 0
    made: frozenset[str] = frozenset()

    @property
    def missed(self) -> int:
        return sum(LATE - found for found in self.later.values()) + len(self.made - set(self.many.emitted))

    @property
    def looped(self) -> int:
        return 0 if self.many.ended else 1

    def cells(self) -> list[str]:
        return [*(self._cell(scene) for scene in SCENES), self._crowd()]

    def _cell(self, scene: str) -> str:
        now, then = self.at_once[scene], self.later[scene]
        return f"{now}/{LATE}" if now == then else f"{now}/{LATE}, an hour later {then}/{LATE}"

    def _crowd(self) -> str:
        distinct = len(self.made & set(self.many.emitted))
        said = f"{distinct:,} of {len(self.made):,} in {self.calls:,} calls"
        if not self.many.ended:
            word = "**loops**" if len(self.many.emitted) > OFTEN * distinct else "no end"
            return f"{word}: {len(self.many.emitted):,} given out, {said}"
        return said + (f", then {self.many.refused}" if self.many.refused else "")


class People:
    """The other side of a simulated CRM."""

    def __init__(self, crm: Served, *, patient: bool = True) -> None:
        """patient: they let seconds pass; otherwise they move the CRM's clock."""
        self.crm = crm
        self.wait: Callable[[float], object] = time.sleep if patient else self.pass_time
        self.name = "name" if crm.crm == "hubspot" else "Name"

    def make(self, count: int, at: float, *, visible_late: float = 0) -> list[str]:
        """So many accounts with one stamp, epoch seconds."""
        made: list[str] = self._do(
            "create",
            properties={self.name: "Somebody"},
            count=count,
            at=int(at * 1000),
            visible_late=visible_late,
        )["ids"]
        return made

    def touch(self, count: int) -> None:
        """A job gives the first so many accounts a new stamp, two seconds before anybody reads again."""
        self._do("bump", count=count)
        self.wait(2 * A_SECOND)

    def now(self) -> float:
        return float(self._do("clock")["epoch"])

    def pass_time(self, seconds: float) -> None:
        self._do("clock", advance=seconds)

    def show_all(self) -> None:
        self._do("flush")

    def _do(self, control: str, **told: object) -> Any:
        reply = requests.post(f"{self.crm.url}/__simulator/{control}", json=told, timeout=120)
        reply.raise_for_status()
        return reply.json()


def late_ones(crm: Served, reader: Reader, found: Found, *, before: int = BEFORE) -> None:
    """Every scene in turn, a newer record seen before each; then an hour passes."""
    people = People(crm, patient=reader.own_clock)
    people.make(before, people.now() - 2)
    reader.read()
    behind = {}
    for scene, seconds in BEHIND.items():
        newest = _seen(people, reader)
        behind[scene] = people.make(LATE, newest - seconds)
        found.at_once[scene] = _of(behind[scene], reader.read())
    behind[STALE] = people.make(LATE, people.now(), visible_late=600)
    _seen(people, reader)
    people.show_all()
    found.at_once[STALE] = _of(behind[STALE], reader.read())
    people.pass_time(AN_HOUR)
    last = reader.read()
    for scene, ids in behind.items():
        found.later[scene] = max(found.at_once[scene], _of(ids, last))


def crowd(crm: Served, reader: Reader, found: Found, *, many: int = MANY) -> None:
    """So many with one stamp, after a reader has begun."""
    people = People(crm, patient=reader.own_clock)
    _seen(people, reader)
    people.wait(A_SECOND)
    found.made = frozenset(people.make(many, people.now()))
    people.wait(2 * A_SECOND)  # a window ends at the CRM's clock, which replies tell in whole seconds
    calls = crm.requests()
    found.many = reader.read()
    found.calls = crm.requests() - calls


def _seen(people: People, reader: Reader) -> float:
    """A new record that the reader has seen; its stamp."""
    people.wait(A_SECOND)
    at = float(int(people.now()))
    people.make(1, at)
    reader.read()
    return at


def _of(ids: list[str], read: Read) -> int:
    return len(set(ids) & set(read.emitted))
