"""Numbers like "2.345": read when the column as a whole says what the point is.

`normalize.numbers` leaves them alone, since the point is one thing in Germany and another in England. A
column with "1.234.567" or "12,5" and no "12.5" or "1,234" has settled it; so has a column of people, who do
not come in parts, as long as no cell has a point before other than three figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_MARK = r"[^\w.,]*(?:[A-Z]{3})?[^\w.,]*"
_EITHER = re.compile(rf"({_MARK})([1-9]\d{{0,2}})\.(\d{{3}})({_MARK})")
_THOUSANDS = re.compile(
    rf"{_MARK}(?:\d{{1,3}}(?:\.\d{{3}}){{2,}}(?:,\d+)?|\d+(?:\.\d{{3}})*,\d{{1,2}}){_MARK}"
)
_DECIMAL = re.compile(
    rf"{_MARK}(?:\d+\.(?:\d{{1,2}}|\d{{4,}})|0+\.\d+|\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?){_MARK}"
)


@dataclass(slots=True)
class Points:
    """How many cells of a column show that a point divides thousands, and that it begins the decimals.

    either: the first cell that could be both, "" for none. whole: its numbers have no decimals.
    """

    whole: bool = False
    thousands: int = 0
    decimals: int = 0
    either: str = ""

    def see(self, cell: str) -> None:
        text = cell.strip()
        if _EITHER.fullmatch(text):
            self.either = self.either or text
        elif "." in text or "," in text:
            self.thousands += bool(_THOUSANDS.fullmatch(text))
            self.decimals += bool(_DECIMAL.fullmatch(text))

    @property
    def settled(self) -> bool:
        """Whether there are cells that could be both, and their point divides thousands."""
        return bool(self.either) and not self.decimals and (self.whole or bool(self.thousands))


def points(rows: Iterable[Sequence[str]], columns: Mapping[int, bool]) -> Mapping[int, Points]:
    """What the point is in each column of numbers: position → whether its numbers are whole. Reads all rows,
    keeps none."""
    found = {at: Points(whole) for at, whole in columns.items()}
    for cells in rows:
        for at, seen in found.items():
            if cells[at]:
                seen.see(cells[at])
    return found


def either(cell: str) -> bool:
    """Whether a cell is a number that could be thousands or have three decimals."""
    return bool(_EITHER.fullmatch(cell.strip()))


def how_read(column: str, cell: str) -> str:
    """How the point in a column was read, with a cell that could be read otherwise."""
    return f"'{column[:60]}': '{cell[:40]}' is read as {joined(cell)[:40]}, by the other cells"


def joined(cell: str) -> str:
    """ "2.345 €" as "2345 €", where its point divides thousands; any other cell as it is."""
    found = _EITHER.fullmatch(cell.strip())
    return "".join(found.groups()) if found else cell
