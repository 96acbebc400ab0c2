"""HTTP as such: connections, requests, answers, and answers that go wrong. It knows no API.

One thread per connection, HTTP/1.1 keep-alive, Nagle's algorithm off: with it on, every answer of a small
server waits 40 ms for the client's acknowledgement.
"""

from __future__ import annotations

import json
import os
import re
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

MAX_BODY = 32 * 1024 * 1024
_LONGEST_LINE = 1024
_HEX = re.compile(rb"[0-9A-Fa-f]{1,8}")
_REASONS = {status.value: status.phrase for status in HTTPStatus} | {423: "Locked", 477: "Migration"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it came in. `segments`: the path's parts, decoded, a trailing slash ignored."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Message
    body: bytes

    @property
    def segments(self) -> tuple[str, ...]:
        return tuple(unquote(part) for part in self.path.split("/") if part)

    def all(self, name: str) -> list[str]:
        """Every value of a query parameter, repeated or as a comma list."""
        return [part for key, value in self.query if key == name for part in value.split(",") if part]

    def one(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.query if key == name), default)


@dataclass(slots=True, kw_only=True)
class Reply:
    """One answer. `body` is JSON unless it is bytes; None is no body.

    wire: "" | "reset" | "close" | "truncated" | "gzip_garbage" | "drip": how it goes wrong on its way.
    delay: seconds to wait before it is sent; `spread`: seconds a drip takes.
    """

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    wire: str = ""
    delay: float = 0.0
    spread: float = 1.0

    def payload(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        text = json.dumps(self.body, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", errors="replace")


Application = Callable[[Request], Reply]


class Handler(BaseHTTPRequestHandler):
    """Reads a request, asks the application, writes the answer in one piece."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        super().finish()

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            return
        target = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=target.path,
            query=tuple(parse_qsl(target.query, keep_blank_values=True)),
            headers=self.headers,
            body=body,
        )
        reply = self.server.application(request)
        if reply.delay:
            self.server.stopping.wait(reply.delay)
        self._send(reply)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve

    def _body(self) -> bytes | None:
        """The request's body; None when it cannot be read, which was then answered."""
        length = self.headers.get("Content-Length") or "0"
        if self.server.chunked and "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            body = self._chunks()
        elif "Transfer-Encoding" in self.headers or not length.isdigit() or int(length) > self.server.longest:
            body = None
        else:
            return self.rfile.read(int(length)) if length != "0" else b""
        if body is None:
            self.close_connection = True
            self._send(Reply(status=411, body={"status": "error", "message": "Content-Length required"}))
        return body

    def _chunks(self) -> bytes | None:
        """A body in chunks (RFC 9112, 7.1), trailers left aside; None when it is malformed or too long."""
        found = bytearray()
        while True:
            line = self.rfile.readline(_LONGEST_LINE).split(b";")[0].strip()
            if not _HEX.fullmatch(line):
                return None
            size = int(line, 16)
            if size == 0:
                break
            if len(found) + size > self.server.longest:
                return None
            found += self.rfile.read(size)
            if self.rfile.read(2) != b"\r\n":
                return None
        while self.rfile.readline(_LONGEST_LINE).strip():
            pass
        return bytes(found)

    def _send(self, reply: Reply) -> None:
        if reply.wire in ("reset", "close"):
            self._cut(reset=reply.wire == "reset")
            return
        payload = reply.payload()
        if reply.wire == "gzip_garbage":
            payload = b"\x1f\x8b\x08\x00" + payload[::-1]
            reply.headers["Content-Encoding"] = "gzip"
        head = self._head(reply, len(payload))
        if reply.wire == "truncated":
            self.wfile.write(head + payload[: max(1, len(payload) // 2)])
            self._cut(reset=False)
        elif reply.wire == "drip":
            self._drip(head + payload, reply.spread)
        else:
            self.wfile.write(head + payload)

    def _head(self, reply: Reply, length: int) -> bytes:
        lines = [f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Unknown')}"]
        headers: Mapping[str, str] = reply.headers
        if reply.body is not None and "Content-Type" not in headers:
            lines.append("Content-Type: application/json;charset=utf-8")
        if reply.status != 204:
            lines.append(f"Content-Length: {length}")
        lines.extend(f"{name}: {value}" for name, value in headers.items())
        if self.close_connection:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", errors="replace")

    def _drip(self, data: bytes, spread: float) -> None:
        step = max(1, len(data) // 20)
        for start in range(0, len(data), step):
            self.wfile.write(data[start : start + step])
            time.sleep(spread / 20)

    def _cut(self, *, reset: bool) -> None:
        self.close_connection = True
        self.server.cut(self.connection, reset=reset)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing; the application keeps its own request log."""


class Listener(ThreadingHTTPServer):
    """The listening socket and its open connections.

    longest: bytes of a body; chunked: whether bodies may come in chunks.
    """

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(
        self,
        host: str,
        port: int,
        application: Application,
        *,
        longest: int = MAX_BODY,
        chunked: bool = False,
    ) -> None:
        self.application = application
        self.longest = longest
        self.chunked = chunked
        self.stopping = threading.Event()
        self.accepted = 0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((host, port), Handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def server_bind(self) -> None:
        """Bind without the reverse look-up of the host name the standard server makes."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self.accepted += 1
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)

    def cut(self, connection: socket.socket, *, reset: bool) -> None:
        """End a connection at once; with `reset` the peer sees ECONNRESET instead of an end of file."""
        try:
            if reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                os.close(connection.detach())
            else:
                connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the peer was faster

    def end(self) -> None:
        """Stop listening and cut every connection."""
        self.stopping.set()
        ending = threading.Thread(target=self.shutdown, daemon=True)
        ending.start()
        self._wake()
        ending.join()
        self.server_close()
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            self.cut(connection, reset=False)

    def _wake(self) -> None:
        """Connect once, so that the accepting loop looks up at once instead of at its next poll."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
        except OSError:
            return  # it has looked up by itself

    def handle_error(self, request: object, client_address: object) -> None:
        """A peer that went away is no news."""
