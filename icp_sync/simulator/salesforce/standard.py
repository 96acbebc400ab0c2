"""The standard objects of an org and their fields. Values and rights are no business of it.

Types and lengths: https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/
(Account, Contact, Opportunity, Task, User, PermissionSet, FieldPermissions, ObjectPermissions, RecordType,
ListView, Organization, AccountHistory) and FieldDefinition of the Tooling API, which the data API has too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from icp_sync.simulator.salesforce import picklists
from icp_sync.simulator.salesforce.field_kinds import LOCKED, SET_ONCE, number, pick, text, to, yes
from icp_sync.simulator.salesforce.schema import FieldDef


def _system(*, merges: bool = False) -> tuple[FieldDef, ...]:
    instant = partial(FieldDef, type="datetime", nillable=False, createable=False, updateable=False)
    merged = (to("MasterRecordId", "Master Record ID", "Account", createable=False, updateable=False),)
    return (
        FieldDef(name="Id", label="Record ID", type="id", length=18, nillable=False, **LOCKED),
        yes(name="IsDeleted", label="Deleted", **LOCKED),
        *(merged if merges else ()),
        instant(name="CreatedDate", label="Created Date"),
        to("CreatedById", "Created By ID", "User", nillable=False, createable=False, updateable=False),
        instant(name="LastModifiedDate", label="Last Modified Date"),
        to("LastModifiedById", "Modified By ID", "User", nillable=False, createable=False, updateable=False),
        instant(name="SystemModstamp", label="System Modstamp"),
    )


def _address(kind: str) -> tuple[FieldDef, ...]:
    return (
        FieldDef(name=f"{kind}Street", label=f"{kind} Street", type="textarea", length=255),
        text(name=f"{kind}City", label=f"{kind} City", length=40),
        text(name=f"{kind}State", label=f"{kind} State/Province", length=80),
        text(name=f"{kind}PostalCode", label=f"{kind} Zip/Postal Code", length=20),
        text(name=f"{kind}Country", label=f"{kind} Country", length=80),
        number(name=f"{kind}Latitude", label=f"{kind} Latitude", precision=18, scale=15),
        number(name=f"{kind}Longitude", label=f"{kind} Longitude", precision=18, scale=15),
    )


_ACCOUNT = (
    *_system(merges=True),
    text(name="Name", label="Account Name", length=255, nillable=False),
    pick(name="Type", label="Account Type", choices=picklists.ACCOUNT_TYPES),
    to("ParentId", "Parent Account ID", "Account"),
    *_address("Billing"),
    *_address("Shipping"),
    FieldDef(name="Phone", label="Account Phone", type="phone", length=40),
    FieldDef(name="Fax", label="Account Fax", type="phone", length=40),
    text(name="AccountNumber", label="Account Number", length=40),
    FieldDef(name="Website", label="Website", type="url", length=255),
    text(name="Sic", label="SIC Code", length=20),
    text(name="SicDesc", label="SIC Description", length=80),
    pick(name="Industry", label="Industry", choices=picklists.INDUSTRIES),
    FieldDef(name="AnnualRevenue", label="Annual Revenue", type="currency", precision=18),
    FieldDef(name="NumberOfEmployees", label="Employees", type="int", precision=8),
    pick(name="Ownership", label="Ownership", choices=picklists.OWNERSHIP),
    text(name="TickerSymbol", label="Ticker Symbol", length=20),
    FieldDef(
        name="Description", label="Account Description", type="textarea", length=32_000, filterable=False
    ),
    pick(name="Rating", label="Account Rating", choices=picklists.RATINGS),
    text(name="Site", label="Account Site", length=80),
    to("OwnerId", "Owner ID", "User", nillable=False),
    FieldDef(name="LastActivityDate", label="Last Activity", type="date", **LOCKED),
    pick(name="AccountSource", label="Account Source", choices=picklists.SOURCES),
    text(name="Jigsaw", label="Data.com Key", length=20),
)
_CONTACT = (
    *_system(merges=True),
    to("AccountId", "Account ID", "Account"),
    text(name="FirstName", label="First Name", length=40),
    text(name="LastName", label="Last Name", length=80, nillable=False),
    text(name="Name", label="Full Name", length=121, nillable=False, **LOCKED),
    FieldDef(name="Email", label="Email", type="email", length=80),
    FieldDef(name="Phone", label="Business Phone", type="phone", length=40),
    text(name="Title", label="Title", length=128),
    text(name="Department", label="Department", length=80),
    to("OwnerId", "Owner ID", "User", nillable=False),
    FieldDef(name="LastActivityDate", label="Last Activity", type="date", **LOCKED),
)
_OPPORTUNITY = (
    *_system(),
    to("AccountId", "Account ID", "Account"),
    text(name="Name", label="Name", length=120, nillable=False),
    FieldDef(
        name="StageName",
        label="Stage",
        type="picklist",
        length=255,
        nillable=False,
        choices=picklists.choices(stage.label for stage in picklists.STAGES),
    ),
    FieldDef(name="Amount", label="Amount", type="currency", precision=18, scale=2),
    FieldDef(name="Probability", label="Probability (%)", type="percent", precision=3),
    FieldDef(name="CloseDate", label="Close Date", type="date", nillable=False),
    pick(name="Type", label="Opportunity Type", choices=picklists.OPPORTUNITY_TYPES),
    pick(name="LeadSource", label="Lead Source", choices=picklists.SOURCES),
    yes(name="IsClosed", label="Closed", **LOCKED),
    yes(name="IsWon", label="Won", **LOCKED),
    pick(name="ForecastCategory", label="Forecast Category", choices=picklists.FORECASTS, **LOCKED),
    to("OwnerId", "Owner ID", "User", nillable=False),
    FieldDef(name="LastActivityDate", label="Last Activity", type="date", **LOCKED),
    FieldDef(name="LastStageChangeDate", label="Last Stage Change Date", type="datetime", **LOCKED),
)
_TASK = (
    *_system(),
    to("WhatId", "Related To ID", "Account"),
    text(name="Subject", label="Subject", length=255),
    FieldDef(name="Description", label="Description", type="textarea", length=32_000, filterable=False),
    FieldDef(
        name="Status",
        label="Status",
        type="picklist",
        length=255,
        choices=picklists.choices(picklists.TASK_STATES),
    ),
    pick(name="Priority", label="Priority", choices=picklists.choices(("High", "Normal", "Low"))),
    FieldDef(name="ActivityDate", label="Due Date Only", type="date"),
    yes(name="IsReminderSet", label="Reminder Set"),
    FieldDef(name="ReminderDateTime", label="Reminder Date/Time", type="datetime"),
    yes(name="IsClosed", label="Closed", **LOCKED),
    to("OwnerId", "Assigned To ID", "User", nillable=False),
)
_USER = (
    *(field for field in _system() if field.name != "IsDeleted"),
    text(name="Username", label="Username", length=80, nillable=False, unique=True),
    text(name="FirstName", label="First Name", length=40),
    text(name="LastName", label="Last Name", length=80, nillable=False),
    text(name="Name", label="Full Name", length=203, nillable=False, **LOCKED),
    FieldDef(name="Email", label="Email", type="email", length=128, nillable=False),
    text(name="Alias", label="Alias", length=8, nillable=False),
    yes(name="IsActive", label="Active"),
    pick(
        name="UserType",
        label="User Type",
        choices=picklists.choices(("Standard", "AutomatedProcess", "CsnOnly", "Guest")),
        nillable=False,
        **LOCKED,
    ),
    text(name="Division", label="Division", length=80),
    text(name="Department", label="Department", length=80),
    text(name="TimeZoneSidKey", label="Time Zone", length=40, nillable=False),
    to("UserRoleId", "Role ID", "UserRole"),
    to("ProfileId", "Profile ID", "Profile", nillable=False),
    to("ManagerId", "Manager ID", "User"),
    FieldDef(name="LastLoginDate", label="Last Login", type="datetime", **LOCKED),
)
_NAMED = (*_system(), text(name="Name", label="Name", length=80, nillable=False))
_PROFILE = (*_NAMED, yes(name="PermissionsApiUserOnly", label="API Only User", **LOCKED))
_PERMISSION_SET = (
    *_NAMED,
    text(name="Label", label="Permission Set Label", length=80, nillable=False),
    FieldDef(name="Description", label="Description", type="textarea", length=255),
    yes(name="IsOwnedByProfile", label="Is Owned By Profile", **LOCKED),
    yes(name="IsCustom", label="Custom", **LOCKED),
    to("ProfileId", "Profile ID", "Profile", createable=False, updateable=False),
    text(name="NamespacePrefix", label="Namespace Prefix", length=15, **LOCKED),
)
_ASSIGNMENT = (
    *_system(),
    to("PermissionSetId", "PermissionSet ID", "PermissionSet", updateable=False),
    to("AssigneeId", "Assignee ID", "User", nillable=False, updateable=False),
    yes(name="IsActive", label="Is Active", **LOCKED),
)
_FIELD_PERMISSIONS = (
    *_system(),
    to("ParentId", "Parent ID", "PermissionSet", nillable=False, updateable=False),
    pick(name="SobjectType", label="Object", nillable=False, **SET_ONCE),
    pick(name="Field", label="Field", length=255, nillable=False, **SET_ONCE),
    yes(name="PermissionsEdit", label="Edit Field"),
    yes(name="PermissionsRead", label="Read Field"),
)
_OBJECT_PERMISSIONS = (
    *_system(),
    to("ParentId", "Parent ID", "PermissionSet", nillable=False, updateable=False),
    pick(name="SobjectType", label="Object", nillable=False, **SET_ONCE),
    *(
        yes(name=f"Permissions{right}", label=right)
        for right in ("Create", "Read", "Edit", "Delete", "ViewAllRecords", "ModifyAllRecords")
    ),
)
_RECORD_TYPE = (
    *_NAMED,
    text(name="DeveloperName", label="Record Type Name", length=80, nillable=False),
    text(name="NamespacePrefix", label="Namespace Prefix", length=15, **LOCKED),
    text(name="Description", label="Description", length=255),
    pick(name="SobjectType", label="SObject Type Name", nillable=False, **SET_ONCE),
    yes(name="IsActive", label="Active"),
)
_LIST_VIEW = tuple(
    FieldDef(name=f.name, label=f.label, type=f.type, length=f.length, nillable=f.nillable, **LOCKED)
    for f in (
        *_NAMED,
        text(name="DeveloperName", label="API Name", length=80, nillable=False),
        text(name="NamespacePrefix", label="Namespace Prefix", length=15),
        pick(name="SobjectType", label="SObject Type", nillable=False),
    )
)
_ORGANIZATION = (
    *_NAMED,
    pick(name="OrganizationType", label="Edition", **LOCKED),
    text(name="InstanceName", label="Instance Name", length=5, **LOCKED),
    yes(name="IsSandbox", label="Is Sandbox", **LOCKED),
    pick(name="TimeZoneSidKey", label="Time Zone", **LOCKED),
    pick(name="LanguageLocaleKey", label="Language", **LOCKED),
    pick(name="DefaultLocaleSidKey", label="Locale", **LOCKED),
    FieldDef(name="TrialExpirationDate", label="Trial Expiration Date", type="datetime", **LOCKED),
    text(name="NamespacePrefix", label="Namespace Prefix", length=15, **LOCKED),
)
_ACCESS = (
    to("UserId", "User ID", "User", createable=False, updateable=False),
    to("RecordId", "Record ID", "Account", createable=False, updateable=False),
    *(
        yes(name=f"Has{right}Access", label=f"Has {right} Access", **LOCKED)
        for right in ("Read", "Edit", "Delete", "Transfer", "All")
    ),
    pick(name="MaxAccessLevel", label="Maximum Access Level", **LOCKED),
)
_ACCOUNT_HISTORY = (
    *(one for one in _system() if not one.name.startswith(("LastModified", "SystemModstamp"))),
    to("AccountId", "Account ID", "Account", nillable=False, createable=False, updateable=False),
    pick(name="Field", label="Changed Field", length=255, **LOCKED),
    pick(name="DataType", label="Datatype", **LOCKED),
    text(name="OldValue", label="Old Value", length=255, filterable=False, **LOCKED),
    text(name="NewValue", label="New Value", length=255, filterable=False, **LOCKED),
)
_FIELD_DEFINITION = (
    text(name="DurableId", label="Durable ID", length=150, **LOCKED),
    text(name="EntityDefinitionId", label="Entity Definition ID", length=150, **LOCKED),
    text(name="QualifiedApiName", label="Qualified API Name", length=70, **LOCKED),
    text(name="Label", label="Label", length=80, **LOCKED),
    yes(name="IsFieldHistoryTracked", label="Field History Tracked", **LOCKED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """A standard object: its key prefix and fields."""

    name: str
    label: str
    prefix: str
    fields: tuple[FieldDef, ...]


OBJECTS = tuple(
    Standard(name=name, label=label, prefix=prefix, fields=fields)
    for name, label, prefix, fields in (
        ("Account", "Account", "001", _ACCOUNT),
        ("Contact", "Contact", "003", _CONTACT),
        ("Opportunity", "Opportunity", "006", _OPPORTUNITY),
        ("Task", "Task", "00T", _TASK),
        ("User", "User", "005", _USER),
        ("UserRole", "Role", "00E", (*_NAMED, text(name="DeveloperName", label="API Name", length=80))),
        ("Profile", "Profile", "00e", _PROFILE),
        ("RecordType", "Record Type", "012", _RECORD_TYPE),
        ("PermissionSet", "Permission Set", "0PS", _PERMISSION_SET),
        ("PermissionSetAssignment", "Permission Set Assignment", "0Pa", _ASSIGNMENT),
        ("FieldPermissions", "Field Permissions", "01k", _FIELD_PERMISSIONS),
        ("ObjectPermissions", "Object Permissions", "110", _OBJECT_PERMISSIONS),
        ("ListView", "List View", "00B", _LIST_VIEW),
        ("Organization", "Organization", "00D", _ORGANIZATION),
        ("UserRecordAccess", "User Record Access", "", _ACCESS),
        ("AccountHistory", "Account History", "017", _ACCOUNT_HISTORY),
        ("FieldDefinition", "Field Definition", "", _FIELD_DEFINITION),
    )
)
