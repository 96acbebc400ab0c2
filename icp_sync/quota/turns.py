"""How the slots of one limit are shared by the processes that want more of them than there are. Pure.

One process alone may use a window's slots as fast as it likes, and so may several while there are plenty.
Where they want more, whoever sits next to the database would ask first each time: so the slots of a window
that has lost a quarter come one by one, evenly, and each goes to the one that has had the fewest, among those
that wait. Knows no clock and no limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

SLACK = 1.0
"""Slots one may be ahead of another that waits: nobody stands still for the sake of one."""
CREDIT = 20.0
"""Slots one may be behind, at most: who wanted nothing for a while has nothing to make up for."""
LOOSE = 0.1
"""The part of a window by which the pace may be caught up with."""


@dataclass(slots=True, kw_only=True)
class Turn:
    """One process. served: slots, counted from where the others stood when it came. seen: when it last asked.
    waits: priority → until when it is known to be waiting."""

    served: float = 0.0
    seen: float = -inf
    waits: dict[int, float] = field(default_factory=dict)


@dataclass(slots=True)
class Turns:
    """known: process → its turn. paced: when the next slot is due, -inf while there are plenty."""

    known: dict[str, Turn] = field(default_factory=dict)
    paced: float = -inf

    def asks(self, who: str, now: float, span: float) -> None:
        """A process asks. Who did not for a whole window is no rival any more."""
        recent = {name: turn for name, turn in self.known.items() if turn.seen > now - span or name == who}
        self.known = recent
        mine = self.known.setdefault(who, Turn())
        rivals = [turn.served for name, turn in self.known.items() if name != who]
        if rivals:
            least = min(rivals) if mine.seen <= now - span else max(rivals) - CREDIT
            mine.served = max(mine.served, least)
        else:
            mine.served = 0.0
        mine.seen = now

    def is_anothers(self, who: str, priority: int, now: float) -> bool:
        """Whether one waits, for nothing less urgent, that has had fewer."""
        most = self.known[who].served - SLACK
        return any(
            turn.served < most and any(p <= priority and until > now for p, until in turn.waits.items())
            for name, turn in self.known.items()
            if name != who
        )

    def refused(self, who: str, priority: int, now: float, until: float) -> None:
        """It waits, and asks again by then."""
        mine = self.known[who]
        mine.waits = {p: end for p, end in mine.waits.items() if end > now} | {priority: until}

    def served(self, who: str, priority: int) -> None:
        """It got a slot."""
        mine = self.known[who]
        mine.served += 1.0
        mine.waits.pop(priority, None)

    def moved(self, now: float, spacing: float, span: float, *, scarce: bool) -> None:
        """A slot was given. spacing: seconds between two that come evenly. scarce: whether they are to."""
        begun = max(self.paced, now - LOOSE * span) if self.paced > -inf else now
        self.paced = begun + spacing if scarce and len(self.known) > 1 else -inf

    def shift(self, seconds: float) -> None:
        """The clock was set: every instant moves with it."""
        self.paced += seconds
        for turn in self.known.values():
            turn.seen += seconds
            turn.waits = {priority: until + seconds for priority, until in turn.waits.items()}

    def to_json(self) -> dict[str, Any]:
        if len(self.known) < 2:  # alone; what others had is no matter then
            return {"known": {who: [0.0, turn.seen, {}] for who, turn in self.known.items()}}
        least = min(turn.served for turn in self.known.values())
        return {
            "known": {
                who: [turn.served - least, round(turn.seen, 3), {str(p): u for p, u in turn.waits.items()}]
                for who, turn in self.known.items()
            },
            "paced": None if self.paced == -inf else self.paced,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Turns:
        known = {
            str(who): Turn(
                served=float(served),
                seen=float(seen),
                waits={int(p): float(until) for p, until in waits.items()},
            )
            for who, (served, seen, waits) in (data.get("known") or {}).items()
        }
        paced = data.get("paced")
        return cls(known, -inf if paced is None else float(paced))
