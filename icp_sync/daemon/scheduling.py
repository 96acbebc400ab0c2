"""The worker of one process, put together: its connections, their timetable, and who looks after them.

Many connections begin one after another, spread over an interval, so that they do not all call, or all write
into the journal, in the same second of each minute.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext

from icp_sync.daemon import changing, desk
from icp_sync.daemon.changing import Changing
from icp_sync.daemon.desk import Desk
from icp_sync.daemon.fleet import Fleet, Member
from icp_sync.daemon.health import Health
from icp_sync.daemon.inbound import Inbound
from icp_sync.daemon.lookout import EVERY
from icp_sync.daemon.loops import first_at
from icp_sync.daemon.notifying import Supervision
from icp_sync.daemon.portal import Portal
from icp_sync.daemon.stopping import Stopping
from icp_sync.daemon.streams import Loop
from icp_sync.daemon.supply import Supply
from icp_sync.daemon.timetable import Timetable, name_of
from icp_sync.errors import IcpSyncError
from icp_sync.observe import log
from icp_sync.settings.inbound import InboundServer
from icp_sync.sync.requests import LANES
from icp_sync.sync.telling.stream import last_words

LOOK = 0.2  # seconds between looks whether every connection has been halted
FEW = 8
"""So many connections begin at once; more are spread over a minute, or over a shorter interval of theirs."""
SPREAD = 60.0
GOLDEN = (5**0.5 - 1) / 2
"""Multiples of it, less their whole part, lie evenly between 0 and 1, however many there are."""
SETTINGS = "/settings"


class Daemon:
    """All streams of these connections until `stopping` is told to, or no connection is left to work for.

    supply: where connections come from while it runs, None where they stay as they are. broken: those of it
    that could not be built. stays: whether to go on answering when none is left, so that somebody can look.
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
        supply: Supply | None = None,
        broken: Sequence[tuple[str, IcpSyncError]] = (),
    ) -> None:
        self._stopping, self._clock, self._stays, self._supply = stopping, clock, stays, supply
        self.fleet = Fleet(clock)
        self._timetable = Timetable(clock)
        self._came_at: list[float] = []
        for portal in portals:
            for loop in self.fleet.add(portal).loops.values():
                self._timetable.known(loop)
        self._health = (
            Health(self.fleet, *health, clock=clock, broken=lambda: self.fleet.broken)
            if health and health[1]
            else None
        )
        self._inbound = Inbound(portals, inbound, clock=clock) if inbound else None
        self._supervision = Supervision(self.fleet, self._timetable.overdue, clock)
        root = supply.journal if supply else None
        self._desk = Desk(self.fleet, root, wake=self._timetable.now, soon=self._timetable.soon)
        self._changing = (
            Changing(
                self.fleet, supply, begin=self._came, end=self._went, lifted=self._desk.lifted, clock=clock
            )
            if supply
            else None
        )
        if self._changing:
            for name, why in broken:
                self._changing.broke(name, why)

    @property
    def loops(self) -> dict[str, Loop]:
        """Every stream there is now, by connection and stream."""
        return self.fleet.loops

    def run(self) -> None:
        """Work until told to stop, then finish what is in flight.

        Raises the error of the last connection when every one of them was halted.
        """
        self._desk.look()  # before anything begins: what is paused shall not
        self._timetable.every("/desk", desk.EVERY, self._desk.look, first=self._clock())
        members = list(self.fleet.members.values())
        for number, member in enumerate(members):
            self._begin(member, number / len(members) if len(members) > FEW else 0.0)
        if self._changing:
            first = self._clock() + changing.EVERY
            self._timetable.every(SETTINGS, changing.EVERY, self._changing.look, first=first)
        if self._health:
            self._health.start()
        if self._inbound:
            self._inbound.start()
        try:
            self._timetable.start()
            log("daemon").info("running", connections=[portal.name for portal in self.fleet.portals])
            self._supervision.ready()
            error = self._wait()
        finally:
            self._end_all()
        log("daemon").info("stopped")
        if error:
            raise error

    def _end_all(self) -> None:
        self._stopping.drain()
        if self._health:
            self._health.drain()
        self._supervision.stopping()
        if self._inbound:
            self._inbound.stop()
        self._timetable.stop()
        last_words([portal.wired.parts for portal in self.fleet.portals if portal.halted])
        self._stopping.end()
        if self._health:
            self._health.stop()
        if self._changing:
            self._changing.close()

    def _begin(self, member: Member, share: float = 0.0) -> None:
        """share: of an interval, by which it begins later than others."""
        now = self._clock()
        for loop in member.loops.values():
            if loop.stream in LANES:  # these are triggered when there is something for them to do
                self._timetable.known(loop)
            else:
                self._timetable.begin(loop, first_at(loop, now + share * min(SPREAD, loop.interval)))
        name = member.portal.name
        self._timetable.every(f"{name}/lookout", EVERY, member.lookout.look, first=now + share * EVERY)

    def _came(self, member: Member) -> None:
        """A connection that begins while the others are at work."""
        self._desk.look()  # it may be paused
        self._begin(member, self._share())
        self._follow()

    def _share(self) -> float:
        """By which the next one begins later, where what changed is every connection's; nobody knows how many
        are to come, so each takes the middle of a gap that is left."""
        now = self._clock()
        self._came_at = [at for at in self._came_at if 0 <= now - at < SPREAD] + [now]
        return len(self._came_at) * GOLDEN % 1 if len(self._came_at) > FEW else 0.0

    def _went(self, member: Member) -> None:
        self._end(member)
        self._follow()

    def _follow(self) -> None:
        """Who sends events may have changed as well."""
        if self._inbound:
            self._inbound.follow(self.fleet.portals)

    def _end(self, member: Member) -> None:
        for loop in member.loops.values():
            self._timetable.end(name_of(loop))
        self._timetable.end(f"{member.portal.name}/lookout")

    def _wait(self) -> IcpSyncError | None:
        while not self._stopping.draining.wait(LOOK):
            self._timetable.plan_again()
            self._supervision.look()
            if self._supply and self._supply.hangup.is_set():
                self._timetable.at_once(SETTINGS)
            if (error := self._all_halted()) and not self._stays:
                return error
        return self._all_halted()

    def _all_halted(self) -> IcpSyncError | None:
        """Why the last one was, once no connection is left to work for, about to begin again, or tried again
        now and then."""
        if self.fleet.broken:
            return None
        with self._changing.still() if self._changing else nullcontext(True) as still:
            portals = self.fleet.portals
            halted = [portal.halted for portal in portals if portal.halted and not portal.lifted]
            return halted[-1] if still and halted and len(halted) == len(portals) else None
