"""Taking our properties out of a portal again: only what bears our marks, and never blindly.

A property is ours when it stands in our group, has a name of ours (an output's, or one that provisioning
wrote down), was made by this installation as far as anybody can tell, and is, by type and by label or
description, one we make. The name is needed: a property that somebody cloned from ours keeps its group, type
and description.
HubSpot archives: for 90 days an archived property can be restored, with its values, in the settings, and
making one of the same name restores it too ("Restore deleted properties", HubSpot's knowledge base). It
refuses to archive one that a workflow, a list or a calculation uses, and names the places
(`PropertyValidationError.CANNOT_DELETE_PROPERTY_IN_USE`); only lists and calculations can be looked up
before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from icp_sync.crm.hubspot import deal_removal
from icp_sync.crm.hubspot.catalogue import Catalogue
from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.definitions import TYPES
from icp_sync.crm.hubspot.dependents import calculations, lists
from icp_sync.crm.hubspot.groups import archive_group
from icp_sync.crm.hubspot.records import Json
from icp_sync.crm.hubspot.replies import usage
from icp_sync.crm.whose import FOREIGN
from icp_sync.domain.standing import FIELDS
from icp_sync.errors import AuthError, RequestError
from icp_sync.ports import Blueprint, Step, StepKind

ARCHIVED = Step(
    kind=StepKind.NOTE,
    what="archived, not deleted",
    detail="HubSpot keeps an archived property and its values for 90 days: until then it can be restored in "
    "the settings, and icp-sync provision --apply makes it again; afterwards the values are gone",
)
UNSEEN = Step(
    kind=StepKind.NOTE,
    what="workflows, reports, forms, other apps",
    detail="HubSpot does not list which of them use a property; it refuses to archive what a workflow uses, "
    "reports lose the column",
)
UNREAD = Step(
    kind=StepKind.NOTE,
    what="lists",
    detail="which lists use a property cannot be seen without the scope crm.lists.read",
)
SEAL = "seal"


def remove(
    client: Client, catalogue: Catalogue, blueprint: Blueprint, *, apply: bool, force: bool
) -> list[Step]:
    """What depends on our properties, what to know, and the steps, taken when `apply` and nothing depends on
    them, or with `force`. What HubSpot refuses to archive becomes a CONFLICT and, unless forced, ends it."""
    of_deals = deal_removal.steps(client, blueprint)
    free = force or not any(step.kind is StepKind.DEPENDS for step in of_deals)
    if apply and free and not force:
        planned = _of_companies(client, catalogue, blueprint, apply=False, force=False)
        free = not any(step.kind is StepKind.DEPENDS for step in planned)
    if apply and free:
        of_deals = deal_removal.taken(client, blueprint, of_deals, force=force)
        free = force or not any(step.kind is StepKind.CONFLICT for step in of_deals)
    return [*_of_companies(client, catalogue, blueprint, apply=apply and free, force=force), *of_deals]


def _of_companies(
    client: Client, catalogue: Catalogue, blueprint: Blueprint, *, apply: bool, force: bool
) -> list[Step]:
    catalogue.refresh(judge=False)
    in_group = {
        name: entry
        for name, entry in catalogue.definitions().items()
        if entry.get("groupName") == blueprint.group
    }
    ours = [
        name for name, entry in in_group.items() if blueprint.mine(name) and is_ours(name, entry, blueprint)
    ]
    ours.sort(key=lambda name: name == blueprint.fields.get(SEAL))  # while any is left, it says whose that is
    kept = [*_elsewhere(catalogue, blueprint), *_others(in_group, ours, blueprint)]
    group = client.group(blueprint.group) is not None
    if not ours and not group:
        return kept
    used, notes = _users(client, catalogue, ours, blueprint.views.values())
    steps = [Step(kind=StepKind.REMOVE, what=name, detail=_whose(name, blueprint)) for name in ours]
    acts = apply and (force or not used)
    if acts:
        steps = _taken(client, catalogue, steps, force=force)
    staying = sorted({*in_group} - {step.what for step in steps if step.kind is StepKind.REMOVE})
    last = [_group(client, blueprint, staying, acts=acts)] if group else []
    return [*used, *notes, *steps, *kept, *last]


def is_ours(name: str, entry: Json, blueprint: Blueprint) -> bool:
    """Whether a property of our group is as we make it: a name of ours, and the type, and the label or the
    description, of the field it was made for."""
    outputs = [FIELDS[field] for field, target in blueprint.fields.items() if target == name]
    made_for = outputs or [field for field in FIELDS.values() if not field.native and name in blueprint.made]
    return any(
        (entry.get("type"), entry.get("fieldType")) == TYPES[field.type]
        and (entry.get("label") == field.label or entry.get("description") == field.description)
        for field in made_for
    )


# What depends on them


def _users(
    client: Client, catalogue: Catalogue, ours: Sequence[str], spare: Collection[str]
) -> tuple[list[Step], list[Step]]:
    """What is known to use our properties, and what cannot be known."""
    used = calculations(catalogue.definitions(), ours)
    notes = [UNSEEN, ARCHIVED] if ours else []
    try:
        used.extend(lists(client, ours, spare) if ours else ())
    except (AuthError, RequestError):
        notes.insert(0, UNREAD)
    return used, notes


# What stays


def _elsewhere(catalogue: Catalogue, blueprint: Blueprint) -> list[Step]:
    """Outputs of ours that stand in another group: somebody moved them there, or made them."""
    found = ((name, catalogue.definitions().get(name)) for name in blueprint.fields.values())
    return [
        Step(
            kind=StepKind.KEEP, what=name, detail=f"it is in the group {entry.get('groupName')}, not in ours"
        )
        for name, entry in found
        if entry is not None and entry.get("groupName") != blueprint.group
    ]


def _others(in_group: Mapping[str, Json], ours: Sequence[str], blueprint: Blueprint) -> list[Step]:
    known = {*blueprint.fields.values(), *blueprint.made}
    unmarked, unknown = "it is in our group and does not bear our marks", "it is not of this installation"

    def why(name: str, entry: Json) -> str:
        if is_ours(name, entry, blueprint):
            return FOREIGN
        return unmarked if name in known else unknown

    return [
        Step(kind=StepKind.KEEP, what=name, detail=why(name, entry))
        for name, entry in in_group.items()
        if name not in ours
    ]


# Taking them away


def _taken(client: Client, catalogue: Catalogue, steps: Sequence[Step], *, force: bool) -> list[Step]:
    done: list[Step] = []
    for at, step in enumerate(steps):
        try:
            client.archive_property(step.what)
        except RequestError as error:
            why = "; ".join(usage(error.body)) or str(error)
            done.append(replace(step, kind=StepKind.CONFLICT, detail=f"HubSpot does not archive it: {why}"))
            if not force:
                return [*done, *steps[at + 1 :]]
        else:
            catalogue.forget([step.what])
            done.append(replace(step, done=True))
    return done


def _group(client: Client, blueprint: Blueprint, staying: Sequence[str], *, acts: bool) -> Step:
    """The step of the group. staying: the properties that stay in it."""
    what = f"group {blueprint.group}"
    if staying:
        return Step(kind=StepKind.KEEP, what=what, detail=f"it still holds {', '.join(staying)}")
    if acts:
        archive_group(client, blueprint.group)
    return Step(kind=StepKind.REMOVE, what=what, done=acts)


def _whose(name: str, blueprint: Blueprint) -> str:
    field = next((field for field, known in blueprint.fields.items() if known == name), "")
    if not field:
        return "no output of this connection at present"
    return "what people entered goes with it" if FIELDS[field].theirs else ""
