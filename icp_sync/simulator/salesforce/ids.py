"""Record ids as Salesforce writes them. It knows numbers and letters, no records.

An id is three characters that say which object, twelve base-62 digits, and, in the 18-character form, three
letters that say which of the fifteen are capitals. Digits come before capitals before small letters, so the
text order of ids is the order of the numbers behind them.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
"""

from __future__ import annotations

from functools import lru_cache

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGIT = {letter: n for n, letter in enumerate(ALPHABET)}
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHORT, _LONG = 15, 18


@lru_cache(maxsize=1 << 18)
def shown(prefix: str, number: int) -> str:
    """The 18-character id of an object's record: `shown("001", 7)`."""
    digits = []
    for _ in range(12):
        number, digit = divmod(number, 62)
        digits.append(ALPHABET[digit])
    short = prefix + "".join(reversed(digits))
    return short + _checksum(short)


@lru_cache(maxsize=1 << 18)
def number(text: str) -> int | None:
    """The number behind a 15- or 18-character id, whatever its object; None for what is no id."""
    if len(text) not in (_SHORT, _LONG) or any(letter not in _DIGIT for letter in text):
        return None
    short = text[:_SHORT]
    if len(text) == _LONG and text[_SHORT:] != _checksum(short):
        return None
    found = 0
    for letter in short[3:]:
        found = found * 62 + _DIGIT[letter]
    return found


def long(text: str) -> str:
    """An id in its 18-character form; anything that is no id stays as it is."""
    return text + _checksum(text) if len(text) == _SHORT and number(text) is not None else text


def _checksum(short: str) -> str:
    return "".join(
        _CHECK[sum(1 << n for n, letter in enumerate(short[start : start + 5]) if "A" <= letter <= "Z")]
        for start in (0, 5, 10)
    )
