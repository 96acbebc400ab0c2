"""Our two permission sets: what each gives, and each as a component of metadata. Knows no org.

A deployed permission set replaces the one of its name, so only a new one is deployed.
PermissionSet, Metadata API Developer Guide:
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_permissionset.htm
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from icp_sync.crm.salesforce.provisioning.metadata import Component, Element, yes_no
from icp_sync.domain.standing import FIELDS
from icp_sync.ports import Blueprint

INTEGRATION = "ICP_Sync_Integration"
READERS = "ICP_Sync_Readers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """What a permission set gives.

    fields: "Account.ICP_Tier__c" → whether it may be edited too. objects: object → rights on it. user: rights
    of the user.
    """

    fields: Mapping[str, bool]
    objects: Mapping[str, frozenset[str]]
    user: frozenset[str] = frozenset()

    def without(self, fields: Collection[str]) -> Grants:
        """The same, less these fields (lower-case, "account.icp_tier__c")."""
        kept = {name: editable for name, editable in self.fields.items() if name.lower() not in fields}
        return Grants(fields=kept, objects=self.objects, user=self.user)

    def beside(self, more: Grants) -> Grants:
        """Both together; of a field or object in both, what this one says."""
        return Grants(
            fields={**more.fields, **self.fields},
            objects={**more.objects, **self.objects},
            user=self.user | more.user,
        )


ACCOUNT_READ = frozenset({"allowRead"})
ACCOUNT_EDIT = frozenset({"allowRead", "allowEdit", "viewAllRecords"})
SEEN = frozenset({"allowRead", "viewAllRecords"})
"""Of what belongs to accounts: a deal we cannot see is an owner moved in its midst."""
STAMPED = SEEN | {"allowEdit"}
"""Of deals that are stamped when they are created."""
USER_RIGHTS = frozenset({"ApiEnabled", "ViewRoles", "ViewSetup"})
"""View Setup (which needs View Roles) only reads: `check` looks with it who else may edit our fields."""

TRANSFER = "TransferAnyEntity"
"""The user permission "Transfer Record": changing the OwnerId of an Account takes it (Object Reference)."""

_OBJECT_RIGHTS = (
    "allowCreate",
    "allowDelete",
    "allowEdit",
    "allowRead",
    "modifyAllRecords",
    "viewAllRecords",
)


def editable_by_people(blueprint: Blueprint) -> frozenset[str]:
    """The logical names of the fields that belong to people, who alone may edit them."""
    return frozenset(field for field in blueprint.fields if FIELDS[field].theirs)


def integration_grants(blueprint: Blueprint, *, transfer: bool) -> Grants:
    """What we need. `transfer`: whether we write the owner of accounts. Deals are only read, unless they are
    stamped."""
    return Grants(
        fields={
            **{
                f"Account.{name}": field not in editable_by_people(blueprint)
                for field, name in blueprint.fields.items()
            },
            **{f"Opportunity.{name}": True for name in blueprint.deal_fields.values()},
        },
        objects={
            "Account": ACCOUNT_EDIT,
            "Contact": SEEN,
            "Opportunity": STAMPED if blueprint.deal_fields else SEEN,
        },
        user=USER_RIGHTS | ({TRANSFER} if transfer else frozenset()),
    )


def reader_grants(blueprint: Blueprint) -> Grants:
    """What people need: to read our fields, and to edit those that are theirs. The seal is nobody's; who sees
    which deals is not for us to say."""
    shown = {field: name for field, name in blueprint.fields.items() if not FIELDS[field].hidden}
    theirs = editable_by_people(blueprint)
    return Grants(
        fields={
            **{f"Account.{name}": field in theirs for field, name in shown.items()},
            **{f"Opportunity.{name}": False for name in blueprint.deal_fields.values()},
        },
        objects={"Account": ACCOUNT_READ},
    )


def permission_set(name: str, grants: Grants) -> Component:
    """One of our two permission sets."""
    label, description = _SETS[name]
    body: list[Element] = [("description", description)]
    for field, editable in sorted(grants.fields.items()):
        said = ("editable", yes_no(editable)), ("field", field), ("readable", "true")
        body.append(("fieldPermissions", said))
    body += [("hasActivationRequired", "false"), ("label", label)]
    for target, rights in sorted(grants.objects.items()):
        allowed: list[Element] = [(right, yes_no(right in rights)) for right in _OBJECT_RIGHTS]
        allowed.insert(5, ("object", target))
        body.append(("objectPermissions", tuple(allowed)))
    for right in sorted(grants.user):
        body.append(("userPermissions", (("enabled", "true"), ("name", right))))
    return Component(kind="PermissionSet", name=name, body=tuple(body))


_SETS: Mapping[str, tuple[str, str]] = {
    INTEGRATION: (
        "ICP Sync integration",
        "For the user icp_sync runs as, and for nobody else: writes the ICP fields of accounts.",
    ),
    READERS: (
        "ICP Sync readers",
        "For people: shows them the ICP fields of accounts, read-only but for the override, which is theirs.",
    ),
}


def label(name: str) -> str:
    """What one of our permission sets is called."""
    return _SETS[name][0]
