"""Procrastinate, as far as we use it: its tables, its workers, and the tasks that are put into it.

A task is a wake-up for one stream of one connection and carries nothing else: it may be lost, or come twice.
Known of 3.10 and dealt with here: the tasks of a worker that was killed stay "doing", and block those behind
their lock, until somebody ends them (see `recovered`); a retry of such a task fails when the same is waiting
already (procrastinate #1543), so it is ended, never retried; and a worker whose heartbeat cannot be written
ends itself (`Worker` begins another).

https://procrastinate.readthedocs.io/en/stable/howto/production/retry_stalled_jobs.html
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

import procrastinate
from procrastinate import exceptions, jobs
from procrastinate.worker import Worker
from psycopg import Error
from psycopg.conninfo import make_conninfo
from psycopg.errors import InsufficientPrivilege

from icp_sync.errors import ConfigError, Problem, UnavailableError
from icp_sync.journal import Journal
from icp_sync.journal.postgres import CONNECTING, place
from icp_sync.journal.tasks import SILENT
from icp_sync.journal.turns import Key
from icp_sync.observe import log

T = TypeVar("T")

QUEUES = QUICK, LONG, WATCH = tuple(f"icp-sync {name}" for name in ("quick", "long", "watch"))
"""Queues: what somebody waits for, what may take hours, and what looks after the other two."""
STREAM = "stream"
AGAIN = 2.0
"""Seconds until a database that is away is asked again."""
SIGNS = 3
"""Signs of life a worker may miss before it counts as vanished."""
KEPT_HOURS = 7 * 24
"""For which a task that failed is shown."""
SESSIONS = 8
"""With the database at most, for the queue alone."""


class Running(Protocol):
    """Runs something that blocks, and waits for its end."""

    def __call__(self, function: Callable[..., T], *args: object) -> Awaitable[T]: ...


TROUBLE = (exceptions.ConnectorException, Error, OSError)
"""What is raised while the database is away."""


class Queue:
    """perform: runs a stream's cycle, in a thread. look: the timetable's look. Both blocking.

    silent: seconds without a sign of life after which a worker has vanished.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        perform: Callable[[str, str, str], None],
        look: Callable[[], Sequence[tuple[Key, str, int]]],
        run: Running,
        recovered: Callable[[int], object],
        silent: float = SILENT,
    ) -> None:
        _silence()
        self._silent = silent
        connector = procrastinate.PsycopgConnector(
            conninfo=_conninfo(journal), min_size=2, max_size=SESSIONS, timeout=10.0, reconnect_timeout=60.0
        )
        self.app = procrastinate.App(connector=connector, periodic_defaults={"max_delay": 5})
        self._look, self._run, self._told = look, run, recovered

        @self.app.task(name=STREAM, queue=QUICK)
        async def stream(connection: str, stream: str, partition: str = "") -> None:
            await run(perform, connection, stream, partition)

        self._stream = stream
        self._periodic("timetable", "* * * * * *", self._trigger)
        self._periodic("recover", "* * * * * */5", self._recover)
        self._periodic("prune", "23 * * * *", self._prune)

    def _periodic(self, name: str, cron: str, act: Callable[[int], Awaitable[None]]) -> None:
        """One of all workers does it each time, and never two at once."""

        @self.app.periodic(cron=cron)
        @self.app.task(name=name, queue=WATCH, lock=name, queueing_lock=name)
        async def task(timestamp: int) -> None:
            await act(timestamp)

    async def _trigger(self, timestamp: int) -> None:
        """Put what is due into the queue, what is due longest first."""
        for (connection, stream, partition), queue, priority in await self._run(self._look):
            name = f"{connection}/{stream}/{partition}"
            ready = self._stream.configure(queue=queue, priority=priority, lock=name, queueing_lock=name)
            try:
                await ready.defer_async(connection=connection, stream=stream, partition=partition)
            except exceptions.AlreadyEnqueued:
                continue

    async def _recover(self, timestamp: int) -> None:
        """End the tasks of workers that have vanished; what is due is triggered anew."""
        manager = self.app.job_manager
        stalled = [
            job
            for queue in QUEUES
            for job in await manager.get_stalled_jobs(queue=queue, seconds_since_heartbeat=self._silent)
        ]
        for job in stalled:
            if job.id is None:
                continue
            try:
                await manager.finish_job_by_id_async(job.id, status=jobs.Status.ABORTED, delete_job=True)
            except exceptions.ConnectorException:
                continue  # it ended meanwhile: its worker had only been slow
        await manager.prune_stalled_workers(self._silent)
        if stalled:
            self._told(len(stalled))

    async def _prune(self, timestamp: int) -> None:
        for queue in QUEUES:  # others may have theirs in the same tables
            await self.app.job_manager.delete_old_jobs(
                nb_hours=KEPT_HOURS,
                queue=queue,
                include_failed=True,
                include_cancelled=True,
                include_aborted=True,
            )

    @asynccontextmanager
    async def opened(self, stopped: asyncio.Event) -> AsyncIterator[None]:
        """Sessions with the database, as soon as it can be reached."""
        while not stopped.is_set():
            try:
                await self.app.open_async()
            except TROUBLE as error:
                log("cluster").warning("the queue's database is away", error=why(error))
                await self.app.close_async()  # or it would count as open
                await asyncio.sleep(AGAIN)
            else:
                break
        try:
            yield
        finally:
            await self.app.close_async()

    async def work(self, queue: str, *, concurrency: int, stopped: asyncio.Event) -> None:
        """Perform tasks of one queue until told to stop, then until those begun have ended.

        A database that is away ends the round; the caller begins another.
        """
        worker = Worker(
            self.app,
            queues=[queue],
            name=queue,
            concurrency=concurrency,
            fetch_job_polling_interval=1.0,
            delete_jobs="successful",
            install_signal_handlers=False,
            update_heartbeat_interval=self._silent / SIGNS,
            stalled_worker_timeout=self._silent,
        )
        ending = asyncio.create_task(_stop(worker, stopped))
        try:
            await worker.run()
        finally:
            ending.cancel()


def prepared(journal: Journal) -> None:
    """See to it that Procrastinate's tables are there; one of several that begin at once makes them.

    Raises UnavailableError when the database cannot be asked now, ConfigError where we may not make them.
    """
    connector = procrastinate.SyncPsycopgConnector(conninfo=_conninfo(journal))
    app = procrastinate.App(connector=connector)
    with journal.making_tables() as there:
        if there:
            return
        try:
            with app.open():
                app.schema_manager.apply_schema()
        except TROUBLE as error:
            if isinstance(error.__cause__, InsufficientPrivilege):
                problem = Problem(
                    where=f"journal {place(journal.engine.url)}",
                    what=f"the queue's tables cannot be made: {error.__cause__}",
                    hint="begin the first worker as a user who may create tables, types and functions there",
                )
                raise ConfigError([problem]) from error
            what = f"the queue's tables cannot be made now: {why(error)}"
            raise UnavailableError(what, next_step="icp-sync status") from error


def why(error: BaseException) -> str:
    """What the database said, as far as it is known, in one line and without what it was called with."""
    cause = error.__cause__ or error
    kind = type(cause).__name__
    return (
        f"{kind}: {cause.diag.message_primary}"
        if isinstance(cause, Error) and cause.diag.message_primary
        else kind
    )


async def _stop(worker: Worker, stopped: asyncio.Event) -> None:
    await stopped.wait()
    worker.stop()


def _conninfo(journal: Journal) -> str:
    """The journal's database as libpq is told of it, with our way of noticing a server that has vanished."""
    url = journal.engine.url
    said = url.translate_connect_args(username="user", database="dbname") | dict(url.query)
    return make_conninfo(**{**CONNECTING, **{name: str(value) for name, value in said.items()}})


class _Heard(logging.Handler):
    """Of what Procrastinate says, the one thing nothing else tells: why one of its workers ended."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if getattr(record, "action", "") == "side_task_failed" and error is not None:
            log("cluster").warning("a queue ends", error=why(error))


def _silence() -> None:
    """Their own loggers would speak on stderr, of every task and every try; what matters is said by us."""
    for name, handler in (("procrastinate", _Heard()), ("psycopg.pool", logging.NullHandler())):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
