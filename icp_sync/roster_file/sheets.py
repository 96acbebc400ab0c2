"""A small table, whole in memory: column names, rows with the number a spreadsheet shows, and findings.

Knows how problems of a file are named and bounded; nothing of what the rows mean, nor how a file becomes
rows, which is the business of `tables.reading`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from icp_sync.errors import ConfigError, Problem
from icp_sync.tables.reading import Table

MAX_BYTES = 20_000_000
SHOWN = 100
"""Problems named of one file; a thousand more would say the same."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. line: as a spreadsheet counts, the header being 1. cells: column → trimmed text."""

    line: int
    cells: Mapping[str, str]

    def cell(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table's columns, lower-case with underscores, and its rows that hold anything."""

    source: str  # for problems
    name: str  # of the file alone
    header: tuple[str, ...]
    rows: Sequence[Row]


@dataclass(slots=True)
class Findings:
    """Problems by file and row, in order of discovery; `count` counts those too many to keep as well."""

    problems: list[Problem] = field(default_factory=list)
    count: int = 0
    _of: dict[str, int] = field(default_factory=dict)

    def at(self, source: str, line: int, what: str, hint: str = "") -> None:
        """One problem; line 0 is the file as a whole."""
        self.count += 1
        said = self._of[source] = self._of.get(source, 0) + 1
        if said <= SHOWN:
            where = f"{source}:{line}" if line else source
            self.problems.append(Problem(where=where, what=what, hint=hint))
        elif said == SHOWN + 1:
            self.problems.append(Problem(where=source, what="and more; these are the first"))

    def ordered(self) -> list[Problem]:
        """By file in the order they were read, then by row."""
        files = {source: at for at, source in enumerate(self._of)}

        def place(problem: Problem) -> tuple[int, float]:
            source, _, line = problem.where.rpartition(":")
            if source in files and line.isdigit():
                return files[source], int(line)
            return files.get(problem.where, len(files)), 0 if problem.where in files else 1

        return sorted(self.problems, key=place)


def read_bytes(path: Path) -> bytes:
    """The whole file. Raises ConfigError when it cannot be read or is far too large."""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise ConfigError([Problem(where=str(path), what="is no file, but a stream or a device")])
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError([Problem(where=str(path), what="there is no such file")]) from None
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        raise ConfigError([Problem(where=str(path), what=what)]) from None
    if len(data) > MAX_BYTES:
        what = f"larger than {MAX_BYTES:,} bytes"
        raise ConfigError([Problem(where=str(path), what=what, hint="the table of a sales team is small")])
    return data


def read_sheet(path: Path, findings: Findings, *, may_be_empty: bool = False) -> Sheet:
    """The rows of a file; odd rows and columns go to `findings`. Raises ConfigError when it is no table.

    may_be_empty: whether a header alone is fine.
    """
    table = Table(path)
    before = findings.count
    source = str(path)
    rows: list[Row] = []
    header = tuple("_".join(name.lower().replace("_", " ").split()) for name in table.header)
    for name in dict.fromkeys(header):
        if name and header.count(name) > 1:
            findings.at(source, 1, f"the column '{name}' stands twice in the header", "rename or remove one")
    for line, cells, wrong in table:
        if wrong:
            continue
        if any(cell.strip() for name, cell in zip(header, cells, strict=True) if not name):
            findings.at(source, line, "a cell stands under no column name", "name every column")
        named = {name: cell.strip() for name, cell in zip(header, cells, strict=True) if name}
        rows.append(Row(line, named))
    for problem in table.problems.kept:
        row = problem.where.rpartition(":")[2]
        findings.at(source, int(row), problem.what, problem.hint)
    if not rows and findings.count == before and not may_be_empty:
        findings.at(source, 0, "holds a header and no rows", "add a row for each")
    return Sheet(source=source, name=path.name, header=tuple(filter(None, header)), rows=rows)
