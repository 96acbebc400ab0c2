"""Owners of the portal: ids on the wire, lower-case emails everywhere else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from icp_sync.crm.hubspot.client import Client, Json, next_after, results
from icp_sync.domain.account import Owner
from icp_sync.errors import UnavailableError

TTL = 900.0
SOONEST = 60.0
"""Seconds before an unknown id or email makes us read the owners again: someone may just have joined."""


class Roster:
    """Owners, active and deactivated (their ids stay on records). clock: monotonic seconds."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._emails: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        self._owners: tuple[Owner, ...] = ()
        self._read_at = float("-inf")
        self._lock = threading.RLock()

    def owners(self) -> tuple[Owner, ...]:
        """Everyone with an email; queues and the like have none and own nothing we could name."""
        with self._lock:
            self._fresh(TTL)
            return self._owners

    def email(self, owner_id: str) -> str:
        """The owner's email, "#id" for an id that is not (or no longer) in the list, "" for blank."""
        if not owner_id:
            return ""
        with self._lock:
            self._fresh(TTL)
            if owner_id not in self._emails:
                self._fresh(SOONEST)
            return self._emails.get(owner_id) or f"#{owner_id}"

    def id(self, email: str) -> str | None:
        """The id to write for an email or "#id"; None when nobody has that email, "" for blank."""
        if not email or email.startswith("#"):
            return email.removeprefix("#")
        with self._lock:
            self._fresh(TTL)
            if email.lower() not in self._ids:
                self._fresh(SOONEST)
            return self._ids.get(email.lower())

    def _fresh(self, age: float) -> None:
        if self._clock() - self._read_at <= age:
            return
        entries = [*self._read(archived=True), *self._read(archived=False)]
        owners = {owner.id: owner for owner in map(_owner, entries)}
        self._emails = {id: owner.email for id, owner in owners.items()}
        named = sorted((o for o in owners.values() if o.email), key=lambda o: (o.active, o.id))
        self._ids = {owner.email: owner.id for owner in named}  # an active owner wins an email
        self._owners = tuple(named)
        self._read_at = self._clock()

    def _read(self, *, archived: bool) -> Iterator[Json]:
        after = ""
        while True:
            page = self._client.owners(after=after, archived=archived)
            found = results(page)
            yield from ({**entry, "archived": archived} for entry in found)
            following = next_after(page)
            if not following:
                return
            if following == after or not found:
                raise UnavailableError("HubSpot's list of owners does not advance")
            after = following


def _owner(entry: Json) -> Owner:
    name = " ".join(str(entry[key]) for key in ("firstName", "lastName") if entry.get(key))
    return Owner(
        id=str(entry["id"]),
        email=str(entry.get("email") or "").strip().lower(),
        name=name,
        active=not entry.get("archived"),
    )
