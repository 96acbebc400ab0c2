"""What an org has of a blueprint, by asking. Decides nothing.

A question that is refused is not the answer "there is nothing": it stays a question, with the refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from icp_sync.crm.salesforce.catalogue import Catalogue
from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.ids import long_id
from icp_sync.crm.salesforce.provisioning import access, existing, record_types, set_up
from icp_sync.crm.salesforce.provisioning.access import Held
from icp_sync.crm.salesforce.provisioning.metadata import (
    OPPORTUNITY,
    PICKLISTS,
    Ours,
    RecordType,
    ours,
    wanted_choices,
)
from icp_sync.crm.salesforce.provisioning.permission_sets import INTEGRATION, READERS
from icp_sync.crm.salesforce.soql import select
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.ports import Blueprint

LONGEST = 300
"""Characters of a refusal that are told."""

NOT_FOUND = 404

T = TypeVar("T")
Definition = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A question Salesforce refused. `why`: in its words."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One object with our fields, as far as it matters here. Names of fields are in lower case.

    definitions: the fields we see, as describe has them. unseen: fields of ours that exist and we do not see,
    with what the setup tells of them. set_up: the setup of fields that lack values of ours.
    custom: why nobody can say which fields exist unseen, "" when it is known.
    """

    ours: Ours
    definitions: Mapping[str, Definition]
    unseen: Mapping[str, Definition | None]
    set_up: Mapping[str, Mapping[str, Any]]
    custom: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Org:
    """An org as far as it matters here.

    deals: opportunities, None where they are not stamped. kinds_of_deals: their record types. user: our id.
    integration_id: of our permission set, which who does not have it may be unable to read; "" for none.
    nobody_reads: whether the readers' permission set is nobody's. transfer: whether we write owners.
    """

    accounts: Table
    deals: Table | None
    record_types: tuple[RecordType, ...] | Unread
    kinds_of_deals: tuple[RecordType, ...] | Unread
    integration: Held | Unread | None
    integration_id: str
    readers: Held | Unread | None
    assigned: bool | Unread
    nobody_reads: bool
    list_views: frozenset[str] | Unread
    user: str
    username: str
    transfer: bool

    @property
    def tables(self) -> tuple[Table, ...]:
        return (self.accounts,) if self.deals is None else (self.accounts, self.deals)

    @property
    def untold(self) -> str:
        """Why nobody can say which fields exist unseen, "" when it is known."""
        return next((table.custom for table in self.tables if table.custom), "")


def look(client: Client, catalogue: Catalogue, blueprint: Blueprint) -> Org:
    """Ask the org for everything the steps depend on."""
    me = client.userinfo()
    user = str(me.get("user_id") or "")
    if not user.isalnum():
        raise UnavailableError("Salesforce did not say who we are", next_step="icp-sync check")
    catalogue.refresh(judge=False)
    definitions = existing.by_name(catalogue.definitions())
    fields, *of_deals = ours(blueprint)
    deals = _table(client, blueprint, of_deals[0], described(client, OPPORTUNITY)) if of_deals else None
    integration_id = _told(lambda: access.set_id(client, INTEGRATION))
    readers = _told(lambda: access.held(client, READERS))
    return Org(
        accounts=_table(client, blueprint, fields, definitions),
        deals=deals,
        record_types=_told(
            lambda: record_types.record_types(
                client, picklists(fields), person_accounts="ispersonaccount" in definitions
            )
        ),
        kinds_of_deals=_told(
            lambda: (
                record_types.record_types(client, picklists(deals.ours), sobject=OPPORTUNITY) if deals else ()
            )
        ),
        integration=_told(lambda: access.held(client, INTEGRATION)),
        integration_id="" if isinstance(integration_id, Unread) else integration_id,
        readers=readers,
        assigned=_assigned(client, integration_id, user),
        nobody_reads=isinstance(readers, Held) and _told(lambda: access.people(client, readers.id)) == 0,
        list_views=_told(lambda: _list_views(client)),
        user=user,
        username=str(me.get("preferred_username") or user),
        transfer="owner" in catalogue.properties,
    )


def described(client: Client, sobject: str) -> Mapping[str, Definition]:
    """Lower-case name → what a describe tells of the fields we see; none where the object is hidden."""
    try:
        found = client.describe(sobject)["fields"]
    except RequestError as error:
        if error.status != NOT_FOUND:
            raise
        found = []
    return existing.by_name({str(one["name"]): one for one in found if isinstance(one, dict)})


def picklists(fields: Ours) -> list[str]:
    """The API names of our picklists on an object."""
    return [name for field, name in fields.names.items() if fields.known[field].type in PICKLISTS]


def _table(
    client: Client, blueprint: Blueprint, fields: Ours, definitions: Mapping[str, Definition]
) -> Table:
    custom = _told(lambda: set_up.custom(client, fields.names.values(), fields.sobject))
    ids = {} if isinstance(custom, Unread) else custom
    return Table(
        ours=fields,
        definitions=definitions,
        unseen=_unseen(client, fields, definitions, ids, setup_told=not isinstance(custom, Unread)),
        set_up=_set_up(client, blueprint, fields, definitions, ids),
        custom=custom.why if isinstance(custom, Unread) else "",
    )


def _told(ask: Callable[[], T]) -> T | Unread:
    try:
        return ask()
    except (AuthError, RequestError) as error:
        said = " ".join(str(error).split())  # a refused query comes with its lines and a mark below them
        return Unread(why=f"it could not be read: {said[:LONGEST]}")


def _unseen(
    client: Client,
    fields: Ours,
    definitions: Collection[str],
    ids: Mapping[str, str],
    *,
    setup_told: bool,
) -> Mapping[str, Definition | None]:
    """Fields of ours there are that no describe shows us: the setup's, or where it cannot be asked those
    granted to somebody."""
    known = set(ids)
    if not setup_told:
        granted = _told(lambda: access.granted(client, fields.names.values(), fields.sobject))
        known = set() if isinstance(granted, Unread) else set(granted)
    found: dict[str, Definition | None] = {}
    for name in sorted(known - set(definitions)):
        told = set_up.metadata(client, ids[name]) if name in ids else None
        found[name] = set_up.described(told) if told is not None else None
    return found


def _set_up(
    client: Client,
    blueprint: Blueprint,
    fields: Ours,
    definitions: Mapping[str, Definition],
    ids: Mapping[str, str],
) -> Mapping[str, Mapping[str, Any]]:
    """Of the fields that will be deployed again: what a deployment would otherwise reset."""
    found: dict[str, Mapping[str, Any]] = {}
    for field, target in fields.names.items():
        name, definition = target.lower(), definitions.get(target.lower())
        wanted = wanted_choices(fields.known[field], blueprint)
        if definition is not None and name in ids and existing.missing(definition, wanted):
            told = set_up.metadata(client, ids[name])
            found |= {name: told} if told is not None else {}
    return found


def _assigned(client: Client, id: str | Unread, user: str) -> bool | Unread:
    if isinstance(id, Unread):
        return id
    return _told(lambda: access.assigned(client, id, user)) if id else False


def _list_views(client: Client) -> frozenset[str]:
    """The list views of accounts there are, each by its name and by its id, in lower case."""
    rows = access.rows(client, select(["Id", "DeveloperName"], "ListView", ["SobjectType = 'Account'"]))
    named = (str(row.get("DeveloperName")).lower() for row in rows)
    return frozenset((*named, *(long_id(str(row.get("Id"))).lower() for row in rows)))
