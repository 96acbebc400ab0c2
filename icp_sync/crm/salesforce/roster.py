"""Users of the org: ids on the wire, lower-case emails everywhere else.

A sandbox appends ".invalid" to every email so that nobody gets mail from it ("Sandbox Setup
Considerations", Salesforce Help); here it is taken off, so that a configuration moves between both.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_user.htm
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from icp_sync.crm.canonical import instant
from icp_sync.crm.roster import Roster
from icp_sync.crm.salesforce import soql
from icp_sync.crm.salesforce.client import Client, Json
from icp_sync.crm.salesforce.ids import long_id
from icp_sync.crm.salesforce.replies import codes
from icp_sync.domain.account import Owner
from icp_sync.errors import RequestError

_NEEDED = ("Id", "Name", "Email", "IsActive", "UserType")
_LAST_LOGIN = "LastLoginDate"
_MASK = ".invalid"


def roster(client: Client, clock: Callable[[], float] = time.monotonic) -> Roster:
    """The org's users; of several with one email an active one wins it, of those one of the ordinary kind."""

    def everybody() -> list[Owner]:
        rows = [row for row in _read(client) if long_id(str(row.get("Id") or ""))]
        standard = {long_id(str(row["Id"])) for row in rows if row.get("UserType") == "Standard"}
        return sorted(map(_owner, rows), key=lambda owner: (owner.active, owner.id in standard, owner.id))

    return Roster(everybody, spelt=_plain, clock=clock)


def _read(client: Client) -> list[Json]:
    try:
        return _rows(client, (*_NEEDED, _LAST_LOGIN))
    except RequestError as error:
        if not any(one.code == "INVALID_FIELD" for one in codes(error)):
            raise
        return _rows(client, _NEEDED)  # when somebody last logged in may be hidden from us


def _rows(client: Client, fields: Sequence[str]) -> list[Json]:
    return [row for page in client.query(soql.select(fields, "User")) for row in page]


def _plain(email: str) -> str:
    return email.strip().lower().removesuffix(_MASK)


def _owner(row: Json) -> Owner:
    return Owner(
        id=long_id(str(row["Id"])),
        email=_plain(str(row.get("Email") or "")),
        name=str(row.get("Name") or "").strip(),
        active=bool(row.get("IsActive")),
        seen_at=instant(str(row.get(_LAST_LOGIN) or "")),
    )
