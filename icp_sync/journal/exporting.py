"""Everything of one connection as plain rows: one consistent view, read in a stream, and taken in again.

The first row says what this is, the last one how many rows of each table came before it, so that a file cut
short is known as such. Leases, turns, rate limits and processes are of the moment and stay out. Must not know
files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Table, select

from icp_sync.errors import ConfigError, Problem
from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.positions import PRUNED

FORMAT = 1
_MOMENTARY = frozenset({"lease", "quota", "turn", "worker", "moved"})
TABLES: Mapping[str, Table] = {
    name: table for name, table in schema.metadata.tables.items() if name not in _MOMENTARY
}
_AT_ONCE = 500
_NEXT = "export again with the same version of icp_sync"


class Exporting(Bound):
    def export(self, *, now: float) -> Iterator[dict[str, Any]]:
        """Plain rows: a head, {"table", "row"} for each row by primary key, an end with the counts."""
        yield {
            "icp_sync_journal": FORMAT,
            "schema": schema.REVISIONS[-1],
            "connection": self.connection,
            "at": now,
        }
        counts: Counter[str] = Counter()
        with self.reading() as conn:
            for name, table in TABLES.items():
                for row in _rows(conn, table, self.connection):
                    counts[name] += 1
                    yield {"table": name, "row": row}
        yield {"end": True, "rows": dict(counts)}

    def take_in(self, lines: Iterable[Mapping[str, Any]]) -> dict[str, int]:
        """Store what `export` gave in this connection, which must be empty; table → rows.

        All or nothing. Raises ConfigError, naming the line, for anything that is no whole export.
        """
        counts: Counter[str] = Counter()
        waiting: list[dict[str, Any]] = []
        at, ended = "", False
        source = iter(lines)
        _check_head(next(source, {}))
        with self.writing("state") as conn:
            self._refuse_filled(conn)
            for number, line in enumerate(source, start=2):
                if ended:
                    raise _unfit(number, "something follows the end")
                if line.get("end") is True:
                    ended = True
                    if line.get("rows") != dict(counts):
                        raise _unfit(number, "rows are missing: the end counts others than came")
                    continue
                name, row = _row(line, number)
                if name != at or len(waiting) >= _AT_ONCE:
                    _store(conn, at, waiting)
                    at, waiting = name, []
                waiting.append({**row, "connection": self.connection})
                counts[name] += 1
            if not ended:
                raise _unfit(sum(counts.values()) + 1, "it was cut short: its end is missing")
            _store(conn, at, waiting)
        return dict(counts)

    def _refuse_filled(self, conn: Connection) -> None:
        for name, table in TABLES.items():
            if conn.execute(
                select(table.c.connection).where(table.c.connection == self.connection).limit(1)
            ).first():
                what = f"it holds something already ({name}); only an empty one takes a journal in"
                hint = "name another connection, or another journal in the settings"
                raise ConfigError([Problem(where=f"connection {self.connection}", what=what, hint=hint)])


def _rows(conn: Connection, table: Table, connection: str) -> Iterator[dict[str, Any]]:
    columns = [column for column in table.c if column.name != "connection"]
    statement = select(*columns).where(table.c.connection == connection).order_by(*table.primary_key)
    if table is schema.position:
        statement = statement.where(table.c.stream != PRUNED[0])  # by numbers, which are others where it goes
    for row in conn.execution_options(yield_per=_AT_ONCE).execute(statement):
        yield dict(row._mapping)


def _check_head(head: Mapping[str, Any]) -> None:
    if head.get("icp_sync_journal") != FORMAT:
        raise _unfit(1, "it is no export of a journal")
    if head.get("schema") != schema.REVISIONS[-1]:
        raise _unfit(1, f"its schema is {head.get('schema')}, this version's {schema.REVISIONS[-1]}")


def _row(line: Mapping[str, Any], number: int) -> tuple[str, dict[str, Any]]:
    """Table and columns; a numbered row gets its number here."""
    name, row = line.get("table"), line.get("row")
    if not isinstance(name, str) or name not in TABLES or not isinstance(row, dict):
        raise _unfit(number, "no row of a table we know")
    table = TABLES[name]
    wanted = {column.name for column in table.c} - {"connection"}
    if set(row) != wanted:
        raise _unfit(number, f"other columns than those of {name}")
    for column in table.c:
        value = row.get(column.name)
        if value is None and not column.nullable and column.name != "connection":
            raise _unfit(number, f"{name}.{column.name} is missing")
        if value is not None and column.name != "connection" and not _fits(value, column.type.python_type):
            raise _unfit(number, f"{name}.{column.name} is no {column.type.python_type.__name__}")
    return name, {key: value for key, value in row.items() if key != "seq"}


def _fits(value: object, kind: type) -> bool:
    if kind is bool:
        return isinstance(value, bool)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def _store(conn: Connection, name: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        conn.execute(TABLES[name].insert(), rows)


def _unfit(number: int, what: str) -> ConfigError:
    return ConfigError([Problem(where=f"line {number}", what=what, hint=_NEXT)])
