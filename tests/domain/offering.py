"""A profile, a team and a company that fits, for the situations a rep may meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from icp_sync.domain.account import Owner
from icp_sync.domain.choosing import Team
from icp_sync.domain.conditions import AnyOf, Between
from icp_sync.domain.profile import Criterion, Effect, Flag, Member, Pool, Profile, Route, Target

ADA, BEN, CYD, DAN = "ada@example.com", "ben@example.com", "cyd@example.com", "dan@example.com"
NAMES = {ADA: "Ada Lovelace", BEN: "Ben Okri", CYD: "Cyd Charisse"}
TEAM = Team(owners={e: Owner(id=e, email=e, name=NAMES.get(e, "")) for e in (ADA, BEN, CYD, DAN)})


def any_of(fact: str, *values: str) -> AnyOf:
    return AnyOf(fact=fact, values=frozenset(values))


SAAS = Profile(
    name="mid-market SaaS",
    currency="USD",
    criteria=(
        Criterion(
            name="Runs a CRM we connect to",
            layer="technographic",
            when=any_of("technologies", "hubspot", "salesforce"),
            required=True,
        ),
        Criterion(
            name="50–500 employees",
            layer="firmographic",
            when=Between(fact="employees", low=50, high=500),
            weight=35,
        ),
        Criterion(
            name="Software company",
            layer="firmographic",
            when=any_of("industry", "COMPUTER_SOFTWARE", "INTERNET"),
            weight=30,
        ),
        Criterion(
            name="Has an outbound sales role open",
            layer="operational",
            when=any_of("open_roles", "sdr", "bdr"),
            weight=20,
        ),
        Criterion(
            name="In the US or Canada", layer="firmographic", when=any_of("country", "US", "CA"), weight=15
        ),
    ),
    flags=(
        Flag(name="Agency", when=any_of("business_model", "agency"), effect=Effect.EXCLUDE),
        Flag(
            name="Under $1M",
            when=Between(fact="revenue", high=1e6, high_open=True, money=True),
            effect=Effect.CAP,
            cap="C",
        ),
        Flag(name="EU residency asked for", when=any_of("residency", "eu"), effect=Effect.MARK),
    ),
)
ENTERPRISE = replace(
    SAAS,
    name="enterprise",
    criteria=(
        Criterion(
            name="Over 1,000 employees",
            layer="firmographic",
            when=Between(fact="employees", low=1000),
            required=True,
        ),
        *SAAS.criteria[2:],
    ),
)
POOL = Pool(
    name="north-america",
    members=(Member(email=ADA), Member(email=BEN), Member(email=CYD, cap=50), Member(email=DAN)),
)
ROUTED = replace(
    SAAS,
    pools={"north-america": POOL},
    routes=(Route(target=Target(lane="sales", pool="north-america", territory="map.csv"), tiers=("A", "B")),),
)
GOOD: Mapping[str, object] = {
    "technologies": {"hubspot"},
    "employees": 240,
    "industry": "COMPUTER_SOFTWARE",
    "open_roles": {"sdr"},
    "country": "US",
    "business_model": {"saas"},
    "revenue": 2.5e7,
    "residency": {"us"},
}


def without(*names: str, **known: object) -> dict[str, object]:
    """The good company, less some facts, with others in place."""
    return {**{n: v for n, v in GOOD.items() if n not in names}, **known}
