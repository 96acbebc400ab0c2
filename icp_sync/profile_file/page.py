"""A page for people, as data: what `document` composes and the two renderers lay out.

Knows neither profiles nor a format. Texts are plain; whoever renders them escapes them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A few sentences. quiet: a remark, set smaller where that can be."""

    text: str
    quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bullets:
    """A short list."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Rows under heads. right: columns that hold numbers. strong: the column that names the row.

    tight: columns of few words, best kept on one line. bars: the column whose whole numbers may be drawn
    as well, None without.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()
    strong: int | None = None
    tight: frozenset[int] = frozenset()
    bars: int | None = None


Block = Paragraph | Bullets | Grid


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """title; lead: one sentence; notes: label and value of what identifies the page, below it."""

    title: str
    lead: str
    notes: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
