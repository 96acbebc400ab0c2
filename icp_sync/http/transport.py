"""One way to call out: timeouts, rate limits, retries, and what a reply means, in one place for everybody.

Both CRMs' clients and every REST enricher send through a `Transport`. It knows HTTP and nothing of a
vendor; what differs between vendors is a `Dialect`. No header, body or token is ever logged.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import BinaryIO, NoReturn

import requests
from pydantic import SecretStr
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from icp_sync.errors import AuthError, NoCallsLeftError, RequestError, UnavailableError
from icp_sync.http.clock import ServerClock
from icp_sync.http.dialect import Dialect, Endpoint, Reply, Throttle, UncertainError
from icp_sync.http.outage import place, plainly, shaking_hands
from icp_sync.http.places import Places
from icp_sync.http.tokens import Token, Tokens
from icp_sync.http.wire import Bearer, Call, never_sent, parse, pour, retry_after, session
from icp_sync.lean_json import dumps
from icp_sync.observe import fault_point, log, redact, request_seconds, requests_total
from icp_sync.quota import Quota

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
LOCKED_SECONDS = 2.0
TOO_MANY = 429

_log = log("http")
_before_send = fault_point("http.send", "a request that was decided on but never sent")
_after_reply = fault_point("http.reply", "a reply the other side gave and we never acted upon")


class _AgainError(Exception):
    """This attempt failed in a way another may not. `error` is raised when no attempt is left."""

    def __init__(self, error: UnavailableError, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait


class Transport:
    """Sends to one base URL with one pool of connections; safe to share between threads.

    base_url: scheme and host, no trailing slash. token: sent as a bearer, None sends none. tokens: instead
    of it, where tokens come and go: one that is not accepted any more is renewed once in a call, and the
    call is sent again as it was.
    tries, patience: a call ends after so many attempts, and starts none after so many seconds.
    stop: set it and every wait ends with UnavailableError. at_once: calls under way, 0 for any number.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: SecretStr | None = None,
        tokens: Tokens | None = None,
        name: str = "",
        quota: Quota | None = None,
        dialect: Dialect | None = None,
        stop: threading.Event | None = None,
        tries: int = 5,
        patience: float = 60.0,
        timeout: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
        connections: int = 32,
        at_once: int = 0,
        user_agent: str = "icp-sync",
        sleep: Callable[[float], bool] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.name = name
        self.quota = quota or Quota({}, connection=name, stop=stop)
        self.clock = ServerClock(name)
        self._dialect = dialect or Dialect()
        self._stop = stop or threading.Event()
        self._places = Places(at_once, self._stop)
        self._sleep = self._stop.wait if sleep is None else sleep
        self._tries, self._patience, self._timeout = tries, patience, timeout
        self._backoff = wait_random_exponential(multiplier=0.5, max=20)
        self._tokens = tokens
        self._session = session(self.base_url, token, user_agent=user_agent, connections=connections)

    def now(self) -> float:
        """The server's clock, UTC epoch seconds."""
        return self.clock.now()

    def close(self) -> None:
        """Let go of the connections; what replies said of limits is kept."""
        self.quota.flush()
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
        body: bytes | str | BinaryIO | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one call, retrying what may safely be retried, and return its reply.

        path: relative to the base URL, or absolute and at it. json: serialised by us; body: already
        serialised, a file is streamed. Raises AuthError (401, 403), RequestError (other 4xx, with the
        parsed body), UncertainError (sent, fate unknown, not idempotent), UnavailableError (anything else,
        nothing was executed or it does not matter).
        """
        if json is not None:
            body, headers = dumps(json), {**(headers or {}), "Content-Type": "application/json"}
        call = Call(method=method, url=self._address(path), endpoint=endpoint, params=params, headers=headers)
        call.body = body.encode() if isinstance(body, str) else body
        return self._send(call)

    def download(
        self,
        path: str,
        *,
        endpoint: Endpoint,
        into: BinaryIO,
        kind: str,
        params: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Get a long reply into a file, which it replaces, in bounded memory; the reply has no data.

        kind: its content type, "text/csv". Raises what `send` raises; of a body that was cut short nothing
        counts: it is asked for again, and UnavailableError is raised in the end.
        """
        call = Call(method="GET", url=self._address(path), endpoint=endpoint, params=params, headers=headers)
        call.into, call.kind = into, kind.lower()
        return self._send(call)

    def _address(self, path: str) -> str:
        """Always at the base URL: our token goes nowhere else, whatever a reply calls the next page."""
        if path.startswith(self.base_url + "/"):
            return path
        if "://" in path.partition("?")[0] or not path.startswith("/"):
            raise UnavailableError(f"{place(path)} is not at {place(self.base_url)}")
        return self.base_url + path

    def _send(self, call: Call) -> Reply:
        retrying = Retrying(
            retry=retry_if_exception_type(_AgainError),
            stop=stop_after_attempt(self._tries) | stop_before_delay(self._patience),
            wait=self._wait,
            sleep=self.wait,
            retry_error_callback=_give_up,
        )
        reply: Reply = retrying(self._attempt, call)
        return reply

    def _attempt(self, call: Call) -> Reply:
        token = self._tokens.token() if self._tokens else None
        response = self._exchange(call, token)
        # Refused at the door: nothing was executed, whatever the call was.
        if self._tokens and token and not call.renewed and self._is_stale(call, response):
            call.renewed = True
            self._tokens.renew(token.generation)
            response = self._exchange(call, self._tokens.token())
        return self._judge(call, response)

    def _is_stale(self, call: Call, response: requests.Response) -> bool:
        if response.ok or call.wants(response):
            return False
        return self._dialect.stale(response.status_code, response.text[:200])

    def _exchange(self, call: Call, token: Token | None) -> requests.Response:
        """One request and its whole reply, whatever that says."""
        if self._stop.is_set():
            raise UnavailableError("stopped before sending")
        with self._places.one(), self.quota.call(*call.endpoint.buckets, stop=self._stop) as flight:
            response = self._sent(call, token)
            flight.answered = response.status_code != TOO_MANY
            self._dialect.observed(call.endpoint, response.headers, self.quota)
        return response

    def _sent(self, call: Call, token: Token | None) -> requests.Response:
        """The request itself."""
        call.rewind()
        _before_send()
        sent = time.monotonic()
        outcome = "error"
        try:
            response = self._session.request(
                call.method,
                call.url,
                params=call.params,
                data=call.body,
                headers=call.headers,
                auth=Bearer(token.text) if token else None,
                timeout=self._timeout,
                allow_redirects=False,
                stream=call.into is not None,
            )
            outcome = str(response.status_code)
            if call.into is not None:
                self._consume(call, response)
            _after_reply()
        except requests.RequestException as error:
            outcome = type(error).__name__
            raise self._lost(call.endpoint, call.url, error) from error
        finally:
            seconds = time.monotonic() - sent
            self._count(call.endpoint, outcome, seconds)
        self.clock.learn(response.headers.get("Date"), sent, sent + seconds)
        return response

    def _consume(self, call: Call, response: requests.Response) -> None:
        """The body of a streamed reply: into the file, or, what has no place there, into memory."""
        with response:
            if call.into is not None and call.wants(response):
                pour(response, call.into)
            else:
                response.content  # noqa: B018  reads and keeps it

    def _count(self, endpoint: Endpoint, outcome: str, seconds: float) -> None:
        requests_total.labels(self.name, endpoint.name, outcome).inc()
        request_seconds.labels(self.name, endpoint.name).observe(seconds)
        _log.debug(
            "answered",
            connection=self.name,
            endpoint=endpoint.name,
            outcome=outcome,
            ms=round(seconds * 1000),
        )

    def _judge(self, call: Call, response: requests.Response) -> Reply:
        """A usable reply, or the error that says what to do about it."""
        endpoint, status = call.endpoint, response.status_code
        if call.wants(response) or (endpoint.unread and 200 <= status < 300):
            return Reply(status=status, headers=response.headers)
        parsed, body = parse(response, bodiless=endpoint.bodiless)
        if 200 <= status < 300:
            if call.into is not None:
                what = f"HTTP {status} with a body that is not {call.kind}"
                raise self._unusable(endpoint, what, status=status)
            if not parsed:
                raise self._unusable(endpoint, f"HTTP {status} with a body that is not JSON", status=status)
            return Reply(status=status, data=body, headers=response.headers)
        wait = retry_after(response.headers.get("Retry-After"), self.now())
        said = redact(self._dialect.message(body))[:300]
        what = f"{endpoint.name}: HTTP {status}" + (f", {said}" if said else "")
        if status == 401:
            raise AuthError(what, next_step=self._dialect.credentials(self.name))
        if status == 403:
            refusal = self._dialect.forbidden(endpoint, body)
            raise self._throttle(endpoint, refusal) if isinstance(refusal, Throttle) else refusal
        if status == TOO_MANY:
            raise self._throttle(endpoint, self._dialect.throttled(endpoint, body, wait))
        if status == 423:  # locked for a moment: refused, nothing was executed
            raise _AgainError(UnavailableError(what), max(wait or 0.0, LOCKED_SECONDS))
        if status == 477:  # HubSpot, "migration in progress": Retry-After of up to 24 hours
            raise UnavailableError(what, retry_after=wait)
        if 400 <= status < 500:
            raise RequestError(what, status=status, body=body)
        what = f"HTTP {status}" + (f", {said}" if said else "")
        raise self._unusable(endpoint, what, wait, status=status)

    def _unusable(
        self, endpoint: Endpoint, what: str, retry_after: float | None = None, *, status: int = 0
    ) -> Exception:
        """The other side stumbled: sent again where that is harmless, of unknown fate where it is not."""
        if endpoint.idempotent:
            return _AgainError(
                UnavailableError(f"{endpoint.name}: {what}", retry_after=retry_after), retry_after
            )
        return UncertainError(f"{endpoint.name}: {what}", retry_after=retry_after, status=status)

    def _lost(self, endpoint: Endpoint, url: str, error: requests.RequestException) -> Exception:
        what, network = f"cannot reach {place(url)}: {plainly(error)}", "check base_url and the network"
        if isinstance(error, requests.exceptions.SSLError) and shaking_hands(error):
            return UnavailableError(what, next_step="check the TLS certificate, or REQUESTS_CA_BUNDLE")
        if isinstance(error, ValueError):  # requests' way to say that an address is none
            return UnavailableError(what, next_step="check base_url")
        if never_sent(error):
            return _AgainError(UnavailableError(what, next_step=network))
        return self._unusable(endpoint, f"no answer from {place(url)}: {plainly(error)}")

    def _throttle(self, endpoint: Endpoint, throttle: Throttle) -> Exception:
        kind = NoCallsLeftError if throttle.everything else UnavailableError
        error = kind(f"{endpoint.name}: {throttle.reason}", retry_after=throttle.seconds)
        _log.warning(
            "throttled", connection=self.name, endpoint=endpoint.name, seconds=round(throttle.seconds, 1)
        )
        if throttle.everything:
            self.quota.pause_all(throttle.seconds)
            return error
        for bucket in endpoint.buckets:
            self.quota.refused(bucket, throttle.seconds)
        # A bucket's pause is the wait, for us as for everybody; without a bucket we wait by ourselves.
        counted = any(self.quota.counts(bucket) for bucket in endpoint.buckets)
        return _AgainError(error, 0.0 if counted else throttle.seconds)

    def _wait(self, state: RetryCallState) -> float:
        again = state.outcome.exception() if state.outcome else None
        if isinstance(again, _AgainError) and again.wait is not None:
            return again.wait
        return self._backoff(state)


def _give_up(state: RetryCallState) -> NoReturn:
    again = state.outcome.exception() if state.outcome else None
    if isinstance(again, _AgainError):
        raise again.error from again
    raise UnavailableError("no attempt was made")
