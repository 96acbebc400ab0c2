"""One canonical text per field type, whatever way a CRM spells the value. Knows no CRM.

Reading never raises: text that does not fit its type is kept, stripped, so that it differs from anything
we would write and is treated as a value that is not ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from icp_sync.domain.standing import FIELDS, FieldType, instant_text, number_text

YES_NO: Mapping[str, str] = {
    **dict.fromkeys(("true", "yes", "1"), "true"),
    **dict.fromkeys(("false", "no", "0"), "false"),
}


def type_of(field: str) -> FieldType:
    """The type of one of our fields; a field we do not know is text."""
    known = FIELDS.get(field)
    return known.type if known else FieldType.TEXT


def canonical_text(kind: FieldType, raw: str | None) -> str:
    """`raw` in the canonical form of its type; None and blank are "". Owners: lower case only."""
    text = (raw or "").strip()
    if not text:
        return ""
    if kind is FieldType.NUMBER:
        return _number(text)
    if kind is FieldType.DATETIME:
        seconds = instant(text)
        return text if seconds is None else instant_text(seconds)
    if kind is FieldType.MULTI:
        return ";".join(sorted({part.strip() for part in text.split(";")} - {""}))
    if kind is FieldType.YES_NO:
        return YES_NO.get(text.lower(), text)
    if kind is FieldType.OWNER:
        return text.lower()
    return text.replace("\r\n", "\n").replace("\r", "\n")


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
        instant_text(seconds)  # what cannot be written again is not read either
        return seconds
    except (ValueError, OverflowError, OSError):
        return None


def _number(text: str) -> str:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return text
    # 64 decimal digits of binary noise are one double; a double is also all that anyone ever wrote.
    number = float(value) if value.is_finite() else None
    return text if number is None or number in (float("inf"), float("-inf")) else number_text(number)
