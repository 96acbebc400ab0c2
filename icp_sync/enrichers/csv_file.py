"""A reference file as a source of facts: one row per company, found by its registrable domain.

Rows that cannot be used are named in `problems` and never stop the rest. A domain that stands in two rows
is nobody's: both are left out. The file is read again once it changes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from weakref import WeakValueDictionary

from icp_sync.domain.facts import CATALOGUE, Signal
from icp_sync.enrichers.lifetimes import seconds
from icp_sync.errors import ConfigError, Problem
from icp_sync.normalize import domains
from icp_sync.normalize.facts_config import kind_of, sources
from icp_sync.normalize.facts_map import FactsMap
from icp_sync.ports import Answer, Hit, Miss, Request, Unavailable
from icp_sync.tables.reading import Table

_Row = tuple[tuple[Signal, ...], Mapping[str, str]]


@dataclass(frozen=True, slots=True, weakref_slot=True)
class _Content:
    """The file as it was when it had this stamp."""

    stamp: tuple[int, int]
    rows: Mapping[str, _Row] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    facts: frozenset[str] = frozenset()


_READ: WeakValueDictionary[tuple[object, ...], _Content] = WeakValueDictionary()
"""What was read, for other connections with the same file and the same entries."""
_READING = Lock()


class CsvFile:
    """The enricher.

    path: as `tables.reading` reads it, whatever the encoding and the delimiter.
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
            self._content = self._read()
        except OSError as error:
            raise ConfigError([Problem(where=str(path), what=f"cannot be read: {error.strerror}")]) from error
        self.facts = self._content.facts

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with rows, by row number (the header is row 1); at most 1,000."""
        return self._content.problems

    def answer(self, requests: Sequence[Request]) -> Sequence[Answer]:
        """One answer a request, in order. A file that cannot be read any more is Unavailable, not a miss."""
        try:
            rows = self._current().rows
        except (OSError, ConfigError) as error:
            return [Unavailable(kind="error", message=f"{self._path}: {error}") for _ in requests]
        return [self._one(rows.get(domains.registrable(request.domain))) for request in requests]

    def _one(self, row: _Row | None) -> Answer:
        return Miss() if row is None else Hit(signals=row[0], unread=row[1])

    def _current(self) -> _Content:
        with self._lock:
            if _stamp(self._path) != self._content.stamp:
                self._content = self._read()
            return self._content

    def _read(self) -> _Content:
        stamp = _stamp(self._path)
        same = (self.name, str(self._path.absolute()), self._key, repr(self._entries), stamp)
        with _READING:
            found = _READ.get(same)
            if found is None:
                found = _READ[same] = self._read_anew(stamp)
            return found

    def _read_anew(self, stamp: tuple[int, int]) -> _Content:
        table = Table(self._path)
        facts_map = self._map(table)
        rows = self._rows(table, facts_map, stamp[0] / 1e9)
        facts = frozenset(source.fact for source in facts_map.sources)
        also = {"sector"} if "industry" in facts else set()
        return _Content(stamp, rows, tuple(table.problems.kept), facts | also)

    def _map(self, table: Table) -> FactsMap:
        """The header and the entries as a facts map."""
        where, header = str(self._path), table.header
        problems = [] if self._key in header else [table.missing(self._key, where=f"{where}: key")]
        problems += table.twice()
        problems += [
            table.missing(column, where=f"{where}: facts") for column in self._entries if column not in header
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

    def _rows(self, table: Table, facts_map: FactsMap, at: float) -> dict[str, _Row]:
        """The rows by domain; what is wrong with others lands in the table's problems."""
        rows: dict[str, _Row] = {}
        first: dict[str, int] = {}
        wrong, key = table.problems.add, table.header.index(self._key)
        for number, cells, unfit in table:
            if unfit:
                continue
            domain = _identity(cells[key])
            if not domain:
                wrong(number, f"'{cells[key][:100]}' does not identify a company")
            elif domain in first:
                wrong(number, f"{domain} stands in row {first[domain]} too", "keep one; neither is used")
                rows.pop(domain, None)
            else:
                first[domain] = number
                rows[domain] = self._row(dict(zip(table.header, cells, strict=True)), facts_map, at)
                for fact, raw in rows[domain][1].items():
                    wrong(number, f"'{raw[:100]}' cannot be read as {fact}")
        return rows

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
    return domain if domains.identifies(domain) else ""


def _stamp(path: Path) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_mtime_ns, found.st_size
