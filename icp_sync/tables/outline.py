"""The part of `reasons` that depends on credits: made once for equal credits, with gaps for what a sentence
quotes; the gaps are filled from each row's own facts. Lines stand in one cell, a space apart.

Must say, word for word, what `domain.reasons` says.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from icp_sync.domain import words
from icp_sync.domain.assessment import whole_points
from icp_sync.domain.compile import Answers, Compiled
from icp_sync.domain.facts import FactValue
from icp_sync.domain.headline import Rest
from icp_sync.domain.reasons import LEADS, Ranked, Weighed, gap_worth, met_item, points_item
from icp_sync.tables.recent import Recent

_OUTLINES = 8_192  # and as many older ones
_PHRASES = 4_096  # remembered per criterion


class Phrase:
    """Words that quote one fact, made once for the same value. after: what follows them."""

    __slots__ = ("_make", "known", "name")

    def __init__(self, name: str, make: Callable[[Mapping[str, FactValue]], str]) -> None:
        self.name, self._make = name, make
        self.known: dict[object, str] = {}

    def of(self, facts: Mapping[str, FactValue]) -> str:
        key = facts.get(self.name)
        text = self.known.get(key)
        if text is None:
            if len(self.known) >= _PHRASES:
                self.known.clear()
            text = self.known[key] = self._make(facts)
        return text


@dataclass(frozen=True, slots=True)
class Outline:
    """Fixed texts with a phrase between each two of them."""

    texts: tuple[str, ...]
    phrases: tuple[Phrase, ...]

    def said(self, facts: Mapping[str, FactValue]) -> str:
        """The whole, with what these facts say."""
        said = self.texts[0]
        for at, phrase in enumerate(self.phrases, 1):
            said += phrase.of(facts) + self.texts[at]
        return said


NOTHING = Outline(("",), ())


@dataclass(frozen=True, slots=True)
class Outlined:
    """first: how the first line ends. rest: the lines below it that depend on points."""

    first: Outline
    rest: Outline


NOT_OUTLINED = Outlined(NOTHING, NOTHING)


class Outlines:
    """The outlines of some profiles."""

    def __init__(self, compiled: Sequence[Compiled]) -> None:
        self._compiled = compiled
        self._found: Recent[Outlined] = Recent(_OUTLINES)
        self._phrases: dict[tuple[int, str, object], Phrase] = {}

    def of(
        self,
        place: int,
        tier: str,
        rest: Rest,
        weighed: Hashable,
        known: Hashable,
        answers: Answers,
        score: int,
        facts: Mapping[str, FactValue],
    ) -> Outlined:
        """What helps, hurts and is missing.

        tier, rest: of which the first line tells, and how it goes on. weighed: the credits it depends on.
        known: which facts are not there at all, and which are settled, so that what is missing is fixed.
        score: whole points shown.
        """
        key = (place, tier, rest, weighed, known)
        found = self._found.get(key)
        if found is None:
            found = self._found.keep(key, self._made(place, tier, rest, answers, score, facts))
        return found

    def _made(
        self, place: int, tier: str, rest: Rest, answers: Answers, score: int, facts: Mapping[str, FactValue]
    ) -> Outlined:
        compiled = self._compiled[place]
        earned = whole_points(compiled, answers, score)
        ranked = Ranked.of(compiled.asking.criteria, answers, earned, facts)
        first, texts = _Texts(), _Texts()
        if rest is Rest.TOP and (top := ranked.strongest(tier)) is not None:
            first.fixed(": ")
            self._item(first, place, top, facts)
        elif rest is Rest.GAP and ranked.missing:
            fact = ranked.missing[0][0]
            first.fixed(", ")
            self._quoted(first, place, fact, facts, partial(words.gap_clause, fact), key=Rest.GAP)
        first.fixed("" if rest is Rest.WHOLE else ".")
        for lead, found in zip(LEADS.values(), (ranked.helps, ranked.hurts), strict=False):
            for at, one in enumerate(found):
                texts.fixed("; " if at else f" {lead}: ")
                self._item(texts, place, one, facts)
            texts.fixed("." if found else "")
        for at, (fact, points) in enumerate(ranked.missing):
            texts.fixed("; " if at else f" {LEADS['?']}: ")
            self._quoted(texts, place, fact, facts, partial(words.gap_words, fact))
            texts.fixed(gap_worth(points))
        texts.fixed("." if ranked.missing else "")
        return Outlined(first.outline(), texts.outline())

    def _item(self, texts: _Texts, place: int, one: Weighed, facts: Mapping[str, FactValue]) -> None:
        """A criterion with its points; where it hurts, in the words of its fact."""
        profile = self._compiled[place].profile
        criterion, currency = profile.criteria[one.at], profile.currency
        if one.credit >= 1.0:
            texts.fixed(met_item(self._compiled[place].asking.criteria[one.at].said, one.got))
            return

        def quoted(facts: Mapping[str, FactValue]) -> str:
            return words.verdict_words(criterion, one.credit, facts, currency)

        fact = words.quoted_fact(criterion.when)
        self._quoted(texts, place, fact, facts, quoted, key=one.at)
        texts.fixed(points_item("", one.got, one.of))

    def _quoted(
        self,
        texts: _Texts,
        place: int,
        fact: str,
        facts: Mapping[str, FactValue],
        make: Callable[[Mapping[str, FactValue]], str],
        key: object = None,
    ) -> None:
        """Words that quote a fact, left open where it is there. key: whose words, None for the fact's own."""
        if fact not in facts:
            texts.fixed(make(facts))
            return
        named = (place, fact, key)
        phrase = self._phrases.get(named)
        if phrase is None:
            phrase = self._phrases[named] = Phrase(fact, make)
        texts.open(phrase)


class _Texts:
    """Fixed texts and phrases as they come."""

    def __init__(self) -> None:
        self._texts, self._phrases = [""], list[Phrase]()

    def fixed(self, text: str) -> None:
        self._texts[-1] += text

    def open(self, phrase: Phrase) -> None:
        self._phrases.append(phrase)
        self._texts.append("")

    def outline(self) -> Outline:
        return Outline(tuple(self._texts), tuple(self._phrases))
