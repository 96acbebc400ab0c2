"""Questions about facts, as data: one tree compiles to Python, to English and (later) to CRM filters.

Every condition has a credit in [0, 1] for exact facts; `domain.compile` evaluates it on partly known
facts as a credit interval. Thresholds of money are in the profile's currency, instants in seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """A number or amount of money in `[low, high]`, with an optional taper.

    taper: share of the nearer bound over which credit falls linearly from 1 to 0: with `[50, 500]` and
    0.5 the credit is 0 at 25 and below, and at 750 and above. A bound of ±inf does not taper.
    """

    fact: str
    low: float = -inf
    high: float = inf
    low_open: bool = False  # `above: 50` excludes 50 itself
    high_open: bool = False  # `below: 50` excludes 50 itself
    taper: float = 0.0
    money: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """At least one of `values` is a member. Without a hit, unknown unless the set is complete."""

    fact: str
    values: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoneOf:
    """None of `values` is a member: exactly 1 − AnyOf."""

    fact: str
    values: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """Every one of `values` is a member."""

    fact: str
    values: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """The instant lies less than `seconds` before now; credit halves each `half_life` seconds (0 = never).

    An instant after now is unknown: nobody raised a round next month. Only timing decays: elsewhere
    `half_life` is 0, and it never stands under `not`, so that timing only falls while no fact changes.
    """

    fact: str
    seconds: float
    half_life: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """Is the fact known at all? Never unknown itself, so it may stand in scopes and routes only:
    elsewhere learning a fact could leave the range stated before.
    """

    fact: str
    known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """The least credit of its parts (and)."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Any:
    """The greatest credit of its parts (or)."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """1 − credit."""

    part: Condition


Leaf = Between | AnyOf | NoneOf | AllOf | Within | Present
Condition = Leaf | All | Any | Not
_COMPOUND = (All, Any, Not)


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Every question about one fact, in reading order."""
    if isinstance(condition, All | Any):
        for part in condition.parts:
            yield from leaves(part)
    elif isinstance(condition, Not):
        yield from leaves(condition.part)
    else:
        yield condition


def at_level(condition: Condition, level: str) -> Condition:
    """The same questions asked of the parent or the group: `employees` becomes `group.employees`."""
    if isinstance(condition, All | Any):
        return replace(condition, parts=tuple(at_level(part, level) for part in condition.parts))
    if isinstance(condition, Not):
        return replace(condition, part=at_level(condition.part, level))
    return replace(condition, fact=f"{level}.{condition.fact}")


def facts_of(condition: Condition) -> tuple[str, ...]:
    """Names of the facts a condition asks about, in reading order, each once."""
    if not isinstance(condition, _COMPOUND):
        return (condition.fact,)
    return tuple(dict.fromkeys(leaf.fact for leaf in leaves(condition)))
