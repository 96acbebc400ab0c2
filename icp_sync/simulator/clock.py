"""The simulator's own clock: real time plus an offset, or frozen. It knows nothing of records or requests.

Everything a CRM stamps, and every wait that depends on a stamp (index lag, follow-up processing, the daily
counter), reads this clock, so a test can make an hour pass in no time. Rate windows do not: they are about
how fast requests really arrive.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


class Clock:
    """A movable clock. Instants are UTC epoch seconds (`now`) or milliseconds (`now_ms`)."""

    def __init__(self, start: float | None = None) -> None:
        self._offset = 0.0 if start is None else start - time.time()
        self._frozen: float | None = None

    @property
    def frozen(self) -> bool:
        return self._frozen is not None

    def now(self) -> float:
        return time.time() + self._offset if self._frozen is None else self._frozen

    def now_ms(self) -> int:
        return int(self.now() * 1000)

    def advance(self, seconds: float) -> None:
        """Move on (or back, if negative); a frozen clock stays frozen at the new instant."""
        if self._frozen is None:
            self._offset += seconds
        else:
            self._frozen += seconds

    def set(self, at: float) -> None:
        self.advance(at - self.now())

    def freeze(self, at: float | None = None) -> None:
        self._frozen = self.now() if at is None else at

    def run(self) -> None:
        """Unfreeze: time goes on from where it stood."""
        if self._frozen is not None:
            self._offset = self._frozen - time.time()
            self._frozen = None


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


def iso(ms: int) -> str:
    """`2026-11-21T10:00:00.123Z`, the form HubSpot writes every instant in."""
    return f"{_second(ms // 1000)}.{ms % 1000:03d}Z"


def to_ms(value: object) -> int | None:
    """An instant as ms: epoch ms as a number or digits, or ISO 8601 (naive means UTC). None if neither.

    Digits finer than a millisecond are cut off, never rounded, as HubSpot's search does.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value).strip()
    try:
        if text.lstrip("-").isascii() and text.lstrip("-").isdigit():
            return int(text) if len(text) <= 16 else None
        moment = datetime.fromisoformat(text)
        return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MS
    except (ValueError, OverflowError):
        return None


def instant(value: object) -> int:
    """An instant in an admin call as ms: epoch seconds, epoch ms (anything above 10^11), or ISO 8601.

    Raises ValueError for anything else.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value if abs(value) > 1e11 else value * 1000)
    found = to_ms(value)
    if found is None:
        raise ValueError(f"not an instant: {value!r} (epoch seconds, epoch ms or ISO 8601)")
    return found
