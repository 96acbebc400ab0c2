"""One way to call out: timeouts, rate limits, retries, and what a reply means, in one place for everybody.

Both CRMs' clients and every REST enricher send through a `Transport`. It knows HTTP and nothing of a
vendor; what differs between vendors is a `Dialect`. No header, body or token is ever logged.
"""

from __future__ import annotations

import json as jsonlib
import threading
import time
from collections.abc import Callable, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NoReturn

import requests
import urllib3.exceptions
from pydantic import SecretStr
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.http.clock import ServerClock, http_date
from icp_sync.http.dialect import Dialect, Endpoint, Reply, Throttle, UncertainError
from icp_sync.http.outage import place, plainly
from icp_sync.observe import fault_point, log, redact, request_seconds, requests_total
from icp_sync.quota import Quota

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
LOCKED_SECONDS = 2.0

_log = log("http")
_before_send = fault_point("http.send", "a request that was decided on but never sent")
_after_reply = fault_point("http.reply", "a reply the other side gave and we never acted upon")


class _Bearer(AuthBase):
    """Adds the token at the last moment; as an auth object it also keeps a .netrc from replacing it."""

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        return request


class _NoAuth(AuthBase):
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _AgainError(Exception):
    """This attempt failed in a way another may not. `error` is raised when no attempt is left."""

    def __init__(self, error: UnavailableError, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait


class Transport:
    """Sends to one base URL with one pool of connections; safe to share between threads.

    base_url: scheme and host, no trailing slash. token: sent as a bearer, None sends none.
    tries, patience: a call ends after so many attempts, and starts none after so many seconds.
    stop: set it and every wait ends with UnavailableError.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: SecretStr | None = None,
        name: str = "",
        quota: Quota | None = None,
        dialect: Dialect | None = None,
        stop: threading.Event | None = None,
        tries: int = 5,
        patience: float = 60.0,
        timeout: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
        connections: int = 32,
        user_agent: str = "icp-sync",
        sleep: Callable[[float], bool] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.name = name
        self.quota = quota or Quota({}, connection=name, stop=stop)
        self.clock = ServerClock(name)
        self._dialect = dialect or Dialect()
        self._stop = stop or threading.Event()
        self._sleep = self._stop.wait if sleep is None else sleep
        self._tries, self._patience, self._timeout = tries, patience, timeout
        self._backoff = wait_random_exponential(multiplier=0.5, max=20)
        self._session = requests.Session()
        self._session.auth = _Bearer(token) if token else _NoAuth()
        self._session.headers["User-Agent"] = user_agent
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=max(16, connections), max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def now(self) -> float:
        """The server's clock, UTC epoch seconds."""
        return self.clock.now()

    def close(self) -> None:
        self._session.close()

    def wait(self, seconds: float) -> None:
        """Sleep; raises UnavailableError when told to stop meanwhile."""
        if seconds > 0 and self._sleep(seconds):
            raise UnavailableError("stopped while waiting to try again")

    def send(
        self,
        method: str,
        path: str,
        *,
        endpoint: Endpoint,
        params: object = None,
        json: object = None,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one call, retrying what may safely be retried, and return its reply.

        path: relative to the base URL, or absolute. json: serialised by us; body: already serialised.
        Raises AuthError (401, 403), RequestError (other 4xx, with the parsed body), UncertainError (sent,
        fate unknown, not idempotent), UnavailableError (anything else, nothing was executed or it does
        not matter).
        """
        if json is not None:
            body, headers = jsonlib.dumps(json), {**(headers or {}), "Content-Type": "application/json"}
        if isinstance(body, str):
            body = body.encode()
        url = path if path.startswith(("https://", "http://")) else self.base_url + path
        retrying = Retrying(
            retry=retry_if_exception_type(_AgainError),
            stop=stop_after_attempt(self._tries) | stop_before_delay(self._patience),
            wait=self._wait,
            sleep=self.wait,
            retry_error_callback=_give_up,
        )
        reply: Reply = retrying(self._attempt, method, url, endpoint, params, body, headers)
        return reply

    def _attempt(
        self,
        method: str,
        url: str,
        endpoint: Endpoint,
        params: Any,
        body: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> Reply:
        if self._stop.is_set():
            raise UnavailableError("stopped before sending")
        self.quota.acquire(*endpoint.buckets, stop=self._stop)
        _before_send()
        sent = time.monotonic()
        outcome = "error"
        try:
            response = self._session.request(
                method,
                url,
                params=params,
                data=body,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            )
            outcome = str(response.status_code)
            _after_reply()
        except requests.RequestException as error:
            outcome = type(error).__name__
            raise self._lost(endpoint, url, error) from error
        finally:
            seconds = time.monotonic() - sent
            requests_total.labels(self.name, endpoint.name, outcome).inc()
            request_seconds.labels(self.name, endpoint.name).observe(seconds)
            _log.debug(
                "answered",
                connection=self.name,
                endpoint=endpoint.name,
                outcome=outcome,
                ms=round(seconds * 1000),
            )
        self.clock.learn(response.headers.get("Date"), sent, sent + seconds)
        self._dialect.observed(endpoint, response.headers, self.quota)
        return self._judge(endpoint, response)

    def _judge(self, endpoint: Endpoint, response: requests.Response) -> Reply:
        """A usable reply, or the error that says what to do about it."""
        status, parsed, body = response.status_code, *_parse(response)
        if 200 <= status < 300:
            if not parsed:
                raise self._unusable(endpoint, f"HTTP {status} with a body that is not JSON")
            return Reply(status=status, data=body, headers=response.headers)
        retry_after = _retry_after(response.headers.get("Retry-After"), self.now())
        said = redact(self._dialect.message(body))[:300]
        what = f"{endpoint.name}: HTTP {status}" + (f", {said}" if said else "")
        if status == 401:
            raise AuthError(what, next_step=self._check_token())
        if status == 403:
            raise self._dialect.forbidden(endpoint, body)
        if status == 429:
            raise self._throttle(endpoint, self._dialect.throttled(endpoint, body, retry_after))
        if status == 423:  # locked for a moment: refused, nothing was executed
            raise _AgainError(UnavailableError(what), max(retry_after or 0.0, LOCKED_SECONDS))
        if status == 477:  # HubSpot, "migration in progress": Retry-After of up to 24 hours
            raise UnavailableError(what, retry_after=retry_after)
        if 400 <= status < 500:
            raise RequestError(what, status=status, body=body)
        raise self._unusable(endpoint, f"HTTP {status}" + (f", {said}" if said else ""), retry_after)

    def _unusable(self, endpoint: Endpoint, what: str, retry_after: float | None = None) -> Exception:
        """The other side stumbled: sent again where that is harmless, of unknown fate where it is not."""
        if endpoint.idempotent:
            return _AgainError(
                UnavailableError(f"{endpoint.name}: {what}", retry_after=retry_after), retry_after
            )
        return UncertainError(f"{endpoint.name}: {what}", retry_after=retry_after)

    def _lost(self, endpoint: Endpoint, url: str, error: requests.RequestException) -> Exception:
        what, network = f"cannot reach {place(url)}: {plainly(error)}", "check base_url and the network"
        if isinstance(error, requests.exceptions.SSLError):
            return UnavailableError(what, next_step="check the TLS certificate, or REQUESTS_CA_BUNDLE")
        if isinstance(error, ValueError):  # requests' way to say that an address is none
            return UnavailableError(what, next_step="check base_url")
        if _never_sent(error):
            return _AgainError(UnavailableError(what, next_step=network))
        return self._unusable(endpoint, f"no answer from {place(url)}: {plainly(error)}")

    def _check_token(self) -> str:
        """Names where the token comes from: settings have one per connection, and we bear its name."""
        if not self.name:
            return "check the access token"
        return f"check the token in ICP_SYNC_CONNECTIONS__{self.name.upper()}__TOKEN, or its secret file"

    def _throttle(self, endpoint: Endpoint, throttle: Throttle) -> Exception:
        error = UnavailableError(f"{endpoint.name}: {throttle.reason}", retry_after=throttle.seconds)
        _log.warning(
            "throttled", connection=self.name, endpoint=endpoint.name, seconds=round(throttle.seconds, 1)
        )
        if throttle.everything:
            self.quota.pause_all(throttle.seconds)
            return error
        for bucket in endpoint.buckets:
            self.quota.pause(bucket, throttle.seconds)
        # The bucket's pause is the wait, for us as for everybody; without a bucket we wait by ourselves.
        return _AgainError(error, 0.0 if endpoint.buckets else throttle.seconds)

    def _wait(self, state: RetryCallState) -> float:
        again = state.outcome.exception() if state.outcome else None
        if isinstance(again, _AgainError) and again.wait is not None:
            return again.wait
        return self._backoff(state)


def _retry_after(text: str | None, now: float) -> float | None:
    """Seconds, from either form of the header (RFC 9110, section 10.2.3)."""
    if text is None:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        at = http_date(text)
        return None if at is None else max(0.0, at - now)


def _parse(response: requests.Response) -> tuple[bool, Any]:
    """Whether the body is what it should be, and its JSON. Only a 204 or 205 may be empty."""
    if response.status_code in (204, 205):
        return True, None
    try:
        return True, jsonlib.loads(response.content)
    except ValueError:
        return False, None


def _never_sent(error: requests.RequestException) -> bool:
    """Whether the request certainly did not reach the other side."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", None)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _give_up(state: RetryCallState) -> NoReturn:
    again = state.outcome.exception() if state.outcome else None
    if isinstance(again, _AgainError):
        raise again.error from again
    raise UnavailableError("no attempt was made")
