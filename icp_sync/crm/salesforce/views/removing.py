"""Taking reps' views away: the section of layouts first, then list views, then the formulas of contacts.

Nothing goes while something else uses those formulas, unless forced. The list views of tiers and states are
made with the fields, and go with them (`provisioning.removing`).
Each kind in a deployment of its own: Salesforce does not delete a field that a formula refers to, not even
together with the formula. https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_deploy_deleting_files.htm
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from icp_sync.crm.salesforce.client import Client, Json
from icp_sync.crm.salesforce.ids import long_id
from icp_sync.crm.salesforce.provisioning.belongings import FIELD, Belonging
from icp_sync.crm.salesforce.provisioning.dependents import dependents, named
from icp_sync.crm.salesforce.provisioning.deploying import NoRightError, delete
from icp_sync.crm.salesforce.provisioning.metadata import Doomed
from icp_sync.crm.salesforce.views import components, looking, sections
from icp_sync.crm.salesforce.views.components import CONTACT
from icp_sync.crm.salesforce.views.looking import Listed, Page, Unread
from icp_sync.crm.salesforce.views.page_layouts import written
from icp_sync.crm.salesforce.views.sections import Own
from icp_sync.crm.salesforce.views.steps import find, section_of
from icp_sync.crm.whose import FOREIGN, Whose
from icp_sync.domain.views import View
from icp_sync.ports import Blueprint, Step, StepKind, Views, ViewStep, unnoted

ROUNDS = 5
CHANGED = "people have given it another filter or other columns; --force takes it all the same"
THEIRS = "it asks something else than ours: it is somebody's own"
NOT_ALONE = "people have put other things into it, or made it: it is theirs"
WITH_FIELDS = "made with the fields, and goes with them: icp-sync provision --remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Going:
    """A step, with what is deleted for it or the layout that loses our section."""

    told: ViewStep
    doomed: Doomed | None = None
    page: Page | None = None
    id: str = ""  # of a field

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
    note: Callable[[ViewStep], None] = unnoted,
) -> Views:
    """The steps to an org without reps' views, taken when `apply` and nothing depends on the fields of
    contacts, or with `force`."""
    own = sections.of(blueprint)
    layouts = _sections(client, own)
    views = _views(client, wanted, blueprint, known, force=force)
    formulas = _formulas(client, blueprint)
    used: Sequence[Step] = ()
    try:
        used = _used(client, views, formulas)
    except NoRightError as error:
        why = f"we may not change metadata: {error}"
        views, formulas, apply = _refused(views, why), _refused(formulas, why), False
    if apply and (force or not used):
        layouts = _each(layouts, lambda one: _without_section(client, one, own), note)
        views = _each(_deleted(client, views), lambda one: one, note)
        formulas = _each(_deleted(client, formulas), lambda one: one, note)
    depends = [ViewStep(step=step) for step in used]
    return Views(steps=(*depends, *(one.told for one in (*layouts, *views, *formulas))))


def _each(
    going: Sequence[_Going], act: Callable[[_Going], _Going], note: Callable[[ViewStep], None]
) -> list[_Going]:
    """All of these, acted upon; what is done is noted at once."""
    ended = []
    for one in going:
        ended.append(act(one))
        if ended[-1].told.step.done:
            note(replace(ended[-1].told, key=one.told.key))
    return ended


def _refused(going: Sequence[_Going], why: str) -> list[_Going]:
    """What would be deleted, and may not be by us."""
    return [
        replace(one.ended(StepKind.CONFLICT, why), told=_lacking(one, why)) if one.doomed else one
        for one in going
    ]


def _lacking(one: _Going, why: str) -> ViewStep:
    step = replace(one.told.step, kind=StepKind.CONFLICT, detail=why, lacks=True)
    return replace(one.told, step=step)


# What depends on the fields of contacts


def _used(client: Client, views: Sequence[_Going], formulas: Sequence[_Going]) -> list[Step]:
    """What uses our fields of contacts beside our own list views: as the org tells it, and by trying.

    Raises NoRightError.
    """
    going = [one for one in (*views, *formulas) if one.doomed is not None]
    fields = [
        Belonging(kind=FIELD, full_name=one.told.step.what, what=one.told.step.what, id=one.id)
        for one in formulas
        if one.doomed is not None
    ]
    if not going:
        return []
    found, _ = dependents(client, fields, [one.told.id for one in views if one.doomed is not None])
    failures = delete(client, [one.doomed for one in going if one.doomed is not None], check_only=True)
    tried = [user for one in failures if (user := named(one)) is not None]
    used = sorted({*found, *tried}, key=lambda one: (one.what, one.field))
    return [Step(kind=StepKind.DEPENDS, what=one.what, detail=f"uses {one.field}") for one in used]


# What goes


def _sections(client: Client, own: Own) -> list[_Going]:
    found = looking.told(lambda: looking.layouts(client))
    if isinstance(found, Unread):
        return [_unread("page layouts", found)]
    gone = []
    for page in found:
        whose = sections.shows(page.metadata, own)
        step = Step(kind=StepKind.REMOVE, what=section_of(page, own))
        one = _Going(told=ViewStep(step=step), page=page)
        if whose == "ours":
            gone.append(one)
        elif whose:
            gone.append(one.ended(StepKind.KEEP, NOT_ALONE))
    return gone


def _views(
    client: Client,
    wanted: Sequence[View],
    blueprint: Blueprint,
    known: Mapping[str, str],
    *,
    force: bool,
) -> list[_Going]:
    listed = looking.told(lambda: looking.listed(client))
    if isinstance(listed, Unread):
        return [_unread("list views", listed)]
    found = ((view, find(view, listed, known)) for view in wanted)
    return [_view(client, view, one, blueprint, known, force=force) for view, one in found if one is not None]


def _view(
    client: Client,
    view: View,
    found: Listed,
    blueprint: Blueprint,
    known: Mapping[str, str],
    *,
    force: bool,
) -> _Going:
    step = Step(kind=StepKind.REMOVE, what=f"list view {found.name}", detail=found.label)
    told = ViewStep(step=step, key=view.key, id=found.id, name=found.label)
    one = _Going(told=told)
    nobodys = replace(one, told=replace(told, id=""))
    if components.of_state(view):
        return nobodys.ended(StepKind.KEEP, WITH_FIELDS)
    going = replace(one, doomed=Doomed(kind="ListView", full_name=found.full_name))
    knows = long_id(known.get(view.key, "")) == long_id(found.id)
    described = looking.described(client, found)
    if isinstance(described, Unread):
        return (
            (going if force else one.ended(StepKind.KEEP, described.why))
            if knows
            else nobodys.ended(StepKind.KEEP, described.why)
        )
    whose = looking.whose(described, view, blueprint, known=knows)
    if whose is Whose.FOREIGN or (whose is Whose.THEIRS and not knows):
        why = FOREIGN if whose is Whose.FOREIGN else THEIRS
        return nobodys.ended(StepKind.KEEP, why)
    columns = not found.changed or whose is Whose.EARLIER or looking.as_made(described, view, blueprint)
    if whose is Whose.THEIRS or not columns:
        return going if force and knows else one.ended(StepKind.KEEP, CHANGED)
    return going


def _formulas(client: Client, blueprint: Blueprint) -> list[_Going]:
    found = looking.told(lambda: looking.formulas(client, blueprint))
    if isinstance(found, Unread):
        return [_unread("fields of contacts", found)]
    gone = []
    for one in found.values():
        name = f"{CONTACT}.{one.target}"
        step = Step(kind=StepKind.REMOVE, what=name)
        doomed = Doomed(kind="CustomField", full_name=name)
        going = _Going(told=ViewStep(step=step), doomed=doomed, id=one.id)
        gone.append(going.ended(StepKind.KEEP, one.why_not) if one.why_not else going)
    return gone


def _without_section(client: Client, one: _Going, own: Own) -> _Going:
    """As the layout is now, not as it was when we looked."""
    if one.page is None:
        return one

    def change(now: Json) -> Json | str:
        whose = sections.shows(now, own)
        return sections.removed(now, own) if whose == "ours" else NOT_ALONE if whose else ""

    problem = written(client, one.page, own, change)
    if problem == NOT_ALONE:
        return one.ended(StepKind.KEEP, NOT_ALONE)
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
