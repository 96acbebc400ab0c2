"""A robots.txt is obeyed as RFC 9309 reads it, however it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.enrichers.robots import allows


def may(text: str, path: str = "/") -> bool:
    return allows(200, text.encode(), "icp-sync", path)


@pytest.mark.parametrize(
    "text",
    [
        "User-agent: *\nDisallow: /",
        "User-agent: *\nDisallow: /*",
        "User-agent: *\nDisallow: *",
        "User-agent: *\nDisallow: /$",
        "User-agent: *\n\nDisallow: /",
        "User-agent: *\nCrawl-delay: 5\n\nUser-agent: *\nDisallow: /",
        "User-agent: *\nDisallow: /admin\n\nUser-agent: *\nDisallow: /",
        "User-agent: icp-sync\nDisallow: /a\n\nUser-agent: icp-sync\nDisallow: /",
        "User-agent: icp-sync/1.0\nDisallow: /",
        "User-agent: ICP-Sync # ours\nDisallow: / # all",
        "User-agent: other\nUser-agent: icp-sync\nDisallow: /\nUser-agent: *\nAllow: /",
        "User-agent: *\nDisallow: / # [all of it]\nDisallow: //[x",
        "User-agent: *\nSitemap: https://acme.com/s.xml\nDisallow: /",
        "User-agent: *\rDisallow: /\r",
        "\ufeffuser-agent : *\r\ndisallow : /",
    ],
)
def test_a_site_that_keeps_its_home_page_to_itself_is_left_alone(text: str) -> None:
    assert not may(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>welcome</html>",
        "Disallow: /",
        "User-agent: *\nDisallow:",
        "User-agent: *\nDisallow: /a\nDisallow: /$x",
        "User-agent: *\nAllow: /\nDisallow: /",
        "User-agent: *\nAllow: /$\nDisallow: /",
        "User-agent: icp-sync\nAllow: /\n\nUser-agent: *\nDisallow: /",
        "User-agent: icp-sync-other\nDisallow: /",
        "User-agent: icp\nDisallow: /",
        "User-agent: *bot\nDisallow: /",
    ],
)
def test_what_forbids_us_nothing_lets_us_in(text: str) -> None:
    assert may(text)


@pytest.mark.parametrize(
    ("rule", "path", "matches"),
    [
        ("/fish", "/fishheads", True),
        ("/fish", "/Fish", False),
        ("/fish*", "/fish", True),
        ("/*.php", "/a/b.php?c=1", True),
        ("/*.php$", "/a/b.php?c=1", False),
        ("/*.php$", "/a.php/b.php", True),
        ("/fish*.php", "/fishheads/catfish.php", True),
        ("/a*a$", "/a", False),
        ("/$", "/a", False),
        ("/path/file-with-a-%2A.html", "/path/file-with-a-*.html", True),
        ("/path/foo-%24", "/path/foo-$", True),
        ("/foo/bar/\u30c4", "/foo/bar/%E3%83%84", True),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz", True),
        ("/a%2fb", "/a%2Fb", True),
        ("/a%2fb", "/a/b", False),
    ],
)
def test_a_rule_matches_as_the_rfc_and_its_examples_say(rule: str, path: str, matches: bool) -> None:
    assert may(f"User-agent: *\nDisallow: {rule}", path) is not matches


def test_the_longest_rule_decides() -> None:
    text = "User-agent: *\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif"
    assert not may(text, "/example/page/disallowed.gif")
    assert may(text, "/example/page/other.gif")


def test_a_file_that_is_not_there_allows_and_one_that_cannot_be_had_forbids() -> None:
    closed = b"User-agent: *\nDisallow: /"
    found = {status: allows(status, closed, "icp-sync", "/") for status in (200, 304, 404, 500, 503, 100)}
    assert found == {200: False, 304: True, 404: True, 500: False, 503: False, 100: False}


def test_a_rule_made_to_be_slow_is_read_once() -> None:
    assert may("User-agent: *\nDisallow: /" + "*a" * 200_000 + "b", "/" + "a" * 2_000)


@given(st.integers(100, 599), st.binary(max_size=300))
def test_any_robots_txt_is_an_answer(status: int, body: bytes) -> None:
    assert allows(status, body, "icp-sync", "/") in (True, False)
