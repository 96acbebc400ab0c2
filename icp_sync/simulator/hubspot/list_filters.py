"""What a list filters by: a tree of branches, checked when it is given and asked of live records.

The root is an OR of ANDs; an AND may hold further branches, one of them through associated records.
Operations go by the type of the property. What the simulator does not know is refused, never ignored.
https://developers.hubspot.com/docs/api-reference/crm-lists-v3/list-filters
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from icp_sync.simulator.clock import to_ms
from icp_sync.simulator.hubspot.catalogue import Property
from icp_sync.simulator.hubspot.errors import Json, invalid
from icp_sync.simulator.store import Record

if TYPE_CHECKING:
    from icp_sync.simulator.hubspot.portal import Portal

Test = Callable[[Record], bool]
Read = Callable[[Record], str]

TYPE_IDS: Mapping[str, str] = {"companies": "0-2", "contacts": "0-1", "deals": "0-3"}
_KINDS = {id: kind for kind, id in TYPE_IDS.items()}
_TIES: Mapping[tuple[str, str, int], bool] = {
    ("contacts", "companies", 279): False,
    ("contacts", "companies", 1): True,
    ("companies", "contacts", 280): False,
    ("companies", "contacts", 2): True,
}
"""Kind, associated kind, association type → whether only the primary company counts."""
_OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "enumeration": ("ENUMERATION",),
    "bool": ("BOOL",),
    "number": ("NUMBER",),
    "string": ("MULTISTRING", "STRING"),
    "phone_number": ("MULTISTRING", "STRING"),
    "date": ("TIME_RANGED",),
    "datetime": ("TIME_RANGED",),
}
_NUMBERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "IS_EQUAL_TO": operator.eq,
    "IS_NOT_EQUAL_TO": operator.ne,
    "IS_GREATER_THAN": operator.gt,
    "IS_GREATER_THAN_OR_EQUAL_TO": operator.ge,
    "IS_LESS_THAN": operator.lt,
    "IS_LESS_THAN_OR_EQUAL_TO": operator.le,
}


def normal(branch: object, portal: Portal) -> Json:
    """The filter as the portal keeps it, with what was left out filled in. Raises Refusal for one it does not
    take."""
    test_of(branch, portal)
    kept = cast("Json", deepcopy(branch))
    for one in _branches(kept):
        one.setdefault("filterBranchOperator", "OR" if one["filterBranchType"] == "OR" else "AND")
        one.setdefault("filterBranches", [])
        for given in cast("list[Json]", one.setdefault("filters", [])):
            asked = cast("Json", given["operation"])
            asked.setdefault("includeObjectsWithNoValueSet", False)
            if asked["operationType"] == "TIME_RANGED":
                asked["type"] = "TIME_RANGED"
    return kept


def properties(branch: Json, kind: str) -> set[tuple[str, str]]:
    """Kind of records and name of every property a filter asks about."""
    found = {(kind, str(given["property"])) for given in _dicts(branch, "filters")}
    for inner in _dicts(branch, "filterBranches"):
        through = inner["filterBranchType"] == "ASSOCIATION"
        found |= properties(inner, _KINDS[str(inner["objectTypeId"])] if through else kind)
    return found


def test_of(branch: object, portal: Portal) -> Test:
    """Which records of the portal's kind a filter is true of. Raises Refusal."""
    if not isinstance(branch, dict) or branch.get("filterBranchType") != "OR":
        raise invalid("The root filter branch must be an OR filter branch.")
    inner = _dicts(branch, "filterBranches")
    if _dicts(branch, "filters") or not inner:
        raise invalid("The root OR filter branch must hold filter branches, and no filters.")
    if any(one.get("filterBranchType") != "AND" for one in inner):
        raise invalid("The root OR filter branch may only hold AND filter branches.")
    return _any([_branch(one, portal) for one in inner])


def _branch(branch: Json, portal: Portal) -> Test:
    kind = branch.get("filterBranchType")
    if kind not in ("AND", "OR", "ASSOCIATION"):
        raise invalid(f"Unknown filterBranchType: {kind}.")
    seen, reach = _through(branch, portal) if kind == "ASSOCIATION" else (portal, None)
    tests = [_filter(given, seen) for given in _dicts(branch, "filters")]
    tests += [_branch(one, seen) for one in _dicts(branch, "filterBranches")]
    if not tests:
        raise invalid(f"A filter branch of type {kind} must not be empty.")
    if kind == "OR":
        return _any(tests)
    test = _all(tests)
    return reach(test) if reach is not None else test


def _through(branch: Json, portal: Portal) -> tuple[Portal, Callable[[Test], Test]]:
    """The records on the other end, and how a test of theirs becomes one of ours."""
    other = _KINDS.get(str(branch.get("objectTypeId")), "")
    number = branch.get("associationTypeId")
    primary = _TIES.get((portal.kind, other, number)) if isinstance(number, int) else None
    if primary is None or branch.get("associationCategory") != "HUBSPOT_DEFINED":
        raise invalid(f"No association of type {number} leads from {portal.kind} to {other or 'there'}.")
    if branch.get("operator") != "IN_LIST":
        raise invalid(f"Unknown operator of an ASSOCIATION filter branch: {branch.get('operator')}.")
    seen, ties = portal.seen[other], portal.ties
    follow = ties.companies_of if portal.kind == "contacts" else ties.of

    def reach(test: Test) -> Test:
        def associated(record: Record) -> bool:
            ids = list(follow(record.id))
            if primary and portal.kind == "contacts":
                ids = ids[:1]
            elif primary:
                ids = [id for id in ids if ties.companies_of(id)[:1] == [record.id]]
            return any((one := seen.store.get(id)) is not None and test(one) for id in ids)

        return associated

    return seen, reach


def _filter(given: Json, portal: Portal) -> Test:
    if given.get("filterType") != "PROPERTY":
        raise invalid(f"Filters of type {given.get('filterType')} are not known here.")
    name, asked = str(given.get("property", "")), given.get("operation")
    definition = portal.catalogue.get(name)
    if definition is None or definition.archived_at is not None:
        raise invalid(f"Property {name} does not exist for object type {TYPE_IDS[portal.kind]}.")
    if not isinstance(asked, dict):
        raise invalid(f"The filter of {name} lacks its operation.")
    kind, read = str(asked.get("operationType")), _reader(definition, portal)
    if kind == "ALL_PROPERTY":
        return _known(str(asked.get("operator")), read)
    if kind not in _OPERATIONS.get(definition.type, ()):
        raise invalid(f"Operation {kind} does not fit property {name} of type {definition.type}.")
    test = _MAKERS[kind](asked, definition, portal)
    blank = asked.get("includeObjectsWithNoValueSet") is True
    return lambda record: test(held) if (held := read(record)) else blank


def _known(asks: str, read: Read) -> Test:
    if asks == "IS_KNOWN":
        return lambda record: bool(read(record))
    if asks == "IS_UNKNOWN":
        return lambda record: not read(record)
    raise invalid(f"Unknown operator of ALL_PROPERTY: {asks}.")


Held = Callable[[str], bool]


def _choice(asked: Json, definition: Property, portal: Portal) -> Held:
    """Options go by their stored values; what an admin calls them does not matter."""
    values, asks = asked.get("values"), asked.get("operator")
    if not isinstance(values, list) or not values:
        raise invalid(f"The filter of {definition.name} lacks values.")
    known = {str(option["value"]) for option in definition.options}
    unknown = [str(value) for value in values if str(value) not in known]
    if unknown and not definition.external_options:
        raise invalid(f"{', '.join(unknown)}: no such option of property {definition.name}.")
    if asks not in ("IS_ANY_OF", "IS_NONE_OF"):
        raise invalid(f"Unknown operator of ENUMERATION: {asks}.")
    wanted, among = set(map(str, values)), asks == "IS_ANY_OF"
    return lambda held: bool(wanted & set(held.split(";"))) is among


def _number(asked: Json, definition: Property, portal: Portal) -> Held:
    value, compare = asked.get("value"), _NUMBERS.get(str(asked.get("operator")))
    if compare is None or isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(f"The filter of {definition.name} lacks an operator or a number.")
    return lambda held: _is_number(held) and compare(float(held), value)


def _flag(asked: Json, definition: Property, portal: Portal) -> Held:
    value = asked.get("value")
    if not isinstance(value, bool) or asked.get("operator") not in ("IS_EQUAL_TO", "IS_NOT_EQUAL_TO"):
        raise invalid(f"The filter of {definition.name} lacks an operator or a value.")
    wanted = value is (asked["operator"] == "IS_EQUAL_TO")
    return lambda held: (held == "true") is wanted


def _words(asked: Json, definition: Property, portal: Portal) -> Held:
    values = asked.get("values", [asked["value"]] if "value" in asked else None)
    if not isinstance(values, list) or not values:
        raise invalid(f"The filter of {definition.name} lacks values.")
    sought = [str(value).lower() for value in values]
    match asked.get("operator"):
        case "IS_EQUAL_TO":
            return lambda held: held.lower() in sought
        case "IS_NOT_EQUAL_TO":
            return lambda held: held.lower() not in sought
        case "CONTAINS":
            return lambda held: any(part in held.lower() for part in sought)
    raise invalid(f"Unknown operator of {asked.get('operationType')}: {asked.get('operator')}.")


def _between(asked: Json, definition: Property, portal: Portal) -> Held:
    """Between two points in time, which move on when they are given relative to today or now."""
    if asked.get("operator") != "IS_BETWEEN" or asked.get("propertyParser", "VALUE") != "VALUE":
        raise invalid(f"Only IS_BETWEEN values is known of TIME_RANGED here, for {definition.name}.")
    low, high = (_point(asked.get(f"{end}BoundTimePoint"), definition) for end in ("lower", "upper"))

    def within(held: str) -> bool:
        at, now = to_ms(held), portal.clock.now()
        return at is not None and low(now) <= at <= high(now)

    return within


def _point(given: object, definition: Property) -> Callable[[float], float]:
    """UTC epoch seconds now → the point's own ms."""
    if not isinstance(given, dict) or given.get("timeType") != "INDEXED":
        raise invalid(f"The filter of {definition.name} lacks a time point, or one that is INDEXED.")
    reference, offset = given.get("indexReference"), given.get("offset", {})
    base = reference.get("referenceType") if isinstance(reference, dict) else None
    days = offset.get("days", 0) if isinstance(offset, dict) else None
    try:
        zone = ZoneInfo(str(given.get("zoneId", "")))
    except (KeyError, ValueError, OSError):
        raise invalid(f"{given.get('zoneId')} is not a time zone.") from None
    if base not in ("TODAY", "NOW") or not isinstance(days, int):
        raise invalid(f"The time point of the filter of {definition.name} is not understood.")

    def point(now: float) -> float:
        at = datetime.fromtimestamp(now, UTC).astimezone(zone)
        if base == "TODAY":
            at = at.replace(hour=0, minute=0, second=0, microsecond=0)
        return (at + timedelta(days=days)).timestamp() * 1000

    return point


_MAKERS: Mapping[str, Callable[[Json, Property, Portal], Held]] = {
    "ENUMERATION": _choice,
    "NUMBER": _number,
    "BOOL": _flag,
    "MULTISTRING": _words,
    "STRING": _words,
    "TIME_RANGED": _between,
}


def _reader(definition: Property, portal: Portal) -> Read:
    from icp_sync.simulator.hubspot.portal import DERIVED, derived

    name = definition.name
    if name in DERIVED:
        return lambda record: derived(record, name) or ""
    return lambda record: record.props.get(name, "")


def _dicts(branch: Json, key: str) -> list[Json]:
    found = branch.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise invalid(f"{key} of a filter branch must be a list of objects.")
    return found


def _branches(branch: Json) -> Iterator[Json]:
    yield branch
    for inner in _dicts(branch, "filterBranches"):
        yield from _branches(inner)


def _all(tests: list[Test]) -> Test:
    return lambda record: all(test(record) for test in tests)


def _any(tests: list[Test]) -> Test:
    return lambda record: any(test(record) for test in tests)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
