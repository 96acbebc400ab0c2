"""Generated accounts for the scoring engines: plain values as those take them, and the same as our facts.

The same for the same seed. Every value is exact, because no other engine knows ranges; some are missing.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from math import exp

from icp_sync.domain.conditions import Between
from icp_sync.domain.facts import CATALOGUE, FactType, FactValue, Interval, Members, Money
from icp_sync.domain.profile import Profile

Plain = float | str | list[str]
MISSING = 0.15
"""Of the values, unknown."""
_NUMBERS: Mapping[str, tuple[float, float]] = {
    "employees": (4.8, 1.6),
    "revenue": (16.5, 1.8),
    "open_jobs": (1.2, 1.0),
    "employee_growth": (2.2, 0.9),
    "contacts": (0.8, 1.0),
    "web_visits": (3.0, 1.5),
    "intent_score": (3.8, 0.5),
}
"""Fact → mean and spread of its logarithm."""
_OTHERS = ("other", "another", "a third", "a fourth")
"""Beside the values a profile asks for."""


def plain_accounts(profile: Profile, count: int, *, seed: int = 11) -> Iterator[dict[str, Plain]]:
    """Accounts of the facts this profile asks for, whose conditions are questions about one fact each."""
    some = random.Random(seed)
    words: dict[str, list[str]] = {}
    for criterion in profile.criteria:
        leaf = criterion.when
        if hasattr(leaf, "values"):
            words.setdefault(leaf.fact, list(_OTHERS)).extend(sorted(leaf.values))
        else:
            assert isinstance(leaf, Between)
    for _ in range(count):
        account: dict[str, Plain] = {
            fact: float(int(exp(some.gauss(mean, spread))))
            for fact, (mean, spread) in _NUMBERS.items()
            if some.random() >= MISSING
        }
        for fact, known in words.items():
            if some.random() < MISSING:
                continue
            several = CATALOGUE[fact] is FactType.SET
            account[fact] = some.sample(known, some.randint(1, 3)) if several else some.choice(known)
        yield account


def facts_of(account: Mapping[str, Plain], currency: str) -> dict[str, FactValue]:
    """The same account as we know it."""
    return {name: _value(name, value, currency) for name, value in account.items()}


def _value(name: str, value: Plain, currency: str) -> FactValue:
    if isinstance(value, float):
        return Money(value, value, currency) if name == "revenue" else Interval(value, value)
    return Members(frozenset([value] if isinstance(value, str) else value), True)
