"""The limits of one portal: the engine's own ledger decides who may call when; the CRM counts and answers.

Nothing here decides what the ledger decides. What a process reports, and when, is as in `quota.governor`.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

from icp_sync.quota import DAILY, Daily, Ledger, Priority, Rate
from icp_sync.quota.day import DAY, HOUR, Told
from icp_sync.quota.ledger import Granted, News
from icp_sync.quota.rates import Window
from tests.scale.engine import Process, Time

ZERO = 946_684_800.0
"""What the ledger is told for the beginning of simulated time: 0 is no instant to it. A midnight in UTC."""


Flying = tuple[float, int, Told | None]
"""When a call's reply comes, a number, and what it will say of the day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a CRM allows. rates: of ours. day: calls of all apps, 0 uncounted. others: of those, what others
    use. rolling: the last 24 hours count. quiet: buckets whose replies say nothing of the day."""

    rates: Mapping[str, Rate]
    day: int
    daily: Daily
    others: float = 0.1
    rolling: bool = False
    quiet: frozenset[str] = frozenset({"search"})


@dataclass(slots=True)
class Waits:
    """Seconds that work waited for what."""

    seconds: dict[str, float] = field(default_factory=dict)

    def note(self, what: str, seconds: float) -> None:
        if seconds > 0:
            self.seconds[what] = self.seconds.get(what, 0.0) + seconds


class Limits:
    """latency: seconds a call takes. Every call of the portal goes through `calls`."""

    def __init__(self, time: Time, plan: Plan, latency: float) -> None:
        self._time, self.plan, self.latency = time, plan, latency
        self.ledger = Ledger(windows={name: Window(rate=rate) for name, rate in plan.rates.items()})
        self.made: dict[str, int] = {}
        self.breaches = 0
        self._flying: dict[str, int] = {}
        self._told: dict[str, list[tuple[str, Told]]] = {}
        self._hours: deque[list[float]] = deque()
        self._ahead: dict[str, list[float]] = {name: [] for name in plan.rates}
        self._departed: dict[str, deque[float]] = {name: deque() for name in plan.rates}
        self._order = count()

    # The CRM's side

    def _remaining(self, now: float) -> int:
        """What the CRM would say is left of the day."""
        day_began = now - DAY if self.plan.rolling else now // DAY * DAY
        while self._hours and self._hours[0][0] + HOUR <= day_began:
            self._hours.popleft()
        others = self.plan.others * self.plan.day * (1.0 if self.plan.rolling else now % DAY / DAY)
        return int(max(0.0, self.plan.day - others - sum(calls for _, calls in self._hours)))

    def _arrived(self, bucket: str, at: float) -> None:
        """The CRM counts a call, and whether it came too fast."""
        hour = at // HOUR * HOUR
        if not self._hours or self._hours[-1][0] != hour:
            self._hours.append([hour, 0.0])
        self._hours[-1][1] += 1
        if (rate := self.plan.rates.get(bucket)) is None:
            return
        ahead, arrived = self._ahead[bucket], self._departed[bucket]
        heapq.heappush(ahead, at)
        while ahead and ahead[0] <= self._time.now + ZERO:  # in the order in which they arrive
            arrived.append(heapq.heappop(ahead))
            while arrived[0] <= arrived[-1] - rate.seconds:
                arrived.popleft()
            self.breaches += len(arrived) > rate.limit

    # Our side

    def calls(
        self,
        kind: str,
        bucket: str,
        number: int,
        holder: str,
        priority: Priority,
        waits: Waits,
        *,
        abreast: int = 1,
        longer: float = 0.0,
    ) -> Process:
        """So many calls, `abreast` of them at once, each taking `longer` than others; to the last reply."""
        under_way: list[Flying] = []
        self.made[kind] = self.made.get(kind, 0) + number
        while number or under_way:
            self._land(under_way, holder)
            if number and len(under_way) < abreast:
                until = self._take(bucket, holder, priority, under_way, longer)
                if until is None:
                    number -= 1
                    continue
                why = "the day's calls" if until - self._time.now > 60 else bucket
                waits.note(why, until - self._time.now)
                yield max(0.001, until - self._time.now)
            elif under_way:
                seconds = max(0.0, under_way[0][0] - self._time.now)
                waits.note("the CRM's answers", seconds)
                yield seconds

    def _take(
        self, bucket: str, holder: str, priority: Priority, under_way: list[Flying], longer: float
    ) -> float | None:
        """None when a call has begun; else when to ask again."""
        now = self._time.now + ZERO
        counted = self.plan.daily if self.plan.day else None
        news = News(told=tuple(self._told.pop(holder, ())), flying=self._flying.get(holder, 0))
        self.ledger.hear(news, holder, now)
        given = self.ledger.take((bucket,), now=now, priority=priority, holder=holder, daily=counted)
        if not isinstance(given, Granted):
            return given.until - ZERO
        self._arrived(bucket, given.at)
        self._flying[holder] = self._flying.get(holder, 0) + 1
        ends = given.at - ZERO + self.latency + longer
        says = self._told_now(given, now) if counted and bucket not in self.plan.quiet else None
        heapq.heappush(under_way, (ends, next(self._order), says))
        return None

    def _told_now(self, given: Granted, now: float) -> Told:
        resets = None if self.plan.rolling else DAY - now % DAY
        return Told(
            limit=self.plan.day,
            remaining=self._remaining(now),
            known=given.known,
            period=given.period,
            resets_in=resets,
        )

    def _land(self, under_way: list[Flying], holder: str) -> None:
        while under_way and under_way[0][0] <= self._time.now + 1e-9:
            _, _, says = heapq.heappop(under_way)
            self._flying[holder] -= 1
            if says is not None:
                self._told.setdefault(holder, []).append((DAILY, says))
