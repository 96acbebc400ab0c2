"""A profile that asks what the planted companies were made of, one that asks what tells nothing; a book."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

from icp_sync.domain.profile import Profile
from icp_sync.learning.cases import Book, Case
from icp_sync.profile_file import parse
from icp_sync.profile_file.marks import sealed
from tests.learning.planted import TYPES, planted

TRUE = """
profile: planted
currency: USD
criteria:
  - {name: Raised, layer: firmographic, fact: vc_backed, equals: true, weight: 20}
  - {name: Software, layer: firmographic, fact: industry, any_of: [COMPUTER_SOFTWARE, INTERNET], weight: 20}
  - {name: HubSpot, layer: technographic, fact: technologies, any_of: [hubspot], weight: 14}
  - {name: 100 people, layer: firmographic, fact: employees, at_least: 100, weight: 12}
  - {name: 500 people, layer: firmographic, fact: employees, at_least: 500, weight: 10}
  - {name: 5M, layer: firmographic, fact: revenue, at_least: 5M USD, weight: 12}
  - {name: 50M, layer: firmographic, fact: revenue, at_least: 50M USD, weight: 12}
tiers: {A: 60, B: 45, C: 25, D: 0, min_coverage: 0%}
"""
IDLE = """
profile: idle
currency: USD
criteria:
  - {name: Blog, layer: operational, fact: has_blog, equals: true, weight: 60}
  - {name: Cloud, layer: operational, fact: keywords, any_of: [cloud], weight: 40}
tiers: {A: 80, B: 60, C: 40, D: 0, min_coverage: 0%}
"""
HYPOTHESIS = "learned: {hypothesis: true, cases: 14}\n"


def profile(text: str = TRUE, learned: str = "") -> Profile:
    return parse(sealed_as(text + learned), "profile.yaml", types=TYPES)


def sealed_as(text: str) -> str:
    """The text of a profile with the digests that say nobody edited it since it was learned."""
    return sealed(text, parse(text, "profile.yaml", types=TYPES))


def learned(until: float, *, expected: str = "{A: 50%, B: 30%, C: 15%, D: 5%}", goal: str = "won") -> str:
    """The entry of a profile learned from what was decided before that instant's day."""
    day = datetime.fromtimestamp(until, UTC).date()
    return f"learned: {{goal: {goal}, until: {day}, cases: 100, good: 20, expected: {expected}}}\n"


@cache
def cases(n: int = 2_000, seed: int = 0, effect: str = "planted") -> tuple[Case, ...]:
    return planted(n, seed, effect="planted" if effect == "planted" else "none").cases


def book(found: Sequence[Case]) -> Book:
    return Book(cases=tuple(found), types=TYPES)


def middle(found: Sequence[Case], share: float = 0.6) -> float:
    """Midnight of the day before which about that share of the cases was decided."""
    return found[int(len(found) * share)].decided // 86_400 * 86_400
