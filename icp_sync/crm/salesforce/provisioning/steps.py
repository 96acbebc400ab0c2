"""The steps an org still needs, and what is sent for each. Pure: what the org has comes in as arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from icp_sync.crm.salesforce.provisioning import (
    existing,
    granting,
    metadata,
    permission_sets,
    record_types,
    set_up,
)
from icp_sync.crm.salesforce.provisioning.access import Held
from icp_sync.crm.salesforce.provisioning.granting import Grant
from icp_sync.crm.salesforce.provisioning.looking import Definition, Org, Unread
from icp_sync.crm.salesforce.provisioning.metadata import PICKLISTS, TYPES, Choice, Component, RecordType
from icp_sync.crm.salesforce.provisioning.permission_sets import INTEGRATION, READERS, Grants
from icp_sync.domain.standing import FIELDS, Field
from icp_sync.ports import Blueprint, Step, StepKind

HIDDEN = "hidden from us; its values are looked at once the permission set shows it"
UNTOLD = "it exists, nobody shows it to us, and what it is was not told: an administrator must look"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A step, and what is sent for it: metadata, rows of a permission set, or our own assignment."""

    step: Step
    components: tuple[Component, ...] = ()
    rows: tuple[Grant, ...] = ()
    wanted: Grants | None = None
    assigns: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What trying has taught.

    refused: lower-case full name of what Salesforce did not take → why. reunited: lower-case field → values
    somebody else made active while we worked. prefixed: whether list views want `Account.X__c`.
    """

    refused: Mapping[str, str] = field(default_factory=dict)
    reunited: Mapping[str, frozenset[str]] = field(default_factory=dict)
    prefixed: bool = False

    def of(self, name: str) -> str:
        return self.refused.get(name.lower(), "")


def intents(org: Org, blueprint: Blueprint, learned: Learned) -> list[Intent]:
    """The steps to the blueprint, in the order they are told."""
    fields = [_field(org, blueprint, name, learned) for name in blueprint.fields]
    usable = {
        name: target
        for (name, target), intent in zip(blueprint.fields.items(), fields, strict=True)
        if intent.step.kind is not StepKind.CONFLICT
    }
    unusable = {f"account.{name.lower()}" for name in set(blueprint.fields.values()) - set(usable.values())}
    integration = permission_sets.integration_grants(blueprint, transfer=org.transfer).without(unusable)
    readers = permission_sets.reader_grants(blueprint).without(unusable)
    made = _permission_set(org, INTEGRATION, integration, org.integration, learned)
    shown = _permission_set(org, READERS, readers, org.readers, learned)
    return [
        *_with_record_types(org, blueprint, fields, learned),
        made,
        _unread_by_people(shown, org),
        _assignment(org, made),
        *(_list_view(org, view, learned) for view in metadata.list_views(usable, prefixed=learned.prefixed)),
    ]


def _field(org: Org, blueprint: Blueprint, name: str, learned: Learned) -> Intent:
    field, target = FIELDS[name], blueprint.fields[name]
    definition, wanted = org.definitions.get(target.lower()), _wanted(blueprint, name, learned)
    problem = _unusable(org, field, target, wanted) or learned.of(f"Account.{target}")
    if problem:
        return Intent(step=Step(kind=StepKind.CONFLICT, what=target, detail=problem))
    if definition is None and target.lower() in org.unseen:
        return Intent(step=Step(kind=StepKind.KEEP, what=target, detail=HIDDEN))
    if definition is None:
        made = metadata.custom_field(field, target, wanted)
        step = Step(kind=StepKind.CREATE, what=target, detail=f"{TYPES[field.type]}, {field.label}")
        return Intent(step=step, components=(made,))
    added = existing.missing(definition, wanted)
    detail = _lacking(_deployable(org, learned), target, wanted, added)
    if not detail:
        return Intent(step=Step(kind=StepKind.KEEP, what=target))
    step = Step(kind=StepKind.ADD_OPTION, what=target, detail=detail)
    return Intent(step=step, components=(_widened(org, field, target, wanted),) if added else ())


def _widened(org: Org, field: Field, target: str, wanted: Sequence[Choice]) -> Component:
    """A field with more values, and everything else as it is."""
    definition, told = org.definitions[target.lower()], org.set_up.get(target.lower())
    return metadata.custom_field(
        field,
        str(definition.get("name") or target),
        existing.united(definition, wanted),
        restricted=definition.get("restrictedPicklist") is not False,
        ordered=set_up.ordered(told),
        kept=set_up.kept(told, definition),
    )


def _wanted(blueprint: Blueprint, name: str, learned: Learned) -> tuple[Choice, ...]:
    """The values a field must offer: ours, and those others have just added."""
    ours = metadata.wanted_choices(FIELDS[name], blueprint)
    others = learned.reunited.get(blueprint.fields[name].lower(), frozenset()) - {one.value for one in ours}
    return (*ours, *(Choice(value=value, label=value) for value in sorted(others)))


def _unusable(org: Org, field: Field, target: str, wanted: Sequence[Choice]) -> str:
    if problem := metadata.name_problem(target):
        return problem
    for choice in wanted:
        if problem := metadata.value_problem(choice.value, field.type):
            return problem
    definition = org.definitions.get(target.lower())
    if definition is not None:
        known = {**definition, **_set_up_alone(org, target)}
        return existing.conflict(field, known) or existing.doubles(known, wanted)
    if target.lower() in org.unseen:
        return _unseen(org, field, target, wanted)
    return metadata.doubles(wanted)


def _set_up_alone(org: Org, target: str) -> Definition:
    """What no describe tells of a field we see."""
    told = org.set_up.get(target.lower())
    return {"globalValues": set_up.described(told)["globalValues"]} if told else {}


def _unseen(org: Org, field: Field, target: str, wanted: Sequence[Choice]) -> str:
    """Why a field that exists and is hidden from us is not ours, "" when it is one for us, or will be seen
    as soon as we have our permission set."""
    known = org.unseen[target.lower()]
    if known is not None:
        problem = existing.conflict(field, known) or existing.doubles(known, wanted)
        return f"{problem}; it is hidden from us" if problem else ""
    held = org.integration.grants.fields if isinstance(org.integration, Held) else {}
    ours = f"account.{target.lower()}" in {name.lower() for name in held}
    return "" if ours or _comes(org) else UNTOLD


def _lacking(
    types: Sequence[RecordType], target: str, wanted: Sequence[Choice], added: Sequence[Choice]
) -> str:
    """What is to be added to a field and, beyond that, to single record types."""
    new = [choice.value for choice in added]
    said = [", ".join(new)] if new else []
    for one in types:
        lacking = record_types.lacking(one, target, [choice.value for choice in wanted])
        if short := [value for value in lacking if value not in new]:
            said.append(f"record type {one.name}: {', '.join(short)}")
    return "; ".join(said)


def _business(org: Org) -> tuple[RecordType, ...]:
    """The record types that are ours to change: those of person accounts belong to another object."""
    types = () if isinstance(org.record_types, Unread) else org.record_types
    return tuple(one for one in types if not one.person)


def _deployable(org: Org, learned: Learned) -> list[RecordType]:
    return [one for one in _business(org) if one.known and not learned.of(f"Account.{one.name}")]


def _with_record_types(
    org: Org, blueprint: Blueprint, fields: Sequence[Intent], learned: Learned
) -> Iterator[Intent]:
    """The fields' intents; with the first picklist that changes go the record types, for all that change."""
    names = {target: name for name, target in blueprint.fields.items()}
    changing = [
        intent.step.what
        for intent in fields
        if intent.step.kind in (StepKind.CREATE, StepKind.ADD_OPTION)
        and FIELDS[names[intent.step.what]].type in PICKLISTS
    ]
    made, untold = [], {}
    for one in _deployable(org, learned):
        new = {target for target in changing if target.lower() not in org.definitions}
        unread = [target for target in changing if target not in new and target not in one.values]
        offered = {
            target: one.values.get(target, frozenset())
            | {choice.value for choice in _wanted(blueprint, names[target], learned)}
            for target in changing
            if target not in unread
        }
        if unread:
            untold[one.name] = f"which values of {', '.join(unread)} it offers could not be read"
        if offered:
            made.append(metadata.record_type(one, offered))
    for intent in fields:
        first = bool(changing) and intent.step.what == changing[0]
        yield replace(intent, components=(*intent.components, *made)) if first else intent
    yield from _record_type_conflicts(org, learned, untold, changes=bool(changing))


def _record_type_conflicts(
    org: Org, learned: Learned, untold: Mapping[str, str], *, changes: bool
) -> Iterator[Intent]:
    """The record types that may refuse our values and that we do not touch."""
    problems = {}
    if isinstance(org.record_types, Unread):
        problems["record types of accounts"] = org.record_types.why
    for one in _business(org):
        problem = learned.of(f"Account.{one.name}") or untold.get(one.name, "")
        if not one.known and changes:
            problem = "how it is set up could not be read, and deploying it would replace that"
        if problem:
            problems[f"record type {one.name}"] = problem
    for what, problem in problems.items():
        yield Intent(step=Step(kind=StepKind.CONFLICT, what=what, detail=problem))


def _comes(org: Org) -> bool:
    """Whether our permission set is there to be taken, and much is dark only because we do not have it."""
    return bool(org.integration_id) and org.assigned is False


def _permission_set(
    org: Org, name: str, wanted: Grants, found: Held | Unread | None, learned: Learned
) -> Intent:
    what = f"permission set {name}"
    if isinstance(found, Unread) and _comes(org):
        return Intent(step=Step(kind=StepKind.KEEP, what=what, detail="looked at once we have our own"))
    problem = found.why if isinstance(found, Unread) else learned.of(name)
    if problem:
        return Intent(step=Step(kind=StepKind.CONFLICT, what=what, detail=problem))
    if not isinstance(found, Held):
        detail = f"{len(wanted.fields)} fields"
        made = permission_sets.permission_set(name, wanted)
        return Intent(step=Step(kind=StepKind.CREATE, what=what, detail=detail), components=(made,))
    if not (lacking := granting.grants(wanted, found)):
        return Intent(step=Step(kind=StepKind.KEEP, what=what))
    detail = ", ".join(one.shown for one in lacking)
    step = Step(kind=StepKind.ADD_OPTION, what=what, detail=detail)
    return Intent(step=step, rows=lacking, wanted=wanted)


def _unread_by_people(readers: Intent, org: Org) -> Intent:
    """People see nothing of ours before they have the readers' permission set."""
    if readers.step.kind is not StepKind.CREATE and not org.nobody_reads:
        return readers
    told = "nobody has it yet; assign it to whom our fields shall be shown"
    detail = "; ".join(filter(None, (readers.step.detail, told)))
    return replace(readers, step=replace(readers.step, detail=detail))


def assignment(org: Org) -> Step:
    """The step that gives us our permission set."""
    what = f"{INTEGRATION} for {org.username}"
    return Step(kind=StepKind.CREATE, what=what, detail="our fields are invisible to us without it")


def _assignment(org: Org, integration: Intent) -> Intent:
    step = assignment(org)
    if isinstance(org.assigned, Unread):
        return Intent(step=replace(step, kind=StepKind.CONFLICT, detail=org.assigned.why))
    if org.assigned:
        return Intent(step=replace(step, kind=StepKind.KEEP, detail=""))
    if org.integration is None and integration.step.kind is StepKind.CONFLICT:
        detail = "there is no such permission set"
        return Intent(step=replace(step, kind=StepKind.CONFLICT, detail=detail))
    return Intent(step=step, assigns=True)


def _list_view(org: Org, view: Component, learned: Learned) -> Intent:
    step = Step(kind=StepKind.CREATE, what=f"list view {view.name}")
    views = org.list_views
    if not isinstance(views, Unread) and view.name.lower() in views:
        return Intent(step=replace(step, kind=StepKind.KEEP))  # people may have changed it; it is theirs
    problem = views.why if isinstance(views, Unread) else learned.of(view.full_name)
    if problem:
        return Intent(step=replace(step, kind=StepKind.CONFLICT, detail=problem))
    return Intent(step=step, components=(view,))
