"""The part of `words.reasons` that depends on credits: made once for equal credits, with gaps for what a
sentence quotes; the gaps are filled from each row's own facts.

Must say, word for word, what `domain.words` says.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

from icp_sync.domain import words
from icp_sync.domain.assessment import largest_remainder
from icp_sync.domain.compile import Answers, Compiled
from icp_sync.domain.conditions import facts_of
from icp_sync.domain.facts import FactValue
from icp_sync.tables.recent import Recent

_OUTLINES = 8_192  # and as many older ones
_PHRASES = 4_096  # remembered per criterion and sign
_SHOWN = 3  # of each sign, as `words.reasons` has it


class Phrase:
    """Words that quote facts, made once for the same values."""

    __slots__ = ("_make", "known", "names", "one")

    def __init__(self, names: Sequence[str], make: Callable[[Mapping[str, FactValue]], str]) -> None:
        self.names, self._make = tuple(names), make
        self.one = self.names[0] if len(self.names) == 1 else ""
        self.known: dict[object, str] = {}

    def of(self, facts: Mapping[str, FactValue]) -> str:
        key = facts.get(self.one) if self.one else tuple(map(facts.get, self.names))
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


class Outlines:
    """The outlines of some profiles."""

    def __init__(self, compiled: Sequence[Compiled]) -> None:
        self._compiled = compiled
        self._found: Recent[Outline] = Recent(_OUTLINES)
        self._phrases: dict[tuple[int, int, str], Phrase] = {}
        self._possible = [largest_remainder(c.weights, 100, [100] * len(c.weights)) for c in compiled]

    def of(
        self,
        place: int,
        weighed: Hashable,
        absent: Hashable,
        answers: Answers,
        score: int,
        facts: Mapping[str, FactValue],
    ) -> Outline:
        """What helps, hurts and is missing.

        weighed: the credits it depends on. absent: which facts are not there at all, so that what is said
        of those is fixed. score: whole points shown.
        """
        key = (place, weighed, absent)
        found = self._found.get(key)
        if found is None:
            found = self._found.keep(key, self._made(place, answers, score, facts))
        return found

    def _made(self, place: int, answers: Answers, score: int, facts: Mapping[str, FactValue]) -> Outline:
        compiled, possible = self._compiled[place], self._possible[place]
        criteria = compiled.profile.criteria
        ranked: dict[str, list[tuple[float, int]]] = {"+": [], "−": [], "?": []}
        shares = []
        for index, criterion in enumerate(criteria):
            low, high = answers[4 + 2 * index], answers[5 + 2 * index]
            shares.append(compiled.weights[index] * (low + criterion.unknown * (high - low)))
            of = possible[index]
            if criterion.required or not of:
                continue
            if high > low:
                ranked["?"].append((-of * (high - low), index))
            elif low >= 0.5:
                ranked["+"].append((-of * low, index))
            else:
                ranked["−"].append((-of * (1 - low), index))
        earned = largest_remainder(shares, score, possible)
        texts, phrases = [""], []
        for sign, found in ranked.items():
            for _, index in sorted(found)[:_SHOWN]:
                got, of = earned[index], possible[index]
                if sign == "+":
                    texts[-1] += f" + {criteria[index].name} {got}/{of}."
                else:
                    phrase = self._phrase(place, index, sign)
                    after = f": {got}/{of}." if sign == "−" else f" (up to {of})."
                    if any(name in facts for name in phrase.names):
                        texts[-1] += f" {sign} "
                        phrases.append(phrase)
                        texts.append(after)
                    else:
                        texts[-1] += f" {sign} {phrase.of(facts)}{after}"
        return Outline(tuple(texts), tuple(phrases))

    def _phrase(self, place: int, index: int, sign: str) -> Phrase:
        found = self._phrases.get((place, index, sign))
        if found is None:
            profile = self._compiled[place].profile
            criterion, currency = profile.criteria[index], profile.currency

            def quoted(facts: Mapping[str, FactValue]) -> str:
                if sign == "−":
                    return words.value_words(criterion, facts, currency)
                return words.unknowns(criterion, facts)

            found = self._phrases[(place, index, sign)] = Phrase(facts_of(criterion.when), quoted)
        return found
