"""A company's home page as a source: what it gives away, and how politely it is visited. Over real TLS."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.facts import Members
from icp_sync.enrichers import load as load_enrichers
from icp_sync.enrichers.fingerprints import load
from icp_sync.enrichers.page_seen import seen
from icp_sync.enrichers.robots import allows
from icp_sync.enrichers.website import Website
from icp_sync.errors import ConfigError
from icp_sync.http import fetch
from icp_sync.ports import Answer as Said
from icp_sync.ports import Hit, Miss, Request, Unavailable
from tests.security.site import PUBLIC, Answer, Site, certified, moved, page

ACME = "acme.com"
FREE = page(b"User-agent: *\nAllow: /\n", kind="text/plain")
HOME = (
    b"<html><head><title>Acme</title><script src=https://js.hs-scripts.com/123.js></script>"
    b'<meta name="generator" content="WordPress 6.7"></head><body><p>We sell rope.</p></body></html>'
)


@contextmanager
def site(folder: Path, answers: Mapping[str, Answer], **made: object) -> Iterator[tuple[Site, Website]]:
    """A site of acme.com, and an enricher whose every visit leads there."""
    theirs, ours = certified(folder, ACME)
    with Site(answers, tls=theirs) as there:
        website = Website(**made)  # type: ignore[arg-type]
        website.visit = partial(fetch, resolve=lambda *_: [PUBLIC], dial=there.dial, trust=ours)
        yield there, website


def asked(website: Website, domain: str = ACME) -> Said:
    (answer,) = website.answer([Request(account_id="1", domain=domain)])
    return answer


def looked(folder: Path, home: bytes, robots: bytes = FREE) -> Said:
    with site(folder, {"/robots.txt": robots, "/": home}) as (_, website):
        return asked(website)


def technologies(answer: Said) -> frozenset[str]:
    assert isinstance(answer, Hit), answer
    (signal,) = answer.signals
    assert isinstance(signal.value, Members)
    assert not signal.value.complete
    return signal.value.known


def test_a_home_page_gives_away_what_it_is_made_with(tmp_path: Path) -> None:
    headers = (
        "Server: cloudflare",
        "Set-Cookie: a=1",
        "Set-Cookie: intercom-id-x=2; Expires=Wed, 1 Jan 2031",
    )
    answer = looked(tmp_path, page(HOME, *headers))
    assert technologies(answer) == {"hubspot", "wordpress", "cloudflare", "intercom"}
    assert isinstance(answer, Hit)
    assert answer.signals[0].raw == "seen on acme.com: cloudflare, hubspot, intercom, wordpress"
    assert answer.charge == 0.0


def test_a_visit_is_robots_txt_and_one_page_and_says_who_it_is(tmp_path: Path) -> None:
    answers = {"/robots.txt": FREE, "/": page(HOME)}
    with site(tmp_path, answers, contact="https://example.org/bot") as (there, website):
        technologies(asked(website))
        assert [line.split(" ")[1] for line in there.asked] == ["/robots.txt", "/"]
        assert all("User-Agent: icp-sync/0.1.0 (+https://example.org/bot)\r\n" in a for a in there.asked)
        again = asked(website)
        assert isinstance(again, Unavailable)
        assert again.kind == "throttled"
        assert again.retry_after is not None
        assert len(there.asked) == 2, "nobody is visited twice in an hour"


@pytest.mark.parametrize(
    ("robots", "answer"),
    [
        (page(b"User-agent: *\nDisallow: /", kind="text/plain"), Miss),
        (page(b"User-agent: icp-sync\nDisallow: /\n\nUser-agent: *\nAllow: /", kind="text/plain"), Miss),
        (page(b"User-agent: *\nDisallow: /private", kind="text/plain"), Hit),
        (page(b"User-agent: *\nDisallow: //[half\nDisallow: /", kind="text/plain"), Miss),
        (page(b"<html>no such page</html>", status="404 Not Found"), Hit),
        (page(b"<html>welcome</html>"), Hit),
        (page(b"", status="503 Busy"), Unavailable),
        (page(b"", "Retry-After: 90", status="429 Slow down"), Unavailable),
    ],
)
def test_robots_txt_decides_whether_the_page_is_visited(
    tmp_path: Path, robots: bytes, answer: type[Said]
) -> None:
    with site(tmp_path, {"/robots.txt": robots, "/": page(HOME)}) as (there, website):
        said = asked(website)
        assert isinstance(said, answer)
        assert len(there.asked) == (2 if answer is Hit else 1)
        if isinstance(said, Unavailable) and b"Retry-After" in robots:
            assert said.retry_after == 90.0


@pytest.mark.parametrize(
    "home",
    [
        page(b"<title>acme.com</title><p>This domain is for sale!</p>" + HOME),
        page(b"<script src='//d38psrni17bvxu.parkingcrew.net/x.js'></script>" + HOME),
        page(b"<p>Nothing to see</p>"),
        page(b"", kind="text/plain"),
        page(b"%PDF", kind="application/pdf"),
        page(HOME, status="403 Forbidden"),
        moved("http://169.254.169.254/latest/meta-data/"),
    ],
)
def test_what_says_nothing_of_the_company_is_a_clean_miss(tmp_path: Path, home: bytes) -> None:
    assert looked(tmp_path, home) == Miss()


def test_a_site_that_has_trouble_is_asked_again_later(tmp_path: Path) -> None:
    for status, kind in (("500 Oh", "error"), ("503 Busy", "throttled")):
        answer = looked(tmp_path, page(HOME, status=status))
        assert isinstance(answer, Unavailable)
        assert answer.kind == kind
    gone = Website()
    gone.visit = partial(fetch, resolve=lambda *_: [])
    assert asked(gone) == Unavailable(kind="error", message="no host of this name is known (DNS)")


def test_a_redirect_to_another_companys_name_says_nothing_of_this_one(tmp_path: Path) -> None:
    theirs, trust = certified(tmp_path, "buyer.com")
    moves = {"/robots.txt": FREE, "/": moved("https://buyer.com/")}
    buyer = Site({"/": page(HOME), "/robots.txt": FREE}, tls=theirs)
    with site(tmp_path, moves) as (there, website), buyer:
        trust.load_verify_locations(cafile=tmp_path / f"{ACME}.pem")
        website.visit = partial(
            fetch,
            resolve=lambda host, _: [PUBLIC if host == ACME else "93.184.216.35"],
            dial=lambda ip, port, seconds: (there if ip == PUBLIC else buyer).dial(ip, port, seconds),
            trust=trust,
        )
        assert asked(website) == Miss(ambiguous=True)
        assert len(buyer.asked) == 1


def test_a_name_that_answers_only_with_www_is_found_there(tmp_path: Path) -> None:
    theirs, ours = certified(tmp_path, "www.acme.com")
    with Site({"/robots.txt": FREE, "/": page(HOME)}, tls=theirs) as there:
        website = Website()
        website.visit = partial(
            fetch,
            resolve=lambda host, _: [PUBLIC] if host == "www.acme.com" else [],
            dial=there.dial,
            trust=ours,
        )
        assert "hubspot" in technologies(asked(website))


def test_nobody_elses_machines_are_visited_for_a_domain_that_is_none() -> None:
    website = Website()
    website.visit = partial(fetch, resolve=lambda *_: pytest.fail("looked up"))
    for domain in ("gmail.com", "acme.github.io", "localhost", "169.254.169.254", "", "jane@acme.com"):
        assert isinstance(asked(website, domain), Unavailable)
        assert not website.takes(Request(account_id="1", domain=domain))
    assert website.takes(Request(account_id="1", domain=ACME))


def test_all_sites_together_are_visited_no_faster_than_stated(tmp_path: Path) -> None:
    with site(tmp_path, {"/robots.txt": FREE, "/": page(HOME)}, per_minute=1) as (_, website):
        assert isinstance(asked(website), Hit)
        other = asked(website, "other.com")
        assert isinstance(other, Unavailable)
        assert other.retry_after is not None
        assert 50 < other.retry_after <= 60


def test_a_packed_page_is_read_up_to_a_bound(tmp_path: Path) -> None:
    bomb = gzip.compress(HOME + b" " * 50_000_000)
    assert "hubspot" in technologies(looked(tmp_path, page(bomb, "Content-Encoding: gzip")))


def test_what_people_read_about_a_tool_is_not_the_tool() -> None:
    text = b"<p>Paste https://js.hs-scripts.com/1.js and /wp-content/ anywhere.</p>"
    known = load()
    assert known.technologies(seen(text, {})) == frozenset()
    assert known.technologies(seen(b"<a href='https://js.hs-scripts.com/1.js'>" + text, {})) == {"hubspot"}
    inline = rb'<script>s.src="https:\/\/cdn.segment.com\/analytics.js"</script>'
    assert known.technologies(seen(inline, {})) == {"segment"}
    assert known.technologies(seen(b"<img src=//notjs.hs-scripts.com.evil.io/x>", {})) == frozenset()
    assert known.technologies(seen(b"<script>__NEXT_DATA__={}</script>", {})) == {"next.js", "react"}


def test_the_shipped_list_is_large_enough_to_be_of_use() -> None:
    known = load().known
    assert len(known) >= 80
    assert {"hubspot", "salesforce", "pardot", "marketo", "intercom", "segment", "shopify"} <= set(known)
    assert all(also in known for one in known.values() for also in one.also)


def test_anybody_can_add_to_the_list(tmp_path: Path) -> None:
    own = tmp_path / "mine.yaml"
    own.write_text(
        "technologies:\n"
        "  Our Widget: {urls: https://widget.example.com/v1, also: [hubspot]}\n"
        "  segment: {cookies: none-of-this}\n"
        "parked: {text: coming soon to acme}\n"
    )
    known = load(str(own))
    looks = seen(b"<img src=//a.widget.example.com/v1/x.js><script src=//cdn.segment.com/a.js></script>", {})
    assert known.technologies(looks) == {"our widget", "hubspot"}
    assert known.parked(seen(b"<h1>Coming soon to Acme</h1>", {}))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("technologies: {x: {url: a.com}}", "mine.yaml:1:20: unknown key 'url' (did you mean 'urls'?)"),
        ("technologies: {x: {html: [ab]}}", "must be text of 3 characters or more"),
        ("technologies: {x: {}}", "'x' has no trace it could be known by"),
        ("technologies: {x: 5}", "must be a mapping of urls"),
        ("technologies: [x]", "must name technologies"),
        ("technologies: {x: {headers: {server: 1}}}", "must map a header"),
        ("other: 1", "unknown key 'other'"),
        ("- a", "must be a mapping of technologies, parked"),
        ("parked: 3", "must have urls or text"),
        ("technologies: {x: &a [*a]", "mine.yaml:1:"),
    ],
)
def test_a_list_that_is_wrong_says_where_and_why(tmp_path: Path, text: str, says: str) -> None:
    own = tmp_path / "mine.yaml"
    own.write_text(text)
    with pytest.raises(ConfigError) as wrong:
        load(str(own))
    assert says in str(wrong.value)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"fingerprints": "nowhere.yaml"}, "nowhere.yaml: cannot be read"),
        ({"contact": "späm"}, "contact: must be an e-mail address"),
        ({"contact": "a\r\nX: y"}, "contact: must be"),
        ({"per_minute": 0}, "per_minute: must be a number above 0"),
        ({"ttl_days": -1}, "ttl_days"),
        ({"patterns": "x"}, "unknown key"),
    ],
)
def test_keys_that_cannot_be_used_are_named(entry: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        load_enrichers([{"use": "website", **entry}])
    assert says in str(wrong.value)


def test_it_is_built_in() -> None:
    (website,) = load_enrichers([{"use": "website", "contact": "ops@example.org"}])
    assert (website.name, website.price, website.facts) == ("website", 0.0, {"technologies"})


@given(st.binary(max_size=600), st.dictionaries(st.text(max_size=8), st.text(max_size=30), max_size=3))
def test_any_page_can_be_looked_at(body: bytes, headers: dict[str, str]) -> None:
    looks = seen(body, headers)
    assert _KNOWN.technologies(looks) <= _KNOWN.known.keys()
    assert _KNOWN.parked(looks) in (True, False)


@pytest.mark.parametrize(
    "piece", [b"<", b"<script", b"<!--", b"//a.", b"<meta name=generator ", b"</", b"\\/"]
)
def test_a_page_made_to_be_slow_is_read_once(piece: bytes) -> None:
    assert seen(piece * (1_500_000 // len(piece)), {}).title == ""


@given(st.integers(100, 599), st.binary(max_size=300))
def test_any_robots_txt_is_an_answer(status: int, body: bytes) -> None:
    assert allows(status, body, "icp-sync", "https://acme.com/") in (True, False)


_KNOWN = load()
