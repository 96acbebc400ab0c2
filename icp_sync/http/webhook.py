"""Messages to an address that an operator configured: one POST each, and nothing of the address in any log.

Whoever knows a webhook's address can post there, so it is a secret, its path above all. It knows no format.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr

from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.http.dialect import Dialect, Endpoint, Throttle
from icp_sync.http.outage import place
from icp_sync.http.transport import Transport
from icp_sync.observe import conceal

TRIES, PATIENCE = 3, 20.0
TIMEOUT = (5.0, 15.0)
SIGNATURE, TIMESTAMP, KEY = "X-Signature", "X-Timestamp", "Idempotency-Key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of a message. why: "" when it was taken. retry_after: seconds the receiver asked for."""

    why: str = ""
    retry_after: float = 0.0


class _Plain(Dialect):
    """A webhook's refusal is no matter of tokens."""

    def credentials(self, name: str) -> str:
        return "check the address of the webhook"

    def forbidden(self, endpoint: Endpoint, body: object) -> Exception | Throttle:
        return AuthError(f"{endpoint.name}: HTTP 403")


class Webhook:
    """One address. secret: what messages are signed with, in the way `inbound` checks them: X-Signature is
    the hexadecimal HMAC-SHA256 of the text of X-Timestamp, a point and the body. twice: whether the receiver
    knows a message again by its key, so that a lost reply may be answered by sending again at once."""

    def __init__(
        self,
        url: SecretStr,
        *,
        name: str,
        secret: SecretStr | None = None,
        twice: bool = False,
        stop: threading.Event | None = None,
        clock: Callable[[], float],
    ) -> None:
        parts = urlsplit(url.get_secret_value())
        self._base = f"{parts.scheme}://{parts.netloc}"
        self._path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        conceal(url.get_secret_value(), self._path)
        self._secret, self._clock = secret, clock
        self._endpoint = Endpoint(name="webhook", idempotent=twice, unread=True)
        self._transport = Transport(
            self._base,
            name=name,
            dialect=_Plain(),
            stop=stop,
            tries=TRIES,
            patience=PATIENCE,
            timeout=TIMEOUT,
            connections=1,
        )

    @property
    def place(self) -> str:
        """Scheme and host, which may be shown."""
        return place(self._base)

    def post(self, body: bytes, key: str) -> Delivery:
        """Send one message; never raises for what the other side does. key: the same for the same message."""
        headers = {"Content-Type": "application/json; charset=utf-8", KEY: key}
        if self._secret is not None:
            at = str(int(self._clock()))
            signed = at.encode() + b"." + body
            made = hmac.new(self._secret.get_secret_value().encode(), signed, hashlib.sha256)
            headers |= {TIMESTAMP: at, SIGNATURE: made.hexdigest()}
        try:
            self._transport.send("POST", self._path, endpoint=self._endpoint, body=body, headers=headers)
        except UnavailableError as error:
            return Delivery(why=str(error), retry_after=error.retry_after or 0.0)
        except (AuthError, RequestError) as error:
            return Delivery(why=str(error))
        return Delivery()

    def close(self) -> None:
        self._transport.close()
