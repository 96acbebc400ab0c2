"""What a company is to us: prospect, customer, former, partner, competitor, person, or other.

Derived from what the CRM says of the relationship. The CRM is the authority on it, so once it says
anything the set is complete: who is not marked as a partner is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from icp_sync.domain.facts import FactValue, Interval, Known, Members, Signal

POPULATIONS = ("prospect", "customer", "former", "partner", "competitor", "person", "other")

PERSON = "person"
CUSTOMER = "customer"

MARKS: Mapping[str, tuple[str, ...]] = {
    "former": ("former customer", "past customer", "ex-customer", "churned", "lost customer", "former"),
    "competitor": ("competitor",),
    "partner": ("partner", "reseller", "channel", "integrator", "technology partner", "agency partner"),
    "person": ("person account", "person", "individual", "household"),
    "prospect": ("prospect", "lead", "target"),
    "other": ("vendor", "supplier", "investor", "analyst", "press", "other"),
}
"""Words of `account_type` and `lifecycle`, lower-case, and the population each stands for.

"Customer - Direct" and its kin are customers (Salesforce's own values of Account.Type; HubSpot's `type`
has PROSPECT, PARTNER, RESELLER, VENDOR and OTHER).
"""

_MEANS = {word: population for population, words in MARKS.items() for word in words}


def population_of(facts: Mapping[str, FactValue]) -> Members | None:
    """The populations of an account, None while the CRM says nothing of the relationship.

    A former customer is no customer, whatever stage was left on the record; nor is a prospect who has
    become a customer still a prospect.
    """
    found: set[str] = set()
    said = False
    for name in ("lifecycle", "account_type"):
        value = facts.get(name)
        if isinstance(value, Members) and value.known:
            said = True
            for word in value.known:
                found.update(_populations(word))
    won = facts.get("won_deals")
    if isinstance(won, Interval) and won.low >= 1 and "former" not in found:
        found.add(CUSTOMER)
        said = True
    if not said:
        return None
    if "former" in found:
        found -= {CUSTOMER, "prospect"}
    elif CUSTOMER in found:
        found.discard("prospect")
    if len(found) > 1:
        found.discard("other")
    return Members(frozenset(found or {"other"}), True)


def is_person(facts: Mapping[str, FactValue]) -> bool:
    """Whether the account certainly is a person's, which no scope holds unless it says so."""
    population = facts.get("population")
    return isinstance(population, Members) and PERSON in population.known


def _populations(word: str) -> Iterator[str]:
    text = " ".join(word.lower().replace("_", " ").split())
    if text in _MEANS:
        yield _MEANS[text]
    elif text == CUSTOMER or text.startswith(("customer ", "customer-", "customer/")):
        yield CUSTOMER
    elif "partner" in text.split():
        yield "partner"


def with_population(known: Known) -> Known:
    """What is known with the population added, unless a source states it itself."""
    if "population" in known.facts:
        return known
    found = population_of(known.facts)
    if found is None:
        return known
    said = next(known.winners[n] for n in ("lifecycle", "account_type", "won_deals") if n in known.facts)
    signal = Signal(
        fact="population",
        value=found,
        source=said.source,
        observed_at=said.observed_at,
        rank=said.rank,
        raw=said.raw,
    )
    return replace(
        known,
        facts={**known.facts, "population": found},
        winners={**known.winners, "population": signal},
    )
