"""JSON as the standard library has it, several times as fast where it is plain.

What the fast library will not take (numbers out of range, lone surrogates, keys that are no texts) goes to
the standard one, with its results and its errors, so that nobody need know which of them it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn

import msgspec

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
_plainly = json.JSONEncoder(separators=(",", ":")).encode
_plainly_sorted = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


def loads(text: str | bytes) -> Any:
    """The value. Raises ValueError (json.JSONDecodeError, UnicodeDecodeError) where it is no JSON."""
    try:
        return _decode(text)
    except (msgspec.MsgspecError, UnicodeError):
        return json.loads(text)


def strict_loads(text: str | bytes) -> Any:
    """The same where what Python takes for JSON and nobody else (NaN, Infinity) is none."""
    try:
        return _decode(text)
    except (msgspec.MsgspecError, UnicodeError):
        return json.loads(text, parse_constant=_no_json)


def dumps(value: object) -> str:
    """Compact JSON, keys as they come. NaN becomes null: no other reader takes it."""
    return dump_bytes(value).decode()


def dump_bytes(value: object) -> bytes:
    """The same as UTF-8."""
    return _encoded(value, _encode, _plainly)


def sorted_bytes(value: object) -> bytes:
    """Compact JSON with its keys in order, UTF-8: equal values, equal bytes."""
    return _encoded(value, _encode_sorted, _plainly_sorted)


def _encoded(value: object, fast: Callable[[object], bytes], plain: Callable[[object], str]) -> bytes:
    try:
        return fast(value)
    except (TypeError, UnicodeError):
        return plain(value).encode()


def _no_json(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")
