"""A CSV file → its header and its rows, one at a time; what is wrong with a row is named, never hidden.

Knows no facts. Rows are numbered as a spreadsheet numbers them: a cell with line breaks makes one row, an
empty line is a row too.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import chain
from pathlib import Path

from icp_sync.errors import ConfigError, Problem
from icp_sync.normalize.facts_config import suggestion
from icp_sync.tables.lines import HEAD, Lines, head_of, refused

DELIMITERS = ",;\t|"
MOST_COLUMNS = 5_000
MOST_PROBLEMS = 1_000
_SAMPLED = 50  # rows that decide the delimiter
_STATED_DELIMITER = re.compile(r"sep=(.)\s*", re.IGNORECASE)

Row = tuple[int, list[str], str]
"""Number (the header is usually row 1), cells as they came, and why they are not a row of this table ("")."""


class Problems:
    """What is wrong, in the order it was met: the first 1,000 with their words, all of them counted."""

    def __init__(self, where: str) -> None:
        self._where = where
        self.kept: list[Problem] = []
        self.total = 0

    def add(self, row: int, what: str, hint: str = "") -> None:
        self.total += 1
        if len(self.kept) < MOST_PROBLEMS:
            self.kept.append(Problem(where=f"{self._where}:{row}", what=what, hint=hint))

    def clear(self) -> None:
        self.kept.clear()
        self.total = 0


class Table:
    """One CSV file. Opening reads the header only; each iteration reads the file once more.

    path: any encoding `tables.lines` reads, or the one stated; delimited by comma, semicolon, tab or bar.
    header: column names without blanks around them. `problems` are those of the last iteration. Raises
    ConfigError for what is no table at all: no file, a workbook, no header, too many columns.
    """

    def __init__(self, path: Path, *, encoding: str = "") -> None:
        self.path = path
        self.problems = Problems(str(path))
        self._head = head_of(path)
        self._asked = encoding
        self._lines = Lines(path, self._head, encoding=encoding)
        if len(self._head) == HEAD and not {10, 13} & set(self._head):
            raise self._too_wide(_columns_of_first_line(path))
        sample = self._sample()
        self.delimiter = _stated(sample) or _delimiter(sample)
        self._skip, cells = self._find_header(sample)
        self.header = tuple(" ".join(name.split()) for name in cells)
        if not any(self.header):
            raise refused(path, "is empty", "its first row must name the columns")
        if len(self.header) > MOST_COLUMNS:
            raise self._too_wide(len(self.header))

    @property
    def encoding(self) -> str:
        """What the lines read so far are in; "" while they are all ASCII."""
        return self._lines.encoding

    def __iter__(self) -> Iterator[Row]:
        """Every row below the header that holds something."""
        self.problems.clear()
        self._lines = Lines(self.path, self._head, encoding=self._asked)
        width = len(self.header)
        for number, cells, lines in self._records():
            if len(cells) == width and not self._lines.wrong:
                if number > self._skip and any(map(str.strip, cells)):
                    yield number, cells, ""
            elif number > self._skip:
                yield from self._doubtful(number, cells, lines, width)

    def twice(self) -> list[Problem]:
        """A problem for each column name that is not the only one."""
        return [
            Problem(where=str(self.path), what=f"the column '{name}' stands twice in the header")
            for name in dict.fromkeys(self.header)
            if name and self.header.count(name) > 1
        ]

    def missing(self, column: str, *, where: str) -> Problem:
        """The problem of a column that somebody named and the header lacks."""
        listed = ", ".join(name for name in self.header[:20] if name)
        hint = suggestion(column, self.header) or f"columns: {listed}"
        return Problem(where=where, what=f"there is no column '{column[:100]}'", hint=hint)

    def _doubtful(self, number: int, cells: list[str], lines: int, width: int) -> Iterator[Row]:
        """A row whose width or text is not as it should be."""
        for what in dict.fromkeys(self._lines.wrong):
            self.problems.add(number, what)
        self._lines.wrong.clear()
        if not any(map(str.strip, cells)):
            return
        if len(cells) > width and not any(map(str.strip, cells[width:])):
            cells = cells[:width]  # delimiters after the last column
        wrong = "" if len(cells) == width else f"has {len(cells)} cells instead of {width}"
        if wrong:
            hint = "a quote is opened and not closed" if lines > 1 else ""
            self.problems.add(number, wrong, hint)
        yield number, cells, wrong

    def _records(self) -> Iterator[tuple[int, list[str], int]]:
        """(number, cells, lines it spanned) of every record, header and empty lines among them.

        A record of several lines that does not have the right width began with a quote nobody closed: its
        first line stands alone then, and the others are read again.
        """
        source, number, width = iter(self._lines), 0, len(self.header)
        again: list[str] = []
        while True:
            taken: list[str] = []
            reader = csv.reader(_noting(chain(again, source), taken), delimiter=self.delimiter)
            again = []
            try:
                for cells in reader:
                    number += 1
                    if len(taken) > 1 and len(cells) != width and number > self._skip:
                        again = taken[1:]
                        yield number, _alone(taken[0], self.delimiter), len(taken)
                        break
                    yield number, cells, len(taken)
                    taken.clear()
                else:
                    return
            except csv.Error:
                number += 1
                again = taken[1:]
                yield number, _alone(taken[0], self.delimiter) if taken else [], len(taken)

    def _sample(self) -> str:
        """The first rows as text, for finding the delimiter."""
        lines = []
        for line in self._lines:
            lines.append(line)
            if len(lines) > _SAMPLED:
                break
        self._lines.wrong.clear()
        return "".join(lines)

    def _find_header(self, sample: str) -> tuple[int, list[str]]:
        """Row number and cells of the first row that holds anything."""
        reader = csv.reader(StringIO(sample, newline=""), delimiter=self.delimiter)
        try:
            for number, cells in enumerate(reader, start=1):
                if any(map(str.strip, cells)) and not _STATED_DELIMITER.fullmatch(self.delimiter.join(cells)):
                    return number, cells
        except csv.Error as error:
            raise refused(self.path, f"is not a CSV file: {error}") from error
        return 0, []

    def _too_wide(self, columns: int) -> ConfigError:
        what = f"has {columns:,} columns, and {MOST_COLUMNS:,} are the most"
        return refused(self.path, what, "export only the columns the profile asks about")


def _noting(lines: Iterable[str], taken: list[str]) -> Iterator[str]:
    """The lines, each remembered until its record is complete."""
    for line in lines:
        taken.append(line)
        yield line


def _alone(line: str, delimiter: str) -> list[str]:
    """The cells of a line whose quotes mean nothing."""
    try:
        return next(csv.reader([line], delimiter=delimiter, quoting=csv.QUOTE_NONE), [])
    except csv.Error:
        return [line.strip("\r\n")]


def _stated(sample: str) -> str:
    """The delimiter of a first line "sep=;", which spreadsheets write and obey."""
    found = _STATED_DELIMITER.fullmatch(sample.split("\n", 1)[0])
    return found[1] if found else ""


def _delimiter(sample: str) -> str:
    """The delimiter that splits the first rows most evenly, into most cells where several do."""

    def merit(delimiter: str) -> tuple[float, int]:
        try:
            rows = [
                cells
                for cells in csv.reader(StringIO(sample, newline=""), delimiter=delimiter)
                if any(map(str.strip, cells))
            ]
        except csv.Error:
            return 0.0, 0
        width = len(rows[0]) if rows else 1
        if width == 1:
            return 0.0, 1
        return sum(len(cells) == width for cells in rows) / len(rows), width

    return max(DELIMITERS, key=merit)


def _columns_of_first_line(path: Path) -> int:
    """How many columns a first line has that is too long to be read as one; counts, keeps nothing."""
    counts: Sequence[int] = (0,) * len(DELIMITERS)
    with path.open("rb") as file:
        while block := file.read(HEAD):
            line = block.splitlines()[0] if {10, 13} & set(block) else block
            counts = [n + line.count(d.encode()) for n, d in zip(counts, DELIMITERS, strict=True)]
            if len(line) < len(block):
                break
    return max(counts) + 1
