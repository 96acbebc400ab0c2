"""Search filters: what each operator asks of an index entry, by the type of the property.

Enumerations match case-sensitively, strings do not, except in IN and NOT_IN: their values must be in lower
case. A record without a value matches only NOT_HAS_PROPERTY.
https://developers.hubspot.com/docs/api-reference/search/guide#filter-search-results
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from icp_sync.simulator.clock import to_ms
from icp_sync.simulator.hubspot.catalogue import Catalogue, Property
from icp_sync.simulator.hubspot.errors import Refusal, error, invalid, wrong_type
from icp_sync.simulator.index import Version

Json = dict[str, object]
Test = Callable[[Version], bool]
Value = float | str | None
Read = Callable[[Version], Value]

STAMP = "hs_lastmodifieddate"
_STAMPS = (STAMP, "lastmodifieddate")  # a company's and a contact's
FURTHEST = 1 << 62
_NUMERIC = ("number", "date", "datetime")
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "LT": operator.lt,
    "LTE": operator.le,
    "GT": operator.gt,
    "GTE": operator.ge,
    "EQ": operator.eq,
    "NEQ": operator.ne,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Filters that must all hold. Bounds on stamp (ms) and id are kept apart: they are ranges of the index.

    key: what tells two groups with the same bounds apart.
    """

    tests: tuple[Test, ...] = ()
    stamps: tuple[int, int] | None = None
    ids: tuple[int, int] | None = None
    key: str = ""


def group_of(filters: Sequence[object], catalogue: Catalogue) -> Group:
    """Raises Refusal for a filter the API does not take."""
    tests: list[Test] = []
    keys: list[str] = []
    bounds: dict[str, tuple[int, int]] = {}
    for given in filters:
        if not isinstance(given, dict):
            raise wrong_type("com.hubspot.Filter", repr(given))
        name, asks = str(given.get("propertyName", "")), str(given.get("operator", ""))
        definition = catalogue.get(name)
        _refuse_epoch(given, definition)
        name = STAMP if _is_stamp(name, definition) else name
        span = _span(given, asks, definition) if name in (STAMP, "hs_object_id") else None
        if span is None:
            tests.append(_test(name, asks, given, definition))
            keys.append(repr(sorted(given.items(), key=str)))
        else:
            before = bounds.get(name, (-FURTHEST, FURTHEST))
            bounds[name] = (max(before[0], span[0]), min(before[1], span[1]))
    return Group(
        tests=tuple(tests),
        stamps=bounds.get(STAMP),
        ids=bounds.get("hs_object_id"),
        key="".join(keys),
    )


def sort_key(name: str, definition: Property | None) -> Callable[[Version], tuple[float, str] | None]:
    """What to sort by, by the type of the property; None for a record without a value."""
    read = _reader(name, definition)

    def key(version: Version) -> tuple[float, str] | None:
        value = read(version)
        if value is None:
            return None
        return (0.0, value) if isinstance(value, str) else (value, "")

    return key


def words(text: str) -> list[str]:
    return re.findall(r"[\w*]+", text.lower())


def _span(given: Json, asks: str, definition: Property | None) -> tuple[int, int] | None:
    """A comparison of stamp or id as a closed range of integers."""
    if asks == "BETWEEN":
        return _whole(given, "value", definition), _whole(given, "highValue", definition)
    if asks not in ("LT", "LTE", "GT", "GTE", "EQ"):
        return None
    value = _whole(given, "value", definition)
    return {
        "LT": (-FURTHEST, value - 1),
        "LTE": (-FURTHEST, value),
        "GT": (value + 1, FURTHEST),
        "GTE": (value, FURTHEST),
        "EQ": (value, value),
    }[asks]


def _whole(given: Json, key: str, definition: Property | None) -> int:
    return int(_typed(given.get(key), definition) if key in given else _absent(given, key))


def _test(name: str, asks: str, given: Json, definition: Property | None) -> Test:
    read = _reader(name, definition)
    if asks == "HAS_PROPERTY":
        return lambda v: read(v) is not None
    if asks == "NOT_HAS_PROPERTY":
        return lambda v: read(v) is None
    if asks in ("IN", "NOT_IN"):
        return _among(read, given, definition, wanted=asks == "IN")
    if asks in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        return _containing(read, given, wanted=asks == "CONTAINS_TOKEN")
    if "value" not in given:
        _absent(given, "value")
    value = _value(given["value"], definition)
    if asks == "BETWEEN":
        if "highValue" not in given:
            _absent(given, "highValue")
        high = _value(given["highValue"], definition)
        return lambda v: (x := read(v)) is not None and _COMPARE["GTE"](x, value) and _COMPARE["LTE"](x, high)
    compare = _COMPARE.get(asks)
    if compare is None:
        raise wrong_type("com.hubspot.FilterOperator", f"String value ('{asks}')")
    return lambda v: (x := read(v)) is not None and compare(x, value)


def _among(read: Read, given: Json, definition: Property | None, *, wanted: bool) -> Test:
    values = given.get("values")
    if not isinstance(values, list):
        _absent(given, "values")
        values = []
    numeric = definition is not None and definition.type in _NUMERIC
    among = {_typed(v, definition) if numeric else str(v) for v in values}
    return lambda v: (x := read(v)) is not None and (x in among) is wanted


def _containing(read: Read, given: Json, *, wanted: bool) -> Test:
    sought = words(str(given.get("value", "")))

    def test(version: Version) -> bool:
        value = read(version)
        if value is None:
            return False
        said = words(str(value))
        return all(any(fnmatchcase(word, part) for word in said) for part in sought) is wanted

    return test


def _reader(name: str, definition: Property | None) -> Read:
    """How a property is read from an index entry; strings in lower case. An unknown one has no value."""
    if name == "hs_object_id":
        return lambda v: v.id
    if _is_stamp(name, definition):
        return lambda v: v.modified
    if name == "createdate":
        return lambda v: v.created
    if definition is None:
        return lambda v: None
    if definition.type in ("date", "datetime"):
        return lambda v: to_ms(v.props.get(name, ""))
    if definition.type == "number":
        return lambda v: _number(v.props.get(name, ""))
    if definition.type == "string":
        return lambda v: v.props.get(name, "").lower() or None
    return lambda v: v.props.get(name) or None


def _is_stamp(name: str, definition: Property | None) -> bool:
    """Whether this property is the record's own stamp, whose name depends on the kind of record."""
    return definition is not None and name in _STAMPS


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _value(given: object, definition: Property | None) -> float | str:
    if definition is not None and definition.type in _NUMERIC:
        return _typed(given, definition)
    text = "true" if given is True else "false" if given is False else str(given)
    return text.lower() if definition is not None and definition.type == "string" else text


def _typed(given: object, definition: Property | None) -> float:
    """A filter value of a number or an instant. Raises Refusal when it is none."""
    date = definition is not None and definition.type in ("date", "datetime")
    found = to_ms(given) if date else _number(str(given))
    if found is None:
        name = definition.name if definition is not None else ""
        raise invalid(f"There was a problem with the request: '{given}' is no valid value for {name}")
    return int(found) if float(found).is_integer() else found


def _refuse_epoch(given: Json, definition: Property | None) -> None:
    """A filter at the very beginning of time breaks the search."""
    if definition is not None and definition.type == "datetime":
        asked = [given[key] for key in ("value", "highValue") if key in given]
        if any(to_ms(value) == 0 for value in asked):
            raise Refusal(500, error("internal error"))


def _absent(given: Json, key: str) -> float:
    raise invalid(f"There was a problem with the request: filter {given.get('propertyName')} lacks {key}")
