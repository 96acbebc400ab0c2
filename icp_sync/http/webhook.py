"""Messages to an address that an operator configured: one POST each, and nothing of the address in any log.

Whoever knows a webhook's address can post there, so it is a secret, its path above all. It knows no format.
"""

from __future__ import annotations

import contextvars
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
DEADLINE = 30.0
"""Seconds for a message, all tries together: a timeout of the socket begins anew with every byte."""
LONGEST_REST = 86_400.0
"""Seconds: a receiver that wants to be left alone for longer is asked again after so many."""
_THIS_ONE = (400, 413, 422)
"""Statuses that say something of the message, and nothing of the next one."""
SIGNATURE, TIMESTAMP, KEY = "X-Signature", "X-Timestamp", "Idempotency-Key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of a message. why: "" when it was taken. retry_after: seconds the receiver asked for.
    down: whether the next message would fare no better now."""

    why: str = ""
    retry_after: float = 0.0
    down: bool = False


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
        self._rests_until = float("-inf")
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

    @property
    def rests(self) -> bool:
        """Whether the receiver asked to be left alone, and that time is not over."""
        return self._clock() < self._rests_until

    def post(self, body: bytes, key: str) -> Delivery:
        """Send one message; never raises for what the other side does. key: the same for the same message."""
        headers = {"Content-Type": "application/json; charset=utf-8", KEY: key}
        if self._secret is not None:
            at = str(int(self._clock()))
            signed = at.encode() + b"." + body
            made = hmac.new(self._secret.get_secret_value().encode(), signed, hashlib.sha256)
            headers |= {TIMESTAMP: at, SIGNATURE: made.hexdigest()}
        delivery = _within(DEADLINE, lambda: self._posted(body, headers))
        if delivery is None:
            return Delivery(why=f"no whole answer from {self.place} in {DEADLINE:.0f} s", down=True)
        if delivery.retry_after:
            self._rests_until = self._clock() + delivery.retry_after
        return delivery

    def _posted(self, body: bytes, headers: dict[str, str]) -> Delivery:
        try:
            self._transport.send("POST", self._path, endpoint=self._endpoint, body=body, headers=headers)
        except UnavailableError as error:
            rest = min(error.retry_after or 0.0, LONGEST_REST)
            return Delivery(why=str(error), retry_after=rest, down=True)
        except AuthError as error:
            return Delivery(why=str(error), down=True)
        except RequestError as error:
            return Delivery(why=str(error), down=error.status not in _THIS_ONE)
        return Delivery()

    def close(self) -> None:
        self._transport.close()


def _within(seconds: float, work: Callable[[], Delivery]) -> Delivery | None:
    """What the work comes to, None when it has not by then; it is left behind then."""
    done: list[Delivery] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # whatever it is, it is raised where somebody waits
            failed.append(error)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    return done[0] if done else None
