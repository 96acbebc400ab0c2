"""How many calls this process has under way at once, where somebody wants few. Must not know what for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from icp_sync.errors import UnavailableError

LOOK = 0.2
"""Seconds between two looks whether to stop waiting."""


class Places:
    """most: calls at once, 0 for as many as come. stop: ends every wait."""

    def __init__(self, most: int, stop: threading.Event) -> None:
        self._free = threading.BoundedSemaphore(most) if most else None
        self._stop = stop

    @contextmanager
    def one(self) -> Iterator[None]:
        """A place for one call, as soon as there is one. Raises UnavailableError when told to stop."""
        if self._free is None:
            yield
            return
        while not self._free.acquire(timeout=LOOK):
            if self._stop.is_set():
                raise UnavailableError("stopped before sending")
        try:
            yield
        finally:
            self._free.release()
