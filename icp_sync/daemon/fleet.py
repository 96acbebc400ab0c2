"""The connections a worker has now. They come and go while others look at them: nobody meets half of one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from icp_sync.daemon.lookout import Lookout
from icp_sync.daemon.loops import loops_of
from icp_sync.daemon.portal import Portal
from icp_sync.daemon.streams import Loop
from icp_sync.errors import IcpSyncError


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One connection with its streams, by name, and who looks how it stands."""

    portal: Portal
    loops: Mapping[str, Loop]
    lookout: Lookout

    @property
    def busy(self) -> bool:
        return any(loop.busy for loop in self.loops.values())


class Fleet(Collection[Loop]):
    """As a collection: every stream there is at the moment of looking."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.members: Mapping[str, Member] = {}
        self.broken: Mapping[str, IcpSyncError] = {}
        """Connections that could not be built, and why."""

    @property
    def portals(self) -> list[Portal]:
        return [member.portal for member in self.members.values()]

    @property
    def loops(self) -> dict[str, Loop]:
        """By connection and stream: "main/poll"."""
        return {f"{loop.portal.name}/{loop.stream}": loop for loop in self}

    def add(self, portal: Portal) -> Member:
        loops = {loop.stream: loop for loop in loops_of(portal, portal.stopping, self._clock)}
        lookout = Lookout(portal, list(loops.values()), self._clock)
        made = Member(portal=portal, loops=loops, lookout=lookout)
        self.mend(portal.name)
        self.members = {**self.members, portal.name: made}
        return made

    def remove(self, name: str) -> Member | None:
        found = self.members.get(name)
        self.members = {other: one for other, one in self.members.items() if other != name}
        return found

    def broke(self, name: str, why: IcpSyncError) -> None:
        """It could not be built."""
        self.broken = {**self.broken, name: why}

    def mend(self, name: str) -> None:
        self.broken = {other: why for other, why in self.broken.items() if other != name}

    def __iter__(self) -> Iterator[Loop]:
        return iter([loop for one in self.members.values() for loop in one.loops.values()])

    def __len__(self) -> int:
        return sum(len(one.loops) for one in self.members.values())

    def __contains__(self, one: object) -> bool:
        return any(one is loop for loop in self)
