"""What a learned profile has to beat, made from the very cases it was learned from.

The best field by itself, and profiles that the same line learns from shuffled labels: where labels mean
nothing, whatever those reach is what looking hard finds by itself.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from icp_sync.domain.facts import FactType
from icp_sync.learning.card.scorecard import profile_of, scorecard
from icp_sync.learning.cases import Labelled
from icp_sync.learning.marks.attributes import find
from icp_sync.learning.marks.coded import Coded, coded
from icp_sync.learning.proof.backtest import judged
from icp_sync.learning.proof.proving import Challengers, Split
from icp_sync.learning.proof.rules import best_rule

SHUFFLES = 20


def challengers(
    split: Split,
    types: Mapping[str, FactType],
    *,
    currency: str,
    asked: Coded | None = None,
) -> Challengers:
    """The best field and, for each of `SHUFFLES` profiles, how it ranks the proving cases, in their order.

    asked: the questions of the learning cases where somebody has asked them already. Nothing without them.
    """
    if not split.learning or not split.proving:
        return None, None
    facts = [case.facts for case, _ in split.learning]
    asked = asked or coded(facts, types, currency=currency)
    labels = [good for _, good in split.learning]
    rule = best_rule(asked, labels, currency=currency)
    return rule, [
        _ranks(asked, split.learning, split.proving, currency, random.Random(turn))  # noqa: S311
        for turn in range(SHUFFLES)
    ]


def _ranks(
    asked: Coded,
    learning: Sequence[Labelled],
    proving: Sequence[Labelled],
    currency: str,
    draw: random.Random,
) -> list[float]:
    """How a profile ranks that was learned the same way from the same cases with their labels shuffled."""
    told = [(case.cohort, good) for case, good in learning]
    draw.shuffle(told)
    labels = [good for _, good in told]
    findings = find(asked, labels, [cohort for cohort, _ in told])
    card = scorecard(asked, labels, findings, currency=currency, forced=True)
    if card is None:
        return [0.0] * len(proving)
    return [one.rank for one in judged([profile_of(card, currency=currency)], proving)]
