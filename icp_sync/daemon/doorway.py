"""A small HTTP server for calls from outside: whatever arrives, it stays within its bounds.

So many connections at a time, so many bytes of headers and body, so many seconds for a whole call. When all
places are taken, the one that has kept silent longest makes room, so that slow callers keep nobody out. What
a call means is another's business.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import socket
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PLACES = 64
SECONDS = 10.0
"""For a whole call, from its first byte to the answer."""
HEADERS = 32_768
"""Bytes of the request line and all headers."""
_MAKING_ROOM = 1.0
_LISTENING_OUT, _PIECES = 1.0, 32  # seconds of silence, and pieces of 64 KiB
JSON = "application/json; charset=utf-8"
_LENGTH = 12  # digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """said: plain JSON. retry_after: whole seconds, 0 where it says nothing."""

    status: int
    said: Mapping[str, object] = field(default_factory=dict)
    retry_after: int = 0


class RefusedError(Exception):
    """A call that ends here; the answer names nothing of what was sent."""

    def __init__(self, status: int, why: str, retry_after: int = 0) -> None:
        super().__init__(why)
        self.answer = Answer(status=status, said={"error": why}, retry_after=retry_after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """target: the path as it was called, with its query. headers: by name in lower case.

    body: reads it, once; raises RefusedError for one that has no length, is too long, or does not come.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: Callable[[], bytes] = field(repr=False)


class Doorway(ThreadingHTTPServer):
    """Answers on host:port in threads of its own. Raises OSError when it cannot listen there."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, answer: Callable[[Call], Answer], *, most: int) -> None:
        self.answer, self.most = answer, most
        self._places = threading.BoundedSemaphore(PLACES)
        self._silent: OrderedDict[int, socket.socket] = OrderedDict()
        self._lock = threading.Lock()
        super().__init__((host, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for it, once there is a place."""
        if not self._places.acquire(blocking=False):
            self._make_room()
            if not self._places.acquire(timeout=_MAKING_ROOM):
                self.shutdown_request(request)
                return
        with self._lock:
            self._silent[id(request)] = request
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        over = threading.Timer(SECONDS, _cut, (request,))
        over.daemon = True
        over.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            over.cancel()
            self.heard(request)
            self._places.release()

    def heard(self, request: Any) -> None:
        """It has shown who it is, and is not sent away any more."""
        with self._lock:
            self._silent.pop(id(request), None)

    def _make_room(self) -> None:
        with self._lock:
            _, oldest = self._silent.popitem(last=False) if self._silent else (0, None)
        if oldest is not None:
            _cut(oldest)

    def handle_error(self, *_: Any) -> None:
        """A caller that went away in the middle is its own business."""


def _cut(line: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it has ended by itself
        line.shutdown(socket.SHUT_RDWR)


class _Bounded(io.BufferedReader):
    """A request: as many bytes of headers as there may be, then an error that is answered with 431."""

    _left = HEADERS

    def readline(self, size: int | None = -1, /) -> bytes:
        most = self._left + 1
        line = super().readline(most if size is None or size < 0 else min(size, most))
        self._left -= len(line)
        if self._left < 0:
            raise http.client.LineTooLong("header")
        return line


class _Handler(BaseHTTPRequestHandler):
    server_version, sys_version = "icp-sync", ""
    protocol_version = request_version = "HTTP/1.1"
    command = requestline = ""  # until they are read
    timeout = SECONDS
    server: Doorway
    unread = True
    """Whether a body may still be on its way."""

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = _Bounded(self.connection.makefile("rb", 0))

    def finish(self) -> None:
        if self.unread:
            self._listen_out()
        super().finish()

    def handle_one_request(self) -> None:
        self.close_connection = True
        try:
            super().handle_one_request()
        except http.client.LineTooLong:
            self._say(Answer(status=HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE))
        self.close_connection = True

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = Call(method=self.command, target=self.path, headers=headers, body=self._body)
        try:
            answer = self.server.answer(call)
        except RefusedError as refused:
            answer = refused.answer
        self._say(answer)

    do_GET = do_HEAD = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_POST

    def handle_expect_100(self) -> bool:
        """Said before the body is read, and only to somebody whose body is wanted."""
        return True

    def _body(self) -> bytes:
        length = self._length()
        if length > self.server.most:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large")
        if self.headers.get("Expect", "").strip().lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            body = self.rfile.read(length)
        except OSError:
            body = b""
        self.unread = False
        if len(body) < length:
            raise RefusedError(HTTPStatus.REQUEST_TIMEOUT, "the body did not come whole in time")
        self.server.heard(self.request)
        return body

    def _length(self) -> int:
        given = self.headers.get_all("Content-Length") or []
        if self.headers.get_all("Transfer-Encoding") or not given:
            raise RefusedError(HTTPStatus.LENGTH_REQUIRED, "the body's length must be stated")
        text = given[0].strip()
        if len(given) > 1 or not (text.isascii() and text.isdigit() and len(text) <= _LENGTH):
            raise RefusedError(HTTPStatus.BAD_REQUEST, "the body's length is none")
        if self.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body must not be packed")
        return int(text)

    def _say(self, answer: Answer) -> None:
        body = json.dumps(dict(answer.said)).encode()
        self.request_version = self.protocol_version  # else 0.9, of what was no request
        self.send_response(answer.status)
        self.send_header("Content-Type", JSON)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        if answer.retry_after:
            self.send_header("Retry-After", str(answer.retry_after))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the library finds wrong with a request; it would quote it."""
        self._say(Answer(status=code, said={"error": http.client.responses.get(code, "refused").lower()}))

    def _listen_out(self) -> None:
        """Somebody who is still sending would not see the answer to a connection that is just closed."""
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_LISTENING_OUT)
            for _ in range(_PIECES):
                if not self.connection.recv(65_536):
                    break

    def log_message(self, *_: Any) -> None:
        """Who called is nobody's business; what came of it is counted."""
