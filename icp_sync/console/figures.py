"""What a connection's pages show of all its accounts, counted beside the requests.

Counting a million accounts takes longer than a page may; so it is done by a thread of its own, now and then,
and pages say how old their figures are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from icp_sync.console.place import Place
from icp_sync.observe import log
from icp_sync.reporting.status import collect

EVERY = 15.0
"""Seconds between two counts at least."""
SHARE = 20.0
"""How many times as long as a count took is waited before the next one."""
LOOKED_LATELY = 600.0
"""Seconds after somebody looked during which figures are counted anew."""
AMONG = 0.5
"""Seconds between two counts for each connection there is: two hundred are not counted at once."""
LONGEST = 5.0
"""Seconds that a count is taken to have lasted at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """data: what `reporting.status.collect` returns, and as of when."""

    at: float
    data: Mapping[str, Any]


class Figures:
    """The latest figures of one connection; None until they were counted first. failing: since when they
    could not be counted, None while they can."""

    def __init__(self, place: Place, clock: Callable[[], float], *, among: int = 1) -> None:
        """among: so many connections."""
        self.place, self._clock = place, clock
        self._every = max(EVERY, AMONG * among)
        self._looked_at = float("-inf")
        self.latest: Counted | None = None
        self.failing: float | None = None
        self._stop, self._now = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"figures {place.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.leave()
        self._thread.join(timeout=10)

    def leave(self) -> None:
        """Count no more; whoever counts ends by itself."""
        self._stop.set()
        self._now.set()

    def looked(self) -> Figures:
        """Somebody looks; after a while in which nobody did, they are counted at once."""
        before, self._looked_at = self._looked_at, self._clock()
        if self._looked_at - before >= LOOKED_LATELY and self.latest is not None:
            self._now.set()
        return self

    @property
    def stopped(self) -> bool:
        """Whether the console is about to end; who computes for it ends too."""
        return self._stop.is_set()

    def again(self) -> None:
        """Something has changed: count as soon as may be."""
        self._now.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._now.clear()
            began = self._clock()
            try:
                self.latest = Counted(at=began, data=self._counted())
                self.failing = None
            except Exception as error:  # whatever it is, pages say so, and the next count is tried
                self.failing = began if self.failing is None else self.failing
                log("console").warning("not counted", connection=self.place.name, error=repr(error))
            rest = SHARE * min(LONGEST, max(0.0, self._clock() - began))
            if not self._stop.wait(rest):  # however often somebody asks
                self._now.wait(self._every)
            while not self._looked_lately() and not self._now.is_set():
                self._now.wait(self._every)

    def _looked_lately(self) -> bool:
        return self.latest is None or self._clock() - self._looked_at < LOOKED_LATELY

    def _counted(self) -> Mapping[str, Any]:
        journal = self.place.journal
        return collect(self.place.opened, journal.left_alone_count())
