"""Pages as one HTML file for screen and paper: no script, nothing from elsewhere, every text escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape as html_escape

from icp_sync.profile_file.page import Block, Bullets, Grid, Page, Paragraph
from icp_sync.reporting.text import clean

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may load for this page: nothing but its own style."""

STYLE = """
:root { color-scheme: light; --ink: #1d2430; --soft: #5c6675; --line: #dfe3e8; --mark: #2f6f73; }
* { box-sizing: border-box; }
html { font-size: 15px; background: #f5f6f7; -webkit-text-size-adjust: 100%; }
body { margin: 0; color: var(--ink); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto,
  "Helvetica Neue", Arial, sans-serif; }
main { max-width: 54rem; margin: 2rem auto; padding: 2.5rem 3rem 3rem; background: #fff;
  border: 1px solid var(--line); border-radius: 4px; }
h1 { margin: 0 0 .5rem; font-size: 1.75rem; line-height: 1.2; font-weight: 650; letter-spacing: -.01em; }
h2 { margin: 1.9rem 0 .5rem; font-size: .8rem; font-weight: 650; letter-spacing: .06em;
  text-transform: uppercase; color: var(--mark); }
p { margin: .4rem 0; max-width: 46rem; }
p.lead { font-size: 1.1rem; line-height: 1.45; }
p.quiet { color: var(--soft); font-size: .9rem; }
dl { display: flex; flex-wrap: wrap; gap: .15rem 1.5rem; margin: .8rem 0 0; color: var(--soft);
  font-size: .85rem; }
dl div { display: flex; gap: .4rem; }
dt::after { content: ":"; }
dd { margin: 0; color: var(--ink); }
ul { margin: .4rem 0; padding-left: 1.2rem; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { padding: .3rem 1rem .3rem 0; text-align: left; font-size: .78rem; font-weight: 500;
  color: var(--soft); border-bottom: 1px solid var(--line); white-space: nowrap; }
td { padding: .38rem 1rem .38rem 0; vertical-align: top; border-bottom: 1px solid #eef0f2;
  overflow-wrap: break-word; }
tr:last-child td { border-bottom: 0; }
th:last-child, td:last-child { padding-right: 0; }
th.right, td.right { text-align: right; white-space: nowrap; }
td.strong { width: 27%; font-weight: 600; }
td.strong.tight { width: 12%; }
td.tight { white-space: nowrap; }
.bar { display: inline-block; width: 3.2rem; margin-left: .6rem; vertical-align: middle; text-align: left; }
.bar i { display: block; height: .4rem; border-radius: 1px; background: var(--mark); opacity: .75; }
main + main { break-before: page; }
@media (max-width: 40rem) { main { margin: 0; padding: 1.25rem; border: 0; border-radius: 0; } }
@page { margin: 12mm 15mm; }
@media print {
  html { font-size: 8.6pt; background: none; }
  body { line-height: 1.32; }
  main { max-width: none; margin: 0; padding: 0; border: 0; }
  h2 { margin: .95rem 0 .2rem; break-after: avoid; }
  thead { break-after: avoid; }
  p, li, tr { break-inside: avoid; }
  p { margin: .2rem 0; max-width: none; }
  th { padding-top: .1rem; padding-bottom: .15rem; }
  td { padding-top: .17rem; padding-bottom: .17rem; }
  thead { display: table-header-group; }
  .wide { overflow: visible; }
  .bar, .bar i { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
"""


def escape(text: str) -> str:
    """Text for an element or a quoted attribute, without control characters."""
    return html_escape(clean(text))


def html(pages: Sequence[Page]) -> str:
    """One document; each page begins a new sheet when printed."""
    title = escape(" · ".join(page.title for page in pages))
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{title}</title>",
            f"<style>{STYLE}</style>",
            "</head>",
            "<body>",
            *(line for page in pages for line in _page(page)),
            "</body>",
            "</html>",
            "",
        ]
    )


def _page(page: Page) -> Iterator[str]:
    yield "<main>"
    yield f"<h1>{escape(page.title)}</h1>"
    yield f'<p class="lead">{escape(page.lead)}</p>'
    notes = "".join(f"<div><dt>{escape(a)}</dt><dd>{escape(b)}</dd></div>" for a, b in page.notes)
    yield f"<dl>{notes}</dl>"
    for section in page.sections:
        yield f"<section>\n<h2>{escape(section.title)}</h2>"
        for block in section.blocks:
            yield from _block(block)
        yield "</section>"
    yield "</main>"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        kind = ' class="quiet"' if block.quiet else ""
        yield f"<p{kind}>{escape(block.text)}</p>"
    elif isinstance(block, Bullets):
        yield "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in block.items) + "</ul>"
    else:
        yield from _grid(block)


def _grid(grid: Grid) -> Iterator[str]:
    yield '<div class="wide"><table>'
    heads = "".join(
        f'<th scope="col"{_kind(grid, at)}>{escape(head)}</th>' for at, head in enumerate(grid.heads)
    )
    yield f"<thead><tr>{heads}</tr></thead>"
    yield "<tbody>"
    for row in grid.rows:
        yield f"<tr>{''.join(_cell(grid, at, cell) for at, cell in enumerate(row))}</tr>"
    yield "</tbody></table></div>"


def _cell(grid: Grid, at: int, cell: str) -> str:
    bar = ""
    if at == grid.bars:
        share = round(100 * int(cell) / (max(int(row[at]) for row in grid.rows) or 1))
        bar = f'<span class="bar"><i style="width:{share}%"></i></span>'
    return f"<td{_kind(grid, at)}>{escape(cell)}{bar}</td>"


def _kind(grid: Grid, at: int) -> str:
    holds = {"right": at in grid.right, "strong": at == grid.strong, "tight": at in grid.tight}
    kinds = [name for name, true in holds.items() if true]
    return f' class="{" ".join(kinds)}"' if kinds else ""
