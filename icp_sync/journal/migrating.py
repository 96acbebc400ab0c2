"""A journal is brought to the schema this version needs, or found to be one it may go on with as it is.

Two versions work side by side for one release. Each migration says as `beside` which is the oldest revision
whose program may go on with the schema it leads to. The database keeps that word with its revision, so that
a program which meets a schema newer than its own knows whether it is meant. Must not know what tables mean.

On PostgreSQL a migration asks for locks that everybody else would queue behind. It waits a few seconds for
one, steps back, lets them through, and tries again:
https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT
"""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from icp_sync.errors import ConfigError, Problem, UnavailableError
from icp_sync.journal import moved, postgres
from icp_sync.journal.exclusive import exclusive
from icp_sync.journal.schema import REVISIONS, VERSION_TABLE, metadata
from icp_sync.observe import log

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).parent / "migrations"
TRIES_FOR = 600.0
"""Seconds a migration is tried for, where others keep it from the locks it needs."""
PAUSE = 1.0
"""Seconds between two tries, and up to as many again, by chance: for the others to get through."""
WAITS = 2.0
"""Seconds for another process to let go of a SQLite journal: one that migrates it does, a worker does not."""


class Connecting(Protocol):
    """How a connection to the journal's database is had."""

    def __call__(self, *, writing: bool) -> Connection: ...


class SchemaState(NamedTuple):
    """What a database says of its schema. oldest: the oldest revision whose program may work with it."""

    revision: str
    oldest: str

    @property
    def newer(self) -> bool:
        """Whether a newer version than this one made it."""
        return bool(self.revision) and self.revision not in REVISIONS

    @property
    def fits(self) -> bool:
        """Whether this version may work with it as it is."""
        return self.revision == REVISIONS[-1] or (self.newer and self.oldest in REVISIONS)


def schema_state(conn: Connection) -> SchemaState:
    """Of a database whose tables are there."""
    row = conn.execute(text(f"SELECT * FROM {VERSION_TABLE}")).mappings().first()  # noqa: S608 - a constant of ours
    if row is None:
        return SchemaState("", "")
    return SchemaState(str(row["version_num"]), str(row.get("oldest") or ""))


def found(conn: Connection, place: str) -> SchemaState:
    """Of any database; an empty one has no revision. A SQLite file of somebody else's is refused."""
    tables = inspect(conn).get_table_names()
    if VERSION_TABLE in tables:
        return schema_state(conn)
    if tables and conn.dialect.name == "sqlite":
        what = f"is the database of something else: it holds {', '.join(sorted(tables)[:3])}"
        raise ConfigError([Problem(where=f"journal {place}", what=what, hint="name another file")])
    return SchemaState("", "")


def migrate(connect: Connecting, place: str, *, anyhow: bool = False) -> None:
    """Bring a database to the newest schema, unless this version may work with it as it is.

    Raises ConfigError for a schema that is too new and, unless `anyhow`, for a journal that has moved
    elsewhere; UnavailableError while others keep it from migrating.
    """
    with connect(writing=False) as conn, conn.begin():
        before = found(conn, place)
        if before.revision >= moved.SINCE and not anyhow:
            moved.refuse(conn, place)
    if before.newer:
        if not before.fits:
            raise _too_new(before, place)
        _say_once(place, before.revision)
    give_up = time.monotonic() + TRIES_FOR
    while not before.fits:
        try:
            with _alone_with(before, connect, place):
                _in_one_transaction(connect, place)
            return
        except DBAPIError as error:
            if not postgres.stepped_back(error.orig):
                raise
            if time.monotonic() > give_up:
                what = f"the journal {place} cannot be migrated: others hold locks on its tables"
                raise UnavailableError(
                    what, next_step="end what runs on it for long, then start again"
                ) from None
            log("journal").info("others are at the tables to migrate, trying again", journal=place)
        time.sleep(PAUSE * (1 + random.random()))  # noqa: S311 - not a secret


def _alone_with(before: SchemaState, connect: Connecting, place: str) -> ExitStack:
    """While this is entered, nobody else works with a SQLite journal who could not go on with the new schema.
    Which program that is nobody knows, but one that fits the schema there was. A server tells who is at work.

    Raises UnavailableError naming who works with it.
    """
    held, oldest = ExitStack(), beside(REVISIONS[-1])
    with connect(writing=False) as conn:
        on_server = conn.dialect.name == postgres.NAME
    if on_server or not before.revision or (before.oldest or before.revision) >= oldest:
        return held
    give_up = time.monotonic() + WAITS
    while not _now(connect, place).fits:
        try:
            held.enter_context(exclusive(Path(place), "migration"))
            break
        except UnavailableError as busy:
            if time.monotonic() > give_up:
                raise _beside_an_older(before, oldest, str(busy)) from None
        time.sleep(WAITS / 20)
    return held


def _now(connect: Connecting, place: str) -> SchemaState:
    with connect(writing=False) as conn, conn.begin():
        return found(conn, place)


def _beside_an_older(before: SchemaState, oldest: str, busy: str) -> UnavailableError:
    what = (
        f"{busy}, and is not migrated from schema {before.revision} to {REVISIONS[-1]} beside it: "
        f"programs before {oldest} could not go on"
    )
    return UnavailableError(what, next_step="stop it, then start this version")


def _in_one_transaction(connect: Connecting, place: str) -> None:
    with connect(writing=True) as conn, conn.begin():
        on_postgres = conn.dialect.name == postgres.NAME
        if on_postgres:
            postgres.prepare_migration(conn, place)
        now = found(conn, place)
        if now.fits:  # by now: somebody else was quicker
            return
        if now.newer:
            raise _too_new(now, place)
        if on_postgres:
            _nobody_is_left_behind(conn, now, place)
        upgrade(conn, "head")


def upgrade(conn: Connection, to: str) -> None:
    """Migrate to a revision, and write beside it who may work with it; the transaction is the caller's."""
    from alembic import command

    config = _config()
    config.attributes["connection"] = conn
    command.upgrade(config, to)
    if "oldest" not in {column["name"] for column in inspect(conn).get_columns(VERSION_TABLE)}:
        conn.execute(text(f"ALTER TABLE {VERSION_TABLE} ADD COLUMN oldest VARCHAR(32)"))
    said = {"oldest": beside(schema_state(conn).revision)}
    conn.execute(text(f"UPDATE {VERSION_TABLE} SET oldest = :oldest"), said)  # noqa: S608 - a constant of ours
    if conn.dialect.name == postgres.NAME:
        _order_by_bytes(conn, [*metadata.tables, VERSION_TABLE])


def _order_by_bytes(conn: Connection, tables: list[str]) -> None:
    """Make text in these tables compare byte by byte, as on SQLite.

    Otherwise the order of ids is the database's locale's, and an index may be wrong after an upgrade of
    the C library: https://wiki.postgresql.org/wiki/Locale_data_changes. Columns that do already are left
    alone; changing another rewrites no row, but every index it is in.
    """
    rows = conn.execute(
        text(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name = ANY(:tables)"
            " AND data_type IN ('character varying', 'text') AND collation_name IS DISTINCT FROM 'C'"
            " ORDER BY table_name, ordinal_position"
        ),
        {"tables": tables},
    ).all()
    quote = conn.dialect.identifier_preparer.quote
    changes: dict[str, list[str]] = {}
    for table, column, kind in rows:
        change = f'ALTER COLUMN {quote(column)} TYPE {kind} COLLATE "C"'
        changes.setdefault(table, []).append(change)
    for table, listed in changes.items():
        conn.exec_driver_sql(f"ALTER TABLE {quote(table)} {', '.join(listed)}")


@cache
def beside(revision: str) -> str:
    """The oldest revision whose program may go on with the schema of this one; those of before that was asked
    know nothing of it, and go on with their own only."""
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(_config()).get_revision(revision)
    return str(getattr(script.module, "beside", revision))


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config


def _nobody_is_left_behind(conn: Connection, now: SchemaState, place: str) -> None:
    """Raise UnavailableError where processes are at work that could not go on with the new schema."""
    oldest = beside(REVISIONS[-1])
    if behind := [schema for schema in postgres.present_now(conn) if schema < int(oldest)]:
        what = (
            f"the journal {place} is not migrated from schema {now.revision} to {REVISIONS[-1]}: "
            f"programs before {oldest} could not go on, and {len(behind)} of them work on it"
        )
        raise UnavailableError(what, next_step="stop them all, then start this version")


def _too_new(now: SchemaState, place: str) -> ConfigError:
    oldest = f", which programs of schema {now.oldest} and newer can use" if now.oldest else ""
    return ConfigError(
        [
            Problem(
                where=f"journal {place}",
                what=f"its schema {now.revision} is newer than this version's {REVISIONS[-1]}{oldest}",
                hint="install the icp_sync that wrote it, or restore an older backup",
            )
        ]
    )


@cache
def _say_once(place: str, revision: str) -> None:
    log("journal").warning(
        "the journal was migrated by a newer version; this one may go on beside it",
        journal=place,
        schema=revision,
        ours=REVISIONS[-1],
    )
