"""What somebody was told of, so that they are told once when it begins and once when it has ended."""

from __future__ import annotations

from sqlalchemy import delete, select, update

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.database import insert
from icp_sync.journal.encoding import plain
from icp_sync.journal.records import Alert

_ALERT = schema.alert


class Alerts(Bound):
    def raise_alert(self, name: str, text: str, *, now: float) -> bool:
        """Whether this is news: false while an alert of that name stands already; that takes the new text."""
        row = {"connection": self.connection, "name": name, "text": plain(text, 2000), "since": now}
        with self.writing("alert") as conn:
            fresh = insert(conn, _ALERT).values(row).on_conflict_do_nothing().returning(_ALERT.c.name)
            news = conn.execute(fresh).scalar() is not None
            if not news:
                mine = (_ALERT.c.connection == self.connection, _ALERT.c.name == name)
                conn.execute(
                    update(_ALERT).where(*mine, _ALERT.c.text != row["text"]).values(text=row["text"])
                )
        return news

    def end_alert(self, name: str) -> bool:
        """Whether there was one to end."""
        mine = (_ALERT.c.connection == self.connection, _ALERT.c.name == name)
        with self.writing("alert") as conn:
            return bool(conn.execute(delete(_ALERT).where(*mine)).rowcount)

    def alerts(self) -> list[Alert]:
        """Those that stand, oldest first."""
        mine = _ALERT.c.connection == self.connection
        columns = (_ALERT.c.name, _ALERT.c.text, _ALERT.c.since)
        with self.reading() as conn:
            rows = conn.execute(select(*columns).where(mine).order_by(_ALERT.c.since, _ALERT.c.name))
            return [Alert(name=name, text=text, since=since) for name, text, since in rows]
