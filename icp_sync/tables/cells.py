"""Cells of a row → facts, as `domain.facts.merge` would have them, at the speed of a large file.

A fact that one column feeds is read through that column's cache; only facts with several columns become
signals and are merged. What cannot be read is unknown, with its text kept and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from icp_sync.domain.facts import CATALOGUE, FactType, FactValue, Members, fits, merge
from icp_sync.domain.populations import population_of
from icp_sync.normalize.facts_map import FactsMap, FactSource
from icp_sync.normalize.kinds import Kind, parser
from icp_sync.tables import industry_cells
from icp_sync.tables.columns import Columns
from icp_sync.tables.dates import unfolded
from icp_sync.tables.thousands import joined

_CACHED = 8_192  # cells remembered per column
_LONGEST_CACHED = 200  # characters
_POPULATION = ("lifecycle", "account_type", "won_deals")
_INDUSTRY_ALSO = "sector"

_NEW: Any = object()
"""No cell was read as this."""

_Found = tuple[tuple[str, FactValue], ...] | None
_Parse = Callable[[str, str], _Found]


@dataclass(slots=True)
class Unreadable:
    """Cells of one column that could not be read: how many, and the first."""

    column: str
    fact: str
    count: int = 0
    row: int = 0
    example: str = ""


@dataclass(slots=True)
class _Single:
    """One column that feeds a fact alone."""

    at: int
    fact: str
    money: bool
    parse: _Parse
    note: Unreadable
    cache: dict[str, _Found] = field(default_factory=dict)


class Cells:
    """The reading of one table's rows.

    currency: ISO 4217 of plain amounts where no column says, "" where nobody does. wanted: facts to read,
    None for all of them; what nobody asks for is not parsed.
    """

    def __init__(
        self,
        columns: Columns,
        *,
        currency: str = "",
        types: Mapping[str, FactType] = CATALOGUE,
        wanted: Collection[str] | None = None,
    ) -> None:
        self._currency = currency
        self._currency_at = columns.roles.get("currency", ())
        self._types = {**CATALOGUE, **columns.types, **types}
        read = [s for s in columns.sources if wanted is None or _asked(s.fact, wanted)]
        shared = {s.fact for s in read if sum(_tells(s.fact, other.fact) for other in read) > 1}
        at = columns.positions
        self.unreadable = [Unreadable(column=s.property, fact=s.fact) for s in read]
        self._singles = [
            _Single(at[s.property], s.fact, s.kind is Kind.MONEY, _reader(s, columns), note)
            for s, note in zip(read, self.unreadable, strict=True)
            if s.fact not in shared
        ]
        self._each = [(single.at, single.cache.get, single) for single in self._singles]
        several = [(s, note) for s, note in zip(read, self.unreadable, strict=True) if s.fact in shared]
        self._several = FactsMap([s for s, _ in several])
        self._places = [(at[s.property], s.property, _spelling(s, columns)) for s, _ in several]
        self._notes = {note.fact: note for _, note in reversed(several)}
        fed = {s.fact for s in read}
        self._derives = any(f in fed for f in _POPULATION) and "population" not in fed
        self._populations: dict[tuple[FactValue | None, ...], Members | None] = {}

    @property
    def facts(self) -> tuple[str, ...]:
        """Every fact a row may come to hold."""
        fed = dict.fromkeys(note.fact for note in self.unreadable)
        also = {_INDUSTRY_ALSO: "industry" in fed, "population": self._derives}
        return (*fed, *(fact for fact, told in also.items() if told and fact not in fed))

    def read(self, row: int, cells: Sequence[str]) -> tuple[dict[str, FactValue], dict[str, str]]:
        """Facts of one row, `population` among them, and fact → text of what could not be read."""
        facts: dict[str, FactValue] = {}
        unread: dict[str, str] = {}
        currency = self._row_currency(cells) if self._currency_at else self._currency
        for at, known, single in self._each:
            raw = cells[at]
            if raw:
                found = known(raw, _NEW)
                if found is _NEW:
                    found = self._fresh(single, raw, currency)
                if found:
                    for fact, value in found:
                        facts[fact] = value  # noqa: PERF403 (`update` is three times slower for one pair)
                elif found is not None:
                    unread[single.fact] = raw.strip()
                    _note(single.note, row, raw)
        if self._places:
            self._merge(row, cells, currency, facts, unread)
        if self._derives:
            self._derive(facts)
        return facts, unread

    def _fresh(self, single: _Single, raw: str, currency: str) -> _Found:
        found = single.parse(raw, currency)
        if found and not all(fits(value, self._types.get(fact)) for fact, value in found):
            found = ()
        if len(raw) <= _LONGEST_CACHED and not (single.money and self._currency_at):
            if len(single.cache) >= _CACHED:
                single.cache.clear()
            single.cache[raw] = found
        return found

    def _merge(
        self,
        row: int,
        cells: Sequence[str],
        currency: str,
        facts: dict[str, FactValue],
        unread: dict[str, str],
    ) -> None:
        """Facts that several columns feed."""
        properties = {
            name: spelled(cells[at]) if spelled else cells[at] for at, name, spelled in self._places
        }
        signals, unreadable = self._several.read(properties, observed_at=0.0, account_currency=currency)
        known = merge(signals, unreadable, self._types)
        facts.update(known.facts)
        for fact, raw in known.unread.items():
            unread[fact] = raw
            _note(self._notes[fact], row, raw)

    def _derive(self, facts: dict[str, FactValue]) -> None:
        key = tuple(map(facts.get, _POPULATION))
        try:
            found = self._populations[key]
        except KeyError:
            if len(self._populations) >= _CACHED:
                self._populations.clear()
            found = self._populations[key] = population_of(facts)
        if found is not None:
            facts["population"] = found

    def _row_currency(self, cells: Sequence[str]) -> str:
        for at in self._currency_at:
            code = cells[at].strip().upper()
            if len(code) == 3 and code.isascii() and code.isalpha():
                return code
        return self._currency


def _reader(source: FactSource, columns: Columns) -> _Parse:
    """The reading of one column."""
    parse = parser(
        source.kind,
        source.fact,
        currency=source.currency,
        separator=source.separator,
        values=source.values,
        complete=source.complete,
    )

    def read(raw: str, currency: str) -> _Found:
        text = raw.strip()
        return parse(text, currency) if text else None

    if spelled := _spelling(source, columns):
        return lambda raw, currency: read(spelled(raw), currency)
    if source.values is industry_cells.LABELS and source.fact == "industry":
        return lambda raw, currency: (
            read(raw, currency) if (found := industry_cells.of_several(raw)) is None else found
        )
    return read


def _spelling(source: FactSource, columns: Columns) -> Callable[[str], str] | None:
    """How cells of a column are spelled for its reading, None as they are: dates by the order of day and
    month it was found to have, numbers without points that divide thousands."""
    if source.kind is Kind.DATE:
        order = columns.day_month.get(source.property, "")
        return lambda raw: unfolded(raw, order)
    return joined if source.property in columns.thousands else None


def _asked(fact: str, wanted: Collection[str]) -> bool:
    return fact in wanted or (fact == "industry" and _INDUSTRY_ALSO in wanted)


def _tells(fact: str, other: str) -> bool:
    """Whether two columns speak about the same fact; an industry speaks about its sector too."""
    return fact == other or {fact, other} == {"industry", _INDUSTRY_ALSO}


def _note(note: Unreadable, row: int, raw: str) -> None:
    note.count += 1
    if not note.row:
        note.row, note.example = row, raw.strip()[:100]
