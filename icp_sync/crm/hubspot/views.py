"""The active lists reps work from: made, kept, set right when asked, and taken away. Never another's.

A list is ours when the journal knows its id, or when it is active, bears our name and filters as we do by a
property this installation made. What people made of one of ours, its name and its folder, is theirs; so is
its filter, until somebody forces ours back. A filter by a property of earlier settings is our own work, too.
Not every plan or token may make lists: that is told, with what to click instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from icp_sync.crm.hubspot import segments
from icp_sync.crm.hubspot.by_hand import SAVED, clicks
from icp_sync.crm.hubspot.catalogue import Catalogue
from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.definitions import conflict, missing_options
from icp_sync.crm.hubspot.records import LISTS, Json
from icp_sync.crm.hubspot.replies import complaints, summary
from icp_sync.crm.whose import EARLIER, FOREIGN, OTHER_NAME, Whose, provision_first
from icp_sync.domain.standing import FIELDS
from icp_sync.domain.views import View
from icp_sync.errors import AuthError, RequestError
from icp_sync.ports import Blueprint, Step, StepKind, Views, ViewStep, unnoted

DUPLICATE = "ILS.DUPLICATE_LIST_NAMES"
NOT_OURS = f"there is a list of that name that is not ours; rename it, or {OTHER_NAME}"
CHANGED = "people changed its filter, or made it static; --force takes it all the same"
STATIC = "people made it a static list, which follows nothing; delete it to have it made again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for. known: key → id as the journal has it. zone: the portal's. note: see `Crm.views`."""

    views: Sequence[View]
    blueprint: Blueprint
    known: Mapping[str, str]
    zone: str
    note: Callable[[ViewStep], None] = unnoted

    def filter(self, view: View) -> Json:
        return segments.filter_branch(view, self.blueprint.fields[view.field], self.zone)

    def knows(self, key: str, entry: Json) -> bool:
        return self.known.get(key) == str(entry.get("listId"))

    def whose(self, view: View, entry: Json) -> Whose:
        """By what a list filters by, whatever it is called. A static one follows nothing."""
        branch = entry.get("filterBranch")
        if entry.get("processingType") != "DYNAMIC":
            return Whose.THEIRS
        now = self.blueprint.fields.get(view.field, "")
        if now and segments.same(branch, self.filter(view)):
            own = self.knows(view.key, entry) or self.blueprint.mine(now)
            return Whose.OURS if own else Whose.FOREIGN
        earlier = (self.blueprint.made & set(segments.properties_of(branch))) - {now}
        filters = (segments.filter_branch(view, name, self.zone) for name in earlier)
        return Whose.EARLIER if any(segments.same(branch, one) for one in filters) else Whose.THEIRS


def provide(client: Client, catalogue: Catalogue, wanted: Wanted, *, apply: bool, force: bool) -> Views:
    """The steps to all lists, taken when `apply`; filters people changed are set right with `force`."""
    catalogue.refresh(judge=False)
    fields = wanted.blueprint.fields
    names = dict.fromkeys(fields[view.field] for view in wanted.views if view.field in fields)
    if names and not names.keys() & catalogue.definitions().keys():
        raise provision_first(list(names))
    try:
        found = _found(client, wanted)
    except AuthError as error:
        return _told(catalogue, wanted, [_refused(view, str(error)) for view in wanted.views])
    steps = []
    for view in wanted.views:
        step = _planned(catalogue, wanted, view, found.get(view.key))
        if apply and _acts(step, force=force):
            step = _noted(wanted, _taken(client, wanted, view, step))
        steps.append(step)
    return _told(catalogue, wanted, steps)


def withdraw(client: Client, wanted: Wanted, *, apply: bool, force: bool) -> Views:
    """The steps to a portal without our lists, taken when `apply`."""
    try:
        found = _found(client, wanted)
    except AuthError as error:
        if not wanted.known:
            return Views(steps=())
        told = _step(StepKind.CONFLICT, "lists", str(error))
        return Views(steps=(replace(told, step=replace(told.step, lacks=True)),))
    by_key = {view.key: view for view in wanted.views}
    steps = []
    for key, entry in found.items():
        step = _going(wanted, by_key.get(key), key, entry, force=force)
        if step is not None and step.step.kind is StepKind.REMOVE and apply:
            step = _noted(wanted, _gone(client, step))
        steps += [step] if step is not None else []
    return Views(steps=tuple(steps))


def _going(wanted: Wanted, view: View | None, key: str, entry: Json, *, force: bool) -> ViewStep | None:
    """What a removal does about one list, None for what is none of our business."""
    title = view.title if view is not None else key
    whose = wanted.whose(view, entry) if view is not None else Whose.OURS
    if whose is Whose.FOREIGN:
        return _step(StepKind.KEEP, title, FOREIGN, key=key)
    if whose is Whose.THEIRS:
        if not wanted.knows(key, entry):
            return None
        if not force:
            return _step(StepKind.KEEP, title, CHANGED, key=key, entry=entry)
    return _step(StepKind.REMOVE, title, key=key, entry=entry)


def _noted(wanted: Wanted, step: ViewStep) -> ViewStep:
    if step.step.done:
        wanted.note(step)
    return step


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
    known = entry is not None and wanted.knows(view.key, entry)
    if view.field not in wanted.blueprint.fields:
        left = "; the list that was made before stays, without being kept up" if known else ""
        detail = f"left out: this connection does not carry {view.field}{left}"
        return _step(StepKind.NOTE, view.title, detail, key=view.key, entry=entry if known else None)
    if reason := _unready(catalogue, wanted.blueprint, view):
        return _step(StepKind.CONFLICT, view.title, reason, key=view.key, entry=entry if known else None)
    if entry is None:
        return _step(StepKind.CREATE, view.title, _meaning(wanted, view), key=view.key)
    whose = wanted.whose(view, entry)
    if whose is Whose.FOREIGN:
        return _step(StepKind.CONFLICT, view.title, f"{FOREIGN}; {OTHER_NAME}", key=view.key)
    if whose is Whose.EARLIER:
        return _step(StepKind.UPDATE, view.title, EARLIER, key=view.key, entry=entry)
    if whose is Whose.THEIRS and not wanted.knows(view.key, entry):
        return _step(StepKind.CONFLICT, view.title, NOT_OURS, key=view.key)
    if entry.get("processingType") != "DYNAMIC":
        return _step(StepKind.CONFLICT, view.title, STATIC, key=view.key, entry=entry)
    if whose is Whose.THEIRS:
        detail = f"it shows {segments.said(entry.get('filterBranch'))} now; --apply --force sets it right"
        return _step(StepKind.RESTORE, view.title, detail, key=view.key, entry=entry)
    called = str(entry.get("name"))
    detail = "" if called == view.title else f"people call it {called}"
    return _step(StepKind.KEEP, view.title, detail, key=view.key, entry=entry)


def _acts(step: ViewStep, *, force: bool) -> bool:
    kinds = (StepKind.CREATE, StepKind.UPDATE, *([StepKind.RESTORE] if force else []))
    return step.step.kind in kinds


def _taken(client: Client, wanted: Wanted, view: View, step: ViewStep) -> ViewStep:
    """The step, taken. What HubSpot refuses is told, and the next one is tried."""
    name = wanted.blueprint.fields[view.field]
    try:
        if step.step.kind is not StepKind.CREATE:
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
        detail, lacks = f"HubSpot does not delete it: {said}", isinstance(error, AuthError)
        return replace(step, step=replace(step.step, kind=StepKind.CONFLICT, detail=detail, lacks=lacks))
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
