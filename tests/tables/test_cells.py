"""The quick reading of cells says exactly what the facts map and the merge of signals say."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.facts import CATALOGUE, merge
from icp_sync.domain.populations import population_of
from icp_sync.normalize.facts_map import FactsMap
from icp_sync.tables.cells import Cells
from icp_sync.tables.columns import columns_of
from icp_sync.tables.reading import Table

HEADER = (
    "domain,Website,Employees,hs_employee_range,Annual Revenue,Industry,sector,"
    "Country,Type,Tech Stack,keywords"
)
_CELLS = st.sampled_from(
    ["", " ", "acme.com", "https://beta.io/x", "gmail.com", "51-200", "70", "-5", "$5M", "5000", "kr 5",
     "Widgets", "INTERNET", "51", "Germany", "Atlantis", "Partner", "Customer - Direct", "hubspot; slack",
     "slack", "x" * 300]
)  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    path: Path = tmp_path_factory.mktemp("cells") / "all.csv"
    path.write_text(HEADER + "\n" + "," * HEADER.count(",") + "x\n")
    return Table(path)


@given(
    rows=st.lists(st.lists(_CELLS, min_size=11, max_size=11), min_size=1, max_size=5),
    currency=st.sampled_from(["", "EUR"]),
)
def test_a_row_is_read_as_signals_would_be_merged(table: Table, rows: list[list[str]], currency: str) -> None:
    columns = columns_of(table)
    cells_of, slow = Cells(columns, currency=currency), FactsMap(columns.sources)
    for number, cells in enumerate(rows + rows):
        facts, unread = cells_of.read(number, cells)
        signals, raw = slow.read(
            dict(zip(table.header, cells, strict=True)), observed_at=0.0, account_currency=currency
        )
        known = merge(signals, raw, CATALOGUE)
        wanted = dict(known.facts)
        if (population := population_of(wanted)) is not None:
            wanted["population"] = population
        assert facts == wanted
        assert unread == {fact: text.strip() for fact, text in known.unread.items()}
        assert set(facts) <= set(cells_of.facts)


def test_unreadable_cells_are_counted_with_the_first_of_them(table: Table) -> None:
    cells_of = Cells(columns_of(table))
    for row in (2, 3, 4):
        cells_of.read(row, ["", "", "", "", "", "Widgets" if row > 2 else "INTERNET", "", "", "", "", ""])
    (note,) = [note for note in cells_of.unreadable if note.count]
    assert (note.column, note.count, note.row, note.example) == ("Industry", 2, 3, "Widgets")


def test_only_wanted_facts_are_read(table: Table) -> None:
    cells_of = Cells(columns_of(table), wanted={"employees", "sector"})
    assert {note.fact for note in cells_of.unreadable} == {"employees", "industry", "sector"}
