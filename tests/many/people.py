"""People who edit companies in many portals, and how long each of their edits waits for its score."""

from __future__ import annotations

import random
import time
from typing import Any

from icp_sync.simulator import Simulator
from tests.many.agency import DOES_NOT, Agency

FAULTS = ("hangs", "answers 429")
FITS = "100"
SCORE = "icp_fit_score"
A_WHILE = 90.0
"""Seconds an edit may wait before it counts as lost."""


class People:
    """ill: the connection that is struck; nobody edits there."""

    def __init__(self, agency: Agency, ill: str, seed: int = 1) -> None:
        self._agency, self._ill = agency, ill
        self._well = {name: crm for name, crm in agency.portals.items() if name != ill}
        self._random = random.Random(seed)
        self._after = dict.fromkeys(self._well, 0)
        self._fits: dict[tuple[str, str], bool] = {}

    def wait_for_all(self, seconds: float) -> None:
        """Until every company of every portal has a score."""
        until = time.monotonic() + seconds
        for name, crm in self._agency.portals.items():
            while self._agency.settled(name) < crm.accounts:
                assert time.monotonic() < until, f"{name} was never read through"
                time.sleep(0.5)
        for name, crm in self._well.items():
            for raw in self._writes(name):
                self._fits[name, raw["id"]] = False
            assert sum(1 for one in self._fits if one[0] == name) == crm.accounts

    def at_work(self, seconds: float, every: float = 0.25) -> dict[str, float]:
        """Edit for so long, wait for what is open, and say how long edits waited, in seconds."""
        pending: dict[tuple[str, str], float] = {}
        waited: list[float] = []
        began = time.monotonic()
        while (working := time.monotonic() - began < seconds) or (
            pending and time.monotonic() - began < seconds + A_WHILE
        ):
            if working:
                self._edit(pending)
            for name in self._well:
                waited += [
                    raw["at"] / 1000 - at
                    for raw in self._writes(name)
                    if (at := pending.pop((name, raw["id"]), None)) is not None
                ]
            time.sleep(every)
        waited.sort()
        return {
            "edits": len(waited),
            "p50": waited[len(waited) // 2],
            "p95": waited[int(len(waited) * 0.95)],
            "lost": len(pending),
        }

    def strike(self, fault: str) -> None:
        crm = self._agency.portals[self._ill]
        if fault == "hangs":
            crm.admin("POST settings", latency=120)
        else:
            crm.admin("POST faults", rules=[{"kind": "429", "match": "", "count": 1_000_000}])

    def heal(self) -> None:
        crm = self._agency.portals[self._ill]
        crm.admin("POST settings", latency=0)
        crm.admin("DELETE faults")

    def of_the_well(self, line: str) -> bool:
        """Whether a line of the worker's log complains, and not of the one that is ill."""
        return ("[warning" in line or "[error" in line) and f"connection={self._ill}" not in line

    def _edit(self, pending: dict[tuple[str, str], float]) -> None:
        idle = [key for key in self._fits if key not in pending]
        if not idle:
            return
        name, id = key = self._random.choice(idle)
        self._fits[key] = not self._fits[key]
        crm: Simulator = self._well[name]
        value = FITS if self._fits[key] else DOES_NOT
        pending[key] = _now(crm)
        crm.admin("POST edit", id=id, properties={"numberofemployees": value})

    def _writes(self, name: str) -> list[dict[str, Any]]:
        """Scores written since the last look."""
        found: list[dict[str, Any]] = []
        while True:
            told: Any = self._well[name].admin("GET writes", after=self._after[name], limit=1000)
            for raw in told["results"]:
                self._after[name] = raw["seq"]
                if raw["property"] == SCORE:
                    found.append(raw)
            if not told["more"]:
                return found


def _now(crm: Simulator) -> float:
    return crm.clock.now()
