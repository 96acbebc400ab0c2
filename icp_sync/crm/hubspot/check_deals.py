"""What keeps deals from being followed or stamped, each with what to do next. Changes nothing.

No right to deals is asked for where they are neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from icp_sync.crm.hubspot.client import DEALS, Client
from icp_sync.crm.hubspot.definitions import conflict, missing_options
from icp_sync.domain.stamp import STAMP
from icp_sync.errors import Problem
from icp_sync.ports import Blueprint

PROVISION = "icp-sync provision --apply"


def rights(client: Client, blueprint: Blueprint) -> Iterator[tuple[str, Callable[[], object]]]:
    """The scopes that are needed, each with a call that HubSpot refuses to whoever does not have it."""
    if blueprint.follows_deals or blueprint.deal_fields:
        yield "scope crm.objects.deals.read", lambda: client.deals.list_page([])
    if blueprint.deal_fields:
        # An empty batch is refused as such, or for the scope: it writes nothing either way.
        yield "scope crm.objects.deals.write", lambda: client.update_deals([])
        yield "scope crm.schemas.deals.read", lambda: client.properties(of=DEALS)


def properties(client: Client, blueprint: Blueprint) -> Iterator[Problem]:
    """What is wrong with the properties of deals that hold our stamp."""
    if not blueprint.deal_fields:
        return
    found = {str(entry.get("name")): entry for entry in client.properties(of=DEALS)}
    for field, name in blueprint.deal_fields.items():
        where, existing, known = f"property {name} of deals", found.get(name), STAMP[field]
        if existing is None:
            yield Problem(where=where, what="the portal does not have it", hint=PROVISION)
        elif reason := conflict(known, existing):
            hint = "give it another name: deals.names in the settings"
            yield Problem(where=where, what=reason, hint=hint)
        elif missing := missing_options(known, existing, Blueprint(group="", group_label="", fields={})):
            values = ", ".join(value for value, _ in missing)
            yield Problem(where=where, what=f"it lacks the options {values}", hint=PROVISION)
