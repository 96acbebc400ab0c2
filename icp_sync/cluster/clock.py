"""One clock for the workers of all machines: this machine's, corrected by what the database's says.

Turns are instants that other machines compare with theirs; the journal does the same for leases by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from icp_sync.journal import Journal
from icp_sync.observe import log

WRONG_BY = 5.0
"""Seconds from which somebody should mend this machine's clock."""


class SharedClock:
    """Callable: UTC epoch seconds by the database's clock, as far as it was last asked."""

    def __init__(self, journal: Journal, ours: Callable[[], float] = time.time) -> None:
        self._journal, self._ours = journal, ours
        self._ahead = 0.0
        self._told = False
        self.ask()

    def __call__(self) -> float:
        return self._ours() + self._ahead

    def ask(self) -> None:
        """Compare the two again. Raises UnavailableError while the database cannot be asked."""
        before = self._ours()
        said = self._journal.moment()
        self._ahead = said - (before + self._ours()) / 2
        wrong = abs(self._ahead) > WRONG_BY
        if wrong and not self._told:
            log("cluster").warning("this machine's clock is wrong", seconds=round(-self._ahead, 1))
        self._told = wrong
