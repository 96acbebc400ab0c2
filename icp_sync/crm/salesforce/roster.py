"""Users of the org: ids on the wire, lower-case emails everywhere else.

A sandbox appends ".invalid" to every email so that nobody gets mail from it ("Sandbox Setup
Considerations", Salesforce Help); here it is taken off, so that a configuration moves between both.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_user.htm
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from icp_sync.crm.canonical import instant
from icp_sync.crm.salesforce import soql
from icp_sync.crm.salesforce.client import Client, Json
from icp_sync.crm.salesforce.ids import long_id
from icp_sync.crm.salesforce.replies import codes
from icp_sync.domain.account import Owner
from icp_sync.errors import RequestError

TTL = 900.0
SOONEST = 60.0
"""Seconds before an unknown id or email makes us read the users again: someone may just have joined."""

_NEEDED = ("Id", "Name", "Email", "IsActive", "UserType")
_LAST_LOGIN = "LastLoginDate"
_MASK = ".invalid"


class Roster:
    """Users, active and deactivated (their ids stay on records). clock: monotonic seconds."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._emails: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        self._owners: tuple[Owner, ...] = ()
        self._version = 0
        self._read_at = float("-inf")
        self._lock = threading.RLock()

    def owners(self) -> tuple[Owner, ...]:
        """Everyone with an email."""
        with self._lock:
            self._fresh(TTL)
            return self._owners

    def email(self, user_id: str) -> str:
        """The user's email, "#id" for an id that is not in the list, "" for blank."""
        if not user_id:
            return ""
        with self._lock:
            self._fresh(TTL)
            if user_id not in self._emails:
                self._fresh(SOONEST)
            return self._emails.get(user_id) or f"#{user_id}"

    def id(self, email: str) -> str | None:
        """The id to write for an email or "#id"; None when nobody has that email, "" for blank."""
        if not email or email.startswith("#"):
            return email.removeprefix("#")
        with self._lock:
            self._fresh(TTL)
            if _plain(email) not in self._ids:
                self._fresh(SOONEST)
            return self._ids.get(_plain(email))

    def all_ids(self, email: str) -> frozenset[str]:
        """Every user with this email: several may share one."""
        with self._lock:
            self._fresh(TTL)
            return frozenset(id for id, known in self._emails.items() if known == _plain(email))

    def version(self) -> int:
        """How often the users were read: what was made of them holds until this changes."""
        with self._lock:
            self._fresh(TTL)
            return self._version

    def _fresh(self, age: float) -> None:
        if self._clock() - self._read_at <= age:
            return
        rows = [row for row in self._read() if long_id(str(row.get("Id") or ""))]
        owners = {owner.id: owner for owner in map(_owner, rows)}
        standard = {long_id(str(row["Id"])) for row in rows if row.get("UserType") == "Standard"}
        self._emails = {id: owner.email for id, owner in owners.items()}
        # Several users may have one email: the active ones win it, of those the one of the ordinary kind.
        named = sorted(
            (owner for owner in owners.values() if owner.email),
            key=lambda owner: (owner.active, owner.id in standard, owner.id),
        )
        self._ids = {owner.email: owner.id for owner in named}
        self._owners = tuple(named)
        self._version += 1
        self._read_at = self._clock()

    def _read(self) -> list[Json]:
        try:
            return self._rows((*_NEEDED, _LAST_LOGIN))
        except RequestError as error:
            if not any(one.code == "INVALID_FIELD" for one in codes(error)):
                raise
            return self._rows(_NEEDED)  # when somebody last logged in may be hidden from us

    def _rows(self, fields: Sequence[str]) -> list[Json]:
        return [row for page in self._client.query(soql.select(fields, "User")) for row in page]


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
