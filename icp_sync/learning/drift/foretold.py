"""Whether tier A of a learned profile wins what was foretold when it was learned.

A rate was foretold of companies, by the very definition of a good one that the profile was learned with, so
that is what is counted: cases, not deals. Pure; `look` makes the cases from the journal.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from icp_sync.domain.profile import Profile
from icp_sync.learning.cases import Goal, Labelled
from icp_sync.learning.drift.finding import DAY, LEAST, MOST_ACCOUNTS, Finding, State, few, named, state_of
from icp_sync.learning.figures.chance import wilson

TIER = "A"
HALF = 0.5
"""Of what was foretold: below it for certain, the profile is no longer what was proven."""


def foretells(profile: Profile) -> bool:
    """Whether the profile names a rate for its best tier, and what it is a rate of."""
    return profile.learned is not None and bool(profile.learned.goal) and TIER in profile.learned.expected


def foretold(
    profile: Profile, cases: Sequence[Labelled], *, settled: float, standing: Container[str] = ()
) -> Finding:
    """What became of tier A against what was foretold of it.

    cases: of companies that this profile had in tier A when the deal that decides was created, all of them
    begun at least `settled` seconds ago, so that quick decisions are not all there is. Worth watching when
    the Wilson interval of their rate excludes the foretold one; an alert when it excludes half of it too.
    """
    said = profile.learned
    if said is None or not foretells(profile):
        raise ValueError(f"profile {profile.name} foretells nothing")
    rate, name = said.expected[TIER], named("foretold", profile.name)
    n, good = len(cases), sum(one.good for one in cases)
    low, high = wilson(good, n)
    what = "are won and stay" if Goal(said.goal) is Goal.WON else "are among the best"
    figures = {"foretold": rate, "companies": n, "low": low, "high": high}
    stands = name in standing
    if n < LEAST and not (stands and good < n * rate):
        why = f"{n} companies of tier {TIER} of {profile.name}, begun {settled / DAY:.0f} days ago or more"
        return few(name, f"{why}; {LEAST} are needed", **figures)
    state = state_of(strong=n >= LEAST and high < rate * HALF, weak=n < LEAST or high < rate, stands=stands)
    if low > rate:
        state = State.WATCH
    bad = tuple(one.case.id for one in cases if not one.good) if state is not State.OK else ()
    few_now = ", too few to tell whether it lasts" if n < LEAST else f", {low:.0%} to {high:.0%}"
    return Finding(
        name=name,
        state=state,
        sentence=f"{good / n:.0%} of {n:,} companies in tier {TIER} of {profile.name} {what}{few_now}; "
        f"{rate:.0%} was foretold",
        figures={**figures, "rate": good / n},
        accounts=bad[:MOST_ACCOUNTS],
        behind=len(bad),
    )
