"""A manifest's requests over the wire, each once: whoever reserved the credits decides about a second time.

A reply of any status is a `Said`. What never became a reply is `Unanswered`: not sent, refused by our own
rate limit, or sent and lost, which may have been paid.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from icp_sync.enrichers.manifest.conversation import Unanswered
from icp_sync.enrichers.manifest.hearing import Hearing
from icp_sync.enrichers.manifest.logins import ClientCredentials, Credentials, LoginError
from icp_sync.enrichers.manifest.outcomes import Said
from icp_sync.enrichers.manifest.schema import Call
from icp_sync.enrichers.manifest.setup import Setup
from icp_sync.enrichers.manifest.words import ClimbingError, filled, path, sendable, text
from icp_sync.errors import AuthError, IcpSyncError, RequestError, UnavailableError
from icp_sync.http import Endpoint, Transport, UncertainError, http_date
from icp_sync.ports import Unavailable
from icp_sync.quota import Quota, Rate

LONGEST_WAIT = 75.0
"""Seconds a request waits for its slot: a minute's window. What is further away comes back later."""
MOST_KEPT = 20
"""Replies that serve everybody, kept at a time; the oldest goes first."""
_FORM = "application/x-www-form-urlencoded"


class Caller:
    """Sends for one enricher, from several threads; all its hosts share one limit.

    clock: UTC epoch seconds, for Retry-After as a date.
    """

    def __init__(self, setup: Setup, clock: Callable[[], float]) -> None:
        self._setup, self._clock = setup, clock
        self._credentials = Credentials(setup)
        self._hearing = Hearing()
        rates = {f"rate_{n}": Rate(rate.calls, rate.seconds) for n, rate in enumerate(setup.manifest.rate, 1)}
        longest = max((rate.seconds for rate in setup.manifest.rate), default=0.0)
        self._quota = Quota(rates, connection=setup.name, patience=min(LONGEST_WAIT, longest + 5.0))
        self._free = setup.manifest.repeats_free or setup.manifest.charge.on == "free"
        self._endpoint = Endpoint(name="lookup", buckets=tuple(rates), idempotent=False)
        self._made, self._lock = threading.Lock(), threading.Lock()
        self._transports: dict[str, Transport] = {}
        self._tokens = self._logged_in()
        self._kept: dict[str, tuple[float, Said]] = {}

    def __repr__(self) -> str:
        return f"Caller({self._setup.name!r})"

    def ask(
        self, call: Call, words: Mapping[str, Any], keep: float | None = None, each: Sequence[Any] = ()
    ) -> Said:
        """The reply to one request. Raises `Unanswered`.

        keep: seconds for which the reply serves every later request that is the same. each: the words of
        several requests in one.
        """
        try:
            where = path(call.path, words)
            query = _texts({**(filled(call.query, words, each) or {}), **self._credentials.query()})
            body, headers = self._body(call, words, each)
            sendable(headers)
        except ClimbingError as error:
            raise Unanswered(self._unavailable("bad_input", error)) from error
        except UnicodeError as error:
            what = ValueError("not asked, it holds letters that cannot be sent")
            raise Unanswered(self._unavailable("bad_input", what)) from error
        if keep is None:
            return self._sent(call, where, query, body, headers)
        key = json.dumps([call.base_url, where, filled(call.query, words, each), body and body.decode()])
        with self._lock:  # the second who asks waits for the first
            until, said = self._kept.get(key, (0.0, None))
            if said is None or until <= time.monotonic():
                said = self._sent(call, where, query, body, headers)
                if said.good and said.readable:
                    while len(self._kept) >= MOST_KEPT:
                        self._kept.pop(next(iter(self._kept)))
                    self._kept[key] = (time.monotonic() + keep, said)
            return said

    def _body(
        self, call: Call, words: Mapping[str, Any], each: Sequence[Any]
    ) -> tuple[bytes | None, dict[str, str]]:
        headers = {name: self._credentials.filled(value, words) for name, value in call.headers.items()}
        headers |= self._credentials.headers()
        headers.setdefault("Accept", "application/json")
        if call.json_ is not None:
            headers.setdefault("Content-Type", "application/json")
            return json.dumps(filled(call.json_, words, each)).encode(), headers
        if call.form:
            headers.setdefault("Content-Type", _FORM)
            return urlencode(filled(call.form, words, each), doseq=True).encode(), headers
        return None, headers

    def _sent(
        self,
        call: Call,
        where: str,
        query: list[tuple[str, str]],
        body: bytes | None,
        headers: dict[str, str],
    ) -> Said:
        self._hearing.begin()
        try:
            transport = self._transport(call.base_url or self._setup.manifest.base_url)
            reply = transport.send(
                call.method,
                where,
                endpoint=self._endpoint,
                params=query,
                body=body,
                headers=headers,
            )
        except RequestError as error:
            return self._said(error.status, error.body, readable=error.body is not None)
        except UncertainError as error:
            if error.status:
                return self._said(error.status, None, readable=False, retry_after=error.retry_after)
            kind = "error" if self._free else "unknown"
            raise Unanswered(self._unavailable(kind, error)) from error
        except LoginError as error:
            raise Unanswered(self._unavailable("not_entitled", error)) from error
        except AuthError:
            return self._said(401, None)
        except UnavailableError as error:
            if self._hearing.refusal is not None:
                return self._said(429, self._hearing.refusal[0])
            kind = "error" if error.retry_after is None else "throttled"
            raise Unanswered(self._unavailable(kind, error, error.retry_after)) from error
        except (IcpSyncError, OSError) as error:  # OSError: no file of certificates where one was named
            raise Unanswered(self._unavailable("error", error)) from error
        return self._said(reply.status, reply.data)

    def _said(
        self, status: int, body: Any, *, readable: bool = True, retry_after: float | None = None
    ) -> Said:
        headers = self._hearing.headers
        wait = retry_after if retry_after is not None else _seconds(headers.get("retry-after"), self._clock())
        return Said(status=status, headers=headers, body=body, readable=readable, retry_after=wait)

    def _unavailable(self, kind: str, error: Exception, retry_after: float | None = None) -> Unavailable:
        return Unavailable(kind=kind, message=f"{self._setup.name}: {error}"[:400], retry_after=retry_after)

    def _transport(self, base_url: str) -> Transport:
        address = self._setup.base_url or base_url
        with self._made:
            if address not in self._transports:
                self._transports[address] = Transport(
                    address,
                    tokens=self._tokens,
                    name=self._setup.name,
                    quota=self._quota,
                    dialect=self._hearing,
                    tries=1,
                    connections=self._setup.manifest.parallel,
                )
            return self._transports[address]

    def _logged_in(self) -> ClientCredentials | None:
        """Where the token comes from, for vendors that want a login; one costs nothing, so it is tried
        twice."""
        rule = next((auth.oauth for auth in self._setup.manifest.auth if auth.oauth), None)
        if rule is None:
            return None
        parts = urlsplit(rule.token_url)
        login = Transport(
            self._setup.base_url or f"{parts.scheme}://{parts.netloc}",
            name=self._setup.name,
            dialect=Hearing(),
            tries=2,
        )
        return ClientCredentials(rule, self._setup, login, parts.path or "/")


def _texts(query: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The parameters as they stand in an address, in their order; one with several values comes as often."""
    pairs = [
        (k, one) for k, value in query.items() for one in (value if isinstance(value, list) else [value])
    ]
    return [(name, text("{it}", {"it": value})) for name, value in pairs]


def _seconds(header: str | None, now: float) -> float | None:
    """Seconds of a Retry-After, in either form (RFC 9110, section 10.2.3)."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        at = http_date(header)
        return None if at is None else max(0.0, at - now)
    return seconds if 0 <= seconds < float("inf") else None
