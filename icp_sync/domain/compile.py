"""A profile becomes one Python function: every question answered as a credit interval in a single pass.

This is the only evaluator shipped; the tests hold it against a plain tree walk. Answers for one condition:
low and high credit in [0, 1]; unknown is [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from icp_sync.domain.asked import Asking, asking_of
from icp_sync.domain.conditions import Condition, Within, leaves
from icp_sync.domain.facts import Facts
from icp_sync.domain.generated import NOTHING, Generated, Place, Worth
from icp_sync.domain.profile import Profile

Answers = tuple[float, ...]
"""Low and high credit of every compiled condition, flat and in order: low0, high0, low1, high1, …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A profile and its function. `answer(facts, now)` → (low, high, shown, covered, answers).

    low, high, shown: sums of weighted credit in 0–100 points. covered: points of weight that are known.
    answers: credit of, in order, score scope, route scope, criteria, timing, flags, routes.
    earned(facts, now): share of the timing weight earned alone, for looking ahead.
    withins: every question about an instant, each once. decays: whether credit of one of them halves.
    asking: what is asked, by its place in the answers.
    """

    profile: Profile
    weights: tuple[float, ...]  # points of each criterion, gates 0; they sum to 100
    answer: Callable[[Facts, float], tuple[float, float, float, float, Answers]]
    earned: Callable[[Facts, float], float]
    withins: tuple[Within, ...]
    decays: bool
    asking: Asking


def compile_profile(profile: Profile) -> Compiled:
    """Compile a profile; linear in its size, about a millisecond."""
    total = sum(c.weight for c in profile.criteria if not c.required)
    weights = tuple(0.0 if c.required or not total else 100.0 * c.weight / total for c in profile.criteria)
    asked = [profile.score_scope, profile.route_scope, *(c.when for c in profile.criteria)]
    asked += [t.when for t in profile.timing] + [f.when for f in profile.flags]
    asked += [r.when for r in profile.routes]
    questions = dict.fromkeys(leaf for c in asked if c is not None for leaf in leaves(c))
    withins = tuple(leaf for leaf in questions if isinstance(leaf, Within))
    return Compiled(
        profile=profile,
        weights=weights,
        answer=_answer_function(profile, weights, asked),
        earned=_earned_function(profile),
        withins=withins,
        decays=any(leaf.half_life for leaf in withins),
        asking=asking_of(profile, weights),
    )


def compile_conditions(asked: Sequence[Condition], currency: str) -> Callable[[Facts, float], Answers]:
    """One function of facts and now for the credits of several conditions."""
    writer = Generated(currency, asked)
    function: Callable[[Facts, float], Answers] = writer.function(_flat(writer.places))
    return function


def _answer_function(
    profile: Profile, weights: Sequence[float], asked: Sequence[Condition | None]
) -> Callable[[Facts, float], tuple[float, float, float, float, Answers]]:
    worth: dict[Condition, Worth] = {}
    for criterion, weight in zip(profile.criteria, weights, strict=True):
        was = worth.get(criterion.when, NOTHING)
        worth[criterion.when] = Worth(was.weight + weight, was.open + weight * criterion.unknown)
    writer = Generated(profile.currency, asked, worth)
    total = writer.constant(sum(weights))
    function: Callable[[Facts, float], tuple[float, float, float, float, Answers]] = writer.function(
        f"low, low + loose, low + half, {total} - loose, {_flat(writer.places)}"
    )
    return function


def _earned_function(profile: Profile) -> Callable[[Facts, float], float]:
    writer = Generated(profile.currency, [signal.when for signal in profile.timing])
    total = sum(t.weight for t in profile.timing)
    shares = [writer.constant(signal.weight / total) for signal in profile.timing]
    terms = [f"{share} * {low}" for share, (low, _) in zip(shares, writer.places, strict=True)]
    function: Callable[[Facts, float], float] = writer.function(" + ".join(terms) or "0.0")
    return function


def _flat(places: Sequence[Place]) -> str:
    return f"({''.join(f'{low},{high},' for low, high in places)})"
