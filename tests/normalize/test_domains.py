"""Web addresses become the registrable domain, or nothing."""

from __future__ import annotations

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
