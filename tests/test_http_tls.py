"""TLS that breaks: before the request was sent nothing happened; after it, nobody knows."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from icp_sync.errors import UnavailableError
from icp_sync.http import Endpoint, Transport, UncertainError
from tests.security.site import certified

ORDER = Endpoint(name="order")
ALERT = b"\x15\x03\x03\x00\x02\x02\x50"
"""A record no TLS 1.3 connection may carry in the clear."""
HALF = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"


@contextmanager
def breaking(tls: ssl.SSLContext, *, replied: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that reads a request, says so much, and then breaks the TLS of the connection."""
    read: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    line, _ = server.accept()
                    with suppress(ssl.SSLError):
                        secure = tls.wrap_socket(line, server_side=True)
                        read.append(secure.recv(65_536))
                        secure.sendall(replied)
                        plain = secure.detach()
                        os.write(plain, ALERT)
                        os.close(plain)

        threading.Thread(target=serve, daemon=True).start()
        yield f"https://localhost:{server.getsockname()[1]}", read


@pytest.mark.parametrize("replied", [b"", HALF], ids=["no reply", "half a reply"])
def test_what_breaks_after_the_request_was_read_is_of_unknown_fate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replied: bytes
) -> None:
    tls, _ = certified(tmp_path, "localhost")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "localhost.pem"))
    with breaking(tls, replied=replied) as (url, read), pytest.raises(UncertainError) as raised:
        Transport(url).send("POST", "/x", endpoint=ORDER, body=b"{}")
    assert len(read) == 1
    assert "no answer from" in str(raised.value)


def test_a_certificate_nobody_trusts_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    tls, _ = certified(tmp_path, "localhost")
    with breaking(tls, replied=b"") as (url, read), pytest.raises(UnavailableError) as raised:
        Transport(url).send("POST", "/x", endpoint=ORDER, body=b"{}")
    assert not read
    assert not isinstance(raised.value, UncertainError)
    assert "certificate" in str(raised.value)


def test_a_handshake_that_fails_was_before_the_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, _ = certified(tmp_path, "localhost")
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    tls.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")  # which this certificate cannot serve
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "localhost.pem"))
    with breaking(tls, replied=b"") as (url, read), pytest.raises(UnavailableError) as raised:
        Transport(url).send("POST", "/x", endpoint=ORDER, body=b"{}")
    assert not read
    assert not isinstance(raised.value, UncertainError)
    assert "no TLS connection could be made" in str(raised.value)
