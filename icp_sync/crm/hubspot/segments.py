"""Our views as HubSpot's active lists define them, and whether a list filters as one of ours. Sends nothing.

A tier is asked for by the stored value of its option and the name of its property: labels may change. A
contact's tier is that of any company it is associated with (association type 279, "contact to company").
Sources: "Lists" and "List filters" guides of the CRM API (`ENUMERATION`, `TIME_RANGED` with `INDEXED` points,
`ASSOCIATION` branches).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from icp_sync.crm.hubspot.records import Json
from icp_sync.domain.views import Of, View

TYPE_IDS: Mapping[Of, str] = {"accounts": "0-2", "contacts": "0-1"}
CONTACT_TO_COMPANY = 279
LONGEST = 300
_SPARE = frozenset({"filterBranchOperator", "type", "zoneId", "timezoneSource"})
"""What a portal adds to a filter, and what may differ as the portal moved to another zone since."""
_SAID = frozenset({"includeObjectsWithNoValueSet", "filters", "filterBranches", "offset"})
"""What means the same when it is left out as when it is false or empty."""
_USUAL: Mapping[str, str] = {
    "propertyParser": "VALUE",
    "lowerBoundEndpointBehavior": "INCLUSIVE",
    "upperBoundEndpointBehavior": "INCLUSIVE",
}
"""What means the same when it is left out."""


def definition(view: View, name: str, zone: str) -> Json:
    """What to post for a view. name: of the property. zone: the portal's IANA time zone."""
    return {
        "name": view.title,
        "objectTypeId": TYPE_IDS[view.of],
        "processingType": "DYNAMIC",
        "filterBranch": filter_branch(view, name, zone),
    }


def filter_branch(view: View, name: str, zone: str) -> Json:
    """An OR of one AND, which a list's filter has to be at its root."""
    asked = _within(view.within_days, zone) if view.within_days else _among(view.values)
    filters: list[Json] = [{"filterType": "PROPERTY", "property": name, "operation": asked}]
    inner = _branch("AND", filters=filters)
    if view.of == "contacts":
        company = {
            **_branch("ASSOCIATION", filters=filters),
            "objectTypeId": TYPE_IDS["accounts"],
            "operator": "IN_LIST",
            "associationTypeId": CONTACT_TO_COMPANY,
            "associationCategory": "HUBSPOT_DEFINED",
        }
        inner = _branch("AND", branches=[company])
    return _branch("OR", branches=[inner])


def same(found: object, ours: Json) -> bool:
    """Whether a filter a portal holds means what ours does, whatever it added."""
    return _plain(found) == _plain(ours)


def properties_of(branch: object) -> Iterator[str]:
    """Every property named anywhere in a list's filters."""
    if isinstance(branch, list):
        for part in branch:
            yield from properties_of(part)
    elif isinstance(branch, dict):
        if isinstance(name := branch.get("property"), str):
            yield name
        for part in branch.values():
            if isinstance(part, dict | list):
                yield from properties_of(part)


def said(branch: object) -> str:
    """What a filter asks, shortly, for who may want it back: `icp_tier IS_ANY_OF A, B`."""
    return "; ".join(dict.fromkeys(_asked(branch)))[:LONGEST] or "everything"


def _asked(part: object) -> Iterator[str]:
    if isinstance(part, list):
        for one in part:
            yield from _asked(one)
    elif isinstance(part, dict):
        operation = part.get("operation")
        if isinstance(operation, dict):
            values = operation.get("values") or operation.get("value") or ""
            listed = ", ".join(map(str, values)) if isinstance(values, list) else str(values)
            yield f"{part.get('property')} {operation.get('operator')} {listed}".strip()
        for inner in part.values():
            if isinstance(inner, dict | list):
                yield from _asked(inner)


def _among(values: tuple[str, ...]) -> Json:
    return {
        "operationType": "ENUMERATION",
        "operator": "IS_ANY_OF",
        "values": list(values),
        "includeObjectsWithNoValueSet": False,
    }


def _within(days: int, zone: str) -> Json:
    """From the beginning of the day so many days ago until now, whenever HubSpot looks."""
    point = {"timeType": "INDEXED", "timezoneSource": "CUSTOM", "zoneId": zone or "UTC"}
    return {
        "operationType": "TIME_RANGED",
        "operator": "IS_BETWEEN",
        "propertyParser": "VALUE",
        "includeObjectsWithNoValueSet": False,
        "lowerBoundEndpointBehavior": "INCLUSIVE",
        "upperBoundEndpointBehavior": "INCLUSIVE",
        "lowerBoundTimePoint": {
            **point,
            "indexReference": {"referenceType": "TODAY"},
            "offset": {"days": -days},
        },
        "upperBoundTimePoint": {**point, "indexReference": {"referenceType": "NOW"}},
    }


def _branch(kind: str, *, filters: list[Json] | None = None, branches: list[Json] | None = None) -> Json:
    return {
        "filterBranchType": kind,
        "filterBranchOperator": "OR" if kind == "OR" else "AND",
        "filters": filters or [],
        "filterBranches": branches or [],
    }


def _plain(part: object) -> object:
    """A filter without what does not matter, in an order of its own."""
    if isinstance(part, dict):
        kept = {
            str(name): _plain(value)
            for name, value in part.items()
            if name not in _SPARE and value is not None
        }
        told = {name: value for name, value in kept.items() if value or name not in _SAID}
        return {name: value for name, value in told.items() if value != _USUAL.get(name)}
    if isinstance(part, list):
        return sorted((_plain(one) for one in part), key=repr)
    return part if isinstance(part, bool | int | float) else str(part)
