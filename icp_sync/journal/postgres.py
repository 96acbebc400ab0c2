"""What PostgreSQL needs to be told, and what it tells us: sessions, locks, errors.

One writing transaction per connection of ours at a time, by an advisory lock: what SQLite does for the whole
file. So nobody deadlocks, and whatever a transaction has read stays true until its commit. Transactions
are short, none is open while a CRM is waited for. Must not know what the tables mean.

Advisory locks and how long they last: https://www.postgresql.org/docs/current/explicit-locking.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary
from zlib import crc32

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL

from icp_sync.errors import ConfigError, IcpSyncError, Problem, UnavailableError
from icp_sync.journal.schema import REVISIONS

NAME = "postgresql"
DRIVERS = (NAME, "postgresql+psycopg")

READING = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""Execution options of a transaction that only reads: several statements, one view."""

SESSION = {
    "lock_timeout": "30s",  # another writer of ours holds the lock far shorter, unless it hangs
    "statement_timeout": "10min",
    "idle_in_transaction_session_timeout": "60s",  # of a worker that was paused: its locks end with it
    "tcp_keepalives_idle": "30",  # of a machine that vanished: the server would hold its locks for two hours
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
MIGRATION_WAITS = "3s"
"""For a lock on a table; then it lets pass who queued behind it."""
_DURABLE = (
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)
"""A commit that returned must survive a crash of the server, or we would not know our own values."""

CONNECTING = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",  # milliseconds; a server that vanished is noticed while we wait for it
    "fallback_application_name": "icp_sync",
}
"""https://www.postgresql.org/docs/current/libpq-connect.html; what the URL says wins."""

WRITER, HOLDER, MIGRATION, EVERYBODY = 0x1C950001, 0x1C950002, 0x1C950003, 0x1C950004
"""First numbers of our advisory locks, so that they meet nobody else's in a shared database."""
_OURS = {"kind": HOLDER, "of": int(REVISIONS[-1])}
_APART = "((('x' || substr(md5(current_schema()), 1, 4))::bit(16)::int & 32767) << 16)"
_PRESENT = f"(:kind, {_APART} | :of)"
"""Who is present says by the second number's lower half which schema its version was built for, and by the
upper one in which namespace of the database its journal is: there may be several. 0: of before 0008."""

_OF_THE_MOMENT = re.compile(
    r"starting up|shutting down|recovery mode|too many (clients|connections)|connection slots"
    r"|refused|timed? ?out|timeout expired|reset by peer|closed the connection unexpectedly|unreachable"
    r"|No such file or directory",
    re.IGNORECASE,
)
"""How libpq and the server say that a connection may succeed later; in other languages it reads as wrong."""


def place(url: URL) -> str:
    """Which database a URL means, without any secret: "icp_sync on db.example:5432"."""
    said = url.query.get("host", "")
    host = url.host or (said if isinstance(said, str) else ",".join(said)) or "the local socket"
    return f"{url.database or '(no database named)'} on {host}" + (f":{url.port}" if url.port else "")


def make_engine(url: URL) -> Engine:
    """An engine whose sessions wait for nobody for ever, and notice a server that was restarted."""
    engine = create_engine(
        url,
        isolation_level="READ COMMITTED",  # whatever the server's default is: see `queue`
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=15,
        connect_args={name: value for name, value in CONNECTING.items() if name not in url.query}
        | {"client_encoding": "utf8"},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        connection.autocommit = True
        connection.execute("; ".join(f"SET {name} = '{value}'" for name, value in SESSION.items()))
        connection.execute(_DURABLE)
        connection.autocommit = False

    return engine


def queue(conn: Connection, name: str) -> None:
    """Wait for the other writers of this connection; the lock ends with the transaction.

    Taken before anything is read: at READ COMMITTED each later statement sees what they have committed.
    """
    _lock(conn, WRITER, name)


@contextmanager
def one_at_a_time(conn: Connection, name: str) -> Iterator[None]:
    """What takes longer than a transaction, by one of several processes at a time. conn: in autocommit."""
    asked = {"kind": MIGRATION, "name": _number(name)}
    conn.execute(text("SELECT pg_advisory_lock(:kind, :name)"), asked)
    try:
        yield
    finally:
        conn.execute(text("SELECT pg_advisory_unlock(:kind, :name)"), asked)


def queue_for_all(conn: Connection) -> None:
    """Wait for whoever looks at all connections of the journal at once."""
    _lock(conn, EVERYBODY, "")


def _lock(conn: Connection, kind: int, name: str) -> None:
    conn.execute(text("SELECT pg_advisory_xact_lock(:kind, :name)"), {"kind": kind, "name": _number(name)})


def _number(name: str) -> int:
    """A name as the signed 32-bit number that locks are named by; names that share one only wait more."""
    return crc32(name.encode("utf-8", "replace")) - 2**31


class _Presence:
    """A session that holds the shared lock of the processes that write; made again when it was cut."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = Lock()
        self._session = self._begun()

    def _begun(self) -> Connection:
        session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        session.execute(text(f"SELECT pg_advisory_lock_shared{_PRESENT}"), _OURS)
        return session

    def renew(self) -> None:
        """Take the lock again if its session was cut: by a restart of the server, a failover, an admin."""
        with self._turn:
            if not self._lives():
                self._session.close()
                self._session = self._begun()

    def _lives(self) -> bool:
        if self._session.closed:
            return False
        try:
            self._session.execute(text("SELECT 1"))
        except UnavailableError:
            return False
        return True

    def end(self) -> None:
        with self._turn, self._session, suppress(UnavailableError):
            if not self._session.closed:  # where it was cut, its lock went with it
                self._session.execute(text(f"SELECT pg_advisory_unlock_shared{_PRESENT}"), _OURS)


_presences: WeakKeyDictionary[Engine, _Presence] = WeakKeyDictionary()


@contextmanager
def present(engine: Engine) -> Iterator[None]:
    """Be known as one of the processes that write, until the end or until this process dies."""
    outer, mine = _presences.get(engine), _Presence(engine)
    _presences[engine] = mine
    try:
        yield
    finally:
        if outer is None:
            _presences.pop(engine, None)
        else:
            _presences[engine] = outer
        mine.end()


def still_present(engine: Engine) -> None:
    """Be known again, if this process is `present` and the server has lost sight of it.

    Raises UnavailableError while the server cannot be reached.
    """
    if (mine := _presences.get(engine)) is not None:
        mine.renew()


def alone(conn: Connection) -> bool:
    """Whether at most one process, then our own, is `present` at this journal."""
    return len(present_now(conn)) <= 1


def present_now(conn: Connection) -> list[int]:
    """For each process that is `present` at this journal the schema of its version; 0: before 0008, at
    whichever journal of this database."""
    known = text(
        "SELECT objid::bigint & 65535 FROM pg_locks"  # noqa: S608 - constants of ours
        " WHERE locktype = 'advisory' AND granted AND classid = :kind"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        f" AND objid::bigint & ~65535 IN (0, {_APART})"
    )
    return [int(number) for number in conn.execute(known, {"kind": HOLDER}).scalars()]


def prepare_migration(conn: Connection, where: str) -> None:
    """Of several processes that open a database one migrates. It may take as long as it takes, but waits for
    each lock only so long: behind one that waits, everybody else does."""
    encoding = conn.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise ConfigError(
            [
                Problem(
                    where=f"journal {where}",
                    what=f"stores text as {encoding}, which cannot hold every name",
                    hint="CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
                )
            ]
        )
    conn.execute(text(f"SET LOCAL lock_timeout = '{MIGRATION_WAITS}'"))
    conn.execute(text("SET LOCAL statement_timeout = 0"))
    _lock(conn, MIGRATION, "")


def stepped_back(error: BaseException | None) -> bool:
    """Whether a migration did not get its locks: they were held for too long, or by who waited for ours."""
    return error is not None and _state(error) in ("55P03", "40P01")


def cannot_open(error: BaseException, url: URL) -> IcpSyncError:
    """What it means that the database could not be opened or migrated."""
    said = _without_secret(str(error), url)
    if _OF_THE_MOMENT.search(said) if _state(error) is None else _passes(error):
        return UnavailableError(
            f"the journal {place(url)} cannot be reached now: {said}", next_step="icp-sync status"
        )
    return unusable(url, said)


def unusable(url: URL, said: str) -> ConfigError:
    hint = (
        "check host, database, user and password, and that the user may create tables in a database or "
        "schema of its own; deploy/README.md says how to make one"
    )
    problem = Problem(where=f"journal {place(url)}", what=f"cannot be used: {said}", hint=hint)
    return ConfigError([problem], next_step="icp-sync check")


def in_our_words(error: BaseException, url: URL) -> IcpSyncError | None:
    """What an error of a statement means to the caller; None for a mistake of our own."""
    said = _without_secret(str(error), url)
    if _passes(error):
        return UnavailableError(f"the journal cannot be used now: {said}", next_step="icp-sync status")
    if (_state(error) or "").startswith(("42501", "XX")):  # insufficient privilege; damage
        return unusable(url, said)
    return None


_PASSING = ("08", "0A000", "25006", "25P03", "40", "53", "55P03", "57", "58")
"""SQLSTATEs, or their classes, that pass: lost connections, standby (to begin a transaction that writes is a
thing it does not support), deadlock, resources, timeouts, restart;
https://www.postgresql.org/docs/current/errcodes-appendix.html"""


def _passes(error: BaseException) -> bool:
    state = _state(error)
    if state is None:  # of the connection itself: refused, cut, timed out
        return any(kind.__name__ == "OperationalError" for kind in type(error).__mro__)
    return state.startswith(_PASSING)


def _state(error: BaseException) -> str | None:
    """The driver's SQLSTATE; None where the connection failed, or the driver itself refused something."""
    state = getattr(error, "sqlstate", None)
    return None if state is None else str(state)


def _without_secret(said: str, url: URL) -> str:
    """One line, and no password: libpq quotes connection strings it does not understand."""
    asked = url.query.get("password", "")
    for secret in filter(None, (url.password, asked if isinstance(asked, str) else "")):
        said = said.replace(str(secret), "***")
    return " ".join(said.split())
