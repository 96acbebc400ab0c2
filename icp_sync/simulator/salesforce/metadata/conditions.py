"""The filters of a list view: which a field allows, whether a record passes, and the same as SOQL.

Values are written as people type them in the filter panel: several, divided by commas, mean any of them; a
yes/no field is compared with 1 or 0. https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_listview.htm
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from icp_sync.simulator.salesforce.metadata.trees import Problem
from icp_sync.simulator.salesforce.schema import FieldDef, Value
from icp_sync.simulator.salesforce.soql import periods

_SAME = ("equals", "notEqual")
_ORDERED = (*_SAME, "lessThan", "greaterThan", "lessOrEqual", "greaterOrEqual")
_TEXT = (*_ORDERED, "contains", "notContain", "startsWith")
_ALLOWED: Mapping[str, tuple[str, ...]] = {
    "picklist": _SAME,
    "boolean": _SAME,
    "multipicklist": (*_SAME, "includes", "excludes"),
    **dict.fromkeys(("int", "double", "currency", "percent", "date", "datetime"), _ORDERED),
}
_NUMERIC = frozenset({"int", "double", "currency", "percent"})
_DATES = frozenset({"date", "datetime"})
_RELATIVE = re.compile(r"([A-Za-z][A-Za-z_0-9]*?)(?::(\d{1,6}))?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_SIGNS = {
    "equals": "=", "notEqual": "!=", "lessThan": "<", "greaterThan": ">", "lessOrEqual": "<=",
    "greaterOrEqual": ">=",
}  # fmt: skip
_BOOLEAN = {"1": "true", "true": "true", "0": "false", "false": "false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One filter: a field, an operation of FilterOperation, the values any of which will do. path: the way to
    the field in SOQL, where it is a parent's."""

    field: FieldDef
    operation: str
    values: tuple[str, ...]
    path: str = ""

    @property
    def name(self) -> str:
        return self.path or self.field.name

    def passes(self, held: Value, today: date = date.min) -> bool:
        """Whether a field's printed value passes. Blank equals an empty value only. today: what relative
        dates are counted from."""
        negated = self.operation in ("notEqual", "notContain", "excludes")
        return negated != any(self._holds(held, value, today) for value in self.values)

    def _holds(self, held: Value, wanted: str, today: date) -> bool:
        if held is None or wanted == "":
            return held is None and wanted == ""
        if self.field.type in _DATES and (relative := _RELATIVE.fullmatch(wanted)) is not None:
            return _within(self.operation, str(held)[:10], _span(relative, today))
        left, right = _comparable(self.field, held, wanted)
        match self.operation:
            case "contains" | "notContain":
                return str(right) in str(left)
            case "startsWith":
                return str(left).startswith(str(right))
            case "includes" | "excludes":
                return str(right) in str(left).split(";")
            case _:
                return _compared(self.operation, left, right)

    def document(self) -> dict[str, object]:
        """The same as the describe's `whereCondition` has it: values as they stand in SOQL."""
        operator = {"lessOrEqual": "lessThanOrEqualTo", "greaterOrEqual": "greaterThanOrEqualTo"}
        values = [_literal(self.field, value) for value in self.values]
        said = "in" if self.operation == "equals" and len(values) > 1 else self.operation
        return {"field": self.name, "operator": operator.get(said, said), "values": values}

    def soql(self) -> str:
        """The same as a SOQL condition, for the describe of the view."""
        parts = [self._clause(value) for value in self.values]
        joined = (" AND " if self.operation.startswith(("not", "ex")) else " OR ").join(parts)
        return f"({joined})" if len(parts) > 1 else joined

    def _clause(self, value: str) -> str:
        name = self.name
        literal = _literal(self.field, value)
        match self.operation:
            case "contains":
                return f"{name} LIKE {_quoted(f'%{value}%')}"
            case "notContain":
                return f"(NOT {name} LIKE {_quoted(f'%{value}%')})"
            case "startsWith":
                return f"{name} LIKE {_quoted(f'{value}%')}"
            case "includes" | "excludes":
                return f"{name} {self.operation.upper()} ({literal})"
            case operation:
                return f"{name} {_SIGNS[operation]} {literal}"


def condition(field: FieldDef, operation: str, text: str) -> Condition:
    """A filter as a list view's metadata gives it. Raises Problem."""
    if not field.filterable:
        raise Problem(f"Field {field.name} cannot be filtered")
    if operation not in _ALLOWED.get(field.type, _TEXT):
        raise Problem(f"Invalid operator {operation} for field {field.name} of type {field.type}")
    values = tuple(value.strip() for value in next(csv.reader([text], skipinitialspace=True), [])) or ("",)
    for value in values:
        if value and field.type in _NUMERIC and not re.fullmatch(r"-?\d{1,18}(\.\d{1,18})?", value):
            raise Problem(f"Invalid number {value[:40]!r} in the filter of {field.name}")
        if field.type in _DATES and value and not _dated(value):
            raise Problem(f"Invalid date {value[:40]!r} in the filter of {field.name}")
        if field.type == "boolean" and value not in _BOOLEAN:
            raise Problem(f"Value {value[:40]!r} of the filter of {field.name} is neither 0 nor 1")
        if (
            field.type == "picklist"
            and value
            and value.lower() not in {c.value.lower() for c in field.choices}
        ):
            raise Problem(f"Picklist value: {value} in picklist: {field.name} not found")
    return Condition(field=field, operation=operation, values=values)


def _dated(value: str) -> bool:
    """Whether this is a day, an instant, or a relative date such as LAST_N_DAYS:7."""
    relative = _RELATIVE.fullmatch(value)
    if relative is None:
        return _DAY.match(value) is not None
    try:
        _span(relative, date(2026, 1, 1))
    except (KeyError, TypeError, ValueError, OverflowError):
        return False
    return True


def _span(relative: re.Match[str], today: date) -> tuple[str, str]:
    """The first day a relative date means, and the one after its last."""
    count = int(relative[2]) if relative[2] else None
    first, after = periods.span(relative[1].upper(), count, today)
    return first.isoformat(), after.isoformat()


def _within(operation: str, day: str, span: tuple[str, str]) -> bool:
    first, after = span
    return {
        "lessThan": day < first,
        "greaterThan": day >= after,
        "lessOrEqual": day < after,
        "greaterOrEqual": day >= first,
    }.get(operation, first <= day < after)


def _comparable(field: FieldDef, held: Value, wanted: str) -> tuple[str | float, str | float]:
    if field.type in _NUMERIC:
        return float(held or 0), float(wanted)
    if field.type == "boolean":
        return str(held).lower(), _BOOLEAN[wanted]
    return str(held).lower(), wanted.lower()


def _compared(operation: str, left: str | float, right: str | float) -> bool:
    order = (str(left) > str(right)) - (str(left) < str(right))
    if isinstance(left, float) and isinstance(right, float):
        order = (left > right) - (left < right)
    return {
        "lessThan": order < 0,
        "greaterThan": order > 0,
        "lessOrEqual": order <= 0,
        "greaterOrEqual": order >= 0,
    }.get(operation, order == 0)


def _literal(field: FieldDef, value: str) -> str:
    if value == "":
        return "null"
    if field.type == "boolean":
        return _BOOLEAN[value]
    return value if field.type in (*_NUMERIC, "date", "datetime") else _quoted(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


# -- how several filters are joined: `1 AND (2 OR 3)`

Joined = Callable[[Sequence[bool]], bool]
_WORD = re.compile(r"\s*(\d{1,3}|AND|OR|NOT|\(|\)|\S+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logic:
    """A booleanFilter over `count` filters; the blank one wants them all."""

    text: str
    joined: Joined

    def passes(self, results: Sequence[bool]) -> bool:
        return self.joined(results)


def logic(text: str, count: int) -> Logic:
    """Read a booleanFilter. Raises Problem."""
    if not text.strip():
        return Logic(text="", joined=all)
    words = [word.upper() for word in _WORD.findall(text)]
    if len(words) > 200:
        raise Problem("Invalid booleanFilter: too long")
    stream = iter([*words, ""])
    reader = _Reader(next(stream), stream, count)
    joined = reader.either()
    if reader.word or reader.used != set(range(1, count + 1)):
        raise Problem(f"Invalid booleanFilter: {text[:80]}")
    return Logic(text=text.strip(), joined=joined)


class _Reader:
    """Recursive descent over the words; mixing AND and OR takes parentheses, as the filter panel demands."""

    def __init__(self, word: str, rest: Iterator[str], count: int) -> None:
        self.word = word
        self.used: set[int] = set()
        self._rest = rest
        self._count = count

    def either(self) -> Joined:
        first = self._one()
        operator = self.word
        parts = [first]
        while operator in ("AND", "OR") and self.word == operator:
            self._take()
            parts.append(self._one())
        if len(parts) == 1:
            return first
        combine = all if operator == "AND" else any
        return lambda results: combine(part(results) for part in parts)

    def _one(self) -> Joined:
        word = self._take()
        if word == "NOT":
            inner = self._one()
            return lambda results: not inner(results)
        if word == "(":
            inside = self.either()
            if self._take() != ")":
                raise Problem("Invalid booleanFilter: a parenthesis is not closed")
            return inside
        if not word.isdigit() or not 1 <= int(word) <= self._count:
            raise Problem(f"Invalid booleanFilter: {word[:20]!r} is no filter")
        place = int(word) - 1
        self.used.add(place + 1)
        return lambda results: results[place]

    def _take(self) -> str:
        taken, self.word = self.word, next(self._rest, "")
        return taken
