"""How a connection stood at the end of each UTC day, as far as something was running: for charts over time.

One row a day, overwritten until the day is over; a day on which nothing ran has none. What is in it is plain
JSON, see `sync.daily`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.budgets import DAY, day_of
from icp_sync.journal.bulk import upsert
from icp_sync.journal.encoding import dumps, loads

_DAILY = schema.daily
KEPT_DAYS = 731
"""Two years: longer than any other history, as it is little and tells nothing of anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """day: days since 1970-01-01, UTC. at: when it was looked at last, epoch seconds."""

    day: int
    at: float
    data: Mapping[str, Any]

    @property
    def began(self) -> float:
        """Its first instant, epoch seconds."""
        return self.day * DAY


class Dailies(Bound):
    def keep_day(self, data: Mapping[str, Any], *, now: float, day: int | None = None) -> None:
        """Keep this of a day, by default the present one, in place of what was kept.

        What is older than two years goes.
        """
        row = {
            "connection": self.connection,
            "day": day_of(now) if day is None else day,
            "at": now,
            "data": dumps(dict(data)),
        }
        with self.writing("day") as conn:
            upsert(conn, _DAILY, [row])
            old = (_DAILY.c.connection == self.connection, _DAILY.c.day < day_of(now) - KEPT_DAYS)
            conn.execute(delete(_DAILY).where(*old))

    def days(self, most: int = KEPT_DAYS) -> list[Day]:
        """The newest days that were kept, at most so many, the oldest first."""
        newest = (
            select(_DAILY.c.day, _DAILY.c.at, _DAILY.c.data)
            .where(_DAILY.c.connection == self.connection)
            .order_by(_DAILY.c.day.desc())
            .limit(most)
        )
        with self.reading() as conn:
            rows = conn.execute(newest).all()
        return [Day(day=day, at=at, data=loads(text)) for day, at, text in reversed(rows)]
