"""One CSV file scored into another: every row as it came, with what the profiles say beside it.

Knows files and scoring; prints nothing and chooses no paths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from icp_sync.domain.compile import Compiled
from icp_sync.domain.facts import FactType
from icp_sync.tables.cells import Cells, Unreadable
from icp_sync.tables.columns import Columns
from icp_sync.tables.needs import looks_up, needed_facts
from icp_sync.tables.reading import Table
from icp_sync.tables.scoring import HEADER, Scorer
from icp_sync.tables.tally import Tally
from icp_sync.tables.writing import writer


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredFile:
    """What became of a file. unscored: rows of the wrong width, written with the reason and no tier.

    header: names of the added columns. unreadable: columns with cells nobody could read.
    """

    tally: Tally
    unscored: int
    header: tuple[str, ...]
    unreadable: tuple[Unreadable, ...]

    @property
    def rows(self) -> int:
        return self.tally.rows + self.unscored


def score_file(
    table: Table,
    columns: Columns,
    compiled: Sequence[Compiled],
    out: TextIO,
    *,
    currency: str,
    types: Mapping[str, FactType],
    now: float,
) -> ScoredFile:
    """Score every row of `table` under the profiles as of `now`, and write it to `out`.

    currency: ISO 4217 of plain amounts, "" where nobody says. Streams; memory stays flat.
    """
    profiles = [one.profile for one in compiled]
    cells_of = Cells(columns, currency=currency, types=types, wanted=needed_facts(profiles))
    added = _names(table.header)
    width = len(table.header)
    lines = writer(out, (*table.header, *added), delimiter=table.delimiter)
    scorer = Scorer(compiled, now, cells_of.facts, lines)
    ids = columns.roles.get("id", ()) if any(map(looks_up, profiles)) else ()
    unscored = 0
    for row, cells, wrong in table:
        if wrong:
            unscored += 1
            aside = ("",) * 6 + (f"Not scored: the row {wrong}.", "", "")
            padded = [*cells[:width], *[""] * (width - len(cells))]
            lines.row([*padded, *aside, *cells[width:]])  # what was too much stays, at the end
            continue
        facts, _ = cells_of.read(row, cells)
        account_id = next((cells[at].strip() for at in ids if cells[at].strip()), "") if ids else ""
        lines.line(lines.text(cells), scorer.line(account_id, facts))
    odd = tuple(note for note in cells_of.unreadable if note.count)
    return ScoredFile(tally=scorer.finish(), unscored=unscored, header=added, unreadable=odd)


def scored(header: Sequence[str]) -> bool:
    """Whether a file with this header is one that was written here: it ends in our columns."""
    ends = header[-len(HEADER) :]
    return _names(header[: -len(HEADER)]) == tuple(ends)


def _names(header: Sequence[str]) -> tuple[str, ...]:
    """Names of our columns that the file does not have yet: exports of a scored CRM carry the plain ones."""
    taken = {name.lower() for name in header}
    added: tuple[str, ...] = HEADER
    again = 1
    while any(name.lower() in taken for name in added):
        added = tuple(f"{name} (scored{f' {again}' if again > 1 else ''})" for name in HEADER)
        again += 1
    return tuple(added)
