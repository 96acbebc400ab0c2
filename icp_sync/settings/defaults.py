"""What every connection has unless it says otherwise: `[defaults]`, laid under each of them.

A default opens no portal: each has a credential of its own, and none is opened by another's by mistake. Works
on trees, before anything is understood.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from icp_sync.settings.confidential import ANY, secret_places
from icp_sync.settings.connection import Connection
from icp_sync.settings.enrichment import as_variable, is_secret_key, name_of
from icp_sync.settings.layers import DEEPEST, Loc, over

DEFAULTS = "defaults"
_OF_ONE_CRM = {"salesforce": "salesforce"}
"""Sections that only a connection of one CRM has."""
_SECRET = frozenset(secret_places(Connection))


def laid_under(tree: Mapping[str, Any], but: Collection[str] = ()) -> dict[str, Any]:
    """The tree of all settings with its defaults below each connection. but: those that get none."""
    common, said = tree.get(DEFAULTS), tree.get("connections")
    if not isinstance(common, Mapping) or not isinstance(said, Mapping):
        return dict(tree)
    laid = {name: one if name in but else below(common, one) for name, one in said.items()}
    return {**tree, "connections": laid}


def below(common: Mapping[str, Any], one: Any) -> Any:
    """One connection laid over the defaults, but for the other CRM's, and keys of vendors it does not ask."""
    if not isinstance(one, Mapping):
        return one
    crm = one.get("crm", common.get("crm", "hubspot"))
    laid = over({key: value for key, value in common.items() if _OF_ONE_CRM.get(key, crm) == crm}, one)
    keys, own = laid.get("secrets"), one.get("secrets", {})
    if not isinstance(keys, Mapping) or not isinstance(own, Mapping):
        return laid
    said = laid.get("enrichers")
    entries = said if isinstance(said, list) else ()
    used = {
        as_variable(name_of(e)) for e in entries if isinstance(e, Mapping) and isinstance(e.get("use"), str)
    }
    return {**laid, "secrets": {n: k for n, k in keys.items() if n in own or as_variable(n) in used}}


def bare(one: Any) -> bool:
    """Whether credentials are all that is said of a connection."""
    if not isinstance(one, Mapping):
        return False
    given = sum(1 for _ in credentials(one))
    return given > 0 and given == sum(1 for _ in _leaves(one))


def credentials(tree: Mapping[str, Any]) -> Iterator[Loc]:
    """The places of a connection's tree that hold a credential."""
    for loc, entry in _leaves(tree):
        if any(_within(loc, place) for place in _SECRET) or _key(loc, entry):
            yield loc


def _within(loc: Loc, place: tuple[str, ...]) -> bool:
    return len(loc) >= len(place) and all(a in (b, ANY) for a, b in zip(place, loc, strict=False))


def _key(loc: Loc, entry: Any) -> bool:
    """Whether an entry of `enrichers` holds a credential here."""
    if loc[0] != "enrichers" or not isinstance(entry, Mapping) or not isinstance(entry.get("use"), str):
        return False
    return any(is_secret_key(entry, str(part)) for part in loc[2:])


def _leaves(value: Any, loc: Loc = (), entry: Any = None) -> Iterator[tuple[Loc, Any]]:
    """(place, the entry of a list it is in) of everything that is no section."""
    if len(loc) > DEEPEST:
        yield loc, entry
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*loc, key), entry)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*loc, index), inner if entry is None else entry)
    else:
        yield loc, entry
