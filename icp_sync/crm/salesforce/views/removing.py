"""Taking reps' views away: the section of layouts first, then list views, then the formulas of contacts.

Each kind in a deployment of its own: Salesforce does not delete a field that a formula refers to, not even
together with the formula. https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_deploy_deleting_files.htm
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.ids import long_id
from icp_sync.crm.salesforce.provisioning.deploying import NoRightError, delete
from icp_sync.crm.salesforce.provisioning.metadata import Doomed
from icp_sync.crm.salesforce.views import components, looking, sections
from icp_sync.crm.salesforce.views.components import CONTACT
from icp_sync.crm.salesforce.views.looking import Listed, Page, Unread
from icp_sync.crm.salesforce.views.page_layouts import written
from icp_sync.crm.salesforce.views.steps import find, section_of
from icp_sync.domain.views import View
from icp_sync.ports import Blueprint, Step, StepKind, Views, ViewStep

ROUNDS = 5
CHANGED = "people have given it another filter, so it may be theirs by now; --force takes it all the same"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Going:
    """A step, with what is deleted for it or the layout that loses our section."""

    told: ViewStep
    doomed: Doomed | None = None
    page: Page | None = None

    def ended(self, kind: StepKind, detail: str = "", *, done: bool = False) -> _Going:
        """How it came out. What is gone has no id any more."""
        step = replace(self.told.step, kind=kind, detail=detail, done=done)
        return _Going(told=replace(self.told, step=step, id="" if done else self.told.id))


def remove(
    client: Client,
    wanted: Sequence[View],
    blueprint: Blueprint,
    known: Mapping[str, str],
    *,
    apply: bool,
    force: bool,
) -> Views:
    """The steps to an org without reps' views, taken when `apply`."""
    fields = blueprint.fields
    layouts = _sections(client, fields)
    views = _views(client, wanted, fields, known, force=force)
    formulas = _formulas(client, fields)
    if apply:
        layouts = [_without_section(client, one) for one in layouts]
        views, formulas = _deleted(client, views), _deleted(client, formulas)
    return Views(steps=tuple(one.told for one in (*layouts, *views, *formulas)))


def _sections(client: Client, fields: Mapping[str, str]) -> list[_Going]:
    found = looking.told(lambda: looking.layouts(client))
    if isinstance(found, Unread):
        return [_unread("page layouts", found)]
    gone = []
    for page in found:
        whose = sections.shows(page.metadata, fields)
        step = Step(kind=StepKind.REMOVE, what=section_of(page))
        one = _Going(told=ViewStep(step=step), page=page)
        if whose == "ours":
            gone.append(one)
        elif whose:
            gone.append(one.ended(StepKind.KEEP, "people have put other fields into it, so it is theirs"))
    return gone


def _views(
    client: Client,
    wanted: Sequence[View],
    fields: Mapping[str, str],
    known: Mapping[str, str],
    *,
    force: bool,
) -> list[_Going]:
    listed = looking.told(lambda: looking.listed(client))
    if isinstance(listed, Unread):
        return [_unread("list views", listed)]
    found = ((view, find(view, listed, known)) for view in wanted)
    return [_view(client, view, one, fields, known, force=force) for view, one in found if one is not None]


def _view(
    client: Client,
    view: View,
    found: Listed,
    fields: Mapping[str, str],
    known: Mapping[str, str],
    *,
    force: bool,
) -> _Going:
    step = Step(kind=StepKind.REMOVE, what=f"list view {found.name}", detail=found.label)
    told = ViewStep(step=step, key=view.key, id=found.id, name=found.label)
    one = _Going(told=told, doomed=Doomed(kind="ListView", full_name=found.full_name))
    asked = components.filters(view, fields)
    same = looking.asks(client, found, asked) if asked is not None else Unread(why="its field is not carried")
    if same is True:
        return one
    if long_id(known.get(view.key, "")) != long_id(found.id):
        why = (
            same.why if isinstance(same, Unread) else "it asks something else than ours: it is somebody's own"
        )
        return replace(one, told=replace(told, id="")).ended(StepKind.KEEP, why)
    if force:
        return one
    return one.ended(StepKind.KEEP, same.why if isinstance(same, Unread) else CHANGED)


def _formulas(client: Client, fields: Mapping[str, str]) -> list[_Going]:
    found = looking.told(lambda: looking.formulas(client, fields))
    if isinstance(found, Unread):
        return [_unread("fields of contacts", found)]
    gone = []
    for one in found.values():
        name = f"{CONTACT}.{one.target}"
        step = Step(kind=StepKind.REMOVE, what=name)
        doomed = Doomed(kind="CustomField", full_name=name)
        going = _Going(told=ViewStep(step=step), doomed=doomed)
        gone.append(going.ended(StepKind.KEEP, one.why_not) if one.why_not else going)
    return gone


def _without_section(client: Client, one: _Going) -> _Going:
    if one.page is None:
        return one
    problem = written(client, one.page, lambda now: sections.removed(now) if sections.has(now) else None)
    return one.ended(StepKind.CONFLICT, problem) if problem else one.ended(StepKind.REMOVE, done=True)


def _deleted(client: Client, going: Sequence[_Going]) -> list[_Going]:
    """Delete what can be; what Salesforce keeps is a conflict, with its words."""
    refused: dict[str, str] = {}
    for _ in range(ROUNDS):
        doomed = [one.doomed for one in going if one.doomed is not None]
        doomed = [one for one in doomed if one.full_name.lower() not in refused]
        if not doomed:
            break
        try:
            failures = delete(client, doomed, check_only=False)
        except NoRightError as error:
            refused |= {one.full_name.lower(): f"we may not change metadata: {error}" for one in doomed}
            break
        if not failures:
            break
        names = {one.full_name.lower() for one in doomed}
        blamed = {one.name.lower(): one.problem for one in failures}
        whole = "; ".join(one.problem for one in failures)
        refused |= {name: blamed[name] for name in names & blamed.keys()} or dict.fromkeys(names, whole)
    return [_came_out(one, refused) for one in going]


def _came_out(one: _Going, refused: Mapping[str, str]) -> _Going:
    if one.doomed is None:
        return one
    why = refused.get(one.doomed.full_name.lower())
    if why is None:
        return one.ended(StepKind.REMOVE, one.told.step.detail, done=True)
    return one.ended(StepKind.CONFLICT, f"Salesforce keeps it: {why}")


def _unread(what: str, found: Unread) -> _Going:
    return _Going(told=ViewStep(step=Step(kind=StepKind.CONFLICT, what=what, detail=found.why)))
