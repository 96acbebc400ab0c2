"""Who may do what with our fields: permission sets, their grants and their assignments.

Every question may be refused to a user without the right to ask it; the answer is then None, for unknown.
Objects: PermissionSet, PermissionSetAssignment, FieldPermissions and ObjectPermissions, Object Reference.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_permissionset.htm
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.permission_sets import Grants
from icp_sync.crm.salesforce.soql import among, chunks, select
from icp_sync.errors import AuthError, RequestError

_RIGHTS = {
    "PermissionsCreate": "allowCreate",
    "PermissionsDelete": "allowDelete",
    "PermissionsEdit": "allowEdit",
    "PermissionsRead": "allowRead",
    "PermissionsModifyAllRecords": "modifyAllRecords",
    "PermissionsViewAllRecords": "viewAllRecords",
}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A permission set of the org.

    objects_known / user_known: whether its grants on objects / of the user could be read; else they are none.
    """

    id: str
    grants: Grants
    objects_known: bool = True
    user_known: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """A profile or permission set by which others edit fields of ours. `people`: how many have it."""

    name: str
    people: int
    fields: tuple[str, ...]


def held(client: Client, name: str) -> Held | None:
    """The permission set of that name, None where there is none that we may see."""
    found = asked(client, select(["Id"], "PermissionSet", [f"Name = '{name}'", "NamespacePrefix = null"]))
    if not found:
        return None
    id = str(found[0]["Id"])
    parent = [f"ParentId = '{id}'"]
    fields = asked(
        client, select(["Field", "PermissionsRead", "PermissionsEdit"], "FieldPermissions", parent)
    )
    objects = asked(client, select(["SobjectType", *_RIGHTS], "ObjectPermissions", parent))
    rights = _user_rights(client, id)
    return Held(
        id=id,
        grants=Grants(
            fields={
                str(row["Field"]): bool(row.get("PermissionsEdit"))
                for row in fields or []
                if row.get("PermissionsRead")
            },
            objects={
                str(row["SobjectType"]): frozenset(right for key, right in _RIGHTS.items() if row.get(key))
                for row in objects or []
            },
            user=frozenset(name for name, given in rights.items() if given),
        ),
        objects_known=objects is not None,
        user_known=frozenset(rights),
    )


def granted(client: Client, fields: Collection[str]) -> frozenset[str]:
    """Which of these fields of accounts some profile or permission set shows, in lower case.

    Those exist, though we may not see them.
    """
    wanted = among("Field", [f"Account.{name}" for name in fields])
    rows = asked(client, select(["Field"], "FieldPermissions", ["SobjectType = 'Account'", wanted]))
    return frozenset(str(row["Field"]).removeprefix("Account.").lower() for row in rows or [])


def lacking(wanted: Grants, found: Held) -> tuple[str, ...]:
    """What a permission set does not give, in words; what cannot be read is taken as given."""
    names = {name.lower(): editable for name, editable in found.grants.fields.items()}
    said = []
    for field, editable in wanted.fields.items():
        shown = field.removeprefix("Account.")
        if field.lower() not in names:
            said.append(f"{'edit' if editable else 'read'} {shown}")
        elif editable and not names[field.lower()]:
            said.append(f"edit {shown}")
    if found.objects_known:
        for target, rights in wanted.objects.items():
            short = sorted(rights - found.grants.objects.get(target, frozenset()))
            said += [f"{right} of {target}" for right in short]
    said += sorted((wanted.user & found.user_known) - found.grants.user)
    return tuple(said)


def assigned(client: Client, set_id: str, user_id: str) -> bool:
    """Whether this user has this permission set."""
    where = [f"PermissionSetId = '{set_id}'", f"AssigneeId = '{user_id}'"]
    rows = asked(client, select(["Id"], "PermissionSetAssignment", where))
    return bool(rows)


def assign(client: Client, set_id: str, user_id: str) -> str:
    """Give a user a permission set; why Salesforce refused it, "" when it did not."""
    body = {"AssigneeId": user_id, "PermissionSetId": set_id}
    try:
        client.call("POST", "sobjects/PermissionSetAssignment", json=body)
    except (AuthError, RequestError) as error:
        # Somebody else may have been faster: two assignments of one set to one user cannot be.
        return "" if assigned(client, set_id, user_id) else str(error)
    return ""


def editors(client: Client, fields: Collection[str], us: str) -> list[Editor] | None:
    """Who beside the user `us` may edit these fields of accounts; None where we may not know.

    A profile's grants are those of a permission set it owns, which is assigned to all its users.
    """
    ours = {f"account.{name}".lower(): name for name in fields}
    where = ["SobjectType = 'Account'", "PermissionsEdit = TRUE"]
    rows = asked(client, select(["ParentId", "Field"], "FieldPermissions", where))
    if rows is None:
        return None
    given: dict[str, set[str]] = {}
    for row in rows:
        if (name := ours.get(str(row.get("Field")).lower())) is not None:
            given.setdefault(str(row["ParentId"]), set()).add(name)
    people = _assignees(client, list(given))
    if people is None:
        return None
    others = {parent: people.get(parent, set()) - {us} for parent in given}
    named = _names(client, [parent for parent in given if others[parent]])
    return [
        Editor(name=named.get(parent, parent), people=len(others[parent]), fields=tuple(sorted(names)))
        for parent, names in sorted(given.items())
        if others[parent]
    ]


def asked(client: Client, soql: str) -> list[Json] | None:
    """All rows of a query, None where it is refused: an object, field or right we do not have."""
    try:
        return [row for page in client.query(soql) for row in page]
    except (AuthError, RequestError):
        return None


def _user_rights(client: Client, id: str) -> Mapping[str, bool]:
    """Right of the user → whether the set gives it, as far as the record tells.

    A record read without naming fields shows every right this org knows, as a field `Permissions…`.
    """
    try:
        record = client.call("GET", f"sobjects/PermissionSet/{id}").data
    except (AuthError, RequestError):
        return {}
    return {
        key.removeprefix("Permissions"): value
        for key, value in (record.items() if isinstance(record, dict) else ())
        if key.startswith("Permissions") and isinstance(value, bool)
    }


def _assignees(client: Client, set_ids: Sequence[str]) -> dict[str, set[str]] | None:
    people: dict[str, set[str]] = {}
    for part in chunks(set_ids):
        where = [among("PermissionSetId", part)]
        rows = asked(client, select(["PermissionSetId", "AssigneeId"], "PermissionSetAssignment", where))
        if rows is None:
            return None
        for row in rows:
            people.setdefault(str(row["PermissionSetId"]), set()).add(str(row["AssigneeId"]))
    return people


def _names(client: Client, set_ids: Sequence[str]) -> dict[str, str]:
    """Permission set → "permission set Sales" or "profile Standard User"."""
    named: dict[str, str] = {}
    for part in chunks(set_ids):
        fields = ["Id", "Label", "IsOwnedByProfile", "ProfileId"]
        sets = asked(client, select(fields, "PermissionSet", [among("Id", part)])) or []
        owners = sorted({str(row["ProfileId"]) for row in sets if row.get("ProfileId")})
        wanted = select(["Id", "Name"], "Profile", [among("Id", owners)])
        rows = asked(client, wanted) if owners else []
        profiles = {str(row["Id"]): str(row["Name"]) for row in rows or []}
        for row in sets:
            profile = row.get("ProfileId") if row.get("IsOwnedByProfile") else None
            label = f"profile {profiles.get(str(profile), profile)}" if profile else ""
            named[str(row["Id"])] = label or f"permission set {row.get('Label')}"
    return named
