"""Who may do what with our fields: permission sets, their grants and their assignments.

Every question may be refused to a user without the right to ask it. Who decides by the answer lets that
refusal out (`rows`); who only reports takes None, for unknown (`asked`). Neither is ever "nothing there".
Objects: PermissionSet, PermissionSetAssignment, FieldPermissions and ObjectPermissions, Object Reference.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_permissionset.htm
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.provisioning.metadata import ACCOUNT
from icp_sync.crm.salesforce.provisioning.permission_sets import Grants
from icp_sync.crm.salesforce.soql import among, chunks, literal, select
from icp_sync.errors import AuthError, RequestError

COLUMNS: Mapping[str, str] = {
    "PermissionsCreate": "allowCreate",
    "PermissionsDelete": "allowDelete",
    "PermissionsEdit": "allowEdit",
    "PermissionsRead": "allowRead",
    "PermissionsModifyAllRecords": "modifyAllRecords",
    "PermissionsViewAllRecords": "viewAllRecords",
}
"""Column of ObjectPermissions → the right as metadata names it."""

_ACTIVE = "Assignee.IsActive = TRUE"
"""People who have left keep their permission sets, and edit nothing."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A permission set of the org.

    field_rows, object_rows: the ids of its grants, by lower-case field ("account.icp_tier__c") or object.
    user_known: the rights of the user this org has a word for.
    """

    id: str
    grants: Grants
    field_rows: Mapping[str, str]
    object_rows: Mapping[str, str]
    user_known: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """A profile or permission set by which others edit fields of ours. `people`: how many have it."""

    name: str
    people: int
    fields: tuple[str, ...]


def set_id(client: Client, name: str) -> str:
    """The id of the permission set of that name, "" where there is none.

    Raises what a refused question raises.
    """
    where = [f"Name = {literal(name)}", "NamespacePrefix = null"]
    found = rows(client, select(["Id"], "PermissionSet", where))
    return str(found[0]["Id"]) if found else ""


def held(client: Client, name: str) -> Held | None:
    """The same with what it gives, None where there is none."""
    if not (id := set_id(client, name)):
        return None
    parent = [f"ParentId = {literal(id)}"]
    shown = ["Id", "Field", "PermissionsRead", "PermissionsEdit"]
    fields = rows(client, select(shown, "FieldPermissions", parent))
    objects = rows(client, select(["Id", "SobjectType", *COLUMNS], "ObjectPermissions", parent))
    rights = _user_rights(client, id)
    return Held(
        id=id,
        grants=Grants(
            fields={
                str(row["Field"]): bool(row.get("PermissionsEdit"))
                for row in fields
                if row.get("PermissionsRead")
            },
            objects={
                str(row["SobjectType"]): frozenset(right for key, right in COLUMNS.items() if row.get(key))
                for row in objects
            },
            user=frozenset(name for name, given in rights.items() if given),
        ),
        field_rows={str(row["Field"]).lower(): str(row["Id"]) for row in fields},
        object_rows={str(row["SobjectType"]).lower(): str(row["Id"]) for row in objects},
        user_known=frozenset(rights),
    )


def granted(client: Client, fields: Collection[str], sobject: str = ACCOUNT) -> frozenset[str]:
    """Which of these fields of an object some profile or permission set shows, in lower case.

    Those exist, though we may not see them.
    """
    wanted = among("Field", [f"{sobject}.{name}" for name in fields])
    of = f"SobjectType = {literal(sobject)}"
    found = rows(client, select(["Field"], "FieldPermissions", [of, wanted]))
    return frozenset(str(row["Field"]).partition(".")[2].lower() for row in found)


def assigned(client: Client, set_id: str, user_id: str) -> bool:
    """Whether this user has this permission set."""
    return bool(rows(client, _assignment(set_id, user_id)))


def people(client: Client, set_id: str) -> int:
    """How many active users have this permission set."""
    where = [f"PermissionSetId = {literal(set_id)}", _ACTIVE]
    return client.count(select(["COUNT()"], "PermissionSetAssignment", where))


def assign(client: Client, set_id: str, user_id: str) -> str:
    """Give a user a permission set; why Salesforce refused it, "" when it did not."""
    body = {"AssigneeId": user_id, "PermissionSetId": set_id}
    try:
        client.call("POST", "sobjects/PermissionSetAssignment", json=body)
    except (AuthError, RequestError) as error:
        # Somebody else may have been faster: two assignments of one set to one user cannot be.
        given = asked(client, _assignment(set_id, user_id))
        return "" if given else str(error)
    return ""


def editors(client: Client, fields: Collection[str], us: str, sobject: str = ACCOUNT) -> list[Editor] | None:
    """Who beside the user `us` may edit these fields of an object; None where we may not know.

    A profile's grants are those of a permission set it owns, which is assigned to all its users.
    """
    ours = {f"{sobject}.{name}".lower(): name for name in fields}
    where = [f"SobjectType = {literal(sobject)}", "PermissionsEdit = TRUE"]
    grants = asked(client, select(["ParentId", "Field"], "FieldPermissions", where))
    if grants is None:
        return None
    given: dict[str, set[str]] = {}
    for row in grants:
        if (name := ours.get(str(row.get("Field")).lower())) is not None:
            given.setdefault(str(row["ParentId"]), set()).add(name)
    holders = _assignees(client, list(given))
    if holders is None:
        return None
    others = {parent: holders.get(parent, set()) - {us} for parent in given}
    named = _names(client, [parent for parent in given if others[parent]])
    return [
        Editor(name=named.get(parent, parent), people=len(others[parent]), fields=tuple(sorted(names)))
        for parent, names in sorted(given.items())
        if others[parent]
    ]


def rows(client: Client, soql: str) -> list[Json]:
    """All rows of a query. Raises what a refused one raises: it is not the answer that there are none."""
    return [row for page in client.query(soql) for row in page]


def asked(client: Client, soql: str) -> list[Json] | None:
    """All rows of a query, None where it is refused: an object, field or right we do not have."""
    try:
        return rows(client, soql)
    except (AuthError, RequestError):
        return None


def _assignment(set_id: str, user_id: str) -> str:
    where = [f"PermissionSetId = {literal(set_id)}", f"AssigneeId = {literal(user_id)}"]
    return select(["Id"], "PermissionSetAssignment", where)


def _user_rights(client: Client, id: str) -> Mapping[str, bool]:
    """Right of the user → whether the set gives it.

    A record read without naming fields shows every right this org knows, as a field `Permissions…`.
    """
    record = client.call("GET", f"sobjects/PermissionSet/{id}").data
    return {
        key.removeprefix("Permissions"): value
        for key, value in (record.items() if isinstance(record, dict) else ())
        if key.startswith("Permissions") and isinstance(value, bool)
    }


def _assignees(client: Client, set_ids: Sequence[str]) -> dict[str, set[str]] | None:
    holders: dict[str, set[str]] = {}
    for part in chunks(set_ids):
        where = [among("PermissionSetId", part), _ACTIVE]
        found = asked(client, select(["PermissionSetId", "AssigneeId"], "PermissionSetAssignment", where))
        if found is None:
            return None
        for row in found:
            holders.setdefault(str(row["PermissionSetId"]), set()).add(str(row["AssigneeId"]))
    return holders


def _names(client: Client, set_ids: Sequence[str]) -> dict[str, str]:
    """Permission set → "permission set Sales" or "profile Standard User"."""
    named: dict[str, str] = {}
    for part in chunks(set_ids):
        fields = ["Id", "Label", "IsOwnedByProfile", "ProfileId"]
        sets = asked(client, select(fields, "PermissionSet", [among("Id", part)])) or []
        owners = sorted({str(row["ProfileId"]) for row in sets if row.get("ProfileId")})
        wanted = select(["Id", "Name"], "Profile", [among("Id", owners)])
        named_profiles = asked(client, wanted) if owners else []
        profiles = {str(row["Id"]): str(row["Name"]) for row in named_profiles or []}
        for row in sets:
            profile = row.get("ProfileId") if row.get("IsOwnedByProfile") else None
            label = f"profile {profiles.get(str(profile), profile)}" if profile else ""
            named[str(row["Id"])] = label or f"permission set {row.get('Label')}"
    return named
