"""An address from CRM data is visited only when it is plainly public, however cleverly it is spelt."""

from __future__ import annotations

from typing import NoReturn

import pytest

from icp_sync.errors import UnavailableError
from icp_sync.http import ForbiddenAddressError, fetch
from icp_sync.http.addresses import target, unvisitable

EVIL = [
    # not the web, or not quite
    "",
    " ",
    "acme.com",
    "//acme.com/",
    "ftp://acme.com/",
    "file:///etc/passwd",
    "gopher://acme.com:70/_x",
    "data:text/html,x",
    "javascript:alert(1)",
    "dict://acme.com:11211/stat",
    "http:acme.com",
    "http:///acme.com",
    "http://",
    "http://?x",
    "https://#x",
    "http://acme.com:22/",
    "http://acme.com:6379/",
    "http://acme.com:0/",
    "http://acme.com:99999/",
    "http://acme.com:8080/",
    "http://acme.com:+80/",
    "http://acme.com:８０/",
    "http://acme.com:80:80/",
    "http://acme.com/" + "x" * 3_000,
    # blanks and control characters that parsers take out, or stop at
    "http://acme.com/\r\nHost: other",
    "http://acme.com/\tx",
    "http://127.0.0.1\x00.acme.com/",
    "http://acme.com\u2028/",
    "ht\ntp://127.0.0.1/",
    # users
    "http://user@acme.com/",
    "http://user:word@acme.com/",
    "http://acme.com@127.0.0.1/",
    "http://acme.com:80@127.0.0.1/",
    "http://127.0.0.1#@acme.com/",
    "http://127.0.0.1\\@acme.com/",
    "http:\\\\127.0.0.1\\",
    "http://acme.com\\.evil.com/",
    # loopback in every spelling
    "http://127.0.0.1/",
    "http://127.0.0.1./",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://00000177.0.0.1/",
    "http://127.000.000.001/",
    "http://0/",
    "http://0.0.0.0/",
    "http://0x/",
    "http://1/",
    "http://999.1.1.1/",
    "http://127.0.0.1.1/",
    "http://acme.com.1/",
    "http://acme.0x7f/",
    "http://４２.0.0.1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://127．0．0．1/",
    "http://１２７.0.0.1/",
    "http://١٢٧.0.0.1/",
    "http://%31%32%37.0.0.1/",
    "http://127%2e0.0.1/",
    "http://[::1]/",
    "http://[::]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::8.8.8.8]/",
    "http://[64:ff9b:1::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:7f00:1::]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[100::1]/",
    "http://[::1",
    "http://::1/",
    "http://[127.0.0.1]/",
    "http://[::1]:22/",
    "http://[::1]evil.com/",
    "http://[v1.x]/",
    # networks behind us
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://198.18.0.1/",
    "http://192.0.0.8/",
    "http://192.0.2.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    # metadata of clouds
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2/v2/credentials",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://[::ffff:169.254.169.254]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://metadata/",
    # names of this network
    "http://localhost/",
    "http://LOCALHOST./",
    "http://x.localhost/",
    "http://ⓛocalhost/",
    "http://intranet/",
    "http://printer.local/",
    "http://router.lan/",
    "http://x.home.arpa/",
    "http://1.0.0.127.in-addr.arpa/",
    "http://abc.onion/",
    # names that are none
    "http://.com/",
    "http://acme..com/",
    "http://-acme.com/",
    "http://acme.com../",
    "http://" + "a" * 64 + ".com/",
    "http://" + "a." * 130 + "com/",
    "http://acme.com,127.0.0.1/",
    "http://acme$.com/",
    "http://a b.com/",
    "http://acme.com;127.0.0.1/",
    "http://\u202emoc.emca/",
    "http://xn--/",
    "http://ac\u00adme.com/",
    "http://ac\u200bme.com/",
]


def never(*_: object) -> NoReturn:
    raise AssertionError("a forbidden address was looked up")


@pytest.mark.parametrize("url", EVIL, ids=range(len(EVIL)))
def test_an_evil_address_is_refused_before_anything_is_looked_up(url: str) -> None:
    with pytest.raises(ForbiddenAddressError) as caught:
        fetch(url, resolve=never)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("https://acme.com", "https://acme.com/"),
        ("HTTPS://ACME.com:443/a?b=c#d", "https://acme.com/a?b=c"),
        ("http://acme.com:443/", "http://acme.com:443/"),
        ("http://www.acme.com./", "http://www.acme.com/"),
        ("https://bücher.example/ü?ü=é", "https://xn--bcher-kva.example/%C3%BC?%C3%BC=%C3%A9"),
        ("https://my_shop.acme.co.uk/%7Ex", "https://my_shop.acme.co.uk/%7Ex"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("https://[2606:2800:220:1::1]/", "https://[2606:2800:220:1::1]/"),
        ("https://3com.com/", "https://3com.com/"),
    ],
)
def test_a_plain_public_address_is_meant_as_it_stands(url: str, meant: str) -> None:
    assert target(url).url == meant


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:2800:220:1::1", "2a00:1450:4001::1"])
def test_public_numbers_are_visitable(address: str) -> None:
    assert unvisitable(address) == ""


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["93.184.216.34", "169.254.169.254"],
        ["2606:2800:220:1::1", "::1"],
        ["::ffff:10.0.0.1"],
        ["fe80::1%eth0"],
        ["64:ff9b::a00:1"],
        ["not an address"],
    ],
)
def test_a_name_is_not_visited_while_one_of_its_addresses_is_not_public(found: list[str]) -> None:
    with pytest.raises(ForbiddenAddressError, match="of its host"):
        fetch("https://acme.com/", resolve=lambda *_: found, dial=never)


def test_a_name_without_an_address_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match="DNS"):
        fetch("https://acme.com/", resolve=lambda *_: [])
