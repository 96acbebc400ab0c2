"""A profile as the clauses of a filter: in scope, no gate certainly unmet, no exclude flag certainly true.

Unknown counts as possible, exactly as `domain.assessment` fails a profile only on what is certain. Scores,
weights and timing have no part in it. Knows nothing of properties: a clause asks about facts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from icp_sync.domain.conditions import All, Any, AnyOf, Condition, Leaf, Not
from icp_sync.domain.filtering import Formula, either, every
from icp_sync.domain.populations import PERSON
from icp_sync.domain.profile import Effect, Profile
from icp_sync.domain.words import clause as words_of


class Role(StrEnum):
    SCOPE = "scope"
    PEOPLE = "people"  # person accounts, out of every scope that does not name them
    GATE = "gate"
    FLAG = "flag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One condition an account must possibly meet (`wanted`), or must not certainly meet."""

    profile: str
    role: Role
    name: str
    when: Condition
    wanted: bool

    @property
    def label(self) -> str:
        return f"{self.role} {self.name}" if self.role in (Role.GATE, Role.FLAG) else self.name

    @property
    def sentence(self) -> str:
        """The clause in English."""
        if self.role is Role.PEOPLE:
            return "No person accounts."
        said = words_of(self.when)
        if self.role is Role.SCOPE:
            return f"In scope: {said}, or this is not known."
        if self.role is Role.GATE:
            return f"Must have, {self.name}: {said}, or this is not known."
        return f"Not, {self.name}: {said}. Who is not certainly so stays."


def clauses_of(profile: Profile) -> tuple[Clause, ...]:
    """The clauses of one profile, all of which must hold: scope, gates, then exclude flags."""
    found: list[tuple[Role, str, Condition, bool]] = []
    if profile.score_scope is not None:
        found.append((Role.SCOPE, "scope", profile.score_scope, True))
    if not profile.people:
        people = AnyOf(fact="population", values=frozenset({PERSON}))
        found.append((Role.PEOPLE, "person accounts", people, False))
    found += [(Role.GATE, c.name, c.when, True) for c in profile.criteria if c.required]
    found += [(Role.FLAG, f.name, f.when, False) for f in profile.flags if f.effect is Effect.EXCLUDE]
    return tuple(
        Clause(profile=profile.name, role=role, name=name, when=when, wanted=wanted)
        for role, name, when, wanted in found
    )


def may(condition: Condition, wanted: bool, leaf: Callable[[Leaf, bool], Formula]) -> Formula:
    """The accounts for which the condition is not certainly false (`wanted`), or not certainly true.

    leaf: the same for one question about one fact. Credits are intervals, so `all` is possible when all
    parts are, and not certain when one part is not; `any` the other way round.
    """
    if isinstance(condition, Not):
        return may(condition.part, not wanted, leaf)
    if isinstance(condition, All | Any):
        parts = (may(part, wanted, leaf) for part in condition.parts)
        return every(parts) if isinstance(condition, All) is wanted else either(parts)
    return leaf(condition, wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Omission:
    """A clause the filter does not carry in full, and why: more accounts pass than should."""

    profile: str
    clause: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A clause as a formula over properties. reasons: why it lets more through than the clause does.

    assumed: what was taken for granted of the CRM's values. notes: what is worth saying besides.
    """

    clause: Clause
    formula: Formula
    reasons: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def omission(self, reason: str) -> Omission:
        return Omission(profile=self.clause.profile, clause=self.clause.label, reason=reason)


Statement = tuple[Stated, ...]
"""The clauses of one profile, all of which must hold."""


def omissions(statements: Sequence[Statement]) -> tuple[Omission, ...]:
    """What is left out before any target's limits, each once."""
    found = (one.omission(reason) for statement in statements for one in statement for reason in one.reasons)
    return tuple(dict.fromkeys(found))


def assumptions(statements: Sequence[Statement]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(a for statement in statements for one in statement for a in one.assumed))


def notes(statements: Sequence[Statement]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(n for statement in statements for one in statement for n in one.notes))


def whole(statements: Sequence[Statement]) -> Formula:
    """The union over the profiles of all their clauses."""
    return either(every(one.formula for one in statement) for statement in statements)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A filter as one target has it.

    text: what is sent or pasted. filters: how many single tests it holds. everybody, nobody: whether it
    lets every account through, or none.
    """

    text: str
    filters: int
    omitted: tuple[Omission, ...] = ()
    everybody: bool = False
    nobody: bool = False
