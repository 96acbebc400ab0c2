"""What somebody's profile and permission sets come to, besides single fields: rights on objects and of users.

Sharing, which is about records, and field-level security are `rights`' business.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_objectpermissions.htm
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_permissionset.htm
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from icp_sync.simulator.salesforce.founding import INTEGRATION_PROFILE, STANDARD
from icp_sync.simulator.store import Record

if TYPE_CHECKING:
    from icp_sync.simulator.salesforce.org import Org, User
    from icp_sync.simulator.salesforce.sobject import SObject

CREATE, READ, EDIT, DELETE = "Create", "Read", "Edit", "Delete"
TASK, EDIT_TASKS = "task", "EditTask"
"""Who may make tasks is said by a permission of the user, not of the object ("Edit Tasks")."""
GOVERNED = frozenset({"account", "contact", "opportunity"})
"""Objects whose records take a right on the object."""
SETUP = frozenset({"fieldpermissions", "objectpermissions"})
"""Objects that only who has View Setup and Configuration may look at (Special Access Rules of each)."""
_PERMISSIONS = "Permissions"
_ALL = frozenset({CREATE, READ, EDIT, DELETE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Powers:
    """objects: lower-case object to what may be done with its records; user: permissions, as ApiEnabled."""

    objects: Mapping[str, frozenset[str]] = field(default_factory=dict)
    user: frozenset[str] = frozenset()

    def may_do(self, key: str, right: str) -> bool:
        """Whether records of an object may be read, edited …"""
        if key in SETUP:
            return right != READ or "ViewSetup" in self.user
        if key == TASK:
            return right == READ or EDIT_TASKS in self.user
        return key not in GOVERNED or right in self.objects.get(key, frozenset())


_PROFILES: Mapping[str, Powers] = {
    STANDARD: Powers(
        objects=dict.fromkeys(GOVERNED, _ALL),
        user=frozenset({"ApiEnabled", "ViewRoles", "ViewSetup", EDIT_TASKS}),
    ),
    INTEGRATION_PROFILE: Powers(user=frozenset({"ApiEnabled", "ApiUserOnly"})),
}
_GIVEN = Powers(
    objects={
        "account": frozenset({READ, EDIT}),
        "contact": frozenset({READ}),
        "opportunity": frozenset({READ}),
    },
    user=frozenset({EDIT_TASKS}),
)
"""What an admin has already given the integration's user, unless the switch `bare_user` says otherwise."""
_TRUSTED = Powers(user=frozenset({"AssignPermissionSets", "ModifyMetadata", "ViewRoles", "ViewSetup"}))
"""And beside it, by the switch `metadata_right`: who deploys also sees the setup."""


def powers_of(org: Org, user: User) -> Powers:
    """Everything somebody's profile and permission sets give, together."""
    given = [_PROFILES.get(_profile(org, user), Powers())]
    if user.number == org.integration.number and not org.switches.bare_user:
        given += [_GIVEN, _TRUSTED] if org.switches.metadata_right else [_GIVEN]
    given.append(_assigned(org, user))
    held = frozenset[str]().union(*(one.user for one in given))
    objects = {
        key: frozenset[str]().union(*(one.objects.get(key, frozenset()) for one in given)) for key in GOVERNED
    }
    if held & {"ModifyAllData", "ViewAllData"}:
        more = _ALL if "ModifyAllData" in held else frozenset({READ})
        objects = {key: rights | more for key, rights in objects.items()}
    return Powers(objects=objects, user=held)


def _profile(org: Org, user: User) -> str:
    profiles = org.objects["profile"]
    record = profiles.record(user.record.props.get("ProfileId", ""))
    return "" if record is None else record.props.get("Name", "")


def _assigned(org: Org, user: User) -> Powers:
    """What the permission sets assigned to somebody give."""
    parents = {
        row.props.get("PermissionSetId")
        for row in _live(org.objects["permissionsetassignment"])
        if row.props.get("AssigneeId") == user.id
    }
    objects: dict[str, frozenset[str]] = {}
    for row in _live(org.objects["objectpermissions"]):
        if row.props.get("ParentId") in parents:
            key = row.props.get("SobjectType", "").lower()
            rights = {one for one in _ALL if row.props.get(f"{_PERMISSIONS}{one}") == "true"}
            objects[key] = objects.get(key, frozenset()) | rights
    sets = org.objects["permissionset"]
    held = {
        name.removeprefix(_PERMISSIONS)
        for row in _live(sets)
        if sets.id_of(row) in parents
        for name, value in row.props.items()
        if name.startswith(_PERMISSIONS) and value == "true"
    }
    return Powers(objects=objects, user=frozenset(held))


def _live(sobject: SObject) -> Iterator[Record]:
    return (sobject.store.records[number] for number in sobject.store.live)
