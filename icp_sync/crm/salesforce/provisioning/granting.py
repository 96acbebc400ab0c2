"""Our two permission sets in an org: what they lack, a new one deployed, an old one given single rights.

A deployed permission set replaces the one of its name with all an administrator has put into it, so one that
is there gets what it lacks as rows: FieldPermissions, ObjectPermissions and PermissionSet, Object Reference.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_fieldpermissions.htm
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.provisioning import access
from icp_sync.crm.salesforce.provisioning.access import COLUMNS, Held
from icp_sync.crm.salesforce.provisioning.permission_sets import Grants
from icp_sync.errors import AuthError, RequestError


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One row to be written. `shown`: what it gives, in words."""

    shown: str
    method: str
    path: str
    body: Mapping[str, Any]


def grants(wanted: Grants, found: Held) -> tuple[Grant, ...]:
    """What a permission set does not give yet; objects first, for a field needs its object."""
    return (*_objects(wanted, found), *_fields(wanted, found), *_user(wanted, found))


def give(client: Client, name: str, wanted: Grants, given: Sequence[Grant]) -> str:
    """Write these rows; what of them the permission set lacks all the same, and why, "" when nothing."""
    refusals = {}
    for one in given:
        try:
            client.call(one.method, one.path, json=dict(one.body))
        except (AuthError, RequestError) as error:
            refusals[one.shown] = str(error)
    if not refusals:
        return ""
    found = access.held(client, name)  # somebody else may have been faster
    lacking = {one.shown for one in grants(wanted, found)} if found is not None else set(refusals)
    return "; ".join(f"{shown}: {why}" for shown, why in refusals.items() if shown in lacking)


def _objects(wanted: Grants, found: Held) -> Iterator[Grant]:
    held = {name.lower(): rights for name, rights in found.grants.objects.items()}
    for target, rights in wanted.objects.items():
        if not (short := sorted(rights - held.get(target.lower(), frozenset()))):
            continue
        given = {column: True for column, right in COLUMNS.items() if right in short}
        shown = ", ".join(f"{right} of {target}" for right in short)
        row = found.object_rows.get(target.lower(), "")
        yield _grant("ObjectPermissions", row, shown, given, {"ParentId": found.id, "SobjectType": target})


def _fields(wanted: Grants, found: Held) -> Iterator[Grant]:
    held = {name.lower(): editable for name, editable in found.grants.fields.items()}
    for field, editable in wanted.fields.items():
        name = field.lower()
        if name in held and (held[name] or not editable):
            continue
        given = {"PermissionsRead": True} | ({"PermissionsEdit": True} if editable else {})
        shown = f"{'edit' if editable else 'read'} {field.removeprefix('Account.')}"
        fixed = {"ParentId": found.id, "SobjectType": field.partition(".")[0], "Field": field}
        yield _grant("FieldPermissions", found.field_rows.get(name, ""), shown, given, fixed)


def _user(wanted: Grants, found: Held) -> Iterator[Grant]:
    """All at once: some rights of a user need others. A right this org has no word for is none here."""
    if short := sorted((wanted.user & found.user_known) - found.grants.user):
        given = {f"Permissions{right}": True for right in short}
        yield _grant("PermissionSet", found.id, ", ".join(short), given, {})


def _grant(sobject: str, row: str, shown: str, given: Mapping[str, Any], fixed: Mapping[str, Any]) -> Grant:
    """What is fixed is said of a new row only."""
    if row:
        return Grant(shown=shown, method="PATCH", path=f"sobjects/{sobject}/{row}", body=given)
    return Grant(shown=shown, method="POST", path=f"sobjects/{sobject}", body={**fixed, **given})
