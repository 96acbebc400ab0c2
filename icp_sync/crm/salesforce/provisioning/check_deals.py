"""What keeps deals from being read or stamped, found by asking, each with what to do next. Changes nothing.

Nothing is asked where nobody wants anything of deals, and nobody needs the right to edit them where they are
only followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.provisioning import access, existing, record_types
from icp_sync.crm.salesforce.provisioning.looking import described, picklists
from icp_sync.crm.salesforce.provisioning.metadata import OPPORTUNITY, Ours, ours, wanted_choices
from icp_sync.crm.salesforce.provisioning.permission_sets import INTEGRATION, READERS
from icp_sync.crm.salesforce.reads.deals import NEEDED
from icp_sync.errors import Problem
from icp_sync.ports import Blueprint

Definitions = Mapping[str, Mapping[str, Any]]
"""Lower-case field → what a describe tells of it."""

PROVISION = "icp-sync provision --apply"
ASSIGN = f"assign the permission set {INTEGRATION} to the integration user"
OFFER = "add them there: Setup → Object Manager → Opportunity → Record Types"


def deal_problems(client: Client, blueprint: Blueprint, user: str) -> list[Problem]:
    """Everything wrong with what we read of deals, and with the three fields of the stamp. user: our own id.

    Raises what a refused question raises.
    """
    if not (blueprint.follows_deals or blueprint.deal_fields):
        return []
    definitions = described(client, OPPORTUNITY)
    if not definitions:
        what = "the user may not read opportunities"
        return [Problem(where="object Opportunity", what=what, hint=f"{PROVISION}, or {ASSIGN}")]
    stamp = ours(blueprint)[1:]
    return [
        *_read(definitions),
        *(one for table in stamp for one in _stamp(client, table, definitions, blueprint, user)),
    ]


def _read(definitions: Definitions) -> Iterator[Problem]:
    if missing := [name for name in NEEDED if name.lower() not in definitions]:
        what = f"the user may not read {', '.join(missing)}"
        yield Problem(where="object Opportunity", what=what, hint=f"{ASSIGN}, and let it read these fields")


def _stamp(
    client: Client, table: Ours, definitions: Definitions, blueprint: Blueprint, user: str
) -> Iterator[Problem]:
    for field, name in table.names.items():
        yield from _field(table, field, definitions.get(name.lower()), blueprint)
    yield from _record_types(client, table, definitions, blueprint)
    yield from _people(client, table, user)


def _field(
    table: Ours, field: str, found: Mapping[str, Any] | None, blueprint: Blueprint
) -> Iterator[Problem]:
    known, where = table.known[field], f"field {table.shown(table.names[field])}"
    if found is None:
        what = "the org does not have it, or hides it from us"
        yield Problem(where=where, what=what, hint=f"{PROVISION}, or {ASSIGN}")
        return
    wanted = wanted_choices(known, blueprint)
    if reason := existing.conflict(known, found) or existing.doubles(found, wanted):
        yield Problem(where=where, what=reason, hint="give this field of deals another name")
        return
    if found.get("updateable") is False:
        yield Problem(where=where, what="the user may not edit it", hint=f"{PROVISION}, or {ASSIGN}")
    if lacking := existing.missing(found, wanted):
        values = ", ".join(choice.value for choice in lacking)
        yield Problem(where=where, what=f"it lacks the values {values}", hint=PROVISION)


def _record_types(
    client: Client, table: Ours, definitions: Definitions, blueprint: Blueprint
) -> Iterator[Problem]:
    """Values a record type of deals blocks; those it is not told of count as offered."""
    there = [name for name in picklists(table) if name.lower() in definitions]
    fields = {name: field for field, name in table.names.items()}
    for one in record_types.record_types(client, there, sobject=OPPORTUNITY) if there else ():
        for name in there:
            wanted = [choice.value for choice in wanted_choices(table.known[fields[name]], blueprint)]
            lacking = record_types.lacking(one, name, wanted)
            if lacking and (one.active or record_types.used(client, one, OPPORTUNITY)):
                what = f"{name} lacks {', '.join(lacking)}"
                yield Problem(where=f"record type Opportunity.{one.name}", what=what, hint=OFFER)


def _people(client: Client, table: Ours, user: str) -> Iterator[Problem]:
    """A stamp that people may edit says nothing of how a company stood."""
    for one in access.editors(client, tuple(table.names.values()), user, OPPORTUNITY) or ():
        people = f"{one.people} {'person' if one.people == 1 else 'people'}"
        what = f"lets {people} edit {', '.join(map(table.shown, one.fields))}"
        hint = f"take edit access to these fields away; people read them by {READERS}"
        yield Problem(where=one.name, what=what, hint=hint)
