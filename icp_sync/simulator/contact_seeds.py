"""Contacts of the seeded companies: as many as each company's roll-up says, with titles as people type them.

Everybody is made up; addresses are under `.example`. A fifth has no title; others have them in capitals, in
other languages, with the region behind, or as nothing anybody could read.
"""

from __future__ import annotations

from random import Random

from icp_sync.simulator.hubspot.portal import Portal
from icp_sync.simulator.store import Record, Source

_ORIGIN = Source("IMPORT", "88231")
_FIRST = ("Ana", "Bo", "Chen", "Dana", "Eli", "Fatou", "Gita", "Hugo", "Ines", "Jo", "Kofi", "Lena")
_LAST = ("Ager", "Bello", "Cruz", "Dahl", "Eriksen", "Fuchs", "Garcia", "Hoang", "Ito", "Jansen")
_TITLES = (
    *("",) * 20,
    *("Founder & CEO", "Co-Founder", "CEO", "Chief Executive Officer", "Owner", "Managing Director") * 2,
    *("VP Sales", "Vice President, Sales EMEA", "VP SALES", "vp of sales & marketing", "SVP Revenue") * 2,
    *("Head of RevOps", "Director of Revenue Operations", "Sales Operations Manager", "CRO") * 2,
    *("Head of Marketing", "Marketing Manager", "CMO", "Demand Generation Manager", "Growth Lead") * 2,
    *("Account Executive", "SDR", "Sales Development Representative", "Account Manager") * 3,
    *("CFO", "Finance Director", "Controller", "CTO", "IT Manager", "Head of IT", "Software Engineer") * 2,
    *("Operations Manager", "HR Manager", "Office Manager", "Procurement Lead", "Product Manager") * 2,
    *("Geschäftsführer", "Vertriebsleiter DACH", "Leiterin Marketing", "Directeur Commercial"),
    *("Directora de Marketing", "Responsabile Vendite", "Inhaber", "Hoofd Verkoop", "営業部長"),
    *("Executive Assistant to the VP Sales", "former VP Sales", "n/a", "-", "Chief Happiness Officer", "xx"),
)


def fill(portal: Portal, seed: int) -> None:
    """Make the contacts and tie them to their companies. The same ones for the same seed and companies."""
    random = Random(f"contacts {seed}")  # noqa: S311 - the same contacts for the same seed
    companies = [portal.store.records[i] for i in portal.store.live]
    told = [company for company in companies for _ in range(_count(company))]
    portal.contacts.store.load(_contact(company, random) for company in told)
    for company, contact in zip(told, portal.contacts.store.live, strict=True):
        portal.ties.tie(company.id, contact)


def _count(company: Record) -> int:
    return int(company.props.get("num_associated_contacts") or 0)


def _contact(company: Record, random: Random) -> tuple[dict[str, str], Source, int, int]:
    """Values, origin, created and modified (ms) of one contact, who is younger than the company's record."""
    person, at = somebody(random, company)
    values = person | {"company": company.props.get("name", "")}
    return {name: value for name, value in values.items() if value}, _ORIGIN, at, at


def somebody(random: Random, company: Record) -> tuple[dict[str, str], int]:
    """A made-up person of a company and since when, ms: firstname, lastname, email, jobtitle (maybe "")."""
    first, last = random.choice(_FIRST), random.choice(_LAST)
    at = random.randrange(company.created, company.modified + 1)
    values = {
        "firstname": first,
        "lastname": last,
        "email": f"{first}.{last}.{random.randrange(1_000_000)}@people.example".lower(),
        "jobtitle": random.choice(_TITLES),
    }
    return values, at
