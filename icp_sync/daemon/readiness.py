"""Whether the worker is ready: what `/readyz` says, for who sends traffic or begins the next upgrade.

Ready is more than alive: for one connection at least the journal answers at the revision we know, the CRM has
accepted the credentials once, each stream that was due has begun, and nothing was halted. One connection
that is not ready takes the others out of no service; the answer names it. A stream that fails later is a
matter of health.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping

from icp_sync.daemon.portal import Portal
from icp_sync.daemon.streams import Loop
from icp_sync.errors import AuthError
from icp_sync.journal.schema import REVISIONS
from icp_sync.observe import log

HALTED = "halted: the configuration does not fit; next: icp-sync status"
PATIENCE = 2.0
"""Seconds a probe waits for another's question to the journal."""


class Readiness:
    """Of all connections of a worker. Says nothing that came from outside: errors are told by their kind."""

    def __init__(
        self,
        loops: Collection[Loop],
        clock: Callable[[], float],
        broken: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._loops, self._clock, self._broken = loops, clock, broken
        self._asking = threading.Lock()
        self._stopping = False
        self._newer = ""  # the journal's schema as last seen, where a newer version made it

    def stopping(self) -> None:
        """From here on it is not ready any more."""
        self._stopping = True

    def report(self) -> tuple[bool, Mapping[str, object]]:
        """Whether any connection is ready, and of each whether it is and why not."""
        portals = list({id(loop.portal): loop.portal for loop in self._loops}.values())
        connections: dict[str, dict[str, object]] = {}
        for portal in portals:
            reasons = ["the worker is stopping"] if self._stopping else self._reasons(portal)
            connections[portal.name] = {"ready": not reasons, "reasons": reasons}
        for name in self._broken():
            connections[name] = {"ready": False, "reasons": [HALTED]}
        ready = any(one["ready"] for one in connections.values())
        newer = {"newer_schema": self._newer} if self._newer else {}
        return ready, {"status": "ready" if ready else "not ready", **newer, "connections": connections}

    def _reasons(self, portal: Portal) -> list[str]:
        """Why a connection is not ready."""
        reasons = [said] if (said := self._of_the_journal(portal)) else []
        if portal.halted is not None:
            refused = isinstance(portal.halted, AuthError)
            why = "halted: the CRM does not accept the credentials; next: icp-sync status"
            return [*reasons, why if refused else HALTED]
        if portal.paused is not None:
            return reasons  # that nothing is done for it is as somebody wants it
        if not portal.accepted:
            reasons.append("the CRM has not accepted the credentials yet")
        now = self._clock()
        late = [
            loop.stream
            for loop in self._loops
            if loop.portal is portal and not loop.begun and loop.expected <= now
        ]
        return [*reasons, f"not begun: {', '.join(late)}"] if late else reasons

    def _of_the_journal(self, portal: Portal) -> str:
        """What is wrong with the journal, "" when nothing is. One question at a time: a database that answers
        nobody shall not gather threads."""
        if not self._asking.acquire(timeout=PATIENCE):
            return "the journal is being asked"
        try:
            schema = portal.wired.journal.schema_state()
        except Exception as error:  # whatever it is, it is not ready; an answer is owed all the same
            log("daemon").debug("the journal does not answer", connection=portal.name, error=repr(error))
            return "the journal does not answer"
        finally:
            self._asking.release()
        self._newer = schema.revision if schema.newer else ""
        if not schema.fits:
            return f"the journal is at schema {schema.revision or 'none'}, this version's is {REVISIONS[-1]}"
        return ""
