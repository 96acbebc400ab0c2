"""Texts with `{placeholders}`: what of an account, a configuration or an earlier reply goes into a request.

A placeholder is `{word}` or `{word|filter}`; other braces are only braces, so that JSON and SPARQL stay as
they are. A value that is only a placeholder keeps its type, and is left out where it is empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

ABOUT = ("domain", "name", "country")
"""What of an account a request may hold."""
LISTS = {"domains": "domain", "names": "name"}
"""In a request for several: all of them, with commas between."""

FILTERS: Mapping[str, Callable[[str], str]] = {
    "quoted": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],  # inside "…", in JSON and in SPARQL
    "upper": str.upper,
    "lower": str.lower,
    "pad10": lambda text: text.zfill(10),
    "https": lambda text: ",".join(f"https://{one}" for one in text.split(",")),  # of every domain
    "iri": lambda text: quote(text, safe=""),  # inside <…> in SPARQL
}

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)(?:\|([a-z0-9]+))?\}")
_ABSENT = object()

Words = Mapping[str, Any]


def placeholders(value: Any) -> Iterator[tuple[str, str]]:
    """Every (word, filter) in a text, or in the texts of a list or mapping."""
    if isinstance(value, str):
        for found in _PLACEHOLDER.finditer(value):
            yield found[1], found[2] or ""
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from placeholders(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from placeholders(inner)


def text(template: str, words: Words) -> str:
    """The text with its placeholders filled in."""
    return _PLACEHOLDER.sub(lambda found: _said(found, words), template)


class ClimbingError(ValueError):
    """A value that would lead to another place of the vendor's service than the manifest means."""


def path(template: str, words: Words) -> str:
    """The same for the path of an address: what is filled in is escaped, slashes too. Raises ClimbingError
    for a part that is only dots, which no escaping keeps from being left out on the way."""
    filled = _PLACEHOLDER.sub(lambda found: quote(_said(found, words), safe=""), template)
    if any(part in (".", "..") for part in filled.partition("?")[0].split("/")):
        raise ClimbingError("a part of its address would be dots only")
    return filled


def sendable(headers: Mapping[str, str]) -> None:
    """Raises UnicodeError where a header holds letters beyond Latin-1: no request can carry them."""
    for value in headers.values():
        value.encode("latin-1")


def filled(value: Any, words: Words, each: Sequence[Words] = ()) -> Any:
    """A JSON value with its placeholders filled in; None where nothing is left of it.

    each: the words of several requests: a list of one element that speaks of an account is repeated for them.
    """
    made = _filled(value, words, each)
    return None if made is _ABSENT else made


def _filled(value: Any, words: Words, each: Sequence[Words]) -> Any:
    if isinstance(value, str):
        return _text(value, words)
    if isinstance(value, Mapping):
        pairs = ((key, _filled(inner, words, each)) for key, inner in value.items())
        return {str(key): inner for key, inner in pairs if inner is not _ABSENT}
    if isinstance(value, list | tuple):
        if each and len(value) == 1 and {word for word, _ in placeholders(value)} & set(ABOUT):
            made = [_filled(value[0], {**words, **one}, ()) for one in each]
        else:
            made = [_filled(inner, words, each) for inner in value]
        return [inner for inner in made if inner is not _ABSENT]
    return value


def _text(template: str, words: Words) -> Any:
    only = _PLACEHOLDER.fullmatch(template)
    if only is None:
        return text(template, words)
    value = words.get(only[1])
    if value is None or value == "":
        return _ABSENT
    return FILTERS[only[2]](_plain(value)) if only[2] else value


def _said(found: re.Match[str], words: Words) -> str:
    said = _plain(words.get(found[1]))
    return FILTERS[found[2]](said) if found[2] else said


def _plain(value: Any) -> str:
    """As text: lower-case truth values, no blanks that break a line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(_plain(one) for one in value)
    return "".join(letter if letter.isprintable() else " " for letter in str(value))
