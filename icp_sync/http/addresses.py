"""Which web addresses may be visited when somebody else wrote them: public ones, spelt the plain way.

A company's website comes from CRM data, so anybody who can create a company chooses it. Judges text and
numbers only; what a name resolves to, and the visit itself, is `guarded`'s business.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import idna

from icp_sync.errors import IcpSyncError

LONGEST = 2_048  # characters
PORTS = {"http": 80, "https": 443}

_PLACE = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_INSIDE = (
    *("localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp", "private"),
    *("home.arpa", "in-addr.arpa", "ip6.arpa", "onion", "invalid", "test", "alt"),
)
"""Names that never lead to a public website: RFC 6761, RFC 6762 (appendix G), RFC 8375, RFC 9476."""

_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24"),
            *("192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
            *("224.0.0.0/4", "240.0.0.0/4"),
            "168.63.129.16/32",  # Azure's own services behind a public number
        ),
    )
)
"""IANA IPv4 Special-Purpose Address Registry, multicast, and one cloud's exception."""
_V6_UNICAST = ipaddress.IPv6Network("2000::/3")
_V6 = tuple(
    map(
        ipaddress.IPv6Network,
        ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"),
    )
)
"""IANA IPv6 Special-Purpose Address Registry within global unicast: Teredo, documentation, 6to4 and others.
Mapped and compatible IPv4, NAT64, unique local, link-local and multicast lie outside of 2000::/3."""


class ForbiddenAddressError(IcpSyncError):
    """This address is not visited. Asking again is pointless until somebody corrects it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a visit goes. host: ASCII, lower case, a name or a number; path: percent-encoded, with its
    query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


def target(url: str) -> Target:
    """The parts of a web address that may be visited. Raises ForbiddenAddressError with the reason.

    Strict where browsers forgive: no user, no blank, no backslash, no number in octal, hex or short form, no
    letter that only looks like a digit or dot. The address itself is never quoted in the reason.
    """
    if not isinstance(url, str) or not 0 < len(url) <= LONGEST:
        raise ForbiddenAddressError(f"no address of at most {LONGEST:,} characters")
    if any(letter.isspace() or not letter.isprintable() or letter == "\\" for letter in url):
        raise ForbiddenAddressError("an address holds no blanks, control characters or backslashes")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ForbiddenAddressError("not a web address") from None
    if parts.scheme not in PORTS:
        raise ForbiddenAddressError("only http and https are visited")
    if "@" in parts.netloc or "%" in parts.netloc:
        raise ForbiddenAddressError("an address holds no user, password or escaped host")
    match = _PLACE.fullmatch(parts.netloc)
    if match is None:
        raise ForbiddenAddressError("not a web address")
    port = int(match["port"]) if match["port"] else PORTS[parts.scheme]
    if port not in PORTS.values():
        raise ForbiddenAddressError("only the ports 80 and 443 are visited")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    path = path if path.startswith("/") else "/" + path
    host = _host(match["host"])
    return Target(scheme=parts.scheme, host=host, port=port, path=path + (f"?{query}" if query else ""))


def unvisitable(address: str) -> str:
    """Why this IP address is not connected to, "" when it is public."""
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return "is no plain IP address"  # with a zone, for one
    if isinstance(number, ipaddress.IPv4Address):
        public = number.is_global and not any(number in net for net in _V4)
    else:
        public = number in _V6_UNICAST and number.is_global and not any(number in net for net in _V6)
    return "" if public else "is not on the public internet"


def _host(raw: str) -> str:
    if raw.startswith("["):
        return _numeric(raw[1:-1])
    name = raw.removesuffix(".")
    if not name.isascii():
        try:
            name = idna.encode(name).decode("ascii")  # IDNA 2008: maps nothing, refuses look-alikes of dots
        except (idna.IDNAError, UnicodeError, ValueError, IndexError):
            raise ForbiddenAddressError("its host is no name") from None
    name = name.lower()
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):  # browsers read every such host as an IPv4 address
        return _numeric(name)
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ForbiddenAddressError("its host is no name")
    if len(labels) < 2 or any(f".{name}".endswith(f".{inside}") for inside in _INSIDE):
        raise ForbiddenAddressError("its host is a name of this network, not of the public internet")
    return name


def _numeric(text: str) -> str:
    if why := unvisitable(text):
        raise ForbiddenAddressError(f"its host {why}")
    return str(ipaddress.ip_address(text))
