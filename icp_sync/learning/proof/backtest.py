"""How a profile would have done on cases whose end is known, as the engine itself scores them.

Forward only: a profile that says until when it was learned is judged on what was decided since. Knows cases
and profiles; must not know where either came from, and fits nothing.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from icp_sync.domain.compile import compile_profile
from icp_sync.domain.evaluation import NEEDS_DATA, NOT_ICP, evaluate
from icp_sync.domain.facts import Facts, Members
from icp_sync.domain.populations import CUSTOMER, PROSPECT
from icp_sync.domain.profile import TIERS, Profile
from icp_sync.learning.cases import Case, Labelled
from icp_sync.learning.figures.chance import wilson
from icp_sync.learning.figures.ranking import LEFT_OUT, Estimate, auc_estimate, binomial

STATES = (*TIERS, NEEDS_DATA, NOT_ICP)
BELOW_ALL = -1.0
"""Where an account ranks that is certainly not the ICP: below every score."""
FEW = 10
"""Cases of a tier below which drawing them again tells nothing."""
GROUPS = 10
"""Into so many groups of about equal size are cases cut by score, where no rate was foretold."""
_SINCE_THE_SALE = frozenset({CUSTOMER, "former"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A case and what the profiles said of it when it was decided.

    rank: the score, or `BELOW_ALL`. in_scope: whether the profiles would have scored it at all; it is ranked
    either way, so that profiles with different scopes are compared on the same cases.
    """

    case: Case
    good: bool
    score: int
    tier: str
    rank: float
    in_scope: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRow:
    """One tier on the proving cases. rate: share of the good, None without a case; low, high: its Wilson
    interval. recall: share of all good ones that it holds. lift: rate over the base."""

    tier: str
    n: int
    good: int
    rate: float | None
    low: float
    high: float
    recall: float | None
    lift: float | None

    @property
    def precision(self) -> float | None:
        return self.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """What was foretold of a tier and what came; without a foretold rate a group of like scores."""

    name: str
    expected: float | None
    observed: float
    low: float
    high: float
    n: int

    @property
    def held(self) -> bool | None:
        """Whether the foretold rate lies in the interval of what came; None where nothing was foretold."""
        return None if self.expected is None else self.low <= self.expected <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """since, until: the first and the last decision among the cases, UTC epoch seconds. lift_a: rate of tier
    A over the base. brier: mean squared distance of the foretold rates from what came, None where nothing was
    foretold; brier_base: of foretelling the base for everybody. outside: cases out of the profiles' scope.
    hindsight: whoever wrote the profile may have known these outcomes."""

    since: float
    until: float
    n: int
    good: int
    base: float
    auc: Estimate | None
    tiers: tuple[TierRow, ...]
    lift_a: Estimate | None
    calibration: tuple[Band, ...]
    brier: float | None
    brier_base: float
    outside: int
    hindsight: bool


def judged(profiles: Sequence[Profile], labelled: Sequence[Labelled]) -> list[Judged]:
    """Each case evaluated under the profiles (at least one, in file order) as of the day it was decided.

    By `domain.evaluation.evaluate` without a previous evaluation: what `settle` says of the same facts.
    """
    compiled = tuple(compile_profile(profile) for profile in profiles)
    found: list[Judged] = []
    for case, good in labelled:
        said = evaluate(compiled, case.facts, None, case.decided)
        rank = BELOW_ALL if said.tier == NOT_ICP else float(said.score)
        found.append(
            Judged(case=case, good=good, score=said.score, tier=said.tier, rank=rank, in_scope=said.in_scope)
        )
    return found


def blinded(labelled: Sequence[Labelled], left_out: Mapping[str, str]) -> list[Labelled]:
    """The cases without the facts that give their outcome away (fact → reason), which no profile may see.

    Where that is what a company is to us, everybody is what they were before the sale: a prospect, not a
    customer or a former one. A competitor, a partner or a person stays one.
    """
    hidden = frozenset(left_out)
    return [Labelled(replace(case, facts=_before(case.facts, hidden)), good) for case, good in labelled]


def _before(facts: Facts, hidden: frozenset[str]) -> Facts:
    kept = {name: value for name, value in facts.items() if name not in hidden}
    if "population" in hidden:
        now = facts.get("population")
        known, complete = now if isinstance(now, Members) else (frozenset[str](), True)
        kept["population"] = Members((known - _SINCE_THE_SALE) or frozenset({PROSPECT}), complete)
    return kept


def backtest(
    judged: Sequence[Judged],
    *,
    expected: Mapping[str, float],
    rounds: int = 1000,
    seed: int = 0,
    hindsight: bool = False,
) -> Backtest:
    """The figures of cases as they were judged. expected: tier → the rate that was foretold, empty for none.

    Without a case every figure is empty.
    """
    n, good = len(judged), sum(one.good for one in judged)
    base = good / n if n else 0.0
    decided = [one.case.decided for one in judged]
    labels = [one.good for one in judged]
    rows = tuple(_row(tier, judged, good, base) for tier in STATES)
    return Backtest(
        since=min(decided, default=0.0),
        until=max(decided, default=0.0),
        n=n,
        good=good,
        base=base,
        auc=auc_estimate([one.rank for one in judged], labels, rounds=rounds, seed=seed),
        tiers=tuple(row for row in rows if row.n or row.tier in TIERS),
        lift_a=_lift(rows[0], n, good, rounds, seed),
        calibration=_foretold(rows, expected) if expected else _by_score(judged),
        brier=_brier(judged, expected),
        brier_base=base * (1 - base),
        outside=sum(not one.in_scope for one in judged),
        hindsight=hindsight,
    )


def _row(tier: str, judged: Sequence[Judged], all_good: int, base: float) -> TierRow:
    inside = [one.good for one in judged if one.tier == tier]
    n, good = len(inside), sum(inside)
    low, high = wilson(good, n)
    rate = good / n if n else None
    return TierRow(
        tier=tier,
        n=n,
        good=good,
        rate=rate,
        low=low,
        high=high,
        recall=good / all_good if all_good else None,
        lift=rate / base if rate is not None and base else None,
    )


def _foretold(rows: Sequence[TierRow], expected: Mapping[str, float]) -> tuple[Band, ...]:
    return tuple(
        Band(name=r.tier, expected=expected[r.tier], observed=r.rate, low=r.low, high=r.high, n=r.n)
        for r in rows
        if r.rate is not None and r.tier in expected
    )


def _by_score(judged: Sequence[Judged]) -> tuple[Band, ...]:
    """Groups of like scores, best first; equal scores are never parted."""
    least = len(judged) / GROUPS
    bands: list[Band] = []
    group: list[Judged] = []
    ordered = sorted(judged, key=lambda one: -one.rank)
    for _, alike in groupby(ordered, key=lambda one: one.rank):
        group += alike
        if len(group) >= least:
            bands.append(_group(group))
            group = []
    return (*bands, _group(group)) if group else tuple(bands)


def _group(group: Sequence[Judged]) -> Band:
    top, bottom = group[0].rank, group[-1].rank
    scores = f"{bottom:.0f}–{top:.0f}" if bottom < top else f"{top:.0f}"
    name = NOT_ICP if top == BELOW_ALL else f"score {scores.replace(f'{BELOW_ALL:.0f}–', f'{NOT_ICP} to ')}"
    good = sum(one.good for one in group)
    low, high = wilson(good, len(group))
    return Band(name=name, expected=None, observed=good / len(group), low=low, high=high, n=len(group))


def _brier(judged: Sequence[Judged], expected: Mapping[str, float]) -> float | None:
    told = [(expected[one.tier] - one.good) ** 2 for one in judged if one.tier in expected]
    return sum(told) / len(told) if told else None


def _lift(row: TierRow, n: int, good: int, rounds: int, seed: int) -> Estimate | None:
    """Rate of a tier over the base with a bootstrap interval: cases drawn again, as the four counts that they
    amount to. Of a few cases, or such as are all alike, every draw says the same, so there the interval is
    that of the rate. None where the tier or the good are empty."""
    if row.lift is None or not good:
        return None
    if row.n < FEW or row.good in (0, row.n):
        base = good / n
        return Estimate(row.low / base, row.lift, row.high / base)
    draw = random.Random(seed)  # noqa: S311 (a bootstrap, no secret)
    lifts: list[float] = []
    for _ in range(rounds):
        inside = binomial(draw, n, row.n / n)
        hits = binomial(draw, inside, row.good / row.n)
        others = binomial(draw, n - inside, (good - row.good) / max(1, n - row.n))
        if inside and hits + others:
            lifts.append(hits / inside / ((hits + others) / n))
    lifts.sort()
    cut = round(len(lifts) * LEFT_OUT)
    return Estimate(lifts[cut], row.lift, lifts[-1 - cut]) if lifts else None
