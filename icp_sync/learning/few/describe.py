"""A handful of the best customers against all companies: their traits, and a draft that is a hypothesis.

Ten or twenty companies prove nothing: what they share is said with its interval and against the base, and
what is drafted from it says of itself that it is unproven. Writes no file and reads no CRM.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from icp_sync.domain.conditions import AnyOf, Condition, facts_of
from icp_sync.domain.facts import Facts
from icp_sync.domain.profile import LAYERS
from icp_sync.learning.card.naming import distinct, layer_of, name_of
from icp_sync.learning.card.scorecard import Scorecard, Step
from icp_sync.learning.card.written import profile_text
from icp_sync.learning.cases import Book, Case, Cohort, Labelled
from icp_sync.learning.figures.chance import wilson
from icp_sync.learning.marks.attributes import Findings, Mark, find
from icp_sync.learning.marks.coded import coded
from icp_sync.learning.past.groups import counted_once
from icp_sync.learning.past.leaks import leaking_members, leaks
from icp_sync.learning.past.steadiness import STEADY
from icp_sync.learning.past.withheld import without_members

FEWEST, USUAL, MOST = 5, 20, 50
"""Customers a description needs, those it takes by itself, and from how many on learning says more."""
SHARED = 0.5
"""A trait of the draft is shared by at least half of those of whom it is known."""
UNLIKELY = 0.10
"""And of the traits that are this unlikely, at most so large a share is chance (Benjamini-Hochberg)."""
_PER_LAYER, _STEPS, _FEWEST_STEPS = 2, 6, 2
EQUAL = "every criterion has as many points on purpose: so few companies cannot say which of them counts more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """One question. hits of `known` of the best say yes: share, with its Wilson interval; base: the share of
    all others that say so, of `base_known`. p: of shares so different by chance; adjusted: for all that was
    asked.

    also: cohorts of the others that share it just as much. doubt: why it may come with being a customer.
    """

    fact: str
    words: str
    layer: str
    condition: Condition
    hits: int
    known: int
    share: float
    low: float
    high: float
    base: float
    base_known: int
    p: float
    adjusted: float
    also: tuple[Cohort, ...] = ()
    doubt: str = ""

    @property
    def marks(self) -> bool:
        """Whether it may stand in a draft."""
        common = self.share >= SHARED and self.share > self.base and self.adjusted <= UNLIKELY
        return common and not self.also and not self.doubt


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """best: ids. base: how many other companies they are compared with. traits: the least likely first.
    draft: None where fewer than two traits mark them. notes: what to know before reading any of it."""

    best: tuple[str, ...]
    base: int
    traits: tuple[Trait, ...]
    findings: Findings
    draft: Scorecard | None
    notes: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """How much it is worth, plainly."""
        n = len(self.best)
        return f"{n} companies: a hypothesis, unproven. What they share may be chance; see the intervals."

    def strongest(self, most: int) -> list[Trait]:
        """The least likely trait of each fact, and of sets the next two as well."""
        taken = Counter[str]()
        found = []
        for trait in self.traits:
            allowed = 3 if trait.words.startswith(f"{trait.fact.replace('_', ' ')}:") else 1
            if trait.share > trait.base and taken[trait.fact] < allowed:
                taken[trait.fact] += 1
                found.append(trait)
        return found[:most]


def once(book: Book) -> tuple[Book, str]:
    """The book with one case of every group of companies, and how many were left out, in a sentence ("" for
    none). Those left out are none of the others either: they are the same company again."""
    counted, said = counted_once(book)
    gone = {case.id for case in book.cases} - {case.id for case in counted.cases}
    return replace(counted, crowd={id: facts for id, facts in book.crowd.items() if id not in gone}), said


def best_of(book: Book, most: int = USUAL) -> list[str]:
    """The ids of the customers worth most who have not left: the best cohort first, then by value, then those
    of whom nobody knows what they are worth; among equals in the order they were won."""
    poor = (Cohort.CHURNED, Cohort.LOW)
    kept = [case for case in book.cases if case.won and case.cohort not in poor]
    kept.sort(
        key=lambda c: (c.cohort is not Cohort.BEST, c.value is None, -(c.value or 0.0), c.decided, c.id)
    )
    return [case.id for case in kept[:most]]


def who_they_are(book: Book, best: Sequence[str], most: int = USUAL) -> str:
    """In a sentence, of which cohorts `best_of` took them, and why not more."""
    chosen = frozenset(best)
    kept = [case for case in book.cases if case.id in chosen]
    top = sum(case.cohort is Cohort.BEST for case in kept)
    said = [f"{top} of the cohort '{Cohort.BEST}'"] if top else []
    if rest := len(kept) - top:
        said.append(f"{rest} more that were won and did not leave, those worth most first")
    of = f", as at most {most} are taken" if len(kept) == most else ", all there are"
    return f"described are {' and '.join(said)}{of}; --best FILE.csv names others"


def unvalued(book: Book, best: Sequence[str]) -> int:
    """Of how many of these customers nobody knows what they are worth."""
    chosen = frozenset(best)
    return sum(
        case.value is None and case.cohort is not Cohort.BEST for case in book.cases if case.id in chosen
    )


def describe(book: Book, best: Sequence[str]) -> Description:
    """What these accounts of the book share, against all its others.

    Facts are those of today on both sides; those that follow a deal are left out, and a trait that seems to
    come with being a customer is named and kept out of the draft.
    """
    chosen = frozenset(best)
    ids = list(book.crowd)
    facts = [book.crowd[id] for id in ids]
    labels = [id in chosen for id in ids]
    cohorts = {case.id: case.cohort for case in book.cases}
    asked = coded(facts, book.types, currency=book.currency, left_out=book.left_out)
    findings = find(asked, labels, [cohorts.get(id, Cohort.UNPLACED) for id in ids])
    doubts = _doubts(ids, facts, labels, book)
    marks = [mark for attribute in findings.attributes for mark in attribute.marks]
    traits = [_trait(mark, doubts) for mark in marks]
    ranked = tuple(sorted((t for t in traits if t.known), key=lambda t: (t.p, -t.share, t.words)))
    return Description(
        best=tuple(id for id in ids if id in chosen),
        base=len(ids) - sum(labels),
        traits=ranked,
        findings=findings,
        draft=_draft(ranked),
        notes=tuple(_notes(sum(labels), len(ids), doubts)),
    )


def draft_text(found: Description, book: Book, *, name: str) -> str:
    """The draft as a profile file that says of itself that it is a hypothesis; "" where there is no draft.

    Raises ConfigError where it would be no profile.
    """
    if found.draft is None:
        return ""
    return profile_text(
        found.draft,
        None,
        name=name,
        currency=book.currency,
        goal="",
        left_out=book.left_out,
        notes=(*found.notes, EQUAL),
        types=book.types,
        cases=len(found.best),
        hypothesis=True,
    )


def _trait(mark: Mark, doubts: _Doubts) -> Trait:
    known = mark.hits + mark.other_hits
    base_known = mark.n + mark.other_n - known
    low, high = wilson(mark.hits, known)
    fact = mark.question.fact
    return Trait(
        fact=fact,
        words=mark.question.words,
        layer=layer_of(fact),
        condition=mark.question.when,
        hits=mark.hits,
        known=known,
        share=mark.hits / known if known else 0.0,
        low=low,
        high=high,
        base=(mark.n - mark.hits) / base_known if base_known else 0.0,
        base_known=base_known,
        p=mark.p,
        adjusted=mark.adjusted,
        also=mark.also,
        doubt=doubts.of(mark.question.when),
    )


class _Doubts(NamedTuple):
    """What seems to come with being a customer: fact → why, and set fact → member → why."""

    facts: Mapping[str, str]
    members: Mapping[str, Mapping[str, str]]

    def of(self, condition: Condition) -> str:
        (fact,) = facts_of(condition)
        if fact in self.facts:
            return self.facts[fact]
        asked = condition.values if isinstance(condition, AnyOf) else frozenset[str]()
        return next((why for member, why in self.members.get(fact, {}).items() if member in asked), "")

    @property
    def named(self) -> list[str]:
        members = [f"{fact}: {member}" for fact, told in self.members.items() for member in told]
        return sorted([*self.facts, *members])


def _doubts(ids: Sequence[str], facts: Sequence[Facts], labels: Sequence[bool], book: Book) -> _Doubts:
    """What hardly changes is taken at its word, however well it tells a handful of them from the rest."""
    known = [{n: v for n, v in one.items() if n not in book.left_out} for one in facts]
    labelled = [
        Labelled(Case(id=id, name="", domain="", facts=said, begun=0.0, decided=0.0, won=good), good)
        for id, said, good in zip(ids, known, labels, strict=True)
    ]
    steady = STEADY | {"employees", "revenue"}
    members = {
        fact: told
        for fact, told in leaking_members(labelled, book.types, vouched=book.known_before).items()
        if fact not in steady
    }
    found = leaks(without_members(labelled, members), book.types, vouched=book.known_before)
    return _Doubts({fact: why for fact, why in found.items() if fact not in steady}, members)


def _draft(traits: Sequence[Trait]) -> Scorecard | None:
    """The least likely traits, at most two of a layer and one of a fact, with equal points."""
    chosen: list[Trait] = []
    for trait in traits:
        layers = Counter(one.layer for one in chosen)
        again = any(_same(one.fact, trait.fact) for one in chosen)
        if trait.marks and not again and layers[trait.layer] < _PER_LAYER and len(chosen) < _STEPS:
            chosen.append(trait)
    if len(chosen) < _FEWEST_STEPS:
        return None
    chosen.sort(key=lambda trait: LAYERS.index(trait.layer))
    points = [100 // len(chosen) + (at < 100 % len(chosen)) for at in range(len(chosen))]
    names = distinct(name_of(trait.condition) for trait in chosen)
    steps = zip(chosen, names, points, strict=True)
    return Scorecard(steps=tuple(_step(trait, name, n) for trait, name, n in steps))


def _same(fact: str, other: str) -> bool:
    """Whether two facts say the same: a sector is read off the industry."""
    return fact == other or {fact, other} == {"industry", "sector"}


def _step(trait: Trait, name: str, points: int) -> Step:
    return Step(
        condition=trait.condition,
        name=name,
        layer=trait.layer,
        points=points,
        unknown=0.5,
        n=trait.hits,
        known=trait.known,
        rate=trait.share,
        low=trait.low,
        high=trait.high,
        others=trait.base,
        lift=trait.share / trait.base if trait.base else 1.0,
        note=(
            f"{trait.hits} of the {trait.known} of them we know it of ({trait.share:.0%}, may be "
            f"{trait.low:.0%}–{trait.high:.0%}), against {trait.base:.0%} of the others"
        ),
    )


def _notes(best: int, n: int, doubts: _Doubts) -> list[str]:
    found = []
    if best > MOST:
        found.append(f"{best} customers are enough to try `learn` without --describe as well")
    if n - best < 10 * best:
        found.append(f"only {n - best:,} other companies to compare with: shares of the base are rough")
    if doubts.named:
        found.append(f"may come with being a customer, so not in the draft: {', '.join(doubts.named)}")
    return found
