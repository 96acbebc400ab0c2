"""Who may work on a stream: leases per connection, stream and partition, with fencing numbers.

Time only says when a lease may be taken over: the database's time, so that machines whose clocks differ
agree. What protects the data is the fence: `intend` and `commit` check it in their own transaction, and
whoever sends asks for it right before, so a worker that was paused past its lease can change nothing.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import ColumnElement, and_, select, update

from icp_sync.journal import postgres, schema
from icp_sync.journal.bound import Bound, lost
from icp_sync.journal.clock import shared
from icp_sync.journal.database import insert
from icp_sync.journal.records import Lease

_TABLE = schema.lease


class Leases(Bound):
    def lease(
        self, stream: str, partition: str = "", *, holder: str, now: float, ttl: float = 60.0
    ) -> Lease | None:
        """Take the lease for `ttl` seconds, or None while somebody live holds it. now: this machine's time;
        what is kept, and said by the lease, is by the database's."""
        postgres.still_present(self.engine)
        with self.writing("lease") as conn:
            now = shared(conn, now)
            until = now + ttl
            statement = insert(conn, _TABLE).values(
                connection=self.connection,
                stream=stream,
                partition=partition,
                holder=holder,
                fence=1,
                until=until,
            )
            taken = statement.on_conflict_do_update(
                index_elements=["connection", "stream", "partition"],
                set_={"holder": holder, "fence": _TABLE.c.fence + 1, "until": until},
                where=_TABLE.c.until <= now,
            ).returning(_TABLE.c.fence)
            fence = conn.execute(taken).scalar()
        if fence is None:
            return None
        return Lease(stream=stream, partition=partition, holder=holder, fence=fence, until=until)

    def renew(self, lease: Lease, *, now: float, ttl: float = 60.0) -> Lease:
        """The lease with more time. Raises LostLeaseError once another took over."""
        postgres.still_present(self.engine)
        with self.writing("lease") as conn:
            until = shared(conn, now) + ttl
            done = conn.execute(update(_TABLE).where(self._is(lease)).values(until=until))
            if done.rowcount != 1:
                raise lost(lease)
        return replace(lease, until=until)

    def is_held(self, stream: str, partition: str = "", *, now: float) -> bool:
        """Whether somebody holds a lease, and still has time."""
        with self.looking() as conn:
            until = conn.execute(
                select(_TABLE.c.until).where(
                    _TABLE.c.connection == self.connection,
                    _TABLE.c.stream == stream,
                    _TABLE.c.partition == partition,
                    _TABLE.c.holder != "",
                )
            ).scalar()
            return until is not None and until > shared(conn, now)

    def check_fence(self, lease: Lease) -> None:
        """Raises LostLeaseError unless the lease is still ours, UnavailableError where nobody can tell. To be
        asked right before each send: whoever gets neither may send one request."""
        with self.looking() as conn:
            self.guard(conn, lease)

    def release_lease(self, lease: Lease) -> None:
        """Give the lease back; a lost one is left to its new holder."""
        with self.writing("lease") as conn:
            conn.execute(update(_TABLE).where(self._is(lease)).values(holder="", until=0.0))

    def break_leases(self) -> int:
        """End every lease of this connection: whoever holds the journal alone knows they are of the dead.

        On PostgreSQL, where others may hold it too, nothing happens while they do: the leases of one that
        died run out by themselves.
        """
        postgres.still_present(self.engine)
        held = and_(_TABLE.c.connection == self.connection, _TABLE.c.holder != "")
        with self.writing("lease") as conn:
            if conn.dialect.name == postgres.NAME and not postgres.alone(conn):
                return 0
            return conn.execute(update(_TABLE).where(held).values(holder="", until=0.0)).rowcount

    def _is(self, lease: Lease) -> ColumnElement[bool]:
        return and_(
            _TABLE.c.connection == self.connection,
            _TABLE.c.stream == lease.stream,
            _TABLE.c.partition == lease.partition,
            _TABLE.c.holder == lease.holder,
            _TABLE.c.fence == lease.fence,
        )
