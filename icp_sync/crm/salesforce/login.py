"""Getting a token, one at a time for everybody, and a new one before the old one ends.

simple-salesforce words the request (client credentials, or a signed JWT); it travels over our transport, and
what comes back is looked at before the library sees it. Neither flow has a refresh token: renewing is
logging in again ("OAuth 2.0 Client Credentials Flow" and "JWT Bearer Flow" in Salesforce Help).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from jwt import PyJWTError
from pydantic import SecretStr
from simple_salesforce.exceptions import SalesforceAuthenticationFailed
from simple_salesforce.login import SalesforceLogin

from icp_sync.crm.salesforce.paths import LOGIN
from icp_sync.crm.salesforce.replies import SalesforceDialect, codes
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.http import Token, Transport
from icp_sync.observe import conceal, log

SESSION_SECONDS = 7200.0
"""How long a session lives unless the org says otherwise ("Session Settings" in Salesforce Help)."""

RENEW_AT = 0.75
GRACE_SECONDS = 30.0
"""How long a refused login is not tried again, and a renewal that nobody answered not repeated."""

_BUSY = frozenset({"rate_limit_exceeded", "server_error", "temporarily_unavailable"})
_ADVICE: Mapping[str, str] = {
    "invalid_client_id": "check the consumer key of the External Client App",
    "invalid_client": "check the consumer secret of the External Client App",
    "invalid_grant": "check that my_domain is the org's own, that the app has a run-as user (client "
    "credentials) or the user is pre-authorised by a permission set (JWT), and this machine's clock",
    "invalid_assertion": "check the private key against the app's certificate, and this machine's clock",
    "invalid_app_access": "assign the External Client App to the integration user",
    "unauthorized_client": "allow this flow in the External Client App's settings",
    "unsupported_grant_type": "allow this flow in the External Client App's settings",
    "inactive_user": "activate the integration user",
    "inactive_org": "the org is closed or locked",
}

_log = log("salesforce")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """One of three: a session id; a consumer key with user name and private key (JWT, RS256); a consumer key
    and secret (client credentials).

    my_domain: the label of the org's login host without `.salesforce.com`, "acme.my". audience: "login", or
    "test" for a sandbox.
    """

    consumer_key: str = ""
    consumer_secret: SecretStr | None = None
    username: str = ""
    private_key: SecretStr | None = None
    session_id: SecretStr | None = None
    my_domain: str = ""
    audience: str = "login"

    def arguments(self) -> dict[str, str]:
        """What simple-salesforce needs of them. Raises AuthError when they are not enough for any flow."""
        domain = self.my_domain or "my"
        if self.private_key and self.consumer_key and self.username:
            return {
                "username": self.username,
                "consumer_key": self.consumer_key,
                "privatekey": self.private_key.get_secret_value(),
                "domain": self.audience,
                "instance_url": domain,
            }
        if self.consumer_secret and self.consumer_key:
            return {
                "consumer_key": self.consumer_key,
                "consumer_secret": self.consumer_secret.get_secret_value(),
                "domain": domain,
            }
        raise AuthError(
            "there are no credentials for Salesforce",
            next_step="give a consumer key with its secret, or with a user name and a private key",
        )

    def secrets(self) -> tuple[str, ...]:
        given = (self.consumer_secret, self.private_key, self.session_id)
        return tuple(text for secret in given if secret and (text := secret.get_secret_value()))


class Login:
    """The tokens of one connection. base_url: the org's My Domain. clock: monotonic seconds.

    session_seconds: how long the org lets a session live; at three quarters of it we log in again.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        base_url: str,
        name: str = "salesforce",
        session_seconds: float = SESSION_SECONDS,
        stop: threading.Event | None = None,
        patience: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], bool] | None = None,
    ) -> None:
        self._credentials = credentials
        self._life = session_seconds
        self._clock = clock
        self._name = name
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._got_at = 0.0
        self._not_before = float("-inf")
        self._refusal: AuthError | None = None
        self.transport = Transport(
            base_url,
            name=name,
            dialect=SalesforceDialect(),
            stop=stop,
            patience=patience,
            sleep=sleep,
            connections=1,
        )

    def token(self) -> Token:
        """A token that is not yet near its end. Raises AuthError naming what to check, UnavailableError."""
        given = self._credentials.session_id
        if given:
            return Token(text=given, generation=1)
        with self._lock:
            if self._token is None:
                return self._log_in()
            if self._clock() - self._got_at < RENEW_AT * self._life or self._clock() < self._not_before:
                return self._token
            try:
                return self._log_in()
            except UnavailableError as error:  # the one we have is good for a while
                self._not_before = self._clock() + GRACE_SECONDS
                _log.warning("could not renew the session yet", connection=self._name, error=str(error))
                return self._token

    def renew(self, generation: int) -> None:
        """Log in, unless somebody did since the token of this generation was given out."""
        if self._credentials.session_id:
            raise AuthError(
                "Salesforce does not accept the session id any more",
                next_step="give a new one, or credentials that can log in by themselves",
            )
        with self._lock:
            if self._token is None or self._token.generation == generation:
                self._log_in()

    def _log_in(self) -> Token:
        if self._refusal is not None and self._clock() < self._not_before:
            raise AuthError(str(self._refusal), next_step=self._refusal.next_step)
        begun = self._clock()
        try:
            text = self._ask()
            conceal(text, passing=True)
        except AuthError as error:
            self._refusal, self._not_before = error, self._clock() + GRACE_SECONDS
            raise
        self._refusal, self._not_before, self._got_at = None, float("-inf"), begun
        generation = self._token.generation + 1 if self._token else 1
        self._token = Token(text=SecretStr(text), generation=generation)
        _log.info("logged in", connection=self._name, generation=generation)
        return self._token

    def _ask(self) -> str:
        """A fresh access token of this org's."""
        official: Any = SalesforceLogin
        try:
            text, host = official(session=_Door(self.transport), **self._credentials.arguments())
        except AuthError as error:
            raise AuthError(self._without_secrets(str(error)), next_step=error.next_step) from None
        except SalesforceAuthenticationFailed as error:
            raise AuthError(self._without_secrets(f"Salesforce refuses the login: {error}")) from None
        except (ValueError, TypeError, PyJWTError):
            raise AuthError(
                "the private key cannot sign a login", next_step="give it in PEM form, an RSA key"
            ) from None
        ours = urlsplit(self.transport.base_url).netloc.lower()
        if host.lower() != ours and ours.endswith(".salesforce.com"):
            raise AuthError(
                f"this login is at {ours}, and its org answers at {host}",
                next_step=f"set my_domain to {host.removesuffix('.salesforce.com')}",
            )
        return str(text)

    def _without_secrets(self, text: str) -> str:
        for secret in self._credentials.secrets():
            text = text.replace(secret, "[redacted]")
        return text


@dataclass(frozen=True, slots=True)
class _Granted:
    """What simple-salesforce reads of a reply."""

    data: Mapping[str, Any]
    status_code: int = 200

    def json(self) -> Mapping[str, Any]:
        return self.data


class _Door:
    """What simple-salesforce takes for its `requests` session when it logs in. Whatever host it writes, the
    request goes to the org's."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def post(
        self, url: str, data: Mapping[str, str], headers: Mapping[str, str] | None = None, **_: object
    ) -> _Granted:
        form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        try:
            reply = self._transport.send(
                "POST",
                urlsplit(url).path,
                endpoint=LOGIN,
                body=urlencode(data),
                headers={**form, **(headers or {})},
            )
        except RequestError as error:
            raise _refused(error, self._transport.base_url) from error
        granted = reply.data if isinstance(reply.data, dict) else {}
        if not all(isinstance(granted.get(key), str) for key in ("access_token", "instance_url")):
            raise UnavailableError("Salesforce answered the login without a token")
        return _Granted(granted)


def _refused(error: RequestError, base_url: str) -> Exception:
    """A login's refusal as an error that says what to check."""
    found = codes(error)
    if not found:
        return AuthError(
            f"{base_url} has no Salesforce login (HTTP {error.status})",
            next_step="set my_domain to the org's own, acme.my of https://acme.my.salesforce.com",
        )
    code, said = found[0].code, found[0].message
    if code in _BUSY:
        return UnavailableError(f"Salesforce cannot log us in now: {code}: {said}")
    return AuthError(
        f"Salesforce refuses the login: {code}" + (f": {said}" if said else ""),
        next_step=_ADVICE.get(code, "check the External Client App and the integration user in Setup"),
    )
