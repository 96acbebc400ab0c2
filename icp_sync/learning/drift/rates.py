"""Rates of segments, each held against another rate: which of them are higher, surely enough to be told.

Counts cases, one a company; knows neither deals nor customers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import fsum

from icp_sync.learning.drift.finding import (
    LEAST,
    LIKELY,
    MOST_ACCOUNTS,
    SURE,
    Finding,
    State,
    named,
    state_of,
)
from icp_sync.learning.figures.chance import benjamini_hochberg, two_rates, wilson
from icp_sync.learning.marks.strata import within

Case = tuple[str, bool]
"""Whose it is, and whether it is a hit: a company that was won, a customer who left."""


class Group:
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

    def without(self, others: Container[int]) -> Group:
        return Group({number: case for number, case in self.cases.items() if number not in others})

    def who(self, *, hit: bool) -> tuple[str, ...]:
        """Accounts with such a case, each once."""
        return tuple(dict.fromkeys(account for account, is_hit in self.cases.values() if is_hit is hit))

    def __str__(self) -> str:
        return f"{self.rate:.0%} of {self.n:,}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of segments. verb: "wins". against: what each is compared with, in words that its rate
    follows unless `said` has it. hits_only: whether only the hits stand behind a finding."""

    kind: str
    verb: str
    against: str
    hits_only: bool = False


def comparable(group: Group, other: Group) -> bool:
    return group.n >= LEAST and other.n >= LEAST


def higher(
    asked: Question,
    groups: Mapping[str, Group],
    against: Mapping[str, Group],
    standing: Container[str],
    strata: Mapping[int, int] | None = None,
) -> list[Finding]:
    """The segments whose rate is higher than that of what they are compared with: those that were told
    before, then the surest.

    One that is so only because it holds cases of another that is told is not told itself: without those it
    must still be. standing: names of findings that are alerts already; one that has become too few to compare
    stays one while its rate is the higher one. strata: case → the kind of case it is compared among, none to
    compare with all.
    """
    found = list(_kept(asked, groups, against, standing))
    told = {number for segment, _ in found for number in groups[segment].cases}
    sized = [segment for segment, group in groups.items() if comparable(group, against[segment])]
    adjusted = benjamini_hochberg([_chance(groups[s], against[s], strata) for s in sized])
    ranked = [(named(asked.kind, s) not in standing, p, s) for p, s in zip(adjusted, sized, strict=True)]
    for new, p, segment in sorted(ranked):
        group, other = groups[segment], against[segment]
        if told and p <= LIKELY:
            p = max(p, _chance(group.without(told), other, strata))
        low, _ = wilson(group.hits, group.n)
        state = state_of(
            strong=p <= SURE and low > _rate_like(group, other, strata), weak=p <= LIKELY, stands=not new
        )
        if state is State.OK:
            continue
        told |= group.cases.keys()
        said = f"{low:.0%} at least; {asked.against} {other}"
        figures = {"segments": len(sized), "adjusted_p": p}
        found.append((segment, _finding(asked, segment, state, (group, other), said, figures)))
    return [one for _, one in found]


def _kept(
    asked: Question, groups: Mapping[str, Group], against: Mapping[str, Group], standing: Container[str]
) -> Iterator[tuple[str, Finding]]:
    """Alerts nobody can tell the end of: their cases have become few."""
    for segment, group in groups.items():
        other = against[segment]
        if comparable(group, other) or named(asked.kind, segment) not in standing:
            continue
        if group.rate > other.rate:
            said = f"too few to tell whether it lasts; {asked.against} {other}"
            yield segment, _finding(asked, segment, State.ALERT, (group, other), said, {})


def _finding(
    asked: Question,
    segment: str,
    state: State,
    compared: tuple[Group, Group],
    said: str,
    more: Mapping[str, float | int | str],
) -> Finding:
    group, other = compared
    low, high = wilson(group.hits, group.n)
    accounts = group.who(hit=True)
    if not asked.hits_only:
        accounts = tuple(dict.fromkeys((*accounts, *group.who(hit=False))))
    figures = {"rate": group.rate, "low": low, "high": high, "n": group.n}
    return Finding(
        name=named(asked.kind, segment),
        state=state,
        sentence=f"{segment} {asked.verb} {group}, {said}",
        figures={**figures, "against": other.rate, "against_n": other.n, **more},
        accounts=accounts[:MOST_ACCOUNTS],
        behind=len(accounts),
    )


def _chance(group: Group, other: Group, strata: Mapping[int, int] | None) -> float:
    """Two-sided p where the group's rate is the higher one and it has enough cases, else 1."""
    if group.n < LEAST or group.rate <= _rate_like(group, other, strata):
        return 1.0
    if strata is None:
        return two_rates(group.hits, group.n, other.hits, other.n)
    cases = [*group.cases.items(), *other.cases.items()]
    yes = _bits(number in group.cases for number, _ in cases)
    good = _bits(hit for _, (_, hit) in cases)
    kinds = [strata[number] for number, _ in cases]
    among = [_bits(kind == one for kind in kinds) for one in set(kinds)]
    p = within(yes, _bits(True for _ in cases) ^ yes, good, among)
    return 1.0 if p is None else p


def _rate_like(group: Group, other: Group, strata: Mapping[int, int] | None) -> float:
    """The rate of the others, were they of the same kinds as the group's cases."""
    if strata is None:
        return other.rate
    alike: dict[int, Group] = defaultdict(Group)
    for number, case in other.cases.items():
        alike[strata[number]].cases[number] = case
    rates = [alike[strata[number]].rate for number in group.cases if strata[number] in alike]
    return fsum(rates) / len(rates) if rates else 1.0


def _bits(cases: Iterable[bool]) -> int:
    """A bit a case, the first the highest."""
    return int("".join("01"[case] for case in cases), 2)
