"""Every limit of one connection in one value: what was given, told and refused, and who may go next. Pure.

It is kept in memory by one process, or in the journal by several; see `keeping`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from icp_sync.lean_json import dumps, loads
from icp_sync.quota.day import USED_UP, Daily, Day, Later, Told
from icp_sync.quota.priority import Priority
from icp_sync.quota.rates import Rate, Window
from icp_sync.quota.standing import BucketStanding, DayStanding

DAILY = "daily"
"""The bucket of a connection's calls of a day."""
AHEAD = 0.3
"""Seconds a slot may lie ahead when it is given: who is given one sleeps until then, whoever comes."""
YIELD = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What one process has to say before it asks: replies it got, calls that took longer, what it has out."""

    told: tuple[tuple[str, Told], ...] = ()
    later: tuple[tuple[str, float, float], ...] = ()
    well: frozenset[str] = frozenset()
    untold: int = 0
    flying: int = 0
    unseen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A slot at this instant. known, period: what the observations of this call will be newer than.

    again: whether calls go on that the end of the day's calls had stopped.
    """

    at: float
    known: int = 0
    period: int = 0
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """No slot before `at`; look again at `until`. why: the reason of a long wait. first: nobody knew."""

    until: float
    at: float
    why: str = ""
    first: bool = False


@dataclass(slots=True, kw_only=True)
class Ledger:
    windows: dict[str, Window] = field(default_factory=dict)
    day: Day = field(default_factory=Day)

    def hear(self, news: News, holder: str, now: float) -> None:
        """Take in what a process has learned."""
        for bucket, said in news.told:
            if bucket == DAILY:
                self.day.turn(now)
                self.day.told(now, said)
            if (window := self.windows.get(bucket)) is not None:
                window.stated = said.limit or window.stated
                window.remaining = window.remaining if said.remaining is None else said.remaining
                if said.limit and said.remaining is not None and said.sent is not None:
                    window.used(said.limit - said.remaining, said.remaining, said.sent, now)
        for bucket, at, really in news.later:
            if bucket in self.windows:
                self.windows[bucket].later(at, min(really, now))  # later than now only by a clock set back
        for bucket in news.well & self.windows.keys():
            self.windows[bucket].refusals = 0
        self.day.untold += news.untold
        self.day.hands.say(holder, news.flying, news.unseen, now)

    def take(
        self, names: Iterable[str], *, now: float, priority: Priority, holder: str, daily: Daily | None
    ) -> Granted | Refused:
        """One slot in every bucket named and, where there is a limit of the day, one call of it."""
        named = [self.windows[name] for name in names if name in self.windows]
        if daily is not None and (later := self.day.may(now, daily, priority)) is not None:
            return self._short(later, now)
        at = self._next(named, now, priority, holder)
        if isinstance(at, Refused):
            return at
        for window in named:
            window.take(at)
            window.given(holder, priority, now)
        again = False
        if daily is not None:
            self.day.started(now, priority)
            self.day.hands.depart(holder, now)
            again = bool(self.day.short_since) and self._plenty(daily)
            self.day.short_since = 0.0 if again else self.day.short_since
        return Granted(at=at, known=self.day.number, period=self.day.period, again=again)

    def _next(self, named: Sequence[Window], now: float, priority: Priority, holder: str) -> float | Refused:
        """The instant of a slot that is in every window, where it is this process's turn."""
        for window in named:
            window.turns.asks(holder, now, window.span)
        at = max([now, *(max(window.free_at(now), window.turns.paced) for window in named)])
        why = USED_UP if self.day.paused_until > now else ""
        if any(window.yields(now, priority) for window in named):
            at, until = max(at, now + YIELD), now + YIELD
        elif any(window.turns.is_anothers(holder, priority, now) for window in named):
            at, until = max(at, now + YIELD), max(now + YIELD, at - AHEAD / 2)
        elif at > now + AHEAD:
            until = at - AHEAD / 2
        else:
            return at
        for window in named:
            window.wants(holder, priority, now, until + 2 * YIELD)
        return Refused(until=until, at=at, why=why)

    def _short(self, later: Later, now: float) -> Refused:
        first = bool(later.why) and later.everybody and not self.day.short_since
        if first:
            self.day.short_since = now
        return Refused(until=later.until, at=later.until, why=later.why, first=first)

    def _plenty(self, daily: Daily) -> bool:
        """Whether there is clearly room again; a call or two that turned out not to count are no news."""
        left = self.day.remaining
        least = daily.reserve(self.day.limit) + self.day.looks() + self.day.limit // 100
        return left is not None and left - self.day.in_flight() > least

    def pause(self, bucket: str, until: float) -> None:
        if bucket in self.windows:
            self.windows[bucket].pause(until)
        elif bucket == DAILY:
            self.day.paused_until = max(self.day.paused_until, until)

    def refused(self, bucket: str, now: float, seconds: float) -> None:
        """The other side said that calls of this bucket came too fast."""
        if bucket in self.windows:
            self.windows[bucket].refused(now, seconds)
        else:
            self.pause(bucket, now + seconds)

    def standing(self, now: float, daily: Daily | None) -> list[BucketStanding]:
        """How each limit stands, the day's first."""
        found = []
        if daily is not None:
            self.day.turn(now)
            found.append(self._day_standing(now, daily))
        for name, window in self.windows.items():
            since = now - window.rate.seconds
            found.append(
                BucketStanding(
                    name=name,
                    limit=window.limit(now),
                    seconds=window.rate.seconds,
                    used=int(sum(n for at, n in window.slots if since < at <= now)),
                    paused_for=max(0.0, window.paused_until - now),
                )
            )
        return found

    def _day_standing(self, now: float, daily: Daily) -> BucketStanding:
        day, left = self.day, self.day.remaining
        ours = day.used(now)
        used = None if left is None else max(0, day.limit - left)
        runs_out = day.exhausted_at(now, daily)
        return BucketStanding(
            name=DAILY,
            limit=day.limit,
            seconds=86_400.0,
            used=ours,
            paused_for=max(0.0, day.paused_until - now),
            day=DayStanding(
                remaining=0 if day.paused_until > now else left,  # the CRM has said that none are left
                others=None if used is None else max(0, used - ours),
                reserve=daily.reserve(day.limit),
                backfill=day.used(now, backfill=True),
                in_flight=day.in_flight(),
                observed_ago=now - day.observed_at if day.observed_at else None,
                resets_in=day.resets_at - now if day.resets_at else None,
                runs_out_in=None if runs_out is None else max(0.0, runs_out - now),
                stopped_for=now - day.short_since if day.short_since else None,
            ),
        )

    def shift(self, seconds: float) -> None:
        """The clock was set: every instant moves with it."""
        self.day.shift(seconds)
        for window in self.windows.values():
            window.shift(seconds)

    def to_text(self) -> str:
        windows = {name: window.to_json() for name, window in self.windows.items()}
        return dumps({"windows": windows, "day": self.day.to_json()})

    @classmethod
    def from_text(cls, text: str, rates: Mapping[str, Rate], *, at: float = -inf, now: float = inf) -> Ledger:
        """What was kept, for the rates there are now; what cannot be read counts as nothing.

        at, now: the clock when it was kept, and when it is read. A clock that was set back in between would
        have every slot and pause lie ahead by as much: they move with it.
        """
        try:
            found: Any = loads(text) if text else {}
            kept = found.get("windows", {})
            windows = {name: Window.from_json(rate, kept.get(name, {})) for name, rate in rates.items()}
            ledger = cls(windows=windows, day=Day.from_json(found.get("day", {})))
            if at > now:
                ledger.shift(now - at)
            return ledger
        except (ValueError, TypeError, AttributeError):
            return cls(windows={name: Window(rate=rate) for name, rate in rates.items()})
