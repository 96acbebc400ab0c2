"""From what became of deals to a profile that is proven, or to the answer that there is not enough evidence.

One line, walked once: the older cases are learned from, what was learned becomes a file, the file is read
again and judged on the newer cases by the engine itself. Nothing is fitted after that, so the profile that is
promoted is the one that was proven.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import inf

from icp_sync.domain.profile import Profile
from icp_sync.learning.card.scorecard import Scorecard, profile_of, scorecard
from icp_sync.learning.card.written import profile_text
from icp_sync.learning.cases import Book, Case, Goal, Labelled
from icp_sync.learning.days import begins, day_of
from icp_sync.learning.enough import more_cases, too_few
from icp_sync.learning.marks.attributes import Findings, find
from icp_sync.learning.marks.coded import Coded, coded
from icp_sync.learning.past.bounded import placed_before
from icp_sync.learning.past.groups import counted_once
from icp_sync.learning.past.leaks import OUTCOME_FACTS, leaking_members, leaks
from icp_sync.learning.past.suspects import suspected_of, suspects
from icp_sync.learning.past.wanting import UNDATED
from icp_sync.learning.past.withheld import scrubbed
from icp_sync.learning.proof.challengers import challengers
from icp_sync.learning.proof.proving import Proof, prove
from icp_sync.profile_file import parse

LEARNED_SHARE = 0.7
"""Of the cases in the order they were decided, what is learned from; the rest proves it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for. until: learn from what was decided before that day (UTC); None divides by share.

    base: the text of a profile whose scope, flags, routes and the like are kept. active: what the new one has
    to beat, empty for none. capacity: how many accounts of tier A the team can carry, None for any number.
    """

    goal: Goal = Goal.WON
    until: date | None = None
    name: str = "learned"
    base: str | None = None
    active: Sequence[Profile] = ()
    capacity: int | None = None
    seed: int = 0
    rounds: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What came out, as far as the line was walked. enough: what would be, "" where there is a profile.

    learning, proving: the cases on both sides of `until`. left_out: fact → why nothing was learned from it;
    withheld: set fact → member → why. notes: which cases were set aside, in sentences. text: the profile
    file, "" without one.
    """

    learning: Sequence[Labelled]
    proving: Sequence[Labelled]
    until: date | None
    left_out: Mapping[str, str]
    withheld: Mapping[str, Mapping[str, str]]
    notes: Sequence[str] = ()
    findings: Findings | None = None
    card: Scorecard | None = None
    text: str = ""
    profile: Profile | None = None
    proof: Proof | None = None
    enough: str = ""


def learn(book: Book, wish: Wish) -> Learned:
    """Walk the line. The book's cases must be in the order they were decided."""
    whole, (book, begun) = book, _begun(book, wish)
    if few := too_few(begun.learning, begun.proving, begun.until) if book.dated else UNDATED:
        return replace(begun, enough=few)
    learning, currency = begun.learning, currency_of(book, wish)
    facts = [case.facts for case, _ in learning]
    asked = coded(facts, book.types, currency=currency, left_out=begun.left_out.keys())
    findings = find(asked, [good for _, good in learning], [case.cohort for case, _ in learning])
    begun = replace(begun, findings=findings)
    card = _card(asked, book, begun, currency, wish.capacity)
    if card is None:
        return replace(begun, enough=more_cases(findings))
    doubts = suspects(learning, book.types, asked=asked, vouched=book.known_before)
    doubted = suspected_of(profile_of(card, currency=currency), doubts)
    text = profile_text(
        card,
        findings,
        name=wish.name,
        currency=currency,
        goal=wish.goal,
        since=day_of(learning[0].case.decided),
        until=begun.until,
        left_out=begun.left_out,
        notes=(*begun.notes, *doubted.values()),
        base=wish.base,
        types=book.types,
        churn_told=book.churn_told,
        newest=day_of(book.cases[-1].decided),
    )
    profile = parse(text, f"{wish.name}.yaml", types=book.types)
    proof = prove(
        [profile],
        wish.active,
        whole,
        wish.goal,
        begun.left_out,
        withheld=begun.withheld,
        challengers=lambda split: challengers(split, book.types, currency=currency, asked=asked),
        rounds=wish.rounds,
        seed=wish.seed,
    )
    done = replace(begun, card=card, text=text, profile=profile, proof=proof)
    unbeaten = [one for one in proof.verdict.comparisons[1:] if not one.beaten]
    return replace(done, enough=proof.verdict.enough) if unbeaten else done


def _begun(book: Book, wish: Wish) -> tuple[Book, Learned]:
    """The cases on both sides of the day, and the book as it may be learned from: a group counted once,
    customers placed as could be told on that day, and nothing in it that gives the outcome away."""
    book, grouped = counted_once(book)
    until = wish.until or parted(book.cases, wish.goal)
    ends = begins(until) if until else inf
    afterwards = _good(book, wish.goal)
    book = placed_before(book, ends)
    notes = [grouped] if grouped else []
    if (good := _good(book, wish.goal)) != afterwards:
        notes.append(
            f"worth is compared as it could be on {until}, so that nothing later decides: {good[0]:,} good "
            f"of {good[1]:,}; by all that is known today it would be {afterwards[0]:,} of {afterwards[1]:,}"
        )
    withheld = leaking_members(book.labelled(wish.goal, until=ends), book.types, vouched=book.known_before)
    book = without(book, withheld)
    learning, proving = book.labelled(wish.goal, until=ends), book.labelled(wish.goal, since=ends)
    return book, Learned(
        learning=learning,
        proving=proving,
        until=until,
        left_out=given_away(book, learning),
        withheld=withheld,
        notes=notes,
    )


def _good(book: Book, goal: Goal) -> tuple[int, int]:
    """Good cases, and all that can tell."""
    told = book.labelled(goal)
    return sum(one.good for one in told), len(told)


def _card(asked: Coded, book: Book, begun: Learned, currency: str, capacity: int | None) -> Scorecard | None:
    """The scorecard. Of the crowd, whoever was decided later is left out: what is known of them proves it."""
    assert begun.findings is not None
    ends = begins(begun.until) if begun.until else inf
    later = {case.id for case in book.cases if case.decided >= ends}
    crowd = tuple(facts for account_id, facts in book.crowd.items() if account_id not in later)
    stands_for = len(book.crowd) / len(crowd) if crowd else 1.0
    return scorecard(
        asked,
        begun.learning,
        begun.findings,
        crowd=crowd or None,
        stands_for=stands_for,
        currency=currency,
        capacity=capacity,
    )


def currency_of(book: Book, wish: Wish) -> str:
    """What thresholds are in: the currency of the profile that is kept, else that of most deals."""
    return parse(wish.base, "the base profile", types=book.types).currency if wish.base else book.currency


def parted(cases: Sequence[Case], goal: Goal) -> date | None:
    """The day (UTC) from which cases prove, so that about `LEARNED_SHARE` of them lie before it. None
    without cases. It is a matter of when they were decided alone, and never of how."""
    counted = [case for case in cases if goal is Goal.WON or case.ripe]
    return day_of(counted[int(len(counted) * LEARNED_SHARE)].decided) if counted else None


def without(book: Book, withheld: Mapping[str, Mapping[str, str]]) -> Book:
    """The book without the members of sets that give the outcome away."""
    if not withheld:
        return book
    cases = tuple(replace(case, facts=scrubbed(case.facts, withheld)) for case in book.cases)
    crowd = {account_id: scrubbed(facts, withheld) for account_id, facts in book.crowd.items()}
    return replace(book, cases=cases, crowd=crowd)


def given_away(book: Book, learning: Sequence[Labelled]) -> dict[str, str]:
    """Fact → why it may not be learned from, of the facts that any account has."""
    seen = {fact for facts in book.crowd.values() for fact in facts}
    seen |= {fact for one in book.cases for fact in one.facts}
    found = leaks(learning, book.types, vouched=book.known_before)
    known = {**found, **OUTCOME_FACTS, **book.left_out}
    return {fact: why for fact, why in known.items() if fact in seen}
