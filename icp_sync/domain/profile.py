"""The ICP as code: scope, criteria, timing, flags, tiers, routes. What a profile file becomes.

Frozen data only: `profile_file` builds it from YAML and guarantees every rule stated here;
`domain.compile` turns it into one function.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from icp_sync.domain.conditions import Condition

LAYERS = (
    "firmographic",
    "technographic",
    "behavioral",
    "buying",
    "pain",
    "psychographic",
    "operational",
)
TIERS = ("A", "B", "C", "D")
LANES = ("sales", "research", "nurture", "success", "none")
GOALS = ("won", "best")
"""What a profile may have been learned to tell: who is won and stays, or who becomes the best cohort."""
DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """A weighted question. A gate (`required`) carries no weight and no taper.

    unknown: share of its still open credit that an unknown shows (0 to 1).
    """

    name: str
    layer: str
    when: Condition
    weight: float = 0.0
    required: bool = False
    unknown: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingSignal:
    """A weighted question about the moment. Unknown earns nothing."""

    name: str
    when: Condition
    weight: float


class Effect(StrEnum):
    EXCLUDE = "exclude"
    CAP = "cap"
    MARK = "mark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A named non-ICP condition. `cap` is the best tier left, with `effect=CAP`."""

    name: str
    when: Condition
    effect: Effect
    cap: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiers:
    """Lowest integer score per tier, best first, and how calmly a tier moves."""

    a: int = 80
    b: int = 60
    c: int = 40
    d: int = 0
    hysteresis: int = 3  # points; coverage has the same margin in percentage points
    dwell: float = 7 * DAY  # seconds
    min_coverage: float = 0.60  # share 0 to 1

    @property
    def bands(self) -> tuple[tuple[str, int, int], ...]:
        """Each tier with the lowest and the highest score that gives it."""
        a, b, c = self.a, self.b, self.c
        return ("A", a, 100), ("B", b, a - 1), ("C", c, b - 1), ("D", self.d, c - 1)

    def of(self, score: int) -> str:
        return "A" if score >= self.a else "B" if score >= self.b else "C" if score >= self.c else "D"

    def threshold(self, tier: str) -> int:
        return {"A": self.a, "B": self.b, "C": self.c, "D": self.d}[tier]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom a route names: an owner, a pool, a territory table (alone, or to narrow the pool), a named
    list, or nobody (whoever owns the account stays).

    named: the name of a list, of this profile or of the roster. named_fact: a fact that holds an email.
    keep: "parent" or "group" to ask first who owns the parent, or anything in the group.
    onboarding, expansion, churn_risk: of the success lane, "" for what the tier says.
    touch_within: seconds in which whoever is given an account is to touch it, None where nobody asks; with
    `weekdays` Saturdays and Sundays count for nothing. reroutes: how often an account that was not touched in
    time is passed on. escalate: who is told when it is not, or no more, "" for nobody.
    """

    lane: str
    owner: str = ""  # email
    pool: str = ""
    territory: str = ""
    named: str = ""
    named_fact: str = ""
    keep: str = ""
    onboarding: str = ""
    expansion: str = ""
    churn_risk: str = ""
    touch_within: float | None = None
    weekdays: bool = False
    reroutes: int = 0
    escalate: str = ""

    @property
    def somebody(self) -> bool:
        return bool(self.owner or self.pool or self.territory or self.named or self.named_fact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """First match wins. `tiers` empty means A to D; `when` None means always.

    A route that names somebody needs a firm tier unless `even_if_provisional`; it fills vacancies only,
    unless `even_if_owned`: then also an account whose owner, chosen by us, it would no longer choose from.
    A customer's owner stays even so, unless `even_if_customer`.
    """

    target: Target
    tiers: tuple[str, ...] = ()
    when: Condition | None = None
    even_if_provisional: bool = False
    even_if_owned: bool = False
    even_if_customer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody in a pool. `cap` is the most open in-scope accounts they may own, 0 = no limit."""

    email: str
    weight: float = 1.0
    cap: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A weighted pool.

    imbalance: how many accounts somebody of average weight may be ahead of the least loaded; who is further
    ahead is passed over.
    """

    name: str
    members: tuple[Member, ...]
    imbalance: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedList:
    """Accounts with an owner of their own: registrable domain, or "#" and a record id → email."""

    name: str
    owners: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What a profile was learned from, so that it is never proven on the same cases.

    since, until: the cases were decided from `since` on and before `until`; ISO dates, "" where not said,
    which for `until` only a hypothesis may do. good: how many of `cases` were what the goal looks for.
    expected: tier → the share of good ones expected in it. hypothesis: drafted from a few examples, unproven.
    mark, asks: digests of this entry, and of criteria, flags and tiers, as they were when it was learned; ""
    where it does not say.
    """

    goal: str = ""  # one of GOALS; "" for a hypothesis
    since: str = ""
    until: str = ""
    cases: int = 0
    good: int = 0
    expected: Mapping[str, float] = field(default_factory=dict)
    hypothesis: bool = False
    mark: str = ""
    asks: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One ICP. `score_scope`: who is scored; `route_scope`: who may be given an owner (None = everyone).

    people: whether the scope names person accounts, which are out of it otherwise.
    """

    name: str
    currency: str  # ISO 4217, the unit of every money threshold
    criteria: tuple[Criterion, ...]
    score_scope: Condition | None = None
    route_scope: Condition | None = None
    timing: tuple[TimingSignal, ...] = ()
    timing_grades: tuple[int, int] = (60, 30)  # lowest timing number of grade 1 and of grade 2
    flags: tuple[Flag, ...] = ()
    tiers: Tiers = field(default_factory=Tiers)
    routes: tuple[Route, ...] = ()
    pools: Mapping[str, Pool] = field(default_factory=dict)
    named: Mapping[str, NamedList] = field(default_factory=dict)
    people: bool = False
    review_minor: str = ""  # ISO dates
    review_full: str = ""
    examples: Mapping[str, str] = field(default_factory=dict)  # domain → tier or state
    learned: Learned | None = None  # None: written by hand, perhaps by somebody who knew how it ended
