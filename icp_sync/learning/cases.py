"""What became of an account: one case each, with the facts that were known before it was decided.

Cohorts are placed by `cohorts`; here is only what a case is, and which answer it gives under a goal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from icp_sync.domain.facts import CATALOGUE, Facts, FactType

if TYPE_CHECKING:
    from icp_sync.learning.definitions import Definitions
from icp_sync.learning.definitions import Goal as Goal


class Cohort(StrEnum):
    """Who an account turned out to be. The first is signal, the next four are anti-signal."""

    BEST = "high-value retained"
    LOW = "low-value retained"
    CHURNED = "churned"
    NEVER = "never closed"
    LOST = "lost"
    UNPLACED = "not placed"


ANTI = (Cohort.LOW, Cohort.CHURNED, Cohort.NEVER, Cohort.LOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One account whose story has an end. Instants are UTC epoch seconds.

    facts: what was known before `decided`, as far as anybody can tell; facts that leak the outcome among
    them, which `Book.left_out` names. begun: when the deal that decides was created; decided: when it was
    won, lost or given up. value: what the account is worth, in the book's currency, None unknown. why:
    why it could not be placed. recorded: the facts are as an earlier evaluation recorded them, not as they
    stand today. ripe: decided so long ago that who was won then can have stayed. group: what it shares with
    other accounts of its group of companies, "" for none. stayed: it is still a customer, so that its value
    places it; detractor: whatever that is, it is none of the best.
    """

    id: str
    name: str
    domain: str
    facts: Facts
    begun: float
    decided: float
    won: bool
    cohort: Cohort = Cohort.UNPLACED
    value: float | None = None
    deal: str = ""
    why: str = ""
    recorded: bool = False
    ripe: bool = True
    group: str = ""
    stayed: bool = False
    detractor: bool = False

    def good(self, goal: Goal) -> bool | None:
        """Whether it is what the goal looks for; None where the case cannot tell.

        Nobody won lately can be among the best yet, so no case decided lately counts for that goal, lost ones
        among them: else the newest cases would have no good one, whoever they are.
        """
        if goal is Goal.WON:
            return self.won and self.cohort is not Cohort.CHURNED
        return None if self.cohort is Cohort.UNPLACED or not self.ripe else self.cohort is Cohort.BEST


class Labelled(NamedTuple):
    """A case and the answer it gives."""

    case: Case
    good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """All cases in the order in which they were decided, and everybody else.

    crowd: the facts of every account there is, cases among them: the base that shares are compared with and
    tiers are counted on. currency: of values. left_out: fact → why it may not be learned from. churn_told:
    whether anything says which customers left. dated: whether anything says when cases were decided; else all
    were, as it were, just now. by: how its cases were placed, None where nobody can place them
    again. known_before: facts that somebody vouches for as known before the sale; connection: whose settings
    say so, "" where there are none. notes: what was missing or set aside, in sentences, shown before anything
    else.
    """

    cases: tuple[Case, ...]
    crowd: Mapping[str, Facts] = field(default_factory=dict)
    currency: str = "USD"
    types: Mapping[str, FactType] = field(default_factory=lambda: CATALOGUE)
    left_out: Mapping[str, str] = field(default_factory=dict)
    churn_told: bool = True
    known_before: frozenset[str] = frozenset()
    connection: str = ""
    dated: bool = True
    by: Definitions | None = None
    notes: Sequence[str] = ()

    def labelled(self, goal: Goal, *, since: float = -inf, until: float = inf) -> list[Labelled]:
        """The cases decided in [since, until) that can tell, in order of decision."""
        told = ((case, case.good(goal)) for case in self.cases if since <= case.decided < until)
        return [Labelled(case, good) for case, good in told if good is not None]

    def known(self) -> dict[str, float]:
        """Fact → the share of the cases it is known of, of every fact any account has that may be learned
        from, the least known first."""
        facts = {fact for known in self.crowd.values() for fact in known} - self.left_out.keys()
        met = Counter(fact for case in self.cases for fact in case.facts)
        shares = {fact: met[fact] / len(self.cases) if self.cases else 0.0 for fact in facts}
        return dict(sorted(shares.items(), key=lambda item: (item[1], item[0])))

    def counts(self) -> dict[Cohort, int]:
        """How many cases of each cohort, those without any among them."""
        return {cohort: sum(case.cohort is cohort for case in self.cases) for cohort in Cohort}
