"""What an org has of ours, and what of it bears our marks. Asks, changes nothing.

Ours is a field with our name, our type and our description, a permission set with our name and label, a list
view with our name and label that nobody has changed since it was made. Everything else is somebody's own,
whatever it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from icp_sync.crm.salesforce.client import Client, Json
from icp_sync.crm.salesforce.provisioning import access, existing, permission_sets, set_up
from icp_sync.crm.salesforce.provisioning.metadata import ACCOUNT, OPPORTUNITY, Doomed, Ours, ours
from icp_sync.crm.salesforce.provisioning.permission_sets import INTEGRATION, READERS
from icp_sync.crm.salesforce.soql import among, select
from icp_sync.crm.salesforce.views import components, looking
from icp_sync.crm.salesforce.views.looking import Listed, Unread
from icp_sync.crm.whose import FOREIGN
from icp_sync.domain.stamp import STAMP
from icp_sync.domain.standing import FIELDS, Field
from icp_sync.domain.views import View, marked
from icp_sync.errors import AuthError, RequestError
from icp_sync.ports import Blueprint

NOT_CARRIED = "this connection does not carry its field"
UNREADABLE = "how it was set up could not be read, so nobody knows whose it is"
FIELD, VIEW, SET = "CustomField", "ListView", "PermissionSet"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Belonging:
    """One thing in the org that has a name of ours.

    kind, full_name: as metadata has them. what: as a step names it. holders: how many people have it. spared:
    why it is not ours to take away, "" when it is. told: whether a step is to name it; reps' views have steps
    of their own.
    """

    kind: str
    full_name: str
    what: str
    id: str
    holders: int = 0
    spared: str = ""
    told: bool = True

    @property
    def doomed(self) -> Doomed:
        return Doomed(kind=self.kind, full_name=self.full_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """Everything found, and what could not be asked: what → why."""

    found: tuple[Belonging, ...]
    unread: Mapping[str, str]

    @property
    def blind(self) -> bool:
        """Whether anything of a name of ours may be there that nobody could look at."""
        return bool(self.unread) or any(one.spared == UNREADABLE for one in self.found)

    def ours(self, *kinds: str) -> list[Belonging]:
        return [one for one in self.found if one.kind in kinds and not one.spared]


def look(client: Client, blueprint: Blueprint) -> Belongings:
    """List views, fields and permission sets, in the order they can go."""
    unread: dict[str, str] = {}
    questions: tuple[tuple[str, Callable[[], list[Belonging]]], ...] = (
        ("list views", lambda: list(_views(client, blueprint))),
        ("fields", lambda: list(_fields(client, blueprint))),
        ("permission sets", lambda: list(_sets(client, blueprint))),
    )
    found: list[Belonging] = []
    for what, ask in questions:
        try:
            found += ask()
        except (AuthError, RequestError) as error:
            unread[what] = f"they could not be read: {' '.join(str(error).split())}"
    return Belongings(found=tuple(found), unread=unread)


def _fields(client: Client, blueprint: Blueprint) -> Iterator[Belonging]:
    for table in ours(blueprint):
        ids = set_up.custom(client, table.names.values(), table.sobject)
        for field, target in table.names.items():
            if (id := ids.get(target.lower())) is not None:
                spared = _not_made(table.known[field], set_up.metadata(client, id))
                spared = spared or ("" if blueprint.mine(table.shown(target)) else FOREIGN)
                yield _field(table, target, id, spared)
    yield from _earlier(client, blueprint, ACCOUNT)
    yield from _earlier(client, blueprint, OPPORTUNITY)


def _field(table: Ours, target: str, id: str, spared: str) -> Belonging:
    return Belonging(
        kind=FIELD, full_name=table.full_name(target), what=table.shown(target), id=id, spared=spared
    )


def _earlier(client: Client, blueprint: Blueprint, sobject: str) -> Iterator[Belonging]:
    """Fields that were made under earlier settings: whichever of ours they fit."""
    of_deals = sobject == OPPORTUNITY
    table = Ours(sobject=sobject, names={}, known=STAMP if of_deals else FIELDS)
    current = blueprint.deal_fields if of_deals else blueprint.fields
    made = (
        {name.rpartition(".")[2] for name in blueprint.deals_made}
        if of_deals
        else {name for name in blueprint.made if name.endswith("__c") and "." not in name}
    )
    now = {name.lower() for name in current.values()}
    wanted = sorted(name for name in made if name.lower() not in now)
    ids = set_up.custom(client, wanted, sobject) if wanted else {}
    for target in wanted:
        if (id := ids.get(target.lower())) is not None:
            told = set_up.metadata(client, id)
            reasons = [_not_made(known, told) for known in table.known.values()]
            yield _field(table, target, id, "" if "" in reasons else reasons[0])


def _not_made(known: Field, told: Json | None) -> str:
    """Why a field of our name is none we made, "" when it is."""
    if told is None:
        return UNREADABLE
    if problem := existing.conflict(known, set_up.described(told)):
        return f"somebody else's: {problem}"
    if str(told.get("description") or "") != known.description:
        return "it has not the description we give it, so it may be somebody else's; delete it by hand"
    return ""


def _views(client: Client, blueprint: Blueprint) -> Iterator[Belonging]:
    listed = looking.listed(client)
    of_reps = {id[:15] for id in blueprint.views.values()}
    for one in listed:
        if one.id[:15] in of_reps:
            what = f"list view {one.full_name}"
            yield Belonging(kind=VIEW, full_name=one.full_name, what=what, id=one.id, told=False)
    yield from _tier_views(client, blueprint, [one for one in listed if one.id[:15] not in of_reps])


def _tier_views(client: Client, blueprint: Blueprint, listed: Sequence[Listed]) -> Iterator[Belonging]:
    """Those that are made together with the fields, now or under earlier settings."""
    found = {one.full_name.lower(): one for one in listed}
    for view in (view for view in marked(blueprint.mark) if components.of_state(view)):
        name = f"{ACCOUNT}.{components.developer_name(view)}"
        if (one := found.get(name.lower())) is not None:
            what = f"list view {one.name}"
            spared = _not_as_made(client, blueprint, view, one, what)
            if spared != NOT_CARRIED:
                yield Belonging(kind=VIEW, full_name=one.full_name, what=what, id=one.id, spared=spared)


def _not_as_made(client: Client, blueprint: Blueprint, view: View, one: Listed, what: str) -> str:
    """Why a list view of our name is not ours to take away, "" when it is."""
    if view.field not in blueprint.fields and what not in blueprint.made:
        return NOT_CARRIED
    if not blueprint.mine(what):
        return FOREIGN
    if one.label != components.label(view):
        return "it is called differently, so it is somebody else's"
    if not one.changed:
        return ""
    told = looking.described(client, one)
    if isinstance(told, Unread) or not looking.as_made(told, view, blueprint):
        return "people have changed it since it was made, so it is theirs"
    return ""


def _sets(client: Client, blueprint: Blueprint) -> Iterator[Belonging]:
    where = [among("Name", (READERS, INTEGRATION)), "NamespacePrefix = null"]
    rows = {str(row["Name"]): row for row in _rows(client, ["Id", "Name", "Label"], "PermissionSet", where)}
    for name in (READERS, INTEGRATION):  # the one we have goes last
        if (row := rows.get(name)) is None:
            continue
        what = f"permission set {name}"
        spared = "" if blueprint.mine(what) else FOREIGN
        if row.get("Label") != permission_sets.label(name):
            spared = "it is called differently, so it is somebody else's"
        yield Belonging(
            kind=SET,
            full_name=name,
            what=what,
            id=str(row["Id"]),
            holders=access.people(client, str(row["Id"])),
            spared=spared,
        )


def _rows(client: Client, columns: Sequence[str], sobject: str, where: Sequence[str]) -> list[Json]:
    return access.rows(client, select(columns, sobject, where))
