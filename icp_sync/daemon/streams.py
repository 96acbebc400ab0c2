"""One stream of one connection: its cycles one after another, and how it behaves when they fail.

Beside the streams of `ports` there are the one that follows deals, and the lanes of `sync.requests`, which
perform what commands have handed over.

It is told when to run and says how long it wants to be left alone; it knows no scheduler and no clock but
the one it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from prometheus_client import Gauge

from icp_sync.daemon.portal import Portal
from icp_sync.daemon.stopping import Stopping
from icp_sync.errors import AuthError, ConfigError, IcpSyncError, LostLeaseError, NoCallsLeftError
from icp_sync.journal import OPERATOR, REP, Journal
from icp_sync.journal.turns import Turn
from icp_sync.observe import log, redact, registry
from icp_sync.ports import Stream
from icp_sync.sync.backfill import backfill, halted, help_backfill
from icp_sync.sync.cycle import Parts, Scope, cycle
from icp_sync.sync.deals import follow_deals
from icp_sync.sync.following import DEALS
from icp_sync.sync.report import Report
from icp_sync.sync.requests import LANES, RUNNING, next_in, serve
from icp_sync.sync.telling.outgoing import DOWN_AFTER
from icp_sync.sync.telling.stream import TELLING, tell
from icp_sync.sync.waves import HaltedError

WATCH = "watch"
"""The stream that looks whether the profile has drifted. It settles nothing."""
FIRST_DELAY, LONGEST_DELAY = 15.0, 900.0
DOWN = "stream down: "
"""With this begins the name of the alert that stands while a stream has failed for long."""
LATE_AFTER = 900.0
"""Seconds a stream may be overdue, beyond three of its intervals, before health calls it late."""

last_success_seconds = Gauge(
    "icp_sync_stream_last_success_timestamp_seconds",
    "When the stream last ended a cycle well, UTC epoch seconds",
    ["connection", "stream"],
    registry=registry,
)
stream_down = Gauge(
    "icp_sync_stream_down", "1 while the stream's cycles fail", ["connection", "stream"], registry=registry
)


class State(StrEnum):
    STARTING = "starting"  # no cycle has ended well yet
    OK = "ok"
    WAITING = "waiting"  # for calls: those of the day are used up
    LATE = "late"  # nothing failed, but no page was settled for far too long
    DOWN = "down"  # the last cycle failed; it is tried again
    PAUSED = "paused"  # a person wants it so
    HALTED = "halted"  # the connection needs a person


class Loop:
    """stream: one of `ports`, `DEALS`, `TELLING`, `WATCH`, or one of `LANES`.

    interval: seconds between two triggers. partition: of a backfill that several workers make, one of its
    ranges. yields: asked after each page; true ends the cycle there, in favour of others, to go on at once.
    """

    def __init__(
        self,
        portal: Portal,
        stream: str,
        interval: float,
        stopping: Stopping,
        clock: Callable[[], float],
        *,
        partition: str = "",
    ) -> None:
        self.portal, self.stream, self.interval = portal, str(stream), interval
        self.partition = partition
        self.yields: Callable[[], bool] = lambda: False
        self.cut_short = False  # whether the last cycle ended in favour of others
        self.elsewhere = False  # whether there was none, as another worker is at it
        self._stopping, self._clock = stopping, clock
        self.began = clock()
        self.last_success: float | None = None
        self.last_page = self.began
        self.last_sign = self.began
        self.busy = False  # in a cycle; then `last_sign` says when it last was seen at work
        self.failures = 0
        self.error = ""
        self.begun = False  # whether a first cycle was tried
        self.expected = self.began  # when that is to be
        self.down_since: float | None = None
        self.waits_until = 0.0  # for calls
        stream_down.labels(portal.name, stream).set(0)

    def tick(self) -> float:
        """Run one cycle. Returns for how many seconds to be left alone, 0 for the usual interval.

        Raises only what nobody foresaw, after noting it like any other failure.
        """
        if not self._stopping.going() or (self.portal.halted and self.stream != TELLING):
            return 0.0  # that it was halted is still to be told
        if self.portal.paused and self.stream != TELLING:
            self.last_page = self._clock()
            return 0.0
        self.last_sign, self.busy, self.begun = self._clock(), True, True
        self.cut_short = self.elsewhere = False
        try:
            return self._cycled()
        finally:
            self.busy = False

    def _cycled(self) -> float:
        try:
            ran = self._run()
        except LostLeaseError as error:
            self._log().info("the cycle ended: its lease was taken over", error=str(error))
            self.last_page, self.elsewhere = self._clock(), True
            return 0.0
        except (AuthError, ConfigError) as error:
            self.portal.halt(error)
            return 0.0
        except NoCallsLeftError as error:
            return self._waits(error.retry_after or FIRST_DELAY)
        except IcpSyncError as error:
            return self._failed(str(error), getattr(error, "retry_after", None))
        except Exception as error:
            self._failed(f"{type(error).__name__}: {error}", None)
            raise
        if ran:
            self._well()
        else:
            self.last_page, self.elsewhere = self._clock(), True
        return 0.0

    @property
    def rests(self) -> bool:
        """Whether its connection is not to be touched now. People are told of that all the same."""
        portal = self.portal
        return (portal.halted is not None or portal.paused is not None) and self.stream != TELLING

    def idle(self) -> None:
        """Somebody has seen that there is nothing for it to do."""
        if not (self.busy or self.portal.halted or self.portal.paused):
            self.begun = True
            self._well()

    # What other workers know of it

    def recall(self, turn: Turn) -> None:
        """How its last cycles went, whoever ran them."""
        if self.busy:
            return
        self.begun |= turn.began_at is not None
        self.last_success = turn.last_success
        self.last_page = max(self.last_page if turn.ended_at is None else turn.ended_at, turn.began_at or 0.0)
        self.failures, self.error, self.down_since = turn.failures, turn.error, turn.down_since
        self.waits_until, self.expected = turn.waits_until, turn.due_at
        if turn.last_success is not None:
            last_success_seconds.labels(self.portal.name, self.stream).set(turn.last_success)
        stream_down.labels(self.portal.name, self.stream).set(1 if turn.failures else 0)

    def turn(self, *, due_at: float, began_at: float, worker: str = "") -> Turn:
        """How they went, for the others. worker: which is at it now, "" when it ended."""
        return Turn(
            stream=self.stream,
            partition=self.partition,
            due_at=due_at,
            worker=worker,
            began_at=began_at,
            ended_at=None if worker else self._clock(),
            last_success=self.last_success,
            waits_until=self.waits_until,
            failures=self.failures,
            down_since=self.down_since,
            error=redact(self.error),
        )

    @property
    def failing_for_long(self) -> bool:
        """Whether somebody should hear of it, however far away its next try is."""
        outgoing = self.portal.wired.parts.outgoing
        after = outgoing.down_after if outgoing else DOWN_AFTER
        return self.down_since is not None and self._clock() - self.down_since >= after

    def delay(self) -> float:
        """How long to wait after the failures so far."""
        return min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** (min(self.failures, 10) - 1)) if self.failures else 0.0

    @property
    def state(self) -> State:
        if self.portal.halted:
            return State.HALTED
        if self.portal.paused:
            return State.PAUSED
        if self.failures:
            return State.DOWN
        if self._clock() <= self.waits_until + LATE_AFTER:
            return State.WAITING
        if self._clock() - max(self.last_page, self.last_success or 0.0) > 3 * self.interval + LATE_AFTER:
            return State.LATE
        return State.STARTING if self.last_success is None else State.OK

    def _run(self) -> bool:
        """One cycle; false when there was none to run."""
        if self.stream in LANES:
            return self._serve()
        if self.stream == TELLING:
            return self._tell_people()
        if self.stream == WATCH:
            self.portal.watch(self.portal.wired.parts)  # looks into the journal alone
            return True
        parts = self.portal.parts()
        scope = Scope(going=self._going, wait=self._wait)
        if self.stream == Stream.BACKFILL:
            if not self.partition and self._nothing_to_backfill(parts.journal):
                return True
            make = help_backfill if self.partition else backfill
            try:
                report = make(parts, self.portal.paced(scope))
            except HaltedError:
                return True  # said, and kept with its reason: a person must look at it
        elif self.stream == DEALS:
            return self._follow_deals(parts)
        else:
            report = cycle(Stream(self.stream), parts, scope)
        if report is not None:
            self._tell(report)
        return report is not None

    def _follow_deals(self, parts: Parts) -> bool:
        done = follow_deals(parts, going=self._going)
        if done is not None:
            say = self._log().info if done.stamps else self._log().debug
            say("deals", **done.to_json())
        return done is not None

    def _tell_people(self) -> bool:
        """Operators whatever happens; reps once it is sure whose portal this is, and unless it is paused."""
        portal = self.portal
        reps = (REP,) if portal.accepted and not portal.halted and not portal.paused else ()
        going = self._going if reps else self._stopping.going
        sent = tell(portal.wired.parts, going=going, audiences=(OPERATOR, *reps))
        if sent is not None and sent.notices:
            self._log().info("told", **sent.to_json())
        return sent is not None

    def _nothing_to_backfill(self, journal: Journal) -> bool:
        """Nobody asks for one, a person must look at it first, or it is being made as a command's request."""
        if journal.backfill_request() is None or halted(journal):
            return True
        return any(asked.kind == Stream.BACKFILL for asked in journal.requests(RUNNING))

    def _serve(self) -> bool:
        """What commands have handed over, one request of this lane a cycle."""
        if next_in(self.stream, self.portal.wired.journal) is not None:
            scope = Scope(going=self._going, wait=self._wait)
            serve(self.portal.parts(), self.portal.paced(scope), [self.stream])
        return True

    def _going(self) -> bool:
        self.last_page = self.last_sign = self._clock()
        self.cut_short |= self.yields()
        return self._stopping.going() and not self.cut_short and self.portal.paused is None

    def _wait(self, seconds: float) -> bool:
        self.last_sign = self._clock() + seconds
        return self._stopping.draining.wait(seconds)

    def _tell(self, report: Report) -> None:
        worth = report.written or report.refused or report.deferred or report.gone or report.lost
        say = self._log().info if worth else self._log().debug
        say(
            "cycle",
            read=report.read,
            spared=report.spared,
            written=report.written,
            refused=report.refused,
            deferred=report.deferred + report.lost,
            gone=report.gone,
            asked=report.calls,
        )

    def _well(self) -> None:
        self.last_success, self.waits_until = self._clock(), 0.0
        last_success_seconds.labels(self.portal.name, self.stream).set(self.last_success)
        if self.failures:
            self._log().info("back", failures=self.failures)
            stream_down.labels(self.portal.name, self.stream).set(0)
        self.failures, self.error, self.down_since = 0, "", None

    def _waits(self, seconds: float) -> float:
        """Nothing has failed; what had, before, has not been tried again."""
        if self._stopping.going():
            self.waits_until = self._clock() + seconds
            stream_down.labels(self.portal.name, self.stream).set(0)
            self.failures, self.error, self.down_since = 0, "", None
        return seconds

    def _failed(self, error: str, retry_after: float | None) -> float:
        if not self._stopping.going():
            return 0.0  # we cut its waits short ourselves
        self.failures += 1
        self.error, self.waits_until = error, 0.0
        self.down_since = self._clock() if self.down_since is None else self.down_since
        wait = max(self.delay(), retry_after or 0.0)
        if self.failures == 1:
            self._log().warning("down", error=error, again_in=round(wait))
            stream_down.labels(self.portal.name, self.stream).set(1)
        else:
            self._log().debug("still down", error=error, again_in=round(wait), failures=self.failures)
        return wait

    def _log(self) -> Any:
        return log("daemon").bind(connection=self.portal.name, stream=self.stream)
