"""The chance of being good along the scores, and what an unknown answer has to show to change nothing.

Evidence of nothing keeps the odds of each question, but a sum of questions is bent: without this, an account
of which nothing is known would show a score whose rate is a little below the base. Knows scores and labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from math import log

from icp_sync.learning.figures.logistic import Fit, ridge

_UNIT = 10.0  # points; a coefficient is then about one, and the penalty next to nothing
_PENALTY = 0.1
_ROUNDS = 2

Scores = Sequence[int]


def evened(
    points: Sequence[int],
    shares: Sequence[float],
    shown: Callable[[Sequence[float]], tuple[Scores, Sequence[bool]]],
) -> list[float]:
    """The share of each question's points an unknown answer shows, so that an account of which nothing is
    known shows the score where the chance is that of all; whole percents, all moved alike.

    shown: the scores of cases under some shares, and whether they were good.
    """
    found = list(shares)
    for _ in range(_ROUNDS):
        scores, good = shown(found)
        if not 0 < sum(good) < len(good):
            break
        fit, rate = _fit(scores, good), sum(good) / len(good)
        (slope,) = fit.coefficients
        if slope <= 0.0:
            break
        found = _moved(points, found, _UNIT * (log(rate / (1 - rate)) - fit.intercept) / slope)
    return found


def _fit(scores: Scores, good: Sequence[bool]) -> Fit:
    counts = Counter(zip(scores, good, strict=True))
    rows = [[score / _UNIT] for score, _ in counts]
    sizes = [float(size) for size in counts.values()]
    return ridge(rows, [label for _, label in counts], penalty=_PENALTY, weights=sizes)


def _moved(points: Sequence[int], shares: Sequence[float], wanted: float) -> list[float]:
    """The shares moved by the same amount, within 0 and 1, so that the points shown are those wanted."""

    def by(step: float) -> list[float]:
        return [min(1.0, max(0.0, share + step)) for share in shares]

    low, high = -1.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        less = sum(p * share for p, share in zip(points, by(middle), strict=True)) < wanted
        low, high = (middle, high) if less else (low, middle)
    return [round(100 * share) / 100 for share in by(low)]
