"""The smallest steps of one exchange over `requests`: what goes into it, and what comes out raw.

Decides nothing: whether a reply is good, and whether a call is sent again, is the transport's business.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, BinaryIO

import requests
import urllib3.exceptions
from pydantic import SecretStr
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.utils import get_environ_proxies

from icp_sync.http.clock import http_date
from icp_sync.http.dialect import Endpoint
from icp_sync.lean_json import strict_loads
from icp_sync.observe import redact

LARGEST_REPLY = 64_000_000
"""Bytes of a reply kept in memory, unpacked. The largest we ask for, 2,000 records, has a tenth of it."""
LARGEST_FILE = 4_000_000_000
"""Bytes of a reply that goes into a file."""

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Where the environment names the certificates to trust, the first that says so."""

MULTI_STATUS = 207
_CHUNK = 1 << 16


class TooLargeError(requests.exceptions.ContentDecodingError):
    """The body is larger than any reply that was asked for."""


class Bounded(requests.Response):
    """A reply whose body is counted while it is unpacked; `most` bytes of it are taken."""

    most = LARGEST_REPLY

    def iter_content(self, chunk_size: int | None = 1, decode_unicode: bool = False) -> Iterator[Any]:
        read = 0
        for piece in super().iter_content(max(chunk_size or 0, _CHUNK), decode_unicode):
            read += len(piece)
            if read > self.most:
                self.close()
                raise TooLargeError("more than any reply that was asked for")
            yield piece


class _Adapter(HTTPAdapter):
    """Makes every reply a bounded one."""

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        bounded = Bounded()
        bounded.__dict__.update(super().build_response(req, resp).__dict__)
        return bounded


class Bearer(AuthBase):
    """Adds the token at the last moment; as an auth object it also keeps a .netrc from replacing it."""

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        return request


class NoAuth(AuthBase):
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def session(base_url: str, token: SecretStr | None, *, user_agent: str, connections: int) -> requests.Session:
    """A pool of connections to one place that keeps no cookies and repeats nothing by itself.

    What the environment says of proxies and certificates is looked up now, not before every call.
    """
    made = requests.Session()
    made.trust_env = False
    made.proxies = get_environ_proxies(base_url)
    made.verify = next(filter(None, map(os.environ.get, BUNDLES)), True)
    made.auth = Bearer(token) if token else NoAuth()
    made.headers["User-Agent"] = user_agent
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(pool_connections=4, pool_maxsize=max(16, connections), max_retries=0)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made


@dataclass(slots=True, kw_only=True)
class Call:
    """One call through all its attempts. `into`: where a long reply goes instead of into memory.

    kind: the content type such a reply must have; another one is a page that has nothing to do with it.
    renewed: whether a new token was got for it already.
    """

    method: str
    url: str
    endpoint: Endpoint
    params: Any = None
    body: bytes | BinaryIO | None = None
    headers: Mapping[str, str] | None = None
    into: BinaryIO | None = None
    kind: str = ""
    renewed: bool = False

    def rewind(self) -> None:
        """Before every attempt: a file is sent, and filled, from its beginning."""
        if self.body is not None and not isinstance(self.body, bytes):
            self.body.seek(0)
        if self.into is not None:
            self.into.seek(0)
            self.into.truncate()

    def wants(self, response: requests.Response) -> bool:
        """Whether this reply is the long one that was asked for."""
        if self.into is None or not 200 <= response.status_code < 300:
            return False
        return response.headers.get("Content-Type", "").lower().startswith(self.kind)


def pour(response: requests.Response, into: BinaryIO) -> None:
    """The whole body, in pieces. Raises a `requests` error when it is cut short, or has no end."""
    if isinstance(response, Bounded):
        response.most = LARGEST_FILE
    for piece in response.iter_content(_CHUNK):
        into.write(piece)
    into.flush()


def retry_after(text: str | None, now: float) -> float | None:
    """Seconds, from either form of the header (RFC 9110, section 10.2.3)."""
    if text is None:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        at = http_date(text)
        return None if at is None else max(0.0, at - now)


def parse(response: requests.Response, *, bodiless: bool = False) -> tuple[bool, Any]:
    """Whether the body is what it should be, and its JSON. Only a 204 or 205 may be empty, unless all may.

    An error that quotes our own request is parsed without its credentials. What Python takes for JSON and
    nobody else (NaN, Infinity), and what nests without end, is none.
    """
    if response.status_code in (204, 205) or (bodiless and not response.content.strip()):
        return True, None
    try:
        if 200 <= response.status_code < 300 and response.status_code != MULTI_STATUS:
            return True, strict_loads(response.content)
        text = response.content.decode("utf-8-sig", "replace")
        return True, strict_loads(redact(text))
    except (ValueError, RecursionError):
        return False, None


def never_sent(error: requests.RequestException) -> bool:
    """Whether the request certainly did not reach the other side."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", None)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)
