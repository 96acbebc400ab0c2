"""So many pages of patient streams at once, whoever's they are: backfills make room for polls and each other.

One process has one interpreter and, on SQLite, one writer. Were two hundred backfills at it at once, each
poll would be one of two hundred. A place is for a page: between two pages it goes to whoever has waited the
longest. Who keeps one for longer waits for a CRM, not for us, and the next takes it over; so nobody waits for
one that hangs.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

AT_ONCE = 8
LONGEST = 5.0
"""Seconds after which a place may be taken over."""
LOOK = 0.5
"""Seconds between looks whether it is still worth waiting."""


class Places:
    """Safe to share between threads."""

    def __init__(self, at_once: int = AT_ONCE, longest: float = LONGEST) -> None:
        self._at_once, self._longest = at_once, longest
        self._changed = threading.Condition()
        self._taken: dict[object, float] = {}  # whose → since when, oldest first
        self._waiting: deque[object] = deque()

    @contextmanager
    def held(self, whose: object, going: Callable[[], bool]) -> Iterator[None]:
        """A place as long as the block lasts, unless another takes it over. going: false ends the waiting."""
        self._take(whose, going)
        try:
            yield
        finally:
            self._give(whose)

    def next_page(self, whose: object, going: Callable[[], bool]) -> bool:
        """Let whoever waits go first; whether anybody did."""
        others = bool(self._waiting)
        if others:
            self._give(whose)
            self._take(whose, going)
        return others

    @property
    def taken(self) -> int:
        return len(self._taken)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def _take(self, whose: object, going: Callable[[], bool]) -> None:
        with self._changed:
            self._waiting.append(whose)
            while going() and not (self._waiting[0] is whose and self._room()):
                self._changed.wait(LOOK)
            self._waiting.remove(whose)
            self._taken[whose] = time.monotonic()
            self._changed.notify_all()

    def _room(self) -> bool:
        if len(self._taken) < self._at_once:
            return True
        oldest = next(iter(self._taken))
        if time.monotonic() - self._taken[oldest] < self._longest:
            return False
        del self._taken[oldest]
        return True

    def _give(self, whose: object) -> None:
        with self._changed:
            self._taken.pop(whose, None)
            self._changed.notify_all()
