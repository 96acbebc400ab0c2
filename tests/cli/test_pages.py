"""A page as Markdown and as HTML: what a text holds stays text, and nothing comes from elsewhere."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from icp_sync.cli.profile.page_html import html
from icp_sync.cli.profile.page_markdown import markdown
from icp_sync.profile_file.page import Bullets, Grid, Page, Paragraph, Section
from icp_sync.reporting.text import clean

TAGS = {"html", "head", "meta", "title", "style", "body", "main", "section", "div", "span", "i"} | {
    *("h1", "h2", "p", "dl", "dt", "dd", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"),
}
EVIL = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style><script>x</script>",
    "<!-- a",
    "[a](javascript:x) ![b](http://c/d)",
    "**bold** _it_ `code` ~~gone~~ $x$",
    "| a | b |",
    "# head",
    "- item",
    "1. item",
    "&lt;b&gt;&amp;",
    "\\| \\*",
    "a\nb\x1b[31m\x00",
    "--- ===",
)
texts = st.one_of(st.sampled_from(EVIL), st.text(max_size=30)).map(lambda text: text or "x")


def page(text: str) -> Page:
    """A page that holds one text everywhere a text can stand."""
    grid = Grid(
        heads=("points", text),
        rows=(("20", text), ("0", text)),
        right=frozenset((0,)),
        strong=1,
        tight=frozenset((1,)),
        bars=0,
    )
    blocks = (Paragraph(text=text), Paragraph(text=text, quiet=True), Bullets(items=(text, text)), grid)
    return Page(
        title=text,
        lead=text,
        notes=(("Label", text),),
        sections=(Section(title=text, blocks=blocks),),
    )


class Reader(HTMLParser):
    """Tags, attributes and text of a document."""

    def __init__(self, document: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.attributes: set[tuple[str, str]] = set()
        self.texts: list[str] = []
        self.comments: list[str] = []
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {(name, value or "") for name, value in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


@settings(deadline=None)
@given(texts)
def test_no_text_becomes_markup_in_html(text: str) -> None:
    plain, said = Reader(html([page("plain")])), Reader(html([page(text)]))
    assert said.tags == plain.tags
    assert said.attributes == plain.attributes
    assert said.comments == []
    wanted = " ".join(clean(text).split())
    assert sum(" ".join(one.split()) == wanted for one in said.texts) >= 8 * bool(wanted)


def test_html_is_whole_and_asks_nobody_for_anything() -> None:
    document = html([page("one"), page("two")])
    read = Reader(document)
    assert set(read.tags) <= TAGS
    assert {name for name, _ in read.attributes}.isdisjoint({"src", "href", "srcset", "action", "onload"})
    assert "url(" not in document
    assert "@import" not in document
    assert "http:" not in document
    assert "https:" not in document
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in read.attributes
    assert (read.tags["main"], read.tags["html"], read.tags["script"]) == (2, 1, 0)
    assert "@page" in document
    assert "@media print" in document


def test_bars_are_drawn_to_the_longest() -> None:
    grid = Grid(heads=("points",), rows=(("40",), ("10",), ("0",)), bars=0)
    alone = Page(title="x", lead="x", notes=(), sections=(Section(title="x", blocks=(grid,)),))
    assert [f"width:{share}%" in html([alone]) for share in (100, 25, 0)] == [True] * 3


ALLOWED = {"text", "softbreak", "strong_open", "strong_close"}


def inline(document: str) -> list[Token]:
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return [token for token in reader.parse(document) if token.type == "inline"]


@settings(deadline=None)
@given(texts)
@example("0 #")
@example("a ##")
def test_no_text_becomes_markup_in_markdown(text: str) -> None:
    read = inline(markdown([page(text)]))
    assert {child.type for token in read for child in token.children or ()} <= ALLOWED
    said = ["".join(child.content for child in token.children or ()).strip() for token in read]
    wanted = " ".join(clean(text).split())
    assert sum(one == wanted for one in said) >= 9 * bool(wanted)
    kinds = [token.type for token in MarkdownIt("commonmark").enable("table").parse(markdown([page(text)]))]
    plain = [token.type for token in MarkdownIt("commonmark").enable("table").parse(markdown([page("x")]))]
    assert kinds == plain or not wanted


def test_two_pages_are_parted_by_a_rule() -> None:
    kinds = [token.type for token in MarkdownIt().parse(markdown([page("a"), page("b")]))]
    assert kinds.count("hr") == 1
    assert kinds.count("heading_open") == 4
