"""One login at a time, for everybody, before the old session ends; a refusal says what to check."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
import responses
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from icp_sync.crm.salesforce.login import GRACE_SECONDS, SESSION_SECONDS, Credentials, Login
from icp_sync.errors import AuthError, UnavailableError

URL = "https://acme.my.salesforce.com"
TOKEN_URL = f"{URL}/services/oauth2/token"
SECRET = "the-consumer-secret"
BY_SECRET = Credentials(consumer_key="key", consumer_secret=SecretStr(SECRET), my_domain="acme.my")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def clock() -> Clock:
    return Clock()


def login(clock: Clock, credentials: Credentials = BY_SECRET, base: str = URL) -> Login:
    return Login(credentials, base_url=base, clock=clock, sleep=lambda _: False)


def grant(server: responses.RequestsMock, token: str = "00D!one", host: str = URL) -> None:
    server.add("POST", TOKEN_URL, json={"access_token": token, "instance_url": host, "token_type": "Bearer"})


def shown(login: Login) -> str:
    return login.token().text.get_secret_value()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def test_client_credentials_go_to_the_orgs_own_domain_and_not_into_the_body(
    server: responses.RequestsMock, clock: Clock
) -> None:
    grant(server)
    assert shown(login(clock)) == "00D!one"
    request = server.calls[0].request
    expected = base64.b64encode(f"key:{SECRET}".encode()).decode()
    assert request.headers["Authorization"] == f"Basic {expected}"
    assert request.body == b"grant_type=client_credentials"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize("audience", ["login", "test"])
def test_a_signed_assertion_names_the_user_the_app_and_the_audience(
    server: responses.RequestsMock, clock: Clock, key: rsa.RSAPrivateKey, audience: str
) -> None:
    grant(server)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    signed = Credentials(
        consumer_key="key",
        consumer_secret=SecretStr(SECRET),  # both given: nothing but the signature travels
        username="icp&sync@acme.example",
        private_key=SecretStr(pem),
        my_domain="acme.my",
        audience=audience,
    )
    assert shown(login(clock, signed)) == "00D!one"
    form = parse_qs(bytes(server.calls[0].request.body or b"").decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    claims = jwt.decode(
        form["assertion"][0], key.public_key(), ["RS256"], audience=f"https://{audience}.salesforce.com"
    )
    assert (claims["iss"], claims["sub"]) == ("key", "icp&sync@acme.example")
    assert SECRET not in str(server.calls[0].request.headers) + str(form)


def test_a_private_key_that_is_none_is_a_clear_error_that_does_not_show_it(clock: Clock) -> None:
    broken = Credentials(consumer_key="key", username="u", private_key=SecretStr("-----BEGIN hush"))
    with pytest.raises(AuthError, match="private key") as raised:
        login(clock, broken).token()
    assert "hush" not in str(raised.value)


def test_no_credentials_at_all_is_a_clear_error(clock: Clock) -> None:
    with pytest.raises(AuthError, match="no credentials") as raised:
        login(clock, Credentials(consumer_key="key")).token()
    assert "consumer key" in raised.value.next_step


def test_a_given_session_is_used_as_it_is_and_cannot_be_renewed(clock: Clock) -> None:
    given = login(clock, Credentials(session_id=SecretStr("00D!given")))
    assert shown(given) == "00D!given"
    with pytest.raises(AuthError, match="session id"):
        given.renew(1)


# When


def test_a_session_is_used_for_three_quarters_of_its_life(
    server: responses.RequestsMock, clock: Clock
) -> None:
    grant(server, "00D!one")
    grant(server, "00D!two")
    mine = login(clock)
    assert shown(mine) == "00D!one"
    clock.now = 0.75 * SESSION_SECONDS - 1
    assert shown(mine) == "00D!one"
    clock.now = 0.75 * SESSION_SECONDS
    assert shown(mine) == "00D!two"
    assert mine.token().generation == 2


def test_a_renewal_nobody_answers_leaves_the_session_there_is(
    server: responses.RequestsMock, clock: Clock
) -> None:
    grant(server, "00D!one")
    mine = login(clock)
    mine.token()
    server.replace("POST", TOKEN_URL, status=503)
    clock.now = 0.8 * SESSION_SECONDS
    assert shown(mine) == "00D!one"
    asked = len(server.calls)
    assert shown(mine) == "00D!one"
    assert len(server.calls) == asked
    server.replace("POST", TOKEN_URL, json={"access_token": "00D!two", "instance_url": URL})
    clock.now += GRACE_SECONDS
    assert shown(mine) == "00D!two"


def test_eight_threads_whose_session_ended_log_in_once(server: responses.RequestsMock, clock: Clock) -> None:
    grant(server, "00D!one")
    grant(server, "00D!two")
    mine = login(clock)
    old = mine.token().generation
    together = threading.Barrier(8)

    def renew() -> str:
        together.wait()
        mine.renew(old)
        return shown(mine)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lambda _: renew(), range(8))) == {"00D!two"}
    assert len(server.calls) == 2


# Refusals


@pytest.mark.parametrize(
    ("code", "said", "advice"),
    [
        ("invalid_client_id", "client identifier invalid", "consumer key"),
        ("invalid_client", "invalid client credentials", "consumer secret"),
        ("invalid_grant", "no client credentials user enabled", "run-as user"),
        ("invalid_grant", "user hasn't approved this consumer", "pre-authorised"),
        ("unheard_of", "", "External Client App"),
    ],
)
def test_a_refused_login_names_what_to_check_and_never_the_secret(
    server: responses.RequestsMock, clock: Clock, code: str, said: str, advice: str
) -> None:
    body = {"error": code, "error_description": f"{said} ({SECRET})"}
    server.add("POST", TOKEN_URL, status=400, json=body)
    with pytest.raises(AuthError, match=code) as raised:
        login(clock).token()
    assert advice in raised.value.next_step
    assert said in str(raised.value)
    assert SECRET not in str(raised.value)


def test_a_refused_login_is_not_asked_for_again_at_once(server: responses.RequestsMock, clock: Clock) -> None:
    server.add("POST", TOKEN_URL, status=400, json={"error": "invalid_client"})
    mine = login(clock)
    for _ in range(5):
        with pytest.raises(AuthError, match="invalid_client"):
            mine.token()
    assert len(server.calls) == 1
    clock.now += GRACE_SECONDS
    server.replace("POST", TOKEN_URL, json={"access_token": "00D!two", "instance_url": URL})
    assert shown(mine) == "00D!two"


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        ({"status": 404, "body": "<html>who?</html>"}, AuthError, "no Salesforce login"),
        ({"status": 200, "body": "<html>log in</html>"}, UnavailableError, "not JSON"),
        ({"status": 302, "headers": {"Location": "https://x"}}, UnavailableError, "302"),
        ({"status": 401, "json": {"error": "invalid_client"}}, AuthError, "invalid_client"),
        ({"status": 401, "body": "<html>"}, AuthError, "401"),
        ({"status": 400, "json": {"error": "rate_limit_exceeded"}}, UnavailableError, "rate_limit"),
        ({"status": 200, "json": []}, UnavailableError, "without a token"),
        ({"status": 200, "json": {"access_token": "00D!x"}}, UnavailableError, "without a token"),
        ({"status": 200, "json": {"access_token": 1, "instance_url": URL}}, UnavailableError, "token"),
        ({"status": 200, "body": ""}, UnavailableError, "not JSON"),
    ],
)
def test_whatever_stands_at_the_wrong_address_is_one_of_our_errors(
    server: responses.RequestsMock, clock: Clock, reply: dict[str, Any], error: type[Exception], words: str
) -> None:
    server.add("POST", TOKEN_URL, **reply)
    with pytest.raises(error, match=words):
        login(clock).token()


def test_an_org_that_answers_elsewhere_is_named_before_a_token_travels(
    server: responses.RequestsMock, clock: Clock
) -> None:
    grant(server, host="https://other.my.salesforce.com")
    with pytest.raises(AuthError, match=r"other\.my\.salesforce\.com") as raised:
        login(clock).token()
    assert raised.value.next_step == "set my_domain to other.my"


def test_behind_an_address_of_ones_own_the_org_may_have_any_name(clock: Clock) -> None:
    with responses.RequestsMock() as server:
        reply = {"access_token": "00D!one", "instance_url": URL}
        server.add("POST", "http://127.0.0.1:8080/services/oauth2/token", json=reply)
        assert shown(login(clock, base="http://127.0.0.1:8080")) == "00D!one"


def test_no_log_line_holds_a_secret(
    server: responses.RequestsMock, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    grant(server, "00D!one")
    login(clock).token()
    written = capsys.readouterr()
    assert "00D!one" not in json.dumps([written.out, written.err])
    assert SECRET not in written.out + written.err
