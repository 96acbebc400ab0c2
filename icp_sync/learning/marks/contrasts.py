"""One fact held against what became of the cases: the table of each of its questions, and their p values.

Nothing is corrected here for how much is tried, and nothing is found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress
from typing import NamedTuple

from icp_sync.learning.cases import ANTI, Cohort
from icp_sync.learning.figures.chance import (
    benjamini_hochberg,
    chi_square,
    independence,
    simes,
    trend,
    two_rates,
)
from icp_sync.learning.marks.coded import NO, YES, Column, Question
from icp_sync.learning.marks.strata import grouped, within

SURE = 0.001
"""A fact this unlikely to be chance (adjusted) matters; the others are asked what they tell beyond it."""
FEW = 20
"""A cohort of fewer cases cannot say what marks it."""
_BEYOND_CHANCE = 0.05
_MORE = 1.15
"""How many times the share of the good ones a cohort of customers must have: not by a hair."""
_WON = (Cohort.LOW, Cohort.CHURNED)
"""Anti-cohorts that were won as the good ones were: whatever wins marks all of them alike."""

Rate = tuple[int, int]
"""Good ones of so many cases."""


class Contrast(NamedTuple):
    """hits of n say yes and are good; other_hits of other_n are what they are compared with. also: cohorts of
    the others that it marks as well (see `Sides.marked`)."""

    question: Question
    hits: int
    n: int
    other_hits: int
    other_n: int
    also: tuple[Cohort, ...]


class Tested(NamedTuple):
    """contrasts: with the p of each; those without cases on one side are left out. bands: p that they differ,
    and of ordered ones that there is a trend. known, unknown: cases of which anything is known of the fact,
    and the rest. missing: p that both do alike."""

    column: Column
    contrasts: tuple[tuple[Contrast, float], ...]
    bands: tuple[float, ...]
    known: Rate
    unknown: Rate
    missing: float

    @property
    def ps(self) -> tuple[float, ...]:
        """All tests of what the fact says."""
        return (*(p for _, p in self.contrasts), *self.bands)

    @property
    def p(self) -> float:
        """All of them as one. Its questions stand against the tests of all bands as one, so that many cuts
        do not drown a plain trend."""
        asked = simes([p for _, p in self.contrasts])
        return simes([asked, *self.bands]) if self.contrasts else simes(self.bands)


class Sides:
    """The good ones, the others, and the cohorts among these that are large enough: a bit a case."""

    def __init__(self, labels: Sequence[bool], cohorts: Sequence[Cohort]) -> None:
        self.labels = bytes(map(bool, labels))
        self.good, self.others = _bits(self.labels, YES), _bits(self.labels, NO)
        placed = {cohort: _bits(bytes(c is cohort for c in cohorts), YES) & self.others for cohort in ANTI}
        self.anti: Mapping[Cohort, int] = {c: bits for c, bits in placed.items() if bits.bit_count() >= FEW}

    def marked(self, yes: int, no: int) -> tuple[Cohort, ...]:
        """The anti-cohorts that a question marks as it marks the good ones."""
        return tuple(
            cohort
            for cohort, those in self.anti.items()
            if (_marks_customers if cohort in _WON else _marks_strangers)(yes, no, those, self)
        )


_DIGITS = {value: bytes(ord("1" if byte == value else "0") for byte in range(256)) for value in (NO, YES)}


def _bits(data: bytes, value: int) -> int:
    """The cases with this value as one number, a bit each: counting those of a kind is then one `&`."""
    return int(b"0" + data.translate(_DIGITS[value]), 2)


def tested(column: Column, sides: Sides) -> Tested:
    """Everything one fact can be asked."""
    known = _bits(column.known, YES)
    contrasts = [_contrast(question, column, known, sides) for question in column.questions]
    informed, good = known.bit_count(), (known & sides.good).bit_count()
    unknown, rest = len(column.known) - informed, sides.good.bit_count() - good
    return Tested(
        column=column,
        contrasts=tuple((one, _p(one)) for one in contrasts if one.n and one.other_n),
        bands=_over_bands(column, sides.labels),
        known=(good, informed),
        unknown=(rest, unknown),
        missing=two_rates(good, informed, rest, unknown),
    )


def beyond(facts: Sequence[Tested], sides: Sides) -> list[Tested]:
    """The same, but the questions of weaker facts tested for what they tell beyond the sure ones."""
    by_fact = benjamini_hochberg([fact.p for fact in facts])
    sure = [bool(fact.contrasts) and p <= SURE for fact, p in zip(facts, by_fact, strict=True)]
    strong = [
        (fact.column, min(fact.contrasts, key=lambda one: one[1])[0].question)
        for fact in compress(facts, sure)
    ]
    groups = grouped(strong, sides.labels) if strong else []
    if not groups:
        return list(facts)
    return [fact if held else _again(fact, groups, sides) for fact, held in zip(facts, sure, strict=True)]


def _again(fact: Tested, groups: Sequence[int], sides: Sides) -> Tested:
    known = _bits(fact.column.known, YES)
    contrasts = []
    for contrast, p in fact.contrasts:
        yes, no = _answers(contrast.question, fact.column, known)
        inside = within(yes, no, sides.good, groups)
        contrasts.append((contrast, p if inside is None else inside))
    return fact._replace(contrasts=tuple(contrasts))


def _answers(question: Question, column: Column, known: int) -> tuple[int, int]:
    """The cases that say yes, and those they are compared with."""
    yes = _bits(question.answers, YES)
    return yes, known & ~yes if column.kind == "members" else _bits(question.answers, NO)


def _contrast(question: Question, column: Column, known: int, sides: Sides) -> Contrast:
    yes, no = _answers(question, column, known)
    hits, n = (yes & sides.good).bit_count(), yes.bit_count()
    other_hits, other_n = (no & sides.good).bit_count(), no.bit_count()
    also = sides.marked(yes, no) if hits * other_n > other_hits * n else ()
    return Contrast(question, hits, n, other_hits, other_n, also)


def _p(one: Contrast) -> float:
    return independence(one.hits, one.n - one.hits, one.other_hits, one.other_n - one.other_hits)


def _marks_customers(yes: int, no: int, cohort: int, sides: Sides) -> bool:
    """Whether more of these customers say yes than of the good ones, beyond chance and not by a hair. As many
    of them do of whatever wins customers, good and bad ones."""
    inside, outside = (yes & cohort).bit_count(), (no & cohort).bit_count()
    good, beside = (yes & sides.good).bit_count(), (no & sides.good).bit_count()
    if inside + outside < FEW or inside * (good + beside) < _MORE * good * (inside + outside):
        return False
    return independence(inside, outside, good, beside) <= _BEYOND_CHANCE


def _marks_strangers(yes: int, no: int, cohort: int, sides: Sides) -> bool:
    """Whether as large a share of a cohort says yes as of the good ones, and more than of the rest of the
    others beyond chance: a handful of cases reaches a share by luck."""
    inside, outside = (yes & cohort).bit_count(), (no & cohort).bit_count()
    good, lacking = (yes & sides.good).bit_count(), (no & sides.good).bit_count()
    if inside + outside < FEW or inside * (good + lacking) < good * (inside + outside):
        return False
    rest = sides.others & ~cohort
    among, beside = (yes & rest).bit_count(), (no & rest).bit_count()
    more = inside * beside > among * outside
    return not among + beside or (more and independence(inside, outside, among, beside) <= _BEYOND_CHANCE)


def _over_bands(column: Column, labels: bytes) -> tuple[float, ...]:
    """p over all bands, where there are three or more; with two, the question says it all."""
    if len(column.bands) < 3:
        return ()
    good = bytes(compress(column.codes, labels))
    totals = [column.codes.count(band) for band in range(len(column.bands))]
    hits = [good.count(band) for band in range(len(column.bands))]
    differ = chi_square([[hit, total - hit] for hit, total in zip(hits, totals, strict=True)]).p
    return (differ, trend(hits, totals)) if column.kind == "ordered" else (differ,)
