"""The ends of past months, and which of them the history still tells of. UTC; pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple


class Month(NamedTuple):
    """name: "2026-10". end: its last moment, epoch seconds."""

    name: str
    end: float


def months(first: float, now: float) -> Iterator[Month]:
    """The months from that of `first` on that are over, oldest first."""
    at = datetime.fromtimestamp(first, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while True:
        following = (at + timedelta(days=32)).replace(day=1)
        end = (following - timedelta(microseconds=1)).timestamp()
        if end >= now:
            return
        yield Month(at.strftime("%Y-%m"), end)
        at = following
