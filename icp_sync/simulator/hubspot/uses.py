"""What uses a property: lists, workflows, reports, calculations. Lists can be read; the others only refuse.

A property in use cannot be archived, and a workflow uses one also while it is switched off. Bodies as
recorded from real portals; https://developers.hubspot.com/docs/api-reference/crm-lists-v3/guide
"""

from __future__ import annotations

from collections.abc import Callable

from icp_sync.simulator.hubspot.call import Call, Json
from icp_sync.simulator.hubspot.catalogue import Property
from icp_sync.simulator.hubspot.errors import Refusal, batch_error, error, invalid
from icp_sync.simulator.hubspot.portal import TYPE_IDS, Portal, Use
from icp_sync.simulator.server import Reply

PARENTS = {
    "list": "CONTACT_LIST",
    "workflow": "WORKFLOW",
    "report": "REPORT",
    "calculation": "CALCULATED_PROPERTY",
}
KINDS = tuple(PARENTS)


def use(portal: Portal, property: str, kind: str, name: str) -> Use:
    """Something uses a property from now on; a calculation is a property of its own."""
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


def search(call: Call) -> Reply:
    """All lists a page at a time, without what they filter by."""
    body = call.json()
    offset, count = _whole(body, "offset", 0), _whole(body, "count", 20)
    found = _lists(call.portal)
    page = [_shown(made) for made in found[offset : offset + count]]
    more = offset + count < len(found)
    return Reply(
        body={"offset": offset + len(page), "hasMore": more, "total": len(found), "lists": page},
    )


def read(call: Call) -> Reply:
    """The lists named by `listIds`, with their filters if asked."""
    wanted = set(call.request.all("listIds"))
    filters = call.request.one("includeFilters").lower() == "true"
    show: Callable[[Use], Json] = _filtered if filters else _shown
    return Reply(body={"lists": [show(made) for made in _lists(call.portal) if made.id in wanted]})


def _lists(portal: Portal) -> list[Use]:
    return [made for made in portal.uses if made.kind == "list"]


def _shown(made: Use) -> Json:
    return {
        "listId": made.id,
        "name": made.name,
        "objectTypeId": "0-2",
        "processingType": "DYNAMIC",
        "processingStatus": "COMPLETE",
    }


def _filtered(made: Use) -> Json:
    known = {"operationType": "ALL_PROPERTY", "operator": "IS_KNOWN"}
    filters = [{"filterType": "PROPERTY", "property": made.property, "operation": known}]
    inner = {"filterBranchType": "AND", "filterBranches": [], "filters": filters}
    outer = {"filterBranchType": "OR", "filterBranches": [inner], "filters": []}
    return _shown(made) | {"filterBranch": outer}


def _whole(body: Json, name: str, default: int) -> int:
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 500:
        raise invalid(f"{name} must be between 0 and 500, was {value!r}")
    return value
