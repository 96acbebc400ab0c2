"""Accounts the CRM refused, those given up on among them: why, and letting them be tried again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select, update

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.database import chunks

_ACCOUNT = schema.account

UNSETTLED = ("refused", "deferred", "dead")
"""What an account is of which something is to be written yet. "dead": it waits for a person, or a change."""


class Refusal(NamedTuple):
    """An account the CRM refused, in the CRM's words."""

    account_id: str
    name: str
    status: str
    problem: str


class Retrying(Bound):
    def retry(self, ids: Sequence[str] | None = None, *, now: float) -> list[str]:
        """Make accounts of which something is still to be written due now, as if never tried: these, or all.

        Returns those it concerns, in order of id.
        """
        mine = (_ACCOUNT.c.connection == self.connection, _ACCOUNT.c.status.in_(UNSETTLED))
        those = [mine] if ids is None else [(*mine, _ACCOUNT.c.id.in_(chunk)) for chunk in chunks(list(ids))]
        woken: list[str] = []
        with self.writing("state") as conn:
            for where in those:
                again = update(_ACCOUNT).where(*where).values(attempts=0, wake_at=now, fingerprint="")
                woken += conn.execute(again.returning(_ACCOUNT.c.id)).scalars()
        return sorted(woken)

    def refusals(self, after: str = "", limit: int = 1_000) -> list[Refusal]:
        """Accounts refused or given up on, in order of id, after this one."""
        columns = [_ACCOUNT.c[name] for name in ("id", "name", "status", "problem")]
        with self.reading() as conn:
            rows = conn.execute(
                select(*columns)
                .where(
                    _ACCOUNT.c.connection == self.connection,
                    _ACCOUNT.c.status.in_(("refused", "dead")),
                    _ACCOUNT.c.id > after,
                )
                .order_by(_ACCOUNT.c.id)
                .limit(limit)
            )
            return [Refusal(*row) for row in rows]
