"""What every part of the journal stands on: an engine, one connection's name, transactions, the fence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, Row, Select, select, update

from icp_sync.errors import LostLeaseError
from icp_sync.journal import schema
from icp_sync.journal.database import WRITING, insert_missing
from icp_sync.journal.records import Lease
from icp_sync.observe import fault_point

_WHAT_IS_LOST = {
    "intend": "which values we were about to write: after a crash they would look like people's edits",
    "commit": "the standing, evidence and position of a page: it would be skipped or settled twice",
    "reserve": "that a paid request was about to be sent: it would be sent and paid again",
    "record": "an answer already paid for",
    "lease": "who may work on a stream",
    "profile": "which profile is active",
    "state": "identity, mode or a requested backfill of a connection",
    "roster": "owners",
    "release": "that a held value is ours again",
    "run": "the record of a run",
    "event": "a counter",
    "job": "that the CRM carries out writes of ours by itself: we would read, and write, in its midst",
}


def _around(what: str, loss: str) -> tuple[Callable[[], None], Callable[[], None]]:
    return fault_point(f"journal.{what}.before", loss), fault_point(f"journal.{what}.after", loss)


_AROUND_COMMIT = {what: _around(what, loss) for what, loss in _WHAT_IS_LOST.items()}


class Bound:
    """An engine bound to one connection name."""

    def __init__(self, engine: Engine, connection: str) -> None:
        self.engine = engine
        self.connection = connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view."""
        with self.engine.connect() as conn, conn.begin():
            yield conn

    @contextmanager
    def writing(self, what: str) -> Iterator[Connection]:
        """One transaction, committed at the end, with fault points on both sides of the commit."""
        before, after = _AROUND_COMMIT[what]
        with self.engine.connect().execution_options(**WRITING) as conn, conn.begin():
            yield conn
            before()
        after()

    def guard(self, conn: Connection, lease: Lease) -> None:
        """Raise LostLeaseError unless the lease is still ours; keeps it so until this transaction ends."""
        table = schema.lease
        held = (
            select(table.c.fence)
            .where(
                table.c.connection == self.connection,
                table.c.stream == lease.stream,
                table.c.partition == lease.partition,
                table.c.holder == lease.holder,
                table.c.fence == lease.fence,
            )
            .with_for_update()
        )
        if conn.execute(held).first() is None:
            raise lost(lease)

    def state(self, conn: Connection) -> Row[tuple[object, ...]] | None:
        """This connection's own row, None before anything was recorded."""
        table = schema.connection_state
        statement: Select[tuple[object, ...]] = select(*table.c).where(table.c.connection == self.connection)
        return conn.execute(statement).first()

    def set_state(self, conn: Connection, **values: object) -> None:
        """Overwrite columns of this connection's own row."""
        table = schema.connection_state
        insert_missing(conn, table, [{"connection": self.connection}])
        conn.execute(update(table).where(table.c.connection == self.connection).values(**values))


def lost(lease: Lease) -> LostLeaseError:
    where = f"{lease.stream}/{lease.partition}" if lease.partition else lease.stream
    return LostLeaseError(
        f"the lease of {lease.holder} on {where} (fence {lease.fence}) was taken over",
        next_step="icp-sync status",
    )
