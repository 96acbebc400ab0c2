"""Who may send us events, how fast, and whether a call is theirs. Takes nothing in by itself."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from icp_sync.daemon.doorway import Call, RefusedError
from icp_sync.daemon.portal import Portal
from icp_sync.enrichers.inbound import signing
from icp_sync.enrichers.inbound.mapping import Ear
from icp_sync.errors import ConfigError, Problem
from icp_sync.journal import Journal
from icp_sync.settings.inbound import InboundServer, InboundSource
from icp_sync.wiring import Wired


class Rate:
    """So many calls a minute, all of which may come at once."""

    def __init__(self, calls: int) -> None:
        self._calls, self._left = calls, float(calls)
        self._at = time.monotonic()
        self._lock = threading.Lock()

    def take(self) -> int:
        """0, or the whole seconds after which to come back."""
        with self._lock:
            now = time.monotonic()
            gained = (now - self._at) * self._calls / 60.0
            self._left, self._at = min(float(self._calls), self._left + gained), now
            if self._left < 1.0:
                return math.ceil((1.0 - self._left) * 60.0 / self._calls)
            self._left -= 1.0
            return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Somebody who may send events of one connection's companies.

    ear: None for HubSpot, whose events only name accounts. url: how it calls us.
    """

    portal: Portal
    name: str
    source: InboundSource
    ear: Ear | None
    rate: Rate
    url: str = ""

    @property
    def labels(self) -> tuple[str, str]:
        """Of its metrics."""
        return self.portal.name, self.name

    @property
    def journal(self) -> Journal:
        return self.portal.wired.journal


def authentic(sender: Sender, call: Call, now: float) -> bytes:
    """The body of a call that is theirs. Raises RefusedError, the same one whatever is wrong with it."""
    source, headers = sender.source, call.headers
    secret = source.secret.get_secret_value()
    no = RefusedError(HTTPStatus.UNAUTHORIZED, "not accepted")
    if source.kind == "hubspot":
        if not signing.timely(headers.get(signing.HUBSPOT_TIMESTAMP.lower()), now):
            raise no
        body = call.body()
        if not signing.signed_by_hubspot(secret, sender.url + call.target, body, headers):
            raise no
    elif source.auth == "hmac":
        stamp = headers.get(source.timestamp_header.lower(), "")
        if not signing.timely(stamp, now):
            raise no
        body = call.body()
        if not signing.signed(
            secret, stamp, body, headers.get((source.header or signing.SIGNATURE_HEADER).lower())
        ):
            raise no
    else:
        if not signing.brings(secret, headers.get((source.header or signing.SECRET_HEADER).lower())):
            raise no
        body = call.body()
    return body


def senders(portals: Sequence[Portal], server: InboundServer) -> dict[tuple[str, str], Sender]:
    """(connection, source) → who may send there. Raises ConfigError with every problem at once."""
    found: dict[tuple[str, str], Sender] = {}
    problems: list[Problem] = []
    for portal in portals:
        try:
            ears = ears_of(portal.wired, server)
        except ConfigError as error:
            problems += error.problems
            continue
        for name, ear in ears.items():
            source = portal.wired.settings.inbound[name]
            found[portal.name, name] = Sender(
                portal=portal,
                name=name,
                source=source,
                ear=ear,
                rate=Rate(source.calls),
                url=server.public_url,
            )
    if problems:
        raise ConfigError(problems, next_step="icp-sync check")
    return found


def ears_of(wired: Wired, server: InboundServer) -> dict[str, Ear | None]:
    """How each source of a connection is listened to, None for one whose events only name accounts.

    Raises ConfigError with every problem at once.
    """
    ears: dict[str, Ear | None] = {}
    problems: list[Problem] = []
    taken = {enricher.name for enricher in wired.parts.enrichers}
    for name, source in wired.settings.inbound.items():
        where = f"connections.{wired.name}.inbound.{name}"
        if name in taken:
            problems.append(Problem(where=where, what="an enricher has this name", hint="choose another"))
        if source.kind == "hubspot":
            ears[name] = None
            if not server.public_url:
                hint = "the signature covers the address HubSpot calls: set inbound.public_url"
                problems.append(Problem(where=where, what="cannot be checked", hint=hint))
            continue
        try:
            ears[name] = Ear(name, source, wired.types, where=where, own=server.own_domains)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return ears
