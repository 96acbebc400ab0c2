"""How carefully a backfill goes about its writes. Numbers only; `sync.waves` acts upon them."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """Waves, waits (seconds) and what halts a backfill (shares of a wave).

    canary, wave: accounts written at most in the first wave and in each later one, 0 for no such wave.
    watch, pause: what passes after it before the next begins. refused, failed: the share of accounts the CRM
    refuses, or that could not be written now, above which it halts, from `floor` of them on. changed: the
    share of the accounts looked at again after the wait that somebody has changed since we wrote them;
    `sample` of them are looked at. partitions: ranges of ids that what is left after the canary is cut into,
    at most; 1 to leave it whole.
    """

    canary: int = 100
    watch: float = 300.0
    wave: int = 5_000
    pause: float = 60.0
    refused: float = 0.05
    failed: float = 0.10
    changed: float = 0.20
    floor: int = 10
    sample: int = 100
    partitions: int = 1

    def waits(self, written: int) -> float:
        """Seconds a backfill that writes so many accounts waits altogether; nothing after its last wave."""
        if written <= self.canary:
            return 0.0
        first = self.watch if self.canary else 0.0
        rest = written - self.canary
        return first + (self.pause * (ceil(rest / self.wave) - 1) if self.wave else 0.0)


USUAL = Pacing()
