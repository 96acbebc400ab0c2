"""One visit to a website somebody else named: only public addresses, bounded in size, time and hops.

Keep apart from `transport`: this one carries no credential, follows redirects by hand, uses no proxy and no
pool, and connects to the very address it has checked, so that a name cannot mean another place a moment
later (DNS rebinding). Knows nothing of what a page is read for.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urljoin

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from icp_sync.errors import UnavailableError
from icp_sync.http.addresses import ForbiddenAddressError, Target, target, unvisitable
from icp_sync.http.wire import BUNDLES

USER_AGENT = "icp-sync"
REDIRECTS = (301, 302, 303, 307, 308)
_CHUNK = 1 << 14
_TRIED = 3  # addresses of one name
_ASKED = {
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.1",
    "Accept-Encoding": "gzip",
    "Connection": "close",
}

Resolve = Callable[[str, int], Sequence[str]]
"""Host name and port → its IP addresses. Raises OSError where there are none."""
Dial = Callable[[str, int, float], socket.socket]
"""IP address, port, seconds → a connection. Raises OSError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """size: bytes, packed and unpacked alike. seconds: for the whole visit, all hops together, beside the
    system's own patience in looking up a name. hops: redirects that are followed; with 0 the redirect itself
    is what is found. kinds: content types a body is read of."""

    size: int = 2_000_000
    seconds: float = 15.0
    hops: int = 3
    kinds: tuple[str, ...] = ("text/html", "application/xhtml+xml", "text/plain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What stood at the end. url: where that was. kind: content type in lower case, without parameters.
    headers: by name in lower case; of one that came several times each value is a line. body: as bytes,
    unpacked. cut: there was more than the limit, or than arrived; it was left."""

    url: str
    status: int
    kind: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    cut: bool = False


def fetch(
    url: str,
    *,
    limits: Limits = Limits(),
    agent: str = USER_AGENT,
    resolve: Resolve | None = None,
    dial: Dial | None = None,
    trust: ssl.SSLContext | None = None,
) -> Fetched:
    """Visit an address that comes from CRM data, with GET, and what it redirects to.

    Replies of any status count as an answer. Raises ForbiddenAddressError for what must not or cannot be
    read (not public, too many redirects, another content type), UnavailableError when nobody answers.
    agent: who we say we are, in printable ASCII. resolve, dial, trust: how names are looked up, connections
    made and certificates judged; by default as the system and REQUESTS_CA_BUNDLE say.
    """
    ends = time.monotonic() + limits.seconds
    here = target(url)
    for _ in range(limits.hops + 1):
        addresses = _checked(here, resolve or _looked_up)
        with _open(here, addresses, ends, dial or _dialled, trust, agent) as reply:
            to = reply.getheader("Location") if reply.status in REDIRECTS else None
            if to is None or not limits.hops:
                return _read(here, reply, limits, moved=to is not None)
        try:
            here = target(urljoin(here.url, to))
        except ValueError:
            raise ForbiddenAddressError("it redirects to what is no web address") from None
    raise ForbiddenAddressError(f"it redirects more than {limits.hops} times")


def _looked_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _dialled(address: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((address, port), timeout=seconds)


def _checked(here: Target, resolve: Resolve) -> Sequence[str]:
    """The addresses of a host, every one of them public: one that is not spoils the name."""
    try:
        addresses = resolve(here.host, here.port)
    except (OSError, UnicodeError):
        raise UnavailableError("no host of this name is known (DNS)") from None
    if not addresses:
        raise UnavailableError("no host of this name is known (DNS)")
    for address in addresses:
        if why := unvisitable(address):
            raise ForbiddenAddressError(f"an address of its host {why}")
    return addresses[:_TRIED]


@contextmanager
def _open(
    here: Target,
    addresses: Sequence[str],
    ends: float,
    dial: Dial,
    trust: ssl.SSLContext | None,
    agent: str,
) -> Iterator[http.client.HTTPResponse]:
    """Ask, and hand out the reply before its body; whatever goes wrong until the end is UnavailableError.

    A watchdog ends the connection when the time is over: a timeout of the socket alone starts anew with
    every byte that drips in.
    """
    try:
        with _connected(here, addresses, ends, dial, trust) as line, _watched(line, ends):
            if isinstance(line, ssl.SSLSocket):
                line.do_handshake()
            asking = http.client.HTTPConnection(here.host, here.port)
            asking.sock = line
            host = here.url.split("/")[2]
            asking.request("GET", here.path, headers={"Host": host, "User-Agent": agent, **_ASKED})
            with asking.getresponse() as reply:
                _left(ends)  # what the watchdog cut looks like an end, of the headers or of the page
                yield reply
                _left(ends)
    except ssl.SSLCertVerificationError:
        raise UnavailableError("its TLS certificate is not accepted") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        over = time.monotonic() >= ends or isinstance(error, TimeoutError)
        raise UnavailableError("no whole reply in time" if over else "the connection broke off") from None


def _connected(
    here: Target, addresses: Sequence[str], ends: float, dial: Dial, trust: ssl.SSLContext | None
) -> socket.socket:
    """A connection to the first address that answers; on https its certificate must name the host."""
    for at, address in enumerate(addresses):
        try:
            raw = dial(address, here.port, _left(ends))
            break
        except OSError:
            if at == len(addresses) - 1:
                raise
    raw.settimeout(_left(ends))
    if here.scheme == "http":
        return raw
    try:
        context = trust or _trusted()
        return context.wrap_socket(raw, server_hostname=here.host, do_handshake_on_connect=False)
    except (OSError, ValueError):
        raw.close()
        raise


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


@cache
def _trusted() -> ssl.SSLContext:
    bundle = next(filter(None, map(os.environ.get, BUNDLES)), DEFAULT_CA_BUNDLE_PATH)
    if os.path.isdir(bundle):
        return ssl.create_default_context(capath=bundle)
    return ssl.create_default_context(cafile=bundle)


@contextmanager
def _watched(line: socket.socket, ends: float) -> Iterator[None]:
    def cut() -> None:
        with suppress(OSError):  # it has ended by itself
            socket.socket.shutdown(line, socket.SHUT_RDWR)  # beneath TLS, whose own state is the reader's

    watchdog = threading.Timer(_left(ends), cut)
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()


def _read(here: Target, reply: http.client.HTTPResponse, limits: Limits, *, moved: bool) -> Fetched:
    kind = (reply.getheader("Content-Type") or "").split(";")[0].strip().lower()
    headers: dict[str, str] = {}
    for name, value in reply.getheaders():
        before = headers.get(name.lower())
        headers[name.lower()] = value if before is None else f"{before}\n{value}"
    if moved:  # what browsers show of it is no page
        return Fetched(url=here.url, status=reply.status, kind=kind, headers=headers, body=b"")
    length = headers.get("content-length", "")
    if kind not in limits.kinds and length != "0" and reply.status != 204:
        raise ForbiddenAddressError("what stands there is no page, but of another content type")
    body, cut = _body(reply, limits.size)
    return Fetched(url=here.url, status=reply.status, kind=kind, headers=headers, body=body, cut=cut)


def _body(reply: http.client.HTTPResponse, size: int) -> tuple[bytes, bool]:
    """The body, unpacked while it is read, so that nothing can grow beyond the limit in memory."""
    encoding = (reply.getheader("Content-Encoding") or "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise ForbiddenAddressError("its body is packed in a way that was not asked for")
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if encoding != "identity" else None
    body, read = bytearray(), 0
    try:
        while read <= size and len(body) <= size:
            piece = reply.read(_CHUNK)
            if not piece:
                return bytes(body), bool(reply.length) or (unpack is not None and read > 0)
            read += len(piece)
            body += unpack.decompress(piece, size + 1 - len(body)) if unpack else piece
            if unpack is not None and unpack.eof:
                return bytes(body[:size]), len(body) > size
    except zlib.error:
        raise UnavailableError("its body cannot be unpacked") from None
    return bytes(body[:size]), True
