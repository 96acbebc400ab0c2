"""Accounts: looked for by name, domain or id, by tier and by what waits, a page at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from icp_sync.console.acting import figures_of
from icp_sync.console.place import Place
from icp_sync.console.rendering import page
from icp_sync.domain.compile import Compiled
from icp_sync.domain.standing import STATES
from icp_sync.errors import ConfigError
from icp_sync.journal.listing import Page
from icp_sync.reporting.accounts import account_rows

LIMIT = 50
LONGEST = 200
"""Characters of a search that are looked at."""
BY_DOMAIN = 10
"""Accounts found by their domain that stand before those found by name."""
OUT = "out of scope"
TIERS = (*STATES, OUT)
STATUSES: Mapping[str, tuple[str, Collection[str]]] = {
    "held": ("held", ("held",)),
    "refused": ("refused", ("refused",)),
    "dead": ("given up on", ("dead",)),
    "deferred": ("deferred", ("deferred",)),
    "settled": ("settled", ("settled",)),
    "met": ("not evaluated yet", ("",)),
    "gone": ("gone from the CRM", ("gone",)),
}
"""What may be asked for → how it is called, and the statuses of the journal it stands for."""


def routes() -> list[BaseRoute]:
    return [Route("/c/{connection}/accounts", accounts)]


def accounts(request: Request) -> Response:
    """The list; only the part below the form where htmx asks for it."""
    found = figures_of(request)
    asked = _asked(request)
    data = found.latest.data if found.latest else None
    tiers = {} if data is None else {**data["tiers"], OUT: data["out_of_scope"]}
    listed = _listed(found.place, asked)
    version, compiled = profiles_of(found.place)
    template = "_accounts.html" if "hx-request" in request.headers else "accounts.html"
    filtered = {name: value for name, value in asked.items() if value and name != "after"}
    return page(
        request,
        template,
        title="Accounts",
        asked=asked,
        rows=account_rows(listed.accounts, compiled, version, request.app.state.clock()),
        first=LIMIT,
        more=urlencode({**filtered, "after": listed.after}) if listed.after else "",
        start=urlencode(filtered),
        tiers=[(name, tiers.get(name)) for name in TIERS],
        statuses=[(name, words) for name, (words, _) in STATUSES.items()],
        total=sum(tiers.values()) if tiers else None,
        known=bool(data is None or sum(data["counts"].values())),
    )


def profiles_of(place: Place) -> tuple[int, tuple[Compiled, ...]]:
    """The active version and its profiles, (0, ()) where none is active or can be read."""
    try:
        policy = place.wired().parts.policy()
    except ConfigError:
        return 0, ()
    return policy.version, policy.compiled


def _asked(request: Request) -> dict[str, str]:
    """What is searched for; what nobody could mean is left out."""
    said = {name: request.query_params.get(name, "")[:LONGEST] for name in ("q", "tier", "status", "after")}
    said["q"] = said["q"].strip()
    said["tier"] = said["tier"] if said["tier"] in TIERS else ""
    said["status"] = said["status"] if said["status"] in STATUSES else ""
    return said


def _listed(place: Place, asked: Mapping[str, str]) -> Page:
    """The accounts that fit, those with this very id first."""
    tier, text, after = asked["tier"], asked["q"], asked["after"]
    those: dict[str, Any] = {
        "tiers": None if not tier else ("",) if tier == OUT else (tier,),
        "statuses": STATUSES[asked["status"]][1] if asked["status"] else None,
    }
    journal = place.journal
    if tier == OUT and those["statuses"] is None:
        those["statuses"] = (
            "dead",
            "deferred",
            "held",
            "refused",
            "settled",
        )  # what was never evaluated is not
    if not text:
        return journal.accounts_page(**those, after=after, limit=LIMIT)
    if "." in text and " " not in text:
        by_domain = journal.accounts_named(text, **those, after=after, limit=LIMIT, by_domain=True)
        if by_domain.accounts or by_domain.after:
            return by_domain
    named = journal.accounts_named(text, **those, after=after, limit=LIMIT)
    if after:
        return named
    fits = journal.accounts_named(text, **those, limit=BY_DOMAIN, by_domain=True).accounts
    before = {one.id: one for one in (*journal.accounts_of([text]), *fits)}
    rest = tuple(one for one in named.accounts if one.id not in before)
    return Page(accounts=(*before.values(), *rest), after=named.after)
