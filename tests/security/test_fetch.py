"""A visit to a website: every hop checked, the checked address connected to, nothing without a bound."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from icp_sync.errors import UnavailableError
from icp_sync.http import Fetched, ForbiddenAddressError, Limits, fetch
from tests.security.site import PUBLIC, Answer, Site, certified, dripping, moved, page

SMALL = Limits(size=10_000)
SHORT = Limits(seconds=0.5, size=10_000)


def visit(site: Site, url: str = "http://acme.com/", limits: Limits = SMALL) -> Fetched:
    return fetch(url, limits=limits, resolve=lambda *_: [PUBLIC], dial=site.dial)


def answered(answers: Mapping[str, Answer], limits: Limits = SMALL) -> Fetched:
    with Site(answers) as site:
        return visit(site, limits=limits)


def test_a_page_is_read() -> None:
    with Site({"/a?b=c": page(b"hi", "X-Powered-By: us", kind="Text/HTML; charset=utf-8")}) as site:
        got = visit(site, "http://acme.com/a?b=c")
    assert (got.status, got.body, got.kind, got.cut) == (200, b"hi", "text/html", False)
    assert got.headers["x-powered-by"] == "us"
    assert "\r\nHost: acme.com\r\n" in site.asked[0]
    assert site.dialled == [(PUBLIC, 80)]


def test_an_error_of_the_site_is_an_answer_too() -> None:
    assert answered({"/": page(status="503 Busy")}).status == 503


def test_what_is_connected_to_is_what_was_checked() -> None:
    """DNS that means another place the second time it is asked is asked once a hop."""
    turns = iter([[PUBLIC], ["127.0.0.1"]])
    forbidden = pytest.raises(ForbiddenAddressError, match="not on the public internet")
    with Site({"/": moved("/again"), "/again": page()}) as site, forbidden:
        fetch("http://acme.com/", resolve=lambda *_: next(turns), dial=site.dial)
    assert site.dialled == [(PUBLIC, 80)]


@pytest.mark.parametrize(
    "to",
    [
        "http://169.254.169.254/latest/meta-data/",
        "//127.0.0.1/",
        "http://[::1]/",
        "http://localhost:80/",
        "file:///etc/passwd",
        "http://2130706433/",
        "http://user@acme.com/",
        "http://acme.com:6379/",
        "http://[broken",
        "gopher://acme.com/",
    ],
)
def test_a_redirect_to_a_forbidden_address_is_not_followed(to: str) -> None:
    with Site({"/": moved(to)}) as site, pytest.raises(ForbiddenAddressError):
        visit(site)
    assert len(site.asked) == 1


def test_three_redirects_are_followed_and_no_fourth() -> None:
    chain: dict[str, Answer] = {
        "/": moved("/1"),
        "/1": moved("2"),
        "/2": moved("http://www.acme.com/3", "308 X"),
    }
    with Site({**chain, "/3": page(b"there")}) as site:
        assert visit(site).url == "http://www.acme.com/3"
    with Site({**chain, "/3": moved("/4"), "/4": page()}) as site, pytest.raises(ForbiddenAddressError):
        visit(site)
    assert len(site.asked) == 4


def test_a_site_that_redirects_to_itself_ends() -> None:
    with pytest.raises(ForbiddenAddressError, match="more than 3"):
        answered({"/": moved("/")})


def test_a_redirect_can_be_looked_at_instead_of_followed() -> None:
    with Site({"/": page(b"x", "Location: /1", status="301 X", kind="image/png")}) as site:
        found = visit(site, limits=Limits(hops=0))
    assert (found.status, found.headers["location"], found.body) == (301, "/1", b"")


def test_no_more_than_the_limit_is_read() -> None:
    got = answered({"/": page(b"x" * 50_000)})
    assert (len(got.body), got.cut) == (10_000, True)


def test_a_page_without_an_end_is_cut_at_the_limit() -> None:
    endless = dripping(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", b"x" * 5_000, 0)
    assert answered({"/": endless}).cut


def test_a_packed_bomb_is_unpacked_to_the_limit_only() -> None:
    bomb = gzip.compress(b"\0" * 30_000_000)
    got = answered({"/": page(bomb, "Content-Encoding: gzip")}, Limits(size=1_000_000))
    assert (len(got.body), got.cut) == (1_000_000, True)


def test_a_packed_page_is_unpacked() -> None:
    got = answered({"/": page(gzip.compress(b"hello"), "Content-Encoding: gzip")})
    assert (got.body, got.cut) == (b"hello", False)


def test_a_page_that_stops_early_says_so() -> None:
    assert answered({"/": page(b"half", "Content-Length: 400")}).cut
    assert answered({"/": page(gzip.compress(b"hello" * 90)[:-9], "Content-Encoding: gzip")}).cut


@pytest.mark.parametrize("kind", ["application/zip", "image/png", "application/octet-stream", ""])
def test_what_is_no_page_is_left_unread(kind: str) -> None:
    with pytest.raises(ForbiddenAddressError, match="content type"):
        answered({"/": page(kind=kind)})


def test_a_packing_nobody_asked_for_is_refused() -> None:
    with pytest.raises(ForbiddenAddressError, match="packed"):
        answered({"/": page(b"x", "Content-Encoding: br")})


@pytest.mark.parametrize(
    "answer",
    [
        dripping(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\nContent-Type: te"),
        dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        dripping(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            b"A: b\r\n",
        ),
        dripping(b"", b""),
    ],
    ids=["body", "headers", "one header", "continue", "trailers", "silence"],
)
def test_a_site_that_drips_is_left_when_the_time_is_over(answer: Answer) -> None:
    with pytest.raises(UnavailableError):
        answered({"/": answer}, SHORT)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0" * 100,
        b"HTTP/9.9 banana\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n",
        page(b"not gzip", "Content-Encoding: gzip"),
        page(b"zz\r\n", "Transfer-Encoding: chunked"),
        page(b"ffffffffffffffffffff\r\nx", "Transfer-Encoding: chunked"),
    ],
)
def test_a_broken_reply_is_unavailable_and_nothing_else(answer: bytes) -> None:
    with pytest.raises(UnavailableError):
        answered({"/": answer}, SHORT)


def test_nobody_there_is_unavailable() -> None:
    def refused(*_: object) -> socket.socket:
        raise ConnectionRefusedError

    with pytest.raises(UnavailableError):
        fetch("http://acme.com/", resolve=lambda *_: [PUBLIC, "8.8.8.8"], dial=refused)


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert answered({"/": page()}).status == 200


def test_tls_names_the_host_and_not_its_number(tmp_path: Path) -> None:
    theirs, ours = certified(tmp_path, "acme.com")
    with Site({"/": page(b"safe")}, tls=theirs) as site:
        got = fetch("https://acme.com/", resolve=lambda *_: [PUBLIC], dial=site.dial, trust=ours)
    assert (got.body, site.names, site.dialled) == (b"safe", ["acme.com"], [(PUBLIC, 443)])


@pytest.mark.parametrize("name", ["acme.com", "other.com"])
def test_a_certificate_nobody_trusts_or_of_another_name_is_refused(name: str, tmp_path: Path) -> None:
    theirs, ours = certified(tmp_path, "acme.com")
    trust = None if name == "acme.com" else ours
    refused = pytest.raises(UnavailableError, match="certificate is not accepted")
    with Site({"/": page()}, tls=theirs) as site, refused:
        fetch(f"https://{name}/", resolve=lambda *_: [PUBLIC], dial=site.dial, trust=trust)
    assert site.asked == []


def test_a_handshake_that_never_ends_is_left_when_the_time_is_over() -> None:
    def dial(*_: object) -> socket.socket:
        ours, theirs = socket.socketpair()
        kept.append(theirs)
        return ours

    kept: list[socket.socket] = []
    with pytest.raises(UnavailableError, match="in time"):
        fetch("https://acme.com/", limits=SHORT, resolve=lambda *_: [PUBLIC], dial=dial)
    kept[0].close()
