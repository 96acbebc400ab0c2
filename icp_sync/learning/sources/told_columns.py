"""The columns of one CSV file by what they are for, and their cells as dates, amounts, numbers and answers.

Knows no roles of its own: the caller says which there are and what they are called.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from icp_sync.domain.facts import FactValue, Interval, Members
from icp_sync.errors import ConfigError, Problem
from icp_sync.learning.past.wanting import counted
from icp_sync.normalize.kinds import Kind, Parse, parser
from icp_sync.tables.dates import figures, orders, unfolded
from icp_sync.tables.names import squeezed
from icp_sync.tables.reading import Table
from icp_sync.tables.thousands import Points, how_read, joined, points

NAMED = 3
"""Problems told one by one; the rest is counted."""
FORMS: Mapping[str, str] = {"dmy": "day", "mdy": "month"}
"""How `--map` says what comes first in a date: "COLUMN=deal:close_date:dmy"."""
_LONGEST_DATE = 31 * 86_400.0  # a month is a date, a year is none
_WANTED = {
    Kind.DATE: ("no date", "write 2026-05-31"),
    Kind.MONEY: ("no amount", "write 12000, or 12000 EUR"),
    Kind.NUMBER: ("no number", "write 12"),
    Kind.YES_NO: ("neither yes nor no", "write yes or no"),
}


@dataclass(slots=True)
class _Unread:
    """Cells of one column that could not be read: how many, and the first."""

    kind: Kind
    count: int
    row: int
    example: str


class Told:
    """One file's columns by role. Iterate it for its rows; read their cells by role.

    names: role → what such columns are called, the most telling first. stated: column → role, which comes
    before; a date's may end in one of `FORMS`, as in "decided:dmy". taken: columns that are for something
    else. dates, numbers: roles that are dates, and amounts or numbers. also: role → positions that are known
    already.
    """

    def __init__(
        self,
        table: Table,
        names: Mapping[str, Sequence[str]],
        stated: Mapping[str, str],
        *,
        taken: Collection[str] = (),
        dates: Collection[str] = (),
        numbers: Collection[str] = (),
        also: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        self.table = table
        self._stated = {column: said.partition(":")[0] for column, said in stated.items()}
        self._named = _roles(table.header, names, self._stated, taken)
        self.roles: Mapping[str, Sequence[int]] = {**(also or {}), **self._named}
        self._dates = tuple(dates)
        said = {column: FORMS.get(role.partition(":")[2], "") for column, role in stated.items()}
        self._order = _orders(table, self._at(dates), said)
        self._points = _points(table, self._at(numbers))
        self._unread: dict[int, _Unread] = {}
        self._read: Counter[int] = Counter()
        self._parsers: dict[tuple[Kind, str], Parse] = {}

    def __iter__(self) -> Iterator[tuple[int, Sequence[str]]]:
        """(number, cells) of every row of the right width."""
        return ((row, cells) for row, cells, wrong in self.table if not wrong)

    def _at(self, roles: Collection[str]) -> dict[int, str]:
        """The columns with any of these roles: position → name."""
        return {place: self.table.header[place] for role in roles for place in self.roles.get(role, ())}

    def has(self, *roles: str) -> bool:
        return any(self.roles.get(role) for role in roles)

    def column(self, role: str) -> str:
        """The name of the first column with this role, "" for none."""
        return self.table.header[self.roles[role][0]] if self.has(role) else ""

    def says(self, role: str, cells: Sequence[str]) -> bool:
        """Whether any cell with this role holds something, be it readable or not."""
        return next(self._texts(role, cells), None) is not None

    def text(self, role: str, cells: Sequence[str]) -> str:
        """The first cell with this role that says something, blanks collapsed."""
        return next((text for _, text in self._texts(role, cells)), "")

    def day(self, role: str, row: int, cells: Sequence[str]) -> float | None:
        """The beginning of a day or a month, UTC epoch seconds."""
        value = self._value(Kind.DATE, role, row, cells, "")
        return value.low if isinstance(value, Interval) else None

    def date(self, role: str, row: int, cells: Sequence[str]) -> FactValue | None:
        return self._value(Kind.DATE, role, row, cells, "")

    def money(self, role: str, row: int, cells: Sequence[str], currency: str) -> FactValue | None:
        """An amount; `currency` where the cell has no mark."""
        return self._value(Kind.MONEY, role, row, cells, currency)

    def number(self, role: str, row: int, cells: Sequence[str]) -> FactValue | None:
        return self._value(Kind.NUMBER, role, row, cells, "")

    def yes(self, role: str, row: int, cells: Sequence[str]) -> bool | None:
        """A yes or a no, None where nobody says."""
        value = self._value(Kind.YES_NO, role, row, cells, "")
        return "yes" in value.known if isinstance(value, Members) else None

    def code(self, role: str, cells: Sequence[str], otherwise: str) -> str:
        """An ISO 4217 code, `otherwise` where the cell holds none."""
        code = self.text(role, cells).upper()
        return code if len(code) == 3 and code.isascii() and code.isalpha() else otherwise

    def guessed(self) -> list[str]:
        """A note on what columns were taken for because of their names."""
        found = [
            f"'{self.table.header[at][:60]}' as {role}"
            for role, places in self._named.items()
            for at in places
            if self.table.header[at] not in self._stated
        ]
        said = '--map "COLUMN=ignore" leaves one out'
        return [f"{self.table.path}: read {', '.join(found)}; {said}"] if found else []

    def dateless(self, role: str, *, as_role: str = "") -> Problem | None:
        """What is wrong where most cells of columns of dates could not be read. as_role: how `--map`
        names the role."""
        places = [at for at in self.roles.get(role, ()) if at in self._unread]
        read = sum(self._read[at] for at in self.roles.get(role, ()))
        if not places or sum(self._unread[at].count for at in places) <= read:
            return None
        unread, column = self._unread[places[0]], self.table.header[places[0]][:60]
        cells = f"{unread.count:,} of {counted(unread.count + self._read[places[0]], 'cell')}"
        what = f"no dates: {cells} in column '{column}' cannot be read, such as '{unread.example}'"
        hint = _WANTED[Kind.DATE][1]
        if figures(unread.example):
            hint = (
                f'--map "{column}={as_role or role}:dmy" where the day comes first, :mdy where the month does'
            )
        return Problem(where=f"{self.table.path}:{unread.row}", what=what, hint=hint)

    def notes(self) -> list[str]:
        """How the doubtful was read and what could not be, a sentence each. Raises ConfigError for a stated
        column of which no cell could be read at all."""
        path, wrong = self.table.path, []
        said = [thousands_note(str(path), self.table.header[at], one) for at, one in self._points.items()]
        for at, unread in sorted(self._unread.items()):
            column, (what, hint) = self.table.header[at], _WANTED[unread.kind]
            if unread.kind is Kind.DATE and figures(unread.example):
                what, hint = "one of two dates", "--map says which figure is the day: …:dmy or …:mdy"
            place = f"column '{column[:60]}': '{unread.example}' is {what}"
            if column in self._stated and at not in self._read:
                wrong.append(Problem(where=f"{path}:{unread.row}", what=place, hint=hint))
            cells = f", and {counted(unread.count - 1, 'more cell')}" if unread.count > 1 else ""
            said.append(f"{path}:{unread.row}: {place}{cells}; taken as unknown ({hint})")
        if wrong:
            raise ConfigError(wrong, next_step='icp-sync learn … --map "ANOTHER COLUMN=…"')
        return said

    def _texts(self, role: str, cells: Sequence[str]) -> Iterator[tuple[int, str]]:
        for at in self.roles.get(role, ()):
            if text := " ".join(cells[at].split()):
                yield at, text

    def _value(
        self, kind: Kind, role: str, row: int, cells: Sequence[str], currency: str
    ) -> FactValue | None:
        for at, text in self._texts(role, cells):
            word = unfolded(text, self._order.get(at, "")) if kind is Kind.DATE else text
            word = joined(text) if at in self._points else word
            found = self._parser(kind, role)(word, currency)
            value = found[0][1] if found else None
            if value is not None and not (kind is Kind.DATE and _vague(value)):
                self._read[at] += 1
                return value
            unread = self._unread.setdefault(at, _Unread(kind, 0, row, text[:40]))
            unread.count += 1
        return None

    def _parser(self, kind: Kind, role: str) -> Parse:
        if (kind, role) not in self._parsers:
            self._parsers[kind, role] = parser(
                kind, role, currency="account", separator=";", values={}, complete=True
            )
        return self._parsers[kind, role]


def _roles(
    header: Sequence[str],
    names: Mapping[str, Sequence[str]],
    stated: Mapping[str, str],
    taken: Collection[str],
) -> dict[str, tuple[int, ...]]:
    """Role → positions of its columns: stated ones alone where there are any, else the known names."""
    known = {
        squeezed(name): (rank, role)
        for role, listed in reversed(list(names.items()))
        for rank, name in reversed(list(enumerate(listed)))
    }
    found: dict[str, list[tuple[int, int]]] = {}
    for at, column in enumerate(header):
        if column in stated:
            found.setdefault(stated[column], []).append((-1, at))
        elif column and column not in taken and (guess := known.get(squeezed(column))):
            found.setdefault(guess[1], []).append((guess[0], at))
    said = set(stated.values())
    return {
        role: tuple(at for rank, at in sorted(places) if rank < 0 or role not in said)
        for role, places in found.items()
    }


def _orders(table: Table, columns: Mapping[int, str], said: Mapping[str, str]) -> dict[int, str]:
    """Whether day or month comes first in each date column, as somebody `said`; one that does not say follows
    the others, since one file is written by one program."""
    sample = [cells for _, cells, wrong in table if not wrong] if columns else []
    unclear = [at for at in columns if any(figures(cells[at]) for cells in sample)]
    seen = {at: order.settled for at, order in orders(sample, unclear).items()}
    clear = {settled for settled in seen.values() if settled}
    shared = clear.pop() if len(clear) == 1 else ""
    return {at: said.get(columns[at], "") or settled or shared for at, settled in seen.items()}


def _points(table: Table, columns: Mapping[int, str]) -> dict[int, str]:
    """The columns of numbers whose point divides thousands, each with a cell that could be read otherwise."""
    if not columns:
        return {}
    rows = (cells for _, cells, wrong in table if not wrong)
    seen: Mapping[int, Points] = points(rows, dict.fromkeys(columns, False))
    return {at: one.either for at, one in seen.items() if one.settled}


def _vague(value: FactValue) -> bool:
    return isinstance(value, Interval) and value.high - value.low > _LONGEST_DATE


def thousands_note(where: str, column: str, cell: str) -> str:
    """How a number was read that could have been another."""
    return f"{where}: column {how_read(column, cell)}"


def row_problems(table: Table) -> list[str]:
    """What was wrong with rows of the last iteration: the first few, the rest counted."""
    kept, total = table.problems.kept, table.problems.total
    more = [f"{table.path}: {counted(total - NAMED, 'more problem')}"] if total > NAMED else []
    return [str(problem) for problem in kept[:NAMED]] + more
