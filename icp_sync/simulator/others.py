"""Other programs that use the same allowance, and who began a call when too little of it was left.

They send nothing that could be seen: their calls are counted as time goes by, whenever somebody looks.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

ON_ITS_WAY = 0.5
"""Real seconds for which a client is taken not to have read yet what it was told."""

Json = dict[str, object]


@dataclass(slots=True, kw_only=True)
class Competitors:
    """a_second: calls by the simulator's clock; searches_a_second: of those, searches, by real time."""

    a_second: float = 0.0
    searches_a_second: float = 0.0
    used: int = 0
    _since: float = 0.0
    _searched: float = 0.0

    def go(self, now: float, a_second: float, searches_a_second: float) -> None:
        """From now on (epoch seconds) at these paces."""
        self.a_second, self.searches_a_second = a_second, searches_a_second
        self._since, self._searched = now, time.monotonic()

    def due(self, now: float) -> int:
        """Calls since somebody last looked."""
        calls = int(max(0.0, now - self._since) * self.a_second)
        if calls:
            self._since += calls / self.a_second
        return calls

    def searches_due(self) -> list[float]:
        """The same of searches: their instants, monotonic."""
        calls = int((time.monotonic() - self._searched) * self.searches_a_second)
        found = [self._searched + n / self.searches_a_second for n in range(1, calls + 1)]
        self._searched = found[-1] if found else self._searched
        return found


@dataclass(slots=True)
class _App:
    calls: int = 0
    below: int = 0
    knowing: int = 0
    told: deque[tuple[float, int, int]] = field(default_factory=lambda: deque(maxlen=2_000))


class Watch:
    """What every client was told of the day's remainder, and did.

    A call is `below_reserve` when with it less than the reserve is left; it is so `knowing` when the client
    could tell: by what it had been told, less the calls it began since.
    """

    def __init__(self) -> None:
        self._apps: dict[str, _App] = {}
        self.lowest: int | None = None

    def begun(self, app: str, left: int, reserve: int | None) -> None:
        """A call of this client was let in; `left` are left after it."""
        one, now = self._apps.setdefault(app, _App()), time.monotonic()
        one.calls += 1
        self.lowest = left if self.lowest is None else min(self.lowest, left)
        if reserve is None:
            return
        one.below += left < reserve
        known = next(((said, n) for at, said, n in reversed(one.told) if at <= now - ON_ITS_WAY), None)
        if known is None and one.told:
            known = one.told[0][1:]
        one.knowing += known is not None and known[0] - (one.calls - known[1]) < reserve

    def told(self, app: str, left: int) -> None:
        one = self._apps.setdefault(app, _App())
        one.told.append((time.monotonic(), left, one.calls))

    def new_day(self) -> None:
        """What was told before holds no more."""
        for one in self._apps.values():
            one.told.clear()

    def clear(self) -> None:
        self._apps, self.lowest = {}, None

    def as_json(self) -> Json:
        apps = {
            app: {"calls": one.calls, "below_reserve": one.below, "knowing": one.knowing}
            for app, one in self._apps.items()
        }
        return {"lowest_remaining": self.lowest, "apps": apps}
