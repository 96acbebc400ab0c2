"""What a refused read says about our rights: an object or a field that is not shown to us. Sends nothing.

An object or a field a user may not read is none for this user: a query that names it is refused as if it did
not exist. Everything else that goes wrong says nothing about rights, and must not be taken for a missing one.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
"""

from __future__ import annotations

from icp_sync.crm.salesforce.replies import codes
from icp_sync.errors import RequestError

_UNSHOWN = frozenset(("INVALID_TYPE", "INVALID_FIELD"))
_DENIED = "INSUFFICIENT_ACCESS"  # and what begins with it


def is_missing_right(error: RequestError) -> bool:
    """Whether a read was refused because something in it is not for us to see."""
    return any(one.code in _UNSHOWN or one.code.startswith(_DENIED) for one in codes(error))
