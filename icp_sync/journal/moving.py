"""A journal moves from a SQLite file to PostgreSQL, for good, and may be interrupted anywhere.

Passes take over what differs. While a worker writes, a pass reads a copy of the file and ends nothing. Once
nobody else holds the journal a last one reads the file itself, which nobody can write to until every row was
compared; with the same commit the file is marked as moved. The copy is nobody's to open until then, and says
so. The other direction there is not. Must not know commands.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from sqlalchemy import Engine, func, select
from sqlalchemy.engine import make_url

from icp_sync.domain.seal import SealKey
from icp_sync.errors import ConfigError, IcpSyncError, Problem, UnavailableError
from icp_sync.journal import moved, postgres, schema
from icp_sync.journal.audit import Audit
from icp_sync.journal.bound import Bound
from icp_sync.journal.clock import ahead
from icp_sync.journal.copying import copied
from icp_sync.journal.database import open_engine
from icp_sync.journal.differing import TABLES, Sides
from icp_sync.journal.migrating import schema_state
from icp_sync.journal.moved import ARRIVED, ARRIVING, GOING, GONE, Mark

if TYPE_CHECKING:
    from psycopg import Connection

WHAT = "journal copy"
"""The audit's word for it, and what the journal is held for meanwhile."""
_ONE = 0x1C950005
"""The advisory lock of whoever copies into a database; see the others in `journal.postgres`."""

_MANY = 100_000
"""Rows of a table that are counted at most to say what is there."""

Tick = Callable[[str, int], None]
"""Told the table, and how many rows of it were looked at so far."""


@dataclass(slots=True, kw_only=True)
class TableCopied:
    """added, changed, removed: what was taken over. rows, digest: of the comparison, once there was one."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    rows: int | None = None
    digest: str = ""


@dataclass(slots=True, kw_only=True)
class Move:
    """What became of it. ahead: seconds by which the server's clock is ahead of this machine's. dropped:
    texts that lost NUL characters. already: it had been finished before."""

    place: str
    moved: bool = False
    already: bool = False
    tables: dict[str, TableCopied] = field(default_factory=dict)
    ahead: float = 0.0
    dropped: int = 0


class Moving:
    """A journal and where it goes, both opened. Made by `between`."""

    def __init__(self, path: Path, source: Engine, target: Engine, tick: Tick) -> None:
        self._path, self._source, self._target, self._tick = path, source, target, tick
        self.place = postgres.place(target.url)
        self.mark = self._known()
        self.move = Move(place=self.place)

    def _known(self) -> Mark:
        """The mark of this move, as the journal has it; begun where there is none. Raises ConfigError for a
        database that holds anything else than an earlier copy of this journal."""
        with Bound(self._source, "").reading() as conn:
            here = moved.marks(conn)
        with Bound(self._target, "").reading() as conn:
            there, full = moved.marks(conn), _held(conn)
        ours = {mark.mark: mark for mark in here}
        for mark in there:
            if mark.mark not in ours:
                raise self._other(f"it is a copy of another journal, {mark.other}")
            if mark.state == ARRIVED and ours[mark.mark].state != GONE:
                raise self._other("this journal was moved there before, and it has been worked on since")
            return ours[mark.mark]
        for mark in here:
            if mark.state == GONE:
                raise moved.gone(str(self._path), mark.other)
        if full:
            raise self._other(f"it holds something already: {', '.join(full)}")
        return self._begun(here)

    def _begun(self, here: list[Mark]) -> Mark:
        """Both sides know of each other before anything is copied; this one first."""
        mine = [mark for mark in here if mark.other == self.place]
        mark = mine[0] if mine else Mark(uuid4().hex, GOING, self.place, time.time())
        with Bound(self._source, "").writing("moved") as conn:
            moved.put(conn, mark)
        with Bound(self._target, "").writing("moved") as conn:
            if full := _held(conn):
                raise self._other(f"it holds something already: {', '.join(full)}")
            moved.put(conn, Mark(mark.mark, ARRIVING, str(self._path), time.time()))
        return mark

    def _other(self, what: str) -> ConfigError:
        hint = "only an empty database, or an unfinished copy of this journal, is copied into; name another"
        return ConfigError([Problem(where=f"journal {self.place}", what=what, hint=hint)])

    def beside(self, folder: Path) -> None:
        """Take over what differs while others write: read from a copy of the file made in this folder."""
        copy = folder / "journal.sqlite"
        copy.touch(0o600)
        if found := copied(self._path, copy):
            problems = [Problem(where=f"journal {self._path}", what=one.said) for one in found]
            raise ConfigError(problems, next_step="icp-sync journal verify")
        engine = open_engine(f"sqlite:///{copy}")
        try:
            with Bound(engine, "").reading() as conn:
                self._pass(cast(sqlite3.Connection, conn.connection.driver_connection))
        finally:
            engine.dispose()

    def for_good(self, *, who: str, key: SealKey | None) -> None:
        """The last pass, the comparison, and the marks. The caller holds the journal.

        who: for the audit there, which is signed with the key.
        """
        with Bound(self._target, "").reading() as conn:
            arrived = any(mark.state == ARRIVED for mark in moved.marks(conn))
        if arrived:
            self.move.moved = self.move.already = True
            return
        if self.mark.state == GONE:  # it was interrupted behind that
            with Bound(self._source, "").reading() as conn:
                self._last(cast(sqlite3.Connection, conn.connection.driver_connection))
        else:
            with Bound(self._source, "").writing("moved") as conn:
                self._last(cast(sqlite3.Connection, conn.connection.driver_connection))
                moved.put(conn, self.mark._replace(state=GONE, at=time.time()))
                moved.close_for_good(conn, self.place)
        self._open_there(who, key)
        self.move.moved = True

    def _last(self, here: sqlite3.Connection) -> None:
        self._pass(here)
        with _session(self._target) as there:
            for table in TABLES:
                sides = Sides(table, here, there)
                rows, digest = sides.compare(self._counting(table.name))
                self.move.tables[table.name].rows, self.move.tables[table.name].digest = rows, digest
            self._go_on_counting(there)

    def _pass(self, here: sqlite3.Connection) -> None:
        with Bound(self._target, "").reading() as conn:
            working = len(postgres.present_now(conn))
        if working:
            what = f"{working} process(es) work on {self.place}"
            raise UnavailableError(what, next_step="stop them, then again")
        with _session(self._target) as there:
            for table in TABLES:
                sides = Sides(table, here, there)
                counts = sides.make_same(self._counting(table.name))
                self.move.tables[table.name] = TableCopied(
                    added=counts["added"], changed=counts["changed"], removed=counts["removed"]
                )
                self.move.dropped += sides.dropped

    def _counting(self, name: str) -> Callable[[], None]:
        done = 0

        def tick() -> None:
            nonlocal done
            done += 1
            if done % 1_000 == 0:
                self._tick(name, done)

        return tick

    def _go_on_counting(self, there: Connection[Any]) -> None:
        """Numbered rows go on behind the highest; the server learns how its tables are made up."""
        for table in TABLES:
            name = f'"{table.name}"'
            if "seq" in table.c:
                said = (
                    f"SELECT setval(pg_get_serial_sequence('{name}', 'seq'), greatest(max(seq), 1),"  # noqa: S608 - names of ours
                    f" max(seq) IS NOT NULL) FROM {name}"
                )
                there.execute(said.encode())
            there.execute(f"ANALYZE {name}".encode())

    def _open_there(self, who: str, key: SealKey | None) -> None:
        """The copy is for all from here on. If this is cut short, the next try takes its entries back."""
        with Bound(self._target, "").reading() as conn:
            state = schema.connection_state
            names = list(conn.execute(select(state.c.connection).order_by(state.c.connection)).scalars())
            self.move.ahead = ahead(conn)
        for name in names:
            noted = Audit(self._target, name).signing_with(key)
            noted.audit(WHAT, who=who, now=time.time(), **{"from": str(self._path), "to": self.place})
        with Bound(self._target, "").writing("moved") as conn:
            moved.put(conn, Mark(self.mark.mark, ARRIVED, str(self._path), time.time()))


@contextmanager
def between(path: Path, url: str, tick: Tick) -> Iterator[Moving]:
    """Open a SQLite journal, and the PostgreSQL database at a URL, which gets our tables if it has none.

    Raises ConfigError where the URL is of no such database, or it holds anything but a copy of this journal;
    UnavailableError while another copies there, or it cannot be reached.
    """
    parsed = _target_url(url)
    source = open_engine(f"sqlite:///{path}", anyhow=True)
    try:
        _refuse_newer(source, str(path))
        target = _opened_target(url)
        try:
            _refuse_newer(target, postgres.place(parsed))
            with _session(target) as lock:
                if not cast(Any, lock.execute(b"SELECT pg_try_advisory_lock(%s, 0)", [_ONE]).fetchone())[0]:
                    what = f"another process copies a journal to {postgres.place(parsed)}"
                    raise UnavailableError(what, next_step="wait until it has ended")
                yield Moving(path, source, target, tick)
        finally:
            target.dispose()
    finally:
        source.dispose()


def _target_url(url: str) -> Any:
    hint = "write postgresql+psycopg://user@host/database; a journal moves from SQLite to PostgreSQL only"
    try:
        parsed = make_url(url)
        fits = parsed.drivername in postgres.DRIVERS
    except Exception:  # whatever is wrong with it: it may quote a password
        fits = False
    if not fits:
        raise ConfigError([Problem(where="--to", what="is no URL of a PostgreSQL database", hint=hint)])
    return parsed


def _opened_target(url: str) -> Engine:
    try:
        return open_engine(url, anyhow=True)
    except UnavailableError as error:  # of the other database: nothing of this journal's own helps
        raise UnavailableError(str(error), next_step="icp-sync journal copy, once it answers") from None


def _refuse_newer(engine: Engine, place: str) -> None:
    """What a newer version keeps this one knows nothing of: it may work beside it, but would lose that."""
    with Bound(engine, "").reading() as conn:
        state = schema_state(conn)
    if state.newer:
        what, hint = f"its schema {state.revision} is newer than this version's", "copy it with that version"
        raise ConfigError([Problem(where=f"journal {place}", what=what, hint=hint)])


@contextmanager
def _session(engine: Engine) -> Iterator[Connection[Any]]:
    """A session of its own with the driver itself, in autocommit. Its errors are ours, and name no secret."""
    import psycopg

    fairy = engine.raw_connection()
    conn = cast("Connection[Any]", fairy.driver_connection)
    try:
        conn.autocommit = True
        yield conn
    except psycopg.DataError as error:
        said = " ".join(str(error).split())
        what = f"holds a value that PostgreSQL cannot: {said}"
        raise ConfigError(
            [Problem(where="journal", what=what)], next_step="icp-sync journal verify"
        ) from None
    except psycopg.Error as error:
        known: IcpSyncError | None = postgres.in_our_words(error, engine.url)
        if known is None:
            raise
        raise known from None
    finally:
        fairy.invalidate()  # with its settings and its locks


def _held(conn: Any) -> list[str]:
    """What tables hold, signs of life of processes too."""
    found = []
    for name, table in schema.metadata.tables.items():
        some = select(table.primary_key.columns[0]).limit(_MANY).subquery()
        if name != "moved" and (n := conn.execute(select(func.count()).select_from(some)).scalar_one()):
            found.append(f"{n:,}{' or more' if n == _MANY else ''} in {name}")
    return found
