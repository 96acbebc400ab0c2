"""The row in which all processes of a connection keep its limits. Must not know what it says."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, select, text

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.database import upsert

T = TypeVar("T")

_TABLE = schema.quota


class QuotaRows(Bound):
    def change_quota(self, change: Callable[[str, float], tuple[str, T]]) -> T:
        """Replace the row, alone among all processes. `change` is given its text, "" at first, and the time,
        UTC epoch seconds by the database's clock; it returns the new text, and what is returned here.

        SQLite lets one writer in at a time; on PostgreSQL an advisory lock of the transaction does.
        """
        with self.writing("quota") as conn:
            if conn.dialect.name == "postgresql":
                name = f"icp-sync quota {self.connection}"
                conn.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
            now = _now(conn)
            mine = select(_TABLE.c.data).where(_TABLE.c.connection == self.connection)
            said, result = change(str(conn.execute(mine).scalar() or ""), now)
            upsert(conn, _TABLE, [{"connection": self.connection, "data": said, "at": now}])
        return result

    def quota_text(self) -> tuple[str, float]:
        """The row's text, "" where there is none, and the time by the database's clock."""
        with self.reading() as conn:
            mine = select(_TABLE.c.data).where(_TABLE.c.connection == self.connection)
            return str(conn.execute(mine).scalar() or ""), _now(conn)


def _now(conn: Connection) -> float:
    """The database's clock. SQLite has none but this machine's."""
    if conn.dialect.name == "postgresql":
        return float(conn.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
    return time.time()
