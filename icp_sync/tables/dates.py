"""Dates of figures alone, "05/06/2024": read when the column as a whole says which figure is the day.

`normalize.dates` leaves them alone, since nobody can tell May from June. A column with one "25/12/2024" and
no "12/25/2024" has settled it; a column that holds both, or neither, has not, and then only those that are
clear by themselves are read. A day as spreadsheets count it, 45901, is one in any column of dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

_FIGURES = re.compile(
    r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|(?<=[/.])\d{2})"
    r"(?:,?\s+\d{1,2}:\d{2}(?::\d{2})?(?:\s*[AaPp]\.?[Mm]\.?)?)?"
)


_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?")
_DAY_ZERO = date(1899, 12, 30)
_SERIALS = range(20_000, 73_051)  # 1954-10-03 to 2099-12-31
_CENTURY = 30  # two figures: 00 to 29 are of this century, 30 to 99 of the last


@dataclass(slots=True)
class Order:
    """How many cells of a column can only be read day first, and how many only month first."""

    day_first: int = 0
    month_first: int = 0

    def see(self, cell: str) -> None:
        found = _FIGURES.fullmatch(cell.strip())
        if found:
            first, second = int(found[1]), int(found[3])
            self.day_first += first > 12 >= second
            self.month_first += second > 12 >= first

    @property
    def settled(self) -> str:
        """ "day", "month", or "" where the column does not say."""
        if bool(self.day_first) == bool(self.month_first):
            return ""
        return "day" if self.day_first else "month"


def orders(rows: Iterable[Sequence[str]], columns: Iterable[int]) -> Mapping[int, Order]:
    """The order of every date column (by position). Reads all rows, keeps none."""
    found = {at: Order() for at in columns}
    for cells in rows:
        for at, order in found.items():
            if at < len(cells) and cells[at]:
                order.see(cells[at])
    return found


def figures(cell: str) -> bool:
    """Whether a cell is a date of figures alone with the year last."""
    return bool(_FIGURES.fullmatch(cell.strip()))


def unfolded(cell: str, settled: str) -> str:
    """The cell as an ISO date where day and month are clear, otherwise as it is. A time of day is dropped.

    Years of two figures and days counted since 1899-12-30 are read as Excel does (Microsoft support: "Change
    the date system, format, or two-digit year interpretation").
    """
    text = cell.strip()
    found = _FIGURES.fullmatch(text)
    if not found:
        return _counted(text) or cell
    first, second = int(found[1]), int(found[3])
    if first > 12 or second > 12 or first == second:
        day, month = (first, second) if first > 12 else (second, first)
    elif settled:
        day, month = (first, second) if settled == "day" else (second, first)
    else:
        return cell
    return f"{_year(found[4])}-{month:02d}-{day:02d}"


def _counted(text: str) -> str:
    """A spreadsheet's number of a day as an ISO date, "" for anything else."""
    found = _SERIAL.fullmatch(text)
    days = int(found[1]) if found else 0
    return (_DAY_ZERO + timedelta(days)).isoformat() if days in _SERIALS else ""


def _year(figures: str) -> str:
    if len(figures) == 4:
        return figures
    return f"{'20' if int(figures) < _CENTURY else '19'}{figures}"
