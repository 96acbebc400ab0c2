"""One limit of rate: so many calls in any window of so many seconds, and the slots already given. Pure.

Knows no clock: instants are seconds on whatever clock its caller uses throughout.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, inf
from typing import Any

from icp_sync.quota.turns import Turns

GUARD = 0.1
"""Seconds added to every window: threads wake late and the other side's clock is not ours. Costs 1 % of
a 10-second window; without it one to three requests too many were measured in some windows."""

GRAIN = 100
"""Slots are remembered to 1/100 s, later rather than earlier, so that a window stays small to keep."""
UNEVEN = 0.1
"""Of what others were seen to use, so much more is left to them: they do not come evenly."""
RECOVERS = 60.0
"""Seconds without a refusal after which a limit lowered by refusals rises by one again."""
OPENS_AT = 3
"""Refusals in a row after which a bucket is left alone for a whole window, however short they said."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` requests in any window of `seconds`."""

    limit: int
    seconds: float

    def __post_init__(self) -> None:
        if self.limit < 1 or self.seconds <= 0:
            raise ValueError(f"a rate needs a positive limit and window, not {self.limit}/{self.seconds} s")


@dataclass(slots=True, kw_only=True)
class Window:
    """The slots of one bucket. stated: the limit and the rest its CRM's headers name, 0 and None unknown.

    lowered: how many fewer than that we send because others use the same window, as refusals showed.
    others: calls of a window that are left to others, at most half, and when a reply last asked for as many.
    wanted: priority → until when a caller of it is known to be waiting. turns: the processes that use it.
    """

    rate: Rate
    slots: list[list[float]] = field(default_factory=list)  # [instant, calls], oldest first
    paused_until: float = -inf
    stated: int = 0
    remaining: int | None = None
    lowered: int = 0
    lowered_at: float = 0.0
    refusals: int = 0
    others: int = 0
    others_at: float = -inf
    wanted: dict[int, float] = field(default_factory=dict)
    turns: Turns = field(default_factory=Turns)

    def limit(self, now: float) -> int:
        """Calls a window allows now: never more than configured, stated, or found out by being refused."""
        top = min(self.rate.limit, self.stated) if self.stated else self.rate.limit
        if self.lowered:
            risen = int(max(0.0, now - self.lowered_at) // RECOVERS)
            self.lowered, self.lowered_at = max(0, self.lowered - risen), self.lowered_at + risen * RECOVERS
        others = self.others if now - self.others_at < self.span else 0
        return max(1, top - max(self.lowered, min(others, top // 2)))

    def used(self, calls: int, left: int, sent: float, now: float) -> None:
        """A reply told the calls a window counts, ours among them, and its rest; its call left at `sent`.

        All of ours that it may count are taken off: others are never thought to use more than they do. Where
        nothing was left some of theirs were refused, which nobody counts: they are left twice as much."""
        since, until = sent - self.span, _grain(now)
        seen = calls - int(sum(n for at, n in self.slots if since < at <= until))
        others = ceil(seen * (1 + UNEVEN if left else 2))
        if others >= self.others or now - self.others_at >= self.span:
            self.others, self.others_at = max(0, others), now

    @property
    def span(self) -> float:
        """Seconds for which a slot counts."""
        return self.rate.seconds + GUARD

    def free_at(self, now: float) -> float:
        """The earliest instant of the next slot."""
        span = self.span
        while self.slots and self.slots[0][0] <= now - span:
            del self.slots[0]
        left, full = self.limit(now), -inf
        for instant, calls in reversed(self.slots):
            left -= int(calls)
            if left <= 0:
                full = instant + span
                break
        return max(now, self.paused_until, full)

    def take(self, at: float) -> None:
        self._put(_grain(at))

    def given(self, who: str, priority: int, now: float) -> None:
        """To whom a slot went. Where several want many they come evenly, so that each gets its part."""
        limit = self.limit(now)
        scarce = 4 * sum(calls for _, calls in self.slots) > limit
        self.turns.served(who, priority)
        self.turns.moved(now, self.span / limit, self.span, scarce=scarce)

    def later(self, at: float, really: float) -> None:
        """A call that was given the slot `at` reached the other side only by `really`."""
        was = _grain(at)
        for slot in self.slots:
            if slot[0] == was:
                slot[1] -= 1
                if slot[1] <= 0:
                    self.slots.remove(slot)
                break
        self._put(_grain(really))

    def _put(self, instant: float) -> None:
        for slot in reversed(self.slots):
            if slot[0] == instant:
                slot[1] += 1
                return
            if slot[0] < instant:
                break
        insort(self.slots, [instant, 1])

    def refused(self, now: float, seconds: float) -> None:
        """The other side said we were too fast, and for how long to leave it alone."""
        self.refusals += 1
        opened = self.rate.seconds + GUARD if self.refusals >= OPENS_AT else 0.0
        self.paused_until = max(self.paused_until, now + max(seconds, opened))
        if self.slots and self.limit(now) > 1:
            self.lowered, self.lowered_at = self.lowered + 1, now

    def pause(self, until: float) -> None:
        self.paused_until = max(self.paused_until, until)

    def yields(self, now: float, priority: int) -> bool:
        """Whether somebody more urgent is waiting for this bucket."""
        self.wanted = {who: until for who, until in self.wanted.items() if until > now}
        return any(who < priority for who in self.wanted)

    def wants(self, who: str, priority: int, now: float, until: float) -> None:
        """Somebody waits for this bucket, and asks again before `until`."""
        self.wanted[priority] = max(self.wanted.get(priority, 0.0), until)
        self.turns.refused(who, priority, now, until)

    def shift(self, seconds: float) -> None:
        """The clock was set: every instant moves with it."""
        self.slots = [[_grain(at + seconds), calls] for at, calls in self.slots]
        self.paused_until += seconds
        self.lowered_at += seconds
        self.others_at += seconds
        self.wanted = {who: until + seconds for who, until in self.wanted.items()}
        self.turns.shift(seconds)

    def to_json(self) -> dict[str, Any]:
        return {
            "slots": self.slots,
            "paused": None if self.paused_until == -inf else self.paused_until,
            "stated": self.stated,
            "left": self.remaining,
            "lowered": [self.lowered, self.lowered_at],
            "refusals": self.refusals,
            "others": [self.others, self.others_at] if self.others else None,
            "wanted": {str(who): until for who, until in self.wanted.items()},
            "turns": self.turns.to_json(),
        }

    @classmethod
    def from_json(cls, rate: Rate, data: Mapping[str, Any]) -> Window:
        paused = data.get("paused")
        lowered, lowered_at = data.get("lowered") or (0, 0.0)
        others, others_at = data.get("others") or (0, -inf)
        return cls(
            rate=rate,
            slots=[[float(at), int(calls)] for at, calls in data.get("slots", ())],
            paused_until=-inf if paused is None else float(paused),
            stated=int(data.get("stated") or 0),
            remaining=data.get("left"),
            lowered=int(lowered),
            lowered_at=float(lowered_at),
            refusals=int(data.get("refusals") or 0),
            others=int(others),
            others_at=float(others_at),
            wanted={int(who): float(until) for who, until in (data.get("wanted") or {}).items()},
            turns=Turns.from_json(data.get("turns") or {}),
        )


def _grain(instant: float) -> float:
    return ceil(instant * GRAIN - 1e-6) / GRAIN
