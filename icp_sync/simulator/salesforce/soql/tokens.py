"""SOQL text as tokens with their places, and the words in which Salesforce complains about a query.

Knows characters, not grammar: what a word means is decided by whoever reads the tokens.
Literals and escapes: https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

LONGEST_STATEMENT = 100_000
LONGEST_TEXT = 4_000
"""Characters of one quoted text (SOQL and SOSL limits)."""

MALFORMED = "MALFORMED_QUERY"


class SoqlError(Exception):
    """A query Salesforce refuses. `at`: the character it complains about, counted from 0, or None."""

    def __init__(self, code: str, what: str, at: int | None = None) -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.at = at

    def said(self, statement: str) -> str:
        """The message, with the piece of the statement and the place as Salesforce shows them."""
        if self.at is None:
            return self.what
        before = statement[: self.at]
        row, column = before.count("\n") + 1, self.at - (before.rfind("\n") + 1) + 1
        start = max(before.rfind("\n") + 1, self.at - 30)
        piece = statement[start : self.at + 20].split("\n", 1)[0]
        return f"\n{piece}\n{' ' * (self.at - start)}^\nERROR at Row:{row}:Column:{column}\n{self.what}"


class Sort(Enum):
    WORD = "word"
    TEXT = "text"
    NUMBER = "number"
    DAY = "day"
    INSTANT = "instant"
    MARK = "mark"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One token. `text` is as written; of a quoted text what stands between the quotes."""

    sort: Sort
    text: str
    at: int

    @property
    def word(self) -> str:
        """A word in capitals, "" for anything that is none."""
        return self.text.upper() if self.sort is Sort.WORD else ""


_TOKENS = re.compile(
    r"""(?P<space>\s+)
    | (?P<instant>\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d))
    | (?P<day>\d{4}-\d\d-\d\d(?![\dTt]))
    | (?P<number>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.:]))
    | (?P<word>[A-Za-z]\w*(?:\.\w+)*(?::\d+)?)
    | (?P<mark><>|<=|>=|!=|[(),=<>])""",
    re.VERBOSE | re.ASCII,
)
_PIECE = re.compile(r"""\\(?:[nNrRtTbBfF"'\\_%]|[uU][0-9A-Fa-f]{4})|[^'\\\n\r]""")


def tokens(statement: str) -> list[Token]:
    """Every token and the end. Raises SoqlError."""
    if len(statement) > LONGEST_STATEMENT:
        raise SoqlError(
            MALFORMED, f"SOQL statements cannot be longer than {LONGEST_STATEMENT} characters.", None
        )
    found, at = [], 0
    while at < len(statement):
        if statement[at] == "'":
            token = _quoted(statement, at)
            found.append(token)
            at += len(token.text) + 2
            continue
        match = _TOKENS.match(statement, at)
        if match is None:
            raise SoqlError(MALFORMED, f"unexpected token: '{statement[at]}'", at)
        kind = str(match.lastgroup)
        if kind != "space":
            found.append(Token(sort=Sort(kind), text=match.group(), at=at))
        at = match.end()
    found.append(Token(sort=Sort.END, text="<EOF>", at=at))
    return found


def _quoted(statement: str, start: int) -> Token:
    at = start + 1
    while True:
        if at >= len(statement):
            raise SoqlError(MALFORMED, "unexpected end of a quoted text: <EOF>", start)
        if statement[at] == "'":
            break
        piece = _PIECE.match(statement, at)
        if piece is None:
            raise SoqlError(MALFORMED, f"Illegal character sequence {statement[at : at + 2]!r} in a text", at)
        at = piece.end()
    text = statement[start + 1 : at]
    if len(text) > LONGEST_TEXT:
        raise SoqlError(MALFORMED, f"a text cannot be longer than {LONGEST_TEXT} characters", start)
    return Token(sort=Sort.TEXT, text=text, at=start)


_SAID = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


def meant(raw: str) -> list[str]:
    """The characters a quoted text means, one each; `\\_` and `\\%` stay two, for LIKE to tell apart."""
    found = []
    for piece in _PIECE.findall(raw):
        if len(piece) == 6:
            found.append(chr(int(piece[2:], 16)))
        elif len(piece) == 2:
            found.append(_SAID.get(piece[1].lower(), piece))
        else:
            found.append(piece)
    return found


def plain(raw: str) -> str:
    """What a quoted text says outside LIKE."""
    return "".join(one[1:] if one in (r"\_", r"\%") else one for one in meant(raw))


def quoted(text: str) -> str:
    """A text as SOQL must quote it, without the quotes. `plain` undoes it."""
    swapped = {said: f"\\{letter}" for letter, said in _SAID.items() if letter != '"'}
    return "".join(swapped.get(letter, letter) for letter in text)
