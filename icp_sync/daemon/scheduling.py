"""The timetable: APScheduler triggers each stream of each connection, and does nothing else.

Positions live in the journal, so nothing of the timetable needs to survive a restart. Nothing is ever
dropped silently: a late trigger runs late, triggers that pile up become one, and what the scheduler skips
or sees failing is counted.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from prometheus_client import Counter

from icp_sync.daemon.health import Health
from icp_sync.daemon.inbound import Inbound
from icp_sync.daemon.lookout import EVERY, Lookout
from icp_sync.daemon.notifying import Supervision
from icp_sync.daemon.portal import Portal
from icp_sync.daemon.stopping import Stopping
from icp_sync.daemon.streams import WATCH, Loop
from icp_sync.errors import IcpSyncError
from icp_sync.observe import log, redact, registry
from icp_sync.ports import Stream
from icp_sync.settings.inbound import InboundServer
from icp_sync.sync.following import DEALS
from icp_sync.sync.requests import LANES
from icp_sync.sync.telling.stream import TELLING, last_words

LOOK = 0.2  # seconds between looks whether every connection has been halted
SET_BACK = EVERY + 10.0  # seconds: something is due within a minute, or else the clock was set back
ASKED_WATCH = 900.0  # seconds between looks whether it is time to look for drift
ASKED_EVERY = 1.0  # seconds between looks whether a command has handed something over

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


class Daemon:
    """All streams of these connections until `stopping` is told to, or no connection is left to work for.

    stays: whether to go on answering then, so that somebody can look.
    """

    def __init__(
        self,
        portals: Sequence[Portal],
        stopping: Stopping,
        *,
        health: tuple[str, int] | None = None,
        inbound: InboundServer | None = None,
        stays: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._portals, self._stopping, self._clock, self._stays = portals, stopping, clock, stays
        self.loops = {f"{loop.portal.name}/{loop.stream}": loop for loop in self._make_loops()}
        self._health = Health(self.loops.values(), *health, clock=clock) if health and health[1] else None
        self._inbound = Inbound(portals, inbound, clock=clock) if inbound else None
        self._lookouts = {
            f"{portal.name}/lookout": Lookout(
                portal, [loop for loop in self.loops.values() if loop.portal is portal], clock
            )
            for portal in portals
        }
        for name in self.loops:  # so that 0 is said, and its first rise can be seen
            for outcome in _OUTCOMES.values():
                triggers_total.labels(*name.split("/", 1), outcome)
        self._supervision = Supervision(self.loops.values(), self._overdue, clock)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(max_workers=len(self.loops) + len(self._lookouts))},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def run(self) -> None:
        """Work until told to stop, then finish what is in flight.

        Raises the error of the last connection when every one of them was halted.
        """
        _silence_the_scheduler()
        self._scheduler.add_listener(self._heard, sum(_OUTCOMES))
        for name, loop in self.loops.items():
            first = self._first(loop)
            loop.expected = first.timestamp()
            self._scheduler.add_job(
                self._trigger,
                IntervalTrigger(seconds=loop.interval, timezone=UTC),
                args=(name,),
                id=name,
                next_run_time=first,
            )
        for name, lookout in self._lookouts.items():
            trigger = IntervalTrigger(seconds=EVERY, timezone=UTC)
            self._scheduler.add_job(lookout.look, trigger, id=name, next_run_time=datetime.now(UTC))
        if self._health:
            self._health.start()
        if self._inbound:
            self._inbound.start()
        try:
            self._scheduler.start()
            log("daemon").info("running", connections=[portal.name for portal in self._portals])
            self._supervision.ready()
            error = self._wait()
        finally:
            self._stopping.drain()
            if self._health:
                self._health.drain()
            self._supervision.stopping()
            if self._inbound:
                self._inbound.stop()
            self._scheduler.shutdown(wait=True)
            last_words([portal.wired.parts for portal in self._portals if portal.halted])
            self._stopping.end()
            if self._health:
                self._health.stop()
        log("daemon").info("stopped")
        if error:
            raise error

    def _make_loops(self) -> Iterator[Loop]:
        for portal in self._portals:
            every = portal.wired.settings.schedule
            for stream, interval in (
                (Stream.POLL, every.poll),
                (Stream.TRAILING, every.trailing),
                (Stream.DUE, every.due),
                (Stream.BACKFILL, every.poll),
                (Stream.SWEEP, every.sweep),
                *_following(portal),
                *_telling(portal),
                (WATCH, min(every.watch, ASKED_WATCH)),
                *((lane, ASKED_EVERY) for lane in LANES),
            ):
                yield Loop(portal, stream, interval, self._stopping, self._clock)

    def _first(self, loop: Loop) -> datetime:
        """At once; a sweep an interval after the last one, which may have been before this start."""
        now = self._clock()
        if loop.stream == Stream.SWEEP:
            position, at = loop.portal.wired.journal.positions().get((Stream.SWEEP.value, ""), (None, now))
            finished = position is None or position.finished
            now = max(now, at + loop.interval) if finished else now
        return datetime.fromtimestamp(now, UTC)

    def _trigger(self, name: str) -> None:
        loop = self.loops[name]
        try:
            pause = loop.tick()
        except Exception:
            self._postpone(name, loop.delay())
            raise
        self._postpone(name, pause)

    def _postpone(self, name: str, seconds: float) -> None:
        if seconds > 0 and self._stopping.going():
            at = datetime.fromtimestamp(self._clock() + seconds, UTC)
            self._scheduler.modify_job(name, next_run_time=at)

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

    def _overdue(self) -> float:
        """Seconds the trigger most behind is late."""
        due = [job.next_run_time for job in self._scheduler.get_jobs() if job.next_run_time]
        return time.time() - min(due).timestamp() if due else 0.0

    def _plan_again(self) -> None:
        """After the clock was set back: the timetable would wait until it has caught up."""
        early = -self._overdue()
        if early > SET_BACK:
            log("daemon").warning("the clock was set back", seconds=round(early))
            for job in self._scheduler.get_jobs():
                if job.next_run_time:
                    job.modify(next_run_time=job.next_run_time - timedelta(seconds=early))

    def _wait(self) -> IcpSyncError | None:
        while not self._stopping.draining.wait(LOOK):
            self._plan_again()
            self._supervision.look()
            if (error := self._all_halted()) and not self._stays:
                return error
        return self._all_halted()

    def _all_halted(self) -> IcpSyncError | None:
        """Why the last one was, once no connection is left to work for."""
        halted = [portal.halted for portal in self._portals if portal.halted]
        return halted[-1] if len(halted) == len(self._portals) else None


def _following(portal: Portal) -> list[tuple[str, float]]:
    said = portal.wired.settings.deals
    return [(DEALS, said.every)] if said.followed else []


def _telling(portal: Portal) -> list[tuple[str, float]]:
    return [(TELLING, portal.wired.settings.telling.every)] if portal.wired.parts.outgoing else []


def _silence_the_scheduler() -> None:
    """Its own logger says on stderr what our listener says in a better place."""
    logger = logging.getLogger("apscheduler")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
