"""How the workers of a cluster stand, and what of a connection waits, runs, fails or hangs in their queue."""

from __future__ import annotations

from icp_sync.journal import Journal
from icp_sync.journal.tasks import SILENT

Data = dict[str, object]


def cluster(journal: Journal) -> Data | None:
    """workers: those that lived within a day, vanished where nobody has heard of one for long. tasks: state
    → how many of this connection. failing: its streams that are tried again, with why and when. dead: the
    latest tasks that ended by an error nobody foresaw. None where no cluster ever worked on this journal."""
    tasks = journal.tasks()
    if tasks is None:
        return None
    now, cut = journal.moment(), journal.is_cut()
    return {
        "workers": [
            {
                "id": one.id,
                "version": one.version,
                "schema": one.schema,
                "since": one.started_at,
                "seen_seconds_ago": max(0.0, now - one.seen_at),
                "jobs": one.jobs,
                "vanished": now - one.seen_at > SILENT,
            }
            for one in journal.workers()
        ],
        "tasks": dict(tasks.counts),
        "failing": [
            {
                "stream": one.stream,
                "partition": one.partition,
                "failures": one.failures,
                "since": one.down_since,
                "error": one.error,
                "again_in_seconds": max(0.0, one.due_at - now),
            }
            for one in journal.turns()
            if one.failures and (cut or not one.partition)
        ],
        "dead": [
            {"id": one.id, "stream": one.stream, "partition": one.partition, "at": one.at}
            for one in tasks.dead
        ],
    }
