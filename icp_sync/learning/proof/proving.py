"""A profile file against the outcomes on record: which cases may prove it, how it did, and the gate.

For profiles that exist already, learned just now or long ago and edited since. What the learning line does in
one walk is asked here of any file; both end in the same backtest and the same gate.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import inf

from icp_sync.domain.profile import Learned, Profile
from icp_sync.learning.cases import Book, Goal, Labelled
from icp_sync.learning.days import begins
from icp_sync.learning.past.bounded import placed_before
from icp_sync.learning.past.groups import counted_once
from icp_sync.learning.past.steadiness import OUTCOME_FACTS
from icp_sync.learning.past.suspects import asked_by, suspects
from icp_sync.learning.past.vouching import Vouching
from icp_sync.learning.past.withheld import without_members
from icp_sync.learning.proof.backtest import Backtest, Judged, backtest, blinded, judged
from icp_sync.learning.proof.gate import Shown, Verdict, gate
from icp_sync.learning.proof.rules import Rule
from icp_sync.profile_file.marks import entry_edited, questions_edited

Challengers = tuple[Rule | None, Sequence[Sequence[float]] | None]
"""The best field by itself, and how profiles learned from shuffled labels rank the proving cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Cases to learn from and cases to prove on, which never share one.

    until: the instant between them, None where no profile says until when it was learned. hindsight: at least
    one does not say it, or what it says was edited: whoever wrote that one may have known the outcomes.
    note: what was set aside, "" for nothing.
    """

    goal: Goal
    learning: Sequence[Labelled]
    proving: Sequence[Labelled]
    until: float | None
    hindsight: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How a set of profiles did. hidden: facts no profile was shown, with why. suspected: fact → why the sale
    may have caused it. edited: profiles whose questions are not those that were learned. judged: the proving
    cases."""

    split: Split
    backtest: Backtest
    verdict: Verdict
    hidden: Mapping[str, str]
    suspected: Mapping[str, str]
    edited: tuple[str, ...]
    judged: Sequence[Judged]


def split(profiles: Sequence[Profile], book: Book, goal: Goal) -> Split:
    """Divide the cases by what the profiles say of themselves: the latest `until` of the set counts.

    goal: of profiles that name none. A set without any `until` is judged on all cases.
    """
    learned = [profile.learned for profile in profiles if profile.learned is not None]
    wanted = next((Goal(one.goal) for one in learned if one.goal), goal)
    until = max((begins(date.fromisoformat(one.until)) for one in learned if one.until), default=None)
    book, note = counted_once(book)
    book = book if until is None else placed_before(book, until)
    since = min((begins(date.fromisoformat(one.since)) for one in learned if one.since), default=-inf)
    return Split(
        goal=wanted,
        learning=[] if until is None else book.labelled(wanted, since=since, until=until),
        proving=book.labelled(wanted, since=-inf if until is None else until),
        until=until,
        hindsight=any(p.learned is None or not p.learned.until or entry_edited(p) for p in profiles),
        note=note,
    )


def prove(
    profiles: Sequence[Profile],
    active: Sequence[Profile],
    book: Book,
    goal: Goal,
    hidden: Mapping[str, str],
    *,
    challengers: Callable[[Split], Challengers],
    withheld: Mapping[str, Collection[str]] | None = None,
    rounds: int = 1000,
    seed: int = 0,
) -> Proof:
    """Judge a set of profiles by a book of cases.

    hidden: facts that give the outcome away, which nobody is shown. challengers: makes the opponents that
    must be learned first, from the cases to learn from. withheld: set fact → members that give it away, which
    are still in the book. What is hidden on no more than a guess, the active profile is shown where it asks.
    """
    whole = split(profiles, book, goal)
    members = withheld or {}
    learning, proving = (
        blinded(without_members(cases, members), hidden) for cases in (whole.learning, whole.proving)
    )
    parted = replace(whole, learning=learning, proving=proving)
    rule, shuffled = challengers(parted)
    ours = judged(profiles, parted.proving)
    expected, hindsight = _expected(profiles), parted.hindsight
    told = backtest(ours, expected=expected, rounds=rounds, seed=seed, hindsight=hindsight)
    suspected = suspects(
        learning or proving, book.types, vouched=book.known_before, currency=profiles[0].currency
    )
    guessed = (hidden.keys() - OUTCOME_FACTS.keys() - book.left_out.keys()) | members.keys()
    verdict = gate(
        profiles,
        active,
        learning,
        proving,
        shuffled=shuffled,
        rule=rule,
        shown=_shown(active, whole.proving, hidden, guessed),
        suspected=suspected,
        vouching=Vouching(book.connection, book.known_before),
        rounds=rounds,
        seed=seed,
    )
    return Proof(
        split=parted,
        backtest=told,
        verdict=verdict,
        hidden=hidden,
        suspected=suspected,
        edited=tuple(profile.name for profile in profiles if questions_edited(profile)),
        judged=ours,
    )


def _shown(
    active: Sequence[Profile],
    proving: Sequence[Labelled],
    hidden: Mapping[str, str],
    guessed: Collection[str],
) -> Shown | None:
    """The cases with what the active profile asks about and the data alone call a leak; None for nothing."""
    facts = sorted({fact for profile in active for fact in asked_by(profile)}.intersection(guessed))
    if not facts:
        return None
    return Shown(facts=facts, cases=blinded(proving, {k: why for k, why in hidden.items() if k not in facts}))


def _expected(profiles: Sequence[Profile]) -> Mapping[str, float]:
    """What was foretold of each tier; nothing for a set of several, whose tiers mean different things, nor
    for one whose questions are not those it was foretold of."""
    learned: Learned | None = profiles[0].learned if len(profiles) == 1 else None
    edited = any(entry_edited(profile) or questions_edited(profile) for profile in profiles)
    return learned.expected if learned is not None and not edited else {}
