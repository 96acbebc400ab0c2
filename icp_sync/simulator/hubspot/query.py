"""The body of a search, read and checked: groups of filters, one sort, a page.

https://developers.hubspot.com/docs/api-reference/search/guide#limits
"""

from __future__ import annotations

from dataclasses import dataclass

from icp_sync.simulator.hubspot.call import Json, strings, token_of
from icp_sync.simulator.hubspot.catalogue import Catalogue
from icp_sync.simulator.hubspot.errors import invalid, wrong_type
from icp_sync.simulator.hubspot.filters import Group, group_of

MOST_RESULTS = 200
MOST_GROUPS = 5
MOST_IN_GROUP = 6
MOST_FILTERS = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A checked search. Without groups everything matches."""

    groups: tuple[Group, ...]
    text: str
    sort: str
    descending: bool
    properties: tuple[str, ...]
    limit: int
    after: int


def parse(body: Json, catalogue: Catalogue) -> Query:
    """Raises Refusal for whatever the API does not take."""
    limit = _integer(body.get("limit"), 10)
    if not 0 < limit <= MOST_RESULTS:
        raise invalid(f"limit must be between 1 and {MOST_RESULTS}, was {limit}")
    sort, descending = _sort(body.get("sorts"))
    return Query(
        groups=_groups(body, catalogue),
        text=str(body.get("query") or ""),
        sort=sort,
        descending=descending,
        properties=tuple(strings(body, "properties")),
        limit=limit,
        after=_integer(body.get("after"), 0),
    )


def _groups(body: Json, catalogue: Catalogue) -> tuple[Group, ...]:
    given = body.get("filterGroups") or []
    if not isinstance(given, list):
        raise wrong_type("java.util.ArrayList<com.hubspot.FilterGroup>", token_of(given))
    lists: list[list[object]] = []
    for group in given:
        filters = group.get("filters") if isinstance(group, dict) else None
        if not isinstance(filters, list):
            raise wrong_type("com.hubspot.FilterGroup", token_of(group))
        lists.append(filters)
    bare = body.get("filters")
    if isinstance(bare, list):
        lists.append(bare)
    if len(lists) > MOST_GROUPS:
        raise invalid(f"Too many filter groups: {len(lists)}, the maximum is {MOST_GROUPS}")
    if any(len(filters) > MOST_IN_GROUP for filters in lists):
        raise invalid(f"Too many filters in a group, the maximum is {MOST_IN_GROUP}")
    if sum(map(len, lists)) > MOST_FILTERS:
        raise invalid(f"Too many filters, the maximum is {MOST_FILTERS}")
    return tuple(group_of(filters, catalogue) for filters in lists if filters)


def _sort(given: object) -> tuple[str, bool]:
    """Property and whether descending; created ascending unless asked otherwise."""
    if not given:
        return "createdate", False
    if not isinstance(given, list):
        raise wrong_type("java.util.ArrayList<java.lang.String>", token_of(given))
    if len(given) > 1:
        raise invalid("Only one sort is supported")
    sort = given[0]
    if isinstance(sort, dict):
        return str(sort.get("propertyName", "createdate")), str(sort.get("direction", "")) == "DESCENDING"
    name = str(sort)
    return name.lstrip("-"), name.startswith("-")


def _integer(given: object, default: int) -> int:
    """An integer, also as a string of digits."""
    if given is None or given == "":
        return default
    text = str(given)
    if isinstance(given, bool) or not text.isascii() or not text.isdigit() or len(text) > 9:
        raise wrong_type("int", token_of(given))
    return int(text)
