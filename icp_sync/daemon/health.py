"""`/healthz`, `/readyz` and `/metrics` over plain HTTP: what supervisors and Prometheus ask, no more.

Read only, no secret, no text from a CRM: an error of a stream is told by its state, its words are in the log.
"""

from __future__ import annotations

import errno
import json
import socket
import threading
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from icp_sync.daemon.readiness import Readiness
from icp_sync.daemon.streams import Loop, State
from icp_sync.errors import unheard
from icp_sync.observe import registry

HEALTHY = (State.STARTING, State.OK, State.WAITING, State.PAUSED)
IDLE_SECONDS = 10.0  # a client that says nothing for so long is let go
JSON = "application/json; charset=utf-8"


class Health:
    """Answers on host:port in threads of its own. Raises ConfigError when it cannot listen there,
    UnavailableError while another program does."""

    def __init__(
        self,
        loops: Collection[Loop],
        host: str,
        port: int,
        *,
        clock: Callable[[], float],
        broken: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """loops: as they are whenever somebody asks. broken: connections that could not be built."""
        self._loops, self._clock, self._broken = loops, clock, broken
        self._readiness = Readiness(loops, clock, broken)
        try:
            self._server = _Server((host, port), self._handler())
        except (OSError, OverflowError) as error:
            where, what = f"health {host}:{port}", f"cannot listen: {error}"
            raise unheard(where, what, error, _hint(error)) from error

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="health", daemon=True).start()

    def drain(self) -> None:
        """Alive, and not ready any more."""
        self._readiness.stopping()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def report(self) -> tuple[bool, Mapping[str, object]]:
        """Whether all is well; per connection and stream the state and the seconds since it last ended well;
        per connection the outputs its CRM cannot carry at the moment, which stop nothing else."""
        connections: dict[str, dict[str, object]] = {}
        for loop in self._loops:
            since = None if loop.last_success is None else round(self._clock() - loop.last_success, 1)
            connections.setdefault(loop.portal.name, {})[loop.stream] = {
                "state": loop.state.value,
                "last_success_age_seconds": since,
                "failures": loop.failures,
            }
        broken = self._broken()
        for name in broken:
            connections[name] = {"connection": {"state": State.HALTED.value}}
        well = not broken and all(loop.state in HEALTHY for loop in self._loops)
        lost = {loop.portal.name: sorted(loop.portal.wired.crm.disabled) for loop in self._loops}
        said: dict[str, object] = {"status": "ok" if well else "unhealthy", "connections": connections}
        if disabled := {name: fields for name, fields in lost.items() if fields}:
            said["disabled_outputs"] = disabled
        return well, said

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        asked = {"/healthz": self.report, "/readyz": self._readiness.report}

        class Handler(BaseHTTPRequestHandler):
            server_version, sys_version = "icp-sync", ""
            timeout = IDLE_SECONDS

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                if path in asked:
                    well, said = asked[path]()
                    status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
                    self._answer(status, JSON, json.dumps(said).encode())
                elif path == "/metrics":
                    self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(registry))
                else:
                    self._answer(HTTPStatus.NOT_FOUND, JSON, b'{"status": "not found"}')

            do_HEAD = do_GET

            def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """A probe every few seconds is not worth a line."""

        return Handler


def _hint(error: Exception) -> str:
    if isinstance(error, socket.gaierror) or getattr(error, "errno", 0) == errno.EADDRNOTAVAIL:
        return "name an address of this machine as host under [health]"
    return "name a free port under [health], or port = 0 for none"


class _Server(ThreadingHTTPServer):
    """host: of IPv4 or IPv6; "::" listens on both."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def handle_error(self, *_: Any) -> None:
        """A client that went away in the middle is its own business."""
