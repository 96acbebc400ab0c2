"""Who may come in: users, roles, sessions, and what a client that has not logged in gets."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from icp_sync.console.access import FREE_TRIES, IDLE, LASTS, SESSIONS, Access, Role, User, fits, hashed
from icp_sync.errors import ConfigError, UnavailableError
from tests.console.conftest import Console, Serve

PASSWORD = "correct horse battery"
KEPT = hashed(PASSWORD)
USERS = {
    "ada": {"role": "approver", "password": KEPT},
    "ben": {"role": "viewer", "password": KEPT},
    "cy": {"role": "operator", "password": KEPT},
}


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def access(clock: Clock) -> Access:
    return Access({"ada": (Role.APPROVER, KEPT)}, None, clock)


@pytest.fixture
def locked(serve: Serve) -> Console:
    return serve(users=USERS)


def log_in(console: Console, name: str, password: str = PASSWORD, **form: str) -> requests.Response:
    return console.session.post(
        console.at("/login"), data={"name": name, "password": password, **form}, timeout=30
    )


def test_a_password_is_kept_as_a_digest_that_only_it_fits() -> None:
    again = hashed(PASSWORD)
    assert fits(PASSWORD, KEPT)
    assert fits(PASSWORD, again)
    assert again != KEPT
    assert PASSWORD not in KEPT
    assert not fits(PASSWORD + " ", KEPT)
    assert not fits("", KEPT)


@pytest.mark.parametrize("kept", ["", "scrypt", "scrypt:15:a:b", "scrypt:99:YWFh:YWFh", "md5:1:a:b", ":::"])
def test_a_digest_that_is_none_fits_nothing(kept: str) -> None:
    assert not fits(PASSWORD, kept)


def test_a_short_password_is_refused() -> None:
    with pytest.raises(ValueError, match="12"):
        hashed("short")


def test_a_session_ends_when_idle_and_when_old(access: Access, clock: Clock) -> None:
    idle = access.begin(User(name="ada", role=Role.APPROVER))
    clock.now += IDLE + 1
    assert access.session(idle.id) is None
    used = access.begin(User(name="ada", role=Role.APPROVER))
    for _ in range(int(LASTS / IDLE) + 1):
        assert access.session(used.id) is used
        clock.now += IDLE - 1
    clock.now += IDLE
    assert access.session(used.id) is None


def test_there_are_only_so_many_sessions(access: Access) -> None:
    first = access.begin(None)
    for _ in range(SESSIONS):
        access.begin(None)
    assert access.session(first.id) is None


def test_guessing_waits_ever_longer_even_for_the_right_password(access: Access, clock: Clock) -> None:
    for _ in range(FREE_TRIES):
        assert access.wait("ada") == 0
        assert access.login("ada", "wrong password") is None
    waits = access.wait("ada")
    assert waits > 0
    assert access.login("ada", PASSWORD) is None
    clock.now += waits + 0.1
    found = access.login("ada", PASSWORD)
    assert found is not None
    assert found.role is Role.APPROVER
    assert access.wait("ada") == 0


def test_an_unknown_name_is_told_nothing_else_than_a_wrong_password(locked: Console) -> None:
    unknown, wrong = log_in(locked, "nobody"), log_in(locked, "ada", "wrong password")
    assert unknown.status_code == wrong.status_code == 403
    assert unknown.text.replace("nobody", "ada") == wrong.text


def test_a_client_without_a_login_gets_nothing_of_the_portal(locked: Console) -> None:
    locked.journal.audit("secret thing", who="x", now=1.0)
    for path in ("", "now", "runs", "accounts", "accounts/1", "held", "nothing-here", "/", "/c/other/"):
        reply = locked.get(path, allow_redirects=False)
        assert reply.status_code == 303, path
        assert reply.headers["location"].startswith("/login?next=")
        assert reply.text == ""
    fragment = locked.get("now", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment.text) == (401, "log in first\n")
    assert locked.connection not in locked.get("/login").text


def test_a_form_without_a_login_does_nothing(locked: Console) -> None:
    reply = locked.session.post(locked.at("held/release"), data={"csrf": "x"}, timeout=30)
    assert reply.status_code in (401, 403)


def test_logging_in_leads_where_one_wanted_to_go_and_never_elsewhere(locked: Console) -> None:
    reply = log_in(locked, "ada", next="/c/demo/")
    assert reply.status_code == 200
    assert "Overview" in reply.text
    for evil in ("https://evil.example/", "//evil.example/", "/\\evil.example", "/x\r\nSet-Cookie: a=b"):
        locked.session.cookies.clear()
        sent = log_in_without_following(locked, evil)
        assert sent.headers["location"] == "/"


def log_in_without_following(console: Console, wanted: str) -> requests.Response:
    form = {"name": "ada", "password": PASSWORD, "next": wanted}
    return console.session.post(console.at("/login"), data=form, timeout=30, allow_redirects=False)


def test_the_session_is_a_new_one_after_the_login_and_gone_after_the_logout(locked: Console) -> None:
    log_in(locked, "ada")
    cookie = next(iter(locked.session.cookies))
    assert cookie.value
    assert "HttpOnly" in cookie._rest  # type: ignore[attr-defined]
    assert cookie._rest["SameSite"] == "Lax"  # type: ignore[attr-defined]
    reply = locked.post("/logout", "")
    assert "Password" in reply.text
    assert locked.get("", allow_redirects=False).status_code == 303


def test_without_users_whoever_reaches_loopback_has_the_role_the_settings_say(serve: Serve) -> None:
    assert "operator" in serve().get("").text
    assert "viewer" in serve(local="viewer").get("").text


@pytest.mark.parametrize(
    ("listen", "said", "wanted"),
    [
        ("0.0.0.0:0", {}, "no users"),
        ("0.0.0.0:0", {"users": USERS, "hosts": ["icp.example.com"]}, "in the clear"),
        ("127.0.0.1:0", {"hosts": ["icp.example.com"]}, "no users"),
        ("nonsense", {}, "HOST:PORT"),
    ],
)
def test_a_console_that_anybody_could_read_does_not_start(
    serve: Serve, listen: str, said: dict[str, object], wanted: str
) -> None:
    with pytest.raises(ConfigError, match=wanted):
        serve(listen, **said)


def test_a_port_that_is_taken_is_said(serve: Serve) -> None:
    refused = pytest.raises(UnavailableError, match="cannot answer")
    with socket.create_server(("127.0.0.1", 0)) as taken, refused:
        serve(f"127.0.0.1:{taken.getsockname()[1]}")


def test_behind_a_proxy_everything_needs_a_login_and_cookies_are_for_https_only(serve: Serve) -> None:
    console = serve("0.0.0.0:0", users=USERS, proxy=True, hosts=["icp.example.com"])
    console.url = console.url.replace("0.0.0.0", "127.0.0.1")
    seen = console.get("", headers={"Host": "icp.example.com"}, allow_redirects=False)
    assert seen.status_code == 303
    assert "max-age" in seen.headers["strict-transport-security"]
    reply = console.session.post(
        console.at("/login"),
        data={"name": "ada", "password": PASSWORD},
        headers={"Host": "icp.example.com"},
        timeout=30,
        allow_redirects=False,
    )
    assert "__Host-icp_sync=" in reply.headers["set-cookie"]
    assert "Secure" in reply.headers["set-cookie"]


def test_many_guesses_at_once_are_as_many_tries(access: Access) -> None:
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda _: access.login("ada", "wrong password"), range(20)))
    assert found == [None] * 20
    assert access._failed["ada", ""][0] == FREE_TRIES


def test_who_fails_elsewhere_keeps_nobody_out_here(access: Access) -> None:
    for _ in range(FREE_TRIES):
        access.login("ada", "wrong password", "203.0.113.9")
    assert access.wait("ada", "203.0.113.9") > 0
    assert access.login("ada", PASSWORD, "198.51.100.7") is not None


def test_a_page_that_asks_again_by_itself_keeps_no_session_open(access: Access, clock: Clock) -> None:
    session = access.begin(User(name="ada", role=Role.APPROVER))
    clock.now += IDLE - 1
    assert access.session(session.id, used=False) is session
    clock.now += 2
    assert access.session(session.id, used=False) is None


@pytest.mark.parametrize("password", [" " * 13, "x" * 1_025])
def test_a_password_that_would_never_log_in_is_refused_when_it_is_made(password: str) -> None:
    with pytest.raises(ValueError, match="password has at"):
        hashed(password)


def test_behind_a_proxy_nobody_comes_in_without_users(serve: Serve) -> None:
    with pytest.raises(ConfigError, match="no users"):
        serve(proxy=True)
    undeclared = serve()
    reply = undeclared.get("accounts", headers={"X-Forwarded-For": "203.0.113.9"})
    assert reply.status_code == 403
    assert "proxy" in reply.text


def test_listening_everywhere_wants_the_names_it_is_reached_by(serve: Serve) -> None:
    with pytest.raises(ConfigError, match="hosts"):
        serve("0.0.0.0:0", users=USERS, proxy=True)
