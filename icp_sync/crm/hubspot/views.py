"""The active lists reps work from: made, kept, set right when asked, and taken away. Never another's.

A list is ours when the journal knows its id, or when it bears our name and filters as we do. What people made
of one of ours, its name and its folder, is theirs; so is its filter, until somebody forces ours back.
Not every plan or token may make lists: that is told, with what to click instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from icp_sync.crm.hubspot import segments
from icp_sync.crm.hubspot.by_hand import SAVED, clicks
from icp_sync.crm.hubspot.catalogue import Catalogue
from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.definitions import conflict, missing_options
from icp_sync.crm.hubspot.records import LISTS, Json
from icp_sync.crm.hubspot.replies import complaints, summary
from icp_sync.domain.standing import FIELDS
from icp_sync.domain.views import View
from icp_sync.errors import AuthError, RequestError
from icp_sync.ports import Blueprint, Step, StepKind, Views, ViewStep

DUPLICATE = "ILS.DUPLICATE_LIST_NAMES"
NOT_OURS = "there is a list of that name with another filter; rename it, or leave this view out"
STATIC = "people made it a static list, which follows nothing; delete it to have it made again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for. known: key → id as the journal has it. zone: the portal's."""

    views: Sequence[View]
    blueprint: Blueprint
    known: Mapping[str, str]
    zone: str

    def filter(self, view: View) -> Json:
        return segments.filter_branch(view, self.blueprint.fields[view.field], self.zone)


def provide(client: Client, catalogue: Catalogue, wanted: Wanted, *, apply: bool, force: bool) -> Views:
    """The steps to all lists, taken when `apply`; filters people changed are set right with `force`."""
    catalogue.refresh(judge=False)
    try:
        found = _found(client, wanted)
    except AuthError as error:
        return _told(catalogue, wanted, [_refused(view, str(error)) for view in wanted.views])
    steps = []
    for view in wanted.views:
        step = _planned(catalogue, wanted, view, found.get(view.key))
        if apply and _acts(step, force=force):
            step = _taken(client, wanted, view, step)
        steps.append(step)
    return _told(catalogue, wanted, steps)


def withdraw(client: Client, wanted: Wanted, *, apply: bool, force: bool) -> Views:
    """The steps to a portal without our lists, taken when `apply`."""
    try:
        found = _found(client, wanted)
    except AuthError as error:
        if not wanted.known:
            return Views(steps=())
        return Views(steps=(_step(StepKind.CONFLICT, "lists", str(error)),))
    titles = {view.key: view.title for view in wanted.views}
    by_key = {view.key: view for view in wanted.views}
    steps = []
    for key, entry in found.items():
        view = by_key.get(key)
        carried = view is not None and view.field in wanted.blueprint.fields
        ours = not carried or view is None or segments.same(entry.get("filterBranch"), wanted.filter(view))
        if not ours and key not in wanted.known:
            continue
        step = _step(StepKind.REMOVE, titles.get(key, key), key=key, entry=entry)
        if not ours and not force:
            detail = "people changed its filter; --force takes it all the same"
            step = replace(step, step=replace(step.step, kind=StepKind.KEEP, detail=detail))
        elif apply:
            step = _gone(client, step)
        steps.append(step)
    return Views(steps=tuple(steps))


def _found(client: Client, wanted: Wanted) -> dict[str, Json]:
    """Key → the list there is: by the id we know, or else by the name we give it."""
    entries: dict[str, Json] = {}
    ids = sorted(set(wanted.known.values()))
    for at in range(0, len(ids), LISTS):
        listed = client.list_filters(ids[at : at + LISTS]).get("lists")
        for entry in listed if isinstance(listed, list) else []:
            if isinstance(entry, dict) and not entry.get("deletedAt"):
                entries[str(entry.get("listId"))] = entry
    found = {key: entries[id] for key, id in wanted.known.items() if id in entries}
    taken = {str(entry.get("listId")) for entry in found.values()}
    for view in wanted.views:
        if view.key not in found:
            entry = client.list_named(view.title, segments.TYPE_IDS[view.of])
            if entry is not None and str(entry.get("listId")) not in taken:
                found[view.key] = entry
    return found


def _planned(catalogue: Catalogue, wanted: Wanted, view: View, entry: Json | None) -> ViewStep:
    """What is to be done about one view."""
    known = view.key in wanted.known and entry is not None
    if view.field not in wanted.blueprint.fields:
        left = "; the list that was made before stays, without being kept up" if known else ""
        detail = f"left out: this connection does not carry {view.field}{left}"
        return _step(StepKind.NOTE, view.title, detail, key=view.key, entry=entry if known else None)
    if reason := _unready(catalogue, wanted.blueprint, view):
        return _step(StepKind.CONFLICT, view.title, reason, key=view.key, entry=entry if known else None)
    if entry is None:
        return _step(StepKind.CREATE, view.title, _meaning(wanted, view), key=view.key)
    ours = segments.same(entry.get("filterBranch"), wanted.filter(view))
    active = entry.get("processingType") == "DYNAMIC"
    if not known:
        if not (ours and active):
            return _step(StepKind.CONFLICT, view.title, NOT_OURS, key=view.key)
        return _step(StepKind.KEEP, view.title, key=view.key, entry=entry)
    if not active:
        return _step(StepKind.CONFLICT, view.title, STATIC, key=view.key, entry=entry)
    if not ours:
        detail = "its filter is no longer ours; --apply --force sets it right"
        return _step(StepKind.RESTORE, view.title, detail, key=view.key, entry=entry)
    called = str(entry.get("name"))
    detail = "" if called == view.title else f"people call it {called}"
    return _step(StepKind.KEEP, view.title, detail, key=view.key, entry=entry)


def _acts(step: ViewStep, *, force: bool) -> bool:
    return step.step.kind is StepKind.CREATE or (step.step.kind is StepKind.RESTORE and force)


def _taken(client: Client, wanted: Wanted, view: View, step: ViewStep) -> ViewStep:
    """The step, taken. What HubSpot refuses is told, and the next one is tried."""
    name = wanted.blueprint.fields[view.field]
    try:
        if step.step.kind is StepKind.RESTORE:
            client.change_list_filters(step.id, wanted.filter(view))
            return replace(step, step=replace(step.step, done=True))
        made = client.create_list(segments.definition(view, name, wanted.zone))
    except AuthError as error:
        return _refused(view, str(error), step)
    except RequestError as error:
        code, message = summary(complaints(error.body))
        if code == DUPLICATE:
            return _step(StepKind.CONFLICT, view.title, "another list has that name", key=view.key)
        return _refused(view, f"HubSpot refuses it: {message or error}", step)
    done = replace(step.step, done=True)
    return replace(step, step=done, id=str(made.get("listId", "")), name=str(made.get("name", view.title)))


def _gone(client: Client, step: ViewStep) -> ViewStep:
    try:
        client.delete_list(step.id)
    except (AuthError, RequestError) as error:
        said = summary(complaints(getattr(error, "body", None)))[1] or str(error)
        detail = f"HubSpot does not delete it: {said}"
        return replace(step, step=replace(step.step, kind=StepKind.CONFLICT, detail=detail))
    return replace(step, step=replace(step.step, done=True), id="")


def _unready(catalogue: Catalogue, blueprint: Blueprint, view: View) -> str:
    """Why no list can filter by a view's property yet, "" when one can."""
    name, field = blueprint.fields[view.field], FIELDS[view.field]
    entry = catalogue.definitions().get(name)
    if entry is None:
        return f"the portal has no property {name} yet: icp-sync provision --apply"
    if reason := conflict(field, entry):
        return f"property {name}: {reason}"
    lacking = {value for value, _ in missing_options(field, entry, blueprint)} & set(view.values)
    if lacking:
        return f"property {name} has no option {', '.join(sorted(lacking))}: icp-sync provision --apply"
    return ""


def _told(catalogue: Catalogue, wanted: Wanted, steps: Sequence[ViewStep]) -> Views:
    """The steps, with what to click for those that are not allowed, and for views of people's own."""
    by_key = {view.key: view for view in wanted.views}
    lacking = [by_key[step.key] for step in steps if step.step.kind is StepKind.NOTE and not step.id]
    return Views(steps=tuple(steps), by_hand=(*_by_hand(catalogue, wanted, lacking), SAVED))


def _by_hand(catalogue: Catalogue, wanted: Wanted, lacking: Iterable[View]) -> list[str]:
    definitions, fields = catalogue.definitions(), wanted.blueprint.fields
    return [clicks(view, definitions.get(fields[view.field], {})) for view in lacking if view.field in fields]


def _meaning(wanted: Wanted, view: View) -> str:
    name = wanted.blueprint.fields[view.field]
    asked = (
        f"is in the last {view.within_days} days" if view.within_days else f"is {' or '.join(view.values)}"
    )
    whose = "contacts of companies whose " if view.of == "contacts" else "companies whose "
    return f"{whose}{name} {asked}"


def _refused(view: View, why: str, step: ViewStep | None = None) -> ViewStep:
    kept = step if step is not None and step.id else None
    kind = StepKind.CONFLICT if kept else StepKind.NOTE
    told = _step(kind, view.title, why, key=view.key)
    return replace(told, id=kept.id, name=kept.name) if kept else told


def _step(
    kind: StepKind, title: str, detail: str = "", *, key: str = "", entry: Json | None = None
) -> ViewStep:
    step = Step(kind=kind, what=f"list {title}" if key else title, detail=detail)
    if entry is None:
        return ViewStep(step=step, key=key)
    return ViewStep(step=step, key=key, id=str(entry.get("listId", "")), name=str(entry.get("name", title)))
