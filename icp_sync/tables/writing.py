"""CSV for people with spreadsheets: cells that would run as a formula are made text, files appear whole.

Knows nothing of what the cells mean.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from secrets import token_hex
from typing import TextIO

from icp_sync.errors import ConfigError
from icp_sync.tables.lines import refused

_BUFFER = 1 << 18
_PART = ".part"
_RISKY = frozenset("=+-@\t\r\n ＝＋－＠")
_FORMULA = re.compile(r"\s*[=@＝＠+\-＋－]|[\t\r\n]")
_NUMBER = re.compile(r"\s*[+-][\d ().,/-]*(?:[eE][+-]?\d+)?%?\s*")


def safe(cell: str) -> str:
    """The cell, with an apostrophe before it where a spreadsheet would run it as a formula.

    Cells that begin with = + - @, a tab or a line break are run or split (OWASP, "CSV Injection"). Plain
    negative numbers and telephone numbers stay as they are.
    """
    if cell[:1] not in _RISKY or not _FORMULA.match(cell) or _NUMBER.fullmatch(cell):
        return cell
    return "'" + cell


class Writer:
    """Rows of one CSV file: RFC 4180 with line feeds, quotes only where they are needed.

    Puts the lines together itself, since the csv module looks at every character in turn: for rows with a
    sentence in them that took a third of the time of scoring a file.
    """

    __slots__ = ("_delimiter", "_quoted", "_write")

    def __init__(self, stream: TextIO, header: Iterable[str], delimiter: str) -> None:
        self._write, self._delimiter = stream.write, delimiter
        self._quoted = re.compile(f'["\r\n{re.escape(delimiter)}]').search
        self.row(list(header))

    def row(self, cells: Sequence[object]) -> None:
        """Write one row; None is an empty cell."""
        self.line(self.text(["" if cell is None else str(cell) for cell in cells]))

    def text(self, cells: Sequence[str]) -> str:
        """Cells as one piece of a line."""
        delimiter, quoted = self._delimiter, self._quoted
        safely = [cell if cell[:1] not in _RISKY else safe(cell) for cell in cells]
        line = delimiter.join(safely)
        if line.count(delimiter) == len(safely) - 1 and not ('"' in line or "\n" in line or "\r" in line):
            return line or ('""' if len(safely) == 1 else "")
        return delimiter.join(
            [f'"{cell.replace(chr(34), chr(34) * 2)}"' if quoted(cell) else cell for cell in safely]
        )

    def between(self, sentence: str) -> str:
        """A cell that is not blank and begins with a letter, with what parts it from its neighbours."""
        delimiter = self._delimiter
        if '"' in sentence:
            sentence = sentence.replace('"', '""')
        return f'{delimiter}"{sentence}"{delimiter}'

    def line(self, *pieces: str) -> None:
        """Write one row made of pieces that `text` gave."""
        self._write(self._delimiter.join(pieces))
        self._write("\n")


def writer(stream: TextIO, header: Iterable[str], *, delimiter: str = ",") -> Writer:
    """Begin a CSV file on `stream` with this header."""
    return Writer(stream, header, delimiter)


@contextmanager
def whole(path: Path, *, mark: bool = True) -> Iterator[TextIO]:
    """A text file (UTF-8 with a byte-order mark, which Excel needs) that appears under its name only when
    the block ends well. mark: false leaves the mark out. Raises ConfigError when it cannot be written there.
    """
    with drafted(path) as draft:
        try:
            stream = draft.open("w", buffering=_BUFFER, encoding="utf-8", errors="replace", newline="")
        except OSError as error:
            raise unwritable(path, error) from error
        with stream:
            if mark:
                stream.write("\ufeff")
            yield stream


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """Where to write a file that appears under its name only when the block ends well; nothing is left of one
    that does not, and what a killed process left of it goes. Raises ConfigError for what cannot be replaced.
    """
    target = path.resolve()
    if target.is_dir():
        raise refused(path, "is a directory", "name the file to write")
    if target.exists() and not target.is_file():
        raise refused(path, "is not a file that can be replaced", "use - for standard output")
    begin = f".{target.name[:100]}."
    _sweep(target.parent, begin)
    draft, held = target.with_name(f"{begin}{token_hex(4)}{_PART}"), -1
    try:  # around the opening too: a signal may come right after it
        try:
            held = _held(draft)
        except OSError as error:
            raise unwritable(path, error) from error
        yield draft
        os.replace(draft, target)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
    finally:
        if held >= 0:
            os.close(held)


def _held(draft: Path) -> int:
    """The draft, made and locked until it is closed, however this process ends: a lock says that somebody is
    at it (`flock(2)`). Where the file system knows no locks, none is swept either."""
    while True:
        held = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        with suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):  # swept before it was locked
            if os.path.samestat(os.stat(draft), os.fstat(held)):
                return held
        os.close(held)


def _sweep(folder: Path, begin: str) -> None:
    """Remove drafts of the same file that nobody is at any more."""
    for old in folder.glob(f"{escape(begin)}{'[0-9a-f]' * 8}{_PART}"):
        with suppress(OSError):
            held = os.open(old, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                old.unlink()
            finally:
                os.close(held)


def unwritable(path: Path, error: OSError) -> ConfigError:
    """The file cannot be written there."""
    return refused(path, f"cannot be written: {error.strerror or error}")
