"""What the processes of a connection have out: calls in flight, and calls that no reply has told of yet.

Who says nothing for long has died, but its calls were sent: the other side has counted them, or will. They
are lost to us until a reply to a call begun later has told what is left. Knows no clock and no reserve.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

SILENT_FOR = 120.0
"""Seconds without a word after which a process counts as dead: longer than any call takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """One process. at: when it last said so; departed: when the last of its calls in flight was let go."""

    flying: int = 0
    unseen: int = 0
    at: float = 0.0
    departed: float = -inf


@dataclass(slots=True)
class Hands:
    """held: process → what it has out. lost: process that died → [its calls, the number that an observation
    must have been known by when a call began whose reply tells of them]."""

    held: dict[str, Hand] = field(default_factory=dict)
    lost: dict[str, list[int]] = field(default_factory=dict)

    def say(self, who: str, flying: int, unseen: int, now: float) -> None:
        """A process tells what it has out; so it lives, and what it says is all there is."""
        before = self.held.pop(who, None)
        self.lost.pop(who, None)
        if flying or unseen:
            departed = before.departed if before and flying else -inf
            self.held[who] = Hand(flying=flying, unseen=unseen, at=now, departed=departed)

    def depart(self, who: str, now: float) -> None:
        before = self.held.get(who, Hand())
        self.held[who] = replace(before, flying=before.flying + 1, at=now, departed=now)

    def expire(self, now: float, number: int) -> bool:
        """Give up on the silent ones; returns whether there was any."""
        silent = {who: hand for who, hand in self.held.items() if now - hand.at >= SILENT_FOR}
        for who, hand in silent.items():
            del self.held[who]
            self.lost[who] = [hand.flying + hand.unseen, number]
        return bool(silent)

    def told(self, known: int) -> None:
        """A reply told what is left, to a call that began when observation `known` was known."""
        self.lost = {who: one for who, one in self.lost.items() if one[1] > known}

    def flying(self, since: float = -inf) -> int:
        """Calls in flight of the living, of those processes that let one go after an instant."""
        return sum(hand.flying for hand in self.held.values() if since == -inf or hand.departed > since)

    def out(self) -> int:
        """Calls the last observation may not know of."""
        held = sum(hand.flying + hand.unseen for hand in self.held.values())
        return held + sum(calls for calls, _ in self.lost.values())

    def shift(self, seconds: float) -> None:
        self.held = {
            who: replace(hand, at=hand.at + seconds, departed=hand.departed + seconds)
            for who, hand in self.held.items()
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "held": {
                who: [one.flying, one.unseen, one.at, None if one.departed == -inf else one.departed]
                for who, one in self.held.items()
            },
            "lost": self.lost,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Hands:
        held = {
            str(who): Hand(
                flying=int(flying),
                unseen=int(unseen),
                at=float(at),
                departed=-inf if departed is None else float(departed),
            )
            for who, (flying, unseen, at, departed) in (data.get("held") or {}).items()
        }
        lost = {str(who): [int(n), int(number)] for who, (n, number) in (data.get("lost") or {}).items()}
        return cls(held, lost)
