"""A fact as something to be scored by: its answers in levels of evidence, and the questions between them.

Knows columns and conditions, not labels: what an answer is worth is found by `bands`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf

from icp_sync.domain.conditions import AnyOf, Between, Condition, NoneOf
from icp_sync.domain.facts import FactType
from icp_sync.learning.marks.coded import NO, UNKNOWN, YES, Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Answers that are worth the same. bands: codes; n, good: cases; evidence: log of an odds ratio."""

    bands: frozenset[int]
    n: int
    good: int
    evidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One question with its levels, the least promising first.

    codes: the band of each case, `NOT_KNOWN` where nobody can tell. members: which members of a set it asks
    for, empty for other facts; then band 1 is "one of them is listed" and band 0 "none is". rest: values of a
    choice that are asked for only together, and with them every value nobody has seen yet.
    """

    column: Column
    codes: bytes
    levels: tuple[Level, ...]
    members: frozenset[int] = frozenset()
    rest: frozenset[int] = frozenset()

    def above(self, step: int) -> frozenset[int]:
        """The bands that are worth more than the first `step` levels."""
        return frozenset[int]().union(*(level.bands for level in self.levels[step:]))

    def condition(self, step: int) -> Condition:
        """The question for the bands above a step, as a profile asks it."""
        column, wanted = self.column, self.above(step)
        if column.kind == "ordered":
            return within(column, min(wanted), max(wanted))
        if self.members:
            named = frozenset(column.values[at] for at in self.members)
            return (AnyOf if 1 in wanted else NoneOf)(fact=column.fact, values=named)
        if wanted & self.rest:
            others = frozenset(column.values[at] for level in self.levels[:step] for at in level.bands)
            return NoneOf(fact=column.fact, values=others)
        return AnyOf(fact=column.fact, values=frozenset(column.values[at] for at in wanted))


def said(column: Column, condition: Condition) -> bytes:
    """What the engine answers to a condition made of the column's own bands and values, a byte a case.

    Raises ValueError where the column was never asked about them.
    """
    match condition:
        case Between():
            first = 0 if condition.low == -inf else column.edges.index(condition.low) + 1
            last = len(column.edges) if condition.high == inf else column.edges.index(condition.high)
            return in_bands(column, first, last)
        case AnyOf(values=values) if len(column.questions) == 1 and column.kind == "values":
            told = column.questions[0].answers  # yes or no: one question says it all
            return told if values == {column.values[0]} else told.translate(_OPPOSITE)
        case AnyOf(values=values):
            return any_of([column.questions[column.values.index(word)].answers for word in sorted(values)])
        case NoneOf(fact=fact, values=values):
            return said(column, AnyOf(fact=fact, values=values)).translate(_OPPOSITE)
    raise ValueError(f"no question about {column.fact} was asked like this")


_OPPOSITE = bytes([YES, NO, UNKNOWN, *range(3, 256)])
_EITHER = bytes([YES if YES in pair else NO if pair == (NO, NO) else UNKNOWN for pair in
                 ((a, b) for a in range(3) for b in range(3))] + [UNKNOWN] * 247)  # fmt: skip
_BOTH = bytes([NO if NO in pair else YES if pair == (YES, YES) else UNKNOWN for pair in
               ((a, b) for a in range(3) for b in range(3))] + [UNKNOWN] * 247)  # fmt: skip


def _joined(one: bytes, other: bytes, table: bytes) -> bytes:
    """Two rows of answers made one; a pair is a digit to base 3 in the byte of its case."""
    pairs = int.from_bytes(one, "big") * 3 + int.from_bytes(other, "big")
    return pairs.to_bytes(len(one), "big").translate(table)


def any_of(rows: Sequence[bytes]) -> bytes:
    """Yes where one of the rows says yes, no where all say no."""
    found = rows[0]
    for row in rows[1:]:
        found = _joined(found, row, _EITHER)
    return found


def in_bands(column: Column, first: int, last: int) -> bytes:
    """Whether each case of an ordered column lies in the bands from first to last."""
    above = column.questions[: len(column.edges)]  # "at least" each edge
    if first <= 0 and last >= len(column.edges):
        return column.known.translate(bytes([UNKNOWN, YES, *range(2, 256)]))
    rows = [above[first - 1].answers] if first > 0 else []
    rows += [above[last].answers.translate(_OPPOSITE)] if last < len(column.edges) else []
    return _joined(rows[0], rows[-1], _BOTH)


def within(column: Column, first: int, last: int) -> Between:
    """The condition that an ordered fact lies in the bands from first to last."""
    edges = column.edges
    band = Between(fact=column.fact, money=column.type is FactType.MONEY)
    if first > 0:
        band = replace(band, low=edges[first - 1])
    return replace(band, high=edges[last], high_open=True) if last < len(edges) else band


def unknown_shares(levels: Sequence[float]) -> list[float]:
    """Of each step between rising levels of evidence, the share that keeps the odds as they are (evidence 0),
    filled from the lowest step; whole percents."""
    shares = []
    for low, high in pairwise(levels):
        share = (0.0 - low) / (high - low) if high > low else 0.0
        shares.append(round(100 * min(1.0, max(0.0, share))) / 100)
    return shares
