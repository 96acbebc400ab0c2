"""The threads of one process that want the same: they stand in line, the first asks for those behind it too.

Otherwise each would ask again and again by itself, and one question to the journal a call would be several.
Knows no slot and no clock.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from icp_sync.errors import UnavailableError

T = TypeVar("T")

_LOOK = 0.2  # seconds between looks whether to stop


class Line(Generic[T]):
    """spare: what the first was given for those behind it, oldest first; only the first takes of it."""

    def __init__(self) -> None:
        self.spare: deque[T] = deque()
        self._first = threading.Lock()
        self._counting = threading.Lock()
        self._behind = 0

    @property
    def behind(self) -> int:
        """Threads that wait behind the first."""
        return self._behind

    @contextmanager
    def standing(self, stop: threading.Event) -> Iterator[None]:
        """Wait to be the first, and be it inside. Raises UnavailableError when told to stop meanwhile."""
        if not self._first.acquire(blocking=False):
            self._wait(stop)
        try:
            yield
        finally:
            self._first.release()

    def _wait(self, stop: threading.Event) -> None:
        with self._counting:
            self._behind += 1
        try:
            while not self._first.acquire(timeout=_LOOK):
                if stop.is_set():
                    raise UnavailableError("stopped while waiting for the rate limit")
        finally:
            with self._counting:
                self._behind -= 1
