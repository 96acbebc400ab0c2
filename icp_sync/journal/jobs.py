"""Write jobs a CRM goes on with by itself, whoever asked for them: what is open must end before we go on.

Which values a job carries is in the intents of its accounts; here is only that it was handed over.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.bulk import upsert
from icp_sync.journal.encoding import dumps, loads

_JOB = schema.job


class Jobs(Bound):
    def begin_job(self, job: str, accounts: Sequence[str], *, now: float) -> None:
        """Remember a job and the accounts it writes, before the CRM is told to carry it out."""
        row = {"connection": self.connection, "id": job, "begun_at": now, "accounts": dumps(list(accounts))}
        with self.writing("job") as conn:
            upsert(conn, _JOB, [row])

    def end_job(self, job: str) -> None:
        """It has ended, or was never begun."""
        with self.writing("job") as conn:
            conn.execute(delete(_JOB).where(_JOB.c.connection == self.connection, _JOB.c.id == job))

    def open_jobs(self) -> dict[str, tuple[str, ...]]:
        """Id → accounts of every job not known to have ended, oldest first."""
        mine = select(_JOB.c.id, _JOB.c.accounts).where(_JOB.c.connection == self.connection)
        with self.reading() as conn:
            return {str(id): tuple(loads(ids)) for id, ids in conn.execute(mine.order_by(_JOB.c.begun_at))}
