"""The row in which all processes of a connection keep its limits. Must not know what it says."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, delete, select, text

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.database import upsert

T = TypeVar("T")

_TABLE = schema.quota
QUOTA_ALERT = "quota"
"""The name of the alert that the calls of the day have stopped us."""


class QuotaRows(Bound):
    def change_quota(self, change: Callable[[str, float, float], tuple[str, T]]) -> T:
        """Replace the row, alone among all processes. `change` is given its text, "" at first, when that was
        written, and the time, UTC epoch seconds by the database's clock; it returns the new text, and what is
        returned here."""
        with self.writing("quota") as conn:
            said, at, now = _row(conn, self.connection)
            said, result = change(said, at, now)
            upsert(conn, _TABLE, [{"connection": self.connection, "data": said, "at": now}])
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
    now = _now(conn)
    return (str(row.data), float(row.at), now) if row else ("", now, now)


def without_quota(conn: Connection, connection: str) -> None:
    """Delete the row, and the alert about it."""
    alert = schema.alert
    conn.execute(delete(_TABLE).where(_TABLE.c.connection == connection))
    conn.execute(delete(alert).where(alert.c.connection == connection, alert.c.name == QUOTA_ALERT))


def _now(conn: Connection) -> float:
    """The database's clock. SQLite has none but this machine's."""
    if conn.dialect.name == "postgresql":
        return float(conn.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
    return time.time()
