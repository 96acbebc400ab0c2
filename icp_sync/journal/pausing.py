"""Connections that people have paused, and what they ask of one that has stopped by itself.

One row each, so that a worker learns of all its connections in one query. Knows nothing of who heeds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.encoding import dumps, loads, plain

_STATE = schema.connection_state
_RESUMED = "resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Somebody stopped a connection, until somebody lets it go on. at: epoch seconds."""

    by: str
    at: float
    why: str = ""

    def __str__(self) -> str:
        at = datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return f"by {self.by} at {at}" + (f": {self.why}" if self.why else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What people want of a connection. resumed: differs after each time somebody let it go on, "" before
    the first."""

    paused: Pause | None = None
    resumed: str = ""


NO_WISH = Wish()


class Pausing(Bound):
    def connection_paused(self) -> Pause | None:
        """Who paused this connection; None where nobody did."""
        with self.reading() as conn:
            row = self.state(conn)
        return _wish(str(row.paused)).paused if row else None

    def pause_connection(self, *, by: str, why: str = "", now: float) -> bool:
        """Let nothing of it go on until `resume_connection`; false where it is paused already: that stays."""
        with self.writing("state") as conn:
            row = self.state(conn)
            before = loads(row.paused) if row else {}
            if "at" in before:
                return False
            said = {"by": plain(by, 200), "at": now, "why": plain(why, 500)}
            self.set_state(conn, paused=dumps({**before, **said}))
            return True

    def resume_connection(self, *, by: str, now: float) -> bool:
        """Let it go on, and try again where it stopped by itself; whether it had been paused."""
        with self.writing("state") as conn:
            row = self.state(conn)
            before = loads(row.paused) if row else {}
            times = int(before.get(_RESUMED, [0])[0]) + 1
            self.set_state(conn, paused=dumps({_RESUMED: [times, plain(by, 200), now]}))
            return "at" in before

    def wishes(self) -> Mapping[str, Wish]:
        """Of every connection of the journal about which anybody has said anything."""
        with self.reading() as conn:
            rows = conn.execute(select(_STATE.c.connection, _STATE.c.paused).where(_STATE.c.paused != ""))
            return {connection: _wish(paused) for connection, paused in rows}


def _wish(text: str) -> Wish:
    said = loads(text)
    paused = (
        Pause(by=str(said["by"]), at=float(said["at"]), why=str(said.get("why", "")))
        if "at" in said
        else None
    )
    return Wish(paused=paused, resumed=":".join(map(str, said.get(_RESUMED, ()))))
