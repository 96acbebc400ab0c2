"""What one worker does for the fleet: a stream's cycle when its task comes, and what others learn of it.

A cycle runs in a thread of this worker. At most `share` of each kind at once are of one connection, so that
one that hangs leaves room for others; whoever finds no room leaves the turn due, for another worker or later.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil

from icp_sync.cluster.queue import LONG
from icp_sync.cluster.timetable import due_at, held_back, queue_of
from icp_sync.daemon.fleet import Fleet, Member
from icp_sync.daemon.loops import first_at
from icp_sync.daemon.stopping import Stopping
from icp_sync.daemon.streams import Loop
from icp_sync.errors import IcpSyncError
from icp_sync.journal import Journal
from icp_sync.journal.tasks import SILENT
from icp_sync.journal.turns import Turn
from icp_sync.observe import log
from icp_sync.ports import Stream
from icp_sync.sync.requests import LANES

SLICE = 600.0
"""Seconds after which a cycle that may take hours makes room, where others wait for it."""
MISSED = 60.0
"""Seconds after which a cycle that another worker was at, or that its own died of, is looked for again."""
AGAIN = 1.0
"""Seconds until a cycle that made room may go on."""


class Serving:
    """root: the journal, of no connection. worker: our name in it. clock: that of the turns."""

    def __init__(
        self,
        fleet: Fleet,
        root: Journal,
        stopping: Stopping,
        *,
        worker: str,
        share: int,
        clock: Callable[[], float],
    ) -> None:
        self._fleet, self._root, self._stopping = fleet, root, stopping
        self._worker, self._share, self._clock = worker, share, clock
        self._lock = threading.Lock()
        self._busy: Counter[tuple[str, str]] = Counter()
        for member in fleet.members.values():
            self.begin(member)

    def begin(self, member: Member) -> None:
        """Of a connection that nothing is known of, when its streams run first."""
        for loop in member.loops.values():
            loop.expected = first_at(loop, self._clock())

    def recall(self) -> None:
        """What the other workers have kept of the streams since."""
        known = self._root.all_turns()
        for name, member in self._fleet.members.items():
            for loop in member.loops.values():
                turn = known.get((name, loop.stream, ""))
                if turn is None or (loop.stream in LANES and not turn.failures):
                    continue  # how a lane stands that nobody asks anything of, the desk says
                loop.recall(turn)
                if turn.last_success is not None:
                    member.portal.accepted_elsewhere()

    def perform(self, connection: str, stream: str, partition: str) -> None:
        """One cycle of a stream. A task of a connection or stream this worker does not know is another's.

        Raises only what nobody foresaw; its turn is kept before.
        """
        member = self._fleet.members.get(connection)
        loop = member.loops.get(stream) if member else None
        if member is None or loop is None or not member.portal.stopping.going():
            return
        if partition:
            loop = Loop(
                member.portal,
                stream,
                loop.interval,
                member.portal.stopping,
                self._clock,
                partition=partition,
            )
        try:
            with self._room(connection, queue_of(stream)) as there_is_room:
                if there_is_room and not loop.busy:
                    self._cycle(loop)
        except IcpSyncError as error:  # the journal is away; the turn is still due when it is back
            log("cluster").debug("a turn could not begin", stream=stream, error=str(error))

    def _cycle(self, loop: Loop) -> None:
        if loop.rests:
            return  # its turn stays as it is, for another worker or for later
        journal, began = loop.portal.wired.journal, self._clock()
        before = journal.turn(loop.stream, loop.partition)
        if before is not None:
            loop.recall(before)
            asked = loop.stream in LANES and not held_back(before)
            if not asked and due_at(before, loop, began) > began:
                return  # its task came late, or twice
        loop.yields = self._yields(loop, began)
        again = began + min(loop.interval, MISSED)  # if this worker dies of it
        journal.keep_turn(loop.turn(due_at=again, began_at=began, worker=self._worker))
        pause = 0.0
        try:
            pause = loop.tick()
        except Exception:
            pause = loop.delay()
            raise
        finally:
            self._keep(loop, loop.turn(due_at=self._next(loop, began, pause), began_at=began))

    def _next(self, loop: Loop, began: float, pause: float) -> float:
        now = self._clock()
        if pause > 0:
            return now + pause
        if loop.rests or not self._stopping.going():
            return now
        if loop.cut_short:
            return now + AGAIN
        if loop.elsewhere:
            return now + min(loop.interval, MISSED)
        return max(now, began + loop.interval)

    def _keep(self, loop: Loop, turn: Turn) -> None:
        """A journal that is away learns nothing of it: the turn is due again soon. Of a range that did not
        fail nothing is kept: whether there is more to do, the ranges say."""
        journal = loop.portal.wired.journal
        try:
            if turn.partition and not held_back(turn):
                journal.forget_turns([(turn.stream, turn.partition)])
            else:
                journal.keep_turn(turn)
        except IcpSyncError as error:
            said = log("cluster").bind(connection=loop.portal.name, stream=loop.stream)
            said.warning("a turn could not be kept", error=str(error))

    def _yields(self, loop: Loop, began: float) -> Callable[[], bool]:
        """Whether a long cycle makes room: after its slice, where others wait for one."""
        looked = began

        def yields() -> bool:
            nonlocal looked
            now = self._clock()
            if loop.stream not in (Stream.BACKFILL, Stream.SWEEP) or now - looked < SLICE:
                return False
            looked = now
            return self._root.waiting_tasks(LONG) > 0

        return yields

    @contextmanager
    def _room(self, connection: str, queue: str) -> Iterator[bool]:
        """Of short cycles and of long ones apart: ranges of its backfill keep no connection from polling."""
        key = connection, queue
        others = queue != LONG or self._fewer_than_others()
        with self._lock:
            there_is = others and self._busy[key] < self._share
            self._busy[key] += there_is
        try:
            yield there_is
        finally:
            if there_is:
                with self._lock:
                    self._busy[key] -= 1

    def _fewer_than_others(self) -> bool:
        """Whether a further long cycle would be no more than this worker's part of those under way: who asks
        for tasks first must not get them all."""
        with self._lock:
            ours = sum(n for (_, queue), n in self._busy.items() if queue == LONG)
        if not ours:
            return True
        lately = self._clock() - SILENT
        workers = sum(1 for one in self._root.workers() if one.seen_at >= lately)
        return ours < ceil(self._root.running_tasks(LONG) / max(1, workers))
