"""What keeps a backfill from crowding out the streams beside it: a pace, and room for one that is behind."""

from __future__ import annotations

from collections.abc import Callable

LONGEST = 300.0
"""Seconds a backfill waits for polling at most after one page: one that is down must not stop it for ever."""
LOOK = 5.0


class Pace:
    """Keeps a growing count below `rate` a second, by waiting after each step. `wait`: seconds → anything.
    `sharing`: how many keep to this rate together."""

    def __init__(
        self,
        rate: float,
        clock: Callable[[], float],
        wait: Callable[[float], object],
        sharing: Callable[[], int] = lambda: 1,
    ) -> None:
        self._rate, self._clock, self._wait, self._sharing = rate, clock, wait, sharing
        self._count = 0
        self._at = clock()

    def written(self, count: int) -> None:
        more, self._count = count - self._count, count
        early = more * self._sharing() / self._rate - (self._clock() - self._at) if more > 0 else 0.0
        if early > 0:
            self._wait(early)
        self._at = self._clock()


class Room:
    """Waits after a step that wrote while another stream is too far behind. behind: seconds, of that stream.
    `wait`: seconds → whether to stop waiting."""

    def __init__(
        self,
        behind: Callable[[], float],
        most: float,
        clock: Callable[[], float],
        wait: Callable[[float], object],
    ) -> None:
        self._behind, self._most, self._clock, self._wait = behind, most, clock, wait
        self._count = 0

    def written(self, count: int) -> None:
        more, self._count = count - self._count, count
        until = self._clock() + LONGEST
        while more > 0 and self._behind() > self._most and self._clock() < until:
            if self._wait(LOOK):
                return
