"""What marks the good ones: every question, fact and gap held against what became of the cases.

Everything that is tried is counted, and what is found is found after correcting for all of it (Benjamini and
Hochberg 1995). It knows answers and labels, not how the questions were chosen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from icp_sync.learning.cases import Cohort
from icp_sync.learning.figures.chance import benjamini_hochberg, odds_ratio, simes, wilson
from icp_sync.learning.marks.coded import Coded, Question
from icp_sync.learning.marks.contrasts import Contrast, Sides, Tested, beyond, tested
from icp_sync.learning.marks.derived import source_of

RATE = 0.10
"""Of what is found, at most so large a share by chance."""


class Missing(NamedTuple):
    """Whether a fact is known at all, and what that says. Rates are shares of the good, 0.0 of no cases."""

    rate_known: float
    rate_unknown: float
    p: float
    adjusted: float
    found: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A question, and how the cases that answer yes compare with those that answer no.

    hits of n say yes and are good, other_hits of other_n say no; for a member of a set the others are all of
    whom any member is known, since most lists say what is there and not what is missing. rate = hits / n with
    its Wilson interval; lift: rate against `Findings.base`; odds: the ratio between yes and no. p: of rates
    this different by chance; where other facts are sure, among cases that these rank alike (see `strata`).
    adjusted: the same for everything that was tried. found: its fact is, and it holds after that. also:
    cohorts of the others that it marks just as well; then it is not found to mark the good.
    """

    question: Question
    hits: int
    n: int
    other_hits: int
    other_n: int
    rate: float
    low: float
    high: float
    lift: float
    odds: float
    p: float
    adjusted: float
    found: bool
    also: tuple[Cohort, ...] = ()

    @property
    def positive(self) -> bool:
        """Whether it raises the rate."""
        return self.hits * self.other_n > self.other_hits * self.n


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One fact. p: all its tests as one; adjusted: for the number of facts; found: adjusted is at most the
    rate. marks: the least likely by chance first. omnibus: p that all its bands have one rate; trend: p that
    the rate neither rises nor falls along them; None where there are fewer than three. known: of n cases."""

    fact: str
    p: float
    adjusted: float
    found: bool
    marks: tuple[Mark, ...]
    omnibus: float | None
    trend: float | None
    known: int
    n: int
    missing: Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """attributes: the strongest first, of a fact and those made of it the stronger alone. base = good / n.
    tried: how many tests were made. rate: of what is found, the share that chance may have made."""

    n: int
    good: int
    base: float
    attributes: tuple[Attribute, ...]
    tried: int
    rate: float

    @property
    def found(self) -> tuple[Attribute, ...]:
        return tuple(attribute for attribute in self.attributes if attribute.found)


def find(
    coded: Coded, labels: Sequence[bool], cohorts: Sequence[Cohort] = (), *, rate: float = RATE
) -> Findings:
    """Everything about every fact. labels, cohorts: of the coded cases, in their order; no cohorts is none
    placed. rate: the share of chance findings allowed. Raises ValueError for labels of other cases."""
    if len(labels) != coded.n or len(cohorts) not in (0, coded.n):
        raise ValueError(f"{len(labels)} labels and {len(cohorts)} cohorts for {coded.n} cases")
    sides = Sides(labels, cohorts)
    good = sides.good.bit_count()
    base = good / coded.n if coded.n else 0.0
    facts = beyond([tested(column, sides) for column in coded.columns], sides)
    ps = [p for fact in facts for p in (*fact.ps, fact.missing)]
    adjusted = dict(zip(ps, benjamini_hochberg(ps), strict=True))
    families = _families(facts)
    by_fact = benjamini_hochberg([p for _, p in families])
    attributes = [
        _attribute(fact, p, of_facts, adjusted, base, rate)
        for (fact, p), of_facts in zip(families, by_fact, strict=True)
    ]
    return Findings(
        n=coded.n,
        good=good,
        base=base,
        attributes=tuple(sorted(attributes, key=lambda one: (one.adjusted, one.p, one.fact))),
        tried=len(ps),
        rate=rate,
    )


def _families(facts: Sequence[Tested]) -> list[tuple[Tested, float]]:
    """Each fact with its p; of a fact and those made of it only the one that tells most, with the p of all:
    they are the same evidence, which counts once."""
    of_source: dict[str, list[Tested]] = {}
    for fact in facts:
        of_source.setdefault(source_of(fact.column.fact), []).append(fact)
    return [
        (min(alike, key=lambda fact: fact.p), simes([fact.p for fact in alike]))
        for alike in of_source.values()
    ]


def _attribute(
    fact: Tested, p: float, of_facts: float, adjusted: Mapping[float, float], base: float, rate: float
) -> Attribute:
    """adjusted: p → what it is after everything that was tried; equal ones are adjusted alike."""
    found = of_facts <= rate
    marks = [
        _mark(contrast, one, adjusted[one], base, found=found and adjusted[one] <= rate)
        for contrast, one in fact.contrasts
    ]
    (good_known, known), (good_unknown, unknown) = fact.known, fact.unknown
    return Attribute(
        fact=fact.column.fact,
        p=p,
        adjusted=of_facts,
        found=found,
        marks=tuple(sorted(marks, key=lambda mark: (mark.p, -mark.lift))),
        omnibus=fact.bands[0] if fact.bands else None,
        trend=fact.bands[1] if len(fact.bands) > 1 else None,
        known=known,
        n=known + unknown,
        missing=Missing(
            rate_known=good_known / known if known else 0.0,
            rate_unknown=good_unknown / unknown if unknown else 0.0,
            p=fact.missing,
            adjusted=adjusted[fact.missing],
            found=adjusted[fact.missing] <= rate,
        ),
    )


def _mark(contrast: Contrast, p: float, adjusted: float, base: float, *, found: bool) -> Mark:
    hits, n, other_hits, other_n = contrast.hits, contrast.n, contrast.other_hits, contrast.other_n
    low, high = wilson(hits, n)
    return Mark(
        question=contrast.question,
        hits=hits,
        n=n,
        other_hits=other_hits,
        other_n=other_n,
        rate=hits / n,
        low=low,
        high=high,
        lift=hits / n / base if base else 0.0,
        odds=odds_ratio(hits, n - hits, other_hits, other_n - other_hits),
        p=p,
        adjusted=adjusted,
        found=found and not contrast.also,
        also=contrast.also,
    )
