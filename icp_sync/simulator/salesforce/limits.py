"""The requests an org may make in 24 hours. What a refusal looks like is `errors`' business.

https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_api.htm
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque

from icp_sync.simulator.others import Competitors, Watch
from icp_sync.simulator.salesforce.switches import Switches

DAY = 86_400.0
PLANS = {"off": 10_000_000, "free": 15_000, "pro": 100_000}
"""Requests in 24 hours: as good as none, Developer Edition, Enterprise Edition without licences."""


class DailyLimit:
    """A rolling day's requests, by the simulator's clock. Not locked: its owner serialises access."""

    def __init__(self, plan: str, switches: Switches) -> None:
        self.choose(plan)
        self._switches = switches
        self._at: deque[float] = deque()
        self.others = Competitors()
        self.watch = Watch()

    def choose(self, plan: str) -> None:
        """Change the plan. Raises ValueError for one there is not."""
        if plan not in PLANS:
            raise ValueError(f"limits: {plan!r} is none of {', '.join(PLANS)}")
        self.plan = plan

    @property
    def most(self) -> int:
        turned = self._switches.daily_limit
        return PLANS[self.plan] if turned is None else turned

    def used(self, now: float) -> int:
        """Requests of the last 24 hours. `now`: epoch seconds."""
        while self._at and self._at[0] <= now - DAY:
            self._at.popleft()
        return len(self._at)

    def shown(self, now: float) -> int:
        """The same as the resource limits shows it: /limits/ trails by the switch `limits_lag`."""
        self.used(now)
        return bisect_right(self._at, now - self._switches.limits_lag)

    def admit(self, now: float, app: str) -> bool:
        """Take a slot for one request of an app, or say that there is none."""
        self.catch_up(now)
        if self.used(now) >= self.most:
            return False
        self._at.append(now)
        self.watch.begun(app, self.most - len(self._at), self._switches.reserve)
        return True

    def catch_up(self, now: float) -> None:
        """Let the others have made their calls."""
        self.use(self.others.due(now), now)

    def use(self, calls: int, now: float) -> None:
        """Others make so many calls, or as many as are left."""
        calls = max(0, min(calls, self.most - self.used(now)))
        self._at.extend([now] * calls)
        self.others.used += calls
