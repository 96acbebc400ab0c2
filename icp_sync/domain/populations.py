"""What a company is to us: prospect, customer, former, partner, competitor, person, or other.

Derived from what the CRM says of the relationship. The CRM is the authority on it, so once it says
something we understand the set is complete: who is not marked as a partner is none. (A mark made later is
a change of the relationship, not a fact that was missing.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from icp_sync.domain.facts import FactValue, Interval, Known, Members, Signal

POPULATIONS = ("prospect", "customer", "former", "partner", "competitor", "person", "other")

PERSON = "person"
CUSTOMER = "customer"
PROSPECT = "prospect"

TELLING = frozenset(("population", "lifecycle", "account_type", "won_deals"))
"""The facts a population is told by."""

MARKS: Mapping[str, tuple[str, ...]] = {
    "former": ("former", "ex", "past", "churned", "lost", "cancelled", "canceled"),
    "customer": ("customer", "customers", "client", "clients", "evangelist"),
    "competitor": ("competitor", "competitors", "competition"),
    "partner": ("partner", "partners", "reseller", "resellers", "distributor", "integrator", "affiliate"),
    "person": ("person", "individual", "household"),
    "prospect": ("prospect", "prospects", "prospective", "potential", "lead", "target"),
    "other": ("vendor", "supplier", "investor", "analyst", "press", "other"),
}
"""Words of `account_type` and `lifecycle`, lower-case, and the population each stands for.

HubSpot's `type` has PROSPECT, PARTNER, RESELLER, VENDOR and OTHER; Salesforce's Account.Type is shipped with
"Customer - Direct", "Channel Partner / Reseller" and the like.
"""

_MEANS = {word: population for population, words in MARKS.items() for word in words}
_WORD = re.compile(r"[a-z]+")


def population_of(facts: Mapping[str, FactValue]) -> Members | None:
    """The populations of an account, None while the CRM says nothing of the relationship.

    Who is known to have bought nothing, and of whom nothing else is said, is a prospect.

    A former customer is no customer, whatever stage was left on the record; nor is a prospect who has
    become a customer still a prospect. A stage nobody knows leaves open what else the account is.
    """
    return _derived(facts.get("lifecycle"), facts.get("account_type"), facts.get("won_deals"))


@lru_cache(maxsize=4_096)
def _derived(stage: FactValue | None, kind: FactValue | None, won: FactValue | None) -> Members | None:
    """Of the stage, the type and the deals won; a CRM has a handful of each."""
    found: set[str] = set()
    complete = True
    if isinstance(stage, Members):
        found = {_population(text) for text in stage.known} - {""}
        complete = bool(found or not stage.known)
    if isinstance(kind, Members):
        found |= {_population(text) for text in kind.known} - {""}
    if isinstance(won, Interval) and won.low >= 1:
        found.add(CUSTOMER)
    elif isinstance(won, Interval) and won.high == 0 and not found:
        return Members(frozenset({PROSPECT}), complete=False)
    if not found:
        return None
    if "former" in found:
        found -= {CUSTOMER, PROSPECT}
    elif CUSTOMER in found:
        found.discard(PROSPECT)
    if len(found) > 1:
        found.discard("other")
    return Members(frozenset(found), complete)


def is_person(facts: Mapping[str, FactValue]) -> bool:
    """Whether the account certainly is a person's, which no scope holds unless it says so."""
    population = facts.get("population")
    return isinstance(population, Members) and PERSON in population.known


@lru_cache(maxsize=4_096)
def _population(text: str) -> str:
    """What a stage or type amounts to, "" when it says nothing: "Customer - Former" is a former customer, a
    potential one a prospect, a channel partner a partner."""
    said = {_MEANS[word] for word in _WORD.findall(text.lower()) if word in _MEANS}
    if CUSTOMER in said:
        return "former" if "former" in said else "prospect" if "prospect" in said else CUSTOMER
    return next((population for population in MARKS if population in said), "")


def with_population(known: Known) -> Known:
    """What is known with the population added, unless a source states it itself."""
    if "population" in known.facts:
        return known
    found = population_of(known.facts)
    if found is None:
        return known
    winners = known.winners
    said = winners.get("lifecycle") or winners.get("account_type") or winners["won_deals"]
    signal = Signal(
        fact="population",
        value=found,
        source=said.source,
        observed_at=said.observed_at,
        rank=said.rank,
        raw=said.raw,
    )
    return Known(
        facts={**known.facts, "population": found},
        winners={**winners, "population": signal},
        losers=known.losers,
        unread=known.unread,
    )
