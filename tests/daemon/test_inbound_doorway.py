"""Callers that are slow, loud, many or wrong: each is answered or let go, and none keeps the others out."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from icp_sync.daemon import doorway
from icp_sync.daemon.doorway import Answer, Call, Doorway, RefusedError

GOOD = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture
def door() -> Iterator[Doorway]:
    """It says how long the body is; /shut refuses before the body is read."""

    def answer(call: Call) -> Answer:
        if call.target == "/shut":
            raise RefusedError(401, "not accepted")
        return Answer(status=202, said={"length": len(call.body())})

    made = Doorway("127.0.0.1", 0, answer, most=1_000)
    threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def line(door: Doorway) -> socket.socket:
    return socket.create_connection(door.server_address[:2], timeout=30)


def said(door: Doorway, request: bytes) -> bytes:
    """All that is answered; the connection must end by itself."""
    with line(door) as call:
        call.sendall(request)
        return heard(call)


def heard(call: socket.socket) -> bytes:
    found = b""
    try:
        while piece := call.recv(65_536):
            found += piece
    except ConnectionError:
        pass
    return found


def status(reply: bytes) -> int:
    return int(reply.split(b" ", 2)[1]) if reply.startswith(b"HTTP/1.1 ") else 0


def request(*headers: str, body: bytes = b"", path: str = "/x", method: str = "POST") -> bytes:
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: a", *headers, "", "")).encode() + body


def test_a_call_is_answered_and_the_connection_ends(door: Doorway) -> None:
    reply = said(door, GOOD + GOOD)
    assert status(reply) == 202
    assert reply.endswith(b'{"length": 2}')
    assert reply.count(b"HTTP/1.1") == 1
    assert b"Connection: close" in reply
    assert b"Server: icp-sync" in reply


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ((), 411),
        (("Transfer-Encoding: chunked",), 411),
        (("Content-Length: 2", "Transfer-Encoding: chunked"), 411),
        (("Content-Length: 2", "Content-Length: 2"), 400),
        (("Content-Length: +2",), 400),
        (("Content-Length: -2",), 400),
        (("Content-Length: two",), 400),
        (("Content-Length: 99999999999999999999",), 400),
        (("Content-Length: 1001",), 413),
        (("Content-Length: 2", "Content-Encoding: gzip"), 415),
        (("Content-Length: 2",), 202),
    ],
)
def test_a_body_without_an_honest_length_is_not_read(
    door: Doorway, headers: tuple[str, ...], code: int
) -> None:
    assert status(said(door, request(*headers, body=b"hi"))) == code


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"POST /x HTTP/9.9\r\n\r\n", 505),
        (b"BREW /x HTTP/1.1\r\n\r\n", 501),
        (b"POST /" + b"x" * 40_000 + b" HTTP/1.1\r\n\r\n", 431),
        (request("A: " + "x" * 40_000), 431),
        (request(*(f"A{n}: {'x' * 300}" for n in range(120))), 431),
        (request(*(f"A{n}: x" for n in range(120))), 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", 400),
    ],
)
def test_what_is_no_request_is_told_so_without_quoting_it(door: Doorway, sent: bytes, code: int) -> None:
    reply = said(door, sent)
    assert status(reply) == code
    for word in (b"nonsense", b"BREW", b"xxxx"):
        assert word not in reply
    assert status(said(door, GOOD)) == 202


def test_a_body_is_not_asked_for_before_its_sender_is_known(door: Doorway) -> None:
    wait = ("Content-Length: 2", "Expect: 100-continue")
    assert said(door, request(*wait, path="/shut")).startswith(b"HTTP/1.1 401")
    with line(door) as call:
        call.sendall(request(*wait))
        assert call.recv(100).startswith(b"HTTP/1.1 100 Continue")
        call.sendall(b"hi")
        assert status(heard(call)) == 202


def test_an_answer_reaches_somebody_who_is_still_sending(door: Doorway) -> None:
    assert status(said(door, request("Content-Length: 900000", body=b"x" * 900_000))) == 413
    assert status(said(door, request("Content-Length: 900", body=b"x" * 900, path="/shut"))) == 401


def test_a_call_that_takes_too_long_is_let_go(door: Doorway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that drip in do not prolong it."""
    monkeypatch.setattr(doorway, "SECONDS", 0.3)
    for start in (b"", b"POST /x HT", request("A: b")[:-2], request("Content-Length: 900")):
        with line(door) as call:
            call.sendall(start)
            assert status(heard(call)) in (0, 408)
    with line(door) as call:
        ended = threading.Event()

        def drip() -> None:
            try:
                while not ended.wait(0.05):
                    call.sendall(b"A")
            except OSError:
                pass

        threading.Thread(target=drip, daemon=True).start()
        assert status(heard(call)) == 0
        ended.set()


def test_silent_connections_make_room_for_those_that_speak(
    door: Doorway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Far more than there are places for; everybody who says something is answered all the while."""
    with ExitStack() as stack:
        for n in range(5 * doorway.PLACES):
            stack.enter_context(line(door)).sendall(b"POST /x HTTP/1.1\r\nA: ")
            if n % 40 == 0:
                assert status(said(door, GOOD)) == 202
        assert status(said(door, GOOD)) == 202
        busy = [t for t in threading.enumerate() if "process_request_thread" in t.name]
        assert len(busy) <= doorway.PLACES + 1


def test_who_hangs_up_in_the_middle_is_not_missed(door: Doorway) -> None:
    for cut in range(0, len(GOOD), 7):
        with line(door) as call:
            call.sendall(GOOD[:cut])
    assert status(said(door, GOOD)) == 202
    assert status(said(door, request(method="HEAD"))) == 411
