"""Web addresses → the registrable domain that identifies a company. No look-ups, nothing is fetched.

Two records are the same company's only if this name is equal, so it must never be too short ("co.uk")
nor a host that many companies share.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_LONGEST = 2_083  # characters of the longest address browsers agreed upon; anything beyond is not one
_RESERVED = ("example", "test")  # RFC 2606 names for documentation and tests; no registry lists them
_LOCAL = frozenset(("arpa", "corp", "home", "internal", "intranet", "invalid", "lan", "local", "localhost"))
_SCHEME = re.compile(r"^(?:[a-z][a-z0-9+.-]{0,15}:)?/{2,}|^https?[:/]+")
_PORT = re.compile(r":\d{0,5}$")
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")


def registrable(raw: str) -> str:
    """The lower-case registrable domain of a URL or host, IDN in punycode; "" where there is none.

    "https://investors.acme.co.uk:443/en?x" → "acme.co.uk". An e-mail address, an IP address, a local
    host, a bare public suffix and an unknown top-level domain have none, nor has a host on which a company
    shows the pages of others ("sites.google.com/view/acme", "acme.odoo.com"): it would name that company.
    Only the text before the first blank is read ("www.7andi.com /en /").
    """
    words = raw[: _LONGEST + 1].split(maxsplit=1)
    if not words or len(words[0]) > _LONGEST:
        return ""
    return _registrable(words[0])


@lru_cache(maxsize=2_048)
def _registrable(word: str) -> str:
    text, schemes = _SCHEME.subn("", word.lower().lstrip("([<{\"'"), count=1)
    authority = re.split(r"[/?#\\]", text, maxsplit=1)[0]
    _, at, host = authority.rpartition("@")
    if at and not schemes:
        return ""  # an e-mail address says where a person gets mail, not who the company is
    host = _ascii(_PORT.sub("", host).rstrip(".,;)>]}\"'"))
    if len(host) > 253 or not _HOST.fullmatch(host):
        return ""
    labels = host.split(".")
    if labels[-1] in _LOCAL:
        return ""
    reserved = labels[-1] in _RESERVED
    name = ".".join(labels[-2:]) if reserved else _suffixes().privatesuffix(host) or ""
    return "" if "_" in name or _is_let(host, name) else name


def _is_let(host: str, name: str) -> bool:
    """Whether the owner of a registrable domain shows other people's pages on this host of it."""
    hosts = _listed("shared_hosts.txt")
    if f"*.{name}" in hosts and host not in (name, f"www.{name}"):
        return True
    while host != name:
        if host in hosts:
            return True
        _, _, host = host.partition(".")
    return False


def _ascii(host: str) -> str:
    """The host in ASCII, checked as IDNA 2008 where it needs to be; "" when it is not a valid name."""
    if host.isascii() and "xn--" not in host:
        return host
    import idna

    try:
        return idna.encode(host, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError, IndexError, ValueError):
        return ""


def identifies(domain: str) -> bool:
    """Whether a registrable domain is one company's own: neither anybody's mailbox nor a host of many."""
    return bool(domain) and not is_free_mail(domain) and not is_shared(domain)


def is_free_mail(domain: str) -> bool:
    """Whether anybody can have a mailbox on this registrable domain ("gmail.com")."""
    return domain in _listed("free_mail_domains.txt")


def is_shared(domain: str) -> bool:
    """Whether this domain, or one above it, hosts many companies' pages ("facebook.com", "x.github.io")."""
    listed = _listed("shared_domains.txt")
    while domain:
        if domain in listed:
            return True
        _, _, domain = domain.partition(".")
    return False


@cache
def _listed(name: str) -> frozenset[str]:
    text = files("icp_sync.normalize").joinpath("data", name).read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # 60 ms, so only once somebody asks

    return PublicSuffixList(accept_unknown=False)
