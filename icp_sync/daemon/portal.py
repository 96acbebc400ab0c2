"""One connection inside the daemon: made ready before its first cycle, and halted alone when it cannot go on.

Knows nothing of timetables.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from icp_sync.daemon.pacing import Pace, Room
from icp_sync.daemon.stopping import Stopping
from icp_sync.domain.standing import Mode
from icp_sync.errors import ConfigError, IcpSyncError, Problem
from icp_sync.journal import Journal, Pause, Wish
from icp_sync.learning.drift.watch import watch_if_due
from icp_sync.observe import log, redact, sweep_found_missing_total
from icp_sync.ports import Position, Stream
from icp_sync.sync.alarms import HALTED, settle_alerts
from icp_sync.sync.cycle import Parts, Scope
from icp_sync.sync.foreign import RESTORE
from icp_sync.sync.report import Report
from icp_sync.wiring import Wired

ACCOUNTS_A_SEARCH = 200
"""Accounts one search call discovers; what an account we wrote costs polling later is 1/200 of a call."""
SEARCHES = 4
"""Searches a second where the settings name no limit."""
BEHIND = 60.0
"""Seconds polling may be behind, beyond three of its intervals, before a backfill waits for it."""
FIRST_READING = "the first reading of this connection"


class Portal:
    """make: builds the connection's objects. sealed: whether the seal key file exists now. stopping: of this
    connection; it may end before the others.

    paused: by whom, while nothing of it may go on. lifted: whether somebody wants it tried again.
    """

    def __init__(self, make: Callable[[], Wired], sealed: Callable[[], bool], stopping: Stopping) -> None:
        self._make, self._sealed, self.stopping = make, sealed, stopping
        self._made_sealed = sealed()
        self._made = [make()]
        self.name = self.wired.name
        sweep_found_missing_total.labels(self.name)  # so that 0 is said, and its first rise can be seen
        self.halted: IcpSyncError | None = None
        self.paused: Pause | None = None
        self.lifted = self.closed = False
        self._resumed: str | None = None
        self._bound = self._elsewhere = False
        self._lock = threading.Lock()

    def parts(self) -> Parts:
        """What a cycle needs, with the journal bound to this portal and, to write, a lasting seal key.

        Raises ConfigError when the credentials open another portal, or there is no seal key to write with.
        """
        with self._lock:
            journal = self.wired.journal
            if journal.mode() is not Mode.OBSERVE and not self._made_sealed:
                self._take_up_the_seal()
            if not self._bound:
                crm, now = self.wired.crm, self.wired.parts.clock()
                journal.bind(crm.identity().id, crm=crm.kind, now=now)
                self._ask_for_a_first_reading(now)
                if self.halted is None:  # but whatever stopped it before a restart is over
                    settle_alerts(journal, {}, {HALTED}, "", now=now)
                self._bound = True
            return self.wired.parts

    @property
    def accepted(self) -> bool:
        """Whether the CRM has accepted our credentials, and they opened the portal the journal knows."""
        return self._bound or self._elsewhere

    def accepted_elsewhere(self) -> None:
        """Another worker's cycles of this connection have ended well."""
        self._elsewhere = True

    def _take_up_the_seal(self) -> None:
        """The key was made after we began: seal with it, not with the passing one of this process."""
        require_seal(self._sealed(), self.wired.journal)
        self._made.append(self._make())  # cycles under way still use the one before
        self._made_sealed = True
        log("daemon").info("the seal key is there now", connection=self.name)

    def _ask_for_a_first_reading(self, now: float) -> None:
        """A connection nobody ever read through would know only what changes from now on."""
        journal = self.wired.journal
        begun = journal.position(Stream.BACKFILL.value) != Position() or journal.is_cut()
        if not begun and not journal.backfill_request():
            journal.request_backfill(FIRST_READING, now)

    def heed(self, wish: Wish) -> None:
        """What people want of it now."""
        if self._resumed is not None and wish.resumed != self._resumed and self.halted is not None:
            self.lifted = True
        self._resumed = wish.resumed
        if wish.paused and not self.paused:
            log("daemon").info("paused", connection=self.name, by=wish.paused.by, why=wish.paused.why)
        elif self.paused and not wish.paused:
            log("daemon").info("resumed", connection=self.name)
        self.paused = wish.paused

    def halt(self, error: IcpSyncError) -> None:
        """No further cycle of this connection: only a person can help, and has it tried again then."""
        with self._lock:
            if self.halted is not None:
                return
            self.halted = error
        log("daemon").error(
            "connection stopped", connection=self.name, error=str(error), next=error.next_step
        )
        self.alert(HALTED, f"{error}" + (f". next: {error.next_step}" if error.next_step else ""))

    def alert(self, name: str, text: str) -> None:
        """Say once that something began to need a person; a journal that is away is in the log already."""
        try:
            self.wired.journal.raise_alert(name, redact(text), now=self.wired.parts.clock())
        except IcpSyncError as error:
            log("daemon").warning("an alert could not be kept", connection=self.name, error=str(error))

    def watch(self, parts: Parts) -> None:
        """Look whether the active profiles have drifted, if it is time."""
        policy = parts.policy()
        profiles = [compiled.profile for compiled in policy.compiled]
        watch_if_due(parts.journal, profiles, self.wired.settings, parts.clock, types=policy.types)

    def paced(self, scope: Scope) -> Scope:
        """A backfill's scope that writes no faster than half of polling's searches can read back, together
        with whoever makes a range of it at the same time; and that waits where polling is behind all the
        same: what people change goes before what we wrote."""
        journal, clock = self.wired.journal, self.wired.parts.clock
        limit = self.wired.settings.quota.search or SEARCHES

        def sharing() -> int:
            return max(1, journal.held_ranges(now=clock()))

        wait = self.stopping.draining.wait
        pace = Pace(limit * ACCOUNTS_A_SEARCH / 2, clock, wait, sharing)
        room = Room(self._poll_behind, 3 * self.wired.settings.schedule.poll + BEHIND, clock, wait)

        def ticked(report: Report) -> None:
            scope.ticked(report)
            pace.written(report.written)
            room.written(report.written)

        return replace(scope, ticked=ticked)

    def _poll_behind(self) -> float:
        """Seconds between the CRM's now and what polling has settled; 0 before it began."""
        done_to = self.wired.journal.position(Stream.POLL.value).done_to
        return self.wired.crm.now() - done_to / 1000 if done_to else 0.0

    @property
    def wired(self) -> Wired:
        return self._made[-1]

    def close(self) -> None:
        """After the last cycle. Safe to call again."""
        if not self.closed:
            self.closed = True
            for wired in self._made:
                close(wired)


def require_seal(exists: bool, journal: Journal) -> None:
    """Raise ConfigError unless there is a key to seal our values with."""
    if exists:
        return
    what, step = no_seal(journal)
    raise ConfigError(
        [Problem(where=f"connection {journal.connection}", what=f"may write, but {what}")], next_step=step
    )


def no_seal(journal: Journal) -> tuple[str, str]:
    """What a missing seal key means, and what helps: one that was lost is not one never made."""
    if journal.ever_wrote():
        return "the seal key that marks our values is gone", RESTORE
    return "there is no seal key yet to mark what we write", "icp-sync provision --apply"


def close(wired: Wired) -> None:
    """Let go of threads, connections and, where nobody else uses it, the journal."""
    if callable(end := getattr(wired.crm, "close", None)):
        end()
    if wired.parts.outgoing is not None:
        wired.parts.outgoing.close()
    if not wired.shared:
        wired.journal.close()
