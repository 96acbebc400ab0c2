"""Days and instants, as cases are parted by them: a day begins at midnight UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime


def begins(day: date) -> float:
    """The first instant of a day, UTC epoch seconds."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def day_of(instant: float) -> date:
    """The day an instant (UTC epoch seconds) lies in."""
    return datetime.fromtimestamp(instant, UTC).date()
