"""What an object's fields are, and how a value is kept and printed. Which fields there are is `standard`'s.

Values are kept as text ("" is null): numbers in digits, booleans true or false, instants as
2026-11-22T10:00:00.000Z, dates as 2026-11-22. The API types and prints them by their field.
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/primitive_data_types.htm
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from icp_sync.simulator.clock import iso, to_ms

Value = None | bool | int | float | str
TEXTS = frozenset({"string", "textarea", "phone", "url", "email"})
NUMBERS = frozenset({"int", "double", "currency", "percent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One value of a picklist."""

    value: str
    label: str
    active: bool = True
    default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDef:
    """One field of an object.

    type: as describe prints it: id string boolean int double currency percent date datetime picklist
    multipicklist reference textarea phone url email. precision: digits in all; scale: of them behind the
    point. restricted: a picklist that takes no other values. calculated: worked out, never stored.
    relationship: how a query goes to what a reference names; child_relationship: and back, unique there.
    alphabetical: a picklist that shows its values so. tracked: whether the org keeps the field's history.
    formula: what a formula field is worked out by.
    """

    name: str
    label: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    calculated: bool = False
    restricted: bool = False
    choices: tuple[Choice, ...] = ()
    reference_to: str = ""
    relationship: str = ""
    custom: bool = False
    filterable: bool = True
    unique: bool = False
    child_relationship: str = ""
    description: str = ""
    help_text: str = ""
    visible_lines: int = 0
    tracked: bool = False
    alphabetical: bool = False
    formula: str = ""

    @property
    def key(self) -> str:
        """Names are compared without their case."""
        return self.name.lower()


def printed(field: FieldDef, text: str) -> Value:
    """A kept value as the JSON API prints it."""
    if field.type == "boolean":
        return text == "true"
    if text == "":
        return None
    kind = _PRINTED.get(field.type)
    return text if kind is None else kind(text)


def instant_text(ms: int) -> str:
    """An instant as the API prints it, in whole seconds: 2026-11-22T10:00:07.000+0000."""
    return iso(ms - ms % 1000)[:-1] + "+0000"


def kept(field: FieldDef, value: object) -> str:
    """A JSON value as text to keep. Raises ValueError saying what does not fit the field's type.

    Lengths, digits and picklists are the API's business.
    """
    if value is None:
        return ""
    if isinstance(value, list | dict):
        raise ValueError(f"{field.name}: {value!r} is no single value")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    check = _KEPT.get(field.type)
    if check is None or text == "":
        return text
    try:
        return check(text)
    except (ValueError, OverflowError):
        raise ValueError(f"{field.name}: {value!r} is no {field.type}") from None


def _instant(text: str) -> str:
    return iso(to_ms(text) or 0)[:-1] + "+0000"


def _whole(text: str) -> str:
    number = float(text)
    if not number.is_integer():
        raise ValueError(text)
    return str(int(number))


def _decimal(text: str) -> str:
    if not math.isfinite(float(text)):
        raise ValueError(text)
    return text.strip()


def _boolean(text: str) -> str:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower()


def _kept_instant(text: str) -> str:
    found = to_ms(text)
    if found is None:
        raise ValueError(text)
    return iso(found)


_PRINTED: Mapping[str, Callable[[str], Value]] = {
    "int": lambda text: int(float(text)),
    "double": float,
    "currency": float,
    "percent": float,
    "datetime": _instant,
}
_KEPT: Mapping[str, Callable[[str], str]] = {
    "int": _whole,
    "double": _decimal,
    "currency": _decimal,
    "percent": _decimal,
    "boolean": _boolean,
    "datetime": _kept_instant,
    "date": lambda text: date.fromisoformat(text).isoformat(),
}
