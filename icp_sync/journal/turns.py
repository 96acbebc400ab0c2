"""Whose turn it is: when each stream of each connection is to run next, and how its last cycles went.

Kept where several workers share the streams, so that a stream that fails waits longer whoever tries it, and
what one of them learned is known to all. A worker that dies leaves its turn as it is: when it is due says
the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, delete, select, tuple_

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.bulk import upsert
from icp_sync.journal.clock import moment
from icp_sync.journal.encoding import plain

_TURN = schema.turn

Key = tuple[str, str, str]
"""(connection, stream, partition)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """due_at: from when it may run. worker: which is at it, "" none. Instants are epoch seconds; began_at and
    ended_at are of the last cycle, down_since and error of failures that have not ended."""

    stream: str
    partition: str = ""
    due_at: float = 0.0
    worker: str = ""
    began_at: float | None = None
    ended_at: float | None = None
    last_success: float | None = None
    waits_until: float = 0.0
    failures: int = 0
    down_since: float | None = None
    error: str = ""


class Turns(Bound):
    def turn(self, stream: str, partition: str = "") -> Turn | None:
        with self.reading() as conn:
            row = conn.execute(select(_TURN).where(self._one(stream, partition))).first()
        return _turn(row) if row is not None else None

    def turns(self) -> list[Turn]:
        """Those of this connection."""
        with self.reading() as conn:
            rows = conn.execute(select(_TURN).where(_TURN.c.connection == self.connection))
            return [_turn(row) for row in rows]

    def all_turns(self) -> Mapping[Key, Turn]:
        """Those of every connection of the journal."""
        with self.reading() as conn:
            rows = conn.execute(select(_TURN))
            return {(row.connection, row.stream, row.partition): _turn(row) for row in rows}

    def keep_turn(self, turn: Turn) -> None:
        row = {
            "connection": self.connection,
            "stream": turn.stream,
            "partition": turn.partition,
            "due_at": turn.due_at,
            "worker": turn.worker,
            "began_at": turn.began_at,
            "ended_at": turn.ended_at,
            "last_success": turn.last_success,
            "waits_until": turn.waits_until,
            "failures": turn.failures,
            "down_since": turn.down_since,
            "error": plain(turn.error, 2000),
        }
        with self.writing("turn") as conn:
            upsert(conn, _TURN, [row])

    def forget_turns(self, keys: Collection[tuple[str, str]]) -> None:
        """Streams and partitions of this connection that are no more."""
        if keys:
            gone = tuple_(_TURN.c.stream, _TURN.c.partition).in_(list(keys))
            with self.writing("turn") as conn:
                conn.execute(delete(_TURN).where(_TURN.c.connection == self.connection, gone))

    def moment(self) -> float:
        """The time by the clock all machines share, the database's; SQLite has none but this machine's."""
        with self.reading() as conn:
            return moment(conn)

    def _one(self, stream: str, partition: str) -> ColumnElement[bool]:
        return (
            (_TURN.c.connection == self.connection)
            & (_TURN.c.stream == stream)
            & (_TURN.c.partition == partition)
        )


def _turn(row: Row[tuple[object, ...]]) -> Turn:
    said = dict(row._mapping)
    said.pop("connection")
    return Turn(**said)
