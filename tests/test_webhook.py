"""A message to a webhook whose other side is slow, endless or of many words: it ends, and says how."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from pydantic import SecretStr

from icp_sync.http import Webhook, webhook

PATH = "/services/very-secret"


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[Webhook]:
    """One who answers every message so."""
    door = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                line, _ = door.accept()
            except OSError:
                return
            with line:
                try:
                    line.recv(65_536)
                    answer(line)
                except OSError:
                    continue

    threading.Thread(target=serve, daemon=True).start()
    url = f"http://127.0.0.1:{door.getsockname()[1]}{PATH}"
    try:
        yield Webhook(SecretStr(url), name="main", clock=time.time)
    finally:
        door.close()


def drips(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(60):
        line.sendall(b"x")
        time.sleep(0.05)


def test_a_receiver_whose_answer_drips_in_does_not_hold_us_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "DEADLINE", 0.3)
    with listening(drips) as post:
        delivery = post.post(b"{}", "key")
    assert delivery.down
    assert "no whole answer from http://127.0.0.1:" in delivery.why
    assert "secret" not in delivery.why


@pytest.mark.parametrize("asked", ["999999999999", "inf", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_nobody_is_left_alone_for_more_than_a_day(asked: str) -> None:
    said = f"HTTP/1.1 429 Too Many\r\nRetry-After: {asked}\r\nContent-Length: 0\r\n\r\n".encode()
    with listening(lambda line: line.sendall(said)) as post:
        delivery = post.post(b"{}", "key")
        assert (delivery.retry_after, delivery.down, post.rests) == (86_400.0, True, True)


@pytest.mark.parametrize(("status", "down"), [(400, False), (413, False), (404, True), (403, True)])
def test_what_is_wrong_with_one_message_says_nothing_of_the_next(status: int, down: bool) -> None:
    said = f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()
    with listening(lambda line: line.sendall(said)) as post:
        assert post.post(b"{}", "key").down is down
