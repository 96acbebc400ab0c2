"""Permission sets: what one may say, the rows it becomes, who has which right.

The rows of PermissionSet, PermissionSetAssignment and FieldPermissions are the truth; `rights` reads them.
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_permissionset.htm
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_permissionsetassignment.htm
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from icp_sync.simulator.salesforce.metadata.shapes import Body, words
from icp_sync.simulator.salesforce.metadata.trees import Problem
from icp_sync.simulator.salesforce.org import Org
from icp_sync.simulator.salesforce.schema import FieldDef
from icp_sync.simulator.salesforce.sobject import SObject
from icp_sync.simulator.store import Record, Source

PLATFORM = Source("PLATFORM")
_LONGEST_LABEL, _LONGEST_DESCRIPTION = 80, 255
USER_PERMISSIONS = words(
    "ApiEnabled ApiUserOnly AssignPermissionSets BulkApiHardDelete BulkMacrosAllowed ContentAdministrator "
    "CreateCustomizeFilters CustomizeApplication DataExport EditEvent EditReadonlyFields EditTask "
    "ExportReport InsightsAppUser LightningExperienceUser ManageCustomPermissions ManageDataIntegrations "
    "ManageInternalUsers ManageIpAddresses ManageProfilesPermissionsets ManageRoles ManageSharing "
    "ManageUsers ModifyAllData ModifyMetadata PasswordNeverExpires RunReports ScheduleReports "
    "SendSitRequests SubmitMacrosAllowed TransferAnyEntity TransferAnyLead UseAnyApiAuth UseAnyApiClient "
    "ViewAllData ViewAllUsers ViewDataCategories ViewEventLogFiles ViewHelpLink ViewPublicDashboards "
    "ViewPublicReports ViewRoles ViewSetup"
)
_NEEDS = {
    "allowCreate": ("allowRead",),
    "allowEdit": ("allowRead",),
    "allowDelete": ("allowRead", "allowEdit"),
    "viewAllRecords": ("allowRead",),
    "modifyAllRecords": ("allowRead", "allowEdit", "allowDelete", "viewAllRecords"),
}
_USER_NEEDS = {"ViewSetup": "ViewRoles", "ApiUserOnly": "ApiEnabled"}
_TITLES = {
    "allowCreate": "Create",
    "allowRead": "Read",
    "allowEdit": "Edit",
    "allowDelete": "Delete",
    "viewAllRecords": "View All",
    "modifyAllRecords": "Modify All",
}

_COLUMNS = {
    "allowCreate": "PermissionsCreate",
    "allowRead": "PermissionsRead",
    "allowEdit": "PermissionsEdit",
    "allowDelete": "PermissionsDelete",
    "viewAllRecords": "PermissionsViewAllRecords",
    "modifyAllRecords": "PermissionsModifyAllRecords",
}

Fields = Mapping[str, Mapping[str, FieldDef]]
"""Every object's fields, both by lower-case names."""


def check(body: Body, fields: Fields, record_types: Sequence[str]) -> None:
    """Whether a permission set can be deployed. Raises Problem.

    record_types: the names of those there are, as "Account.Partner".
    """
    if not body["label"] or len(str(body["label"])) > _LONGEST_LABEL:
        raise Problem(f"Label: between 1 and {_LONGEST_LABEL} characters")
    if len(str(body.get("description", ""))) > _LONGEST_DESCRIPTION:
        raise Problem(f"Value too long for field: Description maximum length is:{_LONGEST_DESCRIPTION}")
    for grant in _bodies(body, "objectPermissions"):
        _check_object(grant, fields)
    granted: set[str] = set()
    for grant in _bodies(body, "fieldPermissions"):
        name = str(grant["field"])
        if name.lower() in granted:
            raise Problem(f"Duplicate fieldPermissions for {name}")
        granted.add(name.lower())
        _check_field(name, grant, fields)
    for visibility in _bodies(body, "recordTypeVisibilities"):
        if visibility["recordType"] not in record_types:
            raise Problem(f"In field: recordType - no RecordType named {visibility['recordType']} found")
    for permission in _bodies(body, "userPermissions"):
        if permission["name"] not in USER_PERMISSIONS:
            raise Problem(f"Unknown user permission: {permission['name']}")
    _check_user({str(one["name"]) for one in _bodies(body, "userPermissions") if one["enabled"] is True})


def _check_user(given: set[str]) -> None:
    for name, needed in _USER_NEEDS.items():
        if name in given and needed not in given:
            raise Problem(f"Permission {name} depends on permission(s): {needed}")


def _check_object(grant: Body, fields: Fields) -> None:
    name = str(grant["object"])
    if name.lower() not in fields:
        raise Problem(f"In field: object - no CustomObject named {name} found")
    for right, needed in _NEEDS.items():
        missing = [f"{_TITLES[other]} {name}" for other in needed if grant[other] is not True]
        if grant[right] is True and missing:
            raise Problem(
                f"Permission {_TITLES[right]} {name} depends on permission(s): {', '.join(missing)}"
            )


def _check_field(name: str, grant: Body, fields: Fields) -> None:
    entity, _, own = name.partition(".")
    field = fields.get(entity.lower(), {}).get(own.lower())
    if field is None:
        raise Problem(f"In field: field - no CustomField named {name} found")
    if not field.nillable and not (field.custom and field.type == "boolean"):
        raise Problem(f"You cannot deploy to a required field: {name}")
    if grant["editable"] is True and grant.get("readable") is not True:
        raise Problem(f"Field {name}: editable needs readable")
    if grant["editable"] is True and field.calculated:
        raise Problem(f"Field {name} is not editable")


def _bodies(body: Body, name: str) -> list[Body]:
    return cast("list[Body]", body.get(name, []))


# -- the rows of a permission set


def row_of(body: Body, name: str) -> dict[str, str]:
    """A permission set's own row, one column for every right of the user it gives."""
    rights = {f"Permissions{p['name']}": "true" for p in _bodies(body, "userPermissions") if p["enabled"]}
    return {
        "Name": name,
        "Label": str(body["label"]),
        "Description": str(body.get("description", "")),
        "IsCustom": "true",
        "IsOwnedByProfile": "false",
    } | rights


def grant_fields(org: Org, parent: str, body: Body) -> None:
    """Bring the FieldPermissions of a permission set in line with what was deployed: it replaces what was.

    parent: the permission set's id.
    """
    wanted: dict[str, tuple[str, str, str]] = {}
    for grant in _bodies(body, "fieldPermissions"):
        if grant.get("readable") is True:
            name = str(grant["field"])
            wanted[name.lower()] = (name, "true", "true" if grant["editable"] else "false")
    held = org.objects["fieldpermissions"]
    for row in list(live(held)):
        if row.props.get("ParentId") != parent:
            continue
        kept = wanted.pop(row.props.get("Field", "").lower(), None)
        if kept is None:
            held.archive(row)
        elif (kept[1], kept[2]) != (row.props.get("PermissionsRead"), row.props.get("PermissionsEdit")):
            held.write(row, {"PermissionsRead": kept[1], "PermissionsEdit": kept[2]}, PLATFORM)
    for name, read, edit in wanted.values():
        values = {
            "ParentId": parent,
            "SobjectType": name.partition(".")[0],
            "Field": name,
            "PermissionsRead": read,
            "PermissionsEdit": edit,
        }
        held.create(values, PLATFORM)


def grant_objects(org: Org, parent: str, body: Body) -> None:
    """The same for ObjectPermissions: the rows of a permission set are made anew where they differ."""
    wanted = {}
    for grant in _bodies(body, "objectPermissions"):
        rights = {column: str(grant[name] is True).lower() for name, column in _COLUMNS.items()}
        if "true" in rights.values():
            wanted[str(grant["object"])] = {"ParentId": parent, "SobjectType": str(grant["object"]), **rights}
    held = org.objects["objectpermissions"]
    for row in list(live(held)):
        if row.props.get("ParentId") == parent:
            kept = wanted.get(row.props["SobjectType"])
            if kept is not None and all(row.props.get(name) == value for name, value in kept.items()):
                del wanted[row.props["SobjectType"]]
            else:
                held.archive(row)
    for values in wanted.values():
        held.create(values, PLATFORM)


def show_rights(org: Org) -> None:
    """Give PermissionSet its column for every right of a user."""
    sets = org.objects["permissionset"]
    for name in sorted(USER_PERMISSIONS):
        if sets.field(f"Permissions{name}") is None:
            sets.add_field(_right(f"Permissions{name}"))


def _right(name: str) -> FieldDef:
    return FieldDef(name=name, label=name.removeprefix("Permissions"), type="boolean", nillable=False)


def forget_field(org: Org, name: str) -> None:
    """A field is gone, and with it whatever permission sets granted of it. name: "Account.ICP_Tier__c"."""
    held = org.objects["fieldpermissions"]
    for row in list(live(held)):
        if row.props.get("Field", "").lower() == name.lower():
            held.archive(row)


def holders(org: Org, name: str) -> int:
    """How many people have the permission set of that name."""
    sets = org.objects["permissionset"]
    ids = {sets.id_of(row) for row in live(sets) if row.props.get("Name", "").lower() == name.lower()}
    given = live(org.objects["permissionsetassignment"])
    return sum(row.props.get("PermissionSetId") in ids for row in given)


def forget_set(org: Org, parent: str) -> None:
    """A permission set is gone, and with it its grants and assignments."""
    for key, column in (
        ("fieldpermissions", "ParentId"),
        ("objectpermissions", "ParentId"),
        ("permissionsetassignment", "PermissionSetId"),
    ):
        held = org.objects[key]
        for row in list(live(held)):
            if row.props.get(column) == parent:
                held.archive(row)


def live(sobject: SObject) -> Iterator[Record]:
    return (sobject.store.records[number] for number in sobject.store.live)


# -- who may be assigned to one


def assignment_problem(org: Org, values: Mapping[str, str]) -> tuple[str, str, tuple[str, ...]] | None:
    """(code, message, fields) of why a PermissionSetAssignment cannot be made; None when it can.

    values: {"AssigneeId", "PermissionSetId"} as kept.
    """
    assignee, parent = values.get("AssigneeId", ""), values.get("PermissionSetId", "")
    if org.objects["permissionset"].record(parent) is None:
        return "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ("PermissionSetId",)
    person = org.objects["user"].record(assignee)
    if person is None:
        return "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ("AssigneeId",)
    if person.props.get("IsActive") != "true":
        return "INACTIVE_OWNER_OR_USER", "operation performed with inactive user", ("AssigneeId",)
    held = org.objects["permissionsetassignment"]
    for row in live(held):
        if (row.props.get("AssigneeId"), row.props.get("PermissionSetId")) == (assignee, parent):
            message = f"Duplicate PermissionSetAssignment. Assignee: {assignee}; Permission Set: {parent}"
            return "DUPLICATE_VALUE", message, ()
    return None
