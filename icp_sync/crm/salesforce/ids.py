"""Record ids of Salesforce: the 18-character form, and ids as numbers. Knows no object but its prefix.

An id is 15 characters, case-sensitive; three more say which of them are capitals, so that 18 characters
survive programs that ignore case ("ID field type", Object Reference, field_types). Digits come before
capitals before small letters, which is plain text order.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
"""

from __future__ import annotations

import re
from functools import lru_cache

ACCOUNT = "001"
USER = "005"

_ID = re.compile(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGIT = {letter: value for value, letter in enumerate(_DIGITS)}


@lru_cache(maxsize=8_192)
def long_id(text: str) -> str:
    """The 18-character form of an id in either form, "" for what is no id."""
    if not _ID.fullmatch(text):
        return ""
    short = text[:15]
    whole = short + _checksum(short)
    return whole if len(text) == 15 or text == whole else ""


def account_id(text: str) -> str:
    """The 18-character form of an account's id, "" for anything else."""
    found = long_id(text)
    return found if found.startswith(ACCOUNT) else ""


def _checksum(short: str) -> str:
    """One letter for each five characters: which of them are capitals, the first the lowest bit."""
    return "".join(
        _LETTERS[sum(1 << at for at, letter in enumerate(short[start : start + 5]) if "A" <= letter <= "Z")]
        for start in (0, 5, 10)
    )


def number(id: str) -> int:
    """What follows the object's prefix as a base-62 number: ids in order are numbers in order."""
    value = 0
    for letter in id[3:15]:
        value = value * 62 + _DIGIT[letter]
    return value


def numbered(prefix: str, value: int) -> str:
    """The inverse of `number`, in 18 characters; whether there is such a record is another question."""
    letters = []
    for _ in range(12):
        value, digit = divmod(value, 62)
        letters.append(_DIGITS[digit])
    short = prefix + "".join(reversed(letters))
    return short + _checksum(short)
