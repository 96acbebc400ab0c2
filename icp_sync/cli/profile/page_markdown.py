"""Pages as Markdown (CommonMark with GitHub's tables). Whatever a text holds stays text.

A page is a file people copy from, so unlike in a comment nothing invisible is put into an address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from icp_sync.profile_file.page import Block, Bullets, Grid, Page, Paragraph
from icp_sync.reporting.text import clean

_INLINE = re.compile(r"[\\`*\[\]<>|~$&]|(?<![^\W_])_|_(?![^\W_])|(?<= )#(?=#*$)")
_LEADING = re.compile(r"^(\d{1,9})([.)])|^([-+#=])")


def markdown(pages: Sequence[Page]) -> str:
    """The pages one after the other, with a rule between them."""
    return "\n---\n\n".join("\n".join(_page(page)) for page in pages)


def escaped(text: str) -> str:
    """One line in which nothing means anything to a Markdown reader."""
    line = _INLINE.sub(lambda found: f"\\{found[0]}", " ".join(clean(text).split()))
    return _LEADING.sub(lambda m: f"{m[1]}\\{m[2]}" if m[1] else f"\\{m[3]}", line)


def _page(page: Page) -> Iterator[str]:
    yield f"# {escaped(page.title)}"
    yield ""
    yield escaped(page.lead)
    yield ""
    yield " · ".join(f"{escaped(label)}: {escaped(value)}" for label, value in page.notes)
    for section in page.sections:
        yield ""
        yield f"## {escaped(section.title)}"
        for block in section.blocks:
            yield ""
            yield from _block(block)
    yield ""


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield escaped(block.text)
    elif isinstance(block, Bullets):
        yield from (f"- {escaped(item)}" for item in block.items)
    else:
        yield from _grid(block)


def _grid(grid: Grid) -> Iterator[str]:
    yield f"| {' | '.join(map(escaped, grid.heads))} |"
    yield f"|{'|'.join('---:' if at in grid.right else '---' for at in range(len(grid.heads)))}|"
    for row in grid.rows:
        cells = [
            f"**{escaped(cell)}**" if at == grid.strong and cell.strip() else escaped(cell)
            for at, cell in enumerate(row)
        ]
        yield f"| {' | '.join(cells)} |"
