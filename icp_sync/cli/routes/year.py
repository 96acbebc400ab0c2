"""A year of arrivals, drawn from accounts that are known and decided by the same function as real ones.

Independent of what `decide` says of itself, it watches whether somebody away or at their cap is chosen, and
what each person's weight earns them. Everything is a function of its arguments, so a seed repeats a year.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from math import inf
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from icp_sync.domain.choosing import Team
from icp_sync.domain.goals import Goal, goal_of
from icp_sync.domain.profile import DAY
from icp_sync.domain.routing import Decision, Held, decide, replay

if TYPE_CHECKING:
    from icp_sync.domain.evaluation import Evaluation
    from icp_sync.domain.facts import Facts


class Sample(NamedTuple):
    """An account as it is today, to draw arrivals from."""

    evaluation: Evaluation
    facts: Facts


@dataclass(slots=True, kw_only=True)
class Rep:
    """One person's year. due: accounts their weight earned them among those who could have each.

    level: the load they would have if every account had been divided so; due is what they gained.
    cap: the most they may hold, 0 for no limit.
    """

    email: str
    began: int
    load: int
    level: float
    highest: int
    cap: int = 0
    assigned: int = 0
    due: float = 0.0
    days_away: float = 0.0
    while_away: int = 0
    over_cap: int = 0


@dataclass(slots=True, kw_only=True)
class Year:
    """What became of the arrivals. unrouted: why → how many. replayed: decisions equal to their replay."""

    arrivals: int = 0
    assigned: int = 0
    closed: int = 0
    replayed: int = 0
    unrouted: Counter[str] = field(default_factory=Counter)
    reps: dict[str, Rep] = field(default_factory=dict)

    @property
    def apart(self) -> float:
        """The most accounts by which anybody differs from what the weights say."""
        return max((abs(rep.assigned - rep.due) for rep in self.reps.values()), default=0.0)

    @property
    def widest(self) -> float:
        """The same in percent of all assigned accounts."""
        return 100 * self.apart / (self.assigned or 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is simulated. leaving: the share of assigned accounts that close again before the end."""

    arrivals: int
    days: float
    seed: int
    start: float
    leaving: float = 0.0


def simulate(samples: Sequence[Sample], plan: Plan, team: Team) -> Year:
    """Decide every arrival in order of time; each assignment counts as load for the next."""
    random = Random(plan.seed)  # noqa: S311 (draws accounts, guards nothing)
    end = plan.start + plan.days * DAY
    instants = sorted(random.uniform(plan.start, end) for _ in range(plan.arrivals))
    world = _World(team, plan.start, end)
    closing: list[tuple[float, int, str]] = []
    for number, at in enumerate(instants):
        while closing and closing[0][0] <= at:
            world.close(heappop(closing)[2])
        sample = samples[random.randrange(len(samples))]
        leaves, after = random.random() < plan.leaving, random.uniform(at, end)
        owner = world.arrive(f"arrival {plan.seed}.{number}", sample, at)
        if owner and leaves:
            heappush(closing, (after, number, owner))
    return world.year


class _World:
    """The team as the year goes by."""

    def __init__(self, team: Team, start: float, end: float) -> None:
        self.year = Year()
        self._loads = dict(team.loads)
        self._team = replace(team, loads=self._loads)
        self._start, self._end = start, end

    def arrive(self, account_id: str, sample: Sample, at: float) -> str:
        """Decide one account; returns its owner, "" for nobody."""
        evaluation, facts = sample
        decision = decide(account_id, evaluation, facts, held=Held(), team=self._team, now=at)
        self.year.arrivals += 1
        self.year.replayed += replay(decision) == decision.owner
        goal = self._goal(decision, sample, at)
        people = [self._rep(m.email) for m in goal.members if m.email not in goal.outside] if goal else []
        if not decision.owner:
            self.year.unrouted[_why(decision, goal)] += 1
            return ""
        self._divide([r for r in people if self._able(r, at)], goal)
        self._assign(self._rep(decision.owner), at)
        return decision.owner

    def close(self, owner: str) -> None:
        rep = self.year.reps[owner]
        self.year.closed += 1
        self._loads[owner] -= 1
        rep.load -= 1
        rep.level -= 1

    def _goal(self, decision: Decision, sample: Sample, at: float) -> Goal | None:
        if not decision.rule:
            return None
        profile = sample.evaluation.shown.profile
        target = profile.routes[decision.rule - 1].target
        return goal_of(decision.account_id, target, profile, sample.facts, self._team.tables, at)

    def _rep(self, email: str) -> Rep:
        rep = self.year.reps.get(email)
        if rep is None:
            load = self._loads.get(email, 0)
            cap = self._team.caps.get(email, 0)
            rep = Rep(email=email, began=load, load=load, level=load, highest=load, cap=cap)
            absences = self._team.tables.absences.get(email, ())
            spans = (min(a.until, self._end) - max(a.start, self._start) for a in absences)
            rep.days_away = sum(max(0.0, span) for span in spans) / DAY
            self.year.reps[email] = rep
        return rep

    def _able(self, rep: Rep, at: float) -> bool:
        owner = self._team.owners.get(rep.email)
        fits = owner is not None and owner.active and not self._team.tables.away(rep.email, at)
        return fits and (not rep.cap or rep.load < rep.cap)

    def _divide(self, able: Sequence[Rep], goal: Goal | None) -> None:
        """Give one account's worth to those lowest for their weight, until all stand level."""
        weights = {m.email: m.weight for m in goal.members} if goal else {}
        level = _level([(r.level, weights[r.email]) for r in able])
        for rep in able:
            share = max(0.0, level * weights[rep.email] - rep.level)
            rep.due += share
            rep.level += share

    def _assign(self, rep: Rep, at: float) -> None:
        self.year.assigned += 1
        rep.assigned += 1
        rep.load += 1
        rep.highest = max(rep.highest, rep.load)
        self._loads[rep.email] = rep.load
        rep.while_away += self._team.tables.away(rep.email, at) is not None
        rep.over_cap += bool(rep.cap) and rep.load > rep.cap


def _level(held: Iterable[tuple[float, float]]) -> float:
    """The load per unit of weight that one more account raises the lowest (load, weight) to."""
    load = weight = 0.0
    level = inf
    for one_load, one_weight in sorted(held, key=lambda pair: pair[0] / pair[1]):
        if one_load / one_weight >= level:
            break
        load, weight = load + one_load, weight + one_weight
        level = (1.0 + load) / weight
    return level


def _why(decision: Decision, goal: Goal | None) -> str:
    if decision.note:
        return decision.note
    return f"lane {decision.lane}, without a person" if goal else f"no route, lane {decision.lane}"
