"""Rows as a Parquet file, by pyarrow, which only the extra `parquet` brings.

Knows nothing of what the columns mean. https://arrow.apache.org/docs/python/parquet.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from icp_sync.errors import ConfigError, Problem
from icp_sync.tables.writing import unwritable

SUFFIX = ".parquet"
GROUP = 5_000
"""Rows kept in memory before they are written, as one row group."""
TEXT, WHOLE, INSTANT = "text", "whole number", "instant"
"""Kinds of columns. An instant is UTC epoch seconds, kept to the millisecond."""


def refuse_missing() -> None:
    """Raises ConfigError where pyarrow is not installed."""
    if find_spec("pyarrow") is None:
        problem = Problem(where=SUFFIX, what="writing Parquet takes the extra parquet (pyarrow)")
        raise ConfigError([problem], next_step="pip install 'icp-sync[parquet]', or name a .csv file")


def header_of(path: Path) -> list[str]:
    """The names of a file's columns, none where it is no Parquet that can be read."""
    refuse_missing()
    from pyarrow import ArrowException, parquet

    try:
        return [str(name) for name in parquet.read_schema(str(path)).names]
    except (OSError, ArrowException):
        return []


class ParquetRows:
    """One file that is being written. columns: name → kind, in order. None is null in any of them.

    Raises ConfigError when it cannot be written there, or pyarrow is not installed.
    """

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        refuse_missing()
        import pyarrow as arrow
        from pyarrow import parquet

        types: Mapping[str, Any] = {
            TEXT: arrow.string(),
            WHOLE: arrow.int64(),
            INSTANT: arrow.timestamp("ms", tz="UTC"),
        }
        self._path = path
        self._kinds = tuple(columns.values())
        self._schema = arrow.schema([(name, types[kind]) for name, kind in columns.items()])
        self._arrow = arrow
        self._waiting: list[tuple[Any, ...]] = []
        try:
            self._writer = parquet.ParquetWriter(str(path), self._schema, compression="zstd")
        except OSError as error:
            raise unwritable(path, error) from error

    def row(self, cells: Sequence[object]) -> None:
        """Write one row, in the order of the columns."""
        pairs = zip(cells, self._kinds, strict=True)
        self._waiting.append(tuple(_value(cell, kind) for cell, kind in pairs))
        if len(self._waiting) >= GROUP:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        columns = zip(zip(*self._waiting, strict=True), self._schema.types, strict=True)
        arrays = [self._arrow.array(column, type=kind) for column, kind in columns]
        self._waiting = []
        try:
            self._writer.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema))
        except OSError as error:
            raise unwritable(self._path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
        finally:
            self._writer.close()


def _value(cell: object, kind: str) -> object:
    if cell is None:
        return None
    if kind == INSTANT:
        return round(float(str(cell)) * 1000)
    if kind == WHOLE:
        return cell
    return str(cell).encode("utf-8", "replace").decode()
