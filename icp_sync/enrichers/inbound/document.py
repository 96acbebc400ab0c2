"""The body of a call as plain JSON, whatever somebody sends: bounded in depth, never quoted in an error."""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any, NoReturn

DEEPEST = 32
"""Levels of lists and objects; a company's news has three."""

_MARK = re.compile(r'\\.|["\[\]{}]', re.DOTALL)
_OPENS, _CLOSES = ("[", "{"), ("]", "}")


class UnreadableError(Exception):
    """This is no JSON we take. The message quotes nothing of it."""


def parsed(body: bytes) -> Any:
    """The document. Raises UnreadableError for what is no JSON of RFC 8259, NaN, infinity and numbers beyond
    a double among it, and for what is nested too deeply."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableError("the body is no UTF-8 text") from None
    if _depth(text) > DEEPEST:
        raise UnreadableError(f"the body is nested more than {DEEPEST} levels deep")
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError):
        raise UnreadableError("the body is not valid JSON") from None


def _depth(text: str) -> int:
    """The deepest nesting, brackets inside of texts left out."""
    deepest = depth = 0
    quoted = False
    for found in _MARK.finditer(text):
        mark = found[0]
        if mark == '"':
            quoted = not quoted
        elif mark in _OPENS and not quoted:
            depth += 1
            deepest = max(deepest, depth)
        elif mark in _CLOSES and not quoted:
            depth -= 1
    return deepest


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError("beyond a double")
    return value
