"""Taking our stamp's properties off deals again, with the protections that companies have (`removal`).

A property is ours when it stands in our group, has a name of ours and is, by type and by label or
description, one we make. Lists and calculations that use it come first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from icp_sync.crm.hubspot.client import DEALS, Client
from icp_sync.crm.hubspot.definitions import TYPES
from icp_sync.crm.hubspot.dependents import calculations, lists
from icp_sync.crm.hubspot.groups import archive_group
from icp_sync.crm.hubspot.provision import OF_DEALS
from icp_sync.crm.hubspot.records import Json
from icp_sync.crm.hubspot.replies import usage
from icp_sync.domain.stamp import STAMP
from icp_sync.errors import AuthError, RequestError
from icp_sync.ports import Blueprint, Step, StepKind


def steps(client: Client, blueprint: Blueprint) -> list[Step]:
    """What depends on our properties of deals, and what would go; nothing where there were never any."""
    if not (blueprint.deal_fields or blueprint.deals_made):
        return []
    found = {str(entry.get("name")): entry for entry in client.properties(of=DEALS)}
    in_group = {name: entry for name, entry in found.items() if entry.get("groupName") == blueprint.group}
    ours = [
        name
        for name, entry in in_group.items()
        if blueprint.mine(f"{OF_DEALS}{name}") and _is_ours(name, entry, blueprint)
    ]
    used = calculations(found, ours)
    if ours:
        with suppress(AuthError, RequestError):  # that lists cannot be seen is told beside the companies'
            used += lists(client, ours, blueprint.views.values())
    going = [Step(kind=StepKind.REMOVE, what=f"{OF_DEALS}{name}") for name in ours]
    kept = [
        Step(kind=StepKind.KEEP, what=f"{OF_DEALS}{name}", detail="it does not bear our marks")
        for name in in_group
        if name not in ours
    ]
    emptied = [] if kept or client.group(blueprint.group, of=DEALS) is None else [_group(blueprint)]
    return [*used, *going, *kept, *emptied]


def taken(client: Client, blueprint: Blueprint, planned: Sequence[Step], *, force: bool) -> list[Step]:
    """The steps, taken. What HubSpot refuses to archive becomes a CONFLICT and, unless forced, ends it."""
    done: list[Step] = []
    for at, step in enumerate(planned):
        if step.kind is not StepKind.REMOVE:
            done.append(step)
            continue
        try:
            if step == _group(blueprint):
                archive_group(client, blueprint.group, of=DEALS)
            else:
                client.archive_property(step.what.removeprefix(OF_DEALS), of=DEALS)
        except RequestError as error:
            why = "; ".join(usage(error.body)) or str(error)
            done.append(replace(step, kind=StepKind.CONFLICT, detail=f"HubSpot does not archive it: {why}"))
            if not force:
                return [*done, *planned[at + 1 :]]
        else:
            done.append(replace(step, done=True))
    return done


def _group(blueprint: Blueprint) -> Step:
    return Step(kind=StepKind.REMOVE, what=f"{OF_DEALS}group {blueprint.group}")


def _is_ours(name: str, entry: Json, blueprint: Blueprint) -> bool:
    """Whether it is one we made: a name of ours, and the type, and the label or the description, of a field
    of the stamp."""
    outputs: Mapping[str, str] = {target: field for field, target in blueprint.deal_fields.items()}
    if name not in outputs and f"{OF_DEALS}{name}" not in blueprint.deals_made:
        return False
    meant = [STAMP[outputs[name]]] if name in outputs else list(STAMP.values())
    return any(
        (entry.get("type"), entry.get("fieldType")) == TYPES[field.type]
        and (entry.get("label") == field.label or entry.get("description") == field.description)
        for field in meant
    )
