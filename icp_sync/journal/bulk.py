"""Many rows in one statement, past all that SQLAlchemy would do anew for every value of every row.

Each statement is made once, because building it costs more than executing it; there are as many of them as
places that call. Must not know what the tables mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, Table, bindparam, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from icp_sync.journal import postgres

Values = tuple[Any, ...]


def upsert(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, or overwrite those with the same primary key. All rows have the same columns."""
    if rows:
        columns = tuple(rows[0])
        upsert_rows(conn, table, columns, [tuple(map(row.__getitem__, columns)) for row in rows])


def upsert_rows(conn: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Values]) -> None:
    """The same with the values of each row in the order of these columns."""
    if rows:
        _many(conn, _upsert(conn.dialect.name, table, columns), rows)


def insert_rows(conn: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Values]) -> None:
    """Insert rows, the values of each in the order of these columns."""
    if rows:
        _many(conn, _plain_insert(conn.dialect.name, table, columns), rows)


def update_rows(conn: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Values]) -> None:
    """Overwrite some columns of rows that are there; the primary key is among these columns."""
    if rows:
        _many(conn, _update(conn.dialect.name, table, columns), rows)


class _Prepared(NamedTuple):
    """A statement as the driver takes it, what it adds to the values of a row, and which goes where."""

    text: str
    added: Values
    placed: Callable[[Values], Values]


def _many(conn: Connection, prepared: _Prepared, rows: Sequence[Values]) -> None:
    conn.exec_driver_sql(prepared.text, [prepared.placed(row + prepared.added) for row in rows])


@cache
def _upsert(dialect: str, table: Table, columns: tuple[str, ...]) -> _Prepared:
    keys = [column.name for column in table.primary_key]
    statement = _insert(dialect, table).values({name: bindparam(name) for name in columns})
    overwrite = {name: statement.excluded[name] for name in columns if name not in keys}
    left_out = (column for column in table.c if column.name not in columns)
    usual = {c.name: c.default.arg for c in left_out if isinstance(c.default, ScalarElementColumnDefault)}
    statement = statement.on_conflict_do_update(index_elements=keys, set_=overwrite)
    return _prepared(dialect, statement, (*columns, *usual), tuple(usual.values()))


@cache
def _plain_insert(dialect: str, table: Table, columns: tuple[str, ...]) -> _Prepared:
    values: dict[str, Any] = {name: bindparam(name) for name in columns}
    return _prepared(dialect, _insert(dialect, table).values(values), columns, ())


@cache
def _update(dialect: str, table: Table, columns: tuple[str, ...]) -> _Prepared:
    keys = [column.name for column in table.primary_key]
    those = (table.c[name] == bindparam(f"b_{name}") for name in keys)
    values: dict[str, Any] = {name: bindparam(f"b_{name}") for name in columns if name not in keys}
    named = tuple(f"b_{name}" for name in columns)
    return _prepared(dialect, update(table).where(*those).values(values), named, ())


def _prepared(dialect: str, statement: ClauseElement, names: tuple[str, ...], added: Values) -> _Prepared:
    make: Callable[..., Dialect] = psycopg.dialect if dialect == postgres.NAME else sqlite.dialect
    kind = make(paramstyle="format" if dialect == postgres.NAME else "qmark")
    compiled = statement.compile(dialect=kind, for_executemany=True)
    assert isinstance(compiled, SQLCompiler)
    return _Prepared(str(compiled), added, itemgetter(*map(names.index, compiled.positiontup or ())))


def _insert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    return postgresql.insert(table) if dialect == postgres.NAME else sqlite.insert(table)
