"""What somebody was told of, so that they are told once when it begins and once when it has ended.

Whoever listens for operators is told of either in the same transaction, see `notices.note_alert`.
"""

from __future__ import annotations

import time

from sqlalchemy import delete, select, update

from icp_sync.journal import schema
from icp_sync.journal.database import insert
from icp_sync.journal.encoding import plain
from icp_sync.journal.notices import Listening, note_alert
from icp_sync.journal.records import Alert

_ALERT = schema.alert


class Alerts(Listening):
    def raise_alert(self, name: str, text: str, *, now: float) -> bool:
        """Whether this is news: false while an alert of that name stands already; that takes the new text."""
        said = plain(text, 2000)
        row = {"connection": self.connection, "name": name, "text": said, "since": now}
        with self.writing("alert") as conn:
            fresh = insert(conn, _ALERT).values(row).on_conflict_do_nothing().returning(_ALERT.c.name)
            news = conn.execute(fresh).scalar() is not None
            if news:
                note_alert(conn, self, name, said, begun=True, now=now)
            else:
                mine = (_ALERT.c.connection == self.connection, _ALERT.c.name == name)
                conn.execute(update(_ALERT).where(*mine, _ALERT.c.text != said).values(text=said))
        return news

    def end_alert(self, name: str, *, now: float | None = None) -> bool:
        """Whether there was one to end. now: our clock, by default the machine's."""
        mine = (_ALERT.c.connection == self.connection, _ALERT.c.name == name)
        with self.writing("alert") as conn:
            ended = conn.execute(delete(_ALERT).where(*mine).returning(_ALERT.c.text)).scalar()
            if ended is None:
                return False
            note_alert(conn, self, name, ended, begun=False, now=time.time() if now is None else now)
            return True

    def alerts(self) -> list[Alert]:
        """Those that stand, oldest first."""
        mine = _ALERT.c.connection == self.connection
        columns = (_ALERT.c.name, _ALERT.c.text, _ALERT.c.since)
        with self.reading() as conn:
            rows = conn.execute(select(*columns).where(mine).order_by(_ALERT.c.since, _ALERT.c.name))
            return [Alert(name=name, text=text, since=since) for name, text, since in rows]
