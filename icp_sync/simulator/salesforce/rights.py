"""Who may see and change what: rights on objects, field-level security, private sharing, read-only rows.

A field made over an API is seen by nobody until a permission set that is assigned to somebody grants it.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_fieldpermissions.htm
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from icp_sync.simulator.salesforce import ids
from icp_sync.simulator.salesforce.powers import CREATE, DELETE, EDIT, READ, Powers, powers_of
from icp_sync.simulator.salesforce.schema import FieldDef
from icp_sync.simulator.salesforce.shared_views import shared_with
from icp_sync.simulator.store import Record

if TYPE_CHECKING:
    from icp_sync.simulator.salesforce.org import Org, User
    from icp_sync.simulator.salesforce.sobject import SObject

TRANSFER = "TransferAnyEntity"
Grants = dict[str, tuple[bool, bool]]
"""Lower-case "account.icp_tier__c" to whether it may be read and edited."""


class Rights:
    """What an org's permission sets and sharing come to. Grants are worked out once a request."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self.hidden_fields: set[tuple[str, str]] = set()
        self.visible_fields: set[tuple[str, str]] = set()
        self.locked_fields: set[tuple[str, str]] = set()
        self._grants: dict[int, Grants] = {}
        self._powers: dict[int, Powers] = {}
        self._turned_at = org.born

    @property
    def changed_at(self) -> int:
        """When field-level security was last changed, ms."""
        records = (
            record
            for name in ("permissionset", "permissionsetassignment", "fieldpermissions")
            for record in self._org.objects[name].store.records.values()
        )
        return max(self._turned_at, max((record.modified for record in records), default=0))

    def hide(self, sobject: SObject, field: FieldDef) -> None:
        """Keep a field from everybody who may not see all."""
        self._turn(self.hidden_fields, self.visible_fields, (sobject.key, field.key))

    def show(self, sobject: SObject, field: FieldDef) -> None:
        """Let everybody see and change a field, whatever permission sets say."""
        self._turn(self.visible_fields, self.hidden_fields, (sobject.key, field.key))
        self.locked_fields.discard((sobject.key, field.key))

    def lock(self, sobject: SObject, field: FieldDef) -> None:
        """Let a field be seen and not changed."""
        self.locked_fields.add((sobject.key, field.key))
        self._turned_at = self._org.clock.now_ms()

    def _turn(self, on: set[tuple[str, str]], off: set[tuple[str, str]], place: tuple[str, str]) -> None:
        on.add(place)
        off.discard(place)
        self._turned_at = self._org.clock.now_ms()

    def forget(self) -> None:
        """Work the grants out anew when they are next asked for."""
        self._grants.clear()
        self._powers.clear()

    def may(self, user: User, permission: str) -> bool:
        """Whether somebody has a permission of the user, "ModifyMetadata" for one."""
        return user.modify_all or permission in self._powers_of(user).user

    def may_do(self, user: User, sobject: SObject, right: str) -> bool:
        """Whether somebody may Create, Read, Edit, Delete records of an object at all."""
        if user.modify_all or not self._org.switches.object_rights:
            return True
        return self._powers_of(user).may_do(sobject.key, right)

    def may_transfer(self, user: User) -> bool:
        """Whether somebody may give away records: Transfer Record is a right of its own (OwnerId of Account).

        https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_account.htm
        """
        switches = self._org.switches
        given = not switches.object_rights or self.may(user, TRANSFER) or self.may(user, "ModifyAllData")
        return user.modify_all or (switches.transfer_right and given)

    def may_set_up(self, user: User, permission: str) -> bool:
        """Whether somebody has a permission to change the setup, or the one that has all of them."""
        return self.may(user, permission) or self.may(user, "ModifyAllData")

    def _powers_of(self, user: User) -> Powers:
        found = self._powers.get(user.number)
        if found is None:
            found = self._powers[user.number] = powers_of(self._org, user)
        return found

    def readable(self, user: User, sobject: SObject, field: FieldDef) -> bool:
        if user.modify_all:
            return True
        place = (sobject.key, field.key)
        if place in self.hidden_fields or not self.may_do(user, sobject, READ):
            return False
        return not field.custom or place in self.visible_fields or self._granted(user, sobject, field)[0]

    def editable(self, user: User, sobject: SObject, field: FieldDef) -> bool:
        """Whether field-level security lets the user change it.

        What the API can change, the field itself says.
        """
        if user.modify_all:
            return True
        place = (sobject.key, field.key)
        if place in self.hidden_fields or place in self.locked_fields:
            return False
        if not any(self.may_do(user, sobject, right) for right in (EDIT, CREATE)):
            return False
        return not field.custom or place in self.visible_fields or self._granted(user, sobject, field)[1]

    def visible(self, user: User, sobject: SObject, record: Record) -> bool:
        """Contacts are controlled by their account, as they are unless an admin says otherwise."""
        if user.modify_all:
            return True
        if not self.may_do(user, sobject, READ):
            return False
        if sobject.key == "listview":
            return not self._org.switches.shared_views_hidden or shared_with(self._org, user, record)
        if not self._org.hidden:
            return True
        if (sobject.key, record.id) in self._org.hidden:
            return False
        if sobject.key != "contact":
            return True
        account = ids.number(record.props.get("AccountId", ""))
        return account is None or ("account", account) not in self._org.hidden

    def may_edit(self, user: User, sobject: SObject, record: Record) -> bool:
        if user.modify_all:
            return True
        read_only = (sobject.key, record.id) in self._org.read_only
        return not read_only and self.may_do(user, sobject, EDIT) and self.visible(user, sobject, record)

    def access(self, user: User, sobject: SObject, record: Record) -> dict[str, bool]:
        """What UserRecordAccess says. Giving a record away takes a right of its own."""
        edit = self.may_edit(user, sobject, record)
        return {
            "HasReadAccess": self.visible(user, sobject, record),
            "HasEditAccess": edit,
            "HasDeleteAccess": edit and self.may_do(user, sobject, DELETE),
            "HasTransferAccess": edit and self.may_transfer(user),
            "HasAllAccess": user.modify_all,
        }

    def _granted(self, user: User, sobject: SObject, field: FieldDef) -> tuple[bool, bool]:
        grants = self._grants.get(user.number)
        if grants is None:
            grants = self._grants[user.number] = self._collected(user)
        return grants.get(f"{sobject.key}.{field.key}", (False, False))

    def _collected(self, user: User) -> Grants:
        """Everything the permission sets assigned to a user grant, together."""
        objects = self._org.objects
        assigned = {
            record.props.get("PermissionSetId")
            for record in _live(objects["permissionsetassignment"])
            if record.props.get("AssigneeId") == user.id
        }
        grants: Grants = {}
        for record in _live(objects["fieldpermissions"]):
            if record.props.get("ParentId") in assigned:
                name = record.props.get("Field", "").lower()
                read, edit = grants.get(name, (False, False))
                more = record.props.get("PermissionsEdit") == "true"
                grants[name] = (read or more or record.props.get("PermissionsRead") == "true", edit or more)
        return grants


def _live(sobject: SObject) -> list[Record]:
    return [sobject.store.records[number] for number in sobject.store.live]
