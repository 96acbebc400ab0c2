"""One connection's own row: whose portal it is bound to, its mode, its roster, a requested backfill."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, case, delete, select, update

from icp_sync.domain.account import Owner, Roster
from icp_sync.domain.standing import Mode
from icp_sync.errors import ConfigError, Problem
from icp_sync.journal import postgres, schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.database import chunks
from icp_sync.journal.encoding import plain
from icp_sync.journal.quota_rows import without_quota
from icp_sync.journal.records import BackfillRequest


class Connections(Bound):
    def roster_now(self) -> Roster:
        """Owners by email, with the loads our counters hold now."""
        with self.reading() as conn:
            return roster(conn, self.connection)

    def bind(self, identity_id: str, *, crm: str, now: float, rebind: bool = False) -> None:
        """Bind this connection to a portal or org for good; the first time records it.

        Another identity raises ConfigError, unless `rebind`: then every position starts over, no stamp
        counts as seen, its limits and their alert are forgotten, and a backfill is requested, for they all
        spoke of the other portal's clock, calls and records. Confirmed values stay: a copied record still
        holds what we wrote. Which views are ours is forgotten: the same ids name others' there.
        """
        with self.writing("state") as conn:
            if conn.dialect.name == postgres.NAME:
                postgres.queue_for_all(conn)  # two connections must not take the same portal at once
            row = self.state(conn)
            bound = str(row.identity) if row else ""
            if bound == identity_id:
                return
            if bound and not rebind:
                raise self._mismatch(bound, identity_id)
            if taken := self._bound_elsewhere(conn, identity_id):
                raise self._taken(taken, identity_id)
            self.set_state(conn, identity=identity_id, crm=crm, bound_at=now)
            if bound:
                position, account = schema.position, schema.account
                for table in (position, schema.view):
                    conn.execute(delete(table).where(table.c.connection == self.connection))
                without_quota(conn, self.connection)
                conn.execute(
                    update(account).where(account.c.connection == self.connection).values(seen_stamp=None)
                )
                reason = f"rebound from {bound} to {identity_id}"
                self.set_state(conn, backfill_reason=reason, backfill_at=now)

    def refuse_taken(self, identity_id: str) -> None:
        """Raise ConfigError where another connection of this journal is bound to a portal or org."""
        with self.reading() as conn:
            taken = self._bound_elsewhere(conn, identity_id)
        if taken:
            raise self._taken(taken, identity_id)

    def _bound_elsewhere(self, conn: Connection, identity_id: str) -> str:
        """Another connection of this journal bound to the same portal: two would undo each other's writes."""
        table = schema.connection_state
        others = (table.c.identity == identity_id, table.c.connection != self.connection)
        return str(conn.execute(select(table.c.connection).where(*others)).scalar() or "")

    def _taken(self, other: str, identity_id: str) -> ConfigError:
        return ConfigError(
            [
                Problem(
                    where=f"connection {self.connection}",
                    what=f"{identity_id} belongs to connection {other} already",
                    hint="one connection a portal; name further profiles on that one",
                )
            ],
            next_step="icp-sync status --connection " + other,
        )

    def _mismatch(self, bound: str, met: str) -> ConfigError:
        return ConfigError(
            [
                Problem(
                    where=f"connection {self.connection}",
                    what=f"the journal belongs to {bound}, but these credentials open {met}",
                    hint="use the right credentials or another journal; if the move is meant, "
                    "icp-sync bind --rebind",
                )
            ],
            next_step="icp-sync bind --rebind",
        )

    def bound_to(self) -> str:
        """The portal or org id, "" while unbound."""
        with self.reading() as conn:
            row = self.state(conn)
        return str(row.identity) if row else ""

    def mode(self) -> Mode:
        with self.reading() as conn:
            row = self.state(conn)
        return Mode(row.mode) if row else Mode.OBSERVE

    def set_mode(self, mode: Mode, *, now: float) -> Mode:
        """Set the mode; returns the one before."""
        with self.writing("state") as conn:
            row = self.state(conn)
            self.set_state(conn, mode=mode.value, mode_at=now)
        return Mode(row.mode) if row else Mode.OBSERVE

    def request_backfill(self, reason: str, now: float) -> None:
        """Ask for a backfill; an earlier request still waiting keeps its time and gains the reason."""
        with self.writing("state") as conn:
            row = self.state(conn)
            earlier = str(row.backfill_reason or "") if row else ""
            if row and earlier:
                reasons = earlier.split("; ")
                reason = earlier if reason in reasons else f"{earlier}; {reason}"
                now = float(str(row.backfill_at))
            self.set_state(conn, backfill_reason=plain(reason), backfill_at=now)

    def backfill_request(self) -> BackfillRequest | None:
        with self.reading() as conn:
            row = self.state(conn)
        if row is None or row.backfill_at is None:
            return None
        return BackfillRequest(reason=str(row.backfill_reason), at=float(row.backfill_at))

    def clear_backfill_request(self) -> None:
        with self.writing("state") as conn:
            self.set_state(conn, backfill_reason=None, backfill_at=None)

    def wake_all(self, now: float, *, unowned: bool = False, settled_before: float | None = None) -> int:
        """Make every live account due, or those in scope that nobody owns, or those last settled before an
        instant; returns how many. One that is due already keeps its place."""
        table = schema.account
        live = [table.c.connection == self.connection, table.c.status != "gone"]
        if unowned:
            live += [table.c.owner == "", table.c.in_scope.is_(True)]
        if settled_before is not None:
            live.append(table.c.settled_at < settled_before)
        earlier = case((table.c.wake_at < now, table.c.wake_at), else_=now)
        with self.writing("state") as conn:
            return conn.execute(update(table).where(*live).values(wake_at=earlier)).rowcount

    def postpone(self, ids: Sequence[str], *, until: float) -> None:
        """Let these accounts sleep until then."""
        table = schema.account
        with self.writing("state") as conn:
            for chunk in chunks(ids):
                these = (table.c.connection == self.connection, table.c.id.in_(chunk))
                conn.execute(update(table).where(*these).values(wake_at=until))

    def set_owners(self, owners: Sequence[Owner], *, now: float) -> None:
        """Replace the owners; the roster's version grows only when they differ."""
        wanted = {owner.email: owner for owner in owners if owner.email}
        table = schema.owner
        with self.writing("roster") as conn:
            row = self.state(conn)
            if row is not None and row.roster_version and _owners(conn, self.connection) == wanted:
                return
            conn.execute(delete(table).where(table.c.connection == self.connection))
            if wanted:
                conn.execute(table.insert(), [self._owner_row(owner) for owner in wanted.values()])
            self.set_state(conn, roster_version=int(str(row.roster_version)) + 1 if row else 1)

    def _owner_row(self, owner: Owner) -> dict[str, object]:
        return {
            "connection": self.connection,
            "email": owner.email,
            "id": owner.id,
            "name": plain(owner.name),
            "active": owner.active,
        }


def roster(conn: Connection, connection: str) -> Roster:
    """Owners by email with the loads our counters hold."""
    state, load = schema.connection_state, schema.load
    version = conn.execute(
        select(state.c.roster_version).where(state.c.connection == connection)
    ).scalar_one_or_none()
    counted = conn.execute(
        select(load.c.owner, load.c.load, load.c.version).where(load.c.connection == connection)
    ).all()
    return Roster(
        version=version or 0,
        owners=_owners(conn, connection),
        loads={owner: held for owner, held, _ in counted},
        load_versions={owner: moved for owner, _, moved in counted},
    )


def _owners(conn: Connection, connection: str) -> dict[str, Owner]:
    table = schema.owner
    rows = conn.execute(
        select(table.c.email, table.c.id, table.c.name, table.c.active).where(
            table.c.connection == connection
        )
    )
    return {
        email: Owner(id=owner_id, email=email, name=name, active=active)
        for email, owner_id, name, active in rows
    }
