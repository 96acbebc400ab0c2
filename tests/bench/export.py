"""A CRM export of any size with the variety of a real one, the same for the same seed."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path

HEADER = (
    "Record ID",
    "Company name",
    "Company Domain Name",
    "Number of Employees",
    "Annual Revenue",
    "Country/Region",
    "City",
    "Industry",
    "Lifecycle Stage",
    "Type",
    "Web Technologies",
    "Number of Associated Contacts",
    "Number of open deals",
    "Last Activity Date",
    "Company owner",
)

_WORDS = (
    "north", "blue", "iron", "cedar", "swift", "grand", "river",
    "stone", "delta", "apex", "lumen", "vector", "harbor", "maple", "orbit", "prime",
)  # fmt: skip
_TAILS = (
    "works", "soft", "labs", "systems", "group", "data", "logic", "health",
    "energy", "foods", "media", "partners",
)  # fmt: skip
_ENDS = ("com", "com", "com", "io", "de", "co.uk", "net", "fr", "ai")
_COUNTRIES = ("United States",) * 9 + ("Canada", "United Kingdom", "Germany", "France", "India", "Brazil", "")
_CITIES = ("New York", "Boston", "Austin", "Toronto", "London", "Berlin", "Paris", "Köln", "São Paulo", "")
_INDUSTRIES = (
    "Computer Software", "Internet", "INFORMATION_TECHNOLOGY_AND_SERVICES", "Hospital & Health Care",
    "Retail", "Financial Services", "Construction", "Real Estate",
    "Machinery", "Food Production", "Widgets", "", "",
)  # fmt: skip
_STAGES = ("Subscriber", "Lead", "Lead", "Marketing Qualified Lead", "Opportunity", "Customer", "Other", "")
_TYPES = ("Prospect", "", "", "", "Partner", "Reseller", "Competitor", "Vendor")
_TECHNOLOGIES = (
    "HubSpot", "Salesforce", "Google Analytics", "Slack", "Outreach", "Salesloft", "Shopify", "WordPress",
    "Marketo", "Zendesk", "Stripe", "Segment",
)  # fmt: skip
_BANDS = ("1-10", "11-50", "51-200", "201-500", "501-1,000", "10,001+")
_REVENUES = (10**6, 10**7, 5 * 10**7, 10**8, 25 * 10**7, 5 * 10**8, 10**9, 10**10, 10**12)
_OWNERS = ("ada@example.com", "ben@example.com", "chi@example.com", "")


def rows(count: int, *, seed: int = 7) -> Iterator[list[str]]:
    """`count` rows under `HEADER`; every domain is another one.

    Three in ten are what a CRM makes of an e-mail address: a name, a domain, a stage, and nothing else.
    """
    some = random.Random(seed)
    pick, chance = some.choice, some.random
    for number in range(count):
        first, last = pick(_WORDS), pick(_TAILS)
        people = int(10 ** some.uniform(0.3, 4.3))
        row = [
            str(9_000_000_000 + number),
            f"{first.title()} {last.title()} {number}",
            f"{first}-{last}{number}.{pick(_ENDS)}",
            "" if chance() < 0.12 else pick(_BANDS) if chance() < 0.2 else _headcount(people, chance()),
            "" if chance() < 0.3 else _revenue(people * some.uniform(30_000, 400_000), chance()),
            pick(_COUNTRIES),
            pick(_CITIES),
            pick(_INDUSTRIES),
            pick(_STAGES),
            pick(_TYPES),
            "" if chance() < 0.4 else "; ".join(some.sample(_TECHNOLOGIES, some.randint(1, 3))),
            str(int(chance() ** 3 * 40)),
            "1" if chance() < 0.1 else "0",
            "" if chance() < 0.4 else f"2026-{some.randint(1, 11):02d}-{some.randint(1, 28):02d}",
            pick(_OWNERS),
        ]
        if chance() < 0.3:
            row[3:8], row[9:11], row[13] = [""] * 5, [""] * 2, ""
        yield row


def _headcount(people: int, chance: float) -> str:
    """Half are what a data vendor or a person rounded, half are exact."""
    return str(people) if chance < 0.5 or people < 20 else str(round(people, 1 - len(str(people))))


def _revenue(amount: float, chance: float) -> str:
    """HubSpot fills in the top of a band, people type two figures, bookkeepers know it exactly."""
    if chance < 0.4:
        return next(str(top) for top in _REVENUES if amount <= top)
    return str(int(amount)) if chance > 0.8 else str(round(int(amount), 2 - len(str(int(amount)))))


def write(path: Path, count: int, *, seed: int = 7) -> Path:
    """The rows as a UTF-8 file."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        writer.writerows(rows(count, seed=seed))
    return path
