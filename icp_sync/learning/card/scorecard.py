"""A few questions with whole points, made of what was found: the part of a profile that is learned.

Evidence of all facts is weighed together (a logistic regression that shrinks), so that facts which say the
same share its points; what weighs against is left out. Writes nothing: `written` makes a file of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from statistics import median_high

from icp_sync.domain.conditions import Condition
from icp_sync.domain.facts import Facts
from icp_sync.domain.profile import Criterion, Effect, Flag, Profile, Tiers
from icp_sync.domain.whole_points import rounded
from icp_sync.learning.card.choosing import chosen, unasked
from icp_sync.learning.card.curve import evened
from icp_sync.learning.card.exclusions import Exclusion, Tried, ceilings, excluded, exclusions
from icp_sync.learning.card.factors import said, unknown_shares
from icp_sync.learning.card.naming import distinct, layer_of, name_of
from icp_sync.learning.card.points import Pointed, points_of, weighed
from icp_sync.learning.card.tiers import USUAL, Lifts, Scored, cut_tiers
from icp_sync.learning.cases import Labelled
from icp_sync.learning.figures.chance import wilson
from icp_sync.learning.marks.attributes import Findings, Mark
from icp_sync.learning.marks.coded import NO, UNKNOWN, YES, Coded, Column, asked_again


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One criterion. points: of 100. unknown: share of them that an unknown answer shows.

    Figures are of the cases that nothing excludes. n: those that answer yes, of `known` that answer at all;
    rate: of the good among those n, with its Wilson interval; others: the rate of those who answer no, None
    without any; lift: rate / base. note: what is said of it instead of these figures, "" for them.
    """

    condition: Condition
    name: str
    layer: str
    points: int
    unknown: float
    n: int = 0
    known: int = 0
    rate: float = 0.0
    low: float = 0.0
    high: float = 1.0
    others: float | None = None
    lift: float = 1.0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """Criteria with points that add up to 100, must-haves, flags, and tiers.

    expected: tier → the share of good ones expected in it. against: members that mark the others, and that
    nothing asks about, as most lists do not say what is missing. min_coverage: as in tiers.
    notes: how tiers had to be cut, in sentences.
    """

    steps: tuple[Step, ...]
    gates: tuple[Exclusion, ...] = ()
    flags: tuple[Exclusion, ...] = ()
    tiers: Tiers = field(default_factory=Tiers)
    expected: dict[str, float] = field(default_factory=dict)
    against: tuple[Mark, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def min_coverage(self) -> float:
        return self.tiers.min_coverage


def profile_of(card: Scorecard, *, name: str = "learned", currency: str) -> Profile:
    """What the scorecard alone says, as a profile: everybody is in its scope and nothing is routed."""
    musts = tuple(
        Criterion(name=one.name, layer=one.layer, when=one.condition, required=True) for one in card.gates
    )
    weighed = tuple(
        Criterion(name=s.name, layer=s.layer, when=s.condition, weight=float(s.points), unknown=s.unknown)
        for s in card.steps
    )
    flags = tuple(
        Flag(name=one.name, when=one.condition, effect=Effect(one.effect), cap=one.cap) for one in card.flags
    )
    return Profile(name=name, currency=currency, criteria=musts + weighed, flags=flags, tiers=card.tiers)


def scorecard(
    coded: Coded,
    labelled: Sequence[Labelled] | Sequence[bool],
    findings: Findings,
    *,
    crowd: Sequence[Facts] | None = None,
    currency: str = "USD",
    capacity: int | None = None,
    stands_for: float = 1.0,
    forced: bool = False,
    lifts: Lifts = USUAL,
) -> Scorecard | None:
    """The scorecard of what was found, None where that makes none.

    coded: the labelled cases, in their order; labels alone will do. crowd: everybody, whom coverage and
    capacity are counted on; the cases themselves without. currency: ISO 4217, of the questions about money.
    capacity: how many accounts of tier A the team can carry; stands_for: how many each one of the crowd
    stands for, where some are left out of it. forced: the strongest attributes whether found or not, and no
    flags: what the same work makes of labels that mean nothing.
    """
    labels = [one if isinstance(one, bool) else one.good for one in labelled]
    good = bytes(labels)
    if not 0 < good.count(1) < len(good):
        return None
    found = () if forced else exclusions(coded, findings, good)
    left, winners = _left(coded, good, excluded(coded, found))
    pointed = points_of(weighed(chosen(left, findings, winners, forced=forced), winners))
    if not pointed and found:  # must-haves and flags alone give no score
        winners, pointed = good, points_of(weighed(chosen(coded, findings, good), good))
    if not pointed:
        return None
    steps = _steps(pointed, winners, [one.name for one in found if one.effect == "gate"])
    steps = _evened(coded, steps, found, labels)
    everybody = coded if crowd is None else _asked(coded, pointed, found, crowd, currency)
    cases = scored(coded, steps, found)
    all_of_them = cases if crowd is None else scored(everybody, steps, found)
    cut = cut_tiers(cases, labels, all_of_them, lifts=lifts, capacity=capacity, stands_for=stands_for)
    return Scorecard(
        steps=steps,
        gates=tuple(one for one in found if one.effect == "gate"),
        flags=tuple(one for one in found if one.effect != "gate"),
        tiers=cut.tiers,
        expected=dict(cut.expected),
        notes=cut.notes,
        against=() if forced else unasked(coded, findings, [one.condition for one in found]),
    )


def _left(coded: Coded, good: bytes, out: bytes) -> tuple[Coded, bytes]:
    """The cases that nothing excludes: points are for telling these apart."""
    if 1 not in out:
        return coded, good
    kept = [not gone for gone in out]

    def those(cases: bytes) -> bytes:
        return bytes(compress(cases, kept))

    columns = tuple(
        replace(
            column,
            questions=tuple(replace(q, answers=those(q.answers)) for q in column.questions),
            codes=those(column.codes),
            known=those(column.known),
        )
        for column in coded.columns
    )
    return Coded(columns=columns, n=sum(kept)), those(good)


def _steps(pointed: Sequence[Pointed], good: bytes, taken: Sequence[str]) -> tuple[Step, ...]:
    """The criteria with their figures. taken: names of must-haves, which no criterion may have as well."""
    steps = []
    for factor, points in pointed:
        shares = unknown_shares([level.evidence for level in factor.levels])
        for step, (got, share) in enumerate(zip(points, shares, strict=True), 1):
            steps.append(_step(factor.column, factor.condition(step), got, share, good))
    names = distinct([*taken, *(step.name for step in steps)])[len(taken) :]
    return tuple(replace(step, name=name) for step, name in zip(steps, names, strict=True))


def _evened(
    coded: Coded, steps: tuple[Step, ...], found: Sequence[Exclusion], labels: Sequence[bool]
) -> tuple[Step, ...]:
    """The steps with what unknown answers show moved, so that to know nothing is to expect the base, by the
    better known half of the cases: the scores of the others are made of unknowns themselves."""

    def renewed(shares: Sequence[float]) -> tuple[Step, ...]:
        return tuple(replace(step, unknown=share) for step, share in zip(steps, shares, strict=True))

    def shown(shares: Sequence[float]) -> tuple[Sequence[int], Sequence[bool]]:
        told = zip(scored(coded, renewed(shares), found), labels, strict=True)
        free = [(case, good) for case, good in told if not case.ceiling]
        half = median_high(case.covered for case, _ in free) if free else 0.0
        known = [(case.score, good) for case, good in free if case.covered >= half]
        return [score for score, _ in known], [good for _, good in known]

    return renewed(evened([s.points for s in steps], [s.unknown for s in steps], shown))


def _step(column: Column, condition: Condition, points: int, share: float, good: bytes) -> Step:
    counts = Counter(zip(said(column, condition), good, strict=True))
    n, hits = counts[YES, 0] + counts[YES, 1], counts[YES, 1]
    other_n = counts[NO, 0] + counts[NO, 1]
    low, high = wilson(hits, n)
    rate = hits / n if n else 0.0
    return Step(
        condition=condition,
        name=name_of(condition),
        layer=layer_of(column.fact),
        points=points,
        unknown=share,
        n=n,
        known=n + other_n,
        rate=rate,
        low=low,
        high=high,
        others=counts[NO, 1] / other_n if other_n else None,
        lift=rate * len(good) / good.count(1),
    )


def _asked(
    coded: Coded,
    pointed: Sequence[Pointed],
    found: Sequence[Exclusion],
    crowd: Sequence[Facts],
    currency: str,
) -> Coded:
    """The crowd's answers to what the scorecard asks about, and to nothing else."""
    facts = {one.factor.column.fact for one in pointed} | {one.fact for one in found}
    columns = tuple(column for column in coded.columns if column.fact in facts)
    return asked_again(replace(coded, columns=columns), crowd, currency=currency)


def scored(coded: Coded, steps: Sequence[Step], found: Sequence[Exclusion] = ()) -> list[Scored]:
    """What the engine would show for every case: its whole score, how much is known, and what flags do."""
    columns = {column.fact: column for column in coded.columns}
    rows = [said(columns[fact_of(step.condition)], step.condition) for step in steps]
    rows += [said(columns[one.fact], one.condition) for one in found]
    worth = [{YES: float(s.points), NO: 0.0, UNKNOWN: s.points * s.unknown} for s in steps]
    known: dict[tuple[int, ...], Scored] = {}
    for answers in set(zip(*rows, strict=True)):
        asked = answers[: len(steps)]
        shown = sum(table[answer] for table, answer in zip(worth, asked, strict=True))
        sure = sum(s.points for s, answer in zip(steps, asked, strict=True) if answer != UNKNOWN)
        tried = [Tried(one, answer) for one, answer in zip(found, answers[len(steps) :], strict=True)]
        known[answers] = Scored(rounded(shown), sure / 100, ceilings(tried))
    return [known[answers] for answers in zip(*rows, strict=True)]


def fact_of(condition: Condition) -> str:
    """The fact a learned condition asks about; "" for one of several facts."""
    return getattr(condition, "fact", "")
