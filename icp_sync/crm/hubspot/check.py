"""Everything wrong with a HubSpot connection, found by asking, each with what to do next. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from icp_sync.crm.hubspot import check_deals, discovery, provision
from icp_sync.crm.hubspot.catalogue import Catalogue
from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.definitions import conflict, missing_options
from icp_sync.crm.hubspot.records import results
from icp_sync.crm.hubspot.values import STAMP, stamp_of
from icp_sync.crm.roster import Roster
from icp_sync.crm.windows import Windows, id_order
from icp_sync.domain.standing import FIELDS
from icp_sync.errors import AuthError, Problem, RequestError, UnavailableError
from icp_sync.ports import Blueprint

PROVISION = "icp-sync provision --apply"


def check(
    client: Client, catalogue: Catalogue, roster: Roster, blueprint: Blueprint, windows: Windows
) -> list[Problem]:
    """All problems at once; only a token nobody accepts ends the list early."""
    try:
        client.account()
    except (AuthError, UnavailableError, RequestError) as error:
        return [Problem(where="account", what=str(error), hint=error.next_step)]
    problems: list[Problem] = []
    asks: list[tuple[str, Callable[[], object]]] = [
        ("scope crm.objects.companies.read", lambda: client.list_page([STAMP])),
        # An empty batch is refused as such, or for the scope: it writes nothing either way.
        ("scope crm.objects.companies.write", lambda: client.batch_update([])),
        ("scope crm.schemas.companies.read", catalogue.refresh),
        ("scope crm.objects.owners.read", roster.owners),
        *check_deals.rights(client, blueprint),
        *_task_rights(client, blueprint),
    ]
    for where, ask in asks:
        problems.extend(_asked(where, ask))
    if not problems:
        problems.extend(check_deals.properties(client, blueprint))
        problems.extend(_properties(client, catalogue, blueprint))
        problems.extend(_search_finds(client, windows))
    return problems


def _task_rights(client: Client, blueprint: Blueprint) -> Iterator[tuple[str, Callable[[], object]]]:
    """The scopes of tasks, which are those of contacts."""
    if blueprint.tasks:
        yield "scope crm.objects.contacts.read", lambda: client.tasks(["0"], [])
        yield "scope crm.objects.contacts.write", lambda: _change_none(client)


def _change_none(client: Client) -> None:
    """Whoever may change tasks hears that there is no such task."""
    try:
        client.change_task("0", {})
    except RequestError as error:
        if error.status != 404:
            raise


def _asked(where: str, ask: Callable[[], object]) -> Iterator[Problem]:
    try:
        ask()
    except (AuthError, UnavailableError) as error:
        yield Problem(where=where, what=str(error), hint=error.next_step)
    except RequestError as error:
        if error.status != 400:
            yield Problem(where=where, what=str(error), hint=error.next_step)


def _properties(client: Client, catalogue: Catalogue, blueprint: Blueprint) -> Iterator[Problem]:
    definitions = catalogue.definitions()
    absent = 0
    for field, name in {**catalogue.properties, **blueprint.fields}.items():
        where, existing, known = f"property {name}", definitions.get(name), FIELDS.get(field)
        if existing is None:
            absent += field in blueprint.fields
            hint = PROVISION if field in blueprint.fields else "correct its name in the outputs"
            yield Problem(where=where, what="the portal does not have it", hint=hint)
        elif known and (reason := conflict(known, existing)):
            hint = "give this output another property name"
            yield Problem(where=where, what=reason, hint=hint)
        elif known and (missing := missing_options(known, existing, blueprint)):
            values = ", ".join(value for value, _ in missing)
            hint = PROVISION if field in blueprint.fields else "add the options in HubSpot"
            yield Problem(where=where, what=f"it lacks the options {values}", hint=hint)
    if absent:
        yield from _room(client, absent)


def _room(client: Client, absent: int) -> Iterator[Problem]:
    try:
        left = provision.room(client.property_limits())
    except (AuthError, UnavailableError, RequestError) as error:
        yield Problem(where="limit of custom properties", what=str(error), hint=error.next_step)
        return
    if left is not None and left < absent:
        hint = "archive properties nobody uses, or set footprint: minimal"
        what = f"{absent} properties are to be made, there is room for {left}"
        yield Problem(where="limit of custom properties", what=what, hint=hint)


def _search_finds(client: Client, windows: Windows) -> Iterator[Problem]:
    """A known company must be found by its own stamp: a wrong filter finds nothing, and says nothing."""
    try:
        records = results(client.list_page([STAMP]))
        settled = (client.now() - windows.lag) * 1000
        # A fresh stamp may not be in the index yet, and proves nothing.
        known = next((record for record in records if 0 < stamp_of(record) < settled), None)
        if known is None:
            return
        stamp, id = stamp_of(known), str(known["id"])
        before = str(int(id) - 1) if id.isdecimal() else ""
        found = next(discovery.search(client, [discovery.between(stamp, stamp)], before, [STAMP]))
        nearest = min(found.stamps, key=id_order, default="")
        if nearest != id:
            what = f"search does not find company {id} by its own {STAMP}"
            hint = "polling would miss changes; ask HubSpot support, and run the sweep meanwhile"
            yield Problem(where="search", what=what, hint=hint)
    except (AuthError, UnavailableError, RequestError) as error:
        yield Problem(where="search", what=str(error), hint=error.next_step)
