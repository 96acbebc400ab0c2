"""What the point in "2.345" is, the column decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from icp_sync.domain.facts import FactValue, Interval, Money
from icp_sync.tables.accounts import read_accounts
from icp_sync.tables.thousands import joined


def read(tmp_path: Path, header: str, *cells: str, fact: str) -> list[FactValue | None]:
    """A column's cells as facts. The other column makes it a table."""
    path = tmp_path / "accounts.csv"
    rows = "".join(f'{n},"{cell}"\n' for n, cell in enumerate(cells))
    path.write_text(f"Record ID,{header}\n{rows}", encoding="utf-8")
    columns = {header: "ratio:number"} if fact == "ratio" else {}
    return [one.facts.get(fact) for one in read_accounts(path, columns=columns, currency="EUR")]


def exactly(*counts: float | None) -> list[Interval | None]:
    return [None if n is None else Interval(n, n) for n in counts]


@pytest.mark.parametrize(
    ("cells", "counts"),
    [
        (("2.345", "17"), (2345, 17)),
        (("2.345", "12,0"), (2345, 12)),
        (("2.345", "1.234.567"), (2345, 1_234_567)),
        (("2.345", "12.5"), (None, 12.5)),
        (("2.345", "1,200"), (None, 1200)),
    ],
)
def test_people_come_in_thousands_unless_another_cell_has_decimals(
    tmp_path: Path, cells: tuple[str, ...], counts: tuple[float | None, ...]
) -> None:
    assert read(tmp_path, "Employees", *cells, fact="employees") == exactly(*counts)


def test_other_numbers_need_a_cell_that_shows_it(tmp_path: Path) -> None:
    assert read(tmp_path, "Ratio", "2.345", "17", fact="ratio") == exactly(2.345, 17)
    assert read(tmp_path, "Ratio", "2.345", "1,5", fact="ratio") == exactly(2345, 1.5)


def test_amounts_keep_their_currency(tmp_path: Path) -> None:
    found = read(tmp_path, "Annual Revenue", "2.345 USD", "€ 3.400", "1.234.567,89", fact="revenue")
    assert found == [
        Money(2345, 2345, "USD"),
        Money(3400, 3400, "EUR"),
        Money(1_234_567.89, 1_234_567.89, "EUR"),
    ]


@pytest.mark.parametrize("cell", ["0.345", "2.345.678", "12.34", "2.345 Mio", "v2.345", "", "2.345-3.456"])
def test_what_is_no_plain_number_stays_as_it_is(cell: str) -> None:
    assert joined(cell) == cell
