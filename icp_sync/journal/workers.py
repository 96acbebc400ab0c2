"""Which processes work on this journal, and since when nobody has heard of one.

A row is only a sign of life, for people and metrics: whether somebody may work is decided by leases.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.bulk import upsert

_WORKER = schema.worker
REMEMBERED = 86_400.0
"""Seconds for which one that has vanished is still told of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRow:
    """id: host, process and a random part. schema: the revision its version was built for. jobs: cycles it
    runs at once. Instants are epoch seconds by the database's clock."""

    id: str
    version: str
    schema: str
    started_at: float
    seen_at: float
    jobs: int


class Workers(Bound):
    def worker_seen(self, worker: WorkerRow) -> None:
        """It lives. Those nobody has heard of for a day are forgotten."""
        row = {name: getattr(worker, name) for name in worker.__slots__}
        with self.writing("worker") as conn:
            upsert(conn, _WORKER, [row])
            conn.execute(delete(_WORKER).where(_WORKER.c.seen_at < worker.seen_at - REMEMBERED))

    def worker_gone(self, worker_id: str) -> None:
        """It has ended, and nothing of it is left."""
        with self.writing("worker") as conn:
            conn.execute(delete(_WORKER).where(_WORKER.c.id == worker_id))

    def workers(self) -> list[WorkerRow]:
        """By the time they began."""
        with self.reading() as conn:
            rows = conn.execute(select(_WORKER).order_by(_WORKER.c.started_at, _WORKER.c.id))
            return [WorkerRow(**row._mapping) for row in rows]
