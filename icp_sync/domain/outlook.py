"""What an account may still become, and which unknown facts decide it: the value of information.

Each fact that somebody could still tell is given the few values between which the profiles' questions
differ. A fact that changes tier, flags or route for no combination of the others is worth nothing, whatever
it costs. Pure; knows no source and no price.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

from icp_sync.domain.cells import cells_of
from icp_sync.domain.compile import Compiled
from icp_sync.domain.facts import CATALOGUE, LEVELS, Facts, FactType, FactValue, Members
from icp_sync.domain.goals import goal_of
from icp_sync.domain.looking import Cell, Look
from icp_sync.domain.outcomes import HOPELESS, Judge, Outcome, Outcomes, Setting
from icp_sync.domain.populations import population_of
from icp_sync.domain.questions import (
    INPUTS,
    KEPT,
    Readings,
    named_by,
    outright_questions,
    questions_of,
    scope_facts,
)
from icp_sync.domain.roster import NO_TABLES, Tables

REMEMBERED = 20_000
"""Outlooks kept: accounts whose questions stand alike share one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """tiers: those still possible. chances: fact → the share of what is possible in which it decides the
    tier, a flag or the route; a fact that is not named can decide nothing. alike: equal for accounts on which
    any news has the same effect.
    """

    tiers: tuple[str, ...] = ()
    chances: Mapping[str, float] = field(default_factory=dict)
    alike: object = None


SETTLED = Outlook()
"""Nothing that can still be learned matters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is decided of an account beside its facts.

    decided: the tier people put in place of ours, "" for none. previous: the profile shown before. alone:
    which of "parent" and "group" it has not, so that it answers for them with its own facts.
    """

    decided: str = ""
    previous: str = ""
    alone: frozenset[str] = frozenset()


NO_PAST = Past()


class Outlooks:
    """The outlook of accounts under one set of profiles; remembers the last ones.

    types: what kind each fact is of. Not for use by several threads at once.
    """

    def __init__(
        self,
        compiled: Sequence[Compiled],
        types: Mapping[str, FactType] = CATALOGUE,
        tables: Tables = NO_TABLES,
    ) -> None:
        self._compiled, self._types, self._tables = tuple(compiled), types, tables
        self._questions = questions_of(self._compiled, tables)
        self._scoping = scope_facts(self._compiled)
        self._outright = frozenset(outright_questions(self._compiled, tables))
        self._lists = [
            (p, r)
            for p, one in enumerate(self._compiled)
            for r, route in enumerate(one.profile.routes)
            if route.target.named and not route.target.named_fact
        ]
        targets = [route.target for one in self._compiled for route in one.profile.routes]
        self._readings = Readings(self._questions, frozenset(t.named_fact for t in targets))
        self._named: dict[str, frozenset[str]] = {
            fact: frozenset[str]().union(*(named_by(q.leaf) for q in asked))
            for fact, asked in self._questions.items()
        }
        named = {t.territory for t in targets} & tables.territories.keys()
        rows = [row for name in named for row in tables.territories[name].rows]
        self._eras = sorted({at for row in rows for at in (row.start, row.end) if isfinite(at)})
        self._known: OrderedDict[object, Outlook] = OrderedDict()
        self._outcomes = Outcomes(self._compiled, tables)
        self._cells: dict[object, tuple[Cell, ...]] = {}
        self._cells_at = 0.0

    @property
    def facts(self) -> frozenset[str]:
        """Every fact that tier, flags and routes ask about, by its full name."""
        return frozenset(self._questions)

    def asked(self, alone: frozenset[str] = frozenset()) -> frozenset[str]:
        """Every fact that is asked about, of an account that answers for these levels itself."""
        return frozenset(_own_name(name, alone) for name in self._questions)

    def outcome(
        self, facts: Facts, account_id: str, owned: bool, now: float, past: Past = NO_PAST
    ) -> Outcome:
        """What an account is as things stand; owned and past as in `of`."""
        whole = self._completed(self.stated(facts), past.alone)
        self._readings.look_from(now)
        judge = self._judge(account_id, facts, owned, now, past)
        return judge.of(self._readings.all(whole), lambda: whole)

    def stated(self, facts: Facts) -> Facts:
        """The facts less a population that was made of them: more of them may make another."""
        said = facts.get("population")
        if said is None or said != population_of(facts):
            return facts
        return {name: value for name, value in facts.items() if name != "population"}

    def values(self, fact: str, held: FactValue | None, now: float) -> tuple[FactValue, ...]:
        """What the fact may be besides what is known of it."""
        names = self._together(fact, frozenset(LEVELS))
        asked = tuple(question for name in names for question in self._questions.get(name, ()))
        cells = cells_of(asked, held, self._type(fact), whole=False, now=now)
        return tuple(value for value in cells[1:] if value is not None)

    def tells(self, fact: str, value: FactValue) -> bool:
        """Whether a value answers anything that is asked about its fact: a set does where it is whole, or
        holds a member that is named."""
        if not isinstance(value, Members) or value.complete:
            return True
        return any(value.known & named for name, named in self._named.items() if name.endswith(fact))

    def of(
        self,
        facts: Facts,
        fills: Mapping[str, bool],
        *,
        account_id: str,
        owned: bool,
        now: float,
        past: Past = NO_PAST,
    ) -> Outlook:
        """The outlook of one account.

        fills: fact that could still be learned → whether a set would be whole then. owned: no route can
        change its owner, so only lanes count.
        """
        stated = self.stated(facts)
        whole = self._completed(stated, past.alone)
        open_facts = self._open(whole, fills, past.alone)
        if not open_facts:
            return SETTLED
        self._readings.look_from(now)
        judge = self._judge(account_id, facts, owned, now, past)
        answers = self._readings.all(whole)
        held = tuple((fact, fills[fact], self._held(fact, facts.get(fact))) for fact in open_facts)
        key = (*answers, judge.number, held, past.alone, "population" in stated)
        if found := self._known.get(key):
            self._known.move_to_end(key)
            return found
        if judge.of(answers, lambda: whole) == HOPELESS:  # for certain: it can but leave the scope
            open_facts = [f for f in open_facts if self._scoping & {*self._together(f, past.alone)}]
            if not open_facts:
                return SETTLED
        cells = {
            fact: self._cells_of(fact, facts.get(fact), fills[fact], now, past.alone) for fact in open_facts
        }
        look = Look(
            judge=judge,
            facts=stated,
            answers=answers,
            cells={fact: values for fact, values in cells.items() if len(values) > 1},
            completed=lambda found: self._completed(found, past.alone),
            derived=() if cells.keys().isdisjoint(INPUTS) else self._derived(stated, past.alone),
            readings=self._readings,
        )
        chances = look.chances()
        found = self._known[key] = Outlook(tiers=look.tiers, chances=chances, alike=key)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return found

    def _open(self, facts: Facts, fills: Mapping[str, bool], alone: frozenset[str]) -> list[str]:
        """What is asked about and can be learned. Where the relationship is known, nothing that it is made of
        is missing."""
        said = facts.get("population")
        sure = isinstance(said, Members) and said.complete
        return sorted(
            fact
            for fact in fills
            if any(
                name in (self._outright if sure else self._questions) for name in self._together(fact, alone)
            )
        )

    def _together(self, fact: str, alone: frozenset[str]) -> tuple[str, ...]:
        """The fact and the names under which the account answers with it for those it has not above it."""
        return (fact, *(f"{level}.{fact}" for level in LEVELS if level in alone)) if alone else (fact,)

    def _completed(self, facts: Facts, alone: frozenset[str]) -> Facts:
        """The facts with those that follow: the population, and what an account answers for its family."""
        found = dict(facts)
        if "population" not in found and (population := population_of(found)) is not None:
            found["population"] = population
        for name in self._questions if alone else ():
            own = _own_name(name, alone)
            if own == name:
                continue
            if own in found:
                found[name] = found[own]
            else:
                found.pop(name, None)
        return found

    def _derived(self, stated: Facts, alone: frozenset[str]) -> tuple[int, ...]:
        """Places of the population, while it follows from other facts."""
        if "population" in stated:
            return ()
        places = self._readings.place
        return tuple(places[name] for name in self._together("population", alone) if name in places)

    def _held(self, fact: str, value: FactValue | None) -> FactValue | None:
        """What is known of a fact, as far as any question can tell it from something else."""
        if isinstance(value, Members):
            return Members(value.known & self._named.get(fact, value.known), value.complete)
        return value

    def _cells_of(
        self, fact: str, held: FactValue | None, whole: bool, now: float, alone: frozenset[str]
    ) -> tuple[Cell, ...]:
        """What a fact may turn out to be; what moves with it moves."""
        if now != self._cells_at or len(self._cells) > KEPT:
            self._cells_at = now
            self._cells.clear()
        key = (fact, held, whole, alone)
        if key not in self._cells:
            readings = self._readings
            names = [name for name in self._together(fact, alone) if name in readings.place]
            places = [readings.place[name] for name in names]

            def alike(value: FactValue | None) -> tuple[int, ...]:
                return tuple(readings.number(at, value) for at in places)

            asked = tuple(question for name in names for question in self._questions[name])
            values = cells_of(asked, held, self._type(fact), whole=whole, now=now, alike=alike)
            self._cells[key] = tuple(
                Cell(None if at == 0 else value, tuple(zip(places, alike(value), strict=True)))
                for at, value in enumerate(values)
            )
        return self._cells[key]

    def _judge(self, account_id: str, facts: Facts, owned: bool, now: float, past: Past) -> Judge:
        setting = Setting(
            owned=owned,
            passed=self._passed(account_id, facts, now),
            decided=past.decided,
            previous=past.previous if len(self._compiled) > 1 else "",
            era=bisect_right(self._eras, now),
        )
        return self._outcomes.under(setting, now)

    def _passed(self, account_id: str, facts: Facts, now: float) -> frozenset[tuple[int, int]]:
        """Routes to named lists that have nobody for this account, as (profile, route)."""
        return frozenset(
            (p, r)
            for p, r in self._lists
            if goal_of(
                account_id,
                self._compiled[p].profile.routes[r].target,
                self._compiled[p].profile,
                facts,
                self._tables,
                now,
            ).passes_on
        )

    def _type(self, fact: str) -> FactType | None:
        level, _, own = fact.partition(".")
        return self._types.get(own if level in LEVELS else fact)


def _own_name(name: str, alone: frozenset[str]) -> str:
    """The fact of its own with which an account answers."""
    level, _, own = name.partition(".")
    return own if level in alone else name
