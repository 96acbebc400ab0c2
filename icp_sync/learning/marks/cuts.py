"""Where numbers, amounts and dates are cut into bands: at round ones, with enough cases in every band.

Cuts are chosen from the values alone. It never sees which cases were good, so that no test made with them
has been promised anything.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from math import ceil, floor, inf, log10

from icp_sync.domain.facts import FactType, Interval

MOST_BANDS = 6
ENOUGH, SHARE = 20, 0.03
"""A band holds at least so many of the cases whose value is known, and at least that share of them."""

USUAL = {
    "employees": (10.0, 50.0, 200.0, 500.0, 1_000.0, 5_000.0),
    "revenue": (1e6, 5e6, 1e7, 5e7, 2.5e8, 1e9),
}
"""Where everybody cuts."""

_QUANTILES = (0.2, 0.4, 0.6, 0.8)
_SLACK = 0.05  # of the cases a cut may move by, to be rounder
_LARGEST = 1e15  # what the profile language takes
_SMALLEST = 1e-9  # below, numbers are not rounded
_FEW = 3  # cuts; with fewer the usual ones say little about these companies

Spans = Sequence[Interval]


def edges(fact: str, kind: FactType, spans: Spans, *, negative: bool = True) -> tuple[float, ...]:
    """Lowest values of all bands but the first, rising; empty where the values cannot be told apart.

    spans: every value known, in one unit; instants are UTC epoch seconds. negative: whether a cut may lie
    below zero. A band has at least `ENOUGH` and at least `SHARE` of the exact ones, and there are at most
    `MOST_BANDS`.
    """
    points = sorted(_point(span) for span in spans)
    points = [point for point in points if -inf < point < inf]
    if len(points) < 2 * ENOUGH:
        return ()
    ranged = [span for span in spans if span.low < span.high]
    whole = bool(ranged) and kind is FactType.NUMBER and all(map(_whole, spans))
    least = 0.0 if not negative else -_LARGEST

    def settled(wishes: Iterable[float]) -> tuple[float, ...]:
        chosen = {_between_ranges(cut, ranged) if whole else cut for cut in wishes}
        return _merged(sorted(c for c in chosen if max(points[0], least) < c < _LARGEST), spans)

    usual = settled(USUAL.get(fact.rpartition(".")[2], ()))
    if len(usual) >= _FEW:
        return usual
    rounded = _date_in if kind is FactType.DATE else roundest
    wishes = list(_at_quantiles(points, rounded))
    if kind is not FactType.DATE and (above := _above_the_least(points)) is not None:
        wishes.append(above)
    by_quantiles = settled(wishes)
    return max(usual, by_quantiles, key=len)


def bands_of(span: Interval, cuts: Sequence[float]) -> tuple[int, int]:
    """The bands in which the least and the greatest value of a range lie."""
    first = bisect_right(cuts, span.low)
    return first, first if span.low == span.high else bisect_right(cuts, span.high)


def roundest(low: float, high: float) -> float:
    """The number of `[low, high]` that is a multiple of the largest of … 1, 2, 5, 10, 20 …; 0 before all."""
    if low <= 0.0 <= high:
        return 0.0
    if max(abs(low), abs(high)) < _SMALLEST:
        return low
    power = floor(log10(max(abs(low), abs(high))))
    for exponent in range(power, power - 16, -1):
        for digit in (5, 2, 1):
            step = digit * 10.0**exponent if exponent >= 0 else digit / 10.0**-exponent
            found = ceil(low / step) * step if exponent >= 0 else ceil(low / step) * digit / 10.0**-exponent
            if low <= found <= high:
                return found
    return low


def _date_in(low: float, high: float) -> float:
    """The roundest first instant of a decade, of five years, of a year, a quarter, a month or a day."""
    try:
        first, last = datetime.fromtimestamp(low, UTC), datetime.fromtimestamp(high, UTC)
        for years in (10, 5, 2, 1):
            year = -(-(first.year + (first > datetime(first.year, 1, 1, tzinfo=UTC))) // years) * years
            if datetime(year, 1, 1, tzinfo=UTC) <= last:
                return datetime(year, 1, 1, tzinfo=UTC).timestamp()
        for months in (3, 1):
            count = -(-(first.month - 1 + (first.day > 1)) // months) * months
            start = datetime(first.year + count // 12, count % 12 + 1, 1, tzinfo=UTC)
            if first <= start <= last:
                return start.timestamp()
    except (OverflowError, OSError, ValueError):
        return inf
    return floor(high / 86_400.0) * 86_400.0


def _point(span: Interval) -> float:
    """Where a value is counted while cuts are looked for: a range at its low end, where its band begins."""
    return span.low if span.low > -inf else span.high


def _whole(span: Interval) -> bool:
    return all(bound in (inf, -inf) or bound == floor(bound) for bound in span)


def _at_quantiles(points: Sequence[float], rounded: Callable[[float, float], float]) -> Iterable[float]:
    last = len(points) - 1
    for share in _QUANTILES:
        low, high = points[round((share - _SLACK) * last)], points[round((share + _SLACK) * last)]
        at = bisect_right(points, points[0])
        if low <= points[0] and at <= last:
            low = points[at]
        if low <= high:
            yield rounded(low, high)


def _above_the_least(points: Sequence[float]) -> float | None:
    """The next value where many share the least one: no visits at all, and some."""
    at = bisect_right(points, points[0])
    if at < 0.1 * len(points) or at == len(points):
        return None
    return roundest((points[0] + points[at]) / 2, points[at]) if points[0] < 0 else points[at]


def _between_ranges(cut: float, spans: Spans) -> float:
    """The cut or the number after it, whichever lies inside fewer ranges: 51 where lists say "11–50"."""
    across = [sum(span.low < at <= span.high for span in spans) for at in (cut, cut + 1)]
    return cut if across[0] <= across[1] else cut + 1


def _merged(cuts: list[float], spans: Spans) -> tuple[float, ...]:
    """Only cuts that leave enough on both sides: the smallest band joins its smaller neighbour."""
    least = max(ENOUGH, SHARE * len(spans))
    placed = Counter(bands_of(span, cuts) for span in spans)
    while cuts:
        counts = [placed[at, at] for at in range(len(cuts) + 1)]
        if min(counts) >= least and len(counts) <= MOST_BANDS:
            break
        at = counts.index(min(counts))
        beside = [i for i in (at - 1, at + 1) if 0 <= i < len(counts)]
        gone = min(
            at, min(beside, key=lambda i: counts[i])
        )  # the cut between two bands has the lower's number
        del cuts[gone]
        joined: Counter[tuple[int, int]] = Counter()
        for (first, last), cases in placed.items():
            joined[first - (first > gone), last - (last > gone)] += cases
        placed = joined
    return tuple(cuts)
