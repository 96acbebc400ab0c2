"""A profile file against the outcomes on record: which cases may prove it, how it did, and the gate.

For profiles that exist already, learned just now or long ago and edited since. What the learning line does in
one walk is asked here of any file; both end in the same backtest and the same gate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import inf

from icp_sync.domain.profile import Learned, Profile
from icp_sync.learning.backtest import Backtest, Judged, backtest, blinded, judged
from icp_sync.learning.cases import Book, Goal, Labelled
from icp_sync.learning.gate import Verdict, gate
from icp_sync.learning.rules import Rule

Challengers = tuple[Rule | None, Sequence[Sequence[float]] | None]
"""The best single rule, and how profiles learned from shuffled labels rank the proving cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Cases to learn from and cases to prove on, which never share one.

    until: the instant between them, None where no profile says until when it was learned. hindsight: at least
    one does not say it, and whoever wrote that one may have known the outcomes.
    """

    goal: Goal
    learning: Sequence[Labelled]
    proving: Sequence[Labelled]
    until: float | None
    hindsight: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How a set of profiles did. hidden: facts no profile was shown, with why. judged: the proving cases."""

    split: Split
    backtest: Backtest
    verdict: Verdict
    hidden: Mapping[str, str]
    judged: Sequence[Judged]


def split(profiles: Sequence[Profile], book: Book, goal: Goal) -> Split:
    """Divide the cases by what the profiles say of themselves: the latest `until` of the set counts.

    goal: of profiles that name none. A set without any `until` is judged on all cases.
    """
    learned = [profile.learned for profile in profiles if profile.learned is not None]
    wanted = next((Goal(one.goal) for one in learned if one.goal), goal)
    until = max((_instant(one.until) for one in learned if one.until), default=None)
    since = min((_instant(one.since) for one in learned if one.since), default=-inf)
    return Split(
        goal=wanted,
        learning=[] if until is None else book.labelled(wanted, since=since, until=until),
        proving=book.labelled(wanted, since=-inf if until is None else until),
        until=until,
        hindsight=any(p.learned is None or not p.learned.until for p in profiles),
    )


def _instant(day: str) -> float:
    """Midnight UTC of an ISO date, in epoch seconds."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()


def prove(
    profiles: Sequence[Profile],
    active: Sequence[Profile],
    book: Book,
    goal: Goal,
    hidden: Mapping[str, str],
    *,
    challengers: Callable[[Split], Challengers],
    rounds: int = 1000,
    seed: int = 0,
) -> Proof:
    """Judge a set of profiles by a book of cases.

    hidden: facts that give the outcome away, which nobody is shown. challengers: makes the opponents that
    must be learned first, from the cases to learn from.
    """
    parted = split(profiles, book, goal)
    parted = replace(
        parted, learning=blinded(parted.learning, hidden), proving=blinded(parted.proving, hidden)
    )
    rule, shuffled = challengers(parted)
    ours = judged(profiles, parted.proving)
    expected, hindsight = _expected(profiles), parted.hindsight
    told = backtest(ours, expected=expected, rounds=rounds, seed=seed, hindsight=hindsight)
    sides = (parted.learning, parted.proving)
    verdict = gate(profiles, active, *sides, shuffled=shuffled, rule=rule, rounds=rounds, seed=seed)
    return Proof(split=parted, backtest=told, verdict=verdict, hidden=hidden, judged=ours)


def _expected(profiles: Sequence[Profile]) -> Mapping[str, float]:
    """What was foretold of each tier; nothing for a set of several, whose tiers mean different things."""
    learned: Learned | None = profiles[0].learned if len(profiles) == 1 else None
    return learned.expected if learned is not None else {}
