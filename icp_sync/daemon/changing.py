"""Connections begin, end and are replaced while the others go on.

One that ends takes no new page; what it has in flight is finished, and only then its successor begins. One
that cannot be built is told of, shown, and tried again: when its settings change, when somebody lets it go
on, and now and then. What cannot be read changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from icp_sync.daemon.fleet import Fleet, Member
from icp_sync.daemon.gauges import forget, settings_problems
from icp_sync.daemon.supply import Changes, Supply
from icp_sync.errors import IcpSyncError
from icp_sync.observe import log, redact
from icp_sync.sync.alarms import HALTED

EVERY = 2.0
"""Seconds between two looks at the settings' files."""
TRY_AGAIN = 60.0
"""Seconds between tries of a connection that could not be built."""
NOT_IN_EFFECT = "settings not in effect"
"""The name of the alert that stands while what the files say is not what runs; on the first connection."""
_LONGEST = 1_500


class Changing:
    """begin, end: put a connection on the timetable, and take it off."""

    def __init__(
        self,
        fleet: Fleet,
        supply: Supply,
        *,
        begin: Callable[[Member], None],
        end: Callable[[Member], None],
        lifted: set[str],
        clock: Callable[[], float],
    ) -> None:
        self._fleet, self._supply, self._begin, self._end = fleet, supply, begin, end
        self._lifted, self._clock = lifted, clock
        self._leaving: dict[str, tuple[Member, bool]] = {}  # name → who leaves, and whether a successor comes
        self._tried: dict[str, float] = {}
        self._last = Changes(broken=supply.broken)
        self._told_on, self._said = "", ""
        self._told = False
        self._looking = threading.Lock()
        for name, why in self._last.broken.items():
            self.broke(name, why)

    def look(self) -> None:
        """Once. Raises nothing that was foreseen."""
        with self._looking:
            self._look()

    @contextmanager
    def still(self) -> Iterator[bool]:
        """Whether no successor is awaited or being made; while this lasts, none is."""
        free = self._looking.acquire(blocking=False)
        try:
            yield free and not any(again for _, again in self._leaving.values())
        finally:
            if free:
                self._looking.release()

    def _look(self) -> None:
        changes = self._supply.look()
        if changes is not None:
            self._take(changes)
        for name, member in list(self._fleet.members.items()):
            if member.portal.lifted:
                log("daemon").info("tried again", connection=name)
                self._retire(name, again=True)
        self._succeed()
        self._try_again()
        self._tell()

    def close(self) -> None:
        """After the last cycle of all."""
        for member, _ in self._leaving.values():
            member.portal.close()

    # What changed

    def _take(self, changes: Changes) -> None:
        self._last = changes
        if changes.problems:
            return
        for name in changes.ended:
            log("daemon").info("this connection is taken out", connection=name)
            self._retire(name, again=False)
        for name in changes.replaced:
            log("daemon").info("the settings of this connection have changed", connection=name)
            self._retire(name, again=True)
        for name in changes.begun:
            self._tried.pop(name, None)
            self._make(name)
        for name in set(self._fleet.broken) - {*self._supply.names, *changes.broken}:
            self._fleet.mend(name)
            self._end_alert(name)
        for name, why in changes.broken.items():
            if name not in self._fleet.members:
                self.broke(name, why)

    def _retire(self, name: str, *, again: bool) -> None:
        """Let a connection end; again: another of its name follows."""
        member = self._fleet.remove(name)
        if member is None:
            if again and name not in self._leaving:
                self._make(name)
            elif name in self._leaving:
                self._leaving[name] = (self._leaving[name][0], again)
            return
        member.portal.stopping.drain()
        self._end(member)
        self._leaving[name] = (member, again)

    def _succeed(self) -> None:
        """Those whose last page is settled are gone; whoever follows begins."""
        for name, (member, again) in list(self._leaving.items()):
            if member.busy:
                continue
            del self._leaving[name]
            member.portal.stopping.end()
            try:
                member.portal.close()
            except IcpSyncError as error:
                log("daemon").warning("not closed", connection=name, error=str(error))
            forget(name)
            if again:
                self._make(name)

    def _make(self, name: str) -> None:
        if name in self._leaving:
            self._leaving[name] = (self._leaving[name][0], True)
            return
        self._tried[name] = self._clock()
        try:
            portal = self._supply.make(name)
        except IcpSyncError as error:
            self.broke(name, error)
            return
        log("daemon").info("this connection begins", connection=name)
        self._begin(self._fleet.add(portal))

    def _try_again(self) -> None:
        due = {n for n in self._fleet.broken if not 0 <= self._clock() - self._tried.get(n, 0.0) < TRY_AGAIN}
        lifted = {name for name in self._fleet.broken if name in self._lifted}
        self._lifted -= lifted
        for name in (due | lifted) & set(self._supply.names):
            self._make(name)

    # What is told

    def broke(self, name: str, why: IcpSyncError) -> None:
        """It could not be built."""
        known = self._fleet.broken.get(name)
        self._fleet.broke(name, why)
        if known is not None and str(known) == str(why):
            return
        log("daemon").error("connection stopped", connection=name, error=str(why), next=why.next_step)
        text = redact(f"{why}" + (f". next: {why.next_step}" if why.next_step else ""))
        try:
            self._supply.journal_of(name).raise_alert(HALTED, text, now=self._clock())
        except IcpSyncError as error:
            log("daemon").warning("an alert could not be kept", connection=name, error=str(error))

    def _end_alert(self, name: str) -> None:
        try:
            self._supply.journal_of(name).end_alert(HALTED, now=self._clock())
        except IcpSyncError as error:
            log("daemon").warning("an alert could not be ended", connection=name, error=str(error))

    def _tell(self) -> None:
        """What is not as the files say: in the log once, as an alert of the first connection, as a metric."""
        parts = [str(problem) for problem in self._last.problems]
        parts += [f"{name} is not used: {why}" for name, why in self._fleet.broken.items()]
        running = self._last.broken.keys() - self._fleet.broken.keys()
        parts += [f"{name} goes on as before: {self._last.broken[name]}" for name in sorted(running)]
        if self._last.fixed:
            parts.append(f"from the next start on: {', '.join(self._last.fixed)}")
        settings_problems.set(len(parts))
        said = redact("; ".join(parts))[:_LONGEST]
        if said and said != self._said:
            log("daemon").warning("the settings are not what runs", why=said, next="icp-sync check")
        on = self._told_on if self._told_on in self._supply.names else next(iter(self._fleet.members), "")
        if self._told and (said, on) == (self._said, self._told_on):
            return
        try:
            if not self._told:
                self._end_told_before(on)
            if self._told_on and (not said or on != self._told_on):
                self._supply.journal_of(self._told_on).end_alert(NOT_IN_EFFECT, now=self._clock())
            if on and said:
                text = f"{said}. next: icp-sync check"
                self._supply.journal_of(on).raise_alert(NOT_IN_EFFECT, text, now=self._clock())
            elif on and not said:
                self._supply.journal_of(on).end_alert(NOT_IN_EFFECT, now=self._clock())
        except IcpSyncError as error:
            log("daemon").warning("an alert could not be kept", error=str(error))
            return
        self._said, self._told_on, self._told = said, on, True

    def _end_told_before(self, on: str) -> None:
        """Where an earlier worker told it, and this one would never end it. on: where this one tells it."""
        for name in {*self._supply.names, *self._fleet.broken} - {on}:
            journal = self._supply.journal_of(name)
            if any(alert.name == NOT_IN_EFFECT for alert in journal.alerts()):
                journal.end_alert(NOT_IN_EFFECT, now=self._clock())
