"""`POST /inbound/<connection>/<source>`: events of companies, and their accounts come due.

Whoever calls shows who it is before anything is done for it. "Accepted" (202) is said once everything is safe
in the journal, so that a sender who hears nothing may send again. No answer and no log line quotes what was
sent.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from prometheus_client import Counter

from icp_sync.daemon.doorway import Answer, Call, Doorway, RefusedError
from icp_sync.daemon.portal import Portal
from icp_sync.daemon.senders import Sender, authentic, senders
from icp_sync.enrichers.inbound import hubspot
from icp_sync.enrichers.inbound.document import UnreadableError, parsed
from icp_sync.enrichers.inbound.folding import MONTH, folding
from icp_sync.enrichers.inbound.mapping import MOST_EVENTS, TooManyError
from icp_sync.errors import ConfigError, IcpSyncError, unheard
from icp_sync.journal import Journal
from icp_sync.observe import log, registry
from icp_sync.settings.inbound import InboundServer

TICK = 60.0
"""Seconds between looks at what has become too old, and at whom news may have overtaken."""
QUIET = 120.0
"""Seconds after the last news of a company when its accounts are looked at once more."""
BACK = 900.0
"""Seconds before a start that the first look covers: nobody looked while we were away."""
BUSY_AGAIN = 30

calls_total = Counter(
    "icp_sync_inbound_calls_total",
    "Calls with events from outside, by HTTP status",
    ["connection", "source", "status"],
    registry=registry,
)
events_total = Counter(
    "icp_sync_inbound_events_total",
    "Events from outside",
    ["connection", "source", "outcome"],
    registry=registry,
)


class Inbound:
    """Takes events in for these connections. With port 0 nobody can call; what came before still grows old.

    Raises ConfigError when it cannot listen, UnavailableError while another program does. Everything wrong
    in the senders' settings of an only connection is raised as well; of several, whose it is is halted.
    """

    def __init__(
        self, portals: Sequence[Portal], server: InboundServer, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._clock, self._server = clock, server
        self._stopped = threading.Event()
        self._looked = clock() - BACK
        self._doorway: Doorway | None = None
        self._started = self._serving = self._looking = False
        self.senders: Mapping[tuple[str, str], Sender] = {}
        self._listen(senders(portals, server) if len(portals) == 1 else self._each(portals))

    def follow(self, portals: Sequence[Portal]) -> None:
        """From now on events are taken in for these connections. Where nobody could send any before, and we
        cannot listen, that is told, and the rest goes on."""
        found = self._each(portals)
        for key, sender in found.items():
            known = self.senders.get(key)
            if known is not None and known.source == sender.source:
                found[key] = replace(sender, rate=known.rate)
        try:
            self._listen(found)
            if self._started:
                self._serve()
        except IcpSyncError as error:
            log("daemon").error("events cannot be taken in", error=str(error), next=error.next_step)

    def _each(self, portals: Sequence[Portal]) -> dict[tuple[str, str], Sender]:
        """The senders of many: a connection that has wrong ones is halted, and no other."""
        found: dict[tuple[str, str], Sender] = {}
        for portal in portals:
            try:
                found |= senders([portal], self._server)
            except ConfigError as error:
                portal.halt(error)
        return found

    def _listen(self, found: Mapping[tuple[str, str], Sender]) -> None:
        news = bool(found) and not self.senders
        self.senders = found
        if not news or self._doorway:
            return
        if self._server.port:
            self._doorway = _opened(self._server, self.answer)
        else:
            log("inbound").warning("nobody can send events: there is no port", next="set inbound.port")

    @property
    def port(self) -> int:
        return int(self._doorway.server_address[1]) if self._doorway else 0

    def start(self) -> None:
        self._started = True
        self._serve()

    def _serve(self) -> None:
        """Threads for what there is to do, once each."""
        if self._doorway and not self._serving:
            self._serving = True
            serve = self._doorway.serve_forever
            threading.Thread(target=serve, args=(0.1,), name="inbound", daemon=True).start()
        if self.senders and not self._looking:
            self._looking = True
            threading.Thread(target=self._keep_looking, name="inbound-ages", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        if self._doorway:
            self._doorway.shutdown()
            self._doorway.server_close()

    def answer(self, call: Call) -> Answer:
        """What a call is told; never raises."""
        sender = self._sender(call)
        if sender is None:
            return Answer(status=HTTPStatus.NOT_FOUND, said={"error": "not found"})
        try:
            answer = self._taken(sender, call)
        except RefusedError as refused:
            answer = refused.answer
        except IcpSyncError as error:
            self._log(sender).warning("events could not be kept", error=str(error))
            said = {"error": "not now"}
            answer = Answer(status=HTTPStatus.SERVICE_UNAVAILABLE, said=said, retry_after=BUSY_AGAIN)
        except Exception as error:  # a stranger's call must not end the thread without an answer
            self._log(sender).error("this should not have happened", error=type(error).__name__)
            answer = Answer(status=HTTPStatus.INTERNAL_SERVER_ERROR, said={"error": "not now"})
        calls_total.labels(*sender.labels, str(int(answer.status))).inc()
        return answer

    def _sender(self, call: Call) -> Sender | None:
        path = call.target.partition("?")[0].split("/")
        return (
            self.senders.get((path[2], path[3])) if len(path) == 4 and path[:2] == ["", "inbound"] else None
        )

    def _taken(self, sender: Sender, call: Call) -> Answer:
        if call.method != "POST":
            raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, "only POST is answered")
        now = self._clock()
        body = authentic(sender, call, now)
        if wait := sender.rate.take():
            raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, "too many calls", wait)
        try:
            document = parsed(body)
            said = self._told(sender, document, now) if sender.ear else self._named(sender, document, now)
        except UnreadableError as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, str(error)) from None
        except TooManyError:
            why = f"more than {MOST_EVENTS:,} events in one call"
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, why) from None
        return Answer(status=HTTPStatus.ACCEPTED, said=said)

    def _told(self, sender: Sender, document: object, now: float) -> dict[str, object]:
        """Events of companies, kept; what they mean for their accounts is the next cycle's business."""
        if sender.ear is None:
            return {}
        heard = sender.ear.read(document, now)
        fold = folding(sender.name, now, counts=sender.ear.counts)
        taken = sender.journal.take_events(sender.name, heard.events, fold, now=now)
        repeated = len(heard.events) - taken.fresh
        counts = {"accepted": taken.fresh, "repeated": repeated, "refused": heard.refused.total()}
        for outcome, count in counts.items():
            events_total.labels(*sender.labels, outcome).inc(count)
        if taken.fresh:
            self._log(sender).debug("events came in", events=taken.fresh, accounts=taken.woken)
        return {**counts, "reasons": dict(sorted(heard.refused.items()))}

    def _named(self, sender: Sender, document: object, now: float) -> dict[str, object]:
        """Accounts the CRM itself says something happened to: they are read again at once."""
        ids, others = hubspot.companies(document, sender.journal.bound_to())
        woken = sender.journal.wake_accounts(ids, now=now) if ids else 0
        counts = {"accepted": len(ids), "refused": others}
        for outcome, count in counts.items():
            events_total.labels(*sender.labels, outcome).inc(count)
        return {**counts, "due": woken}

    def _keep_looking(self) -> None:
        while not self._stopped.is_set():
            try:
                self.look()
            except IcpSyncError as error:
                log("inbound").warning("what has become too old could not be looked at", error=str(error))
            self._stopped.wait(TICK)

    def look(self) -> None:
        """Forget what has become too old, and look once more at whom the last news was about."""
        now = self._clock()
        upto = now - QUIET
        by_portal: dict[str, tuple[Journal, list[str]]] = {}
        for sender in self.senders.values():
            if sender.ear:
                fold = folding(sender.name, now, counts=sender.ear.counts)
                sender.journal.refold(sender.name, fold, now=now, recent=MONTH)
                by_portal.setdefault(sender.portal.name, (sender.journal, []))[1].append(sender.name)
        for journal, names in by_portal.values():
            journal.wake_settled(names, after=self._looked, upto=upto, now=now)
        self._looked = upto

    def _log(self, sender: Sender) -> Any:
        return log("inbound").bind(connection=sender.portal.name, source=sender.name)


def _opened(server: InboundServer, answer: Callable[[Call], Answer]) -> Doorway:
    try:
        return Doorway(server.host, server.port, answer, most=server.max_body)
    except (OSError, OverflowError) as error:
        where, what = f"inbound {server.host}:{server.port}", f"cannot listen: {error}"
        hint = "name a free port under [inbound], or port = 0 for none"
        raise unheard(where, what, error, hint) from error
