"""How a manifest's requests say who we are: headers, query, or a token that was logged in for.

Secrets are put together at the last moment, and known to the log's redaction in the form they are sent in.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from pydantic import SecretStr

from icp_sync.enrichers.manifest.expressions import gives
from icp_sync.enrichers.manifest.schema import Auth, OAuth
from icp_sync.enrichers.manifest.setup import Setup
from icp_sync.enrichers.manifest.words import text
from icp_sync.errors import AuthError, RequestError
from icp_sync.http import Endpoint, Token, Transport
from icp_sync.observe import conceal

_LOGIN = Endpoint(name="login", idempotent=True)


class Credentials:
    """The headers and query parameters that carry secrets."""

    def __init__(self, setup: Setup) -> None:
        self._auth = setup.manifest.auth
        self._words = known(setup)

    def __repr__(self) -> str:
        return "Credentials(…)"

    def headers(self) -> dict[str, str]:
        return dict(pair for auth in self._auth if (pair := self._header(auth)))

    def query(self) -> dict[str, str]:
        return {auth.query: text(auth.value, self._words) for auth in self._auth if auth.query}

    def filled(self, template: str, words: Mapping[str, Any]) -> str:
        """A header's text; the only place of a request beside `auth` that may hold a secret."""
        return text(template, {**words, **self._words})

    def _header(self, auth: Auth) -> tuple[str, str] | None:
        if auth.header:
            return auth.header, text(auth.value, self._words)
        if auth.bearer:
            return "Authorization", f"Bearer {text(auth.bearer, self._words)}"
        if auth.basic:
            return "Authorization", _basic(auth.basic.user, auth.basic.password, self._words)
        return None


def known(setup: Setup) -> dict[str, Any]:
    """Options and secrets, by name."""
    return {**setup.options, **{name: secret.get_secret_value() for name, secret in setup.secrets.items()}}


def _basic(user: str, password: str, words: Mapping[str, Any]) -> str:
    packed = base64.b64encode(f"{text(user, words)}:{text(password, words)}".encode()).decode()
    conceal(packed)
    return f"Basic {packed}"


class LoginError(AuthError):
    """There is no token: the vendor was never asked anything."""


class ClientCredentials:
    """Tokens got by client credentials (RFC 6749, section 4.4), once for all threads, and again when one is
    not accepted any more."""

    def __init__(self, rule: OAuth, setup: Setup, transport: Transport, path: str) -> None:
        self._rule, self._setup, self._transport, self._path = rule, setup, transport, path
        self._lock = threading.Lock()
        self._token: Token | None = None

    def __repr__(self) -> str:
        return "ClientCredentials(…)"

    def token(self) -> Token:
        with self._lock:
            if self._token is None:
                self._token = Token(text=self._login(), generation=1)
            return self._token

    def renew(self, generation: int) -> None:
        with self._lock:
            if self._token is not None and self._token.generation == generation:
                self._token = Token(text=self._login(), generation=generation + 1)

    def _login(self) -> SecretStr:
        rule, words = self._rule, known(self._setup)
        asked = {"grant_type": "client_credentials"}
        if rule.scope:
            asked["scope"] = rule.scope
        headers = {"Accept": "application/json"}
        if rule.style == "basic":
            headers["Authorization"] = _basic(rule.client_id, rule.client_secret, words)
        else:
            asked["client_id"] = text(rule.client_id, words)
            asked["client_secret"] = text(rule.client_secret, words)
        body: dict[str, Any] = {"json": asked} if rule.style == "json" else {"body": urlencode(asked)}
        if rule.style != "json":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            reply = self._transport.send("POST", self._path, endpoint=_LOGIN, headers=headers, **body)
        except RequestError as error:
            raise LoginError(f"the login is not accepted (HTTP {error.status})") from None
        except AuthError:
            raise LoginError("the login is not accepted (HTTP 401)") from None
        token = gives(rule.token, reply.data)
        if not isinstance(token, str) or not token.isprintable() or not token:
            raise LoginError("the login gave no token")
        conceal(token, passing=True)
        return SecretStr(token)
