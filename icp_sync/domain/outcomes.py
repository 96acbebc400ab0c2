"""What comes of facts, as far as it is worth buying more of them: tier, flags and route, to be compared.

Pure. Accounts whose facts answer every question alike come to the same, which is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from icp_sync.domain.account import Previous
from icp_sync.domain.assessment import Assessment, assess
from icp_sync.domain.compile import Compiled
from icp_sync.domain.evaluation import NOT_ICP, judged
from icp_sync.domain.facts import Facts
from icp_sync.domain.populations import is_person
from icp_sync.domain.profile import Route
from icp_sync.domain.questions import email_in
from icp_sync.domain.roster import Tables
from icp_sync.domain.routing import SUCCESS, for_customers, is_customer

OUTCOMES = 20_000
"""Outcomes kept before they are looked at anew, less than a kilobyte each."""

Outcome = tuple[str, ...]
"""Tier, flags and route as they are compared. Not ICP is one outcome, whatever it is marked with."""

HOPELESS: Outcome = (NOT_ICP,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What an outcome depends on beside facts.

    owned: no route can change the owner, so only lanes count. passed: routes to named lists that have nobody
    for this account, as (profile, route). decided: the tier people put in place of ours, "" for none.
    previous: the profile shown before, which stays shown while it is near enough. era: which rows of
    territory tables are in force.
    """

    owned: bool
    passed: frozenset[tuple[int, int]] = frozenset()
    decided: str = ""
    previous: str = ""
    era: int = 0


class Outcomes:
    """The outcomes under one set of profiles; remembers the last ones."""

    def __init__(self, compiled: Sequence[Compiled], tables: Tables) -> None:
        self._compiled, self._tables = tuple(compiled), tables
        self._known: dict[tuple[int, ...], Outcome] = {}
        self._settings: dict[Setting, int] = {}
        self._alike: dict[Outcome, Outcome] = {}

    def under(self, setting: Setting, now: float) -> Judge:
        """Who tells outcomes in this setting."""
        if len(self._known) > OUTCOMES:
            self._known.clear()
        number = self._settings.setdefault(setting, len(self._settings))
        return Judge(self._compiled, self._tables, self._known, self._alike, number, setting, now)


@dataclass(slots=True)
class Judge:
    """What comes of facts in one setting. number: the setting's."""

    compiled: tuple[Compiled, ...]
    tables: Tables
    known: dict[tuple[int, ...], Outcome]
    alike: dict[Outcome, Outcome]
    number: int
    setting: Setting
    now: float

    def of(self, answers: Sequence[int], facts: Callable[[], Facts]) -> Outcome:
        """The outcome. answers: the numbers of all facts that are asked about (`Readings`); facts: them."""
        key = (*answers, self.number)
        found = self.known.get(key)
        if found is None:
            found = self._judged(facts())
            found = self.known[key] = self.alike.setdefault(found, found)
        return found

    def _judged(self, facts: Facts) -> Outcome:
        person = is_person(facts)
        everyone = [assess(c, facts, self.now) for c in self.compiled]
        applying = [a for a in everyone if a.applies and (a.profile.people or not person)]
        if not applying:
            return ("out of scope",)
        before = Previous(tier="", profile=self.setting.previous) if self.setting.previous else None
        shown, tier, firm = judged(applying, before)
        if self.setting.decided:
            tier, firm = self.setting.decided, True
        if tier == NOT_ICP:
            return HOPELESS
        flags = ", ".join(flag.name for flag in shown.flags_true)
        return (tier, flags, *self._route(shown, tier, firm, facts))

    def _route(self, shown: Assessment, tier: str, firm: bool, facts: Facts) -> Outcome:
        """The route that decides, as `routing` finds it, and what its table says."""
        place = next(i for i, c in enumerate(self.compiled) if c is shown.compiled)
        customer = is_customer(facts)
        for index, route in enumerate(shown.profile.routes):
            if shown.route(index)[0] != 1.0 or tier not in (route.tiers or ("A", "B", "C", "D")):
                continue
            if (customer and not for_customers(route)) or (place, index) in self.setting.passed:
                continue
            whom = self._whom(route, facts)
            if whom is None:
                continue
            if route.target.somebody and not firm and not route.even_if_provisional:
                if tier in ("A", "B"):
                    return ("provisional",)
                continue
            if self.setting.owned and not route.even_if_owned:
                return _lane(route)
            return (str(index), *(whom if shown.answers[2] == 1.0 else ("nobody",)))
        return ("default", SUCCESS if customer else "" if firm else "provisional")

    def _whom(self, route: Route, facts: Facts) -> Outcome | None:
        """Whom the route means, as far as facts decide it; None where it has nobody for this account."""
        if route.target.named_fact:
            email = email_in(facts.get(route.target.named_fact))
            return (email,) if email else None
        table = None if route.target.named else self.tables.territories.get(route.target.territory)
        if table is None:
            return ()
        match = table.match(facts, self.now)
        if match.undecided:
            return ("undecided",)
        return tuple(sorted(row.territory for row in match.rows)) or None


def _lane(route: Route) -> Outcome:
    target = route.target
    if target.lane != SUCCESS:
        return (target.lane,)
    return (target.lane, target.onboarding, target.expansion, target.churn_risk)
