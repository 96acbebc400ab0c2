"""Made-up companies of which it is known what made them buy: forty facts, five of them true.

The same seed makes the same companies. An odds ratio is one per standard deviation of what a fact counts
for: of the logarithm of a number, or of the yes and no of a question, which is as usual for numbers and,
where p of the cases say yes, is OR^(1/sqrt(p(1-p))) between yes and no. `reading="yes_no"` takes it for the
odds between yes and no of a question that halves the cases: half as much in the logarithm, for every fact.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import exp, log, sqrt
from random import Random
from typing import Literal

from icp_sync.domain.facts import CATALOGUE, FactType, FactValue, Interval, Members, Money, choice, yes_no
from icp_sync.learning.cases import Case, Cohort, Goal
from icp_sync.normalize.dates import year

DAY = 86_400.0
END = 1_790_000_000.0
BASE, MISSING, FLIPPED = 0.15, 0.20, 0.08

ODDS = {"vc_backed": 1.6, "technologies": 1.8, "industry": 2.0, "employees": 2.25, "revenue": 2.5}
"""True fact → odds ratio per standard deviation."""

YES_NO = (
    "vc_backed", "sells_online", "has_blog", "remote_first", "has_api", "uses_chat", "multi_entity",
    "is_hiring", "has_reseller", "runs_events", "soc2", "family_owned",
)  # fmt: skip
_SHARES = (0.15, 0.5, 0.6, 0.3, 0.2, 0.4, 0.1, 0.5, 0.15, 0.35, 0.08, 0.2)
NUMBERS = {
    "employees": (4.8, 1.4), "web_visits": (8.0, 2.0), "open_jobs": (1.0, 1.3), "offices": (0.7, 0.8),
    "app_installs": (6.0, 2.2), "support_staff": (2.0, 1.1),
}  # fmt: skip
MONEY = {"revenue": (16.0, 1.6), "funding_total": (15.0, 1.5), "ad_spend": (10.0, 1.8)}
"""Fact → mean and standard deviation of its logarithm."""
CHOICES: Mapping[str, tuple[str, ...]] = {
    "industry": (
        "RETAIL", "COMPUTER_SOFTWARE", "CONSTRUCTION", "INTERNET", "BANKING", "REAL_ESTATE", "INSURANCE",
        "FARMING", "MACHINERY", "TEXTILES", "FURNITURE", "WINE_AND_SPIRITS", "FISHERY", "DAIRY",
    ),
    "country": ("US", "DE", "GB", "FR", "CA", "NL", "SE", "ES", "IT", "PL", "BR", "IN", "JP", "AU"),
    "state": ("ca", "ny", "tx", "fl", "wa", "ma", "il", "ga", "oh", "co"),
    "ownership": ("private", "public", "nonprofit", "government"),
    "funding_stage": ("none", "seed", "series a", "series b", "series c"),
    "buying_stage": ("awareness", "consideration", "decision"),
    "region": ("north", "south", "east", "west"),
    "erp": ("none", "sap", "oracle", "netsuite", "dynamics", "odoo"),
}  # fmt: skip
SETS: Mapping[str, tuple[bool, tuple[str, ...]]] = {
    "technologies": (
        False,
        ("google analytics", "hubspot", "salesforce", "slack", "shopify", "marketo", "segment"),
    ),
    "business_model": (True, ("b2b", "b2c", "saas", "services", "marketplace")),
    "keywords": (False, ("cloud", "data", "logistics", "health", "energy", "payments", "retail", "food")),
    "open_roles": (True, ("engineering", "sales", "marketing", "support", "finance")),
    "news": (False, ("launches", "acquires", "hires", "expands")),
    "intent_topics": (False, ("crm", "routing", "scoring", "enrichment", "attribution")),
    "residency": (True, ("eu", "us", "apac")),
}  # fmt: skip
"""Fact → whether its sets are complete, and its members, the frequent ones first."""
OTHERS = ("employee_growth", "intent_score", "founded", "last_funding_date")
FACTS = (*NUMBERS, *MONEY, *CHOICES, *SETS, *OTHERS, *YES_NO)

TYPES: Mapping[str, FactType] = {
    **CATALOGUE,
    "offices": FactType.NUMBER,
    "app_installs": FactType.NUMBER,
    "support_staff": FactType.NUMBER,
    "ad_spend": FactType.MONEY,
    "region": FactType.CHOICE,
    "erp": FactType.CHOICE,
    "onboarded": FactType.YES_NO,
    "health_score": FactType.NUMBER,
    **dict.fromkeys(YES_NO, FactType.YES_NO),
}

_GOOD_INDUSTRIES = frozenset(("COMPUTER_SOFTWARE", "INTERNET"))
_BANDS = (1, 11, 51, 201, 501, 1_001, 5_001, 10_001)

Values = list[FactValue]
Counts = list[float]
"""What a fact counts for, by case: mean 0 and standard deviation 1 among all companies there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """cases: in order of decision. labels: whether each was good. counts: true fact → what it counts for,
    None where it is missing: all that somebody who knows the five could test."""

    cases: tuple[Case, ...]
    labels: list[bool]
    counts: Mapping[str, Sequence[float | None]]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Nothing made here is garbage, and looking for it takes longer than making it all."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()


@_uncollected()
def planted(
    n: int = 2_000,
    seed: int = 0,
    *,
    effect: float | Literal["planted", "none"] = "planted",
    odds: Mapping[str, float] = ODDS,
    reading: Literal["deviation", "yes_no"] = "deviation",
    base: float = BASE,
    missing: float = MISSING,
    flipped: float = FLIPPED,
    shuffled: bool = False,
    churned: float = 0.0,
    goal: Goal = Goal.WON,
    leak: Literal["copy", "noisy", "fill", "member"] | None = None,
) -> Planted:
    """n cases. effect: "planted" takes `odds`, a number is the odds ratio of all five, "none" is 1.

    shuffled: the labels are dealt out anew. churned: of the good ones, the share that left since, whoever
    they are: won, and not good. leak: a fact that gives the outcome away: `onboarded` (copy, or
    with one in twenty wrong), `health_score` (known of the good ones), the member "our tag" of technologies.
    """
    draw = Random(f"{seed} {n}")
    ratios = {fact: effect if isinstance(effect, float) else odds[fact] for fact in odds}
    share = 0.0 if effect == "none" else 0.5 if reading == "yes_no" else 1.0
    values, counts = _drawn(draw, n)
    weights = {fact: share * log(ratio) for fact, ratio in ratios.items()}
    raised = [sum(w * counts[fact][i] for fact, w in weights.items()) for i in range(n)]
    start = _intercept(raised, base)
    labels = [draw.random() < _chance(start + up) for up in raised]
    labels = [good is not (draw.random() < flipped) for good in labels]
    if shuffled:
        draw.shuffle(labels)
    gone = [bool(churned) and good and draw.random() < churned for good in labels]
    labels = [good and not left for good, left in zip(labels, gone, strict=True)]
    seen = {fact: [draw.random() >= missing for _ in range(n)] for fact in FACTS}
    facts: list[dict[str, FactValue]] = [{} for _ in range(n)]
    for fact, column in values.items():
        for known, value, there in zip(facts, column, seen[fact], strict=True):
            if there:
                known[fact] = value
    _leak(draw, leak, facts, labels)
    cases = [_case(draw, i, facts[i], labels[i], goal, gone=gone[i]) for i in range(n)]
    order = sorted(range(n), key=lambda i: (cases[i].decided, i))
    return Planted(
        cases=tuple(cases[i] for i in order),
        labels=[labels[i] for i in order],
        counts={fact: [counts[fact][i] if seen[fact][i] else None for i in order] for fact in odds},
    )


def _chance(x: float) -> float:
    return 1 / (1 + exp(-x))


def _intercept(raised: Sequence[float], base: float) -> float:
    """The intercept at which these cases are good in `base` of all."""
    low, high = -15.0, 15.0
    for _ in range(40):
        middle = (low + high) / 2
        rare = sum(_chance(middle + up) for up in raised) < base * len(raised)
        low, high = (middle, high) if rare else (low, middle)
    return low


def _drawn(draw: Random, n: int) -> tuple[dict[str, Values], dict[str, Counts]]:
    values: dict[str, Values] = {}
    counts: dict[str, Counts] = {}
    for fact, (mean, spread) in NUMBERS.items():
        counts[fact] = [draw.gauss(0, 1) for _ in range(n)]
        exact = [float(max(1, round(exp(mean + spread * z)))) for z in counts[fact]]
        values[fact] = [Interval(x, x) for x in exact]
        if fact == "employees":
            values[fact] = [_band(x) if draw.random() < 0.35 else Interval(x, x) for x in exact]
    for fact, (mean, spread) in MONEY.items():
        counts[fact] = [draw.gauss(0, 1) for _ in range(n)]
        amounts = [float(round(exp(mean + spread * z), -3)) for z in counts[fact]]
        values[fact] = [Money(x, x, "USD") for x in amounts]
    for fact, names in CHOICES.items():
        weights = {name: 1 / (at + 1.5) for at, name in enumerate(names)}
        picked = draw.choices(names, weights=list(weights.values()), k=n)
        shared = {name: choice(name) for name in names}
        values[fact] = [shared[word] for word in picked]
        if fact == "industry":
            share = sum(weights[name] for name in _GOOD_INDUSTRIES) / sum(weights.values())
            counts[fact] = _standard([word in _GOOD_INDUSTRIES for word in picked], share)
    for fact, (complete, names) in SETS.items():
        shares = {name: 0.4 / (1 + at) for at, name in enumerate(names)}
        held = [frozenset(name for name in names if draw.random() < shares[name]) for _ in range(n)]
        values[fact] = [Members(members, complete) for members in held]
        if fact == "technologies":
            counts[fact] = _standard(["hubspot" in members for members in held], shares["hubspot"])
    values |= _others(draw, n)
    for fact, share in zip(YES_NO, _SHARES, strict=True):
        said = [draw.random() < share for _ in range(n)]
        answers = {yes: yes_no(yes) for yes in (True, False)}
        values[fact] = [answers[yes] for yes in said]
        counts[fact] = _standard(said, share)
    return values, counts


def _others(draw: Random, n: int) -> dict[str, Values]:
    def number(one: Callable[[], float]) -> Values:
        return [Interval(x, x) for x in (one() for _ in range(n))]

    return {
        "employee_growth": number(lambda: float(round(draw.gauss(12, 25)))),
        "intent_score": number(lambda: float(draw.randint(0, 100))),
        "founded": [year(round(draw.triangular(1950, 2024, 2015))) for _ in range(n)],
        "last_funding_date": [_day(END - DAY * draw.randint(0, 1_500)) for _ in range(n)],
    }


def _day(at: float) -> Interval:
    return Interval(at // DAY * DAY, at // DAY * DAY + DAY - 1)


def _standard(said: Sequence[bool], share: float) -> Counts:
    return [(yes - share) / sqrt(share * (1 - share)) for yes in said]


def _band(x: float) -> Interval:
    at = max(i for i, low in enumerate(_BANDS) if x >= low)
    return Interval(_BANDS[at], _BANDS[at + 1] - 1 if at + 1 < len(_BANDS) else float("inf"))


def _leak(draw: Random, leak: str | None, facts: list[dict[str, FactValue]], labels: Sequence[bool]) -> None:
    for known, good in zip(facts, labels, strict=True):
        if leak in ("copy", "noisy"):
            wrong = leak == "noisy" and draw.random() < 0.05
            known["onboarded"] = yes_no(good is not wrong)
        elif leak == "fill" and draw.random() < (0.97 if good else 0.04):
            score = float(draw.randint(1, 100))
            known["health_score"] = Interval(score, score)
        elif leak == "member" and draw.random() < (0.95 if good else 0.02):
            told = known.get("technologies")
            members = told.known if isinstance(told, Members) else frozenset()
            known["technologies"] = Members(members | {"our tag"}, False)


_OUTCOMES: Mapping[tuple[Goal, bool], tuple[tuple[Cohort, float], ...]] = {
    (Goal.WON, True): ((Cohort.BEST, 0.2), (Cohort.LOW, 0.5), (Cohort.UNPLACED, 0.3)),
    (Goal.WON, False): ((Cohort.LOST, 0.65), (Cohort.NEVER, 0.25), (Cohort.CHURNED, 0.10)),
    (Goal.BEST, True): ((Cohort.BEST, 1.0),),
    (Goal.BEST, False): ((Cohort.LOST, 0.4), (Cohort.NEVER, 0.2), (Cohort.CHURNED, 0.15), (Cohort.LOW, 0.25)),
}  # fmt: skip


def _case(
    draw: Random, index: int, facts: Mapping[str, FactValue], good: bool, goal: Goal, *, gone: bool
) -> Case:
    """Begun within 24 months, decided some weeks later."""
    named = ((Cohort.CHURNED, 1.0),) if gone else _OUTCOMES[goal, good]
    cohort = draw.choices([name for name, _ in named], weights=[share for _, share in named])[0]
    begun = END - DAY * draw.uniform(60, 730)
    return Case(
        id=str(1_000 + index),
        name=f"Company {index}",
        domain=f"company{index}.example",
        facts=facts,
        begun=begun,
        decided=min(END, begun + DAY * draw.lognormvariate(3.6, 0.5)),
        won=cohort in (Cohort.BEST, Cohort.LOW, Cohort.CHURNED) or (good and cohort is Cohort.UNPLACED),
        cohort=cohort,
        value=round(draw.lognormvariate(10, 0.8) * (3 if cohort is Cohort.BEST else 1)),
        deal=f"d{index}",
    )
