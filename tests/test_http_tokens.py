"""The transport with tokens that come and go, and with replies too long for memory."""

from __future__ import annotations

import io
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
import responses
from pydantic import SecretStr

from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.http import Dialect, Endpoint, Throttle, Token, Transport, UncertainError
from icp_sync.quota import Quota, Rate

URL = "https://api.example.com"
READ = Endpoint(name="read", buckets=("daily",), idempotent=True)
WRITE = Endpoint(name="write", buckets=("daily",))


class Counted:
    """Tokens numbered from 1; `refuse` ends the supply."""

    def __init__(self, *, refuse: bool = False) -> None:
        self.generation = 1
        self.renewals = 0
        self._refuse = refuse
        self._lock = threading.Lock()

    def token(self) -> Token:
        return Token(text=SecretStr(f"token-{self.generation}"), generation=self.generation)

    def renew(self, generation: int) -> None:
        with self._lock:
            if self._refuse:
                raise AuthError("the login is refused")
            if generation == self.generation:
                self.generation += 1
                self.renewals += 1


def transport(tokens: Counted, base: str = URL, **how: Any) -> Transport:
    return Transport(base, tokens=tokens, sleep=lambda _: False, **how)


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def test_a_refused_token_is_renewed_and_the_call_sent_again_as_it_was(server: responses.RequestsMock) -> None:
    server.add("PATCH", f"{URL}/x", status=401, json=[{"errorCode": "INVALID_SESSION_ID"}])
    server.add("PATCH", f"{URL}/x", json={"ok": True})
    tokens = Counted()
    sent = {"Sforce-Auto-Assign": "FALSE", "If-Unmodified-Since": "Sun, 22 Nov 2026 10:00:00 GMT"}
    reply = transport(tokens).send("PATCH", "/x", endpoint=WRITE, json={"a": 1}, headers=sent)
    assert reply.data == {"ok": True}
    first, second = (call.request for call in server.calls)
    assert (first.headers["Authorization"], second.headers["Authorization"]) == (
        "Bearer token-1",
        "Bearer token-2",
    )
    assert {**first.headers, "Authorization": ""} == {**second.headers, "Authorization": ""}
    assert first.body == second.body == b'{"a":1}'
    assert sent.items() <= dict(second.headers).items()


def test_a_new_token_that_is_refused_too_ends_the_call(server: responses.RequestsMock) -> None:
    server.add("GET", f"{URL}/x", status=401, body="")
    tokens = Counted()
    with pytest.raises(AuthError):
        transport(tokens).send("GET", "/x", endpoint=READ)
    assert (len(server.calls), tokens.renewals) == (2, 1)


def test_a_call_renews_once_however_often_it_is_tried(server: responses.RequestsMock) -> None:
    for reply in ({"status": 401}, {"status": 503}, {"status": 401}):
        server.add("GET", f"{URL}/x", **reply)
    tokens = Counted()
    with pytest.raises(AuthError):
        transport(tokens).send("GET", "/x", endpoint=READ)
    assert (len(server.calls), tokens.renewals) == (3, 1)


def test_a_login_that_is_refused_is_the_calls_error(server: responses.RequestsMock) -> None:
    server.add("GET", f"{URL}/x", status=401)
    with pytest.raises(AuthError, match="login is refused"):
        transport(Counted(refuse=True)).send("GET", "/x", endpoint=READ)
    assert len(server.calls) == 1


def test_a_write_whose_token_was_renewed_and_whose_reply_was_lost_is_uncertain(
    server: responses.RequestsMock,
) -> None:
    server.add("POST", f"{URL}/x", status=401)
    server.add("POST", f"{URL}/x", body=requests.exceptions.ReadTimeout("slow"))
    with pytest.raises(UncertainError):
        transport(Counted()).send("POST", "/x", endpoint=WRITE)
    assert len(server.calls) == 2


def test_a_dialect_says_what_a_stale_token_looks_like(server: responses.RequestsMock) -> None:
    class Forbidding(Dialect):
        def stale(self, status: int, text: str) -> bool:
            return status == 403 and "Bad_OAuth_Token" in text

    server.add("GET", f"{URL}/x", status=403, body="Bad_OAuth_Token")
    server.add("GET", f"{URL}/x", json={})
    tokens = Counted()
    assert transport(tokens, dialect=Forbidding()).send("GET", "/x", endpoint=READ).data == {}
    assert tokens.renewals == 1


def test_a_403_may_be_a_limit_that_stops_everything(server: responses.RequestsMock) -> None:
    class Limited(Dialect):
        def forbidden(self, endpoint: Endpoint, body: object) -> Exception | Throttle:
            return Throttle(seconds=300, reason="used up", everything=True)

    quota = Quota({"daily": Rate(100, 86_400.0)}, sleep=lambda _: False)
    server.add("GET", f"{URL}/x", status=403, json=[])
    limited = transport(Counted(), dialect=Limited(), quota=quota)
    with pytest.raises(UnavailableError, match="used up") as raised:
        limited.send("GET", "/x", endpoint=READ)
    assert raised.value.retry_after == 300
    with pytest.raises(UnavailableError):
        limited.send("GET", "/x", endpoint=READ)
    assert len(server.calls) == 1


def test_a_limit_nobody_counts_is_waited_for_by_the_call(server: responses.RequestsMock) -> None:
    waits: list[float] = []
    server.add("GET", f"{URL}/x", status=429, headers={"Retry-After": "7"})
    server.add("GET", f"{URL}/x", json={})
    Transport(URL, sleep=lambda seconds: bool(waits.append(seconds))).send("GET", "/x", endpoint=READ)
    assert waits == [7.0]


def test_an_answer_without_a_body_is_good_where_none_is_due(server: responses.RequestsMock) -> None:
    server.add("PUT", f"{URL}/x", status=201, body="")
    bodiless = Endpoint(name="upload", bodiless=True)
    assert transport(Counted()).send("PUT", "/x", endpoint=bodiless, body=b"a").data is None
    with pytest.raises(UncertainError):
        transport(Counted()).send("PUT", "/x", endpoint=WRITE, body=b"a")


# Long replies and long bodies, over a real socket


class Counter(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = 0
        self.uploaded: list[bytes] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Counter

    def do_GET(self) -> None:
        self.server.asked += 1
        whole = self.path == "/whole" or self.server.asked > 1
        body = b"Id,Name\n" + b"001,Acme\n" * 200_000
        html = self.path == "/html"
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if html else "text/csv; charset=UTF-8")
        self.send_header("Sforce-NumberOfRecords", "200000")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if whole else body[:100_000])
        self.close_connection = not whole

    def do_PUT(self) -> None:
        self.server.asked += 1
        self.server.uploaded.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(401 if self.server.asked == 1 else 201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@pytest.fixture
def real() -> Iterator[Counter]:
    with Counter() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def at(server: Counter) -> Transport:
    return transport(Counted(), f"http://127.0.0.1:{server.server_port}", tries=3)


def test_a_long_reply_goes_into_a_file_and_its_headers_come_back(real: Counter) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"left over from before, and longer than nothing")
        reply = at(real).download("/whole", endpoint=READ, into=file, kind="text/csv")
        file.seek(0)
        content = file.read()
    assert (reply.data, reply.headers["sforce-numberofrecords"]) == (None, "200000")
    assert content == b"Id,Name\n" + b"001,Acme\n" * 200_000


def test_a_long_reply_that_is_cut_short_is_asked_for_again_from_its_beginning(real: Counter) -> None:
    with tempfile.TemporaryFile() as file:
        at(real).download("/cut", endpoint=READ, into=file, kind="text/csv")
        assert file.tell() == len(b"Id,Name\n" + b"001,Acme\n" * 200_000)
    assert real.asked == 2


def test_a_long_reply_that_is_always_something_else_is_unavailable(real: Counter) -> None:
    with tempfile.TemporaryFile() as file:
        with pytest.raises(UnavailableError, match="not text/csv"):
            at(real).download("/html", endpoint=READ, into=file, kind="text/csv")
        assert file.tell() == 0
    assert real.asked == 3


def test_a_refused_download_is_its_refusal(server: responses.RequestsMock) -> None:
    server.add("GET", f"{URL}/x", status=404, json=[{"message": "gone"}])
    with pytest.raises(RequestError) as raised:
        transport(Counted()).download("/x", endpoint=READ, into=io.BytesIO(), kind="text/csv")
    assert (raised.value.status, raised.value.body) == (404, [{"message": "gone"}])


def test_an_upload_is_sent_again_from_its_beginning_with_the_new_token(real: Counter) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"Id\n001\n")
        upload = Endpoint(name="upload", bodiless=True)
        assert at(real).send("PUT", "/x", endpoint=upload, body=file).status == 201
    assert real.uploaded == [b"Id\n001\n"] * 2
