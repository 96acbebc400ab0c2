"""A field's value in the form in which SOQL compares it, and a literal in the same form.

Text is compared without regard to case, ids with it and without their last three letters, instants by the
whole second. A blank is None; a boolean is never blank, also not that of a parent there is none of.
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_comparisonoperators.htm
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time

from icp_sync.simulator.clock import to_ms
from icp_sync.simulator.salesforce import ids
from icp_sync.simulator.salesforce.org import SObject
from icp_sync.simulator.salesforce.schema import NUMBERS, FieldDef, Value
from icp_sync.simulator.salesforce.soql import periods
from icp_sync.simulator.salesforce.soql.binding import INVALID_FIELD, Place, Step
from icp_sync.simulator.salesforce.soql.tokens import MALFORMED, SoqlError
from icp_sync.simulator.salesforce.soql.tree import (
    Day,
    Flag,
    Instant,
    Literal,
    Null,
    Number,
    Period,
    Text,
)
from icp_sync.simulator.store import Record

Comparable = str | float | int | bool
Reader = Callable[[Record], Comparable | None]

LARGEST_INT = 2**31
NOT_FOR_FIELD = "INVALID_QUERY_FILTER_OPERATOR"


def reader(place: Place) -> Reader:
    """How to get a place's value from a record of the query's object."""
    read = _own(place.sobject, place.field)
    for step in reversed(place.steps):
        read = _through(step, read, place.field)
    return read


def printer(place: Place) -> Callable[[Record], Value]:
    """How to print a place's value as the API does."""

    def own(record: Record) -> Value:
        return place.sobject.value(record, place.field)

    def through(record: Record) -> Value:
        found: Record | None = record
        for step in place.steps:
            found = parent_of(step, found) if found is not None else None
        return own(found) if found is not None else None

    return through if place.steps else own


def parent_of(step: Step, record: Record) -> Record | None:
    """The live record a reference leads to."""
    found = step.holder.value(record, step.field)
    return step.parent.record(found) if isinstance(found, str) else None


def _through(step: Step, read: Reader, field: FieldDef) -> Reader:
    missing = False if field.type == "boolean" else None
    known: dict[str, Comparable | None] = {}

    def found(record: Record) -> Comparable | None:
        key = step.holder.value(record, step.field)
        if not isinstance(key, str):
            return missing
        if key not in known:
            parent = step.parent.record(key)
            known[key] = missing if parent is None else read(parent)
        return known[key]

    return found


def _own(sobject: SObject, field: FieldDef) -> Reader:
    if field.type == "id":
        return lambda record: record.id
    if field.key == "systemmodstamp":
        return lambda record: record.modified // 1000
    form = _FORMS.get(field.type, str.lower)

    def read(record: Record) -> Comparable | None:
        value = sobject.value(record, field)
        if not isinstance(value, str):
            return value
        return form(value) if value else None

    return read


def _short(text: str) -> str:
    return text[:15]


def _seconds(text: str) -> int | None:
    found = to_ms(text)
    return None if found is None else found // 1000


def _day(text: str) -> str:
    return text[:10]


_FORMS: dict[str, Callable[[str], Comparable | None]] = {
    "reference": _short,
    "datetime": _seconds,
    "date": _day,
}


def wanted(place: Place, literal: Literal, at: int) -> Comparable | None:
    """A literal in the form of the field's values; None is null. Raises SoqlError where it does not fit."""
    field = place.field
    if isinstance(literal, Null):
        return False if field.type == "boolean" else None
    match field.type, literal:
        case (("id" | "reference"), Text()):
            if ids.number(literal.value) is None:
                raise SoqlError(NOT_FOR_FIELD, f"invalid ID field: {literal.value}", at)
            return identity(place, literal.value)
        case "boolean", Flag():
            return literal.value
        case "date", Day():
            return literal.value.isoformat()
        case "datetime", Instant():
            return int(literal.value.timestamp() // 1)
        case kind, Number() if kind in NUMBERS:
            return _number(field, literal, at)
        case kind, Text() if kind not in _UNQUOTED:
            return literal.value.lower() or None
    kind = _SOAP.get(field.type, "string")
    quotes = "should not" if field.type in _UNQUOTED else "should"
    what = f"must be of type {kind} and {quotes} be enclosed in quotes"
    raise SoqlError(INVALID_FIELD, f"value of filter criterion for field '{field.name}' {what}", at)


def identity(place: Place, text: str) -> Comparable:
    """A valid id in the form of an id's or a reference's values.

    A record's own id is compared as the number behind it; another object's stands before or behind all.
    """
    if place.field.type == "reference":
        return text[:15]
    number = place.sobject.number(text)
    if number is None:
        return -1 if text[:3] < place.sobject.prefix else _BEYOND
    return number


_BEYOND = 1 << 80
_UNQUOTED = frozenset({*NUMBERS, "boolean", "date", "datetime"})
_SOAP = {"id": "ID", "reference": "ID", "datetime": "dateTime", "currency": "double", "percent": "double"} | {
    name: name for name in ("int", "double", "boolean", "date")
}


def _number(field: FieldDef, literal: Number, at: int) -> float:
    if field.type == "int" and (not literal.whole or abs(literal.value) >= LARGEST_INT):
        raise SoqlError(
            INVALID_FIELD, f"value of filter criterion for field '{field.name}' must be of type int", at
        )
    if literal.currency and field.type != "currency":
        raise SoqlError(INVALID_FIELD, f"field '{field.name}' is no currency field", at)
    return float(literal.value)


def bounds(field: FieldDef, literal: Period, today: date, at: int) -> tuple[Comparable, Comparable]:
    """What a date literal spans: its first day or second, and the first after it."""
    if field.type not in ("date", "datetime"):
        raise SoqlError(
            INVALID_FIELD, f"field '{field.name}' cannot be compared with the date literal {literal}", at
        )
    try:
        first, after = periods.span(literal.name, literal.count, today)
    except (ValueError, OverflowError):
        raise SoqlError(MALFORMED, f"Invalid value: {literal}", at) from None
    if field.type == "date":
        return first.isoformat(), after.isoformat()
    return _midnight(first), _midnight(after)


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
