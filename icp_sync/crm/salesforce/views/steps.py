"""The steps an org still needs for reps' views, and what is sent for each. Pure, but for the filters it asks.

A list view is known by the id the journal has, else by our name with our filter; what bears our name and asks
something else is somebody's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from icp_sync.crm.salesforce.client import Json
from icp_sync.crm.salesforce.ids import long_id
from icp_sync.crm.salesforce.provisioning import granting
from icp_sync.crm.salesforce.provisioning.access import Held
from icp_sync.crm.salesforce.provisioning.granting import Grant
from icp_sync.crm.salesforce.provisioning.metadata import Component
from icp_sync.crm.salesforce.provisioning.permission_sets import Grants
from icp_sync.crm.salesforce.views import components, looking, sections
from icp_sync.crm.salesforce.views.components import CONTACT, shared
from icp_sync.crm.salesforce.views.looking import Listed, Page, Setup, Unread
from icp_sync.crm.salesforce.views.sections import Own
from icp_sync.crm.whose import EARLIER, FOREIGN, OTHER_NAME, Whose
from icp_sync.domain.views import View
from icp_sync.ports import Blueprint, Step, StepKind, ViewStep

Describe = Callable[[Listed], "Json | Unread"]
"""What describing a list view tells of it."""

FIRST = "icp-sync provision --apply makes it first"
BEFORE = "made before; now"
HIDDEN = "the org has it, and does not show it to us: what it shows would be replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A step, and what is sent for it: metadata, rows of a permission set, or a layout's section."""

    told: ViewStep
    component: Component | None = None
    rows: tuple[Grant, ...] = ()
    wanted: Grants | None = None
    page: Page | None = None

    @property
    def kind(self) -> StepKind:
        return self.told.step.kind

    def turned(self, kind: StepKind, detail: str, *, id: str | None = None) -> Intent:
        """The same step, come to another end; nothing is sent for it."""
        step = replace(self.told.step, kind=kind, detail=detail)
        told = replace(self.told, step=step, id=self.told.id if id is None else id)
        return Intent(told=told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What trying has taught: lower-case full name → why it was refused; whether list views want the object
    before a field's name."""

    refused: Mapping[str, str] = field(default_factory=dict)
    prefixed: bool = False


def formulas(setup: Setup, blueprint: Blueprint, learned: Learned) -> Iterator[Intent]:
    """The fields of contacts."""
    for name, target in shared(blueprint.fields).items():
        component = components.formula_field(name, target)
        step = Step(kind=StepKind.CREATE, what=component.full_name, detail=components.formula(name, target))
        one = Intent(told=ViewStep(step=step), component=component)
        found = setup.formulas if isinstance(setup.formulas, Unread) else setup.formulas.get(target.lower())
        if isinstance(found, Unread):
            yield _unread(one, found, made=component.full_name in blueprint.made)
        elif found is not None:
            kind = StepKind.CONFLICT if found.why_not else StepKind.KEEP
            yield one.turned(kind, found.why_not)
        elif target.lower() in setup.missing:
            yield one.turned(StepKind.NOTE, f"there is no {target} on accounts; {FIRST}")
        elif why := learned.refused.get(component.full_name.lower()):
            yield one.turned(StepKind.CONFLICT, why)
        else:
            yield one


def _unread(one: Intent, found: Unread, *, made: bool) -> Intent:
    """What cannot be looked at is there all the same, as far as we know, where we made it."""
    return (
        one.turned(StepKind.KEEP, f"{BEFORE} {found.why}") if made else one.turned(StepKind.NOTE, found.why)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """What list views are judged by. known: key → id as the journal has it. usable: lower-case fields of
    contacts that are ours, or will be."""

    setup: Setup
    blueprint: Blueprint
    known: Mapping[str, str]
    learned: Learned
    describe: Describe
    usable: frozenset[str]

    def knows(self, key: str, found: Listed) -> bool:
        return _known(self.known, key) == long_id(found.id)


def views(wanted: Sequence[View], shelf: Shelf) -> Iterator[Intent]:
    """The list views."""
    for view in wanted:
        yield _view(view, shelf)


def _view(view: View, shelf: Shelf) -> Intent:
    setup, fields = shelf.setup, shelf.blueprint.fields
    name = components.developer_name(view)
    step = Step(kind=StepKind.CREATE, what=f"list view {name}", detail=components.label(view))
    one = Intent(told=ViewStep(step=step, key=view.key, name=components.label(view)))
    asked = components.filters(view, fields)
    if asked is None:
        return one.turned(StepKind.NOTE, f"this connection carries no {view.field} to filter by")
    if isinstance(setup.views, Unread):
        return _unread(one, setup.views, made=view.key in shelf.known)
    found = find(view, setup.views, shelf.known)
    if found is not None:
        return _there(one, view, found, shelf)
    if view.of == "accounts" and asked.field.lower() in setup.missing:
        return one.turned(StepKind.NOTE, f"there is no field {asked.field}; {FIRST}")
    if view.of == "contacts" and asked.field.lower() not in shelf.usable:
        return one.turned(StepKind.NOTE, f"it filters by {CONTACT}.{asked.field}, which is not ours")
    component = components.list_view(view, fields, prefixed=shelf.learned.prefixed)
    why = shelf.learned.refused.get(component.full_name.lower(), "") if component is not None else ""
    return one.turned(StepKind.CONFLICT, why) if why else replace(one, component=component)


def _there(one: Intent, view: View, found: Listed, shelf: Shelf) -> Intent:
    """A list view that is there already."""
    blueprint, known = shelf.blueprint, shelf.knows(view.key, found)
    named = replace(one, told=replace(one.told, id=found.id, name=found.label))
    told = shelf.describe(found)
    if isinstance(told, Unread):
        return named.turned(StepKind.KEEP, told.why) if known else one.turned(StepKind.CONFLICT, told.why)
    match looking.whose(told, view, blueprint, known=known):
        case Whose.OURS:
            return named.turned(StepKind.KEEP, "")
        case Whose.FOREIGN:
            return one.turned(StepKind.CONFLICT, f"{FOREIGN}; {OTHER_NAME}")
        case Whose.EARLIER:
            kind, why = StepKind.UPDATE, EARLIER
        case Whose.THEIRS if not known:
            why = "a list view of this name is there, and it asks something else: it is somebody's own"
            return one.turned(StepKind.CONFLICT, f"{why}; {OTHER_NAME}")
        case _:
            why = (
                f"people have it ask {looking.asked(told)}; --force puts our filter and columns back, for all"
            )
            kind = StepKind.RESTORE
    prefixed = shelf.learned.prefixed
    again = components.list_view(
        view, blueprint.fields, prefixed=prefixed, called=found.label, name=found.name
    )
    refused = shelf.learned.refused.get(again.full_name.lower(), "") if again is not None else ""
    if refused:
        return named.turned(StepKind.CONFLICT, refused)
    step = replace(named.told.step, kind=kind, detail=why)
    return replace(named, told=replace(named.told, step=step), component=again)


def find(view: View, listed: Sequence[Listed], known: Mapping[str, str]) -> Listed | None:
    """The list view the journal knows by its id, else the one of our name."""
    sobject, name = components.sobject(view), components.developer_name(view).lower()
    of = [one for one in listed if one.sobject == sobject]
    id = _known(known, view.key)
    by_id = next((one for one in of if id and long_id(one.id) == id), None)
    return by_id or next((one for one in of if one.name.lower() == name), None)


def _known(known: Mapping[str, str], key: str) -> str:
    return long_id(known.get(key, ""))


def grants(setup: Setup, fields: Mapping[str, str], usable: frozenset[str]) -> Iterator[Intent]:
    """What our permission sets lack to show the fields of contacts."""
    wanted = components.contact_grants(fields)
    hidden = [name for name in wanted.fields if name.partition(".")[2].lower() not in usable]
    wanted = wanted.without([name.lower() for name in hidden])
    for name, held in setup.sets.items():
        if not wanted.fields:
            return
        step = Step(kind=StepKind.ADD_OPTION, what=f"permission set {name}")
        one = Intent(told=ViewStep(step=step))
        if not isinstance(held, Held):
            why = held.why if isinstance(held, Unread) else f"there is none; {FIRST}"
            yield one.turned(StepKind.NOTE, why)
        elif rows := granting.grants(wanted, held):
            detail = ", ".join(row.shown for row in rows)
            yield replace(one.turned(StepKind.ADD_OPTION, detail), rows=rows, wanted=wanted)
        else:
            yield one.turned(StepKind.KEEP, "")


def layouts(setup: Setup, blueprint: Blueprint, own: Own) -> Iterator[Intent]:
    """Our section on every page layout."""
    if not any(sections.columns(own.fields)):
        return
    if isinstance(setup.layouts, Unread):
        made = any(what.startswith(f"section {own.label} ") for what in blueprint.made)
        one = Intent(told=ViewStep(step=Step(kind=StepKind.NOTE, what="page layouts")))
        yield _unread(one, setup.layouts, made=made)
        return
    for page in setup.layouts:
        step = Step(kind=StepKind.CREATE, what=section_of(page, own))
        yield _section(Intent(told=ViewStep(step=step), page=page), page, own)


def _section(one: Intent, page: Page, own: Own) -> Intent:
    lacking = sections.lacking(page.metadata, own)
    found = sections.ours(page.metadata, own)
    if found is not None and sections.outdated(found, own):
        step = replace(one.told.step, kind=StepKind.UPDATE, detail="it shows fields of earlier settings")
        return replace(one, told=replace(one.told, step=step))
    if found is not None:
        name = sections.called(found, own)
        said = [f"people call it {name}"] if name else []
        said += [f"without {', '.join(lacking)}"] if lacking else []
        return one.turned(StepKind.KEEP, "; ".join(said))
    if not lacking:
        return one.turned(StepKind.KEEP, "the layout shows every field of it elsewhere")
    if sections.shows(page.metadata, own):
        return one.turned(StepKind.CONFLICT, f"{not_alone(own)}; {OTHER_NAME}")
    return one


def not_alone(own: Own) -> str:
    return f"there is a section {own.label} that is not ours alone"


def section_of(page: Page, own: Own) -> str:
    return f"section {own.label} on the page layout {page.name}"
