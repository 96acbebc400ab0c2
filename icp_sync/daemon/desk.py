"""What people ask of connections through the journal: looked for once a second, of all connections at once.

Requests that commands have handed over wake the lane they belong to; a pause, or its end, is passed on to the
connection. However many connections there are, a look is two queries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from icp_sync.daemon.fleet import Fleet, Member
from icp_sync.daemon.streams import Loop
from icp_sync.errors import IcpSyncError
from icp_sync.journal import NO_WISH, Journal, Wish
from icp_sync.observe import log
from icp_sync.ports import Stream
from icp_sync.sync.requests import LANES, asked_lanes

EVERY = 1.0


class Desk:
    """root: the journal of all connections, None where each has a database of its own. wake: triggers a
    stream now. soon: does not let it wait for the rest of its interval."""

    def __init__(
        self,
        fleet: Fleet,
        root: Journal | None,
        *,
        wake: Callable[[Loop], object],
        soon: Callable[[Loop], object],
    ) -> None:
        self._fleet, self._root, self._wake, self._soon = fleet, root, wake, soon
        self._well = True
        self._resumed: dict[str, str] = {}
        self.lifted: set[str] = set()
        """Connections that could not be built, and that somebody asked to try again."""

    def look(self) -> None:
        """Raises nothing that was foreseen: the journal may be away for a while."""
        try:
            for journal in self._journals():
                self._look(journal)
        except IcpSyncError as error:
            if self._well:
                log("daemon").warning("nobody knows what was asked for", error=str(error))
            self._well = False
        else:
            self._well = True

    def _journals(self) -> Iterable[Journal]:
        if self._root is not None:
            return [self._root]
        journals = [portal.wired.journal for portal in self._fleet.portals]
        return {id(journal.engine): journal for journal in journals}.values()

    def _look(self, journal: Journal) -> None:
        wishes, asked = journal.wishes(), asked_lanes(journal)
        for member in self._fleet.members.values():
            if member.portal.wired.journal.engine is journal.engine:
                self._heed(member, wishes.get(member.portal.name, NO_WISH))
                self._hand(member, asked)
        for name in self._fleet.broken:
            resumed = wishes.get(name, NO_WISH).resumed
            if self._resumed.setdefault(name, resumed) != resumed:
                self._resumed[name] = resumed
                self.lifted.add(name)

    def _heed(self, member: Member, wish: Wish) -> None:
        portal = member.portal
        was_paused = portal.paused is not None
        portal.heed(wish)
        if was_paused and wish.paused is None:
            for loop in member.loops.values():
                if loop.stream not in LANES and loop.stream != Stream.SWEEP:
                    self._soon(loop)

    def _hand(self, member: Member, asked: Mapping[tuple[str, str], float]) -> None:
        for lane in LANES:
            loop = member.loops[lane]
            if (member.portal.name, lane) in asked:
                self._wake(loop)
            else:
                loop.idle()
