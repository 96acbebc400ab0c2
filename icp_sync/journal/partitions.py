"""The ranges of ids a backfill is cut into: bounds, how far each is, its waves, and whether one holds it.

A range is leased like a stream and moves a position of its own. Ranges are made and forgotten under the
lease of the whole backfill. Whoever forgets them ends their leases as well: a worker that was at one of
them, and does not know yet, commits nothing more. Must not know what is read, nor who makes a range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, select, update

from icp_sync.journal import schema
from icp_sync.journal.backfills import BackfillState, state_from, state_to
from icp_sync.journal.bound import Bound
from icp_sync.journal.clock import shared
from icp_sync.journal.commit import move
from icp_sync.journal.encoding import dumps, loads
from icp_sync.journal.records import Lease
from icp_sync.ports import Position, Stream

_TABLE, _POSITION, _LEASE = schema.partition, schema.position, schema.lease
_BACKFILL = Stream.BACKFILL.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Ids after the one and up to the other, "" for no bound. state: its waves. held: by a worker, now."""

    name: str
    after: str = ""
    up_to: str = ""
    position: Position = field(default_factory=Position)
    state: BackfillState = field(default_factory=BackfillState)
    held: bool = False


class Partitions(Bound):
    def is_cut(self) -> bool:
        """Whether there are ranges."""
        with self.looking() as conn:
            return (
                conn.execute(select(_TABLE.c.partition).where(*self._of_ranges(_TABLE)).limit(1)).first()
                is not None
            )

    def cut_connections(self) -> list[str]:
        """Every connection of the journal whose backfill is cut."""
        with self.looking() as conn:
            cut = select(_TABLE.c.connection).where(_TABLE.c.stream == _BACKFILL).distinct()
            return list(conn.execute(cut).scalars())

    def ranges(self, *, now: float) -> list[Range]:
        """All of them, in order of their ids; none where the backfill is not cut."""
        same = (_TABLE.c.connection, _TABLE.c.stream, _TABLE.c.partition)
        with self.reading() as conn:
            rows = conn.execute(
                select(
                    *same[2:],
                    _TABLE.c.after,
                    _TABLE.c.up_to,
                    _TABLE.c.state,
                    _POSITION.c.data,
                    _LEASE.c.until,
                )
                .outerjoin(_POSITION, and_(*(c == _POSITION.c[c.name] for c in same)))
                .outerjoin(_LEASE, and_(_LEASE.c.holder != "", *(c == _LEASE.c[c.name] for c in same)))
                .where(*self._of_ranges(_TABLE))
                .order_by(_TABLE.c.partition)
            ).all()
            now = shared(conn, now) if rows else now
        return [
            Range(
                name=name,
                after=after,
                up_to=up_to,
                position=Position.from_json(loads(data)) if data else Position(),
                state=state_from(loads(state)),
                held=until is not None and until > now,
            )
            for name, after, up_to, state, data, until in rows
        ]

    def held_ranges(self, *, now: float) -> int:
        """How many are held by workers."""
        with self.reading() as conn:
            held = (*self._of_ranges(_LEASE), _LEASE.c.holder != "", _LEASE.c.until > shared(conn, now))
            return int(conn.execute(select(func.count()).where(*held)).scalar_one())

    def cut(self, lease: Lease, ranges: Sequence[Range]) -> bool:
        """Cut the backfill this lease is of into ranges, none of them begun; false where it is cut already.

        Raises LostLeaseError, having changed nothing, when the lease was taken over.
        """
        with self.writing("partition") as conn:
            self.guard(conn, lease)
            if conn.execute(select(_TABLE.c.partition).where(*self._of_ranges(_TABLE)).limit(1)).first():
                return False
            self._clear_ranges(conn)
            if ranges:
                conn.execute(_TABLE.insert(), [self._range_row(one) for one in ranges])
            return bool(ranges)

    def forget_ranges(self, lease: Lease) -> None:
        """There are none any more, and nobody is at one. lease: of the whole. Raises LostLeaseError."""
        with self.writing("partition") as conn:
            self.guard(conn, lease)
            self._clear_ranges(conn)

    def keep_range(self, lease: Lease, state: BackfillState) -> None:
        """How far the waves are of the range this lease is of. Raises LostLeaseError."""
        with self.writing("partition") as conn:
            self.guard(conn, lease)
            this = (*self._of_ranges(_TABLE), _TABLE.c.partition == lease.partition)
            conn.execute(update(_TABLE).where(*this).values(state=dumps(state_to(state))))

    def begin_ranges_anew(self) -> None:
        """Whatever is left of each is as if nothing were known of it, and whoever is at one is so no more."""
        with self.writing("partition") as conn:
            fresh = dumps(state_to(BackfillState()))
            conn.execute(update(_TABLE).where(*self._of_ranges(_TABLE)).values(state=fresh))
            self._end_range_leases(conn)

    def close_ranges(self, lease: Lease, *, now: float) -> bool:
        """Once every range is at its end, the whole backfill is, and there are none any more; else false.

        lease: of the whole backfill. Raises LostLeaseError.
        """
        with self.writing("partition") as conn:
            self.guard(conn, lease)
            found = self._range_positions(conn)
            if not found or not all(position.finished for position in found):
                return False
            self._clear_ranges(conn)
            last = Position(last_id=found[-1].last_id, finished=True)
            move(conn, self.connection, _BACKFILL, "", last, now)
            return True

    def _range_positions(self, conn: Connection) -> list[Position]:
        """How far each range is, in order."""
        same = (_TABLE.c.connection, _TABLE.c.stream, _TABLE.c.partition)
        rows = conn.execute(
            select(_POSITION.c.data)
            .select_from(_TABLE)
            .outerjoin(_POSITION, and_(*(c == _POSITION.c[c.name] for c in same)))
            .where(*self._of_ranges(_TABLE))
            .order_by(_TABLE.c.partition)
        )
        return [Position.from_json(loads(data)) if data else Position() for data in rows.scalars()]

    def _clear_ranges(self, conn: Connection) -> None:
        for table in (_TABLE, _POSITION):
            conn.execute(delete(table).where(*self._of_ranges(table)))
        self._end_range_leases(conn)

    def _end_range_leases(self, conn: Connection) -> None:
        """The rows stay: fencing numbers only ever rise."""
        conn.execute(update(_LEASE).where(*self._of_ranges(_LEASE)).values(holder="", until=0.0))

    def _of_ranges(self, table: Table) -> tuple[ColumnElement[bool], ...]:
        """What belongs to ranges of this connection's backfill, not to the whole of it."""
        c = table.c
        return (c.connection == self.connection, c.stream == _BACKFILL, c.partition != "")

    def _range_row(self, one: Range) -> dict[str, object]:
        return {
            "connection": self.connection,
            "stream": _BACKFILL,
            "partition": one.name,
            "after": one.after,
            "up_to": one.up_to,
            "state": dumps(state_to(one.state)),
        }
