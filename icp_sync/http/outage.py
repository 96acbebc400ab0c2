"""What went wrong on the way to a server, in words: for people who never read a Python exception.

Knows no vendor; whether a call is sent again is the transport's business.
"""

from __future__ import annotations

import socket
import ssl
import traceback
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from icp_sync.http.wire import TooLargeError
from icp_sync.observe import redact


def place(url: str) -> str:
    """Scheme, host and port of an address: no user, no path, nothing a credential could stand in."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "that address"
    host = parts.netloc.rpartition("@")[2]
    return redact(f"{parts.scheme}://{host}")[:200] if parts.scheme and host else "that address"


def plainly(error: requests.RequestException) -> str:
    """The reason in a few words: "connection refused", "no host of this name is known"."""
    chain = list(_chain(error))
    for one in chain:
        if isinstance(one, ssl.SSLCertVerificationError):
            why = getattr(one, "verify_message", "")  # the ssl module sets it where OpenSSL said so
            return redact(f"its TLS certificate is not accepted{f': {why}' if why else ''}")[:200]
    for kind, said in _WORDS:
        if any(isinstance(one, kind) for one in chain):
            return said
    system = next((one.strerror for one in chain if type(one) is OSError and one.strerror), "")
    return system[:1].lower() + system[1:] or "the connection failed"


def shaking_hands(error: BaseException) -> bool:
    """Whether TLS failed before any request could be sent: its certificate, or in the handshake. What breaks
    later (an alert, a damaged record) has the same type, and may have been acted upon."""
    return any(
        isinstance(one, ssl.SSLCertVerificationError | ssl.CertificateError) or _passed(one, "do_handshake")
        for one in _chain(error)
    )


def _passed(error: BaseException, function: str) -> bool:
    """Whether it was raised inside a function of this name."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_code.co_name == function for frame, _ in frames)


_TLS = (ssl.SSLError, urllib3.exceptions.SSLError, requests.exceptions.SSLError)
_WORDS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (requests.exceptions.ProxyError, "the proxy does not let us through"),
    ((socket.gaierror, urllib3.exceptions.NameResolutionError), "no host of this name is known (DNS)"),
    (_TLS, "no TLS connection could be made"),
    (ConnectionRefusedError, "connection refused"),
    (requests.exceptions.ConnectTimeout, "no connection in time"),
    (requests.exceptions.Timeout, "no reply in time"),
    (ConnectionResetError, "it cut the connection"),
    (urllib3.exceptions.ProtocolError, "the connection broke off"),
    (TooLargeError, "the reply is larger than any that was asked for"),
    (requests.exceptions.ContentDecodingError, "the reply cannot be unpacked"),
    (ValueError, "it is no web address"),  # how requests says so
)
"""First that fits; a cause deep inside names more than what wraps it."""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all it was made from, each once."""
    waiting: list[object] = [error]
    met: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in met:
            continue
        met.add(id(one))
        yield one
        waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
