"""How a report looks: laid out on a terminal, plain aligned lines elsewhere, or one JSON document.

On a terminal rich lays out to its real width; without one there is no colour, no box, and a row is a line,
so that `grep` and `cut` work. Text from a CRM is cleaned here and never read as markup.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from icp_sync.reporting.text import clean

if TYPE_CHECKING:
    from rich.console import Console

STYLES: Mapping[str, str] = {
    "MET": "green",
    "UNMET": "red",
    "PARTLY": "cyan",
    "UNKNOWN": "yellow",
    "error": "bold red",
    "warning": "yellow",
    "ok": "green",
    "conflict": "bold red",
    "create": "green",
    "add option": "green",
    "A": "bold green",
    "B": "green",
    "C": "yellow",
    "D": "red",
    "Needs data": "magenta",
    "Not ICP": "dim",
}
"""Cells that have a colour of their own, where there are colours."""


class Screen:
    """Where a command speaks: laid out to a rich console's width, or plain lines without one."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console

    @classmethod
    def here(cls) -> Screen:
        """Standard output: laid out if it is a terminal, plain otherwise."""
        if sys.stdout is None or not sys.stdout.isatty():
            return cls()
        from rich.console import Console

        return cls(Console(highlight=False, markup=False, emoji=False))

    def say(self, text: str = "", style: str = "") -> None:
        """A paragraph; line breaks in it are kept."""
        said = clean(text, keep="\n")
        if self.console is None:
            print(said)
            return
        from rich.text import Text

        self.console.print(Text(said, style=style))

    def heading(self, text: str) -> None:
        """A line that begins a section."""
        self.say()
        self.say(text, "bold")

    def table(
        self,
        heads: Sequence[str],
        rows: Sequence[Sequence[object]],
        *,
        right: Collection[int] = (),
        whole: Collection[int] = (),
        ruled: bool = True,
    ) -> None:
        """Rows under heads. right: positions of the columns that hold numbers; whole: of those never cut or
        broken, because people copy what stands there. ruled: with a line below the heads, on a terminal."""
        cells = [[clean(cell) for cell in row] for row in rows]
        if self.console is None:
            self._plain(heads, cells, right)
            return
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        box = SIMPLE_HEAD if ruled else None
        table = Table(box=box, show_edge=False, pad_edge=False, header_style="bold")
        for at, head in enumerate(heads):
            least = max(map(len, [head, *(row[at] for row in cells)])) if at in whole else None
            side: Literal["right", "left"] = "right" if at in right else "left"
            table.add_column(head, justify=side, overflow="fold", no_wrap=at in whole, min_width=least)
        for row in cells:
            table.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
        self.console.print(table)

    def _plain(self, heads: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int]) -> None:
        from rich.cells import cell_len

        lines = [list(heads), *rows]
        widths = [max(cell_len(line[at]) for line in lines) for at in range(len(heads))]
        for line in lines:
            parts = []
            for at, cell in enumerate(line):
                gap = " " * (widths[at] - cell_len(cell))
                parts.append(gap + cell if at in right else cell + gap)
            print("  ".join(parts).rstrip())


def document(data: object) -> None:
    """One JSON document on stdout. Numbers JSON cannot hold become null."""
    print(json.dumps(plain(data), ensure_ascii=False, indent=2))


def plain(value: Any) -> Any:
    """The value with infinities and NaN as null, tuples as lists, lone surrogates replaced."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value


def note(text: str) -> None:
    """A remark that is no part of the report, on stderr."""
    print(clean(text, keep="\n"), file=sys.stderr)
