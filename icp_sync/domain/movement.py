"""Which tier an account has under two versions of a profile set, and which amendment moves it.

Every amendment is tried alone, on the earlier profiles and taken back from the later ones, so the answer
is what decides and not merely what gave other points. Pure; knows no files and no journal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from icp_sync.domain.account import Previous
from icp_sync.domain.amendments import Amendment, amendments
from icp_sync.domain.compile import Compiled, compile_conditions, compile_profile
from icp_sync.domain.conditions import Condition, facts_of
from icp_sync.domain.evaluation import Evaluation, evaluate
from icp_sync.domain.facts import Facts
from icp_sync.domain.populations import TELLING, is_person
from icp_sync.domain.profile import Profile

OUT_OF_SCOPE = "out of scope"
CACHED = 20_000
"""Pairs of answers whose moves, and whose causes, are kept: accounts alike in every answer and in what is
remembered move alike, and for the same cause."""


class How(StrEnum):
    """How the amendments named move the account."""

    ALONE = "alone"  # it moves the account, and without it the account stays
    ANY = "any"  # each of them would do
    TOGETHER = "together"  # only all of them
    PARTLY = "partly"  # the largest contributions; no single one decides
    CALM = "calm"  # no amendment: the tier was still held back by hysteresis


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why an account moved: amendments, the weightiest first; none only with CALM and PARTLY."""

    how: How
    by: tuple[Amendment, ...] = ()

    @property
    def name(self) -> str:
        """The amendment it is counted under."""
        if self.by:
            return self.by[0].name
        return "a move held back until now" if self.how is How.CALM else "all changes together"

    def __str__(self) -> str:
        if not self.by:
            return self.name
        link = {How.ANY: "; or: ", How.TOGETHER: "; with: "}.get(self.how, "; also: ")
        return link.join(map(str, self.by))


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """An account's tier or state on both sides; "out of scope" is not scored. cause: None when it stays."""

    before: str
    after: str
    cause: Cause | None = None


class Comparison:
    """Two profile sets, each at least one profile, compiled for comparing many accounts."""

    def __init__(self, before: Sequence[Profile], after: Sequence[Profile]) -> None:
        self._before, self._after = tuple(before), tuple(after)
        self.amendments = amendments(before, after)
        self._old, self._new = _compiled(before), _compiled(after)
        self.asked = _facts(*self._before, *self._after)
        """The facts that decide a tier on either side."""
        self._credits = _asking(*self._before, *self._after)
        self._causes: dict[object, Cause] = {}
        self._moves: dict[object, Move] = {}
        self._differ = self._before != self._after
        self._converts = any(a.kind == "currency" for a in self.amendments)

    def move(self, facts: Facts, now: float, *, previous: Previous | None = None, version: int = 0) -> Move:
        """Evaluate on both sides. previous, version: what is remembered under the earlier profiles, if
        they are active as that version; the later ones, where they differ, are judged as the next version.
        """
        told = previous and (
            previous.raw_tier,
            previous.profile,
            previous.profile_version,
            previous.pending_tier,
            previous.pending_since,
        )
        key = (self._credits(facts, now), is_person(facts), told, version, now)
        if (move := self._moves.get(key)) is None:
            move = self._move(facts, now, previous, version)
            if len(self._moves) < CACHED and not self._converts:
                self._moves[key] = move
        return move

    def _move(self, facts: Facts, now: float, previous: Previous | None, version: int) -> Move:
        before = evaluate(self._old, facts, previous, now, version=version)
        after = evaluate(self._new, facts, previous, now, version=version + self._differ)
        here, there = standing(before), standing(after)
        return Move(before=here, after=there, cause=None if here == there else self._cause(facts, now))

    def _cause(self, facts: Facts, now: float) -> Cause:
        before = evaluate(self._old, facts, None, now)
        after = evaluate(self._new, facts, None, now)
        key = (standing(before), standing(after), is_person(facts), self._credits(facts, now))
        if (cause := self._causes.get(key)) is None:
            cause = self._found(facts, now, before, after)
            if len(self._causes) < CACHED and not self._converts:
                self._causes[key] = cause
        return cause

    def _found(self, facts: Facts, now: float, before: Evaluation, after: Evaluation) -> Cause:
        here, there = standing(before), standing(after)
        if here == there:
            return Cause(how=How.CALM)
        tried = []
        for amendment, (added, removed) in zip(self.amendments, self._trials, strict=True):
            added_to = evaluate(added, facts, None, now) if added else None
            without = evaluate(removed, facts, None, now) if removed else None
            tried.append(_Tried(amendment, added_to, without, before, after))
        tried.sort(key=lambda t: -t.points)
        both = [t for t in tried if t.suffices(there) and t.needed(here)]
        for how, those in (
            (How.ALONE, both),
            (How.ANY, [t for t in tried if t.suffices(there)]),
            (How.TOGETHER, [t for t in tried if t.needed(here)]),
        ):
            if those:
                named = those[:1] if how is How.ALONE else those
                return Cause(how=how, by=tuple(t.amendment for t in named))
        moving = [t for t in tried if t.moves][:3]
        return Cause(how=How.PARTLY, by=tuple(t.amendment for t in moving))

    @cached_property
    def _trials(self) -> list[tuple[list[Compiled], list[Compiled]]]:
        """For each amendment: the earlier profiles with it, the later ones without it."""
        return [
            (
                _compiled(amendment.applied(self._before)),
                _compiled(amendment.reverted(self._after)),
            )
            for amendment in self.amendments
        ]


def _compiled(profiles: Sequence[Profile]) -> list[Compiled]:
    """Without what decides no tier: timing, routes and who may be routed."""
    return [compile_profile(replace(p, timing=(), routes=(), route_scope=None)) for p in profiles]


def _deciding(profiles: Sequence[Profile]) -> list[Condition]:
    """Every question that decides a tier of these, once."""
    asked = [one.when for p in profiles for one in p.criteria]
    asked += [one.when for p in profiles for one in p.flags]
    asked += [p.score_scope for p in profiles if p.score_scope is not None]
    return list(dict.fromkeys(asked))


def _asking(*profiles: Profile) -> Callable[[Facts, float], object]:
    """All their answers, each question asked once however many profiles ask it."""
    by_currency = {p.currency: [q for q in profiles if q.currency == p.currency] for p in profiles}
    functions = [compile_conditions(_deciding(some), currency) for currency, some in by_currency.items()]
    if len(functions) == 1:
        return functions[0]
    return lambda facts, now: tuple(function(facts, now) for function in functions)


def _facts(*profiles: Profile) -> frozenset[str]:
    """What the tiers of these ask, and what tells a company from a person; of a fact of those above, the
    account's own as well, which stands for it where there is nobody above."""
    named = {fact for condition in _deciding(profiles) for fact in facts_of(condition)}
    return frozenset(named | {fact.partition(".")[2] or fact for fact in named} | TELLING)


class _Tried:
    """What one amendment does to one account, alone (`added`) and taken away (`without`).

    A side is None where trying would leave no profile at all.
    """

    __slots__ = ("_end", "_start", "added", "amendment", "points", "without")

    def __init__(
        self,
        amendment: Amendment,
        added: Evaluation | None,
        without: Evaluation | None,
        before: Evaluation,
        after: Evaluation,
    ) -> None:
        self.amendment, self.added, self.without = amendment, added, without
        self._start, self._end = standing(before), standing(after)
        gained = abs(added.score - before.score) if added else 0
        lost = abs(after.score - without.score) if without else 0
        self.points = max(gained, lost)

    def suffices(self, there: str) -> bool:
        return self.added is not None and standing(self.added) == there

    def needed(self, here: str) -> bool:
        return self.without is not None and standing(self.without) == here

    @property
    def moves(self) -> bool:
        """Whether it changes anything about the account at all."""
        return bool(
            self.points
            or (self.added is not None and standing(self.added) != self._start)
            or (self.without is not None and standing(self.without) != self._end)
        )


def standing(evaluation: Evaluation) -> str:
    """The tier or state, or that the account is out of every profile's scope."""
    return evaluation.tier if evaluation.in_scope else OUT_OF_SCOPE
