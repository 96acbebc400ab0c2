"""Where two sources cannot both be right about a company: the value that counts against one that does not.

Headcounts and revenues of one year and the next differ by a band in one of five companies, and nobody is
wrong; what lies further apart is worth a look. Bands of headcount are LinkedIn's (1-10, 11-50, … 10,001+),
those of revenue People Data Labs' ($0-$1M … $10B+): their published `size` and `inferred_revenue` values.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from icp_sync.domain.currency import convert
from icp_sync.domain.facts import (
    CATALOGUE,
    FactType,
    FactValue,
    Interval,
    Known,
    Members,
    Money,
    Signal,
    value_from_json,
    value_to_json,
)

HEADCOUNTS = (10.0, 50.0, 200.0, 500.0, 1_000.0, 5_000.0, 10_000.0)
"""The last number of each band but the open one."""
REVENUES = (1e6, 10e6, 25e6, 50e6, 100e6, 250e6, 500e6, 1e9, 10e9)
"""US dollars at which a band ends and the next begins."""
NEAR = 1
"""Bands apart that are no disagreement."""

_SPELLED = frozenset(("name", "legal_name", "domain"))
"""Choices that everybody spells in a way of their own, or that the look-up itself rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Two signals of one fact. bands: how many bands apart they are, 0 where a fact has none."""

    fact: str
    winner: Signal
    loser: Signal
    bands: int = 0


def disagreements(known: Known, types: Mapping[str, FactType] = CATALOGUE) -> tuple[Disagreement, ...]:
    """Every loser that contradicts its winner, by fact; of one source only the first."""
    found: dict[tuple[str, str], Disagreement] = {}
    for fact, losers in sorted(known.losers.items()):
        winner = known.winners.get(fact)
        if winner is None:
            continue
        for loser in losers:
            apart = _apart(fact, winner.value, loser.value, types.get(fact))
            if apart is not None and loser.source != winner.source:
                one = Disagreement(fact=fact, winner=winner, loser=loser, bands=apart)
                found.setdefault((fact, loser.source), one)
    return tuple(found.values())


def agree(ours: FactValue, theirs: FactValue) -> bool:
    """Whether two values say the same, one of them perhaps less exactly or less of it."""
    if isinstance(ours, Members) or isinstance(theirs, Members):
        if not isinstance(ours, Members) or not isinstance(theirs, Members):
            return False
        mine, other = ({_plain(word) for word in value.known} for value in (ours, theirs))
        return mine <= other or other <= mine
    if isinstance(ours, Money) and isinstance(theirs, Money) and ours.currency != theirs.currency:
        ours, theirs = convert(ours, "USD"), convert(theirs, "USD")
    return ours.low <= theirs.high and theirs.low <= ours.high


def to_json(found: Sequence[Disagreement]) -> list[list[object]]:
    """As plain JSON: fact, the value that counts, its source, the other, its source, bands apart."""
    return [
        [
            d.fact,
            value_to_json(d.winner.value),
            d.winner.source,
            value_to_json(d.loser.value),
            d.loser.source,
            d.bands,
        ]
        for d in found
    ]


def from_json(stored: object) -> tuple[Disagreement, ...]:
    """The inverse of `to_json`, as far as values and sources go; what cannot be read is left out."""
    found = []
    for row in stored if isinstance(stored, list) else []:
        match row:
            case [str(fact), list(ours), str(source), list(theirs), str(other), int(bands)]:
                pass
            case _:
                continue
        try:
            winner, loser = (
                Signal(fact=fact, value=value_from_json(value), source=who, observed_at=0.0)
                for value, who in ((ours, source), (theirs, other))
            )
        except ValueError:
            continue
        found.append(Disagreement(fact=fact, winner=winner, loser=loser, bands=bands))
    return tuple(found)


def _apart(fact: str, ours: FactValue, theirs: FactValue, kind: FactType | None) -> int | None:
    """How many bands apart two values are, 0 for choices that differ; None where both may be right."""
    if fact == "employees" and isinstance(ours, Interval) and isinstance(theirs, Interval):
        return _beyond(_between(ours, theirs, _headcounts))
    if fact == "revenue" and isinstance(ours, Money) and isinstance(theirs, Money):
        return _beyond(_between(convert(ours, "USD"), convert(theirs, "USD"), _revenues))
    single = kind in (FactType.CHOICE, FactType.YES_NO) and fact not in _SPELLED
    if single and isinstance(ours, Members) and isinstance(theirs, Members):
        both = [{_plain(word) for word in value.known} - {""} for value in (ours, theirs)]
        return 0 if all(both) and both[0].isdisjoint(both[1]) else None
    return None


def _beyond(bands: int) -> int | None:
    return bands if bands > NEAR else None


def _between(ours: Interval, theirs: Interval, bands: Callable[[Interval], tuple[int, int]]) -> int:
    (a, b), (c, d) = bands(ours), bands(theirs)
    return max(0, c - b, a - d)


def _headcounts(value: Interval) -> tuple[int, int]:
    return bisect_left(HEADCOUNTS, value.low), bisect_left(HEADCOUNTS, value.high)


def _revenues(value: Interval) -> tuple[int, int]:
    """A bound that is the end of one band and the beginning of the next belongs to the side it bounds."""
    ends = bisect_right(REVENUES, value.low), bisect_left(REVENUES, value.high)
    return min(ends), max(ends)


def _plain(word: str) -> str:
    return "".join(c for c in word.casefold() if c.isalnum())
