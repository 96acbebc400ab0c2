"""How all connections stand, shown by one of the workers: figures in several places would grow old in most.

Whoever holds the lease looks and shows; when it ends, another takes over.
"""

from __future__ import annotations

import time

from prometheus_client import Counter, Gauge

from icp_sync.daemon.fleet import Fleet
from icp_sync.daemon.gauges import hide
from icp_sync.daemon.lookout import EVERY
from icp_sync.errors import IcpSyncError
from icp_sync.journal import Journal
from icp_sync.journal.records import Lease
from icp_sync.journal.tasks import STATES
from icp_sync.observe import registry

LOOKOUT = "lookout"
TTL = 60.0
"""Seconds until another worker takes over."""

worker_seen = Gauge(
    "icp_sync_worker_seen_timestamp_seconds", "The last sign of life", ["worker"], registry=registry
)
tasks_shown = Gauge(
    "icp_sync_tasks", "Tasks in the cluster's queue", ["connection", "state"], registry=registry
)
stalled_total = Counter(
    "icp_sync_stalled_tasks_total", "Tasks of workers that vanished, ended by this one", registry=registry
)


class Showing:
    def __init__(self, fleet: Fleet, root: Journal, *, worker: str) -> None:
        self._fleet, self._root, self._worker = fleet, root, worker
        self._lease: Lease | None = None
        self._looked_at = float("-inf")

    def look(self) -> None:
        """Once, more often than the lease lasts. Raises IcpSyncError while the journal is away."""
        now = time.time()
        try:
            held = self._lease
            if held is None:
                self._lease = self._root.lease(LOOKOUT, holder=self._worker, now=now, ttl=TTL)
            else:
                self._lease = self._root.renew(held, now=now, ttl=TTL)
        except IcpSyncError:
            self._lease = None
            self._hide()
            raise
        if self._lease is not None and time.monotonic() - self._looked_at >= EVERY:
            self._looked_at = time.monotonic()
            self._show()

    def leave(self) -> None:
        if self._lease is not None:
            self._root.release_lease(self._lease)

    def _hide(self) -> None:
        """What is shown here would stay as it is."""
        if self._looked_at > float("-inf"):
            self._looked_at = float("-inf")
            worker_seen.clear()
            hide()

    def _show(self) -> None:
        members = self._fleet.members
        for member in members.values():
            member.lookout.look()
        worker_seen.clear()
        for worker in self._root.workers():
            worker_seen.labels(worker.id).set(worker.seen_at)
        tasks_shown.clear()
        counts = self._root.all_task_counts()
        for name in members:
            for state in STATES:
                tasks_shown.labels(name, state).set(counts.get(name, {}).get(state, 0))
