"""Whom a list view is shown to: everybody, or those it is shared with.

https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_listview.htm (sharedTo)
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from icp_sync.simulator.store import Record

if TYPE_CHECKING:
    from icp_sync.simulator.salesforce.org import Org, User

SHARED_TO = "SharedTo"
"""Where a view's row keeps it, as JSON; no field of the API's."""
_EVERYBODY = "allInternalUsers"
_ROLES = ("role", "roles", "roleAndSubordinates", "roleAndSubordinatesInternal", "rolesAndSubordinates")


def shared_with(org: Org, user: User, view: Record) -> bool:
    """Whether a view is shared with everybody or with the user's role. Groups have no members here."""
    shared = json.loads(view.props.get(SHARED_TO, "{}"))
    to = {key: value for key, value in shared.items() if value}
    if not to or _EVERYBODY in to:
        return True
    named = {str(name).lower() for key in _ROLES for name in to.get(key, ())}
    role = org.objects["userrole"].record(user.record.props.get("UserRoleId", ""))
    return role is not None and role.props.get("DeveloperName", "").lower() in named
