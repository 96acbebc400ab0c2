"""What is known of each kind of sender before anybody has said more.

Leadpipe's identification webhooks (docs.leadpipe.com) tell of people, and their whole list of fields is not
public: these are the names to be expected, and a settings file corrects them. Clay sends what its user puts
into the body of an "HTTP API" column, so an event there is best made of facts by their own names.
"""

from __future__ import annotations

from dataclasses import dataclass

from icp_sync.domain.facts import CATALOGUE
from icp_sync.settings.inbound import InboundSource

NOT_OURS_TO_HEAR = frozenset(
    (
        *("name", "domain"),  # who it is, which decides whose event it is, and nothing else
        *("contacts", "contact_titles"),  # people
        *("population", "lifecycle", "account_type", "lead_status"),  # what the CRM says of itself
        *("open_deals", "won_deals", "children", "last_activity", "last_touch"),
    )
)
"""Facts no event tells."""

VISITS = frozenset(("last_visit", "web_visits"))
"""What visits amount to."""
LISTENED_TO = tuple(fact for fact in CATALOGUE if fact not in NOT_OURS_TO_HEAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """JMESPath expressions, the first that gives something counts."""

    domain: tuple[str, ...] = ()
    id: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    visits: bool = False


USUAL = {
    "generic": Usual(),
    "clay": Usual(
        domain=("domain", "company_domain", "website"),
        id=("event_id",),  # "id" is the number of a row, which changes what it says
        time=("time", "timestamp"),
        facts=LISTENED_TO,
    ),
    "leadpipe": Usual(
        domain=(
            "company_domain",
            "company.domain",
            "company_website",
            "company.website",
            "business_email",
            "email",
        ),
        id=("event_id",),
        time=("visited_at", "timestamp", "created_at"),
        visits=True,
    ),
}


def told_by(source: InboundSource) -> frozenset[str]:
    """The facts this sender's events can tell."""
    usual = USUAL.get(source.kind, Usual())
    visits = usual.visits if source.visits is None else source.visits
    return frozenset(source.facts or usual.facts) | (VISITS if visits else frozenset())
