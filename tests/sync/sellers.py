"""Sources with moods that write down in one ledger what they bill.

A look-up that is paid again while its answer holds, or while nobody can know its fate, is an AssertionError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from icp_sync.domain.facts import FactValue, Signal, choice, number
from icp_sync.domain.profile import DAY
from icp_sync.ports import Answer, Hit, Miss, Pending, Request, Unavailable
from tests.sync.world import Clock

HOUR = 3_600.0
UNKNOWN_FOR = HOUR
PATIENCE = 7 * DAY
VALUES: Mapping[str, FactValue] = {"employees": number(120), "industry": choice("SOFTWARE")}
MOODS = (
    "knows",
    "knows a part",
    "knows nothing",
    "knows nothing",
    "promises",
    "promises",
    "is throttled",
    "is out of credit",
    "loses replies",
    "loses replies",
    "loses requests",
    "raises",
    "talks nonsense",
)
TTLS = {"employees": 20 * DAY, "industry": 10 * DAY}


@dataclass
class Bill:
    """One look-up that was paid. until: from when it may be paid again."""

    at: float
    source: str
    key: str
    credits: float
    until: float


@dataclass
class Ledger:
    """What all sources billed. last: what the latest batch was billed; one batch is in flight at a time."""

    bills: list[Bill] = field(default_factory=list)
    last: list[Bill] = field(default_factory=list)

    def unheard(self) -> None:
        """Nobody knows whether what was billed last was billed."""
        for bill in self.last:
            bill.until = bill.at + UNKNOWN_FOR


@dataclass
class Seller:
    """A source that charges `cost` for what it knows and reserves `price`; in a mood that others decide."""

    name: str
    clock: Clock
    ledger: Ledger
    facts: frozenset[str]
    price: float
    cost: float
    pays_for_misses: bool
    mood: str = "knows"
    ttl: float = 20 * DAY
    miss_ttl: float = 5 * DAY
    batch: int = 2
    parallel: int = 1  # so that what is in flight at a crash is the last batch
    asked: list[str] = field(default_factory=list)  # results that were fetched left out
    orders: dict[str, Bill] = field(default_factory=dict)
    fetched: int = 0

    def answer(self, requests: Sequence[Request]) -> Sequence[Answer]:
        self.ledger.last = []
        answers = [self._one(request) for request in requests]
        if self.mood == "raises":
            self.ledger.unheard()
            for request in requests:
                self._waited(request)
            raise RuntimeError("no source is perfect")
        return answers

    def _one(self, request: Request) -> Answer:
        now, key = self.clock(), request.domain
        if not request.job:
            self.asked.append(key)
        if self.mood == "is throttled":
            return Unavailable(kind="throttled", retry_after=60.0)
        if self.mood == "is out of credit":
            return Unavailable(kind="no_credit")
        if self.mood == "loses requests":
            self._waited(request)
            return Unavailable(kind="unknown")
        if request.job:
            self._waited(request)
            return self._fetched(request)
        if self.mood == "knows nothing" and not self.pays_for_misses:
            return Miss()
        bill = self._billed(key, now)
        if self.mood == "knows nothing":
            bill.until = now + self.miss_ttl
            return Miss(charge=self.cost)
        if self.mood == "loses replies":
            bill.until = now + UNKNOWN_FOR
            return Unavailable(kind="unknown")
        if self.mood == "promises":
            job = f"{self.name}-{len(self.orders)}"
            self.orders[job] = bill  # until its result is there, nothing is ordered again
            return Pending(job=job, retry_after=HOUR)
        if self.mood == "talks nonsense":
            bill.until = now + DAY
            return Unavailable(kind="error", message="not JSON", charge=self.cost)
        return self._told(bill)

    def _billed(self, key: str, now: float) -> Bill:
        for bill in self.ledger.bills:
            if (bill.source, bill.key) == (self.name, key):
                assert now >= bill.until, f"{self.name} is paid again for {key}, {now - bill.at} s later"
        bill = Bill(at=now, source=self.name, key=key, credits=self.cost, until=inf)
        self.ledger.bills.append(bill)
        self.ledger.last.append(bill)
        return bill

    def _waited(self, request: Request) -> None:
        """What was promised so long ago is of unknown fate: nobody need believe in it any more."""
        if request.job and self.clock() >= self.orders[request.job].at + PATIENCE:
            self.orders[request.job].until = self.clock()

    def _fetched(self, request: Request) -> Answer:
        self.fetched += 1
        order = self.orders[request.job]
        assert order.key == request.domain
        if self.mood == "promises":
            return Pending(job=request.job, retry_after=HOUR)
        if self.mood == "knows nothing":
            order.until = self.clock() + self.miss_ttl
            return Miss(charge=self.cost)
        return self._told(order)

    def _told(self, bill: Bill) -> Hit:
        told = sorted(self.facts)[:1] if self.mood == "knows a part" else sorted(self.facts)
        bill.until = self.clock() + min(TTLS[fact] for fact in told)
        signals = (
            Signal(fact=fact, value=VALUES[fact], source=self.name, observed_at=self.clock()) for fact in told
        )
        return Hit(signals=tuple(signals), charge=self.cost)
