"""A CRM's owners by id and by email, read again when old. Knows no CRM: who there is, is handed in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from icp_sync.domain.account import Owner

TTL = 900.0
SOONEST = 60.0
"""Seconds before an unknown id or email makes us read the owners again: someone may just have joined."""


class Roster:
    """Owners, active and deactivated (their ids stay on records).

    read: everybody; where several have one email the last of them wins it. spelt: an email as `read` spells
    it. clock: monotonic seconds.
    """

    def __init__(
        self,
        read: Callable[[], Iterable[Owner]],
        *,
        spelt: Callable[[str], str] = str.lower,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._spelt = spelt
        self._clock = clock
        self._emails: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        self._owners: tuple[Owner, ...] = ()
        self._version = 0
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
        known = self._spelt(email)
        with self._lock:
            self._fresh(TTL)
            if known not in self._ids:
                self._fresh(SOONEST)
            return self._ids.get(known)

    def all_ids(self, email: str) -> frozenset[str]:
        """Everybody with this email: several may share one."""
        with self._lock:
            self._fresh(TTL)
            return frozenset(id for id, known in self._emails.items() if known == self._spelt(email))

    def version(self) -> int:
        """How often the owners were read: what was made of them holds until this changes."""
        with self._lock:
            self._fresh(TTL)
            return self._version

    def _fresh(self, age: float) -> None:
        if self._clock() - self._read_at <= age:
            return
        owners = {owner.id: owner for owner in self._read()}
        named = [owner for owner in owners.values() if owner.email]
        self._emails = {id: owner.email for id, owner in owners.items()}
        self._ids = {owner.email: owner.id for owner in named}
        self._owners = tuple(named)
        self._version += 1
        self._read_at = self._clock()
