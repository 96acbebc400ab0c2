"""How alike two companies are in what a profile asks about, as one number that can be explained.

Each fact the criteria ask about weighs what its criteria weigh (a criterion over several facts shares its
weight among them; a gate, which has none, counts as the average criterion). Sets and choices are compared
by Jaccard; sizes, money and dates by how much of their joint range they share, each first widened as far
as `REACH` says, so that 48 and 52 people are alike although no range covers both. An unknown fact says
nothing: it lowers `comparable`, never `score`. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, log, log1p

from icp_sync.domain.conditions import Condition, Within, facts_of, leaves
from icp_sync.domain.currency import convert
from icp_sync.domain.facts import Facts, FactValue, Interval, Members, Money
from icp_sync.domain.profile import DAY, Profile

REACH = log(10) / 2
"""How far a size or an amount reaches to either side, as a logarithm: ten times apart shares nothing,
twice apart about half."""

DATE_REACH = 2 * 365 * DAY
"""How far a date reaches to either side, in seconds: four years apart shares nothing."""

OPEN_END = log(10)
"""How far an open band ("10,001 or more") is taken to go, as a logarithm."""

ALIKE = 0.5
"""From this likeness on a fact is named as alike, below it as different."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """score: 0 to 1 over the facts known of both. comparable: the share of weight they carry, 0 to 1.

    facts: fact → its likeness, the weightiest first; facts that are unknown on either side are absent.
    """

    score: float
    comparable: float
    facts: tuple[tuple[str, float], ...]

    @property
    def rank(self) -> float:
        """What a list is ordered by: alike in much counts for more than alike in the little that is known."""
        return self.score * self.comparable

    @property
    def alike(self) -> tuple[str, ...]:
        return tuple(name for name, score in self.facts if score >= ALIKE)

    @property
    def different(self) -> tuple[str, ...]:
        return tuple(name for name, score in self.facts if score < ALIKE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """What to compare by. weights: fact → share of the whole, the weightiest first; they sum to 1.

    dates: the facts that are instants.
    """

    weights: tuple[tuple[str, float], ...]
    dates: frozenset[str]
    currency: str


def yardstick(profile: Profile, dates: Iterable[str] = ()) -> Yardstick:
    """What a profile compares by. dates: the facts that are instants (a question about age tells, too)."""
    weighted = [c.weight for c in profile.criteria if not c.required]
    average = sum(weighted) / len(weighted) if weighted else 1.0
    shares: dict[str, float] = {}
    found = set(dates)
    for criterion in profile.criteria:
        names = facts_of(criterion.when)
        found.update(_instants(criterion.when))
        for name in names:
            weight = average if criterion.required else criterion.weight
            shares[name] = shares.get(name, 0.0) + weight / len(names)
    total = sum(shares.values())
    ordered = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    weights = tuple((name, share / total) for name, share in ordered) if total else ()
    return Yardstick(weights=weights, dates=frozenset(found), currency=profile.currency)


def _instants(condition: Condition) -> Iterable[str]:
    return (leaf.fact for leaf in leaves(condition) if isinstance(leaf, Within))


def likeness(one: Facts, other: Facts, by: Yardstick) -> Likeness:
    """How alike two companies are: symmetric, 1 of a company with itself, 0 where nothing compares."""
    total = known = 0.0
    compared: list[tuple[str, float]] = []
    for name, weight in by.weights:
        if (a := one.get(name)) is None or (b := other.get(name)) is None:
            continue
        score = _alike(a, b, name in by.dates, by.currency)
        if score is None:
            continue
        known += weight
        total += weight * score
        compared.append((name, score))
    share = min(1.0, total / known) if known else 0.0
    return Likeness(score=share, comparable=min(1.0, known), facts=tuple(compared))


def _alike(a: FactValue, b: FactValue, date: bool, currency: str) -> float | None:
    """0 to 1, None when the two cannot be compared."""
    if isinstance(a, Members) or isinstance(b, Members):
        if isinstance(a, Members) and isinstance(b, Members):
            return _jaccard(a, b)
        return None
    first, second = _reached(a, date, currency), _reached(b, date, currency)
    if first is None or second is None:
        return None
    shared = min(first[1], second[1]) - max(first[0], second[0])
    joint = max(first[1], second[1]) - min(first[0], second[0])
    return max(0.0, shared) / joint


def _jaccard(a: Members, b: Members) -> float | None:
    """Common members among all of them. Two sets without a member are alike only where both are complete."""
    union = a.known | b.known
    if union:
        return len(a.known & b.known) / len(union)
    return 1.0 if a.complete and b.complete else None


def _reached(value: Interval | Money, date: bool, currency: str) -> tuple[float, float] | None:
    """The range widened by its reach; None where nothing bounds it. Below nothing counts as nothing."""
    low, high = convert(value, currency) if isinstance(value, Money) else value
    if (low == -inf or low == 0.0) and high == inf:
        return None
    if date:
        if low == -inf or high == inf:
            return None
        return low - DATE_REACH, high + DATE_REACH
    start = log1p(max(0.0, low))
    end = start + OPEN_END if high == inf else log1p(max(0.0, high))
    return start - REACH, end + REACH
