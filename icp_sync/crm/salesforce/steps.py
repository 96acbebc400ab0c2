"""What an org has of the blueprint, and the steps it still needs. Looking asks; deciding is pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from icp_sync.crm.salesforce import access, existing, metadata, permission_sets, record_types
from icp_sync.crm.salesforce.access import Held
from icp_sync.crm.salesforce.catalogue import Catalogue
from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.metadata import (
    PICKLISTS,
    TYPES,
    Choice,
    Component,
    RecordType,
)
from icp_sync.crm.salesforce.permission_sets import INTEGRATION, READERS, Grants
from icp_sync.crm.salesforce.soql import select
from icp_sync.domain.standing import FIELDS, Field
from icp_sync.errors import UnavailableError
from icp_sync.ports import Blueprint, Step, StepKind

Definition = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Org:
    """An org as far as it matters here. `definitions`: lower-case API name → description of a field.

    hidden: fields of ours somebody sees and we do not, in the same form. user: our own id.
    transfer: whether we write the owner of accounts.
    """

    definitions: Mapping[str, Definition]
    hidden: frozenset[str]
    record_types: tuple[RecordType, ...]
    integration: Held | None
    readers: Held | None
    assigned: bool
    list_views: frozenset[str]
    user: str
    username: str
    transfer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A step, and what is deployed for it. `assigns`: it gives us our permission set."""

    step: Step
    components: tuple[Component, ...] = ()
    assigns: bool = False


def look(client: Client, catalogue: Catalogue, blueprint: Blueprint) -> Org:
    """Ask the org for everything the steps depend on."""
    me = client.userinfo()
    user = str(me.get("user_id") or "")
    if not user.isalnum():
        raise UnavailableError("Salesforce did not say who we are", next_step="icp-sync check")
    definitions = existing.by_name(catalogue.definitions())
    picklists = [name for field, name in blueprint.fields.items() if FIELDS[field].type in PICKLISTS]
    integration = access.held(client, INTEGRATION)
    views = access.asked(client, select(["DeveloperName"], "ListView", ["SobjectType = 'Account'"]))
    return Org(
        definitions=definitions,
        hidden=access.granted(client, blueprint.fields.values()) - set(definitions),
        record_types=record_types.record_types(
            client, picklists, person_accounts="ispersonaccount" in definitions
        ),
        integration=integration,
        readers=access.held(client, READERS),
        assigned=integration is not None and access.assigned(client, integration.id, user),
        list_views=frozenset(str(row.get("DeveloperName")).lower() for row in views or []),
        user=user,
        username=str(me.get("preferred_username") or user),
        transfer="owner" in catalogue.properties,
    )


def intents(org: Org, blueprint: Blueprint, refused: Mapping[str, str]) -> list[Intent]:
    """The steps to the blueprint. `refused`: full name of a component Salesforce did not take → why."""
    fields = [_field(org, blueprint, name, target, refused) for name, target in blueprint.fields.items()]
    usable = {
        name: target
        for (name, target), intent in zip(blueprint.fields.items(), fields, strict=True)
        if intent.step.kind is not StepKind.CONFLICT
    }
    unusable = {f"Account.{name}" for name in set(blueprint.fields.values()) - set(usable.values())}
    integration = permission_sets.integration_grants(blueprint, transfer=org.transfer).without(unusable)
    readers = permission_sets.reader_grants(blueprint).without(unusable)
    made = _permission_set(INTEGRATION, integration, org.integration, refused)
    return [
        *_with_record_types(org, blueprint, fields, refused),
        made,
        _permission_set(READERS, readers, org.readers, refused),
        _assignment(org, made),
        *(_list_view(org, view, refused) for view in metadata.list_views(usable)),
    ]


def _field(org: Org, blueprint: Blueprint, name: str, target: str, refused: Mapping[str, str]) -> Intent:
    field, definition = FIELDS[name], org.definitions.get(target.lower())
    problem = _unusable(field, target, definition, blueprint) or refused.get(f"Account.{target}", "")
    if problem:
        return Intent(step=Step(kind=StepKind.CONFLICT, what=target, detail=problem))
    if definition is None and target.lower() in org.hidden:
        # Deploying a picklist replaces its values, and these we cannot see.
        detail = "hidden from us; its values are looked at once the permission set shows it"
        return Intent(step=Step(kind=StepKind.KEEP, what=target, detail=detail))
    if definition is None:
        made = metadata.custom_field(field, target, metadata.wanted_choices(field, blueprint))
        step = Step(kind=StepKind.CREATE, what=target, detail=f"{TYPES[field.type]}, {field.label}")
        return Intent(step=step, components=(made,))
    added = existing.missing(field, definition, blueprint)
    types = [one for one in org.record_types if f"Account.{one.name}" not in refused]
    detail = _lacking(types, target, metadata.wanted_choices(field, blueprint), added)
    if not detail:
        return Intent(step=Step(kind=StepKind.KEEP, what=target))
    widened = metadata.custom_field(
        field,
        str(definition.get("name") or target),
        existing.united(field, definition, blueprint),
        label=str(definition.get("label") or ""),
        help_text=str(definition.get("inlineHelpText") or ""),
        restricted=definition.get("restrictedPicklist") is not False,
    )
    step = Step(kind=StepKind.ADD_OPTION, what=target, detail=detail)
    return Intent(step=step, components=(widened,) if added else ())


def _unusable(field: Field, target: str, definition: Definition | None, blueprint: Blueprint) -> str:
    if problem := metadata.name_problem(target):
        return problem
    for choice in metadata.wanted_choices(field, blueprint):
        if problem := metadata.value_problem(choice.value, field.type):
            return problem
    return existing.conflict(field, definition) if definition is not None else ""


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


def _with_record_types(
    org: Org, blueprint: Blueprint, fields: Sequence[Intent], refused: Mapping[str, str]
) -> Iterator[Intent]:
    """The fields' intents; with the first picklist that changes go the record types, for all that change."""
    kinds = {target: FIELDS[name] for name, target in blueprint.fields.items()}
    changing = [
        intent.step.what
        for intent in fields
        if intent.step.kind in (StepKind.CREATE, StepKind.ADD_OPTION)
        and kinds[intent.step.what].type in PICKLISTS
    ]
    made = [
        metadata.record_type(
            one, {target: _offered(org, blueprint, one, kinds[target], target) for target in changing}
        )
        for one in org.record_types
    ]
    taken = tuple(component for component in made if component.full_name not in refused)
    for intent in fields:
        first = bool(changing) and intent.step.what == changing[0]
        yield replace(intent, components=(*intent.components, *taken)) if first else intent
    for component in made:
        if problem := refused.get(component.full_name):
            what = f"record type {component.name}"
            yield Intent(step=Step(kind=StepKind.CONFLICT, what=what, detail=problem))


def _offered(org: Org, blueprint: Blueprint, one: RecordType, field: Field, target: str) -> frozenset[str]:
    """What a record type shall offer: what it does and ours, or all there is where that is not known."""
    definition = org.definitions.get(target.lower()) or {}
    known = one.values.get(target)
    if known is None:
        known = frozenset(choice.value for choice in existing.choices(definition) if choice.active)
    return known | {choice.value for choice in metadata.wanted_choices(field, blueprint)}


def _permission_set(name: str, wanted: Grants, found: Held | None, refused: Mapping[str, str]) -> Intent:
    what = f"permission set {name}"
    if problem := refused.get(name):
        return Intent(step=Step(kind=StepKind.CONFLICT, what=what, detail=problem))
    if found is None:
        detail = f"{len(wanted.fields)} fields"
        made = permission_sets.permission_set(name, wanted)
        return Intent(step=Step(kind=StepKind.CREATE, what=what, detail=detail), components=(made,))
    if not (lacking := access.lacking(wanted, found)):
        return Intent(step=Step(kind=StepKind.KEEP, what=what))
    widened = permission_sets.permission_set(name, wanted.beside(found.grants))
    step = Step(kind=StepKind.ADD_OPTION, what=what, detail=", ".join(lacking))
    return Intent(step=step, components=(widened,))


def _assignment(org: Org, integration: Intent) -> Intent:
    what = f"{INTEGRATION} for {org.username}"
    if org.assigned:
        return Intent(step=Step(kind=StepKind.KEEP, what=what))
    if org.integration is None and integration.step.kind is StepKind.CONFLICT:
        return Intent(step=Step(kind=StepKind.CONFLICT, what=what, detail="there is no such permission set"))
    step = Step(kind=StepKind.CREATE, what=what, detail="our fields are invisible to us without it")
    return Intent(step=step, assigns=True)


def _list_view(org: Org, view: Component, refused: Mapping[str, str]) -> Intent:
    step = Step(kind=StepKind.CREATE, what=f"list view {view.name}")
    if view.name.lower() in org.list_views:  # people may have changed it, and it is theirs then
        return Intent(step=replace(step, kind=StepKind.KEEP))
    if problem := refused.get(view.full_name):
        return Intent(step=replace(step, kind=StepKind.CONFLICT, detail=problem))
    return Intent(step=step, components=(view,))
