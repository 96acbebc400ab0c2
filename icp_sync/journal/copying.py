"""Copies of a SQLite journal: one made while others write, and one that takes the journal's place.

The copy is made by SQLite's online backup interface in one step, so it is what one transaction would see;
nobody waits for it. A PostgreSQL server has its own ways. Must not know what a backup is kept in.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from sqlalchemy import select, update
from sqlalchemy.engine import make_url

from icp_sync.domain.standing import Mode
from icp_sync.errors import ConfigError, Problem, UnavailableError
from icp_sync.journal import postgres, schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.moved import GONE
from icp_sync.journal.requests import CANCELLED, OPEN
from icp_sync.journal.verifying import Finding

_BESIDE = ("-wal", "-shm")
"""What SQLite keeps beside a database."""
_WHY = "the journal was restored"


class Kept(NamedTuple):
    """A connection as a journal holds it: bound to which portal ("" to none), in which mode."""

    name: str
    identity: str
    mode: str


def file_of(url: str) -> Path | None:
    """The file of a SQLite journal, None for a server. url: one that the settings accepted."""
    parsed = make_url(url)
    return Path(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None


def copied(source: Path, target: Path) -> list[Finding]:
    """Copy a journal, whoever writes to it meanwhile, into one file without others beside it.

    target: an empty file, or none. Returns what SQLite finds wrong with the copy. Raises UnavailableError
    when the journal cannot be read, OSError when the copy cannot be written.
    """
    place = f"file:{quote(str(source.absolute()))}?mode=rw"
    try:
        with (
            closing(sqlite3.connect(place, uri=True, timeout=10)) as there,
            closing(sqlite3.connect(target)) as here,
        ):
            there.backup(here)
            here.execute("PRAGMA journal_mode=DELETE").fetchall()
            said = [str(one) for (one,) in here.execute("PRAGMA integrity_check(20)")]
    except sqlite3.Error as error:
        if "disk is full" in str(error) or "disk I/O" in str(error):
            raise OSError(getattr(error, "sqlite_errorcode", 0), str(error), str(target)) from error
        raise UnavailableError(f"the journal {source} cannot be copied: {error}") from error
    return [Finding("database", one) for one in said if one != "ok"]


def revision_of(path: Path) -> str:
    """The revision of a journal's schema; nothing is migrated. Raises ConfigError where there is none."""
    with _reading(path) as conn:
        row = conn.execute(f"SELECT version_num FROM {schema.VERSION_TABLE}").fetchone()  # noqa: S608 - a constant of ours
    return str(row[0]) if row else ""


def connections_of(path: Path) -> list[Kept]:
    """The connections of a journal of any revision, by name."""
    with _reading(path) as conn:
        rows = conn.execute("SELECT connection, identity, mode FROM connection_state ORDER BY connection")
        return [Kept(*map(str, row)) for row in rows]


def moved_to(path: Path) -> str:
    """Where a journal has moved to for good; "" for one that has not, is none, or is damaged."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as conn:
        row = conn.execute("SELECT other FROM moved WHERE state = ?", [GONE]).fetchone()
        return str(row[0]) if row else ""
    return ""


def only_file(path: Path) -> None:
    """Bring a journal nobody has open into its one file. One that is damaged stays as it is."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        conn.execute("PRAGMA journal_mode=DELETE").fetchall()


def exchanged(fresh: Path, place: Path, mark: str) -> Path | None:
    """Put `fresh` in the journal's place, in one step: whoever is killed meanwhile leaves one of the two.
    Returns where the one before is kept, None if there was none.

    Nobody may have either open. mark: of the name it is kept under.
    """
    aside = place.with_name(f"{place.name}.replaced-{mark}")
    kept = aside if place.exists() else None
    if kept:
        only_file(place)
        try:
            os.link(place, kept)
        except OSError:  # a file system without second names
            shutil.copy2(place, kept)
    for suffix in _BESIDE:  # of a damaged one, or of one that is lost
        if (beside := Path(f"{place}{suffix}")).exists():
            os.replace(beside, f"{aside}{suffix}")
    os.replace(fresh, place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return kept


def names(journal: Bound) -> list[str]:
    """Every connection of an open journal, by name."""
    state = schema.connection_state
    with journal.reading() as conn:
        return list(conn.execute(select(state.c.connection).order_by(state.c.connection)).scalars())


def alone(journal: Bound) -> bool:
    """Whether no other process works with a journal this one holds; on SQLite the lock has told already."""
    if journal.engine.dialect.name != postgres.NAME:
        return True
    with journal.reading() as conn:
        return postgres.alone(conn)


class Quieted(NamedTuple):
    """What an older journal would have begun with, taken out of it."""

    mode: str
    requests: int
    notices: int


def quieted(journal: Bound, *, now: float) -> Quieted:
    """Leave nothing in a restored journal that would act by itself: the mode is observe, what commands asked
    for is cancelled, and nobody is told what they were told since. Returns what was there."""
    request, notice = schema.request, schema.notice
    mine = request.c.connection == journal.connection
    with journal.writing("state") as conn:
        row = journal.state(conn)
        mode = str(row.mode) if row else Mode.OBSERVE.value
        journal.set_state(conn, mode=Mode.OBSERVE.value, mode_at=now)
        asked = conn.execute(
            update(request).where(mine, request.c.state.in_(OPEN)).values(state=CANCELLED, updated_at=now)
        )
        told = conn.execute(
            update(notice)
            .where(notice.c.connection == journal.connection, notice.c.state == "waiting")
            .values(state="dropped", due=None, message=_WHY)
        )
        return Quieted(mode, asked.rowcount, told.rowcount)


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """One connection to a file, whose errors are ours."""
    try:
        with closing(sqlite3.connect(path)) as conn:
            yield conn
    except sqlite3.Error as error:
        raise ConfigError([Problem(where=str(path), what=f"it is no journal: {error}")]) from error
