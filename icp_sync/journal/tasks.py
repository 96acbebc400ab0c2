"""What the queue of a cluster holds of a connection: tasks that wait, run, hang or have failed.

The queue is Procrastinate's, in the same database; its tables are read here, for people, and written only by
Procrastinate: https://procrastinate.readthedocs.io/en/stable/. Another program may have its tasks in the same
tables, in queues of other names. Where there is no queue, nothing is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import text

from icp_sync.journal import postgres
from icp_sync.journal.bound import Bound

SILENT = 30.0
"""Seconds without a sign of life of its worker after which a task hangs."""

_THERE = text("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")
_STATES = text(
    "SELECT job.args->>'connection' AS connection,"
    " CASE WHEN job.status = 'doing' AND (worker.id IS NULL OR worker.last_heartbeat <"
    " now() - make_interval(secs => :silent)) THEN 'stalled'"
    " WHEN job.status = 'doing' THEN 'running' WHEN job.status = 'todo' THEN 'waiting'"
    " ELSE 'failed' END AS state, count(*) AS n"
    " FROM procrastinate_jobs job LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id"
    " WHERE job.status IN ('todo', 'doing', 'failed', 'aborted') AND job.queue_name LIKE 'icp-sync %'"
    " GROUP BY 1, 2"
)
_FAILED = text(
    "SELECT job.id, job.task_name, job.args->>'stream' AS stream, job.args->>'partition' AS partition,"
    " job.attempts, (SELECT extract(epoch FROM max(at)) FROM procrastinate_events"
    " WHERE job_id = job.id) AS at"
    " FROM procrastinate_jobs job WHERE job.status IN ('failed', 'aborted')"
    " AND job.queue_name LIKE 'icp-sync %' AND job.args->>'connection' IS NOT DISTINCT FROM :connection"
    " ORDER BY job.id DESC LIMIT :limit"
)
_OPEN = text(
    "SELECT args->>'connection', args->>'stream', args->>'partition' FROM procrastinate_jobs"
    " WHERE status IN ('todo', 'doing') AND queue_name LIKE 'icp-sync %' AND args ? 'stream'"
)

_RUNNING = text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing' AND queue_name = :queue")
_WAITING = text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND queue_name = :queue")

WAITING, RUNNING, STALLED, FAILED = "waiting", "running", "stalled", "failed"
STATES = (WAITING, RUNNING, STALLED, FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadTask:
    """One that ended by an error nobody foresaw. Its stream is tried again all the same, by the next."""

    id: int
    stream: str
    partition: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """How many of a connection's tasks are in which state, and the latest that failed, newest first."""

    counts: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(STATES, 0))
    dead: tuple[DeadTask, ...] = ()


class TaskRows(Bound):
    @contextmanager
    def making_tables(self) -> Iterator[bool]:
        """Whether the queue's tables are there; others that ask wait until this one has made them."""
        session = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with session as conn, postgres.one_at_a_time(conn, "queue"):
            yield bool(conn.execute(_THERE).scalar())

    def queued(self) -> bool:
        """Whether this journal has ever been worked on by a cluster."""
        if self.engine.dialect.name != postgres.NAME:
            return False
        with self.reading() as conn:
            return bool(conn.execute(_THERE).scalar())

    def tasks(self, limit: int = 10) -> Tasks | None:
        """Those of this connection, None where there is no queue."""
        if not self.queued():
            return None
        with self.reading() as conn:
            counts = dict.fromkeys(STATES, 0)
            for connection, state, n in conn.execute(_STATES, {"silent": SILENT}):
                if connection == self.connection:
                    counts[state] += n
            asked = {"connection": self.connection, "limit": limit}
            dead = tuple(
                DeadTask(
                    id=row.id,
                    stream=row.stream or "",
                    partition=row.partition or "",
                    at=float(row.at or 0),
                )
                for row in conn.execute(_FAILED, asked)
            )
        return Tasks(counts=counts, dead=dead)

    def all_task_counts(self) -> dict[str, dict[str, int]]:
        """Connection → state → tasks; "" for those that belong to none."""
        if not self.queued():
            return {}
        found: dict[str, dict[str, int]] = {}
        with self.reading() as conn:
            for connection, state, n in conn.execute(_STATES, {"silent": SILENT}):
                found.setdefault(connection or "", dict.fromkeys(STATES, 0))[state] += n
        return found

    def waiting_tasks(self, queue: str) -> int:
        """Tasks of one queue that could begin and have not."""
        with self.reading() as conn:
            return int(conn.execute(_WAITING, {"queue": queue}).scalar_one())

    def running_tasks(self, queue: str) -> int:
        """Tasks of one queue that workers are at."""
        with self.reading() as conn:
            return int(conn.execute(_RUNNING, {"queue": queue}).scalar_one())

    def open_tasks(self) -> set[tuple[str, str, str]]:
        """(connection, stream, partition) that somebody is at, or will be as soon as there is room."""
        with self.reading() as conn:
            return {(str(c), str(s), str(p or "")) for c, s, p in conn.execute(_OPEN)}
