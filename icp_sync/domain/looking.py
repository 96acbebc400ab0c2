"""Every way an account's open facts may turn out, or a sample of them, and which fact decides in how many.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from random import Random
from typing import NamedTuple

from icp_sync.domain.facts import Facts, FactValue
from icp_sync.domain.outcomes import Judge, Outcome
from icp_sync.domain.questions import Readings

ALL_AT_ONCE = 300
"""Combinations that are all looked at; of more, `SAMPLED` are drawn."""
SAMPLED = 24
VARIED = 10
"""Values of a fact that are tried in one combination drawn; of one with more, each has its turn."""
RARELY = 0.002
"""The chance given to a fact that decided none of the combinations drawn, and may decide another."""


class Cell(NamedTuple):
    """One value of a fact, None where it stays as it is.

    places: of the fact and of all that move with it, each with the number of its answers.
    """

    value: FactValue | None
    places: tuple[tuple[int, int], ...]


@dataclass(slots=True, kw_only=True)
class Look:
    """One account's possible facts, and what comes of them.

    answers: the numbers of its facts as they are. cells: open fact → what it may be. completed: facts with
    those that follow from them. derived: places of facts that follow from several open ones.
    """

    judge: Judge
    facts: Facts
    answers: Sequence[int]
    cells: Mapping[str, tuple[Cell, ...]]
    completed: Callable[[Facts], Facts]
    derived: tuple[int, ...]
    readings: Readings
    tiers: tuple[str, ...] = ()
    _numbers: list[int] = field(default_factory=list)

    def chances(self) -> Mapping[str, float]:
        """Fact → of the others' values, in which share it decides. Sets `tiers`, those still possible."""
        self._numbers = list(self.answers)
        combinations = prod(len(values) for values in self.cells.values())
        return self._everything() if combinations <= ALL_AT_ONCE else self._sampled()

    def _everything(self) -> Mapping[str, float]:
        sizes = {name: len(values) for name, values in self.cells.items()}
        outcomes = [self._outcome(chosen) for chosen in product(*self.cells.values())]
        chances = {}
        step = len(outcomes)
        for name, size in sizes.items():
            block, step = step, step // size
            groups = [
                outcomes[start + offset : start + block : step]
                for start in range(0, len(outcomes), block)
                for offset in range(step)
            ]
            decided = sum(any(one != group[0] for one in group) for group in groups)
            if decided:
                chances[name] = decided / len(groups)
        self._note(outcomes)
        return chances

    def _sampled(self) -> Mapping[str, float]:
        """Combinations drawn alike each time; a fact that decided none of them keeps a small chance."""
        draw = Random(1)  # noqa: S311  the same combinations each time
        names, values = list(self.cells), list(self.cells.values())
        decided = dict.fromkeys(names, 0)
        outcomes: list[Outcome] = []
        for turn in range(SAMPLED):
            chosen = [draw.choice(cells) for cells in values]
            for at, name in enumerate(names):
                drawn = chosen[at]
                varied = []
                for cell in _some(values[at], turn):
                    chosen[at] = cell
                    varied.append(self._outcome(chosen))
                chosen[at] = drawn
                outcomes += varied
                decided[name] += any(one != varied[0] for one in varied)
        self._note(outcomes)
        return {name: max(n / SAMPLED, RARELY) for name, n in decided.items()}

    def _note(self, outcomes: Sequence[Outcome]) -> None:
        self.tiers = tuple(sorted({one[0] for one in outcomes}))

    def _outcome(self, chosen: Sequence[Cell]) -> Outcome:
        numbers = self._numbers
        for cell in chosen:
            for place, number in cell.places:
                numbers[place] = number
        if self.derived:
            facts = self._facts(chosen)
            names = self.readings.names
            for place in self.derived:
                numbers[place] = self.readings.number(place, facts.get(names[place]))
        return self.judge.of(numbers, lambda: self._facts(chosen))

    def _facts(self, chosen: Sequence[Cell]) -> Facts:
        told = {
            name: cell.value for name, cell in zip(self.cells, chosen, strict=True) if cell.value is not None
        }
        return self.completed({**self.facts, **told})


def _some(cells: Sequence[Cell], turn: int) -> Sequence[Cell]:
    """The first, as it is, and those whose turn it is."""
    if len(cells) <= VARIED:
        return cells
    others = len(cells) - 1
    start = turn * (VARIED - 1)
    return (cells[0], *(cells[1 + (start + at) % others] for at in range(VARIED - 1)))
