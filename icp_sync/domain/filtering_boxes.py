"""A formula as a union of boxes (one set of values a property), made to fit a target's limits.

For targets that take a few groups of plain tests and nothing nested. Every step is either exact or widens,
so what is left is the formula or a superset of it; which clauses became wider is found out afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import inf

from icp_sync.domain.filtering import (
    Either,
    Every,
    Formula,
    Is,
    Lists,
    Numbers,
    Span,
    Values,
    Words,
    complement,
    inside,
    is_everything,
    is_nothing,
    join,
    meet,
)

Box = Mapping[str, Values]
"""Property → the values it may have; a property that is not named may have any."""

_MOST = 24  # boxes worked with at a time; beyond, the likest are united
_MANY = 96  # boxes compared with each other; beyond, the smallest are united unseen
_PIECES = 2_000  # steps of one exactness check, after which the answer is no


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a target takes: groups, tests a group, tests in all, characters of what is sent."""

    groups: int
    in_group: int
    in_all: int
    characters: int


def simple_boxes(formula: Formula) -> list[Box]:
    """The formula as boxes whose sets are each one plain test or two: a span, a list, blank, not blank."""
    return _tidy(_boxes(formula))


def _boxes(formula: Formula) -> list[Box]:
    if isinstance(formula, Is):
        return [{formula.property: piece} for piece in _pieces(formula.values)]
    if isinstance(formula, Lists):
        raise TypeError("a test of a list is no set of values")
    if isinstance(formula, Either):
        return _united(_tidy([box for part in formula.parts for box in _boxes(part)]), _MOST)
    found: list[Box] = [{}]
    for part in sorted((_boxes(part) for part in formula.parts), key=len):
        crossed = (_both(a, b) for a in found for b in part)
        found = _united(_tidy([box for box in crossed if box is not None]), _MOST)
    return found


def _pieces(values: Values) -> list[Values]:
    """The simple sets a set is the union of."""
    if isinstance(values, Numbers):
        found: list[Values] = [Numbers(spans=(span,)) for span in values.spans]
        return found + ([Numbers(blank=True)] if values.blank else [])
    listed = Words(words=values.words, inverted=values.inverted)
    both: list[Values] = [listed, Words(blank=values.blank)]
    return [one for one in both if not is_nothing(one)]


def _both(a: Box, b: Box) -> Box | None:
    """The accounts in both boxes, None when there can be none."""
    found = dict(a)
    for name, values in b.items():
        found[name] = meet(found[name], values) if name in found else values
        if is_nothing(found[name]):
            return None
    return found


def _covers(outer: Box, inner: Box) -> bool:
    if not outer.keys() <= inner.keys():
        return False
    return all(inner[name] == values or inside(inner[name], values) for name, values in outer.items())


def _tidy(boxes: Iterable[Box]) -> list[Box]:
    """The same accounts in fewer boxes: none inside another, none that are one box with a gap closed."""
    found = _outermost(_fewer(list(boxes)))
    at = 0
    while at < len(found):
        box = found[at]
        for other in found[at + 1 :]:
            one = _seamless(box, other)
            if one is not None:
                found = _outermost([one, *(b for b in found if b is not box and b is not other)])
                at = -1
                break
        at += 1
    return found


def _outermost(boxes: Iterable[Box]) -> list[Box]:
    """The boxes that lie in no other."""
    kept: list[Box] = []
    for box in sorted(boxes, key=len):
        if not any(_covers(other, box) for other in kept):
            kept.append(box)
    return [b for i, b in enumerate(kept) if not any(_covers(o, b) for o in kept[i + 1 :])]


def _fewer(boxes: list[Box]) -> list[Box]:
    """Not more boxes than can be compared with each other; the smallest go into a box around two."""
    ranked = sorted(boxes, key=_size, reverse=True)
    while len(ranked) > _MANY:
        ranked.append(_hull(ranked.pop(), ranked.pop()))
        ranked.sort(key=_size, reverse=True)
    return ranked


def _seamless(a: Box, b: Box) -> Box | None:
    """The union of two boxes that differ in one property only, if it is a simple box itself."""
    if a.keys() != b.keys():
        return None
    differing = [name for name in a if a[name] != b[name]]
    if len(differing) != 1:
        return None
    name = differing[0]
    union = join(a[name], b[name])
    if is_everything(union):
        return {key: values for key, values in a.items() if key != name}
    return {**a, name: union} if len(_pieces(union)) == 1 else None


_joined = lru_cache(maxsize=4_096)(join)


def _hull(a: Box, b: Box) -> Box:
    """The smallest simple box around two."""
    found: dict[str, Values] = {}
    for name in a.keys() & b.keys():
        union = _joined(a[name], b[name])
        if not union.blank and isinstance(union, Numbers):
            first, last = union.spans[0], union.spans[-1]
            union = Numbers(spans=(Span(first.low, last.high, first.low_open, last.high_open),))
        if len(_pieces(union)) == 1:
            found[name] = union
    return {name: found[name] for name in a if name in found}


def _share(values: Values) -> float:
    """A rough share of accounts a simple set holds; only the order of such guesses matters."""
    if values.blank:
        return 0.1
    if isinstance(values, Numbers):
        ends = sum(abs(end) == inf for end in values.spans[0][:2])
        return (0.25, 0.4, 0.9)[ends]
    if values.inverted:
        return 0.9 - 0.15 * min(1.0, len(values.words) / 20)
    return min(0.6, 0.05 + 0.05 * len(values.words))


def _size(box: Box) -> float:
    size = 1.0
    for values in box.values():
        size *= _share(values)
    return size


def _united(boxes: list[Box], most: int) -> list[Box]:
    """At most so many boxes, the least costly pairs replaced by the box around both."""
    found = dict(enumerate(boxes))
    losses: dict[tuple[int, int], float] = {}
    number = len(found)
    while len(found) > most:
        near = sorted(found, key=lambda at: _size(found[at]))[:_MOST]
        for pair in combinations(sorted(near), 2):
            if pair not in losses:
                losses[pair] = _loss(found[pair[0]], found[pair[1]])
        a, b = min(combinations(sorted(near), 2), key=losses.__getitem__)
        around = _hull(found[a], found[b])
        found = {at: box for at, box in found.items() if not _covers(around, box)}
        found[number] = around
        number += 1
    return list(found.values())


def _loss(a: Box, b: Box) -> float:
    return _size(_hull(a, b)) - _size(a) - _size(b)


def fitted(
    boxes: list[Box],
    limits: Limits,
    tests: Callable[[Box, Sequence[Box]], int],
    text: Callable[[list[Box]], str],
) -> list[Box]:
    """Boxes around these that keep the limits: pairs united, or single tests dropped, the cheapest first.

    tests: how many plain tests a box takes among the others. text: what would be sent.
    """
    found = _united(boxes, max(limits.groups, 12))
    while True:
        counts = [tests(box, found) for box in found]
        over = len(found) > limits.groups or sum(counts) > limits.in_all
        wide = [box for box, count in zip(found, counts, strict=True) if count > limits.in_group]
        if not over and not wide and len(text(found)) <= limits.characters:
            return found
        choices: list[tuple[float, list[Box]]] = []
        if not wide or len(found) > limits.groups:
            choices = [
                (_loss(a, b), [*(box for box in found if box is not a and box is not b), _hull(a, b)])
                for a, b in combinations(found, 2)
            ]
        if len(found) <= limits.groups:
            choices += [
                (_size(less) - _size(box), [*(other for other in found if other is not box), less])
                for box in (wide or found)
                for less in _lessened(box)
            ]
        found = _tidy(min(choices, key=lambda choice: choice[0])[1])


def _lessened(box: Box) -> Iterable[Box]:
    """The box with one test less, or with half of a long list of what is barred."""
    for name, values in box.items():
        yield {key: other for key, other in box.items() if key != name}
        if isinstance(values, Words) and values.inverted and len(values.words) > 8:
            fewer = frozenset(sorted(values.words)[: len(values.words) // 2])
            yield {**box, name: Words(words=fewer, inverted=True)}


def covered(box: Box, formula: Formula) -> bool:
    """Whether the box certainly lies inside the formula. False where it would take too long to tell."""
    if isinstance(formula, Every):
        return all(covered(box, part) for part in formula.parts)
    outer: list[Box] = [_general(one) for one in _plain(formula)]
    left, steps = [dict(box)], 0
    for one in outer:
        remaining: list[dict[str, Values]] = []
        for piece in left:
            remaining += _without(piece, one)
        left, steps = remaining, steps + len(remaining)
        if not left:
            return True
        if steps > _PIECES:
            return False
    return False


def _general(box: Box) -> Box:
    return {name: values for name, values in box.items() if not is_everything(values)}


def _plain(formula: Formula) -> list[Box]:
    """The formula as boxes of any sets, not cut into simple ones."""
    if isinstance(formula, Is):
        return [{formula.property: formula.values}]
    if isinstance(formula, Either):
        return [box for part in formula.parts for box in _plain(part)]
    if isinstance(formula, Lists):
        return []
    found: list[Box] = [{}]
    for part in formula.parts:
        crossed = (_both(a, b) for a in found for b in _plain(part))
        found = [box for box in crossed if box is not None][:_PIECES]
    return found


def _without(box: dict[str, Values], other: Box) -> list[dict[str, Values]]:
    """What is left of a box without another, as boxes that do not overlap."""
    left: list[dict[str, Values]] = []
    rest = dict(box)
    for name, values in other.items():
        here = rest.get(name)
        outside = complement(values) if here is None else meet(here, complement(values))
        if not is_nothing(outside):
            left.append({**rest, name: outside})
        rest[name] = values if here is None else meet(here, values)
        if is_nothing(rest[name]):
            return [box]
    return left
