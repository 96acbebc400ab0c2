"""What an account may still become, and which unknown facts decide it: the value of information.

Each fact that somebody could still tell is given the few values between which the profiles' questions
differ. A fact that changes tier, flags or route for no combination of the others is worth nothing, whatever
it costs. Pure; knows no source and no price.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from math import prod
from random import Random

from icp_sync.domain.assessment import Assessment, assess
from icp_sync.domain.cells import Question, cells_of, named_by, questions_of
from icp_sync.domain.compile import Compiled, compile_conditions
from icp_sync.domain.evaluation import NOT_ICP, judged
from icp_sync.domain.facts import CATALOGUE, LEVELS, Facts, FactType, FactValue, Members
from icp_sync.domain.goals import goal_of
from icp_sync.domain.populations import is_person
from icp_sync.domain.profile import Route
from icp_sync.domain.roster import NO_TABLES, Tables
from icp_sync.domain.routing import for_customers, is_customer

ALL_AT_ONCE = 300
"""Combinations that are all looked at; of more, `SAMPLED` are drawn."""
SAMPLED = 24
RARELY = 0.002
"""The chance given to a fact that decided none of the combinations drawn, and may decide another."""
OUTCOMES = 200_000
"""Outcomes kept before they are looked at anew."""
REMEMBERED = 20_000
"""Outlooks kept: accounts whose questions stand alike share one."""

Outcome = tuple[str, ...]
"""Tier, flags and route as they are compared. Not ICP is one outcome, whatever it is marked with."""


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
        self._questions: Mapping[str, tuple[Question, ...]] = questions_of(self._compiled, tables)
        self._credits = [
            compile_conditions([q.leaf for qs in self._questions.values() for q in qs if q.currency == c], c)
            for c in sorted({q.currency for qs in self._questions.values() for q in qs})
        ]
        self._named: dict[str, frozenset[str]] = {
            fact: frozenset[str]().union(*(named_by(q.leaf) for q in asked))
            for fact, asked in self._questions.items()
        }
        self._known: OrderedDict[object, Outlook] = OrderedDict()
        self._outcomes: dict[object, Outcome] = {}

    @property
    def facts(self) -> frozenset[str]:
        """Every fact that tier, flags and routes ask about, by its full name."""
        return frozenset(self._questions)

    def outcome(self, facts: Facts, account_id: str, owned: bool, now: float) -> Outcome:
        """What an account is as things stand; owned as in `of`."""
        return self._judge(owned, self._passed(account_id, facts, now), now).of(facts)

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
    ) -> Outlook:
        """The outlook of one account.

        fills: fact that could still be learned → whether a set would be whole then. owned: no route can
        change its owner, so only lanes count.
        """
        open_facts = sorted(fact for fact in fills if fact in self._questions)
        if not open_facts:
            return SETTLED
        passed = self._passed(account_id, facts, now)
        credits = tuple(answer(facts, now) for answer in self._credits)
        held = tuple((fact, fills[fact], self._held(fact, facts.get(fact))) for fact in open_facts)
        key = (credits, held, owned, passed, is_customer(facts), is_person(facts))
        if found := self._known.get(key):
            self._known.move_to_end(key)
            return found
        found = self._looked(facts, {f: fills[f] for f in open_facts}, owned, passed, now)
        found = self._known[key] = replace(found, alike=key)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return found

    def _held(self, fact: str, value: FactValue | None) -> FactValue | None:
        """What is known of a fact, as far as any question can tell it from something else."""
        if isinstance(value, Members):
            return Members(value.known & self._named[fact], value.complete)
        return value

    def _passed(self, account_id: str, facts: Facts, now: float) -> frozenset[tuple[int, int]]:
        """Routes to named lists that have nobody for this account, as (profile, route)."""
        return frozenset(
            (p, r)
            for p, compiled in enumerate(self._compiled)
            for r, route in enumerate(compiled.profile.routes)
            if (route.target.named or route.target.named_fact)
            and goal_of(account_id, route.target, compiled.profile, facts, self._tables, now).passes_on
        )

    def _looked(
        self,
        facts: Facts,
        fills: Mapping[str, bool],
        owned: bool,
        passed: frozenset[tuple[int, int]],
        now: float,
    ) -> Outlook:
        cells = {
            fact: cells_of(
                self._questions[fact],
                facts.get(fact),
                self._type(fact),
                whole=whole,
                now=now,
            )
            for fact, whole in fills.items()
        }
        cells = {fact: values for fact, values in cells.items() if len(values) > 1}
        look = _Look(self._judge(owned, passed, now), facts, cells)
        return look.everything() if look.combinations <= ALL_AT_ONCE else look.sampled()

    def _judge(self, owned: bool, passed: frozenset[tuple[int, int]], now: float) -> _Judge:
        if len(self._outcomes) > OUTCOMES:
            self._outcomes.clear()
        return _Judge(self._compiled, self._tables, self._outcomes, owned, passed, now)

    def _type(self, fact: str) -> FactType | None:
        level, _, own = fact.partition(".")
        return self._types.get(own if level in LEVELS else fact)


@dataclass(slots=True)
class _Look:
    """One account's possible facts, and what comes of them."""

    judge: _Judge
    facts: Facts
    cells: Mapping[str, tuple[FactValue | None, ...]]

    @property
    def combinations(self) -> int:
        return prod(len(values) for values in self.cells.values())

    def everything(self) -> Outlook:
        """Every combination: of the others' values, in which share does each fact decide?"""
        names = list(self.cells)
        sizes = [len(self.cells[name]) for name in names]
        outcomes = [self._outcome(values) for values in product(*self.cells.values())]
        chances = {}
        step = len(outcomes)
        for name, size in zip(names, sizes, strict=True):
            block, step = step, step // size
            groups = [
                outcomes[start + offset : start + block : step]
                for start in range(0, len(outcomes), block)
                for offset in range(step)
            ]
            decided = sum(any(one != group[0] for one in group) for group in groups)
            if decided:
                chances[name] = decided / len(groups)
        return _outlook(outcomes, chances)

    def sampled(self) -> Outlook:
        """Combinations drawn alike each time; a fact that decided none of them keeps a small chance."""
        draw = Random(1)  # noqa: S311  the same combinations each time
        names, values = list(self.cells), list(self.cells.values())
        decided = dict.fromkeys(names, 0)
        outcomes: list[Outcome] = []
        for _ in range(SAMPLED):
            others = [draw.choice(cell) for cell in values]
            for at, name in enumerate(names):
                varied = [self._outcome([*others[:at], value, *others[at + 1 :]]) for value in values[at]]
                outcomes += varied
                decided[name] += any(one != varied[0] for one in varied)
        return _outlook(outcomes, {name: max(n / SAMPLED, RARELY) for name, n in decided.items()})

    def _outcome(self, values: Iterable[FactValue | None]) -> Outcome:
        told = zip(self.cells, values, strict=True)
        return self.judge.of({**self.facts, **{name: value for name, value in told if value is not None}})


@dataclass(slots=True)
class _Judge:
    """What comes of facts. Whose questions are answered alike come to the same, which is remembered."""

    compiled: tuple[Compiled, ...]
    tables: Tables
    known: dict[object, Outcome]
    owned: bool
    passed: frozenset[tuple[int, int]]
    now: float

    def of(self, facts: Facts) -> Outcome:
        person, customer = is_person(facts), is_customer(facts)
        answers = tuple(c.answer(facts, self.now) for c in self.compiled)
        key = (answers, person, customer, self.owned, self.passed, self._whereabouts(facts))
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self._judged(facts, person)
        return found

    def _whereabouts(self, facts: Facts) -> tuple[FactValue | None, ...]:
        """What territory tables look at."""
        return tuple(facts.get(fact) for table in self.tables.territories.values() for fact in table.facts)

    def _judged(self, facts: Facts, person: bool) -> Outcome:
        everyone = [assess(c, facts, self.now) for c in self.compiled]
        applying = [a for a in everyone if a.applies and (a.profile.people or not person)]
        if not applying:
            return ("out of scope",)
        shown, tier, firm = judged(applying)
        if tier == NOT_ICP:
            return (NOT_ICP,)
        flags = ", ".join(flag.name for flag in shown.flags_true)
        return (tier, flags, *self._route(shown, tier, firm, facts))

    def _route(self, shown: Assessment, tier: str, firm: bool, facts: Facts) -> Outcome:
        """The route that decides, as `routing` finds it, and what its table says."""
        place = next(i for i, c in enumerate(self.compiled) if c is shown.compiled)
        customer = is_customer(facts)
        may_route = shown.answers[2] == 1.0
        for index, route in enumerate(shown.profile.routes):
            if shown.route(index)[0] != 1.0 or tier not in (route.tiers or ("A", "B", "C", "D")):
                continue
            if (customer and not for_customers(route)) or (place, index) in self.passed:
                continue
            if route.target.somebody and not firm and not route.even_if_provisional:
                if tier in ("A", "B"):
                    return ("provisional",)
                continue
            if self.owned and not route.even_if_owned:
                return (route.target.lane,)
            return (str(index), *(self._territory(route, facts) if may_route else ("nobody",)))
        return ("default", "" if firm else "provisional")

    def _territory(self, route: Route, facts: Facts) -> Outcome:
        table = self.tables.territories.get(route.target.territory)
        if table is None:
            return ()
        match = table.match(facts, self.now)
        return ("undecided",) if match.undecided else tuple(sorted(row.territory for row in match.rows))


def _outlook(outcomes: Iterable[Outcome], chances: Mapping[str, float]) -> Outlook:
    return Outlook(tiers=tuple(sorted({one[0] for one in outcomes})), chances=chances)
