"""A company's own home page as a source: which B2B technologies it gives away.

A visit reads robots.txt, which is obeyed, and one page. What it finds is never all there is, so its sets are
never complete.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from icp_sync import __version__
from icp_sync.domain.facts import Members, Signal
from icp_sync.enrichers import fingerprints
from icp_sync.enrichers.lifetimes import seconds
from icp_sync.enrichers.page_seen import seen
from icp_sync.enrichers.site_visit import AGENT, BusyError, ClosedError, Fetch, MovedError, SiteVisit
from icp_sync.errors import ConfigError, Problem, UnavailableError
from icp_sync.http import Fetched, ForbiddenAddressError, fetch
from icp_sync.normalize import domains
from icp_sync.observe import log
from icp_sync.ports import Answer, Hit, Miss, Request, Unavailable

FACT = "technologies"
HOST_EVERY = 3_600.0
"""Seconds between two visits to one company's site, whoever asks."""
LONGEST_WAIT = 5.0
"""Seconds a visit waits for its turn before it is put off."""
LONGEST_REST = 30 * 86_400.0
"""Seconds a site is left alone at most, whatever it asks for."""
NOBODY = 8
"""Sites in a row that give no reply at all, after which it may be our own network."""
_HOSTS_KEPT = 20_000
_SHOWN = 12
_LONGEST_CONTACT = 200


class Website:
    """The enricher.

    contact: an address or page under which the owner of a site reaches you; it goes into the User-Agent.
    fingerprints: a YAML file of your own, beside the shipped list. per_minute: visits to all sites together.
    visit, clock: how an address is visited, and UTC epoch seconds.
    """

    facts = frozenset({FACT})
    complete = frozenset[str]()
    leaves = ("domain",)
    price = 0.0
    repeats_free = True
    batch = 4
    parallel = 4

    def __init__(
        self,
        *,
        name: str = "website",
        contact: str = "",
        fingerprints: str = "",
        per_minute: float = 60.0,
        ttl_days: float = 60.0,
        miss_ttl_days: float = 30.0,
    ) -> None:
        self.name = name
        self.ttl = seconds("ttl_days", ttl_days)
        self.miss_ttl = seconds("miss_ttl_days", miss_ttl_days)
        self._known = _loaded(fingerprints)
        self.agent = _agent(contact)
        self._turns = _Turns(_rate(per_minute))
        self.visit: Fetch = fetch
        self.clock: Callable[[], float] = time.time

    def takes(self, request: Request) -> bool:
        """Whether this domain is one company's own."""
        return domains.identifies(domains.registrable(request.domain))

    def answer(self, requests: Sequence[Request]) -> Sequence[Answer]:
        """One answer a request, in order. A site that does not want to be read, or shows nothing, is a miss.

        Trouble with one site says nothing of the next: one that cannot be had now is looked at another day.
        Only where nobody at all can be reached, or all would be visited too fast, is it the source's.
        """
        return [self._one(domains.registrable(request.domain)) for request in requests]

    def _one(self, domain: str) -> Answer:
        if not domains.identifies(domain):
            return Unavailable(kind="bad_input", message="not a company's own domain")
        if wait := self._turns.again(domain):
            kind = "bad_input" if wait > HOST_EVERY else "error"
            return Unavailable(kind=kind, message="visited a moment ago", retry_after=wait)
        if wait := self._turns.take(domain):
            return Unavailable(kind="throttled", message="too many visits", retry_after=wait)
        try:
            return self._looked(domain)
        except ForbiddenAddressError as error:
            return self._shut(domain, str(error))
        except UnavailableError as error:
            alone = self._turns.unreached(domain) < NOBODY
            return Unavailable(kind="bad_input" if alone else "error", message=str(error))

    def _looked(self, domain: str) -> Answer:
        try:
            page = SiteVisit(domain, self.visit, self.agent, self.clock).home()
        except MovedError:
            answer: Answer = Miss(ambiguous=True)
        except ClosedError as error:
            answer = self._shut(domain, str(error))
        except BusyError as error:
            self._turns.put_off(domain, min(error.retry_after or 0.0, LONGEST_REST))
            answer = Unavailable(kind="bad_input", message=str(error))
        else:
            answer = self._read(page)
        self._turns.reached()
        return answer

    def _read(self, page: Fetched) -> Answer:
        looks = seen(page.body, page.headers)
        if self._known.parked(looks):
            return Miss()
        found = self._known.technologies(looks)
        if not found:
            return Miss()
        some = sorted(found)
        more = f" and {len(some) - _SHOWN} more" if len(some) > _SHOWN else ""
        said = Signal(
            fact=FACT,
            value=Members(found, complete=False),
            source=self.name,
            observed_at=self.clock(),
            raw=f"seen on {urlsplit(page.url).hostname}: {', '.join(some[:_SHOWN])}{more}",
        )
        return Hit(signals=(said,))

    def _shut(self, domain: str, why: str) -> Miss:
        """Asking again soon would be pointless, and rude."""
        log("website").info("not read", domain=domain, why=why)
        return Miss()


class _Turns:
    """Whose turn it is: so many visits a minute to all, and seldom to the same one."""

    def __init__(self, per_minute: float) -> None:
        self._gap = 60.0 / per_minute
        self._next = 0.0
        self._hosts: OrderedDict[str, float] = OrderedDict()
        """Domain → when it may be visited again."""
        self._unreached: set[str] = set()
        self._lock = threading.Lock()

    def again(self, domain: str) -> float:
        """Seconds until this one may be visited again."""
        with self._lock:
            return max(0.0, self._hosts.get(domain, 0.0) - time.monotonic())

    def take(self, domain: str) -> float:
        """Wait for a turn; the seconds to come back after, when it would take too long."""
        with self._lock:
            now = time.monotonic()
            at = max(now, self._next)
            if at - now > LONGEST_WAIT:
                return at - now
            self._next = at + self._gap
            self._keep(domain, now + HOST_EVERY)
        time.sleep(max(0.0, at - now))
        return 0.0

    def put_off(self, domain: str, seconds: float) -> None:
        """It asked to be left alone as long."""
        with self._lock:
            self._keep(domain, time.monotonic() + max(seconds, HOST_EVERY))

    def unreached(self, domain: str) -> int:
        """This one gave no reply. How many different ones did not, since anybody last did."""
        with self._lock:
            self._unreached.add(domain)
            return len(self._unreached)

    def reached(self) -> None:
        """Somebody replied, whatever it was: the network is there."""
        with self._lock:
            self._unreached.clear()

    def _keep(self, domain: str, until: float) -> None:
        self._hosts[domain] = until
        self._hosts.move_to_end(domain)
        if len(self._hosts) > _HOSTS_KEPT:
            self._hosts.popitem(last=False)


def _loaded(own: object) -> fingerprints.Fingerprints:
    if not isinstance(own, str):
        raise ConfigError([Problem(where="fingerprints", what="must be the path of a YAML file")])
    return fingerprints.load(own)


def _agent(contact: object) -> str:
    """What sites are told who visits them."""
    if not isinstance(contact, str) or len(contact) > _LONGEST_CONTACT:
        raise ConfigError([Problem(where="contact", what=f"must be text of at most {_LONGEST_CONTACT}")])
    text = contact.strip()
    if not (text.isascii() and text.isprintable()) or set(text) & set("();"):
        what = "must be an e-mail address or the address of a page, in ASCII"
        raise ConfigError([Problem(where="contact", what=what)])
    return f"{AGENT}/{__version__}" + (f" (+{text})" if text else "")


def _rate(per_minute: object) -> float:
    if isinstance(per_minute, bool) or not isinstance(per_minute, int | float) or not 0 < per_minute <= 6_000:
        raise ConfigError([Problem(where="per_minute", what="must be a number above 0, at most 6000")])
    return float(per_minute)
