"""A WHERE clause as one test of a record.

Blank: `= null` finds it, `!=` and NOT IN of anything else too, no inequality and no LIKE does; NOT turns a
test's answer over, whatever it was about. An empty text is the same as null.
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_null.htm
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from icp_sync.simulator.salesforce.soql.binding import Binder, Place
from icp_sync.simulator.salesforce.soql.tokens import MALFORMED, SoqlError, meant
from icp_sync.simulator.salesforce.soql.tree import (
    Among,
    And,
    Comparison,
    Condition,
    Joined,
    Like,
    Members,
    Not,
    Or,
    Period,
    Query,
)
from icp_sync.simulator.salesforce.soql.values import NOT_FOR_FIELD, Reader, bounds, identity, reader, wanted
from icp_sync.simulator.store import Record

Predicate = Callable[[Record], bool]
Subquery = Callable[[Query], frozenset[str]]
"""The ids a semi-join's inner query selects."""

MOST_SEMI_JOINS = 2
_ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_UNORDERED_TYPES = frozenset({"boolean", "multipicklist"})


def predicate(binder: Binder, condition: Condition, subquery: Subquery) -> Predicate:
    """Raises SoqlError for what the org's fields do not bear."""
    compiler = _Compiler(binder, subquery)
    found = compiler.condition(condition)
    if compiler.joins > MOST_SEMI_JOINS:
        what = f"Maximum {MOST_SEMI_JOINS} semi join sub-selects are allowed"
        raise SoqlError(MALFORMED, what, binder.at)
    return found


class _Compiler:
    def __init__(self, binder: Binder, subquery: Subquery) -> None:
        self._binder = binder
        self._subquery = subquery
        self.joins = 0

    def condition(self, condition: Condition, *, either: bool = False) -> Predicate:
        """`either`: whether it stands inside an OR."""
        if isinstance(condition, And):
            return _every([self.condition(part, either=either) for part in condition.parts])
        if isinstance(condition, Or):
            return _some([self.condition(part, either=True) for part in condition.parts])
        if isinstance(condition, Not):
            inner = self.condition(condition.part, either=either)
            return lambda record: not inner(record)
        if isinstance(condition, Joined):
            return self._joined(condition, either=either)
        place = self._binder.filtered(condition.path)
        read = reader(place)
        if isinstance(condition, Comparison):
            return self._comparison(condition, place, read)
        if isinstance(condition, Like):
            return _like(condition, place, read)
        if isinstance(condition, Members):
            return _members(condition, place, read)
        return _among(condition, place, read)

    def _comparison(self, test: Comparison, place: Place, read: Reader) -> Predicate:
        equal, at = test.operator in ("=", "!="), test.path.at
        if not equal and place.field.type in _UNORDERED_TYPES:
            raise _no_operator(test.operator, place, at)
        if isinstance(test.literal, Period):
            today = datetime.fromtimestamp(self._binder.org.clock.now(), UTC).date()
            first, after = bounds(place.field, test.literal, today, at)
            return _in_period(test.operator, first, after, read)
        sought = wanted(place, test.literal, at)
        if test.operator == "=":
            return lambda record: read(record) == sought
        if test.operator == "!=":
            return lambda record: read(record) != sought
        if sought is None:
            raise SoqlError(MALFORMED, f"null cannot be compared with {test.operator}", at)
        return _compared(_ORDERED[test.operator], sought, read)

    def _joined(self, test: Joined, *, either: bool) -> Predicate:
        self.joins += 1
        at = test.path.at
        if either:
            raise SoqlError(MALFORMED, "Semi join sub-selects are not allowed with the 'OR' operator", at)
        place = self._binder.filtered(test.path)
        if place.field.type not in ("id", "reference"):
            what = f"The left operand '{place.field.name}' of a semi join must be an id or a reference"
            raise SoqlError(NOT_FOR_FIELD, what, at)
        read = reader(place)
        found = {identity(place, text) for text in self._subquery(test.query)}
        if test.wanted:
            return lambda record: read(record) in found
        return lambda record: read(record) not in found


def _every(parts: list[Predicate]) -> Predicate:
    if len(parts) == 2:
        one, other = parts
        return lambda record: one(record) and other(record)
    return lambda record: all(part(record) for part in parts)


def _some(parts: list[Predicate]) -> Predicate:
    return lambda record: any(part(record) for part in parts)


def _compared(holds: Callable[[Any, Any], bool], sought: object, read: Reader) -> Predicate:
    def test(record: Record) -> bool:
        value = read(record)
        return value is not None and holds(value, sought)

    return test


def _in_period(sign: str, first: object, after: object, read: Reader) -> Predicate:
    if sign in ("<", ">="):
        return _compared(_ORDERED[sign], first, read)
    if sign == "<=":
        return _compared(operator.lt, after, read)
    if sign == ">":
        return _compared(operator.ge, after, read)
    begun, ended = _compared(operator.ge, first, read), _compared(operator.ge, after, read)
    if sign == "=":
        return lambda record: begun(record) and not ended(record)
    return lambda record: not begun(record) or ended(record)


def _among(test: Among, place: Place, read: Reader) -> Predicate:
    if place.field.type in _UNORDERED_TYPES:
        raise _no_operator("IN", place, test.path.at)
    if any(isinstance(literal, Period) for literal in test.literals):
        raise SoqlError(MALFORMED, "a date literal cannot be one of a list", test.path.at)
    sought = frozenset(wanted(place, literal, test.path.at) for literal in test.literals)
    if test.wanted:
        return lambda record: read(record) in sought
    return lambda record: read(record) not in sought


def _like(test: Like, place: Place, read: Reader) -> Predicate:
    if place.field.type in ("id", "reference"):
        raise SoqlError(NOT_FOR_FIELD, "invalid operator on id field", test.path.at)
    if place.field.type not in _TEXTS:
        raise _no_operator("LIKE", place, test.path.at)
    matches = pattern(test.pattern).fullmatch

    def found(record: Record) -> bool:
        value = read(record)
        return isinstance(value, str) and matches(value) is not None

    return found


_TEXTS = frozenset({"string", "picklist", "textarea", "phone", "url", "email"})


def pattern(raw: str) -> re.Pattern[str]:
    """LIKE's pattern as a regular expression over text in small letters: % is any text, _ any one letter."""
    parts = []
    for one in meant(raw):
        if one in (r"\_", r"\%"):
            parts.append(one[1:])
        else:
            parts.append({"%": ".*", "_": "."}.get(one) or re.escape(one.lower()))
    return re.compile("".join(parts), re.DOTALL)


def _members(test: Members, place: Place, read: Reader) -> Predicate:
    if place.field.type != "multipicklist":
        raise _no_operator("INCLUDES" if test.wanted else "EXCLUDES", place, test.path.at)
    sought = [frozenset(text.value.lower().split(";")) for text in test.texts]

    def found(record: Record) -> bool:
        value = read(record)
        held = frozenset(value.split(";")) if isinstance(value, str) else frozenset()
        return any(some <= held for some in sought) is test.wanted

    return found


def _no_operator(sign: str, place: Place, at: int) -> SoqlError:
    return SoqlError(NOT_FOR_FIELD, f"invalid operator {sign} on {place.field.type} field", at)
