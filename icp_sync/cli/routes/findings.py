"""What routes make of every account: matches, holes, doubts, and what each person's weight earns them.

Decides with `domain.routing` as if nobody owned anything and nobody was at their cap. Prints nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.cli.grounds import Subject
    from icp_sync.cli.routes.ground import Routing
    from icp_sync.domain.evaluation import Evaluation
    from icp_sync.domain.facts import Facts
    from icp_sync.domain.goals import Goal
    from icp_sync.domain.profile import Route
    from icp_sync.domain.roster import Match

SHOWN = 1_000
"""Named accounts nobody knows that are listed one by one."""


@dataclass(slots=True, kw_only=True)
class Person:
    """Somebody routes lead to. due: accounts their weight earns them of all that match.

    state: what keeps them from getting any, "" for nothing. cap: 0 for none.
    """

    email: str
    places: tuple[str, ...]
    holds: int
    cap: int
    state: str
    due: float = 0.0

    @property
    def over(self) -> bool:
        return bool(self.cap) and self.due > self.cap


@dataclass(slots=True, kw_only=True)
class Checked:
    """Counts over all accounts.

    routes: by profile and number of the route, 0 for none. territories: by table and name. doubles: by the
    two tables. unknown_named: list, account and owner of what no account here is.
    """

    accounts: int = 0
    in_scope: int = 0
    routes: Counter[tuple[str, int]] = field(default_factory=Counter)
    territories: Counter[tuple[str, str]] = field(default_factory=Counter)
    holes: Counter[str] = field(default_factory=Counter)
    doubles: Counter[str] = field(default_factory=Counter)
    undecided: Counter[str] = field(default_factory=Counter)
    unrouted: Counter[str] = field(default_factory=Counter)
    people: dict[str, Person] = field(default_factory=dict)
    unknown_named: list[tuple[str, str, str]] = field(default_factory=list)


def check(routing: Routing, now: float) -> Checked:
    """Judge every account once, as of `now` (UTC epoch seconds)."""
    judge = _Judge(routing, now)
    found = judge.found
    for name, table in routing.tables.territories.items():
        found.territories.update({(name, row.territory): 0 for row in table.rows})
    for email in routing.people:
        judge.person(email)
    lists = {
        listed.name: listed.owners
        for listed in (
            *(listed for profile in routing.profiles for listed in profile.named.values()),
            *routing.tables.named.values(),
        )
    }
    named = {key for owners in lists.values() for key in owners}
    known: set[str] = set()
    for subject in routing.grounds.accounts():
        known |= {subject.domain, f"#{subject.id}"} & named
        judge.account(subject)
    missing = ((name, key, who) for name, owners in lists.items() for key, who in owners.items())
    found.unknown_named = [one for one in missing if one[1] not in known][:SHOWN]
    return found


class _Judge:
    """Decides account by account and counts."""

    def __init__(self, routing: Routing, now: float) -> None:
        self.routing, self.now = routing, now
        self.found = Checked()
        self._team = routing.team({})

    def account(self, subject: Subject) -> None:
        from icp_sync.domain.routing import Held, decide

        found, facts = self.found, subject.facts
        evaluation = self.routing.evaluate(subject, self.now)
        found.accounts += 1
        if not evaluation.in_scope:
            return
        found.in_scope += 1
        profile = evaluation.shown.profile
        decision = decide(subject.id, evaluation, facts, held=Held(), team=self._team, now=self.now)
        found.routes[profile.name, decision.rule] += 1
        found.doubles.update(self._doubles(subject, evaluation))
        route = profile.routes[decision.rule - 1] if decision.rule else None
        if route is None or not route.target.somebody:
            if _should_have_somebody(evaluation, facts):
                found.holes[self._place(facts)] += 1
            elif decision.note and not decision.rule:
                found.unrouted[decision.note] += 1
            return
        goal = self._goal(subject, evaluation, route)
        match = self._match(route, facts)
        if goal.undecided:
            missing = match.undecided if match is not None else ()
            found.undecided[" and ".join(missing) or goal.undecided] += 1
            return
        if match is not None and match.rows:
            found.territories[route.target.territory, match.rows[0].territory] += 1
        if evaluation.may_route:  # nobody earns an account that nobody may ever be given
            self._share_out(goal)
        if not decision.owner:
            found.unrouted[decision.note] += 1

    def person(self, email: str) -> Person:
        """Somebody a route leads to, met for the first time or again."""
        if email not in self.found.people:
            named = self.routing.people.get(email)
            self.found.people[email] = Person(
                email=email,
                places=named.places if named else ("a fact of the account",),
                holds=self.routing.loads.get(email, 0),
                cap=named.cap if named else 0,
                state=self._state(email),
            )
        return self.found.people[email]

    def _state(self, email: str) -> str:
        from icp_sync.domain.words import date_text

        owner = self.routing.owners.get(email)
        if owner is None:
            return "not an owner in the CRM" if self.routing.listed else ""
        if not owner.active:
            return "inactive in the CRM"
        away = self.routing.tables.away(email, self.now)
        return f"away until {date_text(away.until)}" if away else ""

    def _goal(self, subject: Subject, evaluation: Evaluation, route: Route) -> Goal:
        from icp_sync.domain.goals import goal_of

        profile = evaluation.shown.profile
        return goal_of(subject.id, route.target, profile, subject.facts, self.routing.tables, self.now)

    def _match(self, route: Route, facts: Facts) -> Match | None:
        table = self.routing.tables.territories.get(route.target.territory)
        return table.match(facts, self.now) if table is not None else None

    def _share_out(self, goal: Goal) -> None:
        """One account, divided by weight among those who may have it now, or else among all it means."""
        meant = [m for m in goal.members if m.email not in goal.outside]
        able = [m for m in meant if not self.person(m.email).state] or meant
        total = sum(m.weight for m in able)
        for member in able:
            self.person(member.email).due += member.weight / total

    def _place(self, facts: Facts) -> str:
        """Where a hole lies, in the words of the facts that the tables ask about."""
        from icp_sync.domain.facts import Members
        from icp_sync.domain.words import value_text

        tables = self.routing.tables.territories.values()
        asked = list(dict.fromkeys(fact for table in tables for fact in table.facts)) or ["country"]
        said = []
        for fact in asked:
            value = facts.get(fact)
            if value is None:
                said.append(f"{fact} unknown")
            elif isinstance(value, Members):
                said.append(f"{fact}={value_text(fact, value)}")
        return ", ".join(said[:3]) or "any"

    def _doubles(self, subject: Subject, evaluation: Evaluation) -> Iterator[str]:
        """Two territory tables, or two lists, that want one account for different people."""
        wanted: dict[bool, tuple[str, frozenset[str]]] = {}
        for index, route in enumerate(evaluation.shown.profile.routes):
            target = route.target
            listed = target.named or target.named_fact
            holds = evaluation.shown.route(index)[0] == 1.0
            if not (listed or target.territory) or not holds or not _of_tier(route, evaluation):
                continue
            people = frozenset(m.email for m in self._goal(subject, evaluation, route).members)
            if not people:
                continue
            name = listed or target.territory
            first, theirs = wanted.setdefault(bool(listed), (name, people))
            if first != name and theirs.isdisjoint(people):
                yield f"{first} and {name}"


def _of_tier(route: Route, evaluation: Evaluation) -> bool:
    from icp_sync.domain.profile import TIERS

    return evaluation.tier in (route.tiers or TIERS)


def _should_have_somebody(evaluation: Evaluation, facts: Facts) -> bool:
    """A firm A or B that may be given away: without a person it is a hole."""
    from icp_sync.domain.routing import is_customer

    good = evaluation.tier in ("A", "B") and evaluation.firm
    return good and evaluation.may_route and not is_customer(facts)
