"""One of any number of processes that share the connections of one journal.

Takes tasks out of the queue, says now and then that it lives, and looks after what one of the workers must:
the metrics of all connections, by whoever holds the lease for it. Connections come and go as in the worker of
one process, and it ends as gently: pages in flight are finished.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from icp_sync import __version__
from icp_sync.cluster.clock import SharedClock
from icp_sync.cluster.queue import AGAIN, LONG, QUICK, TROUBLE, WATCH, Queue, prepared, why
from icp_sync.cluster.serving import Serving
from icp_sync.cluster.showing import Showing, stalled_total
from icp_sync.cluster.timetable import due
from icp_sync.daemon import Stopping, changing, desk
from icp_sync.daemon.changing import Changing
from icp_sync.daemon.desk import Desk
from icp_sync.daemon.fleet import Fleet, Member
from icp_sync.daemon.health import Health
from icp_sync.daemon.inbound import Inbound
from icp_sync.daemon.notifying import Supervision
from icp_sync.daemon.portal import Portal
from icp_sync.daemon.supply import Supply
from icp_sync.errors import IcpSyncError
from icp_sync.journal.schema import REVISIONS
from icp_sync.journal.tasks import SILENT
from icp_sync.journal.turns import Key
from icp_sync.journal.workers import WorkerRow
from icp_sync.observe import log
from icp_sync.settings.cluster import Cluster
from icp_sync.settings.inbound import InboundServer
from icp_sync.sync.ranges import open_ranges

T = TypeVar("T")

SIGN = 10.0
"""Seconds between two signs of life, and between two looks at what the others have kept."""
LOOK = 0.2
WATCHERS = 3
"""Tasks at once of the queue that looks after the others."""
BESIDE = 4
"""Threads for what is no task."""


class Worker:
    """portals: those that could be built, broken: those that could not, and why."""

    def __init__(
        self,
        portals: Sequence[Portal],
        stopping: Stopping,
        supply: Supply,
        *,
        cluster: Cluster,
        health: tuple[str, int] | None = None,
        inbound: InboundServer | None = None,
        broken: Sequence[tuple[str, IcpSyncError]] = (),
    ) -> None:
        self.id = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._stopping, self._root, self._cluster = stopping, supply.journal, cluster
        self._clock = clock = SharedClock(self._root)
        self._began = clock()
        self.fleet = Fleet(clock)
        for portal in portals:
            self.fleet.add(portal)
        self._serving = Serving(
            self.fleet, self._root, stopping, worker=self.id, share=cluster.share, clock=clock
        )
        self._showing = Showing(self.fleet, self._root, worker=self.id)
        self._inbound = Inbound(portals, inbound, clock=time.time) if inbound else None
        self._desk = Desk(self.fleet, self._root, wake=_of_the_timetable, soon=_of_the_timetable)
        self._changing = Changing(
            self.fleet, supply, begin=self._came, end=self._went, lifted=self._desk.lifted, clock=clock
        )
        for name, error in broken:
            self._changing.broke(name, error)
        self._health = (
            Health(self.fleet, *health, clock=clock, broken=lambda: self.fleet.broken)
            if health and health[1]
            else None
        )
        self._signed = time.monotonic()
        self._supervision = Supervision(self.fleet, self._behind, clock)
        size = cluster.jobs + cluster.long + WATCHERS + BESIDE
        self._threads = ThreadPoolExecutor(max_workers=size, thread_name_prefix="cycle")

    def run(self) -> None:
        """Work until told to stop, then finish what is in flight. Raises UnavailableError where the queue
        cannot be prepared."""
        prepared(self._root)
        self._desk.look()  # before anything begins: what is paused shall not
        for part in (self._health, self._inbound):
            if part:
                part.start()
        log("cluster").info("working", worker=self.id, connections=len(self.fleet.members))
        self._supervision.ready()
        try:
            asyncio.run(self._main())
        finally:
            self._stopping.drain()
            self._supervision.stopping()
            if self._health:
                self._health.drain()
            if self._inbound:
                self._inbound.stop()
            self._threads.shutdown(wait=True)
            self._stopping.end()
            self._leave()
            if self._health:
                self._health.stop()
            self._changing.close()
        log("cluster").info("stopped", worker=self.id)

    async def _main(self) -> None:
        stopped = asyncio.Event()
        asyncio.get_running_loop().set_exception_handler(_unheard)
        queue = Queue(
            self._root,
            perform=self._serving.perform,
            look=self._due,
            run=self._in_thread,
            recovered=self._recovered,
            silent=min(SILENT, self._cluster.lease / 2),
        )
        sizes = {QUICK: self._cluster.jobs, LONG: self._cluster.long, WATCH: WATCHERS}
        async with asyncio.TaskGroup() as together:
            for every, act in (
                (desk.EVERY, self._desk.look),
                (changing.EVERY, self._changing.look),
                (SIGN, self._sign),
                (LOOK, self._supervision.look),
            ):
                together.create_task(self._again_and_again(every, act, stopped))
            together.create_task(self._until_told(stopped))
            together.create_task(self._queues(queue, sizes, stopped))

    async def _queues(self, queue: Queue, sizes: dict[str, int], stopped: asyncio.Event) -> None:
        async with queue.opened(stopped):
            await asyncio.gather(*(self._queue(queue, name, n, stopped) for name, n in sizes.items()))

    async def _queue(self, queue: Queue, name: str, concurrency: int, stopped: asyncio.Event) -> None:
        """One queue until told to stop; taken up again whenever the database was away."""
        while not stopped.is_set():
            said = "its sign of life could not be kept"  # then it ends without an error
            try:
                await queue.work(name, concurrency=concurrency, stopped=stopped)
            except TROUBLE as error:
                said = why(error)
            if not stopped.is_set():
                log("cluster").warning("a queue was cut off from its database", queue=name, error=said)
                await asyncio.sleep(AGAIN)

    async def _until_told(self, stopped: asyncio.Event) -> None:
        while self._stopping.going():
            await asyncio.sleep(LOOK)
        stopped.set()

    async def _again_and_again(self, every: float, act: Callable[[], None], stopped: asyncio.Event) -> None:
        while not stopped.is_set():
            await self._in_thread(act)
            try:
                await asyncio.wait_for(stopped.wait(), every)
            except TimeoutError:
                continue

    async def _in_thread(self, function: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(function, *args))

    # What runs in threads

    def _due(self) -> list[tuple[Key, str, int]]:
        """What the timetable puts into the queue now; nothing while the journal is away."""
        members = self.fleet.members
        try:
            now = time.time()
            ranges = {
                name: open_ranges(members[name].portal.wired.journal, now)
                for name in self._root.cut_connections()
                if name in members
            }
            found = due(self._root, self.fleet, ranges, self._clock())
        except IcpSyncError as error:
            log("cluster").debug("nobody knows what is due", error=str(error))
            return []
        return [(one.key, one.queue, one.priority) for one in found]

    def _behind(self) -> float:
        """Seconds for which this worker has given no sign of life, beyond those between two."""
        return max(0.0, time.monotonic() - self._signed - SIGN)

    def _sign(self) -> None:
        """Raises nothing that was foreseen: the next one comes soon."""
        self._signed = time.monotonic()
        try:
            self._clock.ask()
            self._root.worker_seen(
                WorkerRow(
                    id=self.id,
                    version=__version__,
                    schema=REVISIONS[-1],
                    started_at=self._began,
                    seen_at=self._clock(),
                    jobs=self._cluster.jobs + self._cluster.long,
                )
            )
            self._serving.recall()
            self._showing.look()
        except IcpSyncError as error:
            log("cluster").debug("no sign of life", error=str(error))

    def _came(self, member: Member) -> None:
        """A connection that begins while the others are at work."""
        self._desk.look()  # it may be paused
        self._serving.begin(member)
        self._follow()

    def _went(self, member: Member) -> None:
        self._follow()

    def _follow(self) -> None:
        """Who sends events may have changed as well."""
        if self._inbound:
            self._inbound.follow(self.fleet.portals)

    def _recovered(self, count: int) -> None:
        stalled_total.inc(count)
        log("cluster").warning("tasks of a worker that has vanished were ended", count=count)

    def _leave(self) -> None:
        try:
            self._showing.leave()
            self._root.worker_gone(self.id)
        except IcpSyncError as error:
            log("cluster").warning("the others learn only in time that this one ended", error=str(error))


def _of_the_timetable(_: object) -> None:
    """Whoever asks for a stream need not wake it: the timetable of whichever worker finds it due."""


def _unheard(_: object, context: Mapping[str, object]) -> None:
    """What a task of Procrastinate's failed with while the database was away, and nobody waited for."""
    log("cluster").debug(
        "nobody waited for this", error=repr(context.get("exception", context.get("message")))
    )
