"""From what became of deals to a profile that is proven, or to the answer that there is not enough evidence.

One line, walked once: the older cases are learned from, what was learned becomes a file, the file is read
again and judged on the newer cases by the engine itself. Nothing is fitted after that, so the profile that is
promoted is the one that was proven.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from math import inf

from icp_sync.domain.profile import Profile
from icp_sync.learning.attributes import Findings, find
from icp_sync.learning.cases import Book, Goal, Labelled
from icp_sync.learning.challengers import challengers
from icp_sync.learning.coded import coded
from icp_sync.learning.enough import more_cases, too_few
from icp_sync.learning.leaks import OUTCOME_FACTS, leaking_members, leaks
from icp_sync.learning.proving import Proof, prove
from icp_sync.learning.scorecard import Scorecard, scorecard
from icp_sync.learning.withheld import scrubbed
from icp_sync.learning.written import profile_text
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
    withheld: set fact → member → why. text: the profile file, "" without one.
    """

    learning: Sequence[Labelled]
    proving: Sequence[Labelled]
    until: date | None
    left_out: Mapping[str, str]
    withheld: Mapping[str, Mapping[str, str]]
    findings: Findings | None = None
    card: Scorecard | None = None
    text: str = ""
    profile: Profile | None = None
    proof: Proof | None = None
    enough: str = ""


def learn(book: Book, wish: Wish) -> Learned:
    """Walk the line. The book's cases must be in the order they were decided."""
    told = book.labelled(wish.goal)
    until = wish.until or parted(told)
    ends = _instant(until) if until else inf
    withheld = leaking_members([one for one in told if one.case.decided < ends], book.types)
    book = without(book, withheld)
    learning, proving = book.labelled(wish.goal, until=ends), book.labelled(wish.goal, since=ends)
    left_out = given_away(book, learning)
    begun = Learned(learning=learning, proving=proving, until=until, left_out=left_out, withheld=withheld)
    if few := too_few(learning, proving, until):
        return replace(begun, enough=few)
    currency = currency_of(book, wish)
    asked = coded(
        [case.facts for case, _ in learning], book.types, currency=currency, left_out=left_out.keys()
    )
    findings = find(asked, [good for _, good in learning], [case.cohort for case, _ in learning])
    begun = replace(begun, findings=findings)
    crowd = tuple(book.crowd.values())
    card = scorecard(asked, learning, findings, crowd=crowd, currency=currency, capacity=wish.capacity)
    if card is None:
        return replace(begun, enough=more_cases(findings))
    text = profile_text(
        card,
        findings,
        name=wish.name,
        currency=currency,
        goal=wish.goal,
        since=_day(learning[0]),
        until=until,
        left_out=left_out,
        base=wish.base,
        types=book.types,
    )
    profile = parse(text, f"{wish.name}.yaml", types=book.types)
    proof = prove(
        [profile],
        wish.active,
        book,
        wish.goal,
        left_out,
        challengers=lambda split: challengers(split, book.types, currency=currency, asked=asked),
        rounds=wish.rounds,
        seed=wish.seed,
    )
    done = replace(begun, card=card, text=text, profile=profile, proof=proof)
    unbeaten = [one for one in proof.verdict.comparisons[1:] if not one.beaten]
    return replace(done, enough=proof.verdict.enough) if unbeaten else done


def currency_of(book: Book, wish: Wish) -> str:
    """What thresholds are in: the currency of the profile that is kept, else that of most deals."""
    return parse(wish.base, "the base profile", types=book.types).currency if wish.base else book.currency


def parted(told: Sequence[Labelled]) -> date | None:
    """The day (UTC) from which cases prove, so that about `LEARNED_SHARE` of them lie before it. None
    without cases."""
    if not told:
        return None
    return _day(told[int(len(told) * LEARNED_SHARE)])


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
    known = {**leaks(learning, book.types), **OUTCOME_FACTS, **book.left_out}
    return {fact: why for fact, why in known.items() if fact in seen}


def _day(one: Labelled) -> date:
    return datetime.fromtimestamp(one.case.decided, UTC).date()


def _instant(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
