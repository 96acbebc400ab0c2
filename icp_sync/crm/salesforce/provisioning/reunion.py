"""What others lost by a deployment of ours, from two looks at an org. Pure.

A deployed picklist makes inactive what it does not name, so a value that somebody added after our last look
is taken away from them, and comes back by a second deployment that names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from icp_sync.crm.salesforce.provisioning import existing
from icp_sync.crm.salesforce.provisioning.looking import Definition, Org
from icp_sync.crm.salesforce.provisioning.metadata import Component


def reunited(before: Org, after: Org, deployed: Sequence[Component]) -> Mapping[str, frozenset[str]]:
    """Lower-case full name of a field we deployed → its values that are inactive now, and that neither we nor
    the org had so before.

    Somebody added them between our look and our deployment, which took them away again.
    """
    found = {}
    for component in deployed:
        name, was, now = component.name.lower(), _of(before, component), _of(after, component)
        if component.kind != "CustomField" or name not in now:
            continue
        if lost := _inactive(now[name]) - _inactive(was.get(name, {})) - _named(component):
            found[component.full_name.lower()] = lost
    return found


def _of(org: Org, component: Component) -> Mapping[str, Definition]:
    tables = (table for table in org.tables if table.ours.sobject == component.sobject)
    return next((table.definitions for table in tables), {})


def _inactive(definition: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(one.value for one in existing.choices(definition) if not one.active)


def _named(component: Component) -> frozenset[str]:
    """The values a deployed field names itself."""
    found = set()
    content: list[tuple[str, Any]] = list(component.body)
    while content:
        tag, inside = content.pop()
        if tag == "fullName" and isinstance(inside, str):
            found.add(inside)
        elif not isinstance(inside, str):
            content += inside
    return frozenset(found)
