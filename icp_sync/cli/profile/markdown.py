"""Reports as GitHub-flavoured Markdown, for a pull request comment. Knows no report.

Names from a CRM are text: nothing in them becomes markup, a link, or the mention of a person.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from icp_sync.reporting.text import clean

_GAP = "\u200b"
"""A space of no width. GitHub looks for mentions, issues and links in the rendered text, where an escaped
character is itself again; only what stands between the two keeps them apart."""

_MEANINGS = {
    **{character: f"\\{character}" for character in "\\`*_[]~$|"},
    "<": "&lt;",
    ">": "&gt;",
    "&": "&amp;",
    **{character: character + _GAP for character in "@#"},
}
_ESCAPES = str.maketrans(_MEANINGS)


def text(value: object) -> str:
    """One line of plain text that Markdown shows as it is."""
    line = " ".join(clean(value).split()).translate(_ESCAPES)
    return line.replace("://", f":{_GAP}//").replace("www.", f"www{_GAP}.")


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], right: Collection[int] = ()) -> str:
    """A table. right: positions of the columns that hold numbers."""
    rule = ["---:" if at in right else "---" for at in range(len(heads))]
    lines = [list(map(text, heads)), rule, *(list(map(text, row)) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def folded(summary: str, body: str) -> str:
    """A part that opens on a click."""
    return f"<details><summary>{text(summary)}</summary>\n\n{body}\n\n</details>"
