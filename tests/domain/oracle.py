"""A plain tree walk over conditions: slow, obvious, and written apart from the compiled evaluator."""

from __future__ import annotations

from math import inf

from icp_sync.domain.conditions import (
    All,
    AllOf,
    Any,
    AnyOf,
    Between,
    Condition,
    NoneOf,
    Not,
    Present,
    Within,
)
from icp_sync.domain.currency import convert
from icp_sync.domain.facts import Facts, Interval, Members, Money
from icp_sync.domain.profile import Profile


def credit(condition: Condition, facts: Facts, now: float, currency: str) -> tuple[float, float]:
    """Low and high credit of a condition."""
    match condition:
        case Not(part=part):
            low, high = credit(part, facts, now, currency)
            return 1 - high, 1 - low
        case All(parts=parts):
            both = [credit(p, facts, now, currency) for p in parts]
            return min(low for low, _ in both), min(high for _, high in both)
        case Any(parts=parts):
            both = [credit(p, facts, now, currency) for p in parts]
            return max(low for low, _ in both), max(high for _, high in both)
        case Present(fact=fact, known=known):
            answer = float((fact in facts) == known)
            return answer, answer
    value = facts.get(condition.fact)
    if value is None:
        return 0.0, 1.0
    match condition, value:
        case Between(), Interval() | Money():
            exact = convert(value, currency) if isinstance(value, Money) else value
            return _between(condition, exact.low, exact.high)
        case Within(), Interval():
            if value.high > now:
                return 0.0, 1.0
            return _fresh(condition, now - value.low), _fresh(condition, now - value.high)
        case AnyOf(values=values), Members():
            return _membership(bool(values & value.known), value.complete)
        case NoneOf(values=values), Members():
            low, high = _membership(bool(values & value.known), value.complete)
            return 1 - high, 1 - low
        case AllOf(values=values), Members():
            return _membership(values <= value.known, value.complete)
    raise AssertionError(f"{condition} cannot be asked of {value}")


def _membership(hit: bool, complete: bool) -> tuple[float, float]:
    return (1.0, 1.0) if hit else (0.0, 0.0) if complete else (0.0, 1.0)


def _fresh(condition: Within, age: float) -> float:
    if age >= condition.seconds:
        return 0.0
    return 0.5 ** (age / condition.half_life) if condition.half_life else 1.0


def point(condition: Between, x: float) -> float:
    """Credit of one exact number, straight from the definition."""
    above = x > condition.low if condition.low_open else x >= condition.low
    below = x < condition.high if condition.high_open else x <= condition.high
    if above and below:
        return 1.0
    if not condition.taper or abs(x) == inf:
        return 0.0
    bound = condition.high if x >= condition.high else condition.low
    width = abs(bound) * condition.taper
    return max(0.0, 1 - abs(x - bound) / width) if width else 0.0


def _between(condition: Between, low: float, high: float) -> tuple[float, float]:
    """Least and greatest credit over [low, high]: look at the ends and at both bounds if they lie inside."""
    inside = [b for b in (condition.low, condition.high) if low < b < high]
    looked = [low, high, *inside]
    looked += [
        (a + b) / 2 for a, b in zip(sorted(looked), sorted(looked)[1:], strict=False) if abs(a + b) < inf
    ]
    credits = [point(condition, x) for x in looked]
    meets = low <= condition.high and high >= condition.low
    touches_only_open = (condition.low_open and high == condition.low) or (
        condition.high_open and low == condition.high
    )
    if meets and not touches_only_open and condition.low <= condition.high:
        credits.append(1.0)
    return min(credits), max(credits)


def sums(profile: Profile, facts: Facts, now: float) -> tuple[float, float, float, float]:
    """Low, high, shown and covered points of a profile, unrounded."""
    weighted = [c for c in profile.criteria if not c.required]
    total = sum(c.weight for c in weighted)
    low = high = shown = covered = 0.0
    for c in weighted:
        share = 100 * c.weight / total
        lo, hi = credit(c.when, facts, now, profile.currency)
        low, high = low + share * lo, high + share * hi
        shown += share * (lo + c.unknown * (hi - lo))
        covered += share * (1 - (hi - lo))
    return low, high, shown, covered
