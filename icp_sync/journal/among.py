"""Whether a column holds one of many texts, as one parameter however many there are.

The statement is the same for a page of ten and of ten thousand: it is compiled once, and no limit of bound
variables cuts it into pieces.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Dialect, Text, TypeDecorator, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from icp_sync.journal import postgres
from icp_sync.journal.encoding import dumps


def among(column: ColumnElement[str], texts: Iterable[str]) -> ColumnElement[bool]:
    """column IN texts."""
    return _Among(column, bindparam("texts", list(texts), type_=_Texts(), unique=True))


class _Texts(TypeDecorator[list[str]]):
    """A list of texts: an array on PostgreSQL, JSON on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(Text()) if dialect.name == postgres.NAME else Text())

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> object:
        return value if dialect.name == postgres.NAME else dumps(value)


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True
    _is_implicitly_boolean = True  # or SQLite is asked whether the answer equals 1


@compiles(_Among, "sqlite")
def _on_sqlite(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({texts}))"  # noqa: S608 - compiled


@compiles(_Among, "postgresql")
def _on_postgres(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY ({texts})"
