"""Around every request: names it may be asked by, forms of other sites, what a browser may run."""

from __future__ import annotations

import socket

import pytest
import requests

from icp_sync.console.connections import PLACES
from tests.console.conftest import Console
from tests.console.corpus import XSS


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.evil.example:8800"]
)
def test_a_name_that_was_made_to_lead_here_reads_nothing(console: Console, host: str) -> None:
    reply = console.get("", headers={"Host": host})
    assert reply.status_code == 421
    assert "Overview" not in reply.text


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8800", "LOCALHOST"])
def test_loopback_has_several_names(console: Console, host: str) -> None:
    assert console.get("", headers={"Host": host}).status_code == 200


def test_every_answer_forbids_what_is_not_ours(console: Console) -> None:
    for path in ("", "/", "/login", "nothing", "/static/console.css", "/static/../app.py"):
        reply = console.get(path, allow_redirects=False)
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert reply.headers["x-frame-options"] == "DENY"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "server" not in reply.headers
        if "/static/" not in path:
            assert reply.headers["cache-control"] == "no-store"


def test_only_our_own_files_are_served(console: Console) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd", "/static/"):
        assert console.get(path).status_code in (404, 405)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 400),
        ({"Content-Type": "application/json"}, 400),
    ],
)
def test_a_form_of_another_site_does_nothing(console: Console, headers: dict[str, str], status: int) -> None:
    console.get("")
    reply = console.session.post(console.at("/logout"), data={"csrf": "x"}, headers=headers, timeout=30)
    assert reply.status_code == status


def test_a_form_without_this_sessions_token_does_nothing(console: Console) -> None:
    console.get("")
    for sent in ({"x": ""}, {"csrf": ""}, {"csrf": "guess"}):
        assert console.session.post(console.at("/logout"), data=sent, timeout=30).status_code == 403


def test_a_form_that_is_too_large_or_no_form_is_refused(console: Console) -> None:
    console.get("")
    for body in ("x" * 70_000, "a=%ff", "&".join(f"f{n}=1" for n in range(300))):
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        reply = console.session.post(console.at("/logout"), data=body, headers=kind, timeout=30)
        assert reply.status_code == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_do_nothing(console: Console, method: str) -> None:
    assert console.session.request(method, console.at(""), timeout=30).status_code == 405


def test_an_unknown_connection_or_page_is_said_to_be_none(console: Console) -> None:
    for path in ("/c/other/", "/c/other/runs", "nothing-of-that-name", "/c/%3Cscript%3E/"):
        reply = console.get(path)
        assert reply.status_code == 404
        assert "<script>" not in reply.text.replace('<script src="/static', "")


def test_the_corpus_reached_the_journal(console: Console) -> None:
    """Else the pages' tests would prove nothing."""
    assert sum(bool(console.journal.find(name)) for name in XSS) >= len(XSS) - 3


@pytest.mark.parametrize("path", ["accounts?q=%00", "accounts/%00", "runs?after=a%00", "runs/%00"])
def test_an_address_with_a_nul_is_refused_once_for_all(console: Console, path: str) -> None:
    assert console.get(path).status_code == 400


def test_a_form_with_a_nul_is_refused(console: Console) -> None:
    console.get("")
    reply = console.session.post(console.at("/logout"), data={"csrf": "a\0"}, timeout=30)
    assert reply.status_code == 400


@pytest.mark.parametrize("origin", ["http://[", "http://]", "\u00e9"])
def test_an_origin_that_cannot_be_read_is_another_site(console: Console, origin: str) -> None:
    headers = {"Origin": origin.encode()}
    reply = console.session.post(console.at("/login"), data={"name": "x"}, headers=headers, timeout=30)
    assert reply.status_code == 403
    assert "content-security-policy" in reply.headers


@pytest.mark.parametrize("other", ['x={"a": "b"}', "foo[bar]=1", 'a="unclosed', "=x", "a b=c", "novalue"])
def test_cookies_of_other_programs_on_this_host_lose_nobodys_session(console: Console, other: str) -> None:
    ours = console.get("").headers["set-cookie"].partition(";")[0]
    for cookie in (f"{other}; {ours}", f"{ours}; {other}"):
        reply = requests.get(console.at(""), headers={"Cookie": cookie}, timeout=30)
        assert "set-cookie" not in reply.headers


def test_who_says_nothing_makes_room(console: Console) -> None:
    """More silent connections than there are places, and the console still answers."""
    host, port = console.url.removeprefix("http://").split(":")
    silent = [socket.create_connection((host, int(port)), timeout=30) for _ in range(PLACES + 20)]
    try:
        assert requests.get(console.at(""), timeout=30).status_code == 200
    finally:
        for one in silent:
            one.close()
