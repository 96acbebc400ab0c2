"""Whether a site lets us in: its robots.txt, as RFC 9309 says it is to be read. Fetches nothing by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

LARGEST = 512_000
"""Bytes of a robots.txt that are read; RFC 9309, section 2.5, asks for at least 500 KiB."""

_LINE = re.compile(r"\r\n|\r|\n")
_TOKEN = re.compile(r"\*(?=\s|$)|[A-Za-z0-9_-]+")
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")
_ANYBODY = "*"


@dataclass(slots=True)
class _Group:
    """Rules for some visitors. rules: whether it allows, and the pattern."""

    agents: set[str] = field(default_factory=set)
    rules: list[tuple[bool, str]] = field(default_factory=list)


def allows(status: int, body: bytes, agent: str, path: str) -> bool:
    """Whether `agent`, the first word of our name, may visit `path` (with its query) by this reply to
    /robots.txt.

    A file that is not there (4xx) allows everything; one that cannot be had (5xx) nothing: section 2.3.1. All
    groups for a name are one, and those for "*" count only for whom none is. Of the rules that match the
    longest decides, of two as long the one that allows: section 2.2.2.
    """
    if status >= 500 or status < 200:
        return False
    if status >= 300:
        return True
    groups = list(_groups(body[:LARGEST].decode("utf-8", "replace")))
    mine = [group for group in groups if agent.lower() in group.agents]
    mine = mine or [group for group in groups if _ANYBODY in group.agents]
    visited = _plain(path).replace("*", "%2A").replace("$", "%24")
    found = [
        (len(pattern), allowed)
        for group in mine
        for allowed, pattern in group.rules
        if _matches(pattern, visited)
    ]
    return max(found, default=(0, True))[1]


def _groups(text: str) -> Iterator[_Group]:
    """Groups in order. Lines that are neither a name nor a rule stand between nothing."""
    group = _Group()
    for key, value in _records(text):
        if key == "user-agent":
            if group.rules:
                yield group
                group = _Group()
            if token := _TOKEN.match(value):
                group.agents.add(token[0].lower())
        elif group.agents:
            group.rules.append((key == "allow", _plain(value)))
    yield group


def _records(text: str) -> Iterator[tuple[str, str]]:
    for line in _LINE.split(text.removeprefix("\ufeff")):
        key, colon, value = line.partition("#")[0].partition(":")
        key = key.strip().lower()
        if colon and key in ("user-agent", "allow", "disallow"):
            yield key, value.strip()


def _matches(pattern: str, path: str) -> bool:
    """`*` stands for anything, `$` at the end for the end; a rule without a path matches nothing. One pass:
    no rule can be slow."""
    if not pattern:
        return False
    ends = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").replace("$", "%24").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    last = others.pop() if ends and others else None
    for piece in others:
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    if last is not None:
        return len(path) - at >= len(last) and path.endswith(last)
    return not ends or at == len(path)


def _plain(path: str) -> str:
    """One spelling of an address: escaped is what must be, and nothing else."""
    written = _ESCAPED.sub(_unescaped, path)
    return "".join(
        letter if letter.isascii() else "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "replace"))
        for letter in written
    )


def _unescaped(found: re.Match[str]) -> str:
    letter = chr(int(found[1], 16))
    kept = letter.isascii() and (letter.isalnum() or letter in "-._~")
    return letter if kept else found[0].upper()
