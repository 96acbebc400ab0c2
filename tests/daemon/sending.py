"""A connection that takes events in, over real HTTP, and calls to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import requests

from icp_sync.daemon import Stopping
from icp_sync.daemon.doorway import Doorway
from icp_sync.daemon.inbound import Inbound
from icp_sync.daemon.portal import Portal
from icp_sync.journal import Journal
from icp_sync.settings.inbound import InboundServer, InboundSource
from tests.daemon.station import portal
from tests.sync.world import World

SECRET = "a-secret-of-this-test"
HEADER = {"X-Icp-Sync-Secret": SECRET}
VISITS = {"kind": "leadpipe", "id": "id", "time": "at"}


def served_portal(world: World, **sources: Mapping[str, Any]) -> Portal:
    """A connection with these senders; they share a secret."""
    made = portal(world, Stopping())
    inbound = {
        name: InboundSource.model_validate({"secret": SECRET, **said}) for name, said in sources.items()
    }
    wired = made.wired
    settings = wired.settings.model_copy(update={"inbound": inbound})
    made._made[-1] = replace(wired, settings=settings)
    return made


@contextmanager
def served(world: World, **sources: Mapping[str, Any]) -> Iterator[Inbound]:
    server = InboundServer.model_validate(
        {"public_url": "https://hooks.example.com", "own_domains": ["us.io"]}
    )
    made = Inbound([served_portal(world, **sources)], server, clock=world.clock)
    made._doorway = door(made, server)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def door(made: Inbound, server: InboundServer) -> Any:
    return Doorway(server.host, 0, made.answer, most=server.max_body)


def post(
    made: Inbound, body: object, name: str = "site", headers: Mapping[str, str] | None = None, **more: Any
) -> requests.Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"http://127.0.0.1:{made.port}/inbound/main/{name}"
    return requests.post(url, data=data, headers=HEADER if headers is None else headers, timeout=10, **more)


def visit(**said: Any) -> dict[str, Any]:
    return {"company_domain": "acme.com", **said}


def known(journal: Journal, domain: str = "acme.com", *, now: float) -> dict[str, Any]:
    return {s.fact: s.value for s in journal.recall({"1": domain}, now=now).of("1").signals}
