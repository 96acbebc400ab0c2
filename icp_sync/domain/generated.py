"""Questions as the text of one Python function, which answers them all in a single pass.

Values of a profile are never pasted into the text: it names constants that are handed in, so a profile
cannot carry code. Each fact is fetched once and everything asked of it is answered there; what a question is
worth is added where its answer is known, so that a fact nobody knows costs one look.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from icp_sync.domain.conditions import (
    All,
    AllOf,
    Any,
    AnyOf,
    Between,
    Condition,
    Leaf,
    NoneOf,
    Not,
    Present,
    Within,
    leaves,
)
from icp_sync.domain.currency import convert

Place = tuple[str, str]
"""The local names that hold a condition's low and high credit."""


@dataclass(frozen=True, slots=True)
class Worth:
    """Points that a condition's credit gives, and those it shows while all of that credit is open."""

    weight: float = 0.0
    open: float = 0.0


NOTHING = Worth()


class Generated:
    """Statements that leave each condition's credit in two local names, and three sums of what `worth` gives:
    `low` points that are certain, `loose` those that are open, `half` what the open ones show."""

    def __init__(
        self,
        currency: str,
        asked: Sequence[Condition | None],
        worth: Mapping[Condition, Worth] | None = None,
    ) -> None:
        self._currency = currency
        self._worth = worth or {}
        self._lines: list[str] = [] if worth is None else [" low = loose = half = 0.0"]
        self._constants: dict[str, object] = {"taper": taper, "convert": convert}
        self._names = 0
        self._known: dict[Condition, Place] = {}
        by_fact: dict[tuple[str, bool], dict[Leaf, None]] = {}
        for leaf in (leaf for one in asked if one is not None for leaf in leaves(one)):
            money = isinstance(leaf, Between) and leaf.money
            by_fact.setdefault((leaf.fact, money), {})[leaf] = None
        for (fact, money), those in by_fact.items():
            self._fact(fact, tuple(those), money=money)
        self.places: list[Place] = [self._place(one) if one is not None else ("1.0", "1.0") for one in asked]

    def function(self, result: str) -> typing.Any:
        """The function of `facts` and `now` that runs the statements and returns an expression."""
        source = "\n".join(["def answer(facts, now):", *self._lines, f" return {result}"])
        space = dict(self._constants)
        exec(compile(source, "<profile>", "exec"), space)  # noqa: S102 (names and constants only, see above)
        return space["answer"]

    def constant(self, value: object) -> str:
        name = f"c{len(self._constants)}"
        self._constants[name] = value
        return name

    def _add(self, deep: int, *statements: str) -> None:
        self._lines.append(" " * deep + "; ".join(statements or ("pass",)))

    def _fresh(self) -> Place:
        self._names += 1
        return f"l{self._names}", f"h{self._names}"

    def _fact(self, fact: str, asked: Sequence[Leaf], *, money: bool) -> None:
        """All that is asked of one fact."""
        for leaf in asked:
            self._known[leaf] = self._fresh()
        name = self.constant(fact)
        self._add(1, f"if {name} in facts:")
        if not all(isinstance(leaf, Present) for leaf in asked):
            self._add(2, f"v = facts[{name}]")
        if money:
            own = self.constant(self._currency)
            self._add(2, f"if v.currency != {own}: v = convert(v, {own})")
        # Once each: reading a field of a named tuple takes as long as two comparisons.
        if any(isinstance(leaf, Between | Within) for leaf in asked):
            self._add(2, "a = v.low", "b = v.high")
        if any(isinstance(leaf, AnyOf | NoneOf | AllOf) for leaf in asked):
            self._add(2, "k = v.known")
        for leaf in asked:
            self._leaf(leaf)
        self._add(1, "else:")
        self._add(2, *self._unknown(asked))

    def _unknown(self, asked: Sequence[Leaf]) -> list[str]:
        """What a fact that nobody knows leaves open, its sums taken at once."""
        said, loose, half = [], 0.0, 0.0
        for leaf in asked:
            lo, hi = self._known[leaf]
            if isinstance(leaf, Present):
                said += self._sure(leaf, met=not leaf.known)
                continue
            said.append(f"{lo} = 0.0; {hi} = 1.0")
            worth = self._worth.get(leaf, NOTHING)
            loose, half = loose + worth.weight, half + worth.open
        return [*said, *self._loose(Worth(loose, half))]

    def _leaf(self, leaf: Leaf) -> None:
        """One question about a value that is known."""
        if isinstance(leaf, Present):
            self._add(2, *self._sure(leaf, met=leaf.known))
        elif isinstance(leaf, Between):
            self._between(leaf)
        elif isinstance(leaf, Within):
            self._within(leaf)
        else:
            self._members(leaf)

    def _members(self, leaf: AnyOf | NoneOf | AllOf) -> None:
        values = self.constant(leaf.values)
        hit = f"{values} <= k" if isinstance(leaf, AllOf) else f"not {values}.isdisjoint(k)"
        self._add(2, f"if {hit}:")
        self._add(3, *self._sure(leaf, met=not isinstance(leaf, NoneOf)))
        self._add(2, "elif v.complete:")
        self._add(3, *self._sure(leaf, met=isinstance(leaf, NoneOf)))
        self._add(2, "else:")
        self._add(3, *self._open(leaf))

    def _between(self, leaf: Between) -> None:
        low, high = self.constant(leaf.low), self.constant(leaf.high)
        above, below = (">" if leaf.low_open else ">="), ("<" if leaf.high_open else "<=")
        floor = [] if leaf.low == -inf and not leaf.low_open else [above, low]
        ceiling = [] if leaf.high == inf and not leaf.high_open else [below, high]

        def both(over: str, under: str) -> str:
            sides = [[over, *floor]] * bool(floor) + [[under, *ceiling]] * bool(ceiling)
            return " and ".join(map(" ".join, sides)) or "True"

        self._add(2, f"if {both('a', 'b')}:")
        self._add(3, *self._sure(leaf, met=True))
        if leaf.taper:
            lo, hi = self._known[leaf]
            self._add(2, "else:")
            self._add(3, f"{lo}, {hi} = taper(a, b, {low}, {high}, {self.constant(leaf.taper)})")
            self._add(3, *self._partly(leaf))
            return
        self._add(2, f"elif {both('b', 'a')}:")
        self._add(3, *self._open(leaf))
        self._add(2, "else:")
        self._add(3, *self._sure(leaf, met=False))

    def _within(self, leaf: Within) -> None:
        """Halves per half-life, nothing beyond so many seconds of age. What may lie after now is unknown."""
        lo, hi = self._known[leaf]
        seconds, half_life = self.constant(leaf.seconds), self.constant(leaf.half_life)
        self._add(2, "if b > now:")
        self._add(3, *self._open(leaf))
        self._add(2, "else:")
        for name, end in ((lo, "a"), (hi, "b")):
            credit = f"0.5 ** ((now - {end}) / {half_life})" if leaf.half_life else "1.0"
            self._add(3, f"{name} = {credit} if now - {end} < {seconds} else 0.0")
        self._add(3, *self._partly(leaf))

    def _place(self, condition: Condition) -> Place:
        """Where its credit is, written down if it was not."""
        if condition not in self._known:
            self._known[condition] = self._compound(condition)
            self._add(1, *self._partly(condition))
        return self._known[condition]

    def _compound(self, condition: Condition) -> Place:
        if isinstance(condition, Not):
            low, high = self._place(condition.part)
            lo, hi = self._fresh()
            self._add(1, f"{lo} = 1.0 - {high}", f"{hi} = 1.0 - {low}")
            return lo, hi
        assert isinstance(condition, All | Any)
        parts = [self._place(part) for part in condition.parts]
        if len(parts) == 1:
            return parts[0]
        lo, hi = self._fresh()
        than = "<" if isinstance(condition, All) else ">"
        (low, high), *more = parts
        self._add(1, f"{lo} = {low}", f"{hi} = {high}")
        for low, high in more:
            self._add(1, f"if {low} {than} {lo}: {lo} = {low}")
            self._add(1, f"if {high} {than} {hi}: {hi} = {high}")
        return lo, hi

    def _sure(self, leaf: Leaf, *, met: bool) -> list[str]:
        lo, hi = self._known[leaf]
        worth = self._worth.get(leaf, NOTHING)
        earned = [f"low += {self.constant(worth.weight)}"] if met and worth.weight else []
        return [f"{lo} = {hi} = {1.0 if met else 0.0}", *earned]

    def _open(self, leaf: Leaf) -> list[str]:
        lo, hi = self._known[leaf]
        return [f"{lo} = 0.0", f"{hi} = 1.0", *self._loose(self._worth.get(leaf, NOTHING))]

    def _loose(self, worth: Worth) -> list[str]:
        return [
            f"{total} += {self.constant(points)}"
            for total, points in (("loose", worth.weight), ("half", worth.open))
            if points
        ]

    def _partly(self, condition: Condition) -> list[str]:
        worth = self._worth.get(condition, NOTHING)
        if not worth.weight:
            return []
        lo, hi = self._known[condition]
        weight, share = self.constant(worth.weight), self.constant(worth.open)
        wide = [f"half += {share} * ({hi} - {lo})"] if worth.open else []
        return [f"low += {weight} * {lo}", f"loose += {weight} * ({hi} - {lo})", *wide]


def trapezoid(x: float, low: float, high: float, share: float) -> float:
    """Credit of one number: 1 inside [low, high], falling linearly to 0 over `share` of the nearer bound."""
    if low <= x <= high:
        return 1.0
    bound = low if x < low else high
    width = abs(bound) * share
    if width == 0.0 or abs(x) == inf:
        return 0.0
    return max(0.0, 1.0 - abs(x - bound) / width)


def taper(a: float, b: float, low: float, high: float, share: float) -> tuple[float, float]:
    """Least and greatest credit over [a, b]. The trapezoid has one top, so its least lies at an end."""
    at_a = trapezoid(a, low, high, share)
    if a == b:
        return at_a, at_a
    at_b = trapezoid(b, low, high, share)
    top = 1.0 if a <= high and b >= low else max(at_a, at_b)
    return min(at_a, at_b), top
