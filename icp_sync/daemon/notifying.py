"""What systemd is told of the worker: that it is ready, what it is at, that it is alive, and that it stops.

The protocol is one datagram of `KEY=value` lines to the socket that $NOTIFY_SOCKET names: sd_notify(3). A
watchdog is only worth something when it tells a worker that works from one that merely has not ended: so it
is stroked while the timetable triggers and no cycle has been silent for hours. Outside systemd nothing is
sent. Must not know what a stream does.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Collection, Mapping, MutableMapping

from icp_sync.daemon.streams import Loop, State
from icp_sync.observe import log

SOCKET, INTERVAL, WHOSE = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
LATE_TRIGGER = 120.0
"""Seconds the timetable may be behind: it looks at least once a second, for what commands hand over."""
PAUSE = 30.0
"""Seconds between two looks where no watchdog asks for more."""
SILENT = 2 * 3_600.0
"""Seconds a cycle may go without taking up a page, beyond those it said it would wait: a bulk query of a
large org is one wait for its reply."""


def notify(address: str, lines: Mapping[str, object]) -> bool:
    """Send one notice; whether somebody took it. address: a path, or an abstract socket's name behind "@"."""
    if not address.startswith(("/", "@")):
        return False  # vsock:, of virtual machines
    said = "\n".join(f"{key}={' '.join(str(value).split())}" for key, value in lines.items())
    to = "\0" + address[1:] if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sending:
            sending.sendto(said.encode(), to)
    except (OSError, ValueError):
        return False
    return True


class Supervision:
    """One worker under systemd's eyes. The thread that waits for the end calls `look` again and again."""

    def __init__(
        self,
        loops: Collection[Loop],
        overdue: Callable[[], float],
        clock: Callable[[], float],
        environ: MutableMapping[str, str] = os.environ,
    ) -> None:
        """overdue: seconds the trigger most behind is late. Variables meant for us are taken out of the
        environment, so that no child speaks in our name."""
        self._loops, self._overdue, self._clock = loops, overdue, clock
        self._address = environ.pop(SOCKET, "")
        asked, whose = environ.pop(INTERVAL, ""), environ.pop(WHOSE, "")
        ours = asked.isdecimal() and whose in ("", str(os.getpid()))
        self.every = int(asked) / 3_000_000 if ours else 0.0
        self._why = self._status = ""
        self._next = 0.0

    def ready(self) -> None:
        """Listening, and every stream on the timetable. A CRM that is down keeps nobody from being ready."""
        self._status = self._words()
        self._tell(READY=1, STATUS=self._status)

    def look(self) -> None:
        """Say what changed, and stroke the watchdog when it is time and there is progress."""
        if not self._address or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + (self.every or PAUSE)
        stuck = self._stuck()
        if stuck and stuck != self._why:
            log("daemon").error("no progress; the watchdog will end this process", why=stuck)
        self._why = stuck
        words = f"stuck: {stuck}" if stuck else self._words()
        said: dict[str, object] = {} if words == self._status else {"STATUS": words}
        self._status = words
        if self.every and not stuck:
            said["WATCHDOG"] = 1
        if said:
            self._tell(**said)

    def stopping(self) -> None:
        """The end has begun: the page in flight is finished."""
        self._tell(STOPPING=1, STATUS="stopping: the page in flight is finished first")

    def _tell(self, **lines: object) -> None:
        if self._address:
            notify(self._address, lines)

    def _stuck(self) -> str:
        """What makes no progress any more, "" while everything does."""
        if abs(self._overdue()) > LATE_TRIGGER:  # or far too early, on a clock that was set back
            return "the timetable triggers nothing"
        now = self._clock()
        silent = [loop for loop in self._loops if loop.busy and now - loop.last_sign > SILENT]
        return ", ".join(f"{loop.portal.name}/{loop.stream}" for loop in silent)

    def _words(self) -> str:
        """How the streams are, in a line. Names of connections and streams only."""
        ill = {state: [one for one in self._loops if one.state is state] for state in State}
        told = [
            f"{state.value}: {', '.join(f'{one.portal.name}/{one.stream}' for one in ill[state][:3])}"
            + (f" and {len(ill[state]) - 3} more" if len(ill[state]) > 3 else "")
            for state in (State.DOWN, State.LATE, State.WAITING)
            if ill[state]
        ]
        names = dict.fromkeys(one.portal.name for one in self._loops)
        halted = {one.portal.name for one in ill[State.HALTED]}
        told += [f"halted: {name}" for name in names if name in halted]
        return "; ".join(told) or f"working: {', '.join(names)}"
