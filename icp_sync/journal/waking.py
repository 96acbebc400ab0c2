"""Making accounts due because something was heard of them that no CRM told."""

from __future__ import annotations

from collections.abc import Sequence

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.encoding import plain
from icp_sync.journal.families import wake

_ACCOUNT = schema.account


class Waking(Bound):
    def wake_accounts(self, ids: Sequence[str], *, now: float) -> int:
        """Make these due, as far as they are known and live; returns how many."""
        with self.writing("state") as conn:
            proper = sorted({plain(one) for one in ids} - {""})
            return wake(conn, self.connection, _ACCOUNT.c.id, proper, now)
