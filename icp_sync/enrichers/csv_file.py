"""A reference file as a source of facts: one row per company, found by its registrable domain.

Rows that cannot be used are named in `problems` and never stop the rest. A domain that stands in two rows
is nobody's: both are left out. The file is read again once it changes.
"""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from threading import Lock

from icp_sync.domain.facts import CATALOGUE, Signal
from icp_sync.enrichers.lifetimes import seconds
from icp_sync.errors import ConfigError, Problem
from icp_sync.normalize import domains
from icp_sync.normalize.facts_config import kind_of, sources, suggestion
from icp_sync.normalize.facts_map import FactsMap
from icp_sync.ports import Answer, Hit, Miss, Request, Unavailable

_DELIMITERS = ",;\t|"
_MOST_PROBLEMS = 1_000
_Row = tuple[tuple[Signal, ...], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class _Table:
    """The file as it was when it had this stamp."""

    stamp: tuple[int, int]
    rows: Mapping[str, _Row] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    facts: frozenset[str] = frozenset()


class CsvFile:
    """The enricher.

    path: UTF-8 (with or without byte-order mark) or Windows-1252; commas, semicolons, tabs or bars.
    key: the column of the website or domain. facts: column → {fact, kind, currency, separator, values,
    complete}, as in a facts map; a column named like a fact needs no entry. `complete: true` on a set
    says that what a row does not list is known to be absent. Raises ConfigError with every problem of the
    entries and of the header at once.
    """

    price = 0.0

    def __init__(
        self,
        path: str,
        *,
        key: str = "domain",
        facts: Mapping[str, Mapping[str, object]] | None = None,
        name: str = "csv",
        ttl_days: float = 30.0,
        miss_ttl_days: float = 1.0,
    ) -> None:
        self.name, self._path, self._key = name, Path(path), key
        self.ttl = seconds("ttl_days", ttl_days)
        self.miss_ttl = seconds("miss_ttl_days", miss_ttl_days)
        self._entries = dict(facts or {})
        self._lock = Lock()
        try:
            self._table = self._read()
        except OSError as error:
            raise ConfigError([Problem(where=str(path), what=f"cannot be read: {error.strerror}")]) from error
        self.facts = self._table.facts

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with rows, by row number (the header is row 1); at most 1,000."""
        return self._table.problems

    def answer(self, requests: Sequence[Request]) -> Sequence[Answer]:
        """One answer a request, in order. A file that cannot be read any more is Unavailable, not a miss."""
        try:
            rows = self._current().rows
        except (OSError, ConfigError) as error:
            return [Unavailable(kind="error", message=f"{self._path}: {error}") for _ in requests]
        return [self._one(rows.get(domains.registrable(request.domain))) for request in requests]

    def _one(self, row: _Row | None) -> Answer:
        return Miss() if row is None else Hit(signals=row[0], unread=row[1])

    def _current(self) -> _Table:
        with self._lock:
            if _stamp(self._path) != self._table.stamp:
                self._table = self._read()
            return self._table

    def _read(self) -> _Table:
        stamp = _stamp(self._path)
        text = _decoded(self._path.read_bytes())
        lines = csv.reader(StringIO(text, newline=""), delimiter=_delimiter(text))
        try:
            header = [name.strip() for name in next(lines, [])]
            facts_map = self._map(header)
            rows, problems = self._rows(lines, header, facts_map, stamp[0] / 1e9)
        except csv.Error as error:
            raise ConfigError([Problem(where=str(self._path), what=f"is not a CSV file: {error}")]) from error
        facts = frozenset(source.fact for source in facts_map.sources)
        return _Table(stamp, rows, tuple(problems), facts | ({"sector"} if "industry" in facts else set()))

    def _map(self, header: Sequence[str]) -> FactsMap:
        """The header and the entries as a facts map."""
        where = str(self._path)
        problems = [] if self._key in header else [self._missing(self._key, header, "key")]
        problems += [
            Problem(where=where, what=f"the column '{column}' stands twice in the header")
            for column in dict.fromkeys(header)
            if column and header.count(column) > 1
        ]
        problems += [
            self._missing(column, header, "facts") for column in self._entries if column not in header
        ]
        entries = [
            {"property": column, **entry} for column, entry in self._entries.items() if column in header
        ]
        for column in header:
            fact = column.lower()
            if fact in CATALOGUE and fact != "domain" and column not in (*self._entries, self._key):
                entries.append({"property": column, "fact": fact, "kind": str(kind_of(fact))})
        try:
            found = sources(entries, (), where=f"{where}: facts")
        except ConfigError as error:
            raise ConfigError([*problems, *error.problems]) from error
        if not problems and not found:
            problems.append(Problem(where=where, what="no column feeds a fact", hint="name them under facts"))
        if problems:
            raise ConfigError(problems)
        return FactsMap(found)

    def _missing(self, column: str, header: Sequence[str], where: str) -> Problem:
        hint = suggestion(column, header) or f"columns: {', '.join(header[:20])}"
        return Problem(where=f"{self._path}: {where}", what=f"there is no column '{column}'", hint=hint)

    def _rows(
        self, lines: Iterator[list[str]], header: Sequence[str], facts_map: FactsMap, at: float
    ) -> tuple[dict[str, _Row], list[Problem]]:
        rows: dict[str, _Row] = {}
        first: dict[str, int] = {}
        problems: list[Problem] = []

        def wrong(number: int, what: str, hint: str = "") -> None:
            if len(problems) < _MOST_PROBLEMS:
                problems.append(Problem(where=f"{self._path}:{number}", what=what, hint=hint))

        key = header.index(self._key)
        for number, cells in enumerate(lines, start=2):
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                wrong(number, f"has {len(cells)} cells instead of {len(header)}")
                continue
            domain = _identity(cells[key])
            if not domain:
                wrong(number, f"'{cells[key][:100]}' does not identify a company")
            elif domain in first:
                wrong(number, f"{domain} stands in row {first[domain]} too", "keep one; neither is used")
                rows.pop(domain, None)
            else:
                first[domain] = number
                rows[domain] = self._row(dict(zip(header, cells, strict=True)), facts_map, at)
                for fact, raw in rows[domain][1].items():
                    wrong(number, f"'{raw[:100]}' cannot be read as {fact}")
        return rows, problems

    def _row(self, cells: Mapping[str, str | None], facts_map: FactsMap, at: float) -> _Row:
        signals, unread = facts_map.read(cells, observed_at=min(at, time.time()), account_currency="")
        renamed = (
            Signal(
                fact=signal.fact,
                value=signal.value,
                source=self.name,
                observed_at=signal.observed_at,
                rank=signal.rank,
                raw=signal.raw,
            )
            for signal in signals
        )
        return tuple(renamed), unread


def _identity(raw: str) -> str:
    domain = domains.registrable(raw)
    return "" if domains.is_free_mail(domain) or domains.is_shared(domain) else domain


def _stamp(path: Path) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_mtime_ns, found.st_size


def _decoded(data: bytes) -> str:
    """UTF-8 where it is that, else Windows-1252 with what it lacks replaced."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _delimiter(text: str) -> str:
    """The delimiter the header has most of, outside quotes."""
    header = "".join(text.lstrip("\r\n").split("\n", 1)[0].split('"')[::2])
    return max(_DELIMITERS, key=header.count)
