"""One visit to a company's website: robots.txt, then its home page, wherever on the company's name that is.

Every address on the way is asked for only where the robots.txt of its own host allows it, and no other
company's host is asked for anything. Knows nothing of what a page is read for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol
from urllib.parse import urljoin

from icp_sync.enrichers.robots import LARGEST, allows
from icp_sync.errors import UnavailableError
from icp_sync.http import Fetched, Limits
from icp_sync.http.addresses import Target, target
from icp_sync.http.guarded import REDIRECTS
from icp_sync.http.wire import retry_after
from icp_sync.normalize import domains

AGENT = "icp-sync"
PAGE = Limits(size=1_500_000, seconds=10.0, hops=0)
ROBOTS = replace(PAGE, size=LARGEST, kinds=(*PAGE.kinds, "application/octet-stream", "text/x-robots", ""))
ALL = 30.0
"""Seconds for a whole visit."""
_HOPS = 5
"""Redirects that are followed: RFC 9309, section 2.3.1.2, asks for at least as many of a robots.txt."""


class Fetch(Protocol):
    """`http.fetch`: raises UnavailableError and ForbiddenAddressError."""

    def __call__(self, url: str, *, limits: Limits, agent: str) -> Fetched: ...


class ClosedError(Exception):
    """It does not let us in. Asking again soon would be pointless, and rude."""


class MovedError(Exception):
    """It leads to another company's name."""


class BusyError(Exception):
    """It has no answer for us now. retry_after: seconds, as it says, or None."""

    def __init__(self, status: int, retry_after: float | None) -> None:
        super().__init__(f"the site answers with HTTP {status}")
        self.retry_after = retry_after


class SiteVisit:
    """A visit to a registrable domain. agent: who we say we are; clock: UTC epoch seconds."""

    def __init__(self, domain: str, fetch: Fetch, agent: str, clock: Callable[[], float]) -> None:
        self._domain, self._fetch, self._agent, self._clock = domain, fetch, agent, clock
        self._ends = time.monotonic() + ALL
        self._robots: dict[str, Fetched] = {}
        """By scheme and host."""

    def home(self) -> Fetched:
        """The home page, at whatever address of the company it is. Many a name answers only with www.

        Raises ClosedError, MovedError, BusyError, and what `fetch` does.
        """
        here = self._own(f"https://{self._domain}/")
        try:
            self._rules(here)
        except UnavailableError:
            here = self._own(f"https://www.{self._domain}/")
        for _ in range(_HOPS + 1):
            rules = self._rules(here)
            if not allows(rules.status, rules.body, AGENT, here.path):
                raise ClosedError("its robots.txt does not let us in")
            page = self._asked(here, PAGE)
            to = _leads(page)
            if to is None:
                if not 200 <= page.status < 300:
                    raise ClosedError(f"it answers with HTTP {page.status}")
                return page
            here = self._own(to)
        raise ClosedError(f"it redirects more than {_HOPS} times")

    def _rules(self, page: Target) -> Fetched:
        """The robots.txt for a page, asked for once. What it redirects to counts as if it stood there."""
        first = here = replace(page, path="/robots.txt")
        for _ in range(_HOPS + 1):
            found = self._robots.get(here.url)
            if found is None:
                found = self._asked(here, ROBOTS)
            to = _leads(found)
            if to is None:
                self._robots[here.url] = self._robots[first.url] = found
                return found
            here = self._own(to)
        raise ClosedError("its robots.txt is nowhere")

    def _own(self, url: str) -> Target:
        """An address to go to. Raises MovedError where it is not this company's."""
        here = target(url)
        if domains.registrable(here.host) != self._domain:
            raise MovedError
        return here

    def _asked(self, here: Target, limits: Limits) -> Fetched:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise UnavailableError("no whole reply in time")
        reply = self._fetch(
            here.url, limits=replace(limits, seconds=min(limits.seconds, left)), agent=self._agent
        )
        if reply.status == 429 or reply.status >= 500:
            raise BusyError(reply.status, retry_after(reply.headers.get("retry-after"), self._clock()))
        return reply


def _leads(reply: Fetched) -> str | None:
    """Where a reply redirects to."""
    to = reply.headers.get("location") if reply.status in REDIRECTS else None
    if to is None:
        return None
    try:
        return urljoin(reply.url, to)
    except ValueError:
        raise ClosedError("it redirects to what is no web address") from None
