"""The transport: what is sent again, what never is, and what every reply is turned into."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest
import requests
import responses
import structlog
from pydantic import SecretStr
from structlog.testing import capture_logs

from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.http import Dialect, Endpoint, ServerClock, Throttle, Transport, UncertainError, http_date
from icp_sync.observe import arm_faults, registry
from icp_sync.quota import Quota, Rate
from icp_sync.simulator import Simulator

URL = "https://api.example.com"
READ = Endpoint(name="read", buckets=("burst",), idempotent=True)
WRITE = Endpoint(name="write", buckets=("burst",))


class Waits(list[float]):
    """Instead of sleeping: notes how long it would have been."""

    def __call__(self, seconds: float) -> bool:
        self.append(seconds)
        return False


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def transport(waits: Waits) -> Transport:
    quota = Quota({"burst": Rate(100, 10.0)}, sleep=waits)
    return Transport(URL, token=SecretStr("pat-na1-secret"), name="t", quota=quota, sleep=waits)


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def answers(server: responses.RequestsMock, *replies: dict[str, Any], method: str = "GET") -> None:
    for reply in replies:
        server.add(method, f"{URL}/x", **reply)


def test_a_reply_is_its_status_its_json_and_its_headers(
    transport: Transport, server: responses.RequestsMock
) -> None:
    answers(server, {"json": {"a": 1}, "status": 207, "headers": {"X-Y": "z"}})
    reply = transport.send("GET", "/x", endpoint=READ)
    assert (reply.status, reply.data, reply.headers["x-y"]) == (207, {"a": 1}, "z")


def test_every_call_carries_the_token_and_no_log_line_does(
    transport: Transport, server: responses.RequestsMock
) -> None:
    answers(server, {"json": {}}, {"status": 400, "json": {"message": "bad token pat-na1-secret"}})
    structlog.reset_defaults()
    with capture_logs() as logs:
        transport.send("GET", "/x", endpoint=READ)
        with pytest.raises(RequestError) as raised:
            transport.send("GET", "/x", endpoint=READ)
    assert server.calls[0].request.headers["Authorization"] == "Bearer pat-na1-secret"
    assert "secret" not in json.dumps(logs) + str(raised.value)
    assert "authorization" not in json.dumps(logs).lower()


def test_without_a_token_none_is_sent(server: responses.RequestsMock) -> None:
    answers(server, {"json": {}})
    Transport(URL).send("GET", "/x", endpoint=READ)
    assert "Authorization" not in server.calls[0].request.headers


def test_json_is_sent_as_json(transport: Transport, server: responses.RequestsMock) -> None:
    answers(server, {"json": {}}, method="POST")
    transport.send("POST", "/x", endpoint=WRITE, json={"name": "Müller"}, params=[("a", "1"), ("a", "2")])
    request = server.calls[0].request
    assert json.loads(request.body or b"") == {"name": "Müller"}
    assert request.headers["Content-Type"] == "application/json"
    assert str(request.url).endswith("?a=1&a=2")


def test_an_empty_204_has_no_data(transport: Transport, server: responses.RequestsMock) -> None:
    answers(server, {"status": 204}, method="DELETE")
    assert transport.send("DELETE", "/x", endpoint=WRITE).data is None


# Refusals


def test_401_is_about_credentials_and_not_tried_again(
    transport: Transport, server: responses.RequestsMock
) -> None:
    answers(server, {"status": 401, "json": {"message": "who are you"}})
    with pytest.raises(AuthError, match="who are you") as raised:
        transport.send("GET", "/x", endpoint=READ)
    assert "ICP_SYNC_CONNECTIONS__T__TOKEN" in raised.value.next_step
    assert len(server.calls) == 1


def test_403_is_about_credentials(transport: Transport, server: responses.RequestsMock) -> None:
    answers(server, {"status": 403, "body": "<html>no</html>"})
    with pytest.raises(AuthError):
        transport.send("GET", "/x", endpoint=READ)


@pytest.mark.parametrize("status", [400, 404, 409, 414])
def test_another_4xx_is_one_request_refused_with_its_body(
    transport: Transport, server: responses.RequestsMock, status: int
) -> None:
    answers(server, {"status": status, "json": {"message": "no", "errors": [1]}})
    with pytest.raises(RequestError) as raised:
        transport.send("GET", "/x", endpoint=READ)
    assert (raised.value.status, raised.value.body) == (status, {"message": "no", "errors": [1]})


def test_a_redirect_is_not_followed(transport: Transport, server: responses.RequestsMock) -> None:
    redirect = {"status": 302, "headers": {"Location": "https://elsewhere.example.com/"}}
    answers(server, *[redirect] * 5)
    with pytest.raises(UnavailableError, match="302"):
        transport.send("GET", "/x", endpoint=READ)


# Throttling


def test_429_pauses_the_bucket_for_everybody_and_is_sent_again(server: responses.RequestsMock) -> None:
    now = [0.0]

    def sleep(seconds: float) -> bool:
        now[0] += seconds
        return False

    quota = Quota({"burst": Rate(100, 10.0)}, clock=lambda: now[0], sleep=sleep)
    transport = Transport(URL, quota=quota, sleep=sleep)
    answers(server, {"status": 429, "headers": {"Retry-After": "7"}}, {"json": {}}, method="POST")
    transport.send("POST", "/x", endpoint=WRITE)
    assert now[0] == pytest.approx(7.0)
    assert len(server.calls) == 2


def test_429_without_a_bucket_waits_by_itself(
    transport: Transport, server: responses.RequestsMock, waits: Waits
) -> None:
    answers(server, {"status": 429, "headers": {"Retry-After": "3"}}, {"json": {}})
    transport.send("GET", "/x", endpoint=Endpoint(name="free"))
    assert waits == [3.0]


def test_a_429_that_concerns_everything_gives_up_and_stops_all_calls(
    server: responses.RequestsMock, waits: Waits
) -> None:
    class Daily(Dialect):
        def throttled(self, endpoint: Endpoint, body: object, retry_after: float | None) -> Throttle:
            return Throttle(seconds=5000, reason="daily limit", everything=True)

    quota = Quota({"burst": Rate(100, 10.0)}, sleep=waits)
    transport = Transport(URL, quota=quota, sleep=waits, dialect=Daily())
    answers(server, {"status": 429})
    with pytest.raises(UnavailableError, match="daily limit") as raised:
        transport.send("GET", "/x", endpoint=READ)
    assert raised.value.retry_after == 5000
    with pytest.raises(UnavailableError):
        transport.send("GET", "/x", endpoint=READ)
    assert len(server.calls) == 1


# Stumbling


@pytest.mark.parametrize(
    "reply",
    [
        {"status": 500, "json": {"message": "internal"}},
        {"status": 502, "body": "<html><body>502 Bad Gateway</body></html>"},
        {"status": 503},
        {"status": 504, "body": ""},
        {"status": 524, "body": "\ufeff"},
        {"status": 200, "body": ""},
        {"status": 200, "body": '{"results": [{"id": "1"'},
        {"status": 200, "body": "<html>maintenance</html>"},
        {"body": requests.exceptions.ReadTimeout("slow")},
        {"body": requests.exceptions.ConnectionError("reset")},
        {"body": requests.exceptions.ChunkedEncodingError("cut")},
        {"body": requests.exceptions.ContentDecodingError("gzip")},
    ],
)
def test_a_stumble_is_tried_again_for_reads_and_uncertain_for_writes(
    transport: Transport, reply: dict[str, Any]
) -> None:
    with responses.RequestsMock() as server:
        answers(server, reply, reply, {"json": {"ok": True}})
        assert transport.send("GET", "/x", endpoint=READ).data == {"ok": True}
        assert len(server.calls) == 3
    with responses.RequestsMock() as server:
        answers(server, reply, method="POST")
        with pytest.raises(UncertainError):
            transport.send("POST", "/x", endpoint=WRITE)
        assert len(server.calls) == 1


def test_retries_end_after_so_many_tries_with_growing_jittered_waits(
    transport: Transport, server: responses.RequestsMock, waits: Waits
) -> None:
    answers(server, {"status": 503, "headers": {"Retry-After": "2"}})
    with pytest.raises(UnavailableError) as raised:
        transport.send("GET", "/x", endpoint=READ)
    assert len(server.calls) == 5
    assert waits == [2.0] * 4
    assert raised.value.retry_after == 2


def test_a_wait_longer_than_our_patience_is_not_begun(
    transport: Transport, server: responses.RequestsMock, waits: Waits
) -> None:
    answers(server, {"status": 503, "headers": {"Retry-After": "3600"}})
    with pytest.raises(UnavailableError) as raised:
        transport.send("GET", "/x", endpoint=READ)
    assert raised.value.retry_after == 3600
    assert waits == []


def test_a_locked_record_is_tried_again_after_two_seconds_even_for_writes(
    transport: Transport, server: responses.RequestsMock, waits: Waits
) -> None:
    answers(server, {"status": 423}, {"json": {}}, method="POST")
    transport.send("POST", "/x", endpoint=WRITE)
    assert waits == [2.0]


def test_a_migration_gives_up_with_the_time_it_takes(
    transport: Transport, server: responses.RequestsMock
) -> None:
    answers(server, {"status": 477, "headers": {"Retry-After": "86400"}})
    with pytest.raises(UnavailableError) as raised:
        transport.send("GET", "/x", endpoint=READ)
    assert raised.value.retry_after == 86400


def test_a_refused_connection_is_tried_again_also_for_writes_and_certainly_not_done(waits: Waits) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    transport = Transport(f"http://127.0.0.1:{port}", sleep=waits, tries=3)
    with pytest.raises(UnavailableError) as raised:
        transport.send("POST", "/x", endpoint=WRITE)
    assert not isinstance(raised.value, UncertainError)
    assert len(waits) == 2
    assert str(raised.value) == f"cannot reach http://127.0.0.1:{port}: connection refused"
    assert raised.value.next_step == "check base_url and the network"


@pytest.mark.parametrize("kind", ["reset", "truncated", "gzip_garbage", "empty_200", "502_html"])
def test_a_real_server_that_stumbles_once_is_asked_again(kind: str, waits: Waits) -> None:
    with Simulator(accounts=0) as crm:
        crm.admin("POST faults", kind=kind, match="owners", nth=1)
        transport = Transport(crm.url, token=SecretStr(crm.token), sleep=waits)
        reply = transport.send("GET", "/crm/v3/owners", endpoint=READ)
        assert reply.data["results"]
        assert len(waits) == 1


def test_a_host_nobody_knows_is_said_in_words(waits: Waits) -> None:
    transport = Transport("https://crm.invalid", sleep=waits, tries=1)
    with pytest.raises(UnavailableError) as raised:
        transport.send("GET", "/x", endpoint=READ)
    assert str(raised.value) == "cannot reach https://crm.invalid: no host of this name is known (DNS)"


def test_a_server_without_tls_is_said_in_words(waits: Waits) -> None:
    with Simulator(accounts=0) as crm:
        secure = crm.url.replace("http:", "https:")
        with pytest.raises(UnavailableError) as raised:
            Transport(secure, sleep=waits, tries=1).send("GET", "/x", endpoint=READ)
    assert str(raised.value) == f"cannot reach {secure}: no TLS connection could be made"
    assert "certificate" in raised.value.next_step


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (requests.exceptions.ConnectTimeout("(host='x')"), "no connection in time"),
        (requests.exceptions.ReadTimeout("(host='x')"), "no reply in time"),
        (requests.exceptions.ProxyError("(host='x')"), "the proxy does not let us through"),
        (
            requests.exceptions.SSLError(ssl.SSLCertVerificationError(1, "(_ssl.c:1000)")),
            "its TLS certificate is not accepted",
        ),
        (requests.exceptions.ConnectionError(OSError(113, "No route to host")), "no route to host"),
        (requests.exceptions.ConnectionError("Max retries exceeded"), "the connection failed"),
    ],
)
def test_what_cut_us_off_is_said_in_words_and_not_in_pythons(
    server: responses.RequestsMock, waits: Waits, error: Exception, said: str
) -> None:
    answers(server, {"body": error})
    with pytest.raises(UnavailableError) as raised:
        Transport(URL, sleep=waits, tries=1).send("GET", "/x", endpoint=READ)
    assert f"{URL}: {said}" in str(raised.value)
    assert "host=" not in str(raised.value)
    assert "_ssl" not in str(raised.value)


def test_an_address_is_named_without_what_might_be_secret(waits: Waits) -> None:
    with pytest.raises(UnavailableError) as raised:
        Transport("http://user:pw@127.0.0.1:9/path", sleep=waits, tries=1).send("GET", "/x", endpoint=READ)
    assert "cannot reach http://127.0.0.1:9:" in str(raised.value)


def test_a_server_that_is_too_slow_is_a_stumble(waits: Waits) -> None:
    with Simulator(accounts=0) as crm:
        crm.admin("POST faults", kind="timeout", match="owners", nth=1, seconds=5)
        transport = Transport(crm.url, token=SecretStr(crm.token), sleep=waits, timeout=(1.0, 0.1))
        assert transport.send("GET", "/crm/v3/owners", endpoint=READ).status == 200


def test_calls_share_one_pool_of_connections() -> None:
    with Simulator(accounts=0) as crm:
        transport = Transport(crm.url, token=SecretStr(crm.token))
        for _ in range(20):
            transport.send("GET", "/crm/v3/owners", endpoint=READ)
        assert crm.admin("GET stats")["connections"] == 1


def test_a_stop_ends_the_wait_between_two_tries(server: responses.RequestsMock) -> None:
    stop = threading.Event()

    def sleep(_: float) -> bool:
        stop.set()
        return True

    transport = Transport(URL, stop=stop, sleep=sleep)
    answers(server, {"status": 503})
    with pytest.raises(UnavailableError, match="stopped"):
        transport.send("GET", "/x", endpoint=READ)
    with pytest.raises(UnavailableError, match="stopped"):
        transport.send("GET", "/x", endpoint=READ)
    assert len(server.calls) == 1


@pytest.mark.parametrize("base", ["api.example.com", "http://", "https://exa mple.com", "ftp://x"])
def test_a_base_url_nobody_can_call_is_a_clear_error(base: str) -> None:
    with pytest.raises(UnavailableError):
        Transport(base, tries=1).send("GET", "/x", endpoint=READ)


def test_fault_points_lie_before_the_send_and_after_the_reply(
    transport: Transport, server: responses.RequestsMock
) -> None:
    reached: list[tuple[str, int]] = []
    answers(server, {"json": {}})
    arm_faults(lambda name: reached.append((name, len(server.calls))))
    try:
        transport.send("GET", "/x", endpoint=READ)
    finally:
        arm_faults(None)
    assert reached == [("http.send", 0), ("http.reply", 1)]


def test_requests_are_counted_by_connection_endpoint_and_outcome(
    transport: Transport, server: responses.RequestsMock
) -> None:
    counted = {"connection": "t", "endpoint": "counted", "outcome": "200"}
    answers(server, {"json": {}})
    transport.send("GET", "/x", endpoint=Endpoint(name="counted"))
    assert registry.get_sample_value("icp_sync_requests_total", counted) == 1


# The server's clock


def test_the_clock_is_the_servers_and_never_ahead_of_it() -> None:
    clock, true = ServerClock("c"), time.time() + 5000
    ours = time.monotonic()
    for step in range(20):
        moment = true + step * 0.3
        sent, received = ours + step * 0.3 - 0.2, ours + step * 0.3 + 0.1
        clock.learn(formatdate(moment, usegmt=True), sent, received)
    estimate = clock.now() - time.monotonic() + ours  # the server's clock at `ours`
    assert true - 1.0 <= estimate <= true
    assert clock.heard


@pytest.mark.parametrize("jump", [86_400, -86_400])
def test_a_servers_clock_that_is_moved_is_followed(jump: int) -> None:
    clock, ours = ServerClock("c"), time.monotonic()
    clock.learn(formatdate(1_795_302_000, usegmt=True), ours, ours)
    clock.learn(formatdate(1_795_302_000 + jump, usegmt=True), ours, ours)
    assert clock.now() == pytest.approx(1_795_302_000 + jump, abs=60)


def test_our_own_clock_is_used_until_the_server_says_and_its_being_off_is_said_once() -> None:
    structlog.reset_defaults()
    clock, ours = ServerClock("c"), time.monotonic()
    assert clock.now() == pytest.approx(time.time(), abs=60)
    with capture_logs() as logs:
        for _ in range(3):
            clock.learn(formatdate(time.time() - 4000, usegmt=True), ours, time.monotonic())
    assert [entry["event"] for entry in logs] == ["our clock is off, using the server's"]


@pytest.mark.parametrize("text", [None, "", "yesterday", "Sat, 99 Nov 2026 25:00:00 GMT"])
def test_a_date_nobody_can_read_is_no_date(text: str | None) -> None:
    assert http_date(text) is None
    clock = ServerClock("c")
    clock.learn(text, 0.0, 0.0)
    assert not clock.heard
