"""Who asked how often: rate windows, the daily counter, and the statistics tests and the demo read.

Windows use real monotonic time, because they are about how fast requests really arrive; the day follows the
simulator's clock in the account's time zone. What a refusal looks like is the API's business.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icp_sync.simulator.others import Competitors, Watch
from icp_sync.simulator.switches import Switches

UNLIMITED = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """A HubSpot plan's limits: per token in 10 s, searches per second, requests per day."""

    burst: int
    search: int
    daily: int


# https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
PLANS = {
    "off": Allowance(burst=UNLIMITED, search=UNLIMITED, daily=UNLIMITED * 10),
    "free": Allowance(burst=100, search=5, daily=250_000),
    "pro": Allowance(burst=190, search=5, daily=625_000),
}


class Window:
    """Instants of the last `seconds`, and the most there ever were at once."""

    __slots__ = ("_at", "_seconds", "peak")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._at: deque[float] = deque()
        self.peak = 0

    def used(self, now: float) -> int:
        while self._at and self._at[0] <= now - self._seconds:
            self._at.popleft()
        return len(self._at)

    def add(self, now: float) -> None:
        self._at.append(now)
        self.peak = max(self.peak, self.used(now))

    def wait(self, now: float, allowed: int) -> float:
        """Seconds until fewer than `allowed` are left in the window."""
        surplus = self.used(now) - allowed
        return max(0.0, self._at[surplus] + self._seconds - now) if surplus >= 0 and self._at else 0.0


@dataclass(slots=True)
class Meter:
    """Counts every request of the API; admin calls never come here.

    Peaks count every attempt, also refused ones; a refusal uses up no slot.
    """

    requests: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    refused_for: Counter[str] = field(default_factory=Counter)
    records_written: int = 0
    noop_writes: int = 0
    values_written: int = 0
    connections: int = 0
    tried_10s: Window = field(default_factory=lambda: Window(10.0))
    tried_search_1s: Window = field(default_factory=lambda: Window(1.0))

    def attempt(self, endpoint: str, *, exempt: bool, search: bool) -> None:
        now = time.monotonic()
        self.requests[endpoint] += 1
        if search:
            self.tried_search_1s.add(now)
        if not exempt:
            self.tried_10s.add(now)

    def as_json(self) -> dict[str, object]:
        return {
            "requests": dict(sorted(self.requests.items())),
            "total": self.requests.total(),
            "statuses": {str(status): n for status, n in sorted(self.statuses.items())},
            "limited": self.refused_for.total(),
            "limited_by": dict(self.refused_for),
            "peak_10s": self.tried_10s.peak,
            "peak_search_1s": self.tried_search_1s.peak,
            "records_written": self.records_written,
            "noop_writes": self.noop_writes,
            "values_written": self.values_written,
            "connections": self.connections,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceeded:
    """A limit that refuses a request: TEN_SECONDLY_ROLLING, SECONDLY or DAILY, and how long it will."""

    policy: str
    wait: float


class Limits:
    """The plan of an account, as its requests meet it. Not locked: its owner serialises access."""

    def __init__(self, plan: str, switches: Switches, zone: str) -> None:
        self.choose(plan)
        self.switches = switches
        self._zone = ZoneInfo(zone)
        self._bursts: dict[str, Window] = {}
        self._searches = Window(1.0)
        self._day = ""
        self.used_today = 0
        self.others = Competitors()
        self.watch = Watch()

    def choose(self, plan: str) -> None:
        """Change the plan. Raises ValueError for one there is not."""
        if plan not in PLANS:
            raise ValueError(f"limits: {plan!r} is none of {', '.join(PLANS)}")
        self.plan = plan

    @property
    def allowance(self) -> Allowance:
        plan, turned = PLANS[self.plan], self.switches
        return Allowance(
            burst=plan.burst if turned.burst_limit is None else turned.burst_limit,
            search=plan.search if turned.search_limit is None else turned.search_limit,
            daily=plan.daily if turned.daily_limit is None else turned.daily_limit,
        )

    def admit(self, token: str, clock_now: float, *, exempt: bool, search: bool) -> Exceeded | None:
        """Take a slot for one request, or say which limit refuses it."""
        now, allowed = time.monotonic(), self.allowance
        self.catch_up(clock_now)
        if self.used_today >= allowed.daily:
            return Exceeded(policy="DAILY", wait=self.resets_at(clock_now) - clock_now)
        if search and self._searches.used(now) >= allowed.search:
            return Exceeded(policy="SECONDLY", wait=self._searches.wait(now, allowed.search))
        burst = self._burst(token)
        if not exempt and burst.used(now) >= allowed.burst:
            return Exceeded(policy="TEN_SECONDLY_ROLLING", wait=burst.wait(now, allowed.burst))
        self.used_today += 1
        if search:
            self._searches.add(now)
        if not exempt:
            burst.add(now)
        self.watch.begun(token, allowed.daily - self.used_today, self.switches.reserve)
        return None

    def catch_up(self, clock_now: float) -> None:
        """Let the day turn, and the others have made their calls."""
        self._turn_day(clock_now)
        self.use(self.others.due(clock_now))
        for at in self.others.searches_due():
            if self._searches.used(at) < self.allowance.search:
                self._searches.add(at)

    def use(self, calls: int) -> None:
        """Others make so many calls, or as many as are left."""
        calls = max(0, min(calls, self.allowance.daily - self.used_today))
        self.used_today += calls
        self.others.used += calls

    def headers(self, token: str) -> dict[str, str]:
        """The rate headers of a normal answer. Search answers carry none of them."""
        allowed = self.allowance
        left = max(0, allowed.burst - self._burst(token).used(time.monotonic()))
        day: dict[str, str] = {}
        if self.switches.daily_headers:
            remaining = max(0, allowed.daily - self.used_today)
            self.watch.told(token, remaining)
            day = {
                "X-HubSpot-RateLimit-Daily": str(allowed.daily),
                "X-HubSpot-RateLimit-Daily-Remaining": str(remaining),
            }
        return day | {
            "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
            "X-HubSpot-RateLimit-Max": str(allowed.burst),
            "X-HubSpot-RateLimit-Remaining": str(left),
            "X-HubSpot-RateLimit-Secondly": str(allowed.burst // 10),
            "X-HubSpot-RateLimit-Secondly-Remaining": str(min(left, allowed.burst // 10)),
        }

    def resets_at(self, clock_now: float) -> float:
        """The next midnight in the account's time zone, epoch seconds."""
        local = datetime.fromtimestamp(clock_now, UTC).astimezone(self._zone)
        tomorrow = (local + timedelta(days=1)).date()
        return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=self._zone).timestamp()

    def _turn_day(self, clock_now: float) -> None:
        day = datetime.fromtimestamp(clock_now, UTC).astimezone(self._zone).date().isoformat()
        if day != self._day:
            self._day, self.used_today = day, 0
            self.watch.new_day()

    def _burst(self, token: str) -> Window:
        return self._bursts.setdefault(token, Window(10.0))
