"""Whether the profile still tells who is won and who stays: findings over plain rows, with how sure they are.

Deals count by the tier their company had when they were created, so that no outcome has coloured it. Few
cases say "too few to tell", never more. Knows no journal, clock or CRM; `census` compares populations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from icp_sync.learning.chance import benjamini_hochberg, two_rates, wilson
from icp_sync.learning.segments import Segments

DAY = 86_400.0
LEAST = 30
"""Decided deals, or customers, without which a rate is not compared with another."""
SURE = 0.002
"""Adjusted p up to which a finding is an alert: strict, because somebody looks every day."""
LIKELY = 0.05
"""Adjusted p up to which a finding is worth watching, and an alert stays one."""
MOST_ACCOUNTS = 500
"""Accounts a finding names; it says how many there are."""

OUTSIDE_WINS = "outside-wins"
PROFILE_TIERS, OUTSIDE_TIERS = ("A", "B"), ("C", "D", "Not ICP")


class State(StrEnum):
    OK = "ok"
    WATCH = "watch"
    ALERT = "alert"
    FEW = "too few to tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at. name: its kind, and after a slash what it is about: "churn/industry=retail".

    figures: what the sentence rests on. accounts: those behind it, at most `MOST_ACCOUNTS` of `behind`.
    """

    name: str
    state: State
    sentence: str
    figures: Mapping[str, float | int | str] = field(default_factory=dict)
    accounts: tuple[str, ...] = ()
    behind: int = 0

    @property
    def kind(self) -> str:
        return self.name.partition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """One decided deal. tier: of its company when it was created."""

    account: str
    tier: str
    won: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who was won. tier: when that deal was created; since, left: UTC epoch seconds, left None while they
    stay and −inf where only that they left is known."""

    account: str
    tier: str
    since: float
    left: float | None = None


Case = tuple[str, bool]
"""Whose it is, and whether it is a hit: a deal that was won, a customer who left."""


class _Group:
    """Cases of one segment, by their number among all."""

    def __init__(self, cases: Mapping[int, Case] | None = None) -> None:
        self.cases = dict(cases or {})

    @property
    def n(self) -> int:
        return len(self.cases)

    @property
    def hits(self) -> int:
        return sum(hit for _, hit in self.cases.values())

    @property
    def rate(self) -> float:
        return self.hits / self.n if self.n else 0.0

    def without(self, others: Container[int]) -> _Group:
        return _Group({number: case for number, case in self.cases.items() if number not in others})

    def who(self, *, hit: bool) -> tuple[str, ...]:
        """Accounts with such a case, each once."""
        return tuple(dict.fromkeys(account for account, is_hit in self.cases.values() if is_hit is hit))


def state_of(*, strong: bool, weak: bool, stands: bool) -> State:
    """An alert begins when it is strong and lasts while it is at least weak, so that it does not flicker."""
    if strong or (weak and stands):
        return State.ALERT
    return State.WATCH if weak else State.OK


def outside_wins(deals: Sequence[Sold], segments: Segments, standing: Container[str] = ()) -> list[Finding]:
    """Segments outside the profile (C, D, Not ICP) that win more of their deals than the profile (A, B) does.

    An alert needs the lower bound of the segment's rate above the profile's rate, and that after correction
    for all segments looked at. standing: names of findings that are alerts already.
    """
    kind = OUTSIDE_WINS
    inside = _Group()
    groups: dict[str, _Group] = defaultdict(_Group)
    for number, deal in enumerate(deals):
        if deal.tier in PROFILE_TIERS:
            inside.cases[number] = (deal.account, deal.won)
        elif deal.tier in OUTSIDE_TIERS:
            for segment in segments.get(deal.account, ()):
                groups[segment].cases[number] = (deal.account, deal.won)
    asked = {segment: group for segment, group in groups.items() if group.n >= LEAST}
    if inside.n < LEAST or not asked:
        most = max((group.n for group in groups.values()), default=0)
        return [
            few(
                kind,
                f"{inside.n} decided deals of tiers A and B, {most} in the largest segment outside; "
                f"{LEAST} of each are needed",
                deals=inside.n,
                largest=most,
            )
        ]
    said = f"the profile (A and B) wins {_of(inside)}"
    found = _higher(kind, asked, dict.fromkeys(asked, inside), standing, "wins", said)
    return found or [
        Finding(
            name=kind,
            state=State.OK,
            sentence=f"No segment outside the profile wins more: {said}; {len(asked)} segments looked at",
            figures={"rate": inside.rate, "deals": inside.n, "segments": len(asked)},
        )
    ]


def churn(customers: Sequence[Customer], segments: Segments, standing: Container[str] = ()) -> list[Finding]:
    """Segments of the profile's customers (A, B when won) that leave more often than its other customers."""
    kind = "churn"
    inside = [customer for customer in customers if customer.tier in PROFILE_TIERS]
    whole = _Group()
    groups: dict[str, _Group] = defaultdict(_Group)
    for number, customer in enumerate(inside):
        whole.cases[number] = (customer.account, customer.left is not None)
        for segment in segments.get(customer.account, ()):
            groups[segment].cases[number] = whole.cases[number]
    asked = {s: g for s, g in groups.items() if g.n >= LEAST and whole.n - g.n >= LEAST}
    if not asked:
        least = f"a segment of {LEAST} and as many others are needed"
        return [few(kind, f"{whole.n} customers of tiers A and B; {least}", customers=whole.n)]
    others = {segment: whole.without(group.cases) for segment, group in asked.items()}
    found = _higher(kind, asked, others, standing, "loses", "the profile's other customers")
    return found or [
        Finding(
            name=kind,
            state=State.OK,
            sentence=f"No segment of the profile loses more customers than the rest: {_of(whole)} left; "
            f"{len(asked)} segments looked at",
            figures={"rate": whole.rate, "customers": whole.n, "segments": len(asked)},
        )
    ]


def _higher(
    kind: str,
    asked: Mapping[str, _Group],
    against: Mapping[str, _Group],
    standing: Container[str],
    verb: str,
    said: str,
) -> list[Finding]:
    """The segments whose rate is higher than that of what they are compared with, surest first.

    One that is so only because it holds cases of a surer one is not told: without those it must still be.
    """
    adjusted = benjamini_hochberg([_chance(group, against[segment]) for segment, group in asked.items()])
    found: list[Finding] = []
    told: set[int] = set()
    for p, segment in sorted(zip(adjusted, asked, strict=True)):
        group, other, name = asked[segment], against[segment], f"{kind}/{segment}"
        low, high = wilson(group.hits, group.n)
        if told and p <= LIKELY:
            p = max(p, _chance(group.without(told), other))
        state = state_of(strong=p <= SURE and low > other.rate, weak=p <= LIKELY, stands=name in standing)
        if state is State.OK:
            continue
        told |= group.cases.keys()
        hits = group.who(hit=True)
        accounts = hits if kind == "churn" else tuple(dict.fromkeys((*hits, *group.who(hit=False))))
        compared = said if kind == OUTSIDE_WINS else f"{said} {_of(other)}"
        figures = {"rate": group.rate, "low": low, "high": high, "n": group.n, "segments": len(asked)}
        found.append(
            Finding(
                name=name,
                state=state,
                sentence=f"{segment} {verb} {_of(group)}, {low:.0%} at least; {compared}",
                figures={**figures, "against": other.rate, "against_n": other.n, "adjusted_p": p},
                accounts=accounts[:MOST_ACCOUNTS],
                behind=len(accounts),
            )
        )
    return found


def _chance(group: _Group, other: _Group) -> float:
    """Two-sided p where the group's rate is the higher one and it has enough cases, else 1."""
    if group.n < LEAST or group.rate <= other.rate:
        return 1.0
    return two_rates(group.hits, group.n, other.hits, other.n)


def retention(
    customers: Sequence[Customer], *, now: float, stayed: float, standing: Container[str] = ()
) -> Finding:
    """Whether tier A keeps more of its customers than tier C, among those won at least `stayed` seconds ago.

    An alert when A certainly keeps fewer; worth watching when it does not keep more.
    """
    kind = "retention"
    groups: dict[str, _Group] = defaultdict(_Group)
    for number, one in enumerate(customers):
        if one.since <= now - stayed:
            kept = one.left is None or one.left >= one.since + stayed
            groups[one.tier].cases[number] = (one.account, kept)
    a, c = groups["A"], groups["C"]
    figures: dict[str, float | int | str] = {}
    for tier in sorted(groups):
        figures |= {f"{tier} kept": groups[tier].rate, f"{tier} customers": groups[tier].n}
    if a.n < LEAST or c.n < LEAST:
        why = f"{a.n} customers of tier A and {c.n} of tier C won {stayed / DAY:.0f} days ago or more"
        return few(kind, f"{why}; {LEAST} of each are needed", **figures)
    p, left = two_rates(a.hits, a.n, c.hits, c.n), a.who(hit=False)
    worse = a.rate < c.rate
    state = state_of(strong=worse and p <= SURE, weak=worse and p <= LIKELY, stands=kind in standing)
    if state is State.OK and a.rate <= c.rate:
        state = State.WATCH
    told = "; ".join(f"{tier} keeps {_of(groups[tier])}" for tier in sorted(groups) if groups[tier].n)
    verdict = (
        "Tier A keeps more customers than C" if a.rate > c.rate else "Tier A keeps no more customers than C"
    )
    return Finding(
        name=kind,
        state=state,
        sentence=f"{verdict}: {told}",
        figures={**figures, "p": p},
        accounts=left[:MOST_ACCOUNTS],
        behind=len(left),
    )


def few(kind: str, why: str, **figures: float | int | str) -> Finding:
    """Nothing can be said, and what it would take."""
    return Finding(name=kind, state=State.FEW, sentence=f"Too few to tell: {why}", figures=figures)


def _of(group: _Group) -> str:
    return f"{group.rate:.0%} of {group.n:,}"
