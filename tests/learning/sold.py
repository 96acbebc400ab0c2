"""Small made-up books for the scorecard: companies with a few facts, sold to by a rule the test states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from icp_sync.domain.facts import (
    CATALOGUE,
    FactType,
    FactValue,
    Interval,
    Members,
    Money,
    choice,
    number,
    yes_no,
)
from icp_sync.learning.cases import Cohort
from icp_sync.learning.marks.attributes import Findings, find
from icp_sync.learning.marks.coded import Coded, coded

TYPES: Mapping[str, FactType] = {**CATALOGUE, "is_startup": FactType.YES_NO, "crm": FactType.CHOICE}
INDUSTRIES = ("COMPUTER_SOFTWARE", "INTERNET", "BANKING", "RETAIL", "MACHINERY")
TOOLS = ("hubspot", "salesforce", "shopify", "sap")

Company = dict[str, FactValue]
Rule = Callable[[Company], float]
"""The chance that a company is good; facts it asks for are always known to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    facts: list[Company]
    labels: list[bool]
    coded: Coded
    findings: Findings


def company(draw: Random) -> Company:
    """One company, everything known."""
    size = float(round(2 ** draw.uniform(2, 13)))
    amount = float(round(10 ** draw.uniform(5, 9), -3))
    tools = frozenset(tool for tool in TOOLS if draw.random() < 0.35)
    return {
        "employees": number(size),
        "revenue": Money(amount, amount, "EUR"),
        "industry": choice(draw.choice(INDUSTRIES)),
        "technologies": Members(tools, True),
        "is_startup": yes_no(draw.random() < 0.3),
        "founded": _year(draw.randint(1980, 2024)),
    }


def _year(year: int) -> Interval:
    start = (year - 1970) * 31_557_600.0 // 86_400 * 86_400
    return Interval(start, start)


def sold(
    rule: Rule,
    *,
    n: int = 1_200,
    seed: int = 0,
    missing: float = 0.0,
    blurred: float = 0.0,
    cohort: Callable[[Company, bool], Cohort] | None = None,
) -> Sold:
    """n companies sold to by the rule. missing: share of facts nobody knows afterwards. blurred: share of
    those left that are known in part only: a size as a range, a list that may go on."""
    draw = Random(f"{seed} {n}")
    whole = [company(draw) for _ in range(n)]
    labels = [draw.random() < rule(one) for one in whole]
    facts = [_seen(draw, one, missing, blurred) for one in whole]
    cohorts = [cohort(one, good) for one, good in zip(whole, labels, strict=True)] if cohort else []
    asked = coded(facts, TYPES, currency="EUR")
    return Sold(facts=facts, labels=labels, coded=asked, findings=find(asked, labels, cohorts))


def _seen(draw: Random, whole: Company, missing: float, blurred: float) -> Company:
    seen = {}
    for fact, value in whole.items():
        if draw.random() < missing:
            continue
        seen[fact] = _blurred(draw, value) if draw.random() < blurred else value
    return seen


def _blurred(draw: Random, value: FactValue) -> FactValue:
    if isinstance(value, Members):
        return Members(value.known, len(value.known) == 1 and value.complete)
    if isinstance(value, Money):
        return Money(value.low * draw.uniform(0.3, 1), value.high * draw.uniform(1, 3), value.currency)
    return Interval(value.low * draw.uniform(0.3, 1), value.high * draw.uniform(1, 3))


def size_of(one: Company) -> float:
    value = one["employees"]
    assert isinstance(value, Interval)
    return value.low


def has(one: Company, fact: str, word: str) -> bool:
    value = one[fact]
    return isinstance(value, Members) and word in value.known


def mixed(one: Company) -> float:
    """A bit of everything: large software companies that run HubSpot are good."""
    chance = 0.06 + 0.12 * (size_of(one) >= 50) + 0.12 * (size_of(one) >= 500)
    chance += 0.15 * has(one, "industry", "COMPUTER_SOFTWARE") + 0.15 * has(one, "technologies", "hubspot")
    return chance + 0.1 * has(one, "is_startup", "yes")
