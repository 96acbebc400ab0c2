"""What a call is and what a reply may mean: plain values, and the `Dialect` in which vendors differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from icp_sync.errors import AuthError, UnavailableError
from icp_sync.quota import Quota


class UncertainError(UnavailableError):
    """Sent, without a usable reply: the other side may or may not have done it. Only a read tells.

    status: of the reply that was of no use, 0 where none came.
    """

    def __init__(
        self, message: str, *, next_step: str = "", retry_after: float | None = None, status: int = 0
    ) -> None:
        super().__init__(message, next_step=next_step, retry_after=retry_after)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What kind of call it is. `name` is the metric's label, `buckets` the limits it counts against.

    idempotent: sending it twice is as good as once, so a lost reply may be answered by sending again.
    bodiless: an answer without a body is a good one, whatever its status in the 200s. unread: so is one with
    any body, which nobody reads.
    """

    name: str
    buckets: tuple[str, ...] = ()
    idempotent: bool = False
    bodiless: bool = False
    unread: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A reply in the 200s, `data` its parsed JSON (None for an empty body); other replies are raised."""

    status: int
    data: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """How long the other side wants to be left alone. `everything`: all buckets, and do not wait for it."""

    seconds: float
    reason: str
    everything: bool = False


class Dialect:
    """How a vendor words its refusals; this one is the plain HTTP reading."""

    def throttled(self, endpoint: Endpoint, body: object, retry_after: float | None) -> Throttle:
        """The meaning of a 429."""
        return Throttle(seconds=retry_after or 10.0, reason="too many requests")

    def stale(self, status: int, text: str) -> bool:
        """Whether a reply says that the token is not good any more, and another one may be. `text` is the
        beginning of its body."""
        return status == 401

    def credentials(self, name: str) -> str:
        """What to check when the credentials are not accepted. `name`: the connection's, "" if unknown."""
        if not name:
            return "check the access token"
        return f"check the token in ICP_SYNC_CONNECTIONS__{name.upper()}__TOKEN, or its secret file"

    def forbidden(self, endpoint: Endpoint, body: object) -> Exception | Throttle:
        """The meaning of a 403."""
        return AuthError(f"{endpoint.name}: the credentials do not allow this call (HTTP 403)")

    def message(self, body: object) -> str:
        """The one sentence of an error body that a person can use, "" where there is none."""
        if isinstance(body, dict):
            return str(body.get("message") or body.get("error") or "")
        return ""

    def observed(self, endpoint: Endpoint, headers: Mapping[str, str], quota: Quota) -> None:
        """What a reply's headers say about limits."""
