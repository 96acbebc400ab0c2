"""Which rows of a territory table want the same accounts at the same time, found without asking every pair.

Two rows exclude one another when some fact cannot satisfy both: a choice without a common word, bands that
do not meet. A set can hold words of both, so sets exclude nothing. Knows no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, islice
from math import inf

from icp_sync.domain.conditions import AnyOf, Between
from icp_sync.domain.facts import LEVELS, FactType
from icp_sync.domain.profile import DAY
from icp_sync.domain.roster import TerritoryRow
from icp_sync.domain.words import clause, date_text

SHOWN = 50
"""Overlaps named of one table; more say nothing new."""

SMALL = 40
"""Rows few enough to compare each with each."""

MOST_COMPARED = 500_000
"""Pairs looked at for advice that nobody waits for."""

Span = tuple[float, float]
Pair = tuple[TerritoryRow, TerritoryRow]
Key = Callable[[TerritoryRow], object]
Types = Mapping[str, FactType]


def overlapping(rows: Sequence[TerritoryRow], types: Types) -> Iterator[tuple[str, int, str]]:
    """(what, line, hint) for pairs of different territories of one priority that share accounts."""
    by_priority: dict[int, list[TerritoryRow]] = {}
    for row in _one_of_each(rows):
        by_priority.setdefault(row.priority, []).append(row)
    pairs = (pair for same in by_priority.values() for pair in _pairs(same, types, _territory))
    meeting = (pair for pair in pairs if _meet(*pair, types))
    for one, other in islice(_once(meeting), SHOWN):
        first, second = sorted((one, other), key=lambda row: row.line)
        what = (
            f"{second.territory} overlaps {first.territory} in row {first.line}: "
            f"both want {_shared(first, second)}"
        )
        yield what, second.line, "tell them apart by a fact, or give one a lower priority number"


def never_reached(rows: Sequence[TerritoryRow], types: Types) -> Iterator[Pair]:
    """(row, the row of a better priority that takes all it wants), each row once, in table order.

    Advice only: of a table with very many rows that meet, some may go unsaid.
    """
    found: dict[int, Pair] = {}
    for one, other in islice(_pairs(_one_of_each(rows), types, _priority), MOST_COMPARED):
        better, worse = (one, other) if one.priority < other.priority else (other, one)
        if _covers(better, worse):
            found.setdefault(worse.line, (worse, better))
    return iter(sorted(found.values(), key=lambda pair: pair[0].line))


def _territory(row: TerritoryRow) -> object:
    return row.territory


def _priority(row: TerritoryRow) -> object:
    return row.priority


def _one_of_each(rows: Iterable[TerritoryRow]) -> list[TerritoryRow]:
    """The first row of those that differ in nothing but whose they are."""
    first: dict[tuple[object, ...], TerritoryRow] = {}
    for row in rows:
        first.setdefault((row.territory, row.priority, row.wants, row.start, row.end), row)
    return list(first.values())


def _once(pairs: Iterable[Pair]) -> Iterator[Pair]:
    seen: set[tuple[int, int]] = set()
    for one, other in pairs:
        key = (min(one.line, other.line), max(one.line, other.line))
        if key not in seen:
            seen.add(key)
            yield one, other


def _pairs(rows: Sequence[TerritoryRow], types: Types, of: Key) -> Iterator[Pair]:
    """Pairs that differ in `of` and may meet; none that meet are left out, some come more than once."""
    words = [fact for fact in _asked(rows, AnyOf) if _exclusive(fact, types)]
    return _split(rows, words, _asked(rows, Between), of)


def _asked(rows: Iterable[TerritoryRow], kind: type) -> list[str]:
    return list(dict.fromkeys(want.fact for row in rows for want in row.wants if isinstance(want, kind)))


def _exclusive(fact: str, types: Types) -> bool:
    """Whether an account has but one word of this fact."""
    level, _, rest = fact.partition(".")
    return types.get(rest if level in LEVELS else fact) in (FactType.CHOICE, FactType.YES_NO)


def _split(
    rows: Sequence[TerritoryRow], words: Sequence[str], bands: Sequence[str], of: Key
) -> Iterator[Pair]:
    """Divide by the most telling word until few rows are left, then sweep along the most telling band."""
    if len(rows) > SMALL and words:
        grouped = {fact: _groups(rows, fact) for fact in words}
        best = min(words, key=lambda fact: sum(len(group) ** 2 for group in grouped[fact]))
        rest = [fact for fact in words if fact != best]
        for group in grouped[best]:
            yield from _split(group, rest, bands, of)
    elif len(rows) > SMALL:
        yield from _sweep(rows, bands, of)
    else:
        yield from ((one, other) for one, other in combinations(rows, 2) if of(one) != of(other))


def _groups(rows: Sequence[TerritoryRow], fact: str) -> list[list[TerritoryRow]]:
    """Rows that may want the same word of a fact; who does not ask stands in every group."""
    by_word: dict[str, list[TerritoryRow]] = {}
    for row in rows:
        for word in _words(row, fact) or ():
            by_word.setdefault(word, []).append(row)
    everywhere = [row for row in rows if _words(row, fact) is None]
    return [everywhere, *([*everywhere, *group] for group in by_word.values())]


def _sweep(rows: Sequence[TerritoryRow], bands: Sequence[str], of: Key) -> Iterator[Pair]:
    """Pairs whose spans meet, by the band or the time whose spans are shortest against one another."""
    spans = [{row.line: _span(row, fact) for row in rows} for fact in bands]
    spans.append({row.line: (row.start, row.end) for row in rows})
    along = min(spans, key=lambda span: _crowd(list(span.values())))
    live: dict[object, list[TerritoryRow]] = {}
    for row in sorted(rows, key=lambda row: along[row.line][0]):
        low, mine = along[row.line][0], of(row)
        for key, others in live.items():
            if key != mine:
                others[:] = [other for other in others if along[other.line][1] >= low]
                yield from ((other, row) for other in others)
        live = {key: others for key, others in live.items() if others or key == mine}
        live.setdefault(mine, []).append(row)


def _crowd(spans: Sequence[Span]) -> int:
    """How many spans meet, summed over where each begins."""
    events = sorted([(low, 0) for low, _ in spans] + [(high, 1) for _, high in spans])
    crowd = total = 0
    for _, ends in events:
        crowd += -1 if ends else 1
        total += 0 if ends else crowd
    return total


def _words(row: TerritoryRow, fact: str) -> frozenset[str] | None:
    return next((w.values for w in row.wants if isinstance(w, AnyOf) and w.fact == fact), None)


def _span(row: TerritoryRow, fact: str) -> Span:
    found = next((w for w in row.wants if isinstance(w, Between) and w.fact == fact), None)
    return (found.low, found.high) if found else (-inf, inf)


def _meet(one: TerritoryRow, other: TerritoryRow, types: Types) -> bool:
    """Whether some account could satisfy both at some instant."""
    if max(one.start, other.start) >= min(one.end, other.end):
        return False
    theirs = {want.fact: want for want in other.wants}
    return not any(want.fact in theirs and _apart(want, theirs[want.fact], types) for want in one.wants)


def _apart(one: AnyOf | Between, other: AnyOf | Between, types: Types) -> bool:
    if isinstance(one, AnyOf) and isinstance(other, AnyOf):
        return _exclusive(one.fact, types) and one.values.isdisjoint(other.values)
    if isinstance(one, Between) and isinstance(other, Between):
        return _none_between(_both(one, other))
    return False


def _both(one: Between, other: Between) -> Between:
    """What lies in both bands."""
    lower, upper = max((one, other), key=_from), min((one, other), key=_to)
    return replace(one, low=lower.low, low_open=lower.low_open, high=upper.high, high_open=upper.high_open)


def _from(band: Between) -> tuple[float, bool]:
    return band.low, band.low_open


def _to(band: Between) -> tuple[float, bool]:
    return band.high, not band.high_open


def _none_between(band: Between) -> bool:
    return band.low > band.high or (band.low == band.high and (band.low_open or band.high_open))


def _covers(better: TerritoryRow, worse: TerritoryRow) -> bool:
    """Whether everything the worse row wants, whenever it does, the better row wants as well."""
    if better.start > worse.start or better.end < worse.end:
        return False
    asked = {want.fact: want for want in worse.wants}
    return all(want.fact in asked and _holds(want, asked[want.fact]) for want in better.wants)


def _holds(wide: AnyOf | Between, narrow: AnyOf | Between) -> bool:
    if isinstance(wide, AnyOf) and isinstance(narrow, AnyOf):
        return narrow.values <= wide.values
    if isinstance(wide, Between) and isinstance(narrow, Between):
        return _both(wide, narrow) == narrow
    return False


def _shared(one: TerritoryRow, other: TerritoryRow) -> str:
    """An example of what two rows share, in words."""
    wants: dict[str, AnyOf | Between] = {want.fact: want for want in one.wants}
    said = []
    for want in other.wants:
        mine = wants.pop(want.fact, None)
        said.append(_said(want if mine is None else _common(mine, want)))
    said += [_said(want) for want in wants.values()]
    start, end = max(one.start, other.start), min(one.end, other.end)
    since = f" from {date_text(start)}" if start > -inf else ""
    until = f" to {date_text(end - DAY)}" if end < inf else ""
    return (" and ".join(said) or "every account") + since + until


def _common(one: AnyOf | Between, other: AnyOf | Between) -> AnyOf | Between:
    if isinstance(one, AnyOf) and isinstance(other, AnyOf):
        return AnyOf(fact=one.fact, values=one.values & other.values or one.values | other.values)
    if isinstance(one, Between) and isinstance(other, Between):
        return _both(one, other)
    return one


def _said(want: AnyOf | Between) -> str:
    example = replace(want, values=frozenset((min(want.values),))) if isinstance(want, AnyOf) else want
    return clause(example)
