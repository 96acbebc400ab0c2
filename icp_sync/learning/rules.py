"""The best rule that asks one question only: what a whole profile has to beat to be worth having.

Chosen on the cases that are learned from, scored on any others. Knows questions and answers, no profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

from icp_sync.domain.compile import compile_conditions
from icp_sync.domain.conditions import Condition
from icp_sync.learning.cases import Labelled
from icp_sync.learning.coded import NO, YES, Coded, Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One question; yes, no, unknown: how an answer ranks, which is the rate of the good among the cases
    learned from. An unknown ranks as the base does. auc: on those cases."""

    fact: str
    words: str
    when: Condition
    currency: str
    yes: float
    no: float
    unknown: float
    auc: float

    @property
    def said(self) -> str:
        """The rule as a sentence would have it: what speaks for a company."""
        return self.words if self.yes >= self.no else f"not {self.words}"

    def ranks(self, labelled: Sequence[Labelled]) -> list[float]:
        """How the rule ranks these cases, as the engine answers its question."""
        answer = compile_conditions([self.when], self.currency)
        by_credit: dict[tuple[float, ...], float] = {(1.0, 1.0): self.yes, (0.0, 0.0): self.no}
        return [by_credit.get(answer(case.facts, case.decided), self.unknown) for case, _ in labelled]


def best_rule(coded: Coded, labels: Sequence[bool], *, currency: str) -> Rule | None:
    """The question that ranks the cases best, None where no question can be asked or all cases are alike.

    currency: of the questions' amounts. Ties go to the earlier question.
    """
    good = sum(labels)
    if not good or good == len(labels):
        return None
    others = [not label for label in labels]
    rules = [
        _rule(question, labels, others, currency) for column in coded.columns for question in column.questions
    ]
    return max(rules, key=lambda rule: rule.auc, default=None)


def _rule(question: Question, good: Sequence[bool], others: Sequence[bool], currency: str) -> Rule:
    hits, misses = (bytes(compress(question.answers, kind)) for kind in (good, others))
    yes, no = ((hits.count(answer), misses.count(answer)) for answer in (YES, NO))
    unknown = (len(hits) - yes[0] - no[0], len(misses) - yes[1] - no[1])
    base = len(hits) / len(good)
    rates = [_rate(*yes, base), _rate(*no, base), base]
    return Rule(
        fact=question.fact,
        words=question.words,
        when=question.when,
        currency=currency,
        yes=rates[0],
        no=rates[1],
        unknown=base,
        auc=_auc(list(zip(rates, (yes, no, unknown), strict=True))),
    )


def _rate(good: int, others: int, base: float) -> float:
    """Share of the good, drawn to the base as by two more cases, so that a handful promises nothing."""
    return (good + 2 * base) / (good + others + 2)


def _auc(groups: Sequence[tuple[float, tuple[int, int]]]) -> float:
    """Chance that a good case ranks above another, of groups of equal rank: (rank, (good, others))."""
    above, pairs = 0.0, 0
    for rank, (good, _) in groups:
        for other_rank, (_, others) in groups:
            above += good * others * (1.0 if rank > other_rank else 0.5 if rank == other_rank else 0.0)
            pairs += good * others
    return above / pairs if pairs else 0.5
