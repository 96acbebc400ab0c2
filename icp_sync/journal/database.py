"""The journal's database: opening it, what SQLite needs to be told, and the dialect switch.

SQLite runs in WAL with `synchronous=FULL`: a commit that returned survives a power cut. A transaction
that will write begins IMMEDIATE, so it waits its turn instead of failing half-way. What PostgreSQL needs is
in `postgres.py`, migrations are in `migrating.py`. Must not know what the tables mean.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from icp_sync.errors import ConfigError, IcpSyncError, Problem, UnavailableError
from icp_sync.journal import moved, postgres
from icp_sync.journal.migrating import found, migrate
from icp_sync.journal.schema import REVISIONS

BUSY_TIMEOUT_MS = 10_000
CHUNK = 900  # bound variables a statement may carry in older SQLite builds: 999
_SQLITE = ("sqlite", "sqlite+pysqlite")
WRITING = {"icp_sync_writing": True}
"""Execution options of a connection whose transactions will write."""

Item = TypeVar("Item")


def chunks(items: Sequence[Item], size: int = CHUNK) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def insert(conn: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, in the dialect of this connection."""
    return postgresql.insert(table) if conn.dialect.name == postgres.NAME else sqlite.insert(table)


def insert_missing(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose primary key is not there yet."""
    if rows:
        conn.execute(insert(conn, table).on_conflict_do_nothing(), list(rows))


def open_engine(url: str, *, anyhow: bool = False) -> Engine:
    """An engine on a journal migrated to head; makes the folder and the file of a SQLite journal.

    anyhow: also one that has moved elsewhere, or a copy that is not finished.

    Raises ConfigError, naming the place and what to do, for a URL, file or schema that cannot be used.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == postgres.NAME:
        return _open_postgres(parsed, anyhow=anyhow)
    place = str(parsed.database)
    _make_folder(place)
    engine: Engine | None = None
    try:
        engine = create_engine(parsed)
        _tame_sqlite(engine)
        migrate(partial(connect, engine), place, anyhow=anyhow)
    except (DBAPIError, sqlite3.Error) as error:
        _dispose(engine)
        raise _cannot(place, getattr(error, "orig", None) or error) from error
    except ConfigError:
        _dispose(engine)
        raise
    event.listen(engine, "handle_error", _in_our_words, retval=True)
    return engine


def _open_postgres(url: URL, *, anyhow: bool) -> Engine:
    engine: Engine | None = None
    try:
        engine = postgres.make_engine(url)
        migrate(partial(connect, engine), postgres.place(url), anyhow=anyhow)
    except ModuleNotFoundError as error:
        raise postgres.unusable(url, f"{error}: pip install 'icp-sync[cluster]'") from error
    except DBAPIError as error:
        _dispose(engine)
        raise postgres.cannot_open(error.orig or error, url) from None  # its context would show the URL
    except ArgumentError as error:
        _dispose(engine)
        raise postgres.unusable(url, str(error)) from None
    except IcpSyncError:
        _dispose(engine)
        raise
    event.listen(engine, "handle_error", _in_our_words, retval=True)
    return engine


def connect(engine: Engine, *, writing: bool) -> Connection:
    """A connection whose next transaction writes, or only reads and then has one view throughout.

    Raises UnavailableError when all that the pool holds are in use for long.
    """
    try:
        conn = engine.connect()
    except PoolTimeout as error:
        raise _busy(error) from error
    if writing:
        return conn.execution_options(**WRITING)
    return conn.execution_options(**postgres.READING) if conn.dialect.name == postgres.NAME else conn


def glance(engine: Engine) -> Connection:
    """A connection for one statement that only reads, without a transaction. Raises as `connect` does."""
    conn = connect(engine, writing=False)
    on_postgres = conn.dialect.name == postgres.NAME
    return conn.execution_options(isolation_level="AUTOCOMMIT") if on_postgres else conn


def begun(conn: Connection, name: str) -> None:
    """What a writing transaction does first: on PostgreSQL it queues behind the others of `name`."""
    if conn.dialect.name == postgres.NAME:
        postgres.queue(conn, name)


def _dispose(engine: Engine | None) -> None:
    if engine is not None:
        engine.dispose()


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        known = parsed.drivername in (*_SQLITE, *postgres.DRIVERS)
    except (ArgumentError, ValueError):
        known = False
    if not known:
        hint = "write sqlite:///var/icp-sync/journal.db or postgresql+psycopg://user@host/database"
        raise ConfigError([Problem(where="journal", what="not a journal URL we can open", hint=hint)])
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        hint = "name a file: sqlite:///var/icp-sync/journal.db"
        raise ConfigError([Problem(where="journal", what="a journal in memory would forget", hint=hint)])
    return parsed


def _make_folder(path: str) -> None:
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(path, error) from error


def _cannot(place: str, error: BaseException) -> IcpSyncError:
    """What a journal that cannot be opened is about: something that passes, or the file itself."""
    said = str(error)
    if "disk is full" in said or "disk I/O" in said:
        what = f"the journal {place} cannot be written now: {error}"
        return UnavailableError(what, next_step="make room on its disk, then try again")
    return _busy(error) if "locked" in said else _unusable(place, error)


def _unusable(place: str, error: BaseException) -> ConfigError:
    return ConfigError(
        [
            Problem(
                where=f"journal {place}",
                what=f"cannot be used: {error}",
                hint="check the path, its permissions and the disk; restore a damaged file from a backup, or "
                "move it away with its -wal and -shm files and start anew (seals on the accounts "
                "tell what is ours)",
            )
        ],
        next_step="icp-sync check",
    )


def _busy(error: BaseException) -> UnavailableError:
    return UnavailableError(f"the journal cannot be used now: {error}", next_step="icp-sync status")


def _tame_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # we begin transactions ourselves, see below
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        writing = conn.get_execution_options().get("icp_sync_writing")
        conn.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _in_our_words(context: ExceptionContext) -> BaseException | None:
    """What a database error means to the caller: configuration when damaged, else come back later."""
    error = context.original_exception
    if context.dialect.name == postgres.NAME:
        return None if context.engine is None else postgres.in_our_words(error, context.engine.url)
    said = str(error)
    if isinstance(error, sqlite3.OperationalError) or context.is_disconnect:
        if "no such" in said or "syntax" in said:
            return None  # our own mistake, to be seen as it is
        place = context.engine.url.database if context.engine is not None else None
        return _cannot(place or "", error) if "disk" in said else _busy(error)
    if isinstance(error, sqlite3.DatabaseError) and ("malformed" in said or "not a database" in said):
        place = context.engine.url.database if context.engine is not None else None
        return _unusable(place or "", error)
    place = context.engine.url.database if context.engine is not None else None
    return moved.late(said, place or "")


def behind(url: str) -> str:
    """The revision of a journal that opening would migrate, "" where there is none, or nothing to migrate.

    Writes nothing. Raises ConfigError for what is no journal, UnavailableError when it cannot be asked now.
    """
    parsed = _parsed(url)
    on_postgres = parsed.get_backend_name() == postgres.NAME
    if not on_postgres and not Path(str(parsed.database)).exists():
        return ""
    place = postgres.place(parsed) if on_postgres else str(parsed.database)
    engine: Engine | None = None
    try:
        engine = postgres.make_engine(parsed) if on_postgres else create_engine(parsed)
        with engine.connect() as conn:
            revision = found(conn, place).revision
    except ModuleNotFoundError as error:
        raise postgres.unusable(parsed, f"{error}: pip install 'icp-sync[cluster]'") from error
    except DBAPIError as error:
        cause = error.orig or error
        raise (postgres.cannot_open(cause, parsed) if on_postgres else _cannot(place, cause)) from None
    except ArgumentError as error:
        raise postgres.unusable(parsed, str(error)) from None
    finally:
        _dispose(engine)
    return revision if revision in REVISIONS[:-1] else ""
