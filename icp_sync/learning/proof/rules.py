"""The best field by itself: what a whole profile has to beat to be worth having.

Chosen on the cases that are learned from, scored on any others. Knows questions and answers, no profile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from statistics import fmean

from icp_sync.learning.cases import Labelled
from icp_sync.learning.marks.coded import NO, NOT_KNOWN, YES, Coded, Column, asked_again

DRAWN = 2
"""A rate is drawn to the base as by so many more cases, so that a handful promises nothing."""
MOST_MEMBERS = 9
"""Sets with so many members or more lie in one band."""

Place = tuple[int, int]
"""The first and the last band a case may lie in; `NOWHERE` where nothing is known."""
NOWHERE: Place = (0, -1)
Tally = Mapping[Place, tuple[int, int]]
"""Place → how many good cases, and how many others, lie there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How one field ranks a company: by the rate of the good among the cases learned from that lie where it
    does. A range across bands ranks as they do together, an unknown as the base.

    question: which question of the column is asked alone, None for the whole field: its bands, its values,
    or how many members it has. auc: on the cases learned from.
    """

    fact: str
    column: Column
    question: int | None
    currency: str
    rates: Rates
    auc: float

    def ranks(self, labelled: Sequence[Labelled]) -> list[float]:
        """How the rule ranks these cases, as the engine answers its questions."""
        one = Coded(columns=(self.column,), n=len(self.column.known))
        again = asked_again(one, [case.facts for case, _ in labelled], currency=self.currency)
        return [self.rates.of(place) for place in _places(again.columns[0], self.question)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """bands: (rate, cases) of each band that was learned; base: of everything else."""

    bands: Mapping[int, tuple[float, int]]
    base: float

    def of(self, place: Place) -> float:
        """The rate of the bands from the first to the last, by how many cases each has."""
        there = [self.bands[at] for at in range(place[0], place[1] + 1) if at in self.bands]
        cases = sum(n for _, n in there)
        return sum(rate * n for rate, n in there) / cases if cases else self.base


def best_rule(coded: Coded, labels: Sequence[bool], *, currency: str) -> Rule | None:
    """The field that ranks the cases best, None where no question can be asked or all cases are alike.

    Every field is tried as a whole and by each of its questions, and chosen by how the rates of one half of
    the cases rank the other: a field of many values would rank the cases it was taken from by their names.
    currency: of the questions' amounts. Ties go to the earlier field.
    """
    if len(set(labels)) < 2:
        return None
    halves = _halves(labels)
    tried = [
        (_across(column, question, labels, halves), column, question)
        for column in coded.columns
        if column.questions
        for question in (None, *range(len(column.questions)))
    ]
    if not tried:
        return None
    _, column, question = max(tried, key=lambda one: one[0])
    tally = _tally(_places(column, question), labels)
    rates = _rates(tally)
    return Rule(
        fact=column.fact,
        column=column,
        question=question,
        currency=currency,
        rates=rates,
        auc=_auc(tally, rates),
    )


def _places(column: Column, question: int | None) -> Iterable[Place]:
    """Where each case lies, by one question or by all of the field."""
    if question is not None:
        by_answer = {NO: (0, 0), YES: (1, 1)}
        return (by_answer.get(answer, NOWHERE) for answer in column.questions[question].answers)
    if column.kind == "values":
        return (NOWHERE if code == NOT_KNOWN else (code, code) for code in column.codes)
    asked = column.questions[: len(column.edges)] if column.kind == "ordered" else column.questions
    return _counted(column, [one.answers for one in asked])


def _counted(column: Column, answers: Sequence[bytes]) -> Iterator[Place]:
    """Of numbers, between which edges they lie, surely and perhaps; of sets, how many members they name."""
    exact = column.kind == "members"
    for said, known in zip(zip(*answers, strict=True), column.known, strict=True):
        low = said.count(YES)
        if not known:
            yield NOWHERE
        elif exact:
            yield min(low, MOST_MEMBERS), min(low, MOST_MEMBERS)
        else:
            yield low, len(said) - said.count(NO)


def _halves(labels: Sequence[bool]) -> Sequence[Sequence[bool]]:
    """Which cases are in each half: of either kind every other one."""
    before, first = Counter[bool](), list[bool]()
    for label in labels:
        first.append(before[label] % 2 == 0)
        before[label] += 1
    return first, [not one for one in first]


def _across(
    column: Column, question: int | None, labels: Sequence[bool], halves: Sequence[Sequence[bool]]
) -> float:
    """The AUC of each half of the cases by the rates of the other, on average."""
    places = list(_places(column, question))
    one, other = (_tally(compress(places, half), compress(labels, half)) for half in halves)
    return fmean((_auc(one, _rates(other)), _auc(other, _rates(one))))


def _tally(places: Iterable[Place], labels: Iterable[bool]) -> Tally:
    counts = Counter(zip(places, labels, strict=True))
    return {place: (counts[place, True], counts[place, False]) for place, _ in counts}


def _rates(tally: Tally) -> Rates:
    hits, n = sum(good for good, _ in tally.values()), sum(map(sum, tally.values()))
    base = hits / n if n else 0.0
    return Rates(
        bands={
            place[0]: ((good + DRAWN * base) / (good + others + DRAWN), good + others)
            for place, (good, others) in tally.items()
            if place[0] == place[1]
        },
        base=base,
    )


def _auc(tally: Tally, rates: Rates) -> float:
    """The chance that a good case ranks above another, 0.5 without both."""
    levels: dict[float, tuple[int, int]] = {}
    for place, (good, others) in tally.items():
        rank = rates.of(place)
        hits, misses = levels.get(rank, (0, 0))
        levels[rank] = hits + good, misses + others
    below = doubled = won = 0
    for rank in sorted(levels):
        good, others = levels[rank]
        doubled += good * (2 * below + others)
        below, won = below + others, won + good
    return doubled / (2 * won * below) if won and below else 0.5
