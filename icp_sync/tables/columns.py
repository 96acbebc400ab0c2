"""Header and `--map` → which column feeds which fact, or every problem with that at once.

Knows names, not cells, but for what a column's own cells decide: the separator of sets, the order of day and
month, what the point in "2.345" is, and whose words industries are in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from icp_sync.domain.facts import CATALOGUE, FactType
from icp_sync.errors import ConfigError, Problem
from icp_sync.normalize.facts_config import kind_of, sources, suggestion
from icp_sync.normalize.facts_map import FactSource
from icp_sync.normalize.kinds import FACT_TYPES, Kind
from icp_sync.tables import industry_cells, names
from icp_sync.tables.dates import figures, orders
from icp_sync.tables.reading import Table
from icp_sync.tables.thousands import either, points

_CURRENCY = re.compile(r"[A-Z]{3}")
_GUESSED = 10
"""Rank of the first guess: what the user said stands before."""
_SEPARATORS = (";", ",", "|", "\n")
_SAMPLED = 200
_WHOLE = frozenset(("employees", "contacts", "open_deals", "won_deals", "children", "open_jobs"))
"""Facts whose numbers have no decimals."""
_LIKE_DATA = re.compile(r"https?://|www\.|\S+@\S+\.\S+|\d[\d.,]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What each column is for. roles: "id", "owner", "currency" → column positions, the best first.

    unmapped: names that feed nothing, `ignored` ones among them. day_month: date column → "day" or
    "month", whichever its cells showed to come first. thousands: column of numbers whose point divides
    thousands → a cell that could be read otherwise. kinds: facts the map itself declares.
    """

    sources: tuple[FactSource, ...]
    positions: Mapping[str, int]
    roles: Mapping[str, tuple[int, ...]]
    unmapped: tuple[str, ...]
    day_month: Mapping[str, str] = field(default_factory=dict)
    thousands: Mapping[str, str] = field(default_factory=dict)

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts that columns feed, each once; `industry` tells `sector` as well."""
        fed = dict.fromkeys(s.fact for s in self.sources)
        if "industry" in fed:
            fed["sector"] = None
        return tuple(fed)

    @property
    def types(self) -> Mapping[str, FactType]:
        """The type of every fact a column feeds."""
        return {s.fact: FACT_TYPES[s.kind] for s in self.sources}


def parse_map(stated: Iterable[str]) -> dict[str, str]:
    """ "COLUMN=FACT" texts → column → fact. Raises ConfigError for a text without "=" or said twice."""
    found: dict[str, str] = {}
    problems = []
    for text in stated:
        column, equals, fact = text.rpartition("=")
        name = " ".join(column.split())
        if not equals or not name or not fact.strip():
            what = "must read COLUMN=FACT"
            problems.append(Problem(where=f"--map '{text[:100]}'", what=what, hint="or COLUMN=ignore"))
        elif name in found:
            problems.append(Problem(where=f"--map '{text[:100]}'", what="this column is mapped twice"))
        found[name] = fact.strip()
    if problems:
        raise ConfigError(problems)
    return found


def columns_of(
    table: Table, stated: Mapping[str, str] | None = None, *, types: Mapping[str, FactType] = CATALOGUE
) -> Columns:
    """What the columns of a table are for: what is stated (column → fact, "fact:kind", "fact:EUR", "id",
    "owner", "currency" or "ignore"), then what their names leave no doubt about.

    types: every fact there is. Raises ConfigError with every problem at once.
    """
    header = table.header
    problems = table.twice()
    if len(header) == 1:
        what = f"has one column, '{header[0][:100]}'"
        problems.append(Problem(where=str(table.path), what=what, hint="delimiters are , ; tab and |"))
    chosen = _Chosen(header, types)
    for column, wish in (stated or {}).items():
        if column not in header:
            problems.append(table.missing(column, where=f"--map '{column[:100]}={wish}'"))
        else:
            chosen.state(column, wish)
    for column in header:
        if column and column not in (stated or {}):
            chosen.guess(column)
    problems += chosen.problems
    if problems:
        raise ConfigError(problems)
    columns = chosen.columns()
    if not columns.sources:
        raise ConfigError([_nothing(table)])
    return _settled(columns, table)


class _Chosen:
    """What was chosen so far, and what is wrong with it."""

    def __init__(self, header: Sequence[str], types: Mapping[str, FactType]) -> None:
        self._header, self._types = header, types
        self._roles: dict[str, list[tuple[int, int]]] = {}
        self._sources: list[FactSource] = []
        self._used: set[str] = set()
        self.problems: list[Problem] = []

    def state(self, column: str, wish: str) -> None:
        """What the user said of a column."""
        fact, _, form = wish.partition(":")
        fact, form = fact.strip(), form.strip()
        if fact == names.IGNORE:
            return
        if fact in names.ROLES:
            self._role(fact, column, 0)
            return
        where = f"--map '{column[:100]}={wish[:100]}'"
        money = bool(_CURRENCY.fullmatch(form))
        kind = Kind.MONEY if money and fact not in CATALOGUE else self._kind(fact, "" if money else form)
        if kind is None:
            near = suggestion(fact, (*self._types, *names.ROLES, names.IGNORE))
            hint = near or f"for a fact of your own add how it is read: {fact}:text, {fact}:number, …"
            self.problems.append(Problem(where=where, what=f"there is no fact '{fact}'", hint=hint))
            return
        entry = {"property": column, "fact": fact, "kind": str(kind), **({"currency": form} if money else {})}
        try:
            found = sources([entry], (), where=where)[0]
        except ConfigError as error:
            self.problems += [Problem(where=where, what=p.what, hint=p.hint) for p in error.problems]
            return
        self._feed(found, rank=0)

    def guess(self, column: str) -> None:
        """What a column's own name says."""
        found = names.meaning(column)
        if found is None:
            return
        feeds, rank = found
        if feeds in names.ROLES:
            self._role(feeds, column, 1 + rank)
        elif (kind := self._kind(feeds, "")) is not None:
            self._feed(FactSource(property=column, fact=feeds, kind=kind), rank=_GUESSED + rank)

    def columns(self) -> Columns:
        return Columns(
            sources=tuple(self._sources),
            positions={name: at for at, name in enumerate(self._header) if name},
            roles={role: tuple(at for _, at in sorted(found)) for role, found in self._roles.items()},
            unmapped=tuple(n for n in self._header if n and n not in self._used),
        )

    def _role(self, role: str, column: str, rank: int) -> None:
        self._roles.setdefault(role, []).append((rank, self._header.index(column)))
        self._used.add(column)

    def _feed(self, source: FactSource, *, rank: int) -> None:
        fact = source.fact
        kind = Kind.SET if fact == "lifecycle" else source.kind
        values = names.VALUES.get(fact, {})
        currency = source.currency or ("account" if kind is Kind.MONEY else "")
        complete = fact in names.COMPLETE and kind is Kind.SET
        self._sources.append(
            replace(source, kind=kind, rank=rank, values=values, currency=currency, complete=complete)
        )
        self._used.add(source.property)

    def _kind(self, fact: str, form: str) -> Kind | None:
        """How a fact is read: as stated, as the catalogue says, or as the caller's own facts are."""
        if form:
            return Kind(form) if form in list(Kind) else None
        own = kind_of(fact)
        return own or (Kind(str(self._types[fact])) if fact in self._types else None)


def _nothing(table: Table) -> Problem:
    """No column feeds a fact: perhaps because the first row is not a header."""
    if any(_LIKE_DATA.match(name) for name in table.header):
        what = f"has no header: its first row begins '{', '.join(table.header)[:60]}'"
        return Problem(where=str(table.path), what=what, hint="the first row must name the columns")
    listed = ", ".join(name for name in table.header[:10] if name)
    what = f"no column feeds a fact: {listed}"
    return Problem(where=str(table.path), what=what, hint='say which does: --map "COLUMN=FACT"')


def _settled(columns: Columns, table: Table) -> Columns:
    """What cells decide: from the first rows, and from all of them where those leave something open."""
    sample = []
    for _, cells, wrong in table:
        if not wrong:
            sample.append(cells)
        if len(sample) >= _SAMPLED:
            break
    at = columns.positions
    found = tuple(
        _worded(source, [cells[at[source.property]] for cells in sample]) for source in columns.sources
    )
    columns = replace(columns, sources=found)
    return replace(
        columns, day_month=_day_month(columns, table, sample), thousands=_thousands(columns, table, sample)
    )


def _worded(source: FactSource, cells: Sequence[str]) -> FactSource:
    """The source with the separator its sets have, or the words its industries are in."""
    if source.kind is Kind.SET:
        separator = _separator(cells)
        return replace(source, separator=separator, values=_joined(source.values, separator))
    if source.kind is Kind.INDUSTRY and industry_cells.is_picklist(cells):
        return replace(source, values=industry_cells.LABELS)
    return source


def _day_month(columns: Columns, table: Table, sample: Sequence[Sequence[str]]) -> Mapping[str, str]:
    """Which figure of a date comes first, by column."""
    at = columns.positions
    dates = {
        at[s.property]: s.property
        for s in columns.sources
        if s.kind is Kind.DATE and any(figures(cells[at[s.property]]) for cells in sample)
    }
    seen = orders((cells for _, cells, wrong in table if not wrong), dates) if dates else {}
    return {dates[position]: order.settled for position, order in seen.items()}


def _thousands(columns: Columns, table: Table, sample: Sequence[Sequence[str]]) -> Mapping[str, str]:
    """The columns whose points divide thousands, each with a cell that could be read otherwise."""
    at = columns.positions
    numbers = {
        at[s.property]: s
        for s in columns.sources
        if s.kind in (Kind.NUMBER, Kind.MONEY) and any(either(cells[at[s.property]]) for cells in sample)
    }
    whole = {position: source.fact in _WHOLE for position, source in numbers.items()}
    seen = points((cells for _, cells, wrong in table if not wrong), whole) if numbers else {}
    return {numbers[position].property: one.either for position, one in seen.items() if one.settled}


def _separator(cells: Sequence[str]) -> str:
    """What most cells of a set are split by."""
    return max(_SEPARATORS, key=lambda s: sum(s in cell for cell in cells))


def _joined(values: Mapping[str, str], separator: str) -> Mapping[str, str]:
    """Meanings of several words, joined as the column joins its own."""
    return {word: means.replace(";", separator) for word, means in values.items()}
