"""Buying only what can change the answer, against buying everything: the same companies, vendors and profile.

Both ways settle until nobody has anything left to ask; compared are the tiers they end with and the credits.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from icp_sync.domain.account import Account
from icp_sync.domain.buying import Buy, Buying
from icp_sync.domain.compile import compile_profile
from icp_sync.domain.facts import FactValue, Interval, Members, Signal, choice
from icp_sync.domain.seal import SealKey
from icp_sync.domain.standing import Mode
from icp_sync.journal import Journal
from icp_sync.ports import Page, Position, Stream
from icp_sync.profile_file import load
from icp_sync.sync.draft import Draft, Policy, draft
from icp_sync.sync.enrich import enrich, with_answers
from icp_sync.sync.recalling import recalled
from icp_sync.sync.report import Report
from icp_sync.sync.vendors import Vendors
from tests.bench.enrichment.companies import YEAR_2026, Company, companies
from tests.bench.enrichment.vendors import Vendor, vendors

KEY = SealKey(installation="0123456789ab", key=b"k" * 32)
PAGE = 1_000
PASSES = 6
"""Looks at everybody, a quarter of an hour apart: what a vendor could not answer is asked again."""
FILLED = {"industry": 0.55, "employees": 0.40, "revenue": 0.20, "country": 0.70, "contact_titles": 0.50}
"""Share of accounts whose CRM record holds a fact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One seed. credits: bought by value, and when everything was bought. same: accounts with one tier."""

    seed: int
    accounts: int
    same: int
    credits: float
    everything: float

    @property
    def equal(self) -> float:
        return self.same / self.accounts

    @property
    def share(self) -> float:
        return self.credits / self.everything


def compared(profile: Path, seed: int, most: int | None = None) -> Compared:
    """Both ways on one seed. most: only so many accounts."""
    world = companies(seed)
    if most is not None:
        world = Random(seed).sample(world, most)
    value, credits = _settled(profile, world, seed, Buying())
    everything, most_credits = _settled(profile, world, seed, Buying(mode=Buy.EVERYTHING))
    same = sum(value[one.domain] == everything[one.domain] for one in world)
    return Compared(seed=seed, accounts=len(world), same=same, credits=credits, everything=most_credits)


def _settled(
    profile: Path, world: Sequence[Company], seed: int, buying: Buying
) -> tuple[Mapping[str, str], float]:
    """Domain → final tier, and the credits spent."""
    sources = vendors({one.domain: one for one in world}, seed)
    policy = Policy(
        compiled=(compile_profile(load(profile).profile),),
        version=1,
        key=KEY,
        mode=Mode.ROUTE,
        buying=buying,
    )
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.open(f"sqlite:///{folder}/journal.sqlite", "bench")
        try:
            tiers = _passes(_accounts(world, seed), sources, policy, journal)
        finally:
            journal.close()
    return tiers, sum(source.spent for source in sources)


def _passes(
    accounts: Sequence[Account], sources: Sequence[Vendor], policy: Policy, journal: Journal
) -> Mapping[str, str]:
    tiers: dict[str, str] = {}
    asking = Vendors(sources)
    for turn in range(PASSES):
        before = sum(source.asked for source in sources)
        now = YEAR_2026 + turn * 4_000.0
        for at in range(0, len(accounts), PAGE):
            page = Page(stream=Stream.BACKFILL, accounts=tuple(accounts[at : at + PAGE]), position=Position())
            for d in _bought(page, asking, policy, journal, now, f"pass-{turn}"):
                tiers[d.account.id] = d.evaluation.tier
        if sum(source.asked for source in sources) == before:
            break
    return tiers


def _bought(
    page: Page, sources: Vendors, policy: Policy, journal: Journal, now: float, run: str
) -> list[Draft]:
    """The enriching part of `settle`."""
    memory = recalled(page, policy, sources, journal, now)
    drafts = draft(page.accounts, policy, memory, now)
    found = enrich(drafts, sources, policy, journal, memory, now=now, run=run, spend=True, report=Report())
    return draft(page.accounts, policy, with_answers(memory, drafts, found, policy), now)


def _accounts(world: Sequence[Company], seed: int) -> list[Account]:
    """What the CRM knows of the companies: their domains, what they are to us, and some facts."""
    draw = Random(f"{seed} crm")
    return [_account(one, draw) for one in world]


def _account(company: Company, draw: Random) -> Account:
    said: dict[str, FactValue] = {
        "name": choice(company.domain),
        "domain": choice(company.domain),
        "population": choice("prospect" if draw.random() < 0.94 else "customer"),
        "open_deals": Interval(0.0, 0.0),
        "business_model": company.facts["business_model"],
        "residency": company.facts["residency"],
    }
    for fact, filled in FILLED.items():
        value = company.facts.get(fact)
        if draw.random() < filled and value is not None:
            said[fact] = value
    if draw.random() < 0.15 and isinstance(techs := company.facts["technologies"], Members):
        said["technologies"] = Members(techs.known, False)
    signals = tuple(
        Signal(fact=fact, value=value, source=f"crm:{fact}", observed_at=YEAR_2026)
        for fact, value in said.items()
    )
    live = {"tier": "", "owner": "", "routed_owner": ""}
    return Account(id=company.domain, name=company.domain, signals=signals, live=live)
