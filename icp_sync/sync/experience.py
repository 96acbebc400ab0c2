"""What asking has taught: how often a source tells a fact, what its answers cost, and what they are like.

The chance that an answer changes an account is found by trying on it what the same source told of others
lately. Until it has told enough, a guess stands in. Read from the journal once, then kept up to date.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from icp_sync.domain.facts import Facts, FactValue, Interval, Members, Signal
from icp_sync.journal import Journal
from icp_sync.journal.bought import Learned, Tally
from icp_sync.ports import Enricher

EXPECTED_HITS = 0.6
"""Share of questions a source answers of which nothing is known yet; single sources are said to know 50 to
70 % of companies."""
EXPECTED_WEIGHT = 8
"""How many questions a guess is worth against what was counted."""
KEPT = 600
"""Latest answers of a source that are kept to try."""
TRIED = 80
"""Of them tried on one account."""

Told = Mapping[str, FactValue]
"""Fact → value of one answer; nothing for a miss."""


@dataclass(frozen=True, slots=True)
class Example:
    """One past answer, and of what kind of company: segment "" where nobody knows any more."""

    segment: str
    told: Told


class Experience:
    """Of all sources of one connection. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: dict[tuple[str, str, str], Learned] = {}
        self._overall: dict[tuple[str, str], Learned] = {}
        self._examples: dict[str, deque[Example]] = {}
        self._read = False

    def read(self, journal: Journal, sources: Sequence[Enricher]) -> None:
        """Learn what the journal remembers, once."""
        with self._lock:
            if self._read:
                return
            self._read = True
            for (name, fact, segment), one in journal.learned().items():
                self._count(name, fact, segment, one.asked, one.told, one.charge)
            for source in sources:
                past = journal.examples(source.name, limit=KEPT) if source.price else ()
                self._examples[source.name] = deque((_example("", told) for told in past), maxlen=KEPT)

    def add(
        self, name: str, tallies: Iterable[Tally], examples: Iterable[tuple[str, Sequence[Signal]]]
    ) -> None:
        """Learn what a batch taught: its tallies, and the answers with their segments."""
        with self._lock:
            for one in tallies:
                self._count(name, one.fact, one.segment, one.asked, one.told, one.charge)
            kept = self._examples.setdefault(name, deque(maxlen=KEPT))
            kept.extend(_example(segment, signals) for segment, signals in examples)

    def _count(self, name: str, fact: str, segment: str, asked: int, told: int, charge: float) -> None:
        more = Learned(asked=asked, told=told, charge=charge)
        self._counted[name, fact, segment] = _sum(self._counted.get((name, fact, segment), _NOTHING), more)
        self._overall[name, fact] = _sum(self._overall.get((name, fact), _NOTHING), more)

    def hits(self, name: str, fact: str, segment: str) -> float:
        """The share of questions in which this source tells something that was asked of this fact."""
        overall = self._overall.get((name, fact), _NOTHING)
        share = (overall.told + EXPECTED_WEIGHT * EXPECTED_HITS) / (overall.asked + EXPECTED_WEIGHT)
        here = self._counted.get((name, fact, segment), _NOTHING)
        return (here.told + EXPECTED_WEIGHT * share) / (here.asked + EXPECTED_WEIGHT)

    def cost(self, enricher: Enricher) -> float:
        """Credits a question costs on average."""
        past = self._overall.get((enricher.name, ""), _NOTHING)
        return (past.charge + EXPECTED_WEIGHT * enricher.price) / (past.asked + EXPECTED_WEIGHT)

    def examples(self, name: str, size: str) -> tuple[Example, ...]:
        """What this source told of others, of companies of the same size where there are enough of them."""
        with self._lock:
            past = tuple(self._examples.get(name, ()))
        alike = tuple(one for one in past if one.segment.rpartition("/")[2] == size) if size else past
        chosen = alike if len(alike) >= TRIED // 2 else past
        return chosen[-TRIED:]


_NOTHING = Learned(asked=0, told=0, charge=0.0)


def _sum(one: Learned, more: Learned) -> Learned:
    return Learned(asked=one.asked + more.asked, told=one.told + more.told, charge=one.charge + more.charge)


def _example(segment: str, signals: Iterable[Signal]) -> Example:
    return Example(segment, {s.fact: s.value for s in signals})


def segment_of(facts: Facts) -> str:
    """What experience is counted by: country and rough size, each "" where nobody knows: "DE/mid"."""
    country = facts.get("country")
    where = next(iter(country.known), "") if isinstance(country, Members) and country.complete else ""
    return f"{where}/{size_of(facts)}"


def size_of(facts: Facts) -> str:
    """Rough size, "" where nobody knows."""
    size = facts.get("employees")
    return next((b for b, top in _BANDS if size.high <= top), "") if isinstance(size, Interval) else ""


_BANDS = (("small", 50.0), ("mid", 1_000.0), ("large", inf))


def tried(facts: Facts, told: Told, names: Mapping[str, str]) -> Facts:
    """The facts as they would be, had this been told: names: full name → fact, of those it may add to."""
    return {**facts, **dict(_told(facts, told, names))}


def _told(facts: Facts, told: Told, names: Mapping[str, str]) -> Iterator[tuple[str, FactValue]]:
    for name, fact in names.items():
        value, held = told.get(fact), facts.get(name)
        if value is None:
            continue
        if isinstance(value, Members) and isinstance(held, Members):
            value = Members(value.known | held.known, value.complete or held.complete)
        yield name, value
