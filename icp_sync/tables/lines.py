"""Bytes of a text file → its lines, whatever the encoding; lines in another one are read and marked.

Knows nothing of columns. Line ends (LF, CRLF, CR) are kept, as the csv module wants them.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import AnyStr, BinaryIO

from icp_sync.errors import ConfigError, Problem

UTF_8, WINDOWS = "utf-8", "cp1252"
HEAD = 1 << 20  # bytes looked at before anything is decided; a longer first line is no header

_BLOCK = 1 << 18
_LONGEST_LINE = 1 << 22  # bytes; a line beyond this is cut, and its pieces are rows of the wrong width
_BINARY = (
    (b"PK\x03\x04", "an Excel workbook or another zip archive", "in Excel: File, Save as, CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "in Excel: File, Save as, CSV UTF-8"),
    (b"\x1f\x8b", "compressed", "unpack it first"),
    (b"%PDF", "a PDF", "export it as CSV"),
    (b"SQLite format 3", "a database", "export the table as CSV"),
)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = frozenset(range(32)) - {9, 10, 12, 13, 26}


def head_of(path: Path) -> bytes:
    """The first MiB. Raises ConfigError for what is no readable text file."""
    if path.is_fifo() or path.is_char_device():
        raise refused(path, "is a stream, and a table is read more than once", "save it to a file first")
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except IsADirectoryError as error:
        raise refused(path, "is a directory", "name the file itself") from error
    except OSError as error:
        raise refused(path, f"cannot be read: {error.strerror or error}") from error
    for magic, what, hint in _BINARY:
        if head.startswith(magic):
            raise refused(path, f"is {what}, not a CSV file", hint)
    first = head.lstrip(b"\r\n").splitlines()[:1]
    if first and not encoding_mark(head) and any(byte in _CONTROLS for byte in first[0][:4096]):
        raise refused(path, "is not a text file", "export it as CSV UTF-8")
    return head


def refused(path: Path, what: str, hint: str = "") -> ConfigError:
    """The file as a whole cannot be used."""
    return ConfigError([Problem(where=str(path), what=what, hint=hint)])


def encoding_mark(head: bytes) -> str:
    """The encoding a byte-order mark states, or the zeros of UTF-16 without one; "" when nothing does."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    pairs = head[:200]
    if len(pairs) >= 4 and len(pairs) % 2 == 0:
        if not any(pairs[0::2]) and all(pairs[1::2]):
            return "utf-16-be"
        if not any(pairs[1::2]) and all(pairs[0::2]):
            return "utf-16-le"
    return ""


class Lines:
    """The lines of one file, read once.

    encoding: the name of a codec, "" to find out: what a byte-order mark says, else UTF-8 or Windows-1252,
    whichever the first line beyond ASCII is in. `wrong` collects what was odd about the lines handed out
    since the caller last emptied it; such a line is still given, as well as it can be read.
    """

    def __init__(self, path: Path, head: bytes, *, encoding: str = "") -> None:
        self._path = path
        self._stated = encoding or encoding_mark(head)
        self.encoding = "" if self._stated in ("", "utf-8-sig") else self._stated
        if self._stated == "utf-8-sig":
            self.encoding = UTF_8
        self.wrong: list[str] = []

    def __iter__(self) -> Iterator[str]:
        with self._path.open("rb") as file:
            if self._stated in ("", "utf-8-sig", UTF_8):
                file.seek(len(codecs.BOM_UTF8) if self._stated == "utf-8-sig" else 0)
                yield from self._bytewise(file)
            else:
                yield from self._decoded(file)

    def _bytewise(self, file: BinaryIO) -> Iterator[str]:
        """UTF-8 and Windows-1252, where a line end is a byte of its own."""
        for block in _blocks(file):
            try:
                text = block.decode(UTF_8)
            except UnicodeDecodeError:
                text = ""
            if text and "\0" not in text and (self.encoding != WINDOWS or text.isascii()):
                if not self.encoding and not text.isascii():
                    self.encoding = UTF_8
                yield from StringIO(text, newline="")
            else:
                for line in block.splitlines(keepends=True):
                    yield self._line(line)

    def _line(self, line: bytes) -> str:
        if line.isascii():
            return self._without_zeros(line.decode("ascii"))
        try:
            text, found = line.decode(UTF_8), UTF_8
        except UnicodeDecodeError:
            text, found = line.decode(WINDOWS, errors="replace"), WINDOWS
        if not self.encoding:
            self.encoding = found
        if found != self.encoding:
            self.wrong.append(f"is in {_spoken(found)}, rows before it in {_spoken(self.encoding)}")
        if found == WINDOWS and "\ufffd" in text:
            self.wrong.append("holds bytes that are no letters in Windows-1252")
        return self._without_zeros(text)

    def _without_zeros(self, text: str) -> str:
        if "\0" not in text:
            return text
        self.wrong.append("holds NUL bytes, which are left out")
        return text.replace("\0", "")

    def _decoded(self, file: BinaryIO) -> Iterator[str]:
        """Any other codec, decoded as a stream."""
        decoder = codecs.getincrementaldecoder(self._stated)(errors="replace")
        carry, last = "", False
        while not last:
            data = file.read(_BLOCK)
            last = not data
            try:
                text = carry + decoder.decode(data, final=last)
            except UnicodeError as error:
                what = f"is not in {_spoken(self._stated)}: {error}"
                raise refused(self._path, what, "leave --encoding out, or name another") from error
            cut = len(text) if last or len(text) > _LONGEST_LINE else _after_last_line(text, "\n", "\r")
            carry = text[cut:]
            for line in StringIO(text[:cut], newline=""):
                if "\ufffd" in line:
                    self.wrong.append(f"holds bytes that are no letters in {_spoken(self._stated)}")
                yield self._without_zeros(line)


def _spoken(encoding: str) -> str:
    return {UTF_8: "UTF-8", WINDOWS: "Windows-1252"}.get(encoding, encoding.upper())


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """The file in pieces that end with a line."""
    carry = b""
    while data := file.read(_BLOCK):
        block = carry + data
        cut = _after_last_line(block, b"\n", b"\r")
        if not cut and len(block) > _LONGEST_LINE:
            cut = len(block)
        carry = block[cut:]
        if cut:
            yield block[:cut]
    if carry:
        yield carry


def _after_last_line(text: AnyStr, feed: AnyStr, ret: AnyStr) -> int:
    """Where the last whole line ends. A CR at the very end may be half of a CRLF."""
    return text.rfind(feed) + 1 or text.rfind(ret, 0, max(0, len(text) - 1)) + 1
