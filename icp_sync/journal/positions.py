"""How far each stream has settled. Only `commit` moves a position; here they are read and reset."""

from __future__ import annotations

from sqlalchemy import delete, select

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.encoding import loads
from icp_sync.ports import Position

PRUNED = ("pruned", "evaluation_log")
"""The stream and partition under which is kept how far old evaluations were looked through: `last_id` is a
row's number in this database."""
_TABLE = schema.position


class Positions(Bound):
    def position(self, stream: str, partition: str = "") -> Position:
        """The stored position, or the very beginning."""
        with self.reading() as conn:
            text = conn.execute(
                select(_TABLE.c.data).where(
                    _TABLE.c.connection == self.connection,
                    _TABLE.c.stream == stream,
                    _TABLE.c.partition == partition,
                )
            ).scalar()
        return Position.from_json(loads(text))

    def positions(self) -> dict[tuple[str, str], tuple[Position, float]]:
        """(stream, partition) → the position and when it was stored."""
        with self.reading() as conn:
            rows = conn.execute(
                select(_TABLE.c.stream, _TABLE.c.partition, _TABLE.c.data, _TABLE.c.at).where(
                    _TABLE.c.connection == self.connection
                )
            ).all()
        return {
            (stream, partition): (Position.from_json(loads(text)), at) for stream, partition, text, at in rows
        }

    def reset_position(self, stream: str, partition: str = "") -> None:
        """Let the stream start from the beginning."""
        with self.writing("state") as conn:
            conn.execute(
                delete(_TABLE).where(
                    _TABLE.c.connection == self.connection,
                    _TABLE.c.stream == stream,
                    _TABLE.c.partition == partition,
                )
            )
