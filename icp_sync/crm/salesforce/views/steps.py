"""The steps an org still needs for reps' views, and what is sent for each. Pure, but for the filters it asks.

A list view is known by the id the journal has, else by our name with our filter; what bears our name and asks
something else is somebody's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from icp_sync.crm.salesforce.ids import long_id
from icp_sync.crm.salesforce.provisioning import granting
from icp_sync.crm.salesforce.provisioning.access import Held
from icp_sync.crm.salesforce.provisioning.granting import Grant
from icp_sync.crm.salesforce.provisioning.metadata import Component
from icp_sync.crm.salesforce.provisioning.permission_sets import Grants
from icp_sync.crm.salesforce.views import components, sections
from icp_sync.crm.salesforce.views.components import CONTACT, Filter, shared
from icp_sync.crm.salesforce.views.looking import Listed, Page, Setup, Unread
from icp_sync.domain.views import View
from icp_sync.ports import Step, StepKind, ViewStep

Asks = Callable[[Listed, Filter], "bool | Unread"]
"""Whether a list view has a filter."""

FIRST = "icp-sync provision --apply makes it first"
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


def formulas(setup: Setup, fields: Mapping[str, str], learned: Learned) -> Iterator[Intent]:
    """The fields of contacts."""
    for name, target in shared(fields).items():
        component = components.formula_field(name, target)
        step = Step(kind=StepKind.CREATE, what=component.full_name, detail=components.formula(name, target))
        one = Intent(told=ViewStep(step=step), component=component)
        found = setup.formulas if isinstance(setup.formulas, Unread) else setup.formulas.get(target.lower())
        if isinstance(found, Unread):
            yield one.turned(StepKind.NOTE, found.why)
        elif found is not None:
            kind = StepKind.CONFLICT if found.why_not else StepKind.KEEP
            yield one.turned(kind, found.why_not)
        elif target.lower() in setup.missing:
            yield one.turned(StepKind.NOTE, f"there is no {target} on accounts; {FIRST}")
        elif why := learned.refused.get(component.full_name.lower()):
            yield one.turned(StepKind.CONFLICT, why)
        else:
            yield one


def views(
    wanted: Sequence[View],
    setup: Setup,
    fields: Mapping[str, str],
    known: Mapping[str, str],
    learned: Learned,
    asks: Asks,
    usable: frozenset[str],
) -> Iterator[Intent]:
    """The list views. usable: lower-case fields of contacts that are ours, or will be."""
    for view in wanted:
        yield _view(view, setup, fields, known, learned, asks, usable)


def _view(
    view: View,
    setup: Setup,
    fields: Mapping[str, str],
    known: Mapping[str, str],
    learned: Learned,
    asks: Asks,
    usable: frozenset[str],
) -> Intent:
    name = components.developer_name(view)
    step = Step(kind=StepKind.CREATE, what=f"list view {name}", detail=components.label(view))
    one = Intent(told=ViewStep(step=step, key=view.key, name=components.label(view)))
    asked = components.filters(view, fields)
    if asked is None:
        return one.turned(StepKind.NOTE, f"this connection carries no {view.field} to filter by")
    if isinstance(setup.views, Unread):
        return one.turned(StepKind.NOTE, setup.views.why)
    if view.of == "accounts" and asked.field.lower() in setup.missing:
        return one.turned(StepKind.NOTE, f"there is no field {asked.field}; {FIRST}")
    if view.of == "contacts" and asked.field.lower() not in usable:
        return one.turned(StepKind.NOTE, f"it filters by {CONTACT}.{asked.field}, which is not ours")
    found = find(view, setup.views, known)
    if found is None:
        component = components.list_view(view, fields, prefixed=learned.prefixed)
        why = learned.refused.get(component.full_name.lower(), "") if component is not None else ""
        return one.turned(StepKind.CONFLICT, why) if why else replace(one, component=component)
    return _there(one, view, found, fields, known, learned, asks(found, asked))


def _there(
    one: Intent,
    view: View,
    found: Listed,
    fields: Mapping[str, str],
    known: Mapping[str, str],
    learned: Learned,
    same: bool | Unread,
) -> Intent:
    """A list view that is there already."""
    ours = _known(known, view.key) == long_id(found.id)
    named = replace(one, told=replace(one.told, id=found.id, name=found.label))
    if same is True:
        return named.turned(StepKind.KEEP, "")
    if isinstance(same, Unread):
        return (
            named.turned(StepKind.KEEP, same.why) if ours else one.turned(StepKind.CONFLICT, same.why, id="")
        )
    if not ours:
        why = "a list view of this name is there, and it asks something else: it is somebody's own"
        return one.turned(StepKind.CONFLICT, why, id="")
    again = components.list_view(view, fields, prefixed=learned.prefixed, called=found.label, name=found.name)
    why = "people have given it another filter; --force puts ours back, and our columns"
    step = replace(named.told.step, kind=StepKind.RESTORE, detail=why)
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


def layouts(setup: Setup, fields: Mapping[str, str]) -> Iterator[Intent]:
    """Our section on every page layout."""
    there = {name: target for name, target in fields.items() if target.lower() not in setup.missing}
    if not any(sections.columns(there)):
        return
    if isinstance(setup.layouts, Unread):
        step = Step(kind=StepKind.NOTE, what="page layouts", detail=setup.layouts.why)
        yield Intent(told=ViewStep(step=step))
        return
    for page in setup.layouts:
        step = Step(kind=StepKind.CREATE, what=section_of(page))
        one = Intent(told=ViewStep(step=step), page=page)
        whose = sections.shows(page.metadata, there)
        lacking = sections.lacking(page.metadata, there)
        if whose == "theirs":
            why = f"there is a section {sections.LABEL} with other fields in it: it is somebody's own"
            yield one.turned(StepKind.CONFLICT, why)
        elif whose:
            yield one.turned(StepKind.KEEP, f"without {', '.join(lacking)}" if lacking else "")
        elif not lacking:
            yield one.turned(StepKind.KEEP, "the layout shows every field of it elsewhere")
        else:
            yield one


def section_of(page: Page) -> str:
    return f"section {sections.LABEL} on the page layout {page.name}"
