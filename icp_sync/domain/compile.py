"""A profile becomes one Python function: every question answered as a credit interval in a single pass.

This is the only evaluator shipped; the tests hold it against a plain tree walk. Values of the profile are
never pasted into the source: the generated text names constants that are handed in, so a profile cannot
carry code. Answers for one condition: low and high credit in [0, 1]; unknown is [0, 1].
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

from icp_sync.domain.conditions import (
    All,
    AllOf,
    Any,
    AnyOf,
    Between,
    Condition,
    NoneOf,
    Not,
    Present,
    Within,
    leaves,
)
from icp_sync.domain.currency import convert
from icp_sync.domain.facts import Facts
from icp_sync.domain.profile import Profile

Answers = tuple[float, ...]
"""Low and high credit of every compiled condition, flat and in order: low0, high0, low1, high1, …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A profile and its function. `answer(facts, now)` → (low, high, shown, covered, answers).

    low, high, shown: sums of weighted credit in 0–100 points. covered: points of weight that are known.
    answers: credit of, in order, score scope, route scope, criteria, timing, flags, routes.
    earned(facts, now): share of the timing weight earned alone, for looking ahead.
    withins: every question about an instant, each once.
    """

    profile: Profile
    weights: tuple[float, ...]  # points of each criterion, gates 0; they sum to 100
    answer: Callable[[Facts, float], tuple[float, float, float, float, Answers]]
    earned: Callable[[Facts, float], float]
    withins: tuple[Within, ...]


def compile_profile(profile: Profile) -> Compiled:
    """Compile a profile; linear in its size, about a millisecond."""
    total = sum(c.weight for c in profile.criteria if not c.required)
    weights = tuple(0.0 if c.required or not total else 100.0 * c.weight / total for c in profile.criteria)
    asked = [profile.score_scope, profile.route_scope, *(c.when for c in profile.criteria)]
    asked += [t.when for t in profile.timing] + [f.when for f in profile.flags]
    asked += [r.when for r in profile.routes]
    return Compiled(
        profile=profile,
        weights=weights,
        answer=_answer_function(profile, weights, asked),
        earned=_earned_function(profile),
        withins=tuple(
            dict.fromkeys(
                leaf for c in asked if c is not None for leaf in leaves(c) if isinstance(leaf, Within)
            )
        ),
    )


def compile_conditions(asked: Sequence[Condition], currency: str) -> Callable[[Facts, float], Answers]:
    """One function of facts and now for the credits of several conditions."""
    writer = _Writer(currency)
    places = [writer.condition(c) for c in asked]
    function: Callable[[Facts, float], Answers] = writer.function(
        f"({''.join(f'{lo},{hi},' for lo, hi in places)})"
    )
    return function


def _answer_function(
    profile: Profile, weights: Sequence[float], asked: Sequence[Condition | None]
) -> Callable[[Facts, float], tuple[float, float, float, float, Answers]]:
    writer = _Writer(profile.currency)
    places = [writer.condition(c) if c is not None else ("1.0", "1.0") for c in asked]
    low, high, shown, covered = [], [], [], []
    for (lo, hi), criterion, weight in zip(places[2:], profile.criteria, weights, strict=False):
        if not weight:
            continue
        w, u = writer.constant(weight), writer.constant(criterion.unknown)
        low.append(f"{w}*{lo}")
        high.append(f"{w}*{hi}")
        shown.append(f"{w}*({lo}+{u}*({hi}-{lo}))")
        covered.append(f"{w}*(1.0-{hi}+{lo})")
    sums = ", ".join(" + ".join(terms) or "0.0" for terms in (low, high, shown, covered))
    function: Callable[[Facts, float], tuple[float, float, float, float, Answers]] = writer.function(
        f"{sums}, ({''.join(f'{lo},{hi},' for lo, hi in places)})"
    )
    return function


def _earned_function(profile: Profile) -> Callable[[Facts, float], float]:
    writer = _Writer(profile.currency)
    total = sum(t.weight for t in profile.timing)
    terms = [f"{writer.constant(t.weight / total)}*{writer.condition(t.when)[0]}" for t in profile.timing]
    function: Callable[[Facts, float], float] = writer.function(" + ".join(terms) or "0.0")
    return function


class _Writer:
    """Collects statements that leave each condition's credit in two local names."""

    def __init__(self, currency: str) -> None:
        self.currency = currency
        self.lines: list[str] = []
        self.constants: dict[str, object] = {"taper": taper, "age": age, "convert": convert}
        self._names = 0

    def function(self, result: str) -> typing.Any:
        """The function of `facts` and `now` that runs the statements and returns an expression."""
        source = "\n".join(["def answer(facts, now):", " get = facts.get", *self.lines, f" return {result}"])
        space = dict(self.constants)
        exec(compile(source, "<profile>", "exec"), space)  # noqa: S102 (names and constants only, see above)
        return space["answer"]

    def constant(self, value: object) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def condition(self, condition: Condition) -> tuple[str, str]:
        if isinstance(condition, Not):
            low, high = self.condition(condition.part)
            return self._assign(f"1.0-{high}", f"1.0-{low}")
        if isinstance(condition, All | Any):
            parts = [self.condition(part) for part in condition.parts]
            if len(parts) == 1:
                return parts[0]
            pick = "min" if isinstance(condition, All) else "max"
            lows, highs = (", ".join(names) for names in zip(*parts, strict=True))
            return self._assign(f"{pick}({lows})", f"{pick}({highs})")
        return self._leaf(condition)

    def _fresh(self) -> tuple[str, str]:
        self._names += 1
        return f"l{self._names}", f"h{self._names}"

    def _assign(self, low: str, high: str) -> tuple[str, str]:
        lo, hi = self._fresh()
        self.lines.append(f" {lo} = {low}; {hi} = {high}")
        return lo, hi

    def _leaf(self, leaf: Between | AnyOf | NoneOf | AllOf | Within | Present) -> tuple[str, str]:
        lo, hi = self._fresh()
        add = self.lines.append
        add(f" v = get({self.constant(leaf.fact)})")
        if isinstance(leaf, Present):
            add(f" {lo} = {hi} = 1.0 if (v is not None) is {leaf.known} else 0.0")
            return lo, hi
        add(f" if v is None: {lo} = 0.0; {hi} = 1.0")
        add(" else:")
        if isinstance(leaf, Between):
            self._between(leaf, lo, hi)
        elif isinstance(leaf, Within):
            add(f"  {lo}, {hi} = age(v, now, {self.constant(leaf.seconds)}, {self.constant(leaf.half_life)})")
        else:
            values = self.constant(leaf.values)
            hit = f"{values} <= v[0]" if isinstance(leaf, AllOf) else f"not {values}.isdisjoint(v[0])"
            met, unmet = ("0.0", "1.0") if isinstance(leaf, NoneOf) else ("1.0", "0.0")
            add(f"  if {hit}: {lo} = {hi} = {met}")
            add(f"  elif v[1]: {lo} = {hi} = {unmet}")
            add(f"  else: {lo} = 0.0; {hi} = 1.0")
        return lo, hi

    def _between(self, leaf: Between, lo: str, hi: str) -> None:
        add = self.lines.append
        if leaf.money:
            currency = self.constant(self.currency)
            add(f"  if v[2] != {currency}: v = convert(v, {currency})")
        low, high = self.constant(leaf.low), self.constant(leaf.high)
        above, below = (">" if leaf.low_open else ">="), ("<" if leaf.high_open else "<=")
        add("  a = v[0]; b = v[1]")
        add(f"  if a {above} {low} and b {below} {high}: {lo} = {hi} = 1.0")
        if leaf.taper:
            add(f"  else: {lo}, {hi} = taper(a, b, {low}, {high}, {self.constant(leaf.taper)})")
        else:
            add(f"  elif b {above} {low} and a {below} {high}: {lo} = 0.0; {hi} = 1.0")
            add(f"  else: {lo} = {hi} = 0.0")


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
    at_a, at_b = trapezoid(a, low, high, share), trapezoid(b, low, high, share)
    top = 1.0 if a <= high and b >= low else max(at_a, at_b)
    return min(at_a, at_b), top


def age(instants: tuple[float, float], now: float, seconds: float, half_life: float) -> tuple[float, float]:
    """Credit of an instant somewhere in `instants`: halves per half-life, nothing beyond `seconds` of age.

    Anything that may lie after now is unknown.
    """
    first, last = instants
    if last > now:
        return 0.0, 1.0
    return _freshness(now - first, seconds, half_life), _freshness(now - last, seconds, half_life)


def _freshness(old: float, seconds: float, half_life: float) -> float:
    if old >= seconds:
        return 0.0
    return float(0.5 ** (old / half_life)) if half_life else 1.0
