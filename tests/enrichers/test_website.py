"""A company's home page as a source: what it gives away, and how politely it is visited. Over real TLS."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from icp_sync.domain.facts import Members
from icp_sync.enrichers import load as load_enrichers
from icp_sync.enrichers.website import NOBODY, Website
from icp_sync.errors import ConfigError
from icp_sync.http import fetch
from icp_sync.journal import Journal
from icp_sync.ports import Answer as Said
from icp_sync.ports import Hit, Miss, Request, Unavailable
from icp_sync.sync.vendors import Vendors
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
        assert again.kind == "error", "not the source's fault: the others are visited all the same"
        assert again.retry_after is not None
        assert len(there.asked) == 2, "nobody is visited twice in an hour"


@pytest.mark.parametrize(
    ("robots", "answer"),
    [
        (page(b"User-agent: *\nDisallow: /", kind="text/plain"), Miss),
        (page(b"User-agent: icp-sync\nDisallow: /\n\nUser-agent: *\nAllow: /", kind="text/plain"), Miss),
        (page(b"User-agent: *\nDisallow: /private", kind="text/plain"), Hit),
        (page(b"User-agent: *\nDisallow: /*", kind="text/plain"), Miss),
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


@pytest.mark.parametrize("status", ["500 Oh", "503 Busy", "429 Slow down"])
def test_trouble_with_one_site_is_no_trouble_with_the_source(tmp_path: Path, status: str) -> None:
    """However long it asks to be left alone, and however often it fails."""
    answers = {"/robots.txt": FREE, "/": page(b"", "Retry-After: 99999999", status=status)}
    with site(tmp_path, answers) as (there, website):
        vendors, journal = Vendors([website]), Journal.open(f"sqlite:///{tmp_path}/j.db", "main")
        for _ in range(8):
            said = asked(website)
            assert isinstance(said, Unavailable)
            vendors.ended(website, [said], journal, 0.0)
        assert vendors.resting("website", journal, 1.0) is None
        assert len(there.asked) == 2, "it is left alone itself"
        journal.close()


def test_names_that_lead_nowhere_are_the_sites_trouble_until_nobody_can_be_reached(tmp_path: Path) -> None:
    with site(tmp_path, {"/robots.txt": FREE, "/": page(HOME)}, per_minute=6000) as (_, website):
        there = website.visit
        website.visit = partial(fetch, resolve=lambda *_: [])
        nowhere = "no host of this name is known (DNS)"
        first = [asked(website, f"gone{n}.com") for n in range(NOBODY - 1)]
        assert first == [Unavailable(kind="bad_input", message=nowhere)] * (NOBODY - 1)
        assert asked(website, "gone.com") == Unavailable(kind="error", message=nowhere)
        website.visit = there
        technologies(asked(website))
        website.visit = partial(fetch, resolve=lambda *_: [])
        assert asked(website, "gone-too.com") == Unavailable(kind="bad_input", message=nowhere)


@contextmanager
def hosts(folder: Path, **sites: Mapping[str, Answer]) -> Iterator[tuple[dict[str, Site], Website]]:
    """Sites by name ("acme_com"), and an enricher that finds them by it."""
    trust = certified(folder, "nobody.com")[1]
    with ExitStack() as stack:
        found, addresses = {}, {}
        for last, (name, answers) in enumerate(sites.items(), 40):
            host = name.replace("_", ".")
            theirs, _ = certified(folder, host)
            trust.load_verify_locations(cafile=folder / f"{host}.pem")
            found[host] = addresses[f"93.184.216.{last}"] = stack.enter_context(Site(answers, tls=theirs))
        at = dict(zip(found, addresses, strict=True))
        website = Website()
        website.visit = partial(
            fetch,
            resolve=lambda host, _: [at[host]] if host in at else [],
            dial=lambda ip, port, seconds: addresses[ip].dial(ip, port, seconds),
            trust=trust,
        )
        yield found, website


CLOSED = page(b"User-agent: *\nDisallow: /", kind="text/plain")


def paths(site: Site) -> list[str]:
    return [line.split(" ")[1] for line in site.asked]


def test_another_companys_host_is_asked_for_nothing_wherever_a_redirect_leads(tmp_path: Path) -> None:
    buyer: dict[str, Answer] = {"/": page(HOME), "/robots.txt": FREE}
    moves: dict[str, Answer] = {"/robots.txt": FREE, "/": moved("https://buyer.com/")}
    with hosts(tmp_path, acme_com=moves, buyer_com=buyer) as (there, website):
        assert asked(website) == Miss(ambiguous=True)
        assert there["buyer.com"].asked == []
    robots: dict[str, Answer] = {"/robots.txt": moved("https://buyer.com/robots.txt"), "/": page(HOME)}
    with hosts(tmp_path, acme_com=robots, buyer_com=buyer) as (there, website):
        assert asked(website) == Miss(ambiguous=True)
        assert paths(there["acme.com"]) == ["/robots.txt"]
        assert there["buyer.com"].asked == []


def test_each_host_on_the_way_is_asked_for_what_its_own_robots_txt_allows(tmp_path: Path) -> None:
    moves: dict[str, Answer] = {"/robots.txt": FREE, "/": moved("https://www.acme.com/")}
    with hosts(tmp_path, acme_com=moves, www_acme_com={"/robots.txt": CLOSED, "/": page(HOME)}) as (
        there,
        website,
    ):
        assert asked(website) == Miss()
        assert paths(there["www.acme.com"]) == ["/robots.txt"]
    with hosts(tmp_path, acme_com=moves, www_acme_com={"/robots.txt": FREE, "/": page(HOME)}) as (_, website):
        assert "hubspot" in technologies(asked(website))
    private = page(b"User-agent: *\nDisallow: /private/", kind="text/plain")
    inner: dict[str, Answer] = {
        "/robots.txt": private,
        "/": moved("/private/home"),
        "/private/home": page(HOME),
    }
    with hosts(tmp_path, acme_com=inner) as (there, website):
        assert asked(website) == Miss()
        assert paths(there["acme.com"]) == ["/robots.txt", "/"]


def test_a_robots_txt_that_stands_elsewhere_counts_where_it_was_looked_for(tmp_path: Path) -> None:
    apex: dict[str, Answer] = {"/robots.txt": moved("https://www.acme.com/robots.txt"), "/": page(HOME)}
    for rules, answer in ((FREE, Hit), (CLOSED, Miss)):
        with hosts(tmp_path, acme_com=apex, www_acme_com={"/robots.txt": rules}) as (there, website):
            assert isinstance(asked(website), answer)
            assert paths(there["www.acme.com"]) == ["/robots.txt"]
    with hosts(tmp_path, acme_com={"/robots.txt": moved("/robots.txt"), "/": page(HOME)}) as (there, website):
        assert asked(website) == Miss(), "round and round"
        assert len(there["acme.com"].asked) <= 6


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
        assert other.kind == "throttled"
        assert other.retry_after is not None
        assert 50 < other.retry_after <= 60


def test_a_packed_page_is_read_up_to_a_bound(tmp_path: Path) -> None:
    bomb = gzip.compress(HOME + b" " * 50_000_000)
    assert "hubspot" in technologies(looked(tmp_path, page(bomb, "Content-Encoding: gzip")))


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
