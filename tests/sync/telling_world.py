"""The small world with people who are told: a webhook that really listens, and tasks in the CRM."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic import SecretStr

from icp_sync.domain.telling import Telling
from icp_sync.http import Webhook
from icp_sync.journal import OPERATOR, REP, Journal
from icp_sync.sync.cycle import Parts
from icp_sync.sync.draft import Policy
from icp_sync.sync.telling.outgoing import Outgoing, Post
from icp_sync.sync.telling.stream import Sent, tell
from tests.sync.world import GOOD, POOR, World, facts

QUIET = 30 * 86_400.0
AT_ONCE = Telling(on=True, digest=0.0)
DAILY = Telling(on=True)
SECRET = "a secret that only both know"


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)


@dataclass
class Listener:
    """What arrived at a webhook. answers: statuses to give first, each once; then 200 and the word "ok"."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [one.said["text"] for one in self.received]


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            listener.received.append(Received(self.path, dict(self.headers.items()), body))
            status, headers = listener.answers.pop(0) if listener.answers else (200, {})
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "text/plain", "Content-Length": "2"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.url = f"http://127.0.0.1:{server.server_port}/services/T0/B0/very-secret"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class TellingWorld(World):
    """telling: what reps are told. tasks: by a task in the CRM. rep_url, operator_url: webhooks, if any."""

    telling: Telling = AT_ONCE
    tasks: bool = True
    rep_url: str = ""
    operator_url: str = ""
    format: str = "slack"
    quiet: float = QUIET
    alert_quiet: float = 900.0

    def open(self, name: str = "journal.db") -> Journal:
        heard = {REP: self.quiet} if self.telling.on else {}
        return super().open(name).listening({**heard, OPERATOR: self.alert_quiet})

    def policy(self) -> Policy:
        return replace(super().policy(), telling=self.telling)

    def parts(self, journal: Journal | None = None, holder: str = "one") -> Parts:
        if self.journal.mode() is not self.mode:
            self.journal.set_mode(self.mode, now=self.clock())
        outgoing = Outgoing(
            telling=self.telling,
            tasks=self.tasks,
            reps=self._post(self.rep_url),
            operators=self._post(self.operator_url),
            record_url="https://crm.example.com/{id}",
        )
        return replace(super().parts(journal, holder), outgoing=outgoing)

    def _post(self, url: str) -> Post | None:
        if not url:
            return None
        signed = self.format == "json"
        secret = SecretStr(SECRET) if signed else None
        webhook = Webhook(SecretStr(url), name="main", secret=secret, twice=signed, clock=self.clock)
        return Post(webhook=webhook, format=self.format)

    def tell(self) -> Sent:
        sent = tell(self.parts())
        assert sent is not None
        return sent

    # What happens to companies

    def good(self, name: str = "Acme", **what: Any) -> str:
        return self.company(name, **{**GOOD, **what})

    def poor(self, name: str = "Acme", **what: Any) -> str:
        return self.company(name, **{**POOR, **what})

    def improve(self, account: str) -> None:
        """It becomes of tier A."""
        self.crm.edit(account, signals=facts(**GOOD))

    def worsen(self, account: str) -> None:
        """It falls far below."""
        self.crm.edit(account, signals=facts(employees=100_000, industry="RETAIL"))

    def settle(self, seconds: float = 200.0) -> None:
        """Time passes, and what changed is settled."""
        self.clock.step(seconds)
        self.poll()
        self.due()

    @property
    def states(self) -> list[tuple[str, str]]:
        """Kind and state of every notice to reps, oldest first."""
        return [(one.kind, one.state) for one in reversed(self.journal.notices(audience=REP))]
