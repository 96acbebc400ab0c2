"""The four vendors of `vendors.toml` as enrichers: each knows a part of the truth, and has some of it wrong.

What a vendor says of a company depends on the seed, its name and the domain alone, so that however it is
asked, and by whom, it says the same.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from icp_sync.domain.facts import FactValue, Interval, Members, Money, Signal, choice
from icp_sync.normalize import industries
from icp_sync.ports import Answer, Hit, Miss, Request, Unavailable
from tests.bench.enrichment.companies import DAY, Company

FILE = Path(__file__).with_name("vendors.toml")
SIZES = (1, 11, 51, 201, 501, 1_001, 5_001, 10_001)
REVENUES = (0, 1e6, 10e6, 25e6, 50e6, 100e6, 250e6, 500e6, 1e9, 10e9)
SETS = ("technologies", "open_roles", "keywords")


class Vendor:
    """asked, spent: questions and credits so far."""

    ttl = 90 * DAY
    miss_ttl = 30 * DAY
    batch = 100

    def __init__(
        self, stated: Mapping[str, Any], errors: Mapping[str, float], known: Mapping[str, Company], seed: int
    ) -> None:
        self.name, self.price = str(stated["name"]), float(stated["price"])
        self.facts = frozenset(stated["fills"])
        self.asked, self.spent = 0, 0.0
        self._stated, self._errors, self._known, self._seed = stated, errors, known, seed
        self._tries: dict[str, int] = {}

    def answer(self, requests: Sequence[Request]) -> Sequence[Answer]:
        """One answer a request, in order."""
        return [self._one(request.domain) for request in requests]

    def _one(self, domain: str) -> Answer:
        self.asked += 1
        tries = self._tries[domain] = self._tries.get(domain, 0) + 1
        luck = Random(f"{self._seed} {self.name} {domain} {tries}").random()
        if luck < self._errors["throttled"]:
            return Unavailable(kind="throttled", retry_after=1.0)
        if luck < self._errors["throttled"] + self._errors["server_error"]:
            return Unavailable(kind="error", message="HTTP 500")
        draw = Random(f"{self._seed} {self.name} {domain}")
        company = self._known[domain]
        found = draw.random() < self._stated["listed" if company.kind == "real" else "others"]
        charge = self.price if found or self._stated["charged"] == "call" else 0.0
        self.spent += charge
        if not found:
            return Miss(charge=charge)
        said = {
            fact: self._said(fact, company.facts, draw)
            for fact, filled in sorted(self._stated["fills"].items())
            if draw.random() < filled and fact in company.facts
        }
        return Hit(signals=tuple(self._signal(f, v) for f, v in said.items()), charge=charge)

    def _signal(self, fact: str, value: FactValue) -> Signal:
        return Signal(fact=fact, value=value, source=self.name, observed_at=0.0)

    def _said(self, fact: str, truth: Mapping[str, FactValue], draw: Random) -> FactValue:
        value = truth[fact]
        if fact == "employees" and isinstance(value, Interval):
            return self._size(value, draw)
        if fact == "revenue" and isinstance(value, Money):
            return self._revenue(value, draw)
        if fact in SETS and isinstance(value, Members):
            seen = frozenset(one for one in sorted(value.known) if draw.random() < 0.85)
            return Members(seen, False)
        if fact == "industry" and draw.random() > self._errors["same_industry"]:
            return choice(draw.choice(industries.names()))
        if fact == "country" and draw.random() > self._errors["same_country"]:
            return choice(draw.choice(("US", "GB", "DE", "IN", "FR")))
        return value

    def _size(self, value: Interval, draw: Random) -> Interval:
        small = value.low <= 200
        moved = draw.random() > self._errors["same_band_small" if small else "same_band"]
        count = max(1.0, round(value.low * (draw.choice((0.4, 2.5)) if moved else draw.uniform(0.95, 1.05))))
        if "employees" not in self._stated["bands"]:
            return Interval(count, count)
        low, high = _band(count, SIZES)
        return Interval(low, high - 1)

    def _revenue(self, value: Money, draw: Random) -> Money:
        about = value.low * draw.choice((0.5, 0.8, 1.0, 1.0, 1.25, 2.0))
        if "revenue" not in self._stated["bands"]:
            return Money(about, about, value.currency)
        low, high = _band(about, REVENUES)
        return Money(low, high, value.currency)


def _band(value: float, starts: Sequence[float]) -> tuple[float, float]:
    at = max(i for i, start in enumerate(starts) if start <= max(value, starts[0]))
    return float(starts[at]), float(starts[at + 1]) if at + 1 < len(starts) else float("inf")


def vendors(known: Mapping[str, Company], seed: int) -> list[Vendor]:
    """The vendors of the file, in its order."""
    stated = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return [Vendor(one, stated["errors"], known, seed) for one in stated["vendors"]]
