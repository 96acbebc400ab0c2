"""The web addresses of listed companies, as Wikipedia's infoboxes word them → registrable domains."""

from __future__ import annotations

from icp_sync.enrichers.public_words import Refused
from icp_sync.normalize import domains

_LONGEST = 2_000  # characters; an infobox names a handful of addresses


def websites(raw: str) -> tuple[str, ...] | Refused:
    """The companies' own domains a text names, in its order; notes beside them are passed over.

    "hm.com (retail) hmgroup.com (corporate)" names two, "Official website" and a host of many companies none.
    """
    if len(raw) > _LONGEST:
        return Refused("too long")
    found = dict.fromkeys(filter(None, (domains.registrable(word) for word in raw.split())))
    if not found:
        return Refused("names no web address")
    own = tuple(domain for domain in found if domains.identifies(domain))
    return own or Refused(f"'{next(iter(found))}' is shared by many companies")
