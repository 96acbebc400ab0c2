"""The timetable: APScheduler triggers each stream of each connection, and does nothing else.

Positions live in the journal, so nothing of the timetable needs to survive a restart. Nothing is ever
dropped silently: a late trigger runs late, triggers that pile up become one, and what the scheduler skips
or sees failing is counted. A cycle that hangs keeps a thread of its own and no other's: there are as many as
streams that are at work, and never two for one stream.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from prometheus_client import Counter

from icp_sync.daemon.places import Places
from icp_sync.daemon.streams import Loop
from icp_sync.observe import log, redact, registry
from icp_sync.ports import Stream
from icp_sync.sync.following import DEALS
from icp_sync.sync.requests import BACKFILLS

SET_BACK = 70.0
"""Seconds: something is always due sooner, or else the clock was set back."""
PATIENT = frozenset({Stream.BACKFILL.value, Stream.SWEEP.value, DEALS, BACKFILLS})
"""Streams that may take hours, and make room for the others after each page."""
_THREADS = 100_000  # no bound of its own: streams are the bound, and an idle thread is used before a new one

triggers_total = Counter(
    "icp_sync_triggers_total",
    "Triggers that did not end in an ordinary cycle",
    ["connection", "stream", "outcome"],
    registry=registry,
)

_OUTCOMES = {
    EVENT_JOB_ERROR: "error",
    EVENT_JOB_MAX_INSTANCES: "skipped",  # the cycle before is still running, as a long sweep may
}


def name_of(loop: Loop) -> str:
    return f"{loop.portal.name}/{loop.stream}"


class Timetable:
    """Streams come and go while it runs."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._places = Places()
        self._store = MemoryJobStore()
        self._left_alone: dict[str, float] = {}  # a stream that waits after a failure → until when
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            jobstores={"default": self._store},
            executors={"default": ThreadPoolExecutor(max_workers=_THREADS)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._scheduler.add_listener(self._heard, sum(_OUTCOMES))

    def every(self, name: str, seconds: float, look: Callable[[], object], *, first: float) -> None:
        """Something that is looked at in a rhythm of its own. first: when, epoch seconds."""
        trigger = IntervalTrigger(seconds=seconds, timezone=UTC)
        self._scheduler.add_job(look, trigger, id=name, next_run_time=_instant(first), replace_existing=True)

    def begin(self, loop: Loop, first: float) -> None:
        """Trigger a stream from then on."""
        loop.expected = first
        self.known(loop)
        trigger = IntervalTrigger(seconds=loop.interval, timezone=UTC)
        self._scheduler.add_job(
            self._run,
            trigger,
            args=(loop,),
            id=name_of(loop),
            next_run_time=_instant(first),
            replace_existing=True,
        )

    def known(self, loop: Loop) -> None:
        """So that 0 is said of it, and its first rise can be seen; and that it makes room where it may."""
        for outcome in _OUTCOMES.values():
            triggers_total.labels(loop.portal.name, loop.stream, outcome)
        if loop.stream in PATIENT:
            loop.yields = lambda: self._made_room(loop)

    def end(self, name: str) -> None:
        """Trigger it no more; a cycle that runs goes on."""
        self._left_alone.pop(name, None)
        try:
            self._scheduler.remove_job(name)
        except JobLookupError:
            return  # one that is triggered only when there is something for it to do

    def now(self, loop: Loop) -> None:
        """Trigger a stream that has something to do, unless it is at it or waits after a failure."""
        name = name_of(loop)
        if not loop.busy and self._left_alone.get(name, 0.0) <= self._clock():
            self._scheduler.add_job(self._run, args=(loop,), id=name, replace_existing=True)

    def soon(self, loop: Loop) -> None:
        """Do not wait for the rest of its interval."""
        self.at_once(name_of(loop))

    def at_once(self, name: str) -> None:
        """The same of what is looked at in a rhythm of its own."""
        self._move(name, self._clock())

    def start(self) -> None:
        _silence_the_scheduler()
        self._scheduler.start()

    def stop(self) -> None:
        """Trigger nothing more, and wait for the cycles that run."""
        self._scheduler.shutdown(wait=True)

    def overdue(self) -> float:
        """Seconds the trigger most behind is late."""
        due = self._store.get_next_run_time()
        return time.time() - due.timestamp() if due else 0.0

    def plan_again(self) -> None:
        """After the clock was set back: the timetable would wait until it has caught up."""
        early = -self.overdue()
        if early > SET_BACK:
            log("daemon").warning("the clock was set back", seconds=round(early))
            for job in self._scheduler.get_jobs():
                if job.next_run_time:
                    job.modify(next_run_time=job.next_run_time - timedelta(seconds=early))

    def _run(self, loop: Loop) -> None:
        name = name_of(loop)
        self._left_alone.pop(name, None)
        try:
            pause = self._ticked(loop)
        except Exception:
            self._postpone(loop, loop.delay())
            raise
        self._postpone(loop, pause)

    def _ticked(self, loop: Loop) -> float:
        if loop.stream not in PATIENT:
            return loop.tick()
        with self._places.held(loop, loop.portal.stopping.going):
            return loop.tick()

    def _made_room(self, loop: Loop) -> bool:
        """Between two pages. It has its place again by then, so its cycle goes on."""
        self._places.next_page(loop, loop.portal.stopping.going)
        return False

    def _postpone(self, loop: Loop, seconds: float) -> None:
        if seconds > 0 and loop.portal.stopping.going():
            until = self._clock() + seconds
            self._left_alone[name_of(loop)] = until
            self._move(name_of(loop), until)

    def _move(self, name: str, at: float) -> None:
        try:
            self._scheduler.modify_job(name, next_run_time=_instant(at))
        except JobLookupError:
            return  # it was ended meanwhile, or is triggered only when there is something for it to do

    def _heard(self, event: object) -> None:
        """What the scheduler skipped or saw failing."""
        connection, _, stream = str(getattr(event, "job_id", "")).partition("/")
        outcome = _OUTCOMES[getattr(event, "code", EVENT_JOB_ERROR)]
        triggers_total.labels(connection, stream, outcome).inc()
        if outcome == "error":
            said = log("daemon").bind(connection=connection, stream=stream)
            said.error(
                "this should not have happened",
                error=repr(getattr(event, "exception", "")),
                traceback=redact(str(getattr(event, "traceback", ""))),
            )


def _instant(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _silence_the_scheduler() -> None:
    """Its own logger says on stderr what our listener says in a better place."""
    logger = logging.getLogger("apscheduler")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
