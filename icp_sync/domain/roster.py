"""The sales team on paper: territories, named accounts and absences, as of an instant.

Rows come from files (`roster_file`); here they are matched with facts. A row that a missing fact may yet
decide is neither a match nor none: the account waits rather than going to whoever comes second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from icp_sync.domain.compile import compile_conditions
from icp_sync.domain.conditions import AnyOf, Between
from icp_sync.domain.facts import Facts, Members
from icp_sync.domain.profile import NamedList


@dataclass(frozen=True, slots=True, kw_only=True)
class TerritoryRow:
    """One line of a territory table: in force in [start, end) (UTC epoch seconds) where every `wants` holds.

    Exactly one of `owner` (email) and `pool` is set. priority: lower is asked first; rows of one priority
    that overlap belong to one territory.
    """

    line: int
    territory: str
    wants: tuple[AnyOf | Between, ...] = ()
    owner: str = ""
    pool: str = ""
    weight: float = 1.0
    cap: int = 0
    priority: int = 0
    start: float = -inf
    end: float = inf

    def in_force(self, now: float) -> bool:
        return self.start <= now < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a table says of one account.

    rows: those that certainly hold, of the first priority that has any; of one territory.
    undecided: the unknown facts on which it depends; then `rows` is empty.
    until: when what a table says changes by itself (epoch seconds), None if it does not.
    """

    rows: tuple[TerritoryRow, ...] = ()
    undecided: tuple[str, ...] = ()
    until: float | None = None


class Territories:
    """One territory table. Rows that ask for one of few values of a fact are found by that value."""

    def __init__(self, name: str, rows: Sequence[TerritoryRow], currency: str = "") -> None:
        self.name, self.rows, self.currency = name, tuple(rows), currency
        self._holds = [compile_conditions(row.wants, currency) for row in self.rows]
        self._fact = _most_telling(self.rows)
        self._by_value: dict[str, list[int]] = {}
        self._always: list[int] = []
        for index, row in enumerate(self.rows):
            values = _values(row, self._fact)
            if values is None:
                self._always.append(index)
            for value in values or ():
                self._by_value.setdefault(value, []).append(index)

    @property
    def facts(self) -> tuple[str, ...]:
        """Every fact a row asks about, each once."""
        return tuple(dict.fromkeys(want.fact for row in self.rows for want in row.wants))

    def match(self, facts: Facts, now: float) -> Match:
        """Which rows hold for an account now."""
        certain: list[TerritoryRow] = []
        possible: list[TerritoryRow] = []
        changes: list[float] = []
        for index in sorted(set(self._candidates(facts))):
            row = self.rows[index]
            answers = self._holds[index](facts, now)
            if min(answers[1::2], default=1.0) <= 0.0:
                continue
            changes += [at for at in (row.start, row.end) if now < at < inf]
            if not row.in_force(now):
                continue
            (certain if min(answers[::2], default=1.0) >= 1.0 else possible).append(row)
        until = min(changes, default=None)
        first = min((row.priority for row in certain), default=None)
        best = tuple(row for row in certain if row.priority == first)
        rivals = [
            row
            for row in possible
            if first is None
            or row.priority < first
            or (row.priority == first and row.territory != best[0].territory)
        ]
        if rivals:
            open_facts = [w.fact for row in rivals for w in row.wants if not _known(facts, w.fact)]
            asked = open_facts or [w.fact for row in rivals for w in row.wants]
            return Match(undecided=tuple(dict.fromkeys(asked)), until=until)
        return Match(rows=best, until=until)

    def _candidates(self, facts: Facts) -> Iterator[int]:
        yield from self._always
        value = facts.get(self._fact)
        if isinstance(value, Members) and value.complete:
            for member in value.known:
                yield from self._by_value.get(member, ())
        else:
            for indexes in self._by_value.values():
                yield from indexes


def _most_telling(rows: Sequence[TerritoryRow]) -> str:
    """The fact whose values tell most rows apart."""
    values: dict[str, set[str]] = {}
    for row in rows:
        for want in row.wants:
            if isinstance(want, AnyOf):
                values.setdefault(want.fact, set()).update(want.values)
    return max(sorted(values), key=lambda fact: len(values[fact]), default="")


def _values(row: TerritoryRow, fact: str) -> frozenset[str] | None:
    for want in row.wants:
        if isinstance(want, AnyOf) and want.fact == fact:
            return want.values
    return None


def _known(facts: Facts, fact: str) -> bool:
    value = facts.get(fact)
    return value is not None and (value.complete if isinstance(value, Members) else value.low == value.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Somebody is away in [start, until); `until` is the day of return (UTC epoch seconds)."""

    email: str
    start: float
    until: float
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """All of a connection's tables, by file name; absences by email. digest: of all their bytes."""

    territories: Mapping[str, Territories] = field(default_factory=dict)
    named: Mapping[str, NamedList] = field(default_factory=dict)
    absences: Mapping[str, tuple[Absence, ...]] = field(default_factory=dict)
    digest: str = ""

    def away(self, email: str, now: float) -> Absence | None:
        """The absence that keeps somebody away now, the one that ends last."""
        holds = [a for a in self.absences.get(email, ()) if a.start <= now < a.until]
        return max(holds, key=lambda a: a.until, default=None)


NO_TABLES = Tables()
