"""What a fresh account holds: real listed companies as a sales team would have typed them, then made-up ones.

Names, domains, places and figures come from the `pytickersymbols` package (Wikipedia's infoboxes). What only
a CRM knows (stage, type, owner, deals, contacts) is made up; nothing else is. Most facts are left blank, as
in life. Generated companies say so in their name and live under `.example`. Nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Protocol

from icp_sync.normalize import countries, domains, industries, money, sizes
from icp_sync.simulator.clock import iso
from icp_sync.simulator.places import STATES, spellings
from icp_sync.simulator.store import Source

Seeded = tuple[dict[str, str], Source, int, int]
DAY = 86_400_000
_ORIGINS = (
    Source("IMPORT", "88231"),
    Source("CRM_UI", "userId:73074756", 73_074_756),
    Source("FORM", "contact-us"),
)
_STAGES = {
    "": 10,
    "subscriber": 5,
    "lead": 35,
    "marketingqualifiedlead": 12,
    "salesqualifiedlead": 8,
    "opportunity": 12,
    "customer": 15,
    "evangelist": 1,
    "other": 2,
}
_TYPES = {"PROSPECT": 55, "": 34, "PARTNER": 5, "VENDOR": 4, "RESELLER": 2}
_LEAD_STATUS = {"": 50, "NEW": 20, "OPEN": 10, "ATTEMPTED_TO_CONTACT": 10, "CONNECTED": 7, "BAD_TIMING": 3}
_YEAR = re.compile(r"\b(1[6-9]\d\d|20[0-2]\d)\b")
_DATED = re.compile(r"\s*\((?:[A-Z][a-z]+ )?\d{4}\)$")
_TECHNOLOGIES = (
    "hubspot",
    "salesforce",
    "google_analytics",
    "marketo",
    "intercom",
    "stripe",
    "wordpress",
    "react",
)


class Owner(Protocol):
    """Somebody, or a queue, that records may belong to."""

    @property
    def id(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def archived(self) -> bool: ...


def companies(count: int, seed: int, now: int, owners: Sequence[Owner]) -> Iterator[Seeded]:
    """Values, origin, created and modified (ms) of `count` companies, the same for the same seed and now.

    Without the `demo` extra all of them are generated.
    """
    random = Random(seed)  # noqa: S311 - the same companies for the same seed
    listed = _listed()
    random.shuffle(listed)
    for number in range(count):
        facts = _typed_in(listed[number], random) if number < len(listed) else _generated(number, random)
        created = now - random.randrange(20 * DAY, 1400 * DAY)
        modified = random.randrange(created, now - DAY // 12)
        facts |= _kept_by_sales(random, owners, created, modified)
        yield (
            {name: value for name, value in facts.items() if value},
            random.choice(_ORIGINS),
            created,
            modified,
        )


def _listed() -> list[Mapping[str, object]]:
    try:
        from pytickersymbols import PyTickerSymbols
    except ImportError:
        return []
    return sorted(PyTickerSymbols().get_all_stocks(), key=lambda stock: str(stock.get("name")))


def _typed_in(stock: Mapping[str, object], random: Random) -> dict[str, str]:
    """A listed company with the part of its facts that somebody happened to fill in."""
    known = stock.get("metadata")
    said = {k: str(v) for k, v in known.items()} if isinstance(known, Mapping) else {}
    website = said.get("website", "")
    domain = domains.registrable(website)
    city, state, country = _place(str(stock.get("country") or ""), said.get("headquarters", ""))
    facts = {
        "name": str(stock.get("name", "")),
        "domain": domain,
        "website": (f"https://www.{domain}/" if random.random() < 0.5 else website) if domain else "",
        "city": _maybe(random, 0.6, city),
        "state": _maybe(random, 0.6, state),
        "country": _maybe(random, 0.85, random.choice(spellings(country)) if country else ""),
        "hs_country_code": _maybe(random, 0.3, country),
        "industry": _maybe(random, 0.6, _industry(stock)),
        "is_public": _maybe(random, 0.5, "true"),
        "description": _maybe(random, 0.2, said.get("products", "")),
    }
    year = _YEAR.search(said.get("founded", ""))
    facts["founded_year"] = _maybe(random, 0.4, year.group() if year else "")
    return facts | _figures(said, random)


def _figures(said: Mapping[str, str], random: Random) -> dict[str, str]:
    """Headcount and revenue of about a third; only what is exact, revenue only in the portal's dollars."""
    people = sizes.headcount(_DATED.sub("", said.get("employees", "")))
    sales = money.amount(_DATED.sub("", said.get("revenue", "")))
    return {
        "numberofemployees": _maybe(random, 0.6, f"{people.low:.0f}" if people and people.exact else ""),
        "annualrevenue": _maybe(
            random,
            0.7,
            f"{sales.low:.0f}" if sales and sales.currency == "USD" and sales.low == sales.high else "",
        ),
    }


def _generated(number: int, random: Random) -> dict[str, str]:
    country = random.choice(("US", "US", "DE", "GB", "CA", "FR", "NL"))
    domain = f"company-{number:05d}.example"
    headcount = int(10 ** random.uniform(0.5, 4.5))
    return {
        "name": f"Generated Company {number:05d}",
        "domain": domain,
        "website": f"https://www.{domain}/",
        "country": _maybe(random, 0.85, random.choice(spellings(country))),
        "industry": _maybe(
            random, 0.6, random.choice(("COMPUTER_SOFTWARE", "INTERNET", "RETAIL", "INSURANCE"))
        ),
        "numberofemployees": _maybe(random, 0.5, str(headcount)),
        "annualrevenue": _maybe(random, 0.4, str(headcount * random.randrange(60, 240) * 1000)),
        "web_technologies": _maybe(random, 0.5, ";".join(sorted(random.sample(_TECHNOLOGIES, 3)))),
        "founded_year": _maybe(random, 0.4, str(random.randrange(1950, 2024))),
    }


def _kept_by_sales(random: Random, owners: Sequence[Owner], created: int, modified: int) -> dict[str, str]:
    """Stage, type, owner, deals, contacts: what no reference book knows."""
    stage = _pick(random, _STAGES)
    facts = {
        "lifecyclestage": stage,
        "type": "" if stage == "customer" else _pick(random, _TYPES),
        "hs_lead_status": _pick(random, _LEAD_STATUS) if stage in ("lead", "marketingqualifiedlead") else "",
        "num_associated_contacts": str(random.choice((0, 0, 1, 1, 2, 3, 5, 12))),
    }
    deals = random.randrange(1, 4) if stage == "opportunity" else 1 if random.random() < 0.04 else 0
    if deals or random.random() < 0.5:
        facts["hs_num_open_deals"] = str(deals)
        facts["num_associated_deals"] = str(deals + (random.randrange(1, 4) if stage == "customer" else 0))
    if random.random() < 0.4:
        facts["notes_last_contacted"] = iso(random.randrange(created, modified + 1))
        facts["notes_last_updated"] = facts["notes_last_contacted"]
    if random.random() < 0.38:
        owner = _owner(random, owners)
        facts["hubspot_owner_id"] = facts["hs_all_owner_ids"] = owner.id
        facts["hubspot_owner_assigneddate"] = iso(random.randrange(created, modified + 1))
    return facts


def _owner(random: Random, owners: Sequence[Owner]) -> Owner:
    """Mostly somebody who is still here; sometimes somebody who left."""
    left = [owner for owner in owners if owner.archived]
    here = [owner for owner in owners if not owner.archived and owner.type == "PERSON"]
    return random.choice(left if left and random.random() < 0.05 else here)


def _place(country: str, headquarters: str) -> tuple[str, str, str]:
    """City, state and ISO country from "Country", "City, State" or "City, Country"; "" where unknown."""
    parts = [part.strip() for part in (country or headquarters).split(",") if part.strip()]
    if not parts:
        return "", "", ""
    last = parts[-1]
    if last in STATES:
        return (parts[-2] if len(parts) > 1 else ""), last, "US"
    seat = [part.strip() for part in headquarters.split(",") if part.strip()]
    city = parts[-2] if len(parts) > 1 else seat[0] if len(seat) > 1 else ""
    return city, "", countries.code(last)


def _industry(stock: Mapping[str, object]) -> str:
    labels = stock.get("industries")
    if not isinstance(labels, list):
        return ""
    return industries.together([str(label) for label in labels], "pytickersymbols").value


def _maybe(random: Random, chance: float, value: str) -> str:
    """The value, or nothing; the dice are thrown either way, so a blank does not shift what follows."""
    return value if random.random() < chance else ""


def _pick(random: Random, weights: Mapping[str, int]) -> str:
    return random.choices(tuple(weights), tuple(weights.values()))[0]
