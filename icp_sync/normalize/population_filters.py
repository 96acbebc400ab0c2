"""The derived fact `population` as a formula over the properties it is derived from.

What a company is to us follows from lifecycle, account type and won deals together (`domain.populations`),
so every combination of what those properties say is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product

from icp_sync.domain.conditions import AllOf, AnyOf, NoneOf
from icp_sync.domain.facts import FactValue, Members, number
from icp_sync.domain.filtering import (
    Formula,
    Is,
    Numbers,
    Span,
    Values,
    Words,
    complement,
    either,
    every,
    join,
)
from icp_sync.domain.populations import MARKS, population_of
from icp_sync.normalize.facts_map import FactSource
from icp_sync.normalize.property_texts import texts_of
from icp_sync.normalize.property_values import Doubt, Form, Ground, Outcome, nothing_of

FEEDS = ("lifecycle", "account_type", "won_deals")

Cell = tuple[str, Values, Outcome]
"""A property, some of its values, and what they all say."""


def population_formula(
    leaf: AnyOf | NoneOf | AllOf,
    wanted: bool,
    feeding: Mapping[str, Sequence[FactSource]],
    ground: Ground,
    *,
    guess: bool = True,
) -> tuple[Formula, list[str], list[str]]:
    """The accounts whose population may be as asked (`wanted`), or need not be; reasons; assumptions.

    guess: whether words nobody stated as options are looked for in the usual spellings too.
    """
    reasons: list[str] = []
    assumed: list[str] = []
    sides: list[list[Cell]] = []
    facts: list[str] = []
    for fact, sources in feeding.items():
        if not sources:
            continue
        if len(sources) > 1:
            reasons.append(f"several properties feed {fact.replace('_', ' ')}")
            return every(()), reasons, assumed
        worded = guess and (fact == "account_type" or not feeding["account_type"])
        cells = _cells(sources[0], fact, leaf.values if worded else frozenset(), ground, assumed)
        if any(outcome is Doubt.ANYTHING for _, _, outcome in cells):
            reasons.append(f"what {sources[0].property} says of the relationship is not known in full")
        sides.append(_grouped(fact, cells))
        facts.append(fact)
    fails = _failing(leaf, wanted)
    sides = [_rested(sides, at, facts, fails) for at in range(len(sides))]
    barred: dict[tuple[tuple[str, int], ...], Values] = {}
    parts: list[Formula] = []
    for chosen in product(*(range(len(side)) for side in sides)):
        cells = [side[at] for side, at in zip(sides, chosen, strict=True)]
        if fails({fact: cell[2] for fact, cell in zip(facts, cells, strict=True)}):
            key = tuple((cell[0], at) for cell, at in zip(cells[:-1], chosen[:-1], strict=True))
            barred[key] = join(barred[key], cells[-1][1]) if key in barred else cells[-1][1]
    for key, values in barred.items():
        others = [
            Is(property=name, values=complement(side[at][1]))
            for side, (name, at) in zip(sides, key, strict=False)
        ]
        parts.append(either([*others, Is(property=sides[-1][0][0], values=complement(values))]))
    return every(parts), reasons, assumed


def _cells(
    source: FactSource, fact: str, asked: frozenset[str], ground: Ground, assumed: list[str]
) -> list[Cell]:
    """The values of one property, parted by what they say."""
    shape = ground.shapes.get(source.property)
    nothing = nothing_of(shape)
    blank: Cell = (source.property, nothing, None)
    if shape is None or shape.form is Form.CHOICES:
        return [blank, (source.property, complement(nothing), Doubt.ANYTHING)]
    if shape.counts:
        won = Numbers(spans=(Span(low=1.0),))
        lost = Numbers(spans=(Span(high=1.0, high_open=True),))
        plain = fact == "won_deals" and not source.values and shape.form is Form.NUMBER
        says = (number(1.0), number(0.0)) if plain else (Doubt.ANYTHING, Doubt.ANYTHING)
        return [blank, (source.property, won, says[0]), (source.property, lost, says[1])]
    marks = [word for population in sorted(asked) for word in MARKS.get(population, ())]
    texts = texts_of(source, shape, fact, marks, ground)
    unsaid = frozenset(w for w, o in texts.outcomes.items() if o is None)
    cells: list[Cell] = [(source.property, Words(words=unsaid, blank=True), None)]
    cells += [
        (source.property, Words(words=frozenset({w})), o) for w, o in texts.outcomes.items() if o is not None
    ]
    rest = Words(words=frozenset(texts.outcomes), inverted=True)
    guess = ground.assume and shape.form is Form.CHOICE and bool(shape.options)
    if guess and not shape.complete:
        assumed.append(f"{source.property} has no options but those known")
    closed = guess or texts.closed
    cells.append((source.property, rest, _NEVER if closed else Doubt.ANYTHING))
    return cells


_NEVER = Members(frozenset(), False)
"""Marks values that do not occur: they never decide anything, so either answer is right."""


def _rested(
    sides: Sequence[list[Cell]], at: int, facts: Sequence[str], fails: Callable[[Mapping[str, Outcome]], bool]
) -> list[Cell]:
    """One side with the values that do not occur put to the cell that fails least, for fewer tests."""
    never = [cell for cell in sides[at] if cell[2] is _NEVER]
    cells = [cell for cell in sides[at] if cell[2] is not _NEVER]
    if not never or len(cells) < 2:
        return sides[at]

    def failures(cell: Cell) -> int:
        others = [side if n != at else [cell] for n, side in enumerate(sides)]
        return sum(fails({f: c[2] for f, c in zip(facts, some, strict=True)}) for some in product(*others))

    kindest = min((cell for cell in cells if cell[2] is not None), key=failures)
    joined = (kindest[0], join(kindest[1], never[0][1]), kindest[2])
    return [joined if cell is kindest else cell for cell in cells]


def _grouped(fact: str, cells: Sequence[Cell]) -> list[Cell]:
    """Cells that say the same of the population, as one."""
    found: dict[object, Cell] = {}
    for name, values, outcome in cells:
        key: object = outcome
        if outcome is not None and not isinstance(outcome, Doubt) and outcome is not _NEVER:
            means = population_of({fact: outcome})
            key = (means, getattr(outcome, "low", None)) if means else outcome
        before = found.get(key)
        found[key] = (name, values if before is None else join(before[1], values), outcome)
    return list(found.values())


def _failing(leaf: AnyOf | NoneOf | AllOf, wanted: bool) -> Callable[[Mapping[str, Outcome]], bool]:
    """Whether the population certainly fails the question, given what each property says."""
    if isinstance(leaf, NoneOf):
        leaf, wanted = AnyOf(fact=leaf.fact, values=leaf.values), not wanted

    def fails(said: Mapping[str, Outcome]) -> bool:
        if any(isinstance(outcome, Doubt) or outcome is _NEVER for outcome in said.values()):
            return False
        facts: dict[str, FactValue] = {
            fact: outcome
            for fact, outcome in said.items()
            if outcome is not None and not isinstance(outcome, Doubt)
        }
        found = population_of(facts)
        if found is None:
            return False
        hit = leaf.values <= found.known if isinstance(leaf, AllOf) else bool(leaf.values & found.known)
        return hit is not wanted

    return fails
