"""A CSV export as accounts: the facts of each row, merged, with whose they are.

The one way for commands that work on a file instead of a CRM. Streams, and may be iterated again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from icp_sync.domain.facts import CATALOGUE, FactType, FactValue, Members
from icp_sync.errors import Problem
from icp_sync.normalize.facts_map import FactSource
from icp_sync.tables.cells import Cells
from icp_sync.tables.columns import Columns, columns_of
from icp_sync.tables.lines import refused
from icp_sync.tables.reading import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class TableAccount:
    """One row. id: the record id, "row 7" where no column holds one. domain: registrable, "" if none.

    owner: what the owner's column says, lower case where it is an email.
    """

    row: int
    id: str
    name: str
    domain: str
    owner: str
    facts: Mapping[str, FactValue] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)


class AccountTable:
    """The accounts of one file, in its order. Rows of the wrong width are left out and named in `problems`.

    sources: which column feeds which fact. unmapped: columns that feed nothing. `problems`: of the rows
    read so far, by row number, at most 1,000.
    """

    def __init__(
        self, table: Table, columns: Columns, *, currency: str, types: Mapping[str, FactType]
    ) -> None:
        self.table, self.columns = table, columns
        self._currency, self._types = currency, types

    @property
    def sources(self) -> tuple[FactSource, ...]:
        return self.columns.sources

    @property
    def unmapped(self) -> tuple[str, ...]:
        return self.columns.unmapped

    @property
    def problems(self) -> list[Problem]:
        return self.table.problems.kept

    def __iter__(self) -> Iterator[TableAccount]:
        cells_of = Cells(self.columns, currency=self._currency, types=self._types)
        columns = self.columns
        ids, owners = columns.roles.get("id", ()), columns.roles.get("owner", ())
        ranked = sorted((s for s in columns.sources if s.fact == "name"), key=lambda s: s.rank)
        names = [columns.positions[s.property] for s in ranked]
        for row, cells, wrong in self.table:
            if wrong:
                continue
            facts, unread = cells_of.read(row, cells)
            domain = facts.get("domain")
            owner = _first(cells, owners)
            yield TableAccount(
                row=row,
                id=_first(cells, ids) or f"row {row}",
                name=_first(cells, names),
                domain=next(iter(domain.known), "") if isinstance(domain, Members) else "",
                owner=owner.lower() if "@" in owner else owner,
                facts=facts,
                unread=unread,
            )


def read_accounts(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    types: Mapping[str, FactType] = CATALOGUE,
    currency: str = "",
    encoding: str = "",
) -> AccountTable:
    """Open a CSV export. Reads the header and the first rows; raises ConfigError when it cannot be used.

    columns: column → fact (see `tables.columns.columns_of`), beside what names leave no doubt about.
    types: every fact there is. currency: ISO 4217 of amounts that carry no mark, "" where nobody says.
    """
    table = Table(Path(path), encoding=encoding)
    found = columns_of(table, columns, types=types)
    if not any(True for _ in table):
        raise refused(table.path, "has a header and no rows")
    return AccountTable(table, found, currency=currency, types={**found.types, **types})


def _first(cells: Sequence[str], places: Sequence[int]) -> str:
    """The first cell of these that says something, blanks collapsed."""
    return next((text for at in places if (text := " ".join(cells[at].split()))), "")
