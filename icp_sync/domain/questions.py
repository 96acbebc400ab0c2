"""Every question that tier, flags and routes ask about a fact, and which values answer all of them alike.

Pure; timing is no question here, it changes no tier, flag or route.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from icp_sync.domain.compile import Answers, Compiled, compile_conditions
from icp_sync.domain.conditions import AllOf, AnyOf, Between, Condition, Leaf, NoneOf, Present, Within, leaves
from icp_sync.domain.facts import Facts, FactValue, Members
from icp_sync.domain.populations import CUSTOMER, MARKS, PERSON
from icp_sync.domain.profile import Effect, Profile
from icp_sync.domain.roster import NO_TABLES, Tables
from icp_sync.domain.routing import for_customers

INPUTS = ("lifecycle", "account_type", "won_deals")
"""What the population is made of."""
KEPT = 5_000
"""Values of one fact whose answers are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One leaf, and the currency its money is in, "" where it asks about none."""

    leaf: Leaf
    currency: str = ""


def questions_of(
    compiled: Sequence[Compiled], tables: Tables = NO_TABLES
) -> Mapping[str, tuple[Question, ...]]:
    """Fact → every question that tier, flags or routes ask about it, those asked by name first."""
    outright = outright_questions(compiled, tables)
    beside = population_questions(compiled, frozenset(outright))
    return {
        fact: tuple(dict.fromkeys((*outright.get(fact, ()), *beside.get(fact, ()))))
        for fact in dict.fromkeys((*outright, *beside))
    }


def outright_questions(
    compiled: Sequence[Compiled], tables: Tables = NO_TABLES
) -> Mapping[str, tuple[Question, ...]]:
    """Fact → the questions asked about it by name, those that can take an account out first."""
    found: dict[str, dict[Question, None]] = {}

    def ask(condition: Condition, currency: str) -> None:
        for leaf in leaves(condition):
            money = isinstance(leaf, Between) and leaf.money
            found.setdefault(leaf.fact, {})[Question(leaf=leaf, currency=currency if money else "")] = None

    for one in compiled:
        for condition in _conditions(one.profile):
            ask(condition, one.profile.currency)
    routes = [route for one in compiled for route in one.profile.routes]
    for route in routes:
        if route.target.named_fact:
            ask(Present(fact=route.target.named_fact), "")
    named = {route.target.territory for route in routes}
    for name, table in tables.territories.items():
        for row in table.rows if name in named else ():
            for want in row.wants:
                ask(want, table.currency)
    return {fact: tuple(questions) for fact, questions in found.items()}


def _conditions(profile: Profile) -> Iterator[Condition]:
    yield from (s for s in (profile.score_scope, profile.route_scope) if s is not None)
    yield from (c.when for c in profile.criteria if c.required)
    yield from (f.when for f in profile.flags if f.effect is Effect.EXCLUDE)
    yield from (f.when for f in profile.flags if f.effect is not Effect.EXCLUDE)
    yield from (c.when for c in profile.criteria if not c.required)
    yield from (r.when for r in profile.routes if r.when is not None)


def population_questions(
    compiled: Sequence[Compiled], asked: frozenset[str]
) -> Mapping[str, tuple[Question, ...]]:
    """What is asked about the population and what it is made of, where it matters: profiles ask about it by
    name, leave people out, or have routes that are not for customers."""
    named = any(name.rpartition(".")[2] == "population" for name in asked)
    people = any(not one.profile.people for one in compiled)
    customers = any(not for_customers(route) for one in compiled for route in one.profile.routes)
    if not (named or people or customers):
        return {}
    marks = [frozenset((words[0],)) for words in MARKS.values()]
    return {
        "population": tuple(
            Question(leaf=AnyOf(fact="population", values=frozenset((one,)))) for one in (CUSTOMER, PERSON)
        ),
        **{
            fact: tuple(Question(leaf=AnyOf(fact=fact, values=mark)) for mark in marks)
            for fact in ("lifecycle", "account_type")
        },
        "won_deals": (
            Question(leaf=Between(fact="won_deals", low=1.0)),
            Question(leaf=Between(fact="won_deals", low=0.0, high=0.0)),
        ),
    }


def scope_facts(compiled: Sequence[Compiled]) -> frozenset[str]:
    """The facts that decide whether an account is scored at all."""
    profiles = [one.profile for one in compiled]
    asked = {leaf.fact for p in profiles if p.score_scope is not None for leaf in leaves(p.score_scope)}
    if any(not p.people for p in profiles) or any(name.endswith("population") for name in asked):
        asked |= {"population", *INPUTS}
    return frozenset(asked)


def named_by(leaf: Leaf) -> frozenset[str]:
    """The members a question names."""
    return leaf.values if isinstance(leaf, AnyOf | NoneOf | AllOf) else frozenset()


class Readings:
    """How values answer the questions about their facts. Values that answer all of a fact's alike have one
    number. emails: facts whose value is an email of somebody, which itself is the answer.
    """

    def __init__(self, questions: Mapping[str, tuple[Question, ...]], emails: frozenset[str]) -> None:
        self.names = tuple(questions)
        self.place = {name: at for at, name in enumerate(self.names)}
        self._emails = emails
        self._asked = {name: _functions(asked) for name, asked in questions.items()}
        self._timed = {
            name for name, asked in questions.items() if any(isinstance(q.leaf, Within) for q in asked)
        }
        self._seen: list[dict[FactValue | None, int]] = [{} for _ in self.names]
        self._numbers: list[dict[Hashable, int]] = [{} for _ in self.names]
        self._next = count()
        self._now = 0.0

    def look_from(self, now: float) -> None:
        """Read ages as of this instant on. Numbers are given once only: old ones mean what they meant."""
        if now != self._now:
            self._now = now
            for name in self._timed:
                self._seen[self.place[name]].clear()

    def number(self, at: int, value: FactValue | None) -> int:
        """The number of a value of the fact at this place of `names`."""
        seen = self._seen[at]
        found = seen.get(value)
        if found is None:
            if len(seen) > KEPT:
                seen.clear()
                self._numbers[at].clear()
            name = self.names[at]
            told = {} if value is None else {name: value}
            answers: Hashable = tuple(answer(told, self._now) for answer in self._asked[name])
            if name in self._emails:
                answers = (answers, email_in(value))
            numbers = self._numbers[at]
            found = numbers.get(answers)
            if found is None:
                found = numbers[answers] = next(self._next)
            seen[value] = found
        return found

    def all(self, facts: Facts) -> list[int]:
        """The numbers of all facts that are asked about, in order."""
        get = facts.get
        number = self.number
        return [
            found if (found := seen.get(value := get(name))) is not None else number(at, value)
            for at, (name, seen) in enumerate(zip(self.names, self._seen, strict=True))
        ]


def email_in(value: FactValue | None) -> str:
    """Whom a fact names, "" for nobody."""
    return min(value.known, default="") if isinstance(value, Members) else ""


def _functions(asked: Sequence[Question]) -> tuple[Callable[[Facts, float], Answers], ...]:
    currencies = dict.fromkeys(q.currency for q in asked)
    return tuple(compile_conditions([q.leaf for q in asked if q.currency == c], c) for c in currencies)
