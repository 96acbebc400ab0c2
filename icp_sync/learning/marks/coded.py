"""Every question asked of every case once, whatever became of the case.

Cuts, values and members are chosen from the facts alone, so that labels can be shuffled or drawn again at
no cost. An answer here is the engine's own: the same condition in a profile says the same of the same facts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

from icp_sync.domain.conditions import AnyOf, Condition, NoneOf
from icp_sync.domain.currency import convert
from icp_sync.domain.facts import CATALOGUE, Facts, FactType, FactValue, Interval, Members, Money, fits
from icp_sync.learning.marks.cuts import bands_of, edges
from icp_sync.learning.marks.phrases import at_least, band_words, bands, members_words, value_words

NO, YES, UNKNOWN = 0, 1, 2
"""An answer: no credit, full credit, anything else."""
NOT_KNOWN = 255
"""The code of a case whose band nobody can tell."""

NAMES = frozenset(("name", "domain", "city", "legal_name", "lei"))
"""Facts that tell companies apart and say nothing of a kind of company."""

ENOUGH, SHARE = 10, 0.01
"""A value is asked about alone when at least so many cases have it, and that share of those known."""
MOST_VALUES = 50

Kind = Literal["ordered", "values", "members"]
_Told = Sequence[FactValue | None]
"""A value a case, None where nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One condition and what it says of every case. words: "employees at least 50". answers: a byte a case,
    `YES`, `NO` or `UNKNOWN`."""

    fact: str
    when: Condition
    words: str
    answers: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One fact of all cases.

    kind: "ordered" has bands from edge to edge, the edge belonging to the band above it; "values" has a band
    a value, and where enough cases have a rarer one a last band for all of those, whose word is ""; "members"
    has questions only, one a member. questions: of an ordered fact, at least each edge, then each inner
    band; of values and members, one for each of `values`, in that order (of yes/no only "yes", which says
    it all). bands: words of each band. edges: lowest value of every band but the first; instants in UTC epoch
    seconds, money in the profile's currency. codes: the band of each case, `NOT_KNOWN` where the fact is
    missing, a range across an edge, or a value too rare to tell. known: 1 where anything is known of it.
    """

    fact: str
    type: FactType
    kind: Kind
    questions: tuple[Question, ...]
    bands: tuple[str, ...]
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()
    codes: bytes
    known: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """n cases, and what is asked of them."""

    columns: tuple[Column, ...]
    n: int


def coded(
    facts: Sequence[Facts],
    types: Mapping[str, FactType],
    *,
    currency: str,
    left_out: Container[str] = (),
) -> Coded:
    """All questions worth asking of these cases, with their answers.

    types: every fact there is. currency: ISO 4217, of the thresholds of money. left_out: facts that may not
    be learned from. No question ages, so none needs to know when it is asked. A fact that tells nearly every
    case apart is no column; one that is the same for all, or known of few, is one without questions: that it
    is known may still tell something.
    """
    columns = []
    for fact, kind in types.items():
        if fact in left_out or fact.rpartition(".")[2] in NAMES:
            continue
        told = _told(fact, kind, facts)
        if told.count(None) < len(told) and (column := _column(fact, kind, told, currency)) is not None:
            columns.append(column)
    return Coded(columns=tuple(columns), n=len(facts))


def asked_again(asked: Coded, facts: Sequence[Facts], *, currency: str) -> Coded:
    """The same questions, asked of other cases: same cuts, same values, same order."""
    columns = []
    for column in asked.columns:
        fact, kind = column.fact, column.type
        told = _told(fact, kind, facts)
        if column.kind == "ordered":
            columns.append(_ordered(fact, kind, _spans(told, currency), column.edges, currency))
        else:
            columns.append(_worded(fact, kind, told, column.values))
    return Coded(columns=tuple(columns), n=len(facts))


def _told(fact: str, kind: FactType, facts: Sequence[Facts]) -> _Told:
    values = [known.get(fact) for known in facts]
    return [value if value is not None and fits(value, kind) else None for value in values]


def _column(fact: str, kind: FactType, told: _Told, currency: str) -> Column | None:
    if kind in (FactType.NUMBER, FactType.MONEY, FactType.DATE):
        spans = _spans(told, currency)
        negative = fact.rpartition(".")[2] not in CATALOGUE or kind is FactType.DATE
        cuts = edges(fact, kind, [span for span in spans if span is not None], negative=negative)
        return _ordered(fact, kind, spans, cuts, currency)
    if kind is FactType.YES_NO:
        return _worded(fact, kind, told, ("yes", "no"))
    seen = Counter(word for value in told if isinstance(value, Members) for word in value.known)
    cases = len(told) - told.count(None)
    if kind is FactType.CHOICE and cases >= 2 * ENOUGH and len(seen) > cases / 2:
        return None
    return _worded(fact, kind, told, _asked_about(kind, seen, cases))


def _asked_about(kind: FactType, seen: Counter[str], cases: int) -> tuple[str, ...]:
    """The values with enough cases and enough others, frequent ones first; "" for the rest of a choice."""
    enough = max(ENOUGH, ceil(SHARE * cases))
    common = sorted(seen.items(), key=lambda item: (-item[1], item[0]))[:MOST_VALUES]
    values = [word for word, count in common if count >= enough]
    if kind is not FactType.CHOICE:
        return tuple(word for word in values if cases - seen[word] >= enough)
    if seen.total() - sum(seen[word] for word in values) >= enough:
        values.append("")
    return tuple(values) if len(values) > 1 else ()


def _spans(told: _Told, currency: str) -> list[Interval | None]:
    """Ranges in one unit: money in the profile's currency, as the engine converts it."""
    return [
        convert(value, currency)
        if isinstance(value, Money)
        else value
        if isinstance(value, Interval)
        else None
        for value in told
    ]


def _ordered(
    fact: str, kind: FactType, spans: Sequence[Interval | None], cuts: tuple[float, ...], currency: str
) -> Column:
    """The pair of bands a range begins and ends in answers every question about it."""
    pairs = bytearray([NOT_KNOWN]) * len(spans)
    for index, span in enumerate(spans):
        if span is not None:
            first, last = bands_of(span, cuts)
            pairs[index] = first * 16 + last
    said = bytes(pairs)
    asked = [
        Question(fact=fact, when=when, words=words, answers=said.translate(_table(low, len(cuts))))
        for low, (when, words) in enumerate(at_least(fact, kind, cuts, currency), start=1)
    ]
    asked += [
        Question(fact=fact, when=when, words=words, answers=said.translate(_table(at, at)))
        for at, (when, words) in enumerate(bands(fact, kind, cuts, currency), start=1)
    ]
    return Column(
        fact=fact,
        type=kind,
        kind="ordered",
        questions=tuple(asked),
        bands=band_words(fact, kind, cuts, currency),
        edges=cuts,
        codes=said.translate(_BAND),
        known=said.translate(_KNOWN),
    )


_BAND = bytes(pair >> 4 if pair >> 4 == pair & 15 != 15 else NOT_KNOWN for pair in range(256))
_KNOWN = bytes([1] * NOT_KNOWN + [0])


def _table(low: int, high: int) -> bytes:
    """Pair of bands → whether it lies in the bands `low` to `high`."""

    def answer(pair: int) -> int:
        first, last = pair >> 4, pair & 15
        if pair == NOT_KNOWN:
            return UNKNOWN
        if first >= low and last <= high:
            return YES
        return UNKNOWN if last >= low and first <= high else NO

    return bytes(map(answer, range(256)))


def _worded(fact: str, kind: FactType, told: _Told, values: tuple[str, ...]) -> Column:
    """One question a value; "" stands for every value that is not named."""
    n = len(told)
    known, otherwise, codes = bytearray(n), bytearray([UNKNOWN]) * n, bytearray([NOT_KNOWN]) * n
    places = {word: at for at, word in enumerate(values) if word}
    rest = len(places) if "" in values else None
    hits: list[list[int]] = [[] for _ in values]
    named: list[int] = []
    for index, value in enumerate(told):
        if not isinstance(value, Members):
            continue
        known[index] = 1
        if value.complete:
            otherwise[index] = NO
        found = [places[word] for word in value.known if word in places]
        for at in found:
            hits[at].append(index)
        if found:
            named.append(index)
        elif value.complete and rest is not None:
            hits[rest].append(index)
        if len(value.known) == 1 and value.complete:
            codes[index] = found[0] if found else NOT_KNOWN if rest is None else rest
    asked = [
        _membership(fact, word, frozenset(places), bytes(otherwise), found, () if word else named)
        for word, found in zip(values, hits, strict=True)
    ]
    members = kind is FactType.SET
    return Column(
        fact=fact,
        type=kind,
        kind="members" if members else "values",
        questions=tuple(asked[:1] if kind is FactType.YES_NO else asked),
        bands=() if members else tuple(map(value_words, values)),
        values=values,
        codes=bytes([NOT_KNOWN]) * n if members else bytes(codes),
        known=bytes(known),
    )


def _membership(
    fact: str, word: str, named: frozenset[str], otherwise: bytes, yes: Sequence[int], no: Sequence[int]
) -> Question:
    """Whether a value is this word; for "", whether it is none of those named."""
    answers = bytearray(otherwise)
    for index in no:
        answers[index] = NO
    for index in yes:
        answers[index] = YES
    when = AnyOf(fact=fact, values=frozenset((word,))) if word else NoneOf(fact=fact, values=named)
    return Question(fact=fact, when=when, words=members_words(fact, word), answers=bytes(answers))
