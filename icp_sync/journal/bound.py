"""What every part of the journal stands on: an engine, one connection's name, transactions, the fence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import Connection, Engine, Row, Select, select, update

from icp_sync.errors import LostLeaseError
from icp_sync.journal import schema
from icp_sync.journal.database import begun, connect, glance, insert_missing
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
    "amend": "what an undo or an applied plan wrote: the next read finds it by its intents",
    "hold": "that a person let a held change pass",
    "alert": "that somebody was told",
    "request": "what a command asked of the process that holds the journal",
    "audit": "who changed what",
    "quota": "a slot of the rate limit that nobody used, and what replies said of the limits",
    "deal": "what was sold, and what we were about to stamp on it: the next read tells both",
    "view": "which view in the CRM is ours: it is found again by its name and its filter",
    "watch": "what the watch on drift last found: the next look finds it again",
    "notice": "whether somebody was told: they would be told again, or never",
    "day": "how the accounts stood today: the next look counts them again",
    "turn": "when a stream is to run next: it runs a little too early, or is looked for again",
    "partition": "which ranges of ids a backfill was cut into: it is cut again, nothing of it was begun",
    "worker": "that a worker lives: it says so again",
    "moved": "that this journal's place was taken by a copy",
    "job": "that the CRM carries out writes of ours by itself: we would read, and write, in its midst",
}


def _around(what: str, loss: str) -> tuple[Callable[[], None], Callable[[], None]]:
    return fault_point(f"journal.{what}.before", loss), fault_point(f"journal.{what}.after", loss)


_APART = frozenset({"quota"})
"""Transactions on a table that no other kind touches: they queue among themselves only."""

_AROUND_COMMIT = {what: _around(what, loss) for what, loss in _WHAT_IS_LOST.items()}


def around(what: str) -> tuple[Callable[[], None], Callable[[], None]]:
    """The fault points on both sides of a kind's commit, for what is written without a transaction."""
    return _AROUND_COMMIT[what]


_TOGETHER: ContextVar[tuple[Engine, str, Connection] | None] = ContextVar("together", default=None)
"""The transaction of `Bound.together` that this thread is in: whose it is, and on what."""


class Bound:
    """An engine bound to one connection name."""

    def __init__(self, engine: Engine, connection: str) -> None:
        self.engine = engine
        self.connection = connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view."""
        if (shared := self._shared()) is not None:
            yield shared
            return
        with connect(self.engine, writing=False) as conn, conn.begin():
            yield conn

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        """For one statement that only reads: no transaction around it, which would cost as much again."""
        if (shared := self._shared()) is not None:
            yield shared
            return
        with glance(self.engine) as conn:
            yield conn

    @contextmanager
    def writing(self, what: str) -> Iterator[Connection]:
        """One transaction, committed at the end, with fault points on both sides of the commit.

        No other one of this connection writes meanwhile, so what it reads stays true.
        """
        if (shared := self._shared()) is not None:
            yield shared
            return
        before, after = _AROUND_COMMIT[what]
        with connect(self.engine, writing=True) as conn, conn.begin():
            begun(conn, f"{self.connection} {what}" if what in _APART else self.connection)
            yield conn
            before()
        after()

    @contextmanager
    def together(self, what: str) -> Iterator[None]:
        """Whatever this thread reads and writes of this connection meanwhile is one transaction: it stands as
        a whole or not at all, and what was looked at stays true until it ends. Keep it short: nobody else
        writes."""
        with self.writing(what) as conn:
            began = _TOGETHER.set((self.engine, self.connection, conn))
            try:
                yield
            finally:
                _TOGETHER.reset(began)

    def _shared(self) -> Connection | None:
        """The connection of the `together` that this thread is in, if it is in one of ours."""
        found = _TOGETHER.get()
        ours = found is not None and found[0] is self.engine and found[1] == self.connection
        return found[2] if found is not None and ours else None

    def guard(self, conn: Connection, lease: Lease) -> None:
        """Raise LostLeaseError unless the lease is ours; it stays so until a writing transaction ends."""
        table = schema.lease
        held = select(table.c.fence).where(
            table.c.connection == self.connection,
            table.c.stream == lease.stream,
            table.c.partition == lease.partition,
            table.c.holder == lease.holder,
            table.c.fence == lease.fence,
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
