"""What uses a property: lists, workflows, reports, calculations. Lists are real; the others only refuse.

A property in use cannot be archived, and a workflow uses one also while it is switched off. Bodies as
recorded from real portals; https://developers.hubspot.com/docs/api-reference/crm-lists-v3/guide
"""

from __future__ import annotations

from icp_sync.simulator.hubspot import segments
from icp_sync.simulator.hubspot.catalogue import Property
from icp_sync.simulator.hubspot.errors import Refusal, batch_error, error
from icp_sync.simulator.hubspot.portal import TYPE_IDS, Portal, Use

PARENTS = {
    "list": "CONTACT_LIST",
    "workflow": "WORKFLOW",
    "report": "REPORT",
    "calculation": "CALCULATED_PROPERTY",
}
KINDS = tuple(PARENTS)


def use(portal: Portal, property: str, kind: str, name: str) -> Use:
    """Something uses a property from now on; a calculation is a property of its own, a list a real list."""
    if kind == "list":
        known = {"operationType": "ALL_PROPERTY", "operator": "IS_KNOWN"}
        filters = [{"filterType": "PROPERTY", "property": property, "operation": known}]
        inner = {"filterBranchType": "AND", "filterBranches": [], "filters": filters}
        outer = {"filterBranchType": "OR", "filterBranches": [inner], "filters": []}
        listed = segments.make(portal, name, "DYNAMIC", outer, checked=False)
        return Use(property=property, kind=kind, name=name, id=listed.id)
    number = len(portal.uses) + 1
    made = Use(property=property, kind=kind, name=name, id=str(40 + number))
    if kind == "calculation":
        made = Use(property=property, kind=kind, name=name, id=f"{TYPE_IDS[portal.kind]}/calc_{number}")
        portal.catalogue.put(
            Property(
                name=f"calc_{number}",
                label=name,
                type="number",
                field_type="calculation_equation",
                custom=True,
                calculated=True,
                read_only=True,
                extra={"calculationFormula": f"{property} * 2"},
            )
        )
    portal.uses.append(made)
    return made


def refuse_used(portal: Portal, name: str) -> None:
    """Raises Refusal for a property something uses."""
    users = [made for made in portal.uses if made.property == name]
    users += [
        Use(property=name, kind="list", name=one.name, id=one.id) for one in segments.users(portal, name)
    ]
    if not users:
        return
    listed = [
        batch_error(
            "VALIDATION_ERROR",
            "Property usage",
            {"parentType": [PARENTS[made.kind]], "parentName": [made.id]},
            subCategory="PropertyValidationError.PROPERTY_USAGE",
        )
        for made in users
    ]
    body = error(
        f"Property: {name} of object type {TYPE_IDS[portal.kind]} is currently used in {len(users)} places "
        "and cannot be deleted",
        category="VALIDATION_ERROR",
        subCategory="PropertyValidationError.CANNOT_DELETE_PROPERTY_IN_USE",
        context={"usageCount": [str(len(users))]},
        errors=listed,
    )
    raise Refusal(400, body)
