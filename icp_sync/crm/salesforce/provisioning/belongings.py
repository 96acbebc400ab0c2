"""What an org has of ours, and what of it bears our marks. Asks, changes nothing.

Ours is a field with our name, our type and our description, a permission set with our name and label, a list
view with our name and label that nobody has changed since it was made. Everything else is somebody's own,
whatever it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from icp_sync.crm.canonical import instant
from icp_sync.crm.salesforce.client import Client, Json
from icp_sync.crm.salesforce.provisioning import access, existing, metadata, permission_sets, set_up
from icp_sync.crm.salesforce.provisioning.metadata import OPPORTUNITY, Doomed, Ours, ours
from icp_sync.crm.salesforce.provisioning.permission_sets import INTEGRATION, READERS
from icp_sync.crm.salesforce.soql import among, select
from icp_sync.domain.stamp import STAMP
from icp_sync.domain.standing import Field
from icp_sync.errors import AuthError, RequestError
from icp_sync.ports import Blueprint

MAKING_SECONDS = 60.0
"""Within so long of its creation a list view is still being made, not changed by people."""

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
        ("permission sets", lambda: list(_sets(client))),
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
                told = set_up.metadata(client, id)
                yield _field(table, target, id, _not_made(table.known[field], told))
    yield from _earlier(client, blueprint)


def _field(table: Ours, target: str, id: str, spared: str) -> Belonging:
    return Belonging(
        kind=FIELD, full_name=table.full_name(target), what=table.shown(target), id=id, spared=spared
    )


def _earlier(client: Client, blueprint: Blueprint) -> Iterator[Belonging]:
    """Fields of deals that were made under earlier settings: of the stamp whichever they fit."""
    now = {name.lower() for name in blueprint.deal_fields.values()}
    names = {name.rpartition(".")[2] for name in blueprint.deals_made}
    table = Ours(sobject=OPPORTUNITY, names={}, known=STAMP)
    wanted = sorted(name for name in names if name.lower() not in now)
    ids = set_up.custom(client, wanted, OPPORTUNITY) if wanted else {}
    for target in wanted:
        if (id := ids.get(target.lower())) is not None:
            told = set_up.metadata(client, id)
            reasons = [_not_made(known, told) for known in STAMP.values()]
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
    columns = ["Id", "DeveloperName", "Name", "SobjectType", "CreatedDate", "LastModifiedDate"]
    where = [among("SobjectType", ("Account", "Contact")), "NamespacePrefix = null"]
    rows = _rows(client, columns, "ListView", where)
    of_reps = {id[:15] for id in blueprint.views.values()}
    for row in rows:
        if str(row["Id"])[:15] in of_reps:
            name = f"{row['SobjectType']}.{row['DeveloperName']}"
            yield Belonging(
                kind=VIEW, full_name=name, what=f"list view {name}", id=str(row["Id"]), told=False
            )
    yield from _tier_views(blueprint, [row for row in rows if str(row["Id"])[:15] not in of_reps])


def _tier_views(blueprint: Blueprint, found: Sequence[Json]) -> Iterator[Belonging]:
    """Those that are made together with the fields."""
    rows = {str(row["DeveloperName"]).lower(): row for row in found if row.get("SobjectType") == "Account"}
    for view in metadata.list_views(blueprint.fields):
        if (row := rows.get(view.name.lower())) is None:
            continue
        spared = "people have changed it since it was made, so it is theirs" if _changed(row) else ""
        if row.get("Name") != dict(view.body)["label"]:
            spared = "it is called differently, so it is somebody else's"
        yield Belonging(
            kind=VIEW,
            full_name=view.full_name,
            what=f"list view {view.name}",
            id=str(row["Id"]),
            spared=spared,
        )


def _changed(row: Json) -> bool:
    made, changed = (instant(str(row.get(name) or "")) for name in ("CreatedDate", "LastModifiedDate"))
    return made is None or changed is None or changed - made > MAKING_SECONDS


def _sets(client: Client) -> Iterator[Belonging]:
    where = [among("Name", (READERS, INTEGRATION)), "NamespacePrefix = null"]
    rows = {str(row["Name"]): row for row in _rows(client, ["Id", "Name", "Label"], "PermissionSet", where)}
    for name in (READERS, INTEGRATION):  # the one we have goes last
        if (row := rows.get(name)) is None:
            continue
        mine = row.get("Label") == permission_sets.label(name)
        yield Belonging(
            kind=SET,
            full_name=name,
            what=f"permission set {name}",
            id=str(row["Id"]),
            holders=access.people(client, str(row["Id"])),
            spared="" if mine else "it is called differently, so it is somebody else's",
        )


def _rows(client: Client, columns: Sequence[str], sobject: str, where: Sequence[str]) -> list[Json]:
    return access.rows(client, select(columns, sobject, where))
