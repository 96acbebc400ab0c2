"""What is simulated: whose accounts, on which plan, cut how; and one run of it with so many workers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import exp, log

from icp_sync.quota import Daily, Rate
from icp_sync.quota.day import DAY
from icp_sync.settings.connection import Quota
from icp_sync.sync.pacing import USUAL, Pacing
from tests.scale.costs import Assumed, Costs
from tests.scale.crew import Crew
from tests.scale.crms import Crm, HubSpot, Salesforce
from tests.scale.engine import Gate, Process, Time
from tests.scale.filling import FIRST, Filling
from tests.scale.limits import Limits, Plan
from tests.scale.portal import Portal

QUOTA = Quota()
HUBSPOT_DAY = {"starter": 250_000, "professional": 625_000, "enterprise": 1_000_000}
"""Calls a day of an account ("API usage guidelines and limits")."""
SALESFORCE_DAY = 100_000 + 1_000 * 500
"""Enterprise Edition with 500 licences ("API Request Limits and Allocations"), in the last 24 hours."""


ENDLESS = Plan(rates={}, day=0, daily=Daily())


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """crm: hubspot, salesforce, or salesforce-bulk. sizes: accounts of each connection.

    partitions: ranges of a backfill. dies: seconds after which one worker ends for good. hangs: when one
    portal begins to hang, and for how long. steady: seconds of following alone, 0 for a backfill of all.
    changed: of the accounts a backfill reads, those it writes. unlimited: the CRM has no limits. day: calls
    of a day, by default the plan's.
    """

    name: str
    crm: str
    sizes: tuple[int, ...]
    partitions: int = 8
    pacing: Pacing = USUAL
    paced: bool = True
    follows: bool = True
    dies: float | None = None
    hangs: tuple[float, float] | None = None
    steady: float = 0.0
    changed: float = FIRST
    unlimited: bool = False
    day: int = 0
    seed: int = 1

    @property
    def accounts(self) -> int:
        return sum(self.sizes)


@dataclass(slots=True, kw_only=True)
class Ran:
    """One run: when all was filled, seconds, and everything that took part."""

    scenario: Scenario
    workers: int
    seconds: float
    crew: Crew
    portals: Sequence[Portal]
    fillings: Sequence[Filling] = field(default_factory=list)
    ended: bool = True


def agency(
    portals: int = 200, seed: int = 1, smallest: int = 2_000, largest: int = 200_000
) -> tuple[int, ...]:
    """Sizes of so many portals: as many between 2,000 and 20,000 as between 20,000 and 200,000."""
    dice = random.Random(seed)
    return tuple(round(exp(dice.uniform(log(smallest), log(largest)))) for _ in range(portals))


def run(scenario: Scenario, workers: int, costs: Costs, assumed: Assumed, most: float = 20 * DAY) -> Ran:
    """Simulate it until all is filled, or so many seconds."""
    time = Time()
    crew = Crew(time, workers, costs, assumed)
    dice = random.Random(f"{scenario.seed} {scenario.name}")
    portals = [_portal(scenario, n, size, crew, dice) for n, size in enumerate(scenario.sizes)]
    fillings: list[Filling] = []
    if scenario.follows:
        for portal in portals:
            portal.follows()
    if not scenario.steady:
        fillings = [
            Filling(
                portal=portal,
                partitions=scenario.partitions,
                pacing=scenario.pacing,
                paced=scenario.paced,
                changed=scenario.changed,
            )
            for portal in portals
        ]
    everything = time.start(_all([filling.begins() for filling in fillings], scenario.steady))
    if scenario.dies is not None:
        time.start(_death(crew, scenario.dies))
    if scenario.hangs is not None:
        time.start(_hang(largest(portals), *scenario.hangs))
    ended = time.run(everything, most)
    return Ran(
        scenario=scenario,
        workers=workers,
        seconds=time.now,
        crew=crew,
        portals=portals,
        fillings=fillings,
        ended=ended,
    )


def _portal(scenario: Scenario, number: int, size: int, crew: Crew, dice: random.Random) -> Portal:
    return Portal(
        name=f"portal {number}",
        accounts=size,
        changes=dice.uniform(0.005, 0.02),
        crm=_crm(scenario, crew.assumed),
        limits=Limits(crew.time, _plan(scenario, size), crew.assumed.latency),
        crew=crew,
        dice=random.Random(f"{scenario.seed} {number}"),
    )


def _crm(scenario: Scenario, assumed: Assumed) -> Crm:
    if scenario.crm == "hubspot":
        return HubSpot()
    bulk = scenario.crm.endswith("bulk")
    return Salesforce(bulk=bulk, rows=assumed.rows, opening=assumed.opening)


def _plan(scenario: Scenario, size: int) -> Plan:
    if scenario.unlimited:
        return ENDLESS
    plan = plan_of(scenario.crm, size)
    return replace(plan, day=scenario.day) if scenario.day else plan


def plan_of(crm: str, accounts: int) -> Plan:
    """What the CRM allows an account of that size; large portals are on large plans."""
    if crm != "hubspot":
        daily = Daily(share=QUOTA.reserve, backfill=QUOTA.backfill, rolling=True)
        return Plan(rates={}, day=SALESFORCE_DAY, daily=daily, rolling=True)
    tier = "starter" if accounts < 10_000 else "professional" if accounts < 1_000_000 else "enterprise"
    burst = 100 if tier == "starter" else QUOTA.burst
    return Plan(
        rates={"burst": Rate(burst, 10.0), "search": Rate(QUOTA.search, 1.0)},
        day=HUBSPOT_DAY[tier],
        daily=Daily(share=QUOTA.reserve, backfill=QUOTA.backfill),
    )


def _all(gates: Sequence[Gate], seconds: float) -> Process:
    yield from gates
    yield seconds


def _death(crew: Crew, at: float) -> Process:
    yield at
    crew.dies(crew.workers[0])


def largest(portals: Sequence[Portal]) -> Portal:
    return max(portals, key=lambda one: one.accounts)


def _hang(portal: Portal, at: float, seconds: float) -> Process:
    """Every call takes until it is given up."""
    usual = portal.limits.latency
    yield at
    portal.limits.latency = portal.crew.assumed.hang
    yield seconds
    portal.limits.latency = usual


LARGE = replace(USUAL, wave=100_000)
"""Waves for ten million: with 5,000 the pauses between them alone would take 33 hours."""
EVERY = 10_000_000

SCENARIOS = (
    Scenario(name="200 HubSpot portals, first backfill of all at once", crm="hubspot", sizes=agency()),
    Scenario(name="200 HubSpot portals, an hour of work", crm="hubspot", sizes=agency(), steady=2 * 3600.0),
    Scenario(
        name="one Salesforce org of 10,000,000, update collections",
        crm="salesforce",
        sizes=(EVERY,),
        pacing=LARGE,
    ),
    Scenario(
        name="one Salesforce org of 10,000,000, bulk writes",
        crm="salesforce-bulk",
        sizes=(EVERY,),
        pacing=LARGE,
    ),
    Scenario(name="one HubSpot portal of 10,000,000", crm="hubspot", sizes=(EVERY,), pacing=LARGE),
)
