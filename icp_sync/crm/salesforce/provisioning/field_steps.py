"""The step one of our fields still needs, on whichever object it is. Pure: it takes what the org has.

An intent is a step with what is sent for it; `steps` puts those of an org together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from icp_sync.crm.salesforce.provisioning import existing, metadata, record_types, set_up
from icp_sync.crm.salesforce.provisioning.access import Held
from icp_sync.crm.salesforce.provisioning.granting import Grant
from icp_sync.crm.salesforce.provisioning.looking import Definition, Org, Table, Unread
from icp_sync.crm.salesforce.provisioning.metadata import ACCOUNT, TYPES, Choice, Component, RecordType
from icp_sync.crm.salesforce.provisioning.permission_sets import Grants
from icp_sync.domain.standing import Field
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

    refused: lower-case full name of what Salesforce did not take → why. reunited: lower-case full name of a
    field → values somebody else made active while we worked. prefixed: whether list views want
    `Account.X__c`.
    """

    refused: Mapping[str, str] = field(default_factory=dict)
    reunited: Mapping[str, frozenset[str]] = field(default_factory=dict)
    prefixed: bool = False

    def of(self, name: str) -> str:
        return self.refused.get(name.lower(), "")


def field_intent(org: Org, table: Table, blueprint: Blueprint, name: str, learned: Learned) -> Intent:
    """The step for one field of a table."""
    ours = table.ours
    known, target, shown = ours.known[name], ours.names[name], ours.shown(ours.names[name])
    definition = table.definitions.get(target.lower())
    wanted = wanted_values(table, blueprint, name, learned)
    problem = _unusable(org, table, known, target, wanted) or learned.of(ours.full_name(target))
    if problem:
        return Intent(step=Step(kind=StepKind.CONFLICT, what=shown, detail=problem))
    if definition is None and target.lower() in table.unseen:
        return Intent(step=Step(kind=StepKind.KEEP, what=shown, detail=HIDDEN))
    if definition is None:
        made = metadata.custom_field(known, target, wanted, sobject=ours.sobject)
        step = Step(kind=StepKind.CREATE, what=shown, detail=f"{TYPES[known.type]}, {known.label}")
        return Intent(step=step, components=(made,))
    added = existing.missing(definition, wanted)
    types = deployable(org, learned) if ours.sobject == ACCOUNT else []
    detail = _lacking(types, target, wanted, added)
    if not detail:
        return Intent(step=Step(kind=StepKind.KEEP, what=shown))
    step = Step(kind=StepKind.ADD_OPTION, what=shown, detail=detail)
    return Intent(step=step, components=(_widened(table, known, target, wanted),) if added else ())


def wanted_values(table: Table, blueprint: Blueprint, name: str, learned: Learned) -> tuple[Choice, ...]:
    """The values a field must offer: ours, and those others have just added."""
    ours = metadata.wanted_choices(table.ours.known[name], blueprint)
    full_name = table.ours.full_name(table.ours.names[name])
    others = learned.reunited.get(full_name.lower(), frozenset()) - {one.value for one in ours}
    return (*ours, *(Choice(value=value, label=value) for value in sorted(others)))


def _widened(table: Table, known: Field, target: str, wanted: Sequence[Choice]) -> Component:
    """A field with more values, and everything else as it is."""
    definition, told = table.definitions[target.lower()], table.set_up.get(target.lower())
    return metadata.custom_field(
        known,
        str(definition.get("name") or target),
        existing.united(definition, wanted),
        restricted=definition.get("restrictedPicklist") is not False,
        ordered=set_up.ordered(told),
        kept=set_up.kept(told, definition),
        sobject=table.ours.sobject,
    )


def _unusable(org: Org, table: Table, known: Field, target: str, wanted: Sequence[Choice]) -> str:
    if problem := metadata.name_problem(target):
        return problem
    for choice in wanted:
        if problem := metadata.value_problem(choice.value, known.type):
            return problem
    definition = table.definitions.get(target.lower())
    if definition is not None:
        held = {**definition, **_set_up_alone(table, target)}
        return existing.conflict(known, held) or existing.doubles(held, wanted)
    if target.lower() in table.unseen:
        return _unseen(org, table, known, target, wanted)
    return metadata.doubles(wanted)


def _set_up_alone(table: Table, target: str) -> Definition:
    """What no describe tells of a field we see."""
    told = table.set_up.get(target.lower())
    return {"globalValues": set_up.described(told)["globalValues"]} if told else {}


def _unseen(org: Org, table: Table, known: Field, target: str, wanted: Sequence[Choice]) -> str:
    """Why a field that exists and is hidden from us is not ours, "" when it is one for us, or will be seen
    as soon as we have our permission set."""
    told = table.unseen[target.lower()]
    if told is not None:
        problem = existing.conflict(known, told) or existing.doubles(told, wanted)
        return f"{problem}; it is hidden from us" if problem else ""
    held = org.integration.grants.fields if isinstance(org.integration, Held) else {}
    granted = table.ours.full_name(target).lower() in {name.lower() for name in held}
    return "" if granted or comes(org) else UNTOLD


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


def business(org: Org) -> tuple[RecordType, ...]:
    """The record types that are ours to change: those of person accounts belong to another object."""
    types = () if isinstance(org.record_types, Unread) else org.record_types
    return tuple(one for one in types if not one.person)


def deployable(org: Org, learned: Learned) -> list[RecordType]:
    """Those of them that can be deployed and lose nothing."""
    return [one for one in business(org) if one.known and not learned.of(f"Account.{one.name}")]


def comes(org: Org) -> bool:
    """Whether our permission set is there to be taken, and much is dark only because we do not have it."""
    return bool(org.integration_id) and org.assigned is False
