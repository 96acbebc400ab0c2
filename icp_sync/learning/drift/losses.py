"""Whether the profile still tells who stays: churn in its segments, and how many customers each tier keeps.

Only customers won long enough ago are asked, and only whether they stayed that long, so that nobody has left
more often for having been there longer. Plain rows; knows no journal, clock or CRM.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from math import inf

from icp_sync.learning.drift.drift import PROFILE_TIERS
from icp_sync.learning.drift.finding import (
    DAY,
    LEAST,
    LIKELY,
    MOST_ACCOUNTS,
    SURE,
    Finding,
    State,
    few,
    state_of,
)
from icp_sync.learning.drift.rates import Group, Question, comparable, higher
from icp_sync.learning.drift.segments import Segments
from icp_sync.learning.figures.chance import two_rates

ALIKE = 182 * DAY
"""Customers won within so long of each other have been there equally long."""

_CHURN = Question(kind="churn", verb="loses", against="the profile's other customers", hits_only=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who was won. tier: when that deal was created; since, left: UTC epoch seconds, left None while they
    stay and −inf where only that they left is known."""

    account: str
    tier: str
    since: float
    left: float | None = None


def _asked(customers: Sequence[Customer], now: float, stayed: float) -> Iterator[tuple[int, Customer, bool]]:
    """Those won at least `stayed` seconds ago: number, who, and whether they left before that."""
    for number, one in enumerate(customers):
        if one.since <= now - stayed:
            yield number, one, one.left is not None and one.left < one.since + stayed


def churn(
    customers: Sequence[Customer],
    segments: Segments,
    *,
    now: float,
    stayed: float,
    standing: Container[str] = (),
) -> list[Finding]:
    """Segments of the profile's customers (A, B when won) that leave within `stayed` seconds more often than
    its other customers; among those won at least so long ago.

    Where of somebody only that they left is known, customers are compared among those won at about the same
    time, for the same reason.
    """
    kind, days = _CHURN.kind, f"{stayed / DAY:.0f} days"
    whole = Group()
    groups: dict[str, Group] = defaultdict(Group)
    for number, customer, gone in _asked(customers, now, stayed):
        if customer.tier in PROFILE_TIERS:
            whole.cases[number] = (customer.account, gone)
            for segment in segments.get(customer.account, ()):
                groups[segment].cases[number] = whole.cases[number]
    others = {segment: whole.without(group.cases) for segment, group in groups.items()}
    strata = {number: int((now - one.since) // ALIKE) for number, one in enumerate(customers)}
    undated = any(one.left == -inf for one in customers)
    if found := higher(_CHURN, groups, others, standing, strata if undated else None):
        return found
    asked = [segment for segment, group in groups.items() if comparable(group, others[segment])]
    if not asked:
        why = f"{whole.n} customers of tiers A and B won {days} ago or more"
        return [few(kind, f"{why}; a segment of {LEAST} and as many others are needed", customers=whole.n)]
    return [
        Finding(
            name=kind,
            state=State.OK,
            sentence=f"No segment of the profile loses more customers than the rest: {whole} left within "
            f"{days}; {len(asked)} segments looked at",
            figures={"rate": whole.rate, "customers": whole.n, "segments": len(asked)},
        )
    ]


def retention(
    customers: Sequence[Customer], *, now: float, stayed: float, standing: Container[str] = ()
) -> Finding:
    """Whether tier A keeps more of its customers than tier C, among those won at least `stayed` seconds ago.

    An alert when A certainly keeps fewer; worth watching when it does not keep more.
    """
    kind = "retention"
    groups: dict[str, Group] = defaultdict(Group)
    for number, one, gone in _asked(customers, now, stayed):
        groups[one.tier].cases[number] = (one.account, not gone)
    a, c = groups["A"], groups["C"]
    figures: dict[str, float | int | str] = {}
    for tier in sorted(groups):
        figures |= {f"{tier} kept": groups[tier].rate, f"{tier} customers": groups[tier].n}
    worse, stands = a.rate < c.rate, kind in standing
    told = "; ".join(f"{tier} keeps {groups[tier]}" for tier in sorted(groups) if groups[tier].n)
    if comparable(a, c):
        p = two_rates(a.hits, a.n, c.hits, c.n)
        figures["p"] = p
        state = state_of(strong=worse and p <= SURE, weak=worse and p <= LIKELY, stands=stands)
        if state is State.OK and a.rate <= c.rate:
            state = State.WATCH
        verdict = f"Tier A keeps {'more' if a.rate > c.rate else 'no more'} customers than C"
    elif stands and a.n and worse:
        state, verdict = State.ALERT, "Too few to tell whether tier A still keeps fewer customers than C"
    else:
        why = f"{a.n} customers of tier A and {c.n} of tier C won {stayed / DAY:.0f} days ago or more"
        return few(kind, f"{why}; {LEAST} of each are needed", **figures)
    left = a.who(hit=False)
    return Finding(
        name=kind,
        state=state,
        sentence=f"{verdict}: {told}",
        figures=figures,
        accounts=left[:MOST_ACCOUNTS],
        behind=len(left),
    )
