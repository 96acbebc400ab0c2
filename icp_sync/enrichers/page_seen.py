"""What of a web page its makers put there for machines: addresses it loads, generators, cookies, scripts.

What people read is kept apart, so that an article about a tool is not taken for the tool. One pass from the
beginning to the end, plain searches only: no page can make it slow. Knows no technology.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LONGEST_TAG = 20_000  # characters of one tag that are looked at
MOST_ADDRESSES = 5_000
_RAW = ("script", "style", "noscript", "template")
"""Elements whose content is for the browser."""
_ADDRESS = re.compile(r"//([a-z0-9.-]{4,253})([/?][^\s\"'<>\\)]{0,300})?")
_GENERATOR = re.compile(r"\bname\s*=\s*[\"']?generator\b")
_CONTENT = re.compile(r"\bcontent\s*=\s*(?:\"([^\"]{0,300})|'([^']{0,300})|([^\s>]{1,300}))")
_COOKIE = re.compile(r"[^=;\s]{1,200}(?==)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A page in lower case. code: its tags, scripts and comments; text: what people read.

    addresses: hosts with the paths behind them. headers: name → value, several values on lines of their own.
    cookies: their names.
    """

    code: str
    text: str
    title: str
    addresses: frozenset[tuple[str, str]]
    generators: tuple[str, ...]
    headers: Mapping[str, str]
    cookies: frozenset[str]


def seen(body: bytes, headers: Mapping[str, str]) -> Seen:
    """Read a page. Bytes that are no UTF-8 are passed over: addresses and code are ASCII."""
    page = body.decode("utf-8", "replace").lower().replace("\\/", "/").replace("\\u002f", "/")
    code: list[str] = []
    text: list[str] = []
    generators: list[str] = []
    for kind, piece in _pieces(page):
        (text if kind == "text" else code).append(piece)
        if kind == "meta" and _GENERATOR.search(piece) and (content := _CONTENT.search(piece)):
            generators.append(next(filter(None, content.groups()), "").strip())
    said = "\n".join(code)
    return Seen(
        code=said,
        text=" ".join(" ".join(text).split()),
        title=_title(page),
        addresses=_addresses(said),
        generators=tuple(generators),
        headers={name.lower(): value.lower() for name, value in headers.items()},
        cookies=frozenset(_cookies(headers.get("set-cookie", "").lower())),
    )


def _pieces(page: str) -> Iterator[tuple[str, str]]:
    """The page in order: "text", or code by the name of its element ("meta", "script", "!--")."""
    at = 0
    while at < len(page):
        opens = page.find("<", at)
        if opens < 0:
            break
        if opens > at:
            yield "text", page[at:opens]
        if page.startswith("<!--", opens):
            at = _after(page, "-->", opens)
            yield "!--", page[opens:at]
            continue
        ends = _after(page, ">", opens)
        tag = page[opens : min(ends, opens + LONGEST_TAG)]
        name = _name(tag)
        yield name or "tag", tag
        at = ends
        if name in _RAW:
            closes = page.find(f"</{name}", ends)
            closes = len(page) if closes < 0 else closes
            yield name, page[ends:closes]
            at = closes
    if at < len(page):
        yield "text", page[at:]


def _after(page: str, mark: str, start: int) -> int:
    found = page.find(mark, start)
    return len(page) if found < 0 else found + len(mark)


def _name(tag: str) -> str:
    word = tag[1:20].split(">", 1)[0].split("/", 1)[0].split(None, 1)
    return word[0] if word else ""


def _title(page: str) -> str:
    starts = page.find("<title")
    if starts < 0:
        return ""
    starts = _after(page, ">", starts)
    return " ".join(page[starts : starts + 300].split("<", 1)[0].split())


def _addresses(code: str) -> frozenset[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for match in _ADDRESS.finditer(code):
        found.add((match[1].strip("."), match[2] or ""))
        if len(found) >= MOST_ADDRESSES:
            break
    return frozenset(found)


def _cookies(lines: str) -> Iterator[str]:
    for line in lines.splitlines():
        if name := _COOKIE.match(line.strip()):
            yield name[0]
