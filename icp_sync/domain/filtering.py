"""Sets of the values one CRM property may hold, and formulas over several: what a filter is made of.

Pure algebra. It knows neither profiles nor any CRM: which values a condition lets through is worked out in
`normalize.property_filters`, and how a formula is written lies with each target. Every formula is positive
(no negation above a set of values), so widening any part of it can only let more accounts through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple


class Span(NamedTuple):
    """A range of numbers or instants (UTC epoch seconds); an open end does not hold its bound."""

    low: float = -inf
    high: float = inf
    low_open: bool = False
    high_open: bool = False

    @property
    def empty(self) -> bool:
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Numbers in any of the spans (disjoint, rising), and whether no value at all is among them."""

    spans: tuple[Span, ...] = ()
    blank: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """These texts, or (inverted) every text but these, and whether no value at all is among them."""

    words: frozenset[str] = frozenset()
    inverted: bool = False
    blank: bool = False


Values = Numbers | Words

ANY_NUMBER = Numbers(spans=(Span(),), blank=True)
ANY_WORD = Words(inverted=True, blank=True)


def complement(values: Values) -> Values:
    """Everything else the property may hold, no value included."""
    if isinstance(values, Words):
        return Words(words=values.words, inverted=not values.inverted, blank=not values.blank)
    gaps, low, low_open = [], -inf, False
    for span in values.spans:
        gaps.append(Span(low, span.low, low_open, not span.low_open))
        low, low_open = span.high, not span.high_open
    gaps.append(Span(low, inf, low_open, False))
    outside = (g for g in gaps if not g.empty and not (g.low == g.high and abs(g.low) == inf))
    return Numbers(spans=tuple(outside), blank=not values.blank)


def meet(a: Values, b: Values) -> Values:
    """What is in both. The two must be of the same kind, as sets of one property are."""
    if isinstance(a, Words) and isinstance(b, Words):
        blank = a.blank and b.blank
        if a.inverted and b.inverted:
            return Words(words=a.words | b.words, inverted=True, blank=blank)
        if a.inverted or b.inverted:
            listed, barred = (b, a) if a.inverted else (a, b)
            return Words(words=listed.words - barred.words, blank=blank)
        return Words(words=a.words & b.words, blank=blank)
    if isinstance(a, Numbers) and isinstance(b, Numbers):
        crossed = (_cross(x, y) for x in a.spans for y in b.spans)
        return Numbers(spans=tuple(sorted(s for s in crossed if not s.empty)), blank=a.blank and b.blank)
    raise TypeError("a property holds numbers or texts, not both")


def join(a: Values, b: Values) -> Values:
    """What is in either."""
    return complement(meet(complement(a), complement(b)))


def is_nothing(values: Values) -> bool:
    listed = values.spans if isinstance(values, Numbers) else (values.words or values.inverted)
    return not values.blank and not listed


def is_everything(values: Values) -> bool:
    return is_nothing(complement(values))


def inside(a: Values, b: Values) -> bool:
    """Whether every member of `a` is one of `b`."""
    return is_nothing(meet(a, complement(b)))


def _cross(x: Span, y: Span) -> Span:
    low, low_open = max((x.low, x.low_open), (y.low, y.low_open))
    high, high_closed = min((x.high, not x.high_open), (y.high, not y.high_open))
    return Span(low, high, low_open, not high_closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Is:
    """The property holds one of these values."""

    property: str
    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """A property of several texts lists one of `words` (`wanted`), or none of them, as a blank one does.

    separator: what parts the texts where they stand in one string.
    """

    property: str
    words: frozenset[str]
    wanted: bool
    separator: str = ";"


@dataclass(frozen=True, slots=True, kw_only=True)
class Every:
    """All parts hold; without parts it holds for every account."""

    parts: tuple[Formula, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Either:
    """A part holds; without parts it holds for no account."""

    parts: tuple[Formula, ...] = ()


Formula = Is | Lists | Every | Either
EVERYBODY = Every()
NOBODY = Either()


def every(parts: Iterable[Formula]) -> Formula:
    """All of the parts, flattened, with one test a property where that says the same."""
    flat: list[Formula] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Every) else (part,))
    return _gathered(flat, all_of=True)


def either(parts: Iterable[Formula]) -> Formula:
    """Any of the parts, flattened, with one test a property where that says the same."""
    flat: list[Formula] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Either) else (part,))
    return _gathered(flat, all_of=False)


def _gathered(parts: Sequence[Formula], *, all_of: bool) -> Formula:
    absorbing, neutral = (NOBODY, EVERYBODY) if all_of else (EVERYBODY, NOBODY)
    tests: dict[str, Values] = {}
    rest: list[Formula] = []
    for part in parts:
        if isinstance(part, Is):
            known = tests.get(part.property)
            combine = meet if all_of else join
            tests[part.property] = part.values if known is None else combine(known, part.values)
        elif part == absorbing:
            return absorbing
        elif part != neutral and part not in rest:
            rest.append(part)
    made: list[Formula] = []
    for name, values in tests.items():
        if is_nothing(values) if all_of else is_everything(values):
            return absorbing
        if not (is_everything(values) if all_of else is_nothing(values)):
            made.append(Is(property=name, values=values))
    found = (*made, *rest)
    if len(found) == 1:
        return found[0]
    return Every(parts=found) if all_of else Either(parts=found)


def rewritten(formula: Formula, lists: Callable[[Lists], Formula]) -> Formula:
    """The formula with every `Lists` test replaced, for a target that asks otherwise or not at all."""
    if isinstance(formula, Lists):
        return lists(formula)
    if isinstance(formula, Every):
        return every(rewritten(part, lists) for part in formula.parts)
    if isinstance(formula, Either):
        return either(rewritten(part, lists) for part in formula.parts)
    return formula
