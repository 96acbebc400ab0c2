"""A server that answers everything with the same wreck, and what our connectors make of it.

Logins and lists are asked of it as of a real CRM: through the adapters' own clients, over HTTP.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

from pydantic import SecretStr

from icp_sync.crm.hubspot import HubSpot
from icp_sync.crm.salesforce import Credentials, Salesforce
from icp_sync.errors import IcpSyncError
from icp_sync.http import Endpoint, Transport
from icp_sync.normalize.facts_map import HUBSPOT_DEFAULTS
from icp_sync.normalize.salesforce_fields import SALESFORCE_DEFAULTS
from icp_sync.ports import Crm, Note, Query, Stream
from tests.security.places import Finding

READ = Endpoint(name="read", idempotent=True)
WRITE = Endpoint(name="write")
ACCOUNT = "001000000000001AAA"


class Wrecks:
    """The body and status every request gets, except the login, which works."""

    body = b""
    status = 200
    url = ""


@contextmanager
def served() -> Iterator[Wrecks]:
    now = Wrecks()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = now.body
            if self.path.startswith("/services/oauth2/token"):
                body = b'{"access_token":"granted-for-a-test","instance_url":"http://127.0.0.1"}'
            self.send_response(now.status if body is now.body else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    now.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield now
    finally:
        server.shutdown()
        server.server_close()


def calls(url: str) -> Mapping[str, Callable[[], object]]:
    """What is asked of the server, by name; each with a connector of its own, so that none remembers."""
    asks: dict[str, Callable[[Crm], object]] = {
        "identity": lambda crm: crm.identity(),
        "owners": lambda crm: crm.owners(),
        "fields": lambda crm: crm.fields(),
        "fetch": lambda crm: crm.fetch([ACCOUNT]),
        "poll": lambda crm: _first(crm.pages(Query(stream=Stream.POLL))),
        "backfill": lambda crm: _first(crm.pages(Query(stream=Stream.BACKFILL))),
        "departed": lambda crm: crm.departed(0),
        "deals": lambda crm: _first(crm.deals(0)),
        "annotate": lambda crm: list(crm.annotate("deals", [Note(id=ACCOUNT, values={"tier": "A"})])),
        "contacts": lambda crm: crm.related([ACCOUNT], "contacts"),
        "history": lambda crm: crm.history([ACCOUNT], ["tier"]),
        "sample": lambda crm: crm.sample(["name"], 5),
    }
    made: dict[str, Callable[[], object]] = {
        "transport: read": lambda: Transport(url, tries=1).send("GET", "/x", endpoint=READ),
        "transport: write": lambda: Transport(url, tries=1).send("POST", "/x", endpoint=WRITE, json={}),
        "transport: file": lambda: Transport(url, tries=1).download(
            "/x", endpoint=READ, into=BytesIO(), kind="application/json"
        ),
    }
    for name, ask in asks.items():
        made[f"HubSpot: {name}"] = lambda ask=ask: _asked(_hubspot(url), ask)  # type: ignore[misc]
        made[f"Salesforce: {name}"] = lambda ask=ask: _asked(_salesforce(url), ask)  # type: ignore[misc]
    return made


def run_wrecks(
    wrecks: tuple[bytes, ...], statuses: tuple[int, ...] = (200, 400)
) -> tuple[dict[str, dict[str, int]], list[Finding]]:
    """Every wreck as the answer to every call: the counts by call, and what was no error of ours."""
    counted: dict[str, dict[str, int]] = {}
    findings: list[Finding] = []
    with served() as server:
        for name, call in calls(server.url).items():
            row = counted.setdefault(name, {"read": 0, "unknown": 0, "error": 0})
            for server.status in statuses:
                for server.body in wrecks:
                    try:
                        row["read" if call() else "unknown"] += 1
                    except IcpSyncError as error:
                        row["error"] += 1
                        if len(str(error)) > 2_000:
                            findings.append((name, "an error without end", error))
                    except Exception as error:  # whatever it is, it is the finding
                        findings.append((f"{name} ({server.status})", ascii(server.body[:60]), error))
    return counted, findings


def _first(some: Iterator[object]) -> object:
    return next(some, None)


def _asked(crm: HubSpot | Salesforce, ask: Callable[[Crm], object]) -> object:
    try:
        return ask(crm)
    finally:
        crm.close()


def _hubspot(url: str) -> HubSpot:
    return HubSpot(
        token=SecretStr("pat-na1-wreck"),
        facts_map=HUBSPOT_DEFAULTS,
        properties={"tier": "icp_tier"},
        stamp={"tier": "icp_tier_at_creation"},
        base_url=url,
        patience=0.0,
    )


def _salesforce(url: str) -> Salesforce:
    return Salesforce(
        credentials=Credentials(
            consumer_key="key", consumer_secret=SecretStr("wreck-secret"), my_domain="simulator.my"
        ),
        facts_map=SALESFORCE_DEFAULTS,
        properties={"tier": "ICP_Tier__c"},
        stamp={"tier": "ICP_Tier_at_Creation__c"},
        base_url=url,
        patience=0.0,
    )
