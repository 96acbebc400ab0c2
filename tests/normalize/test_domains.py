"""Web addresses become the registrable domain, or nothing."""

from __future__ import annotations

from importlib.resources import files

import pytest

from icp_sync.normalize.domains import is_free_mail, is_shared, registrable


@pytest.mark.parametrize(
    ("raw", "domain"),
    [
        ("acme.com", "acme.com"),
        ("https://www.Acme.com/about?x=1#y", "acme.com"),
        ("https://investors.acme.co.uk:443/en", "acme.co.uk"),
        ("www.7andi.com /en /", "7andi.com"),
        ("//acme.com", "acme.com"),
        ("http:/acme.com", "acme.com"),
        ("acme.com.", "acme.com"),
        ("(acme.com)", "acme.com"),
        ("http://user:secret@acme.com/", "acme.com"),
        ("http://acme.com@evil.com/", "evil.com"),
        ("MÜNCHEN.de", "xn--mnchen-3ya.de"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
        ("acme。com", "acme.com"),
        ("shop.acme.example", "acme.example"),
        ("co1.test", "co1.test"),
        ("foo_bar.acme.com", "acme.com"),
        ("global.sharp", "global.sharp"),
        ("acme.uk.com", "acme.uk.com"),
    ],
)
def test_an_address_names_its_registrable_domain(raw: str, domain: str) -> None:
    assert registrable(raw) == domain


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "   ",
        "Official website",
        "N/A",
        "Inc.",
        "jane@acme.com",
        "mailto:jane@acme.com",
        "localhost",
        "crm.local",
        "printer.lan",
        "127.0.0.1",
        "http://169.254.169.254/latest",
        "http://[::1]:80/",
        "2130706433",
        "0x7f.1",
        "co.uk",
        "com",
        "index.html",
        "file.pdf",
        "{{URL|acme.com}",
        "javascript:alert(1)",
        "a..b.com",
        "-acme.com",
        "xn--zzzzzz--.com",
        "\x00",
        "acme.com\x00",
        "\ud800.com",
        "😀",
        "a" * 70_000,
        "." * 300,
    ],
    ids=lambda raw: ascii(raw)[:40],
)
def test_what_is_no_public_host_has_no_domain(raw: str) -> None:
    assert registrable(raw) == ""


@pytest.mark.parametrize(
    "raw",
    [
        "https://sites.google.com/view/acme",
        "http://docs.google.com:443/document/d/1",
        "www.plus.google.com/+acme",
        "MAPS.google.com.",
        "https://acme.odoo.com/shop",
        "www.acme.odoo.com",
        "acme.wpengine.com",
    ],
)
def test_a_page_on_somebody_elses_host_does_not_name_them(raw: str) -> None:
    assert registrable(raw) == ""


@pytest.mark.parametrize(
    ("raw", "domain"),
    [
        ("https://about.google.com/", "google.com"),
        ("https://www.odoo.com/app/crm", "odoo.com"),
        ("odoo.com", "odoo.com"),
        ("www.wpengine.com", "wpengine.com"),
        ("https://www.ebay.com/str/acme", "ebay.com"),
        ("sites.google.com.evil.com", "evil.com"),
        ("odoo.community", "odoo.community"),
    ],
)
def test_a_company_that_lets_hosts_keeps_its_own_name(raw: str, domain: str) -> None:
    assert registrable(raw) == domain
    assert not is_shared(domain)


@pytest.mark.parametrize(
    "raw",
    [
        "acme.blogspot.de",
        "acme.blogspot.co.uk",
        "acme.site123.me",
        "acme.tilda.ws",
        "acme.ueniweb.com",
        "acme.onepage.website",
        "acme.hs-sites.com",
        "acme.wpenginepowered.com",
        "acme.wpcomstaging.com",
        "https://www.yellowpages.com/acme",
        "https://calendly.com/acme",
        "https://forms.gle/acme",
    ],
)
def test_a_site_builders_or_directorys_domain_is_shared(raw: str) -> None:
    assert is_shared(registrable(raw))


@pytest.mark.parametrize("domain", ["orange.fr", "shaw.ca", "rogers.com", "hey.com", "zoho.com"])
def test_a_providers_mailboxes_are_nobodys_domain(domain: str) -> None:
    assert is_free_mail(domain)


@pytest.mark.parametrize("name", ["free_mail_domains.txt", "shared_domains.txt", "shared_hosts.txt"])
def test_the_lists_are_sorted_lower_case_and_hold_nothing_twice(name: str) -> None:
    text = files("icp_sync.normalize").joinpath("data", name).read_text(encoding="utf-8")
    names = [line for line in text.splitlines() if not line.startswith("#")]
    assert names == sorted(set(names))
    for listed in names:
        host = listed.removeprefix("*.")
        assert host == host.lower().strip()
        assert listed == host or registrable(host) == host  # a "*." stands before a registrable domain


def test_a_registrable_domain_is_its_own() -> None:
    for domain in ("acme.com", "acme.co.uk", "xn--mnchen-3ya.de", "acme.example"):
        assert registrable(domain) == domain


def test_free_mail_and_shared_hosts_are_known() -> None:
    assert is_free_mail("gmail.com")
    assert is_free_mail("yahoo.co.jp")
    assert not is_free_mail("acme.com")
    assert is_shared("facebook.com")
    assert is_shared(registrable("https://acme.github.io/docs"))
    assert is_shared(registrable("acme.wordpress.com"))
    assert not is_shared("acme.com")
    assert not is_shared("")
