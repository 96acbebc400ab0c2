"""The calls of a day, of which a part is left to others: what we know of them, and whether one may start.

Nothing here is a clock or a CRM. The promise: no call starts that, by the last observed remainder less what
is in flight, would enter the reserve. To learn that there is room again without breaking it, ordinary calls
stop a few above the reserve; those few are spent one at a time, on looking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil, inf
from typing import Any

from icp_sync.quota.hands import SILENT_FOR, Hands
from icp_sync.quota.priority import Priority

DAY, HOUR = 86_400.0, 3_600.0
SOON = 0.05
USED_UP = "the calls of the day are used up"
FIRST_WORD = 5.0
"""Seconds to wait for the first word on the day from the call let go last: it may have died unheard."""
LANDS = 30.0
"""Seconds after which a call let go is not waited for by those whom only its counting would stop."""
LOOKS = 24
"""Calls above the reserve kept for looking whether there is room again."""
LOOK_AGAIN, LOOK_EARLY = 3_600.0, 900.0
"""Seconds between two looks at a rolling day; and after midnight, when the new day is late."""
SILENT_AFTER = 3
"""Replies without a word of the day after which we do not wait for one any more."""
SAMPLE_EVERY, SAMPLES = 300.0, 24
MOST_SEEN = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """How the calls of a day are shared.

    share: of the CRM's limit, left to others; calls: at least so many. backfill: the most a backfill may use
    of what is above that, 0 to 1. rolling: the last 24 hours; otherwise a calendar day that ends at once.
    """

    share: float = 0.2
    calls: int = 0
    backfill: float = 0.5
    rolling: bool = False

    def __post_init__(self) -> None:
        if not (0 <= self.share < 1 and self.calls >= 0 and 0 <= self.backfill <= 1):
            raise ValueError("a reserve is a share of 0 to under 1 and no negative number of calls")

    def reserve(self, limit: int) -> int:
        return max(ceil(self.share * limit - 1e-9), self.calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a reply said. known, period: what was known when its call began, None for hearsay. sent: when it
    was sent, on the ledger's clock, None where that is not known."""

    limit: int | None
    remaining: int | None
    known: int | None = None
    period: int | None = None
    resets_in: float | None = None
    sent: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Not now: look again at `until`. why: "" where it is about to be known. everybody: whoever asks."""

    until: float
    why: str = ""
    everybody: bool = True


@dataclass(slots=True, kw_only=True)
class Day:
    """seen: [number, remainder] of the observations none of which was made after another was known: the
    lowest holds. hands: what is out. hours: hour → [calls of ours, those of backfills]."""

    limit: int = 0
    seen: list[list[int]] = field(default_factory=list)
    number: int = 0
    period: int = 0
    began: float = 0.0
    observed_at: float = 0.0
    resets_at: float = 0.0
    paused_until: float = -inf
    look_at: float = 0.0
    untold: int = 0
    short_since: float = 0.0
    hands: Hands = field(default_factory=Hands)
    hours: dict[int, list[int]] = field(default_factory=dict)
    samples: list[list[float]] = field(default_factory=list)

    # What is known

    @property
    def remaining(self) -> int | None:
        """The last observed remainder, None while nothing was said."""
        return min(left for _, left in self.seen) if self.seen else None

    def told(self, now: float, said: Told) -> None:
        if said.limit:
            self.limit = said.limit
        if said.remaining is None or said.period not in (None, self.period):
            return  # of yesterday
        if not self.began:
            self.began = now
        known = self.number if said.known is None else said.known
        if said.known is not None:
            self.hands.told(said.known)
        self.number += 1
        newer = [one for one in self.seen if one[0] > known]
        self.seen = [*newer[-MOST_SEEN:], [self.number, said.remaining]]
        self.observed_at, self.untold = now, 0
        if said.resets_in is not None:
            self.resets_at = now + said.resets_in
        if not self.samples or now - self.samples[-1][0] >= SAMPLE_EVERY:
            self.samples = [*self.samples, [now, float(said.remaining)]][-SAMPLES:]

    def turn(self, now: float) -> None:
        """Let time do its work: a new day begins, what is old is forgotten, the dead are given up."""
        if self.hands.expire(now, self.number + 1):
            self.number += 1  # so that only calls from here on count as begun afterwards
            self.look_at = now  # what they had out, a look tells
        self.hours = {h: n for h, n in self.hours.items() if (h + 1) * HOUR > now - 2 * DAY}
        if self.resets_at and now >= self.resets_at:
            self._renew(now)

    def _renew(self, now: float) -> None:
        self.seen, self.samples, self.hands.lost = [], [], {}
        if self.resets_at:  # of a rolling day only its oldest hours are over
            self.hours = {}
        self.period, self.began, self.resets_at, self.look_at = self.period + 1, now, 0.0, 0.0

    def in_flight(self) -> int:
        """Calls the last observation may not know of."""
        return self.hands.out()

    def used(self, now: float, *, backfill: bool = False) -> int:
        """Calls of ours in this day."""
        return sum(n[backfill] for hour, n in self.hours.items() if (hour + 1) * HOUR > now - DAY)

    # Whether one more may start

    def may(self, now: float, daily: Daily, priority: Priority) -> Later | None:
        """None to go ahead."""
        self.turn(now)
        if self.paused_until > now:
            return Later(until=self.paused_until, why=USED_UP)
        left, flying = self.remaining, self.in_flight()
        if left is None or not self.limit:
            waiting = self.hands.flying(now - FIRST_WORD) > 0 and self.untold < SILENT_AFTER
            return Later(until=now + SOON) if waiting else None
        floor = daily.reserve(self.limit) + self.looks()
        if left - flying - 1 >= floor:
            above = left - flying - floor
            return self._backfill(now, daily, above) if priority is Priority.BACKFILL else None
        if left - 1 >= floor and self.hands.flying(now - LANDS):
            return Later(until=now + SOON)  # what is in flight may turn out not to count
        later = self._look(now, daily, left - flying - 1)
        if later and left - 1 >= floor and self.hands.flying():  # soon it will have landed, or died
            later = replace(later, until=min(later.until, now + SILENT_FOR))
        return later

    def looks(self) -> int:
        return max(1, min(LOOKS, self.limit // 1000))

    def _backfill(self, now: float, daily: Daily, above: int) -> Later | None:
        used = self.used(now, backfill=True)
        if used + 1 <= daily.backfill * (above + used):
            return None
        until = self.resets_at or (min(self.hours, default=0) + 1) * HOUR + DAY
        why = "a backfill has used its share of the day's calls"
        return Later(until=max(until, now + LOOK_EARLY), why=why, everybody=False)

    def _look(self, now: float, daily: Daily, after: int) -> Later | None:
        """Above the reserve by no more than what is kept for looking: one call an hour, or none."""
        late = not daily.rolling and self.period and now - self.began < HOUR
        every = LOOK_EARLY if late or not (daily.rolling or self.resets_at) else LOOK_AGAIN
        if not self.look_at:
            self.look_at = self.observed_at + every
        worth = daily.rolling or late or not self.resets_at or self.hands.lost
        can = bool(worth) and after >= daily.reserve(self.limit)
        if can and now >= self.look_at and not self.hands.flying():
            self.look_at = now + every
            return None
        nexts = [self.look_at if now < self.look_at else now + SOON] if can else []
        nexts += [self.resets_at] if self.resets_at else [self.observed_at + DAY]
        if not self.resets_at and now >= self.observed_at + DAY:  # all of it was another day
            self._renew(now)
            return None
        return Later(until=min(nexts), why="the day's calls are used up to the reserve for others")

    # What is done

    def started(self, now: float, priority: Priority) -> None:
        counted = self.hours.setdefault(int(now // HOUR), [0, 0])
        counted[0] += 1
        counted[1] += priority is Priority.BACKFILL

    def exhausted_at(self, now: float, daily: Daily) -> float | None:
        """When the reserve would be reached if all went on as in the last hours; None if not before the end
        of the day, or when nobody can tell."""
        left = self.remaining
        if left is None or len(self.samples) < 2:
            return None
        first, last = self.samples[0], [self.observed_at, float(left)]
        fell, seconds = first[1] - last[1], last[0] - first[0]
        if fell <= 0 or seconds <= 0:
            return None
        at = now + max(0.0, left - daily.reserve(self.limit)) * seconds / fell
        return at if at < (self.resets_at or now + DAY) else None

    def shift(self, seconds: float) -> None:
        """The clock was set: every instant moves with it."""
        for name in ("began", "observed_at", "resets_at", "paused_until", "look_at", "short_since"):
            if at := getattr(self, name):  # 0 is no instant
                setattr(self, name, at + seconds)
        hours = round(seconds / HOUR)
        self.hours = {hour + hours: counted for hour, counted in self.hours.items()}
        self.samples = [[at + seconds, left] for at, left in self.samples]
        self.hands.shift(seconds)

    def to_json(self) -> dict[str, Any]:
        return {
            "limit": self.limit,
            "seen": self.seen,
            "number": self.number,
            "period": self.period,
            "began": self.began,
            "observed": self.observed_at,
            "resets": self.resets_at,
            "paused": None if self.paused_until == -inf else self.paused_until,
            "look": self.look_at,
            "untold": self.untold,
            "short": self.short_since,
            "hands": self.hands.to_json(),
            "hours": {str(hour): n for hour, n in self.hours.items()},
            "samples": self.samples,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Day:
        paused = data.get("paused")
        return cls(
            limit=int(data.get("limit") or 0),
            seen=[[int(number), int(left)] for number, left in data.get("seen", ())],
            number=int(data.get("number") or 0),
            period=int(data.get("period") or 0),
            began=float(data.get("began") or 0.0),
            observed_at=float(data.get("observed") or 0.0),
            resets_at=float(data.get("resets") or 0.0),
            paused_until=-inf if paused is None else float(paused),
            look_at=float(data.get("look") or 0.0),
            untold=int(data.get("untold") or 0),
            short_since=float(data.get("short") or 0.0),
            hands=Hands.from_json(data.get("hands") or {}),
            hours={int(h): [int(n), int(b)] for h, (n, b) in (data.get("hours") or {}).items()},
            samples=[[float(at), float(left)] for at, left in data.get("samples", ())],
        )
