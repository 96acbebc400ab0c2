"""A logistic regression that shrinks, and a fit that only rises: numbers in, numbers out.

It knows nothing of facts, criteria or points; the scorecard gives these numbers their meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import exp, fsum, inf, log, log1p, sqrt
from typing import NamedTuple

STEPS = 60
"""Newton's method doubles the right digits at each step; whoever needs more has no finite answer."""

CLOSE = 1e-12
"""A step that moves nothing by more than this share of its size is the last."""

_Grouped = list[tuple[tuple[float, ...], float, float]]  # row, weight of all, weight of the good


class Fit(NamedTuple):
    """Log odds = intercept + the sum of coefficient × column."""

    intercept: float
    coefficients: tuple[float, ...]

    def chance(self, row: Sequence[float]) -> float:
        """The probability that a case with this row is good, in [0, 1]."""
        odds = self.intercept + sum(b * x for b, x in zip(self.coefficients, row, strict=True))
        return _logistic(odds)


def _logistic(odds: float) -> float:
    if odds >= 0:
        return 1 / (1 + exp(-odds))
    small = exp(odds) if odds > -700 else 0.0
    return small / (1 + small)


def ridge(
    rows: Sequence[Sequence[float]],
    good: Sequence[bool],
    *,
    penalty: float,
    weights: Sequence[float] | None = None,
) -> Fit:
    """The coefficients that maximise the log likelihood less penalty/2 × their sum of squares.

    The intercept is not penalised. weights: how much each case counts, 1 unless given; weight 0 is no case.
    Equal rows are counted once. With one kind of case only, all coefficients are 0 and the intercept is the
    log odds with half a case added to both kinds. penalty must be positive where the columns may repeat each
    other or part the kinds entirely.
    """
    width = len(rows[0]) if rows else 0
    grouped = _grouped(rows, good, weights)
    total, won = fsum(group[1] for group in grouped), fsum(group[2] for group in grouped)
    if not 0 < won < total:
        return Fit(log((won + 0.5) / (total - won + 0.5)), (0.0,) * width)
    beta = [log(won / (total - won)), *(0.0,) * width]
    value = _loss(grouped, beta, penalty)
    for _ in range(STEPS):
        gradient, curvature = _slopes(grouped, beta, penalty)
        step = _solve(curvature, gradient)
        beta, value, moved = _towards(grouped, beta, step, value, penalty)
        if moved <= CLOSE:
            break
    return Fit(beta[0], tuple(beta[1:]))


def _grouped(
    rows: Sequence[Sequence[float]], good: Sequence[bool], weights: Sequence[float] | None
) -> _Grouped:
    counted: dict[tuple[float, ...], list[float]] = {}
    for row, is_good, weight in zip(rows, good, weights or (1.0,) * len(rows), strict=True):
        if weight > 0:
            counts = counted.setdefault(tuple(row), [0.0, 0.0])
            counts[0] += weight
            if is_good:
                counts[1] += weight
    return [(row, counts[0], counts[1]) for row, counts in counted.items()]


def _loss(grouped: _Grouped, beta: Sequence[float], penalty: float) -> float:
    first, rest = beta[0], beta[1:]
    terms = []
    for row, total, won in grouped:
        odds = first + sum(b * x for b, x in zip(rest, row, strict=True))
        terms.append(total * (log1p(exp(-abs(odds))) + max(odds, 0.0)) - won * odds)
    return fsum(terms) + penalty / 2 * fsum(b * b for b in rest)


def _slopes(
    grouped: _Grouped, beta: Sequence[float], penalty: float
) -> tuple[list[float], list[list[float]]]:
    """Gradient and (lower triangle of the) second derivative of the loss."""
    size = len(beta)
    first, rest = beta[0], beta[1:]
    gradient = [0.0, *(penalty * b for b in rest)]
    curvature = [[0.0] * (i + 1) for i in range(size)]
    for i in range(1, size):
        curvature[i][i] = penalty
    for row, total, won in grouped:
        chance = _logistic(first + sum(b * x for b, x in zip(rest, row, strict=True)))
        error, bend = total * chance - won, total * chance * (1 - chance)
        filled = [(0, 1.0), *((i, x) for i, x in enumerate(row, 1) if x)]
        for place, (i, x) in enumerate(filled):
            gradient[i] += error * x
            scaled, line = bend * x, curvature[i]
            for j, y in filled[: place + 1]:
                line[j] += scaled * y
    return gradient, curvature


def _solve(lower: list[list[float]], right: Sequence[float]) -> list[float]:
    """x of the symmetric system, by Cholesky; a column that adds nothing to those before it stays put."""
    size = len(right)
    root: list[list[float]] = []
    for i in range(size):
        line: list[float] = []
        for j in range(i):
            value = lower[i][j] - sum(a * b for a, b in zip(line, root[j], strict=False))
            line.append(value / root[j][j])
        left = lower[i][i] - sum(a * a for a in line)
        line.append(sqrt(left) if left > 1e-14 * lower[i][i] else inf)
        root.append(line)
    forward: list[float] = []
    for i in range(size):
        forward.append((right[i] - sum(a * b for a, b in zip(root[i], forward, strict=False))) / root[i][i])
    found = [0.0] * size
    for i in reversed(range(size)):
        found[i] = (forward[i] - sum(root[k][i] * found[k] for k in range(i + 1, size))) / root[i][i]
    return found


def _towards(
    grouped: _Grouped, beta: list[float], step: Sequence[float], value: float, penalty: float
) -> tuple[list[float], float, float]:
    """The step, halved until it does not make things worse: new coefficients, their loss, and how far."""
    share = 1.0
    while share > 1e-6:
        tried = [b - share * s for b, s in zip(beta, step, strict=True)]
        loss = _loss(grouped, tried, penalty)
        if loss <= value + 1e-12 * abs(value):
            return tried, loss, max(abs(share * s) / (1 + abs(b)) for s, b in zip(step, tried, strict=True))
        share /= 2
    return beta, value, 0.0


def isotonic(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The rising sequence nearest to the values (weighted least squares), by pooling adjacent violators.

    A value of weight 0 takes that of its left neighbour, or of the first that has weight; where none has, the
    values are only kept from falling.
    """
    blocks: list[list[float]] = []  # weighted sum, weight, how many
    waiting = 0
    for value, weight in zip(values, weights, strict=True):
        if weight <= 0:
            if blocks:
                blocks[-1][2] += 1
            else:
                waiting += 1
            continue
        blocks.append([value * weight, weight, 1 + waiting])
        waiting = 0
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            last = blocks.pop()
            for i in range(3):
                blocks[-1][i] += last[i]
    if not blocks:
        return list(accumulate(values, max))
    return [total / weight for total, weight, times in blocks for _ in range(int(times))]
