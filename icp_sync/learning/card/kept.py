"""What a learned profile keeps of the one it comes from, word for word, comments and all.

Cuts the file at its top-level keys. A file that cannot be cut like that (flow style, anchors used across
keys) is written out instead; whoever uses the pieces reads them again and sees whether they say the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from icp_sync.profile_file.reading import Report, read
from icp_sync.profile_file.variants import written_out

GATES = "gates"
"""Under this name come the must-haves among the criteria: what a product cannot do without is nothing that
outcomes could teach."""
KEPT = ("review", "scope", "timing", "timing_grades", "flags", "pools", "routes", "examples")
"""Top-level keys that are kept; the rest is what is learned."""

_ITEM = re.compile(r"^(\s*)- ")
_COMMENT = re.compile(r"^\s*(#.*)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One top-level key with its value and the comments above it. indent: of the items of a list that is
    written an item a line, None for any other value."""

    text: str
    indent: str | None = None

    def extended(self, items: Sequence[str]) -> str:
        """The text with further items below the last, each one or more lines without indentation."""
        lines = self.text.rstrip("\n").split("\n")
        end = len(lines)
        while end > 1 and _COMMENT.match(lines[end - 1]):
            end -= 1
        indent = self.indent or ""
        added = [indent + line for item in items for line in item.split("\n")]
        return "\n".join([*lines[:end], *added, *lines[end:]]) + "\n"


def word_for_word(base: str) -> dict[str, Piece]:
    """Key → its piece, of the keys that are kept, as the file has them."""
    report = Report("base")
    data = read(base, report)
    if not isinstance(data, dict):
        return {}
    starts = sorted((report.keys[key,][0], key) for key in data if isinstance(key, str))
    lines = base.removeprefix("\ufeff").splitlines()
    pieces: dict[str, Piece] = {}
    ends = [line for line, _ in starts[1:]] + [len(lines) + 1]
    above: list[str] = []
    for number, ((line, key), end) in enumerate(zip(starts, ends, strict=True)):
        block = lines[line - 1 : end - 1]
        last = len(block)
        while last > 1 and _COMMENT.match(block[last - 1]) and end <= len(lines):
            last -= 1
        if key in KEPT:
            text = "\n".join([*(above if number else []), *block[:last]]).strip("\n") + "\n"
            pieces[key] = Piece(text=text, indent=_indent(block[:last]))
        above = block[last:]
    return pieces | _gates(data)


def _indent(block: Sequence[str]) -> str | None:
    """How far the items of a list are indented, None where the value begins on the line of the key."""
    value = block[0].partition(":")[2].strip() if block else "?"
    if value and not value.startswith("#"):
        return None
    return next((found[1] for line in block[1:] if (found := _ITEM.match(line))), None)


def written_anew(base: str) -> dict[str, Piece]:
    """The same pieces in a spelling of our own, which says the same without its comments."""
    data = read(base, Report("base"))
    if not isinstance(data, dict):
        return {}
    return {key: _piece(key, data[key]) for key in KEPT if key in data} | _gates(data)


def _gates(data: Any) -> dict[str, Piece]:
    """The must-haves, as items of a list without its key; nothing without any."""
    criteria = data.get("criteria")
    listed = criteria if isinstance(criteria, list) else []
    gates = [one for one in listed if isinstance(one, dict) and one.get("required") is True]
    if not gates:
        return {}
    return {GATES: Piece(text=_piece("criteria", gates).text.partition("\n")[2])}


def _piece(key: str, value: Any) -> Piece:
    text = written_out({key: value}, "", "").partition("\n")[2]
    return Piece(text=text, indent="" if isinstance(value, list) and value else None)
