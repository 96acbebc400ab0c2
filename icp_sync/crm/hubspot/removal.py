"""Taking our properties out of a portal again: only what bears our marks, and never blindly.

A property is ours when it stands in our group, has a name of ours (an output's, or one that provisioning
wrote down) and is, by type and by label or description, one we make. The name is needed: a property that
somebody cloned from ours keeps its group, type and description.
HubSpot archives: for 90 days an archived property can be restored, with its values, in the settings, and
making one of the same name restores it too ("Restore deleted properties", HubSpot's knowledge base). It
refuses to archive one that a workflow, a list or a calculation uses, and names the places
(`PropertyValidationError.CANNOT_DELETE_PROPERTY_IN_USE`); only lists and calculations can be looked up
before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from icp_sync.crm.hubspot.catalogue import Catalogue
from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.definitions import TYPES
from icp_sync.crm.hubspot.records import LISTS, Json
from icp_sync.crm.hubspot.replies import usage
from icp_sync.domain.standing import FIELDS
from icp_sync.errors import AuthError, RequestError, UnavailableError
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

GROUP_PAUSES = (0.0, 0.4, 0.8, 1.6)
"""A group counts properties just archived for a moment (0.25–0.7 s were recorded)."""


def remove(
    client: Client, catalogue: Catalogue, blueprint: Blueprint, *, apply: bool, force: bool
) -> list[Step]:
    """What depends on our properties, what to know, and the steps, taken when `apply` and nothing depends on
    them, or with `force`. What HubSpot refuses to archive becomes a CONFLICT and, unless forced, ends it."""
    catalogue.refresh(judge=False)
    in_group = {
        name: entry
        for name, entry in catalogue.definitions().items()
        if entry.get("groupName") == blueprint.group
    }
    ours = [name for name, entry in in_group.items() if is_ours(name, entry, blueprint)]
    ours.sort(key=lambda name: name == blueprint.fields.get(SEAL))  # while any is left, it says whose that is
    kept = [*_elsewhere(catalogue, blueprint), *_others(in_group, ours, blueprint)]
    group = client.group(blueprint.group) is not None
    if not ours and not group:
        return kept
    used, notes = _users(client, catalogue, ours)
    steps = [Step(kind=StepKind.REMOVE, what=name, detail=_whose(name, blueprint)) for name in ours]
    acts = apply and (force or not used)
    if acts:
        steps = _taken(client, catalogue, steps, force=force)
    staying = sorted({*in_group} - {step.what for step in steps if step.kind is StepKind.REMOVE})
    last = [_group(client, blueprint, staying, acts=acts)] if group else []
    return [*used, *notes, *steps, *kept, *last]


def is_ours(name: str, entry: Json, blueprint: Blueprint) -> bool:
    """Whether a property of our group is one we made: a name of ours, and the type, and the label or the
    description, of the field it was made for."""
    outputs = [FIELDS[field] for field, target in blueprint.fields.items() if target == name]
    made_for = outputs or [field for field in FIELDS.values() if not field.native and name in blueprint.made]
    return any(
        (entry.get("type"), entry.get("fieldType")) == TYPES[field.type]
        and (entry.get("label") == field.label or entry.get("description") == field.description)
        for field in made_for
    )


# What depends on them


def _users(client: Client, catalogue: Catalogue, ours: Sequence[str]) -> tuple[list[Step], list[Step]]:
    """What is known to use our properties, and what cannot be known."""
    used = [
        Step(kind=StepKind.DEPENDS, what=f"calculated property {name}", detail=f"it uses {', '.join(found)}")
        for name, entry in catalogue.definitions().items()
        if name not in ours and (found := _named(str(entry.get("calculationFormula") or ""), ours))
    ]
    notes = [UNSEEN, ARCHIVED] if ours else []
    try:
        used.extend(_lists(client, ours) if ours else ())
    except (AuthError, RequestError):
        notes.insert(0, UNREAD)
    return used, notes


def _lists(client: Client, ours: Sequence[str]) -> Iterator[Step]:
    ids: list[str] = []
    offset, more = 0, True
    while more:
        page = client.lists(offset=offset)
        found = [entry for entry in _all(page, "lists") if entry.get("listId") is not None]
        ids.extend(str(entry["listId"]) for entry in found)
        following = page.get("offset")
        more = bool(page.get("hasMore")) and bool(found)
        offset = following if isinstance(following, int) and following > offset else offset + len(found)
    for at in range(0, len(ids), LISTS):
        for entry in _all(client.list_filters(ids[at : at + LISTS]), "lists"):
            if used := sorted(set(_filtered(entry.get("filterBranch"))) & set(ours)):
                what = f"list {entry.get('name') or entry.get('listId')}"
                yield Step(kind=StepKind.DEPENDS, what=what, detail=f"it uses {', '.join(used)}")


def _filtered(branch: object) -> Iterator[str]:
    """Every property named anywhere in a list's filters."""
    if isinstance(branch, list):
        for part in branch:
            yield from _filtered(part)
    elif isinstance(branch, dict):
        if isinstance(name := branch.get("property"), str):
            yield name
        for part in branch.values():
            if isinstance(part, dict | list):
                yield from _filtered(part)


def _named(formula: str, ours: Sequence[str]) -> list[str]:
    return [name for name in ours if re.search(rf"\b{re.escape(name)}\b", formula)] if formula else []


def _all(page: Json, key: str) -> list[Json]:
    found = page.get(key)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


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
    unmarked, foreign = "it is in our group and does not bear our marks", "it is not of this installation"
    return [
        Step(kind=StepKind.KEEP, what=name, detail=unmarked if name in known else foreign)
        for name in in_group
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
        _archive_group(client, blueprint.group)
    return Step(kind=StepKind.REMOVE, what=what, done=acts)


def _archive_group(client: Client, name: str) -> None:
    for pause in GROUP_PAUSES:
        client.transport.wait(pause)
        try:
            client.archive_group(name)
        except RequestError as error:
            refused = str(error)
        else:
            return
    again = "icp-sync provision --remove --apply"
    raise UnavailableError(f"HubSpot does not archive the group {name}: {refused}", next_step=again)


def _whose(name: str, blueprint: Blueprint) -> str:
    field = next((field for field, known in blueprint.fields.items() if known == name), "")
    if not field:
        return "no output of this connection at present"
    return "what people entered goes with it" if FIELDS[field].theirs else ""
