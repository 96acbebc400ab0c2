"""The connections of the console as the worker has them: they may come and go while it answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from icp_sync.console.figures import Figures
from icp_sync.console.place import Place

LOOK = 1.0
"""Seconds for which the list of connections is good."""


class Shelf(Mapping[str, Figures]):
    """Connection → its figures, counted for as long as it is there."""

    def __init__(self, places: Callable[[], Sequence[Place]], clock: Callable[[], float]) -> None:
        self._places, self._clock = places, clock
        self._known: dict[str, Figures] = {}
        self._lock = threading.Lock()
        self._started = False
        self._looked_at = float("-inf")

    def start(self) -> None:
        self._started = True
        self._now()

    def stop(self) -> None:
        self._started = False
        for one in self._known.values():
            one.stop()

    def __getitem__(self, name: str) -> Figures:
        return self._now()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def _now(self) -> dict[str, Figures]:
        with self._lock:
            if self._started and time.monotonic() - self._looked_at >= LOOK:
                self._looked_at = time.monotonic()
                self._look()
            return self._known

    def _look(self) -> None:
        places = {place.name: place for place in self._places()}
        for name in self._known.keys() - places.keys():
            self._known[name].leave()
        fresh = {
            name: Figures(place, self._clock, among=len(places))
            for name, place in places.items()
            if name not in self._known
        }
        self._known = {name: self._known.get(name) or fresh[name] for name in places}
        for one in fresh.values():
            one.start()
