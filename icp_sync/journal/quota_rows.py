"""The row in which all processes of a connection keep its limits. Must not know what it says.

On PostgreSQL it is changed by compare-and-set, without a transaction: nobody waits for a lock that a process
holds which was paused, and it takes two round trips instead of six.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, Float, cast, delete, extract, func, select, update

from icp_sync.journal import postgres, schema
from icp_sync.journal.bound import Bound, around
from icp_sync.journal.bulk import upsert
from icp_sync.journal.clock import moment
from icp_sync.journal.database import glance, insert_missing

T = TypeVar("T")

_TABLE = schema.quota
QUOTA_ALERT = "quota"
"""The name of the alert that the calls of the day have stopped us."""


TRIES = 8
"""Times that others may be quicker; then the row is locked, and they wait."""
BETWEEN = 0.002
"""Seconds to leave the others, more each time: those that compare at the same time would do so again."""

_THERE = select(
    _TABLE.c.data, _TABLE.c.at, cast(extract("epoch", func.clock_timestamp()), Float(53)).label("now")
)


class QuotaRows(Bound):
    def change_quota(self, change: Callable[[str, float, float], tuple[str, T]]) -> T:
        """Replace the row, alone among all processes. `change` is given its text, "" at first, when that was
        written, and the time, UTC epoch seconds by the database's clock; it returns the new text, and what is
        returned here. Where another was quicker it is asked again: it must do nothing else."""
        if self.engine.dialect.name == postgres.NAME and self._shared() is None:
            return self._compared(change)
        with self.writing("quota") as conn:
            said, at, now = _row(conn, self.connection)
            said, result = change(said, at, now)
            upsert(conn, _TABLE, [{"connection": self.connection, "data": said, "at": now}])
        return result

    def _compared(self, change: Callable[[str, float, float], tuple[str, T]]) -> T:
        before, after = around("quota")
        mine = _TABLE.c.connection == self.connection
        with glance(self.engine) as conn:
            for n in range(TRIES):
                row = conn.execute(_THERE.where(mine)).first()
                if row is None:
                    insert_missing(conn, _TABLE, [{"connection": self.connection, "data": "", "at": 0.0}])
                    continue
                said, result = change(row.data, row.at or row.now, row.now)
                before()
                still = (mine, _TABLE.c.data == row.data, _TABLE.c.at == row.at)
                if conn.execute(update(_TABLE).where(*still).values(data=said, at=row.now)).rowcount == 1:
                    after()
                    return result
                time.sleep(random.uniform(0.0, BETWEEN * (n + 1)))  # noqa: S311  spreads processes
        return self._locked(change)

    def _locked(self, change: Callable[[str, float, float], tuple[str, T]]) -> T:
        """Everybody else's comparison waits for this, and fails."""
        mine = _TABLE.c.connection == self.connection
        with self.writing("quota") as conn:
            row = conn.execute(select(_TABLE.c.data, _TABLE.c.at).where(mine).with_for_update()).one()
            now = moment(conn)
            said, result = change(row.data, row.at or now, now)
            conn.execute(update(_TABLE).where(mine).values(data=said, at=now))
        return result

    def quota_text(self) -> tuple[str, float, float]:
        """The row's text, "" where there is none, when it was written, and the time by the same clock."""
        with self.reading() as conn:
            return _row(conn, self.connection)

    def forget_quota(self) -> None:
        """The row and the alert about it spoke of another portal."""
        with self.writing("state") as conn:
            without_quota(conn, self.connection)


def _row(conn: Connection, connection: str) -> tuple[str, float, float]:
    row = conn.execute(select(_TABLE.c.data, _TABLE.c.at).where(_TABLE.c.connection == connection)).first()
    now = moment(conn)
    return (str(row.data), float(row.at), now) if row else ("", now, now)


def without_quota(conn: Connection, connection: str) -> None:
    """Delete the row, and the alert about it."""
    alert = schema.alert
    conn.execute(delete(_TABLE).where(_TABLE.c.connection == connection))
    conn.execute(delete(alert).where(alert.c.connection == connection, alert.c.name == QUOTA_ALERT))
