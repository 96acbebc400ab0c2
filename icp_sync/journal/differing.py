"""One table on two sides, SQLite and PostgreSQL: streamed by primary key, compared, and made the same.

Text is in the same order on both: SQLite compares bytes, and so does our text on PostgreSQL. Rows are plain
tuples in the order of the schema's columns, so that memory stays flat however long a table is. Must not know
why a journal is copied, nor when.

COPY: https://www.psycopg.org/psycopg3/docs/basic/copy.html; row comparison, by which pages are found:
https://www.postgresql.org/docs/current/functions-comparisons.html#ROW-WISE-COMPARISON
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Boolean, String, Table

from icp_sync.errors import ConfigError, Problem, UnavailableError
from icp_sync.journal import schema

if TYPE_CHECKING:
    from psycopg import Connection

PAGE = 1_000
"""Rows read from PostgreSQL at once."""
CHUNK = 2_000
"""Rows stored in one transaction."""

STAYS = frozenset({"worker", "moved"})
"""Tables that speak of this database and its processes."""
TABLES: Sequence[Table] = [table for name, table in schema.metadata.tables.items() if name not in STAYS]
_FREED: Mapping[str, Mapping[str, object]] = {"lease": {"holder": "", "until": 0.0}, "turn": {"worker": ""}}
"""Table → what its columns say on the other side: nobody there holds anything yet. Fences go on."""

Row = tuple[Any, ...]


class Difference(NamedTuple):
    """kind: added, changed or removed. row: of the source, or what is removed."""

    kind: str
    row: Row


@dataclass(slots=True)
class Sides:
    """One table on both sides."""

    table: Table
    here: sqlite3.Connection
    there: Connection[Row]  # in autocommit
    names: list[str] = field(init=False)
    keys: list[int] = field(init=False)
    dropped: int = 0
    """Texts that had NUL characters, which PostgreSQL cannot hold; without them now."""

    def __post_init__(self) -> None:
        self.names = [column.name for column in self.table.c]
        self.keys = [self.names.index(column.name) for column in self.table.primary_key]

    def key(self) -> Callable[[Row], Any]:
        return itemgetter(*self.keys)

    def source(self) -> Iterator[Row]:
        """As the other side is to have them."""
        freed = _FREED.get(self.table.name, {})
        columns = list(self.table.c)
        flags = [at for at, column in enumerate(columns) if isinstance(column.type, Boolean)]
        texts = [at for at, column in enumerate(columns) if isinstance(column.type, String)]
        fixed = [(self.names.index(name), value) for name, value in freed.items()]
        asked = f"SELECT {_listed(self.names)} FROM {_quoted(self.table.name)} ORDER BY {self._order()}"  # noqa: S608 - names of ours
        try:
            for found in self.here.execute(asked):
                row = list(found)
                for at in flags:
                    if row[at] is not None:
                        row[at] = bool(row[at])
                for at, value in fixed:
                    row[at] = value
                for at in texts:
                    if (said := row[at]) and "\x00" in said:
                        row[at] = self._without_nul(said, at)
                yield tuple(row)
        except (sqlite3.Error, TypeError) as error:
            what = f"holds a row that cannot be read: {error}"
            raise ConfigError(
                [Problem(where=f"table {self.table.name}", what=what)], next_step="icp-sync journal verify"
            ) from error

    def _without_nul(self, said: str, at: int) -> str:
        if at in self.keys:
            what = f"holds a key with a NUL character, which PostgreSQL cannot hold: {said[:80]!r}"
            raise ConfigError([Problem(where=f"{self.table.name}.{self.names[at]}", what=what)])
        self.dropped += 1
        return said.replace("\x00", "")

    def target(self) -> Iterator[Row]:
        """Page by page, so that no view of the database is held for long."""
        last: list[Any] = []
        marks = ", ".join(["%s"] * len(self.keys))
        begin = f"SELECT {_listed(self.names)} FROM {_quoted(self.table.name)}"  # noqa: S608 - names of ours
        while True:
            after = f" WHERE ({self._order()}) > ({marks})" if last else ""
            asked = f"{begin}{after} ORDER BY {self._order()} LIMIT {PAGE}"
            page = self.there.execute(asked.encode(), last).fetchall()
            yield from page
            if len(page) < PAGE:
                return
            last = [page[-1][at] for at in self.keys]

    def differences(self, tick: Callable[[], None]) -> Iterator[Difference]:
        """tick: called for each row of the source."""
        key = self.key()
        source, target = self.source(), self.target()
        mine, theirs = next(source, None), next(target, None)
        while mine is not None or theirs is not None:
            if theirs is None or (mine is not None and key(mine) < key(theirs)):
                assert mine is not None
                yield Difference("added", mine)
                mine = next(source, None)
                tick()
            elif mine is None or key(theirs) < key(mine):
                yield Difference("removed", theirs)
                theirs = next(target, None)
            else:
                if mine != theirs:
                    yield Difference("changed", mine)
                mine, theirs = next(source, None), next(target, None)
                tick()

    def make_same(self, tick: Callable[[], None]) -> Counter[str]:
        """Store what differs, in short transactions; how many rows of which kind."""
        counts: Counter[str] = Counter()
        waiting: dict[str, list[Row]] = {"added": [], "changed": [], "removed": []}
        for kind, row in self.differences(tick):
            counts[kind] += 1
            waiting[kind].append(row)
            if len(waiting[kind]) >= CHUNK:
                self._store(waiting)
        self._store(waiting)
        return counts

    def _store(self, waiting: Mapping[str, list[Row]]) -> None:
        name, marks = _quoted(self.table.name), ", ".join(["%s"] * len(self.names))
        with self.there.transaction(), self.there.cursor() as cursor:
            if gone := waiting["removed"]:
                where = " AND ".join(f"{_quoted(self.names[at])} = %s" for at in self.keys)
                keys = [[row[at] for at in self.keys] for row in gone]
                cursor.executemany(f"DELETE FROM {name} WHERE {where}".encode(), keys)  # noqa: S608 - names of ours
            if changed := waiting["changed"]:
                rest = [n for at, n in enumerate(self.names) if at not in self.keys]
                overwritten = ", ".join(f"{_quoted(n)} = EXCLUDED.{_quoted(n)}" for n in rest)
                said = (
                    f"INSERT INTO {name} ({_listed(self.names)}) VALUES ({marks})"  # noqa: S608 - names of ours
                    f" ON CONFLICT ({self._order()}) DO UPDATE SET {overwritten}"
                )
                cursor.executemany(said.encode(), changed)
            if added := waiting["added"]:
                with cursor.copy(f"COPY {name} ({_listed(self.names)}) FROM STDIN".encode()) as copy:
                    for row in added:
                        copy.write_row(row)
        for rows in waiting.values():
            rows.clear()

    def compare(self, tick: Callable[[], None]) -> tuple[int, str]:
        """Rows, and a digest over all of them, read from the other side. Raises UnavailableError naming the
        first row that is not the same on both."""
        digest, count = hashlib.sha256(), 0
        source, target, key = self.source(), self.target(), self.key()
        while True:
            mine, theirs = next(source, None), next(target, None)
            if mine != theirs:
                row = mine if mine is not None else theirs
                assert row is not None
                what = f"{self.table.name} {key(row)!r} is not the same on both sides: somebody wrote there"
                raise UnavailableError(what, next_step="icp-sync journal copy, again")
            if theirs is None:
                return count, digest.hexdigest()
            digest.update(repr(theirs).encode())
            count += 1
            tick()

    def _order(self) -> str:
        return _listed([self.names[at] for at in self.keys])


def _quoted(name: str) -> str:
    return f'"{name}"'


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(_quoted, names))
