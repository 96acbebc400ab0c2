"""One portal hangs, or answers 429: how much longer the edits of people in the others wait for their score.

In a cluster, or in one process (`icp-sync run`) for comparison.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.cluster.fleet import Fleet, fleet, until
from tests.cluster.portals import Portal, Wanted

ILLS = ("hangs", "answers 429")
FITS, DOES_NOT = "100", "9000"
"""Employees: whoever has the one gets another score than with the other."""
MOST = 5.0
"""Seconds by which the 95th percentile may move."""
A_WHILE = 60.0
"""Seconds that an edit may wait before it counts as lost."""
HANGS = 120
"""Seconds a hanging portal needs for each answer: longer than anybody waits."""

Told = Callable[[str], object]


@dataclass(slots=True)
class Town:
    """A portal that is well. edited: company → since when its edit waits, on the portal's clock."""

    portal: Portal
    score: str
    ids: list[str]
    edited: dict[str, float] = field(default_factory=dict)
    fits: dict[str, bool] = field(default_factory=dict)
    seq: int = 0

    def edit(self, dice: random.Random) -> None:
        idle = [id for id in self.ids if id not in self.edited]
        if idle:
            id = dice.choice(idle)
            self.fits[id] = not self.fits.get(id, False)
            self.edited[id] = float(self.portal.admin("GET clock")["epoch"])
            values = {"numberofemployees": FITS if self.fits[id] else DOES_NOT}
            self.portal.admin("POST edit", id=id, properties=values)

    def waited(self) -> Iterator[float]:
        """Seconds that each edit waited whose score has been written since the last look."""
        told: Any = {"more": True}
        while told["more"]:
            told = self.portal.admin("GET writes", after=self.seq, limit=5_000)
            for raw in told["results"]:
                self.seq = raw["seq"]
                since, at = self.edited.get(raw["id"]), raw["at"] / 1000
                if raw["property"] == self.score and since is not None and since <= at:
                    yield at - self.edited.pop(raw["id"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """Seconds that edits waited for their score; lost: those that waited for too long."""

    waited: tuple[float, ...]
    lost: int

    @property
    def p95(self) -> float:
        return self.waited[int(len(self.waited) * 0.95)] if self.waited else 0.0

    def row(self) -> dict[str, object]:
        half = self.waited[len(self.waited) // 2] if self.waited else 0.0
        return {
            "edits": len(self.waited),
            "p50": f"{half:.1f} s",
            "p95": f"{self.p95:.1f} s",
            "lost": self.lost,
        }


class Towns:
    """The first portal is the one that falls ill; people work in the others."""

    def __init__(self, at: Fleet, seed: int = 1) -> None:
        self.at, self.dice = at, random.Random(seed)
        self.ill, *well = at.portals.values()
        self.well = [Town(portal, at.properties["fit_score"], sorted(portal.records())) for portal in well]
        for town in self.well:
            assert not list(town.waited()), "nobody has edited anything yet"

    def strike(self, ill: str) -> None:
        if ill == "hangs":
            self.ill.admin("POST settings", latency=HANGS)
        else:
            self.ill.admin("POST faults", rules=[{"kind": "429", "match": "", "count": 1_000_000}])

    def heal(self) -> None:
        self.ill.admin("POST settings", latency=0)
        self.ill.admin("DELETE faults")

    def work(self, seconds: float, every: float = 0.2) -> Fresh:
        """Edits for so long, and how long each waited."""
        waited: list[float] = []
        ends = time.monotonic() + seconds
        while (working := time.monotonic() < ends) or (
            any(town.edited for town in self.well) and time.monotonic() < ends + A_WHILE
        ):
            if working:
                self.dice.choice(self.well).edit(self.dice)
            for town in self.well:
                waited += town.waited()
            time.sleep(every)
        lost = sum(len(town.edited) for town in self.well)
        for town in self.well:
            town.edited.clear()
        return Fresh(waited=tuple(sorted(waited)), lost=lost)


@contextmanager
def towns(
    portals: int, accounts: int, workers: int, *, poll: float, apart: bool = False, cluster: str = ""
) -> Iterator[Towns]:
    """All portals settled. workers: 0 for one process of `icp-sync run`, with a journal on SQLite."""
    wanted = [Wanted(accounts=accounts, seed=n + 1, made=True) for n in range(portals)]
    schedule = f'poll = "{poll}s"\ntrailing = "{max(1.0, poll)}s"\ndue = "{poll}s"\nsweep = "24h"'
    with fleet(
        wanted,
        apart=apart,
        url="" if workers else "sqlite",
        schedule=schedule,
        cluster=cluster or 'lease = "60s"',
    ) as at:
        for portal in at.portals.values():
            for id in portal.records():
                portal.admin("POST edit", id=id, properties={"numberofemployees": DOES_NOT})
        at.start(max(1, workers), command="worker" if workers else "run")
        until(at.all_backfilled, "every portal is backfilled", 600)
        yield Towns(at)


def run(
    portals: int,
    accounts: int,
    workers: int,
    *,
    seconds: float,
    poll: float = 10.0,
    told: Told = lambda _: None,
) -> dict[str, Fresh]:
    """What happens → how fresh the others are meanwhile."""
    with towns(portals, accounts, workers, poll=poll, apart=True) as at:
        at.work(2 * poll)
        found = {"all well": at.work(seconds)}
        for ill in ILLS:
            at.strike(ill)
            found[ill] = at.work(seconds)
            at.heal()
            told(f"{ill}: {found[ill].row()}")
            at.work(2 * poll)
    return found
