"""Learned questions in the words of a profile file: scalars, amounts and conditions as YAML.

Whatever is written here reads back as the same condition; a word with anything odd in it stands in quotes.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from math import inf

from icp_sync.domain.conditions import AllOf, AnyOf, Between, Condition, NoneOf
from icp_sync.domain.facts import CATALOGUE, FactType
from icp_sync.domain.spelling import date_text
from icp_sync.profile_file import values
from icp_sync.profile_file.reading import scalar

WIDTH = 110

_PLAIN = re.compile(r"[^\W_][\w .&/+'–,-]*")


def quoted(text: str, *, inside: bool = False) -> str:
    """Text as a YAML scalar, in quotes unless it is plainly words. inside: of brackets, where commas part."""
    if (
        _PLAIN.fullmatch(text)
        and not (inside and "," in text)
        and text == text.strip()
        and isinstance(scalar(text), str)
    ):
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(letter: str) -> str:
    if letter in {'"', "\\"}:
        return "\\" + letter
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def amount(value: float) -> str:
    """A number as people write it, as long as it stays the same: 50, 2.5M, 0.125."""
    for size, unit in ((1e9, "B"), (1e6, "M")):
        short = f"{value / size:g}{unit}"
        if abs(value) >= size and values.number(short) == value:
            return short
    return str(int(value)) if value == int(value) else repr(value)


def percent(share: float) -> str:
    """A share as a percentage with at most one decimal: 42.3%."""
    return f"{round(100 * share, 1):g}%"


def comment(text: str, indent: str = "", *, hanging: str = "") -> list[str]:
    """Lines of a comment. hanging: how far its later lines are set in."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    lines = textwrap.wrap(plain, WIDTH - len(indent) - 2, subsequent_indent=hanging) or [""]
    return [f"{indent}# {line}".rstrip() for line in lines]


def question(condition: Condition, types: Mapping[str, FactType], currency: str) -> list[tuple[str, str]]:
    """Keys and values of a question. Raises ValueError for one that is not about a single fact."""
    match condition:
        case Between(fact=fact):
            return [("fact", fact), *_bounds(condition, types, currency)]
        case AnyOf(fact=fact, values=words) if _kind(fact, types) is FactType.YES_NO:
            return [("fact", fact), ("equals", "true" if "yes" in words else "false")]
        case AnyOf(fact=fact, values=words):
            return [("fact", fact), ("any_of", _listed(words))]
        case NoneOf(fact=fact, values=words):
            return [("fact", fact), ("none_of", _listed(words))]
        case AllOf(fact=fact, values=words):
            return [("fact", fact), ("all_of", _listed(words))]
    raise ValueError("a learned question is about one fact")


def _kind(fact: str, types: Mapping[str, FactType]) -> FactType | None:
    return types.get(fact) or CATALOGUE.get(fact.rpartition(".")[2])


def _listed(words: frozenset[str]) -> str:
    return f"[{', '.join(quoted(word, inside=True) for word in sorted(words))}]"


def _bounds(band: Between, types: Mapping[str, FactType], currency: str) -> Iterator[tuple[str, str]]:
    def said(value: float) -> str:
        if band.money:
            return f"{amount(value)} {currency}"
        return date_text(value) if _kind(band.fact, types) is FactType.DATE else amount(value)

    if band.low > -inf:
        yield ("above" if band.low_open else "at_least", said(band.low))
    if band.high < inf:
        yield ("below" if band.high_open else "at_most", said(band.high))
    if band.taper:
        yield ("taper", percent(band.taper))


def flow(pairs: list[tuple[str, str]]) -> str:
    """Keys and values on one line: {fact: employees, below: 10}."""
    return "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"


def folded(line: str) -> list[str]:
    """A line with a list in brackets, over as many lines as it takes."""
    if len(line) <= WIDTH:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    return textwrap.wrap(
        line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
