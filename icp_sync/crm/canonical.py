"""One canonical text per field type, whatever way a CRM spells the value. Knows no CRM.

Reading never raises: text that does not fit its type is kept, stripped, so that it differs from anything
we would write and is treated as a value that is not ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from icp_sync.domain.standing import FIELDS, FieldType, instant_text, number_text

YES_NO: Mapping[str, str] = {
    **dict.fromkeys(("true", "yes", "1"), "true"),
    **dict.fromkeys(("false", "no", "0"), "false"),
}


_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999  # ms; the years 1 to 9999
_CACHED = 4_096  # texts of one type; what we write is much the same on most accounts
_LONGEST_CACHED = 40  # characters
_PLAIN_DIGITS = 15  # of whole numbers that are the same as a double


def type_of(field: str) -> FieldType:
    """The type of one of our fields; a field we do not know is text."""
    known = FIELDS.get(field)
    return known.type if known else FieldType.TEXT


def canonical_text(kind: FieldType, raw: str | None) -> str:
    """`raw` in the canonical form of its type; None and blank are "". Owners: lower case only."""
    return READERS[kind](raw) if raw else ""


def is_number(text: str) -> bool:
    """Whether `text` is a finite decimal number."""
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def instant(text: str) -> float | None:
    """UTC epoch seconds of an ISO 8601 text (UTC where no zone is given) or of epoch milliseconds.

    None where the text is neither, or an instant outside the years 1 to 9999 in UTC.
    """
    try:
        if text.lstrip("-").isdecimal():
            seconds = int(text) / 1000
        else:
            parsed = datetime.fromisoformat(text)
            seconds = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
        # What cannot be written again is not read either.
        return seconds if _FIRST <= round(seconds * 1000) <= _LAST else None
    except (ValueError, OverflowError, OSError):
        return None


def _number(raw: str) -> str:
    if len(raw) <= _PLAIN_DIGITS and raw.isdigit() and raw.isascii() and (raw[0] != "0" or raw == "0"):
        return raw
    return _any_number(raw) if len(raw) <= _LONGEST_CACHED else _any_number.__wrapped__(raw)


@lru_cache(maxsize=_CACHED)
def _any_number(raw: str) -> str:
    text = raw.strip()
    try:
        value = Decimal(text)
    except InvalidOperation:
        return text
    # 64 decimal digits of binary noise are one double; a double is also all that anyone ever wrote.
    number = float(value) if value.is_finite() else None
    return text if number is None or number in (float("inf"), float("-inf")) else number_text(number)


def _datetime(raw: str) -> str:
    return _any_datetime(raw) if len(raw) <= _LONGEST_CACHED else _any_datetime.__wrapped__(raw)


@lru_cache(maxsize=_CACHED)
def _any_datetime(raw: str) -> str:
    text = raw.strip()
    seconds = instant(text)
    return text if seconds is None else instant_text(seconds)


def _multi(raw: str) -> str:
    return ";".join(sorted({part.strip() for part in raw.split(";")} - {""})) if ";" in raw else raw.strip()


def _yes_no(raw: str) -> str:
    text = raw.strip()
    return YES_NO.get(text.lower(), text)


def _owner(raw: str) -> str:
    return raw.strip().lower()


def _text(raw: str) -> str:
    text = raw.strip()
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


READERS: Mapping[FieldType, Callable[[str], str]] = {
    FieldType.ENUM: _text,
    FieldType.NUMBER: _number,
    FieldType.TEXT: _text,
    FieldType.LONG_TEXT: _text,
    FieldType.DATETIME: _datetime,
    FieldType.MULTI: _multi,
    FieldType.OWNER: _owner,
    FieldType.YES_NO: _yes_no,
}
"""Field type → its reading of a text that is not empty."""
