"""The steps an org still needs, and what is sent for each. Pure: what the org has comes in as arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from icp_sync.crm.salesforce.ids import long_id
from icp_sync.crm.salesforce.provisioning import granting, metadata, permission_sets, record_types
from icp_sync.crm.salesforce.provisioning.access import Held
from icp_sync.crm.salesforce.provisioning.field_steps import (
    Intent,
    Learned,
    business,
    comes,
    deployable,
    field_intent,
    wanted_values,
)
from icp_sync.crm.salesforce.provisioning.looking import Org, Table, Unread, picklists
from icp_sync.crm.salesforce.provisioning.metadata import PICKLISTS, Component
from icp_sync.crm.salesforce.provisioning.permission_sets import INTEGRATION, READERS, Grants
from icp_sync.crm.salesforce.views.components import developer_name
from icp_sync.domain.standing import FIELDS
from icp_sync.domain.views import marked
from icp_sync.ports import Blueprint, Step, StepKind

BY_HAND = "Setup → Object Manager → Opportunity → Record Types"


def intents(org: Org, blueprint: Blueprint, learned: Learned) -> list[Intent]:
    """The steps to the blueprint, in the order they are told."""
    fields, *of_deals = [
        [field_intent(org, table, blueprint, name, learned) for name in table.ours.names]
        for table in org.tables
    ]
    unusable = {
        table.ours.full_name(target).lower()
        for table, planned in zip(org.tables, (fields, *of_deals), strict=True)
        for target, intent in zip(table.ours.names.values(), planned, strict=True)
        if intent.step.kind is StepKind.CONFLICT
    }
    usable = {
        name: target
        for name, target in blueprint.fields.items()
        if org.accounts.ours.full_name(target).lower() not in unusable
    }
    integration = permission_sets.integration_grants(blueprint, transfer=org.transfer).without(unusable)
    readers = permission_sets.reader_grants(blueprint).without(unusable)
    made = _permission_set(org, INTEGRATION, integration, org.integration, learned)
    shown = _permission_set(org, READERS, readers, org.readers, learned)
    return [
        *_with_record_types(org, blueprint, fields, learned),
        *(intent for planned in of_deals for intent in planned),
        *(_kinds_of_deals(org, org.deals, blueprint, learned) if org.deals else ()),
        made,
        _unread_by_people(shown, org),
        _assignment(org, made),
        *(
            _list_view(org, view, learned, blueprint.views, blueprint.mark)
            for view in metadata.list_views(usable, blueprint.mark, prefixed=learned.prefixed)
        ),
    ]


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
    for one in deployable(org, learned):
        new = {target for target in changing if target.lower() not in org.accounts.definitions}
        unread = [target for target in changing if target not in new and target not in one.values]
        offered = {
            target: one.values.get(target, frozenset())
            | {choice.value for choice in wanted_values(org.accounts, blueprint, names[target], learned)}
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
    for one in business(org):
        problem = learned.of(f"Account.{one.name}") or untold.get(one.name, "")
        if not one.known and changes:
            problem = "how it is set up could not be read, and deploying it would replace that"
        if problem:
            problems[f"record type {one.name}"] = problem
    for what, problem in problems.items():
        yield Intent(step=Step(kind=StepKind.CONFLICT, what=what, detail=problem))


def _kinds_of_deals(org: Org, deals: Table, blueprint: Blueprint, learned: Learned) -> Iterator[Intent]:
    """What an administrator must do so that deals of every record type take our values: those types also say
    which sales process a deal follows, and are left to who keeps that."""
    if isinstance(org.kinds_of_deals, Unread):
        step = Step(kind=StepKind.CONFLICT, what="record types of deals", detail=org.kinds_of_deals.why)
        yield Intent(step=step)
        return
    names = {target: name for name, target in deals.ours.names.items()}
    for one in org.kinds_of_deals:
        for target in picklists(deals.ours):
            wanted = [choice.value for choice in wanted_values(deals, blueprint, names[target], learned)]
            new = target.lower() not in deals.definitions
            lacking = wanted if new else record_types.lacking(one, target, wanted)
            if one.active and lacking:
                kind = StepKind.NOTE if new else StepKind.CONFLICT
                detail = f"must offer {', '.join(lacking)} in {target}: {BY_HAND}"
                yield Intent(step=Step(kind=kind, what=f"record type Opportunity.{one.name}", detail=detail))


def _permission_set(
    org: Org, name: str, wanted: Grants, found: Held | Unread | None, learned: Learned
) -> Intent:
    what = f"permission set {name}"
    if isinstance(found, Unread) and comes(org):
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


def _list_view(org: Org, view: Component, learned: Learned, known: Mapping[str, str], mark: str) -> Intent:
    """known: key → id of what is ours whatever people call it now."""
    step = Step(kind=StepKind.CREATE, what=f"list view {view.name}")
    views = org.list_views
    keys = {f"{view.sobject}.{developer_name(one)}": one.key for one in marked(mark)}
    names = {view.name.lower(), long_id(known.get(keys.get(view.full_name, ""), "")).lower()}
    if not isinstance(views, Unread) and names & views:
        return Intent(step=replace(step, kind=StepKind.KEEP))  # people may have changed it; it is theirs
    problem = views.why if isinstance(views, Unread) else learned.of(view.full_name)
    if problem:
        return Intent(step=replace(step, kind=StepKind.CONFLICT, detail=problem))
    return Intent(step=step, components=(view,))
