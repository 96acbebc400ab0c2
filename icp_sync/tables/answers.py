"""What evaluation, words and routing make of a profile's answers, in pieces that come again more often.

Says which parts of the answers matter to which part of a verdict. Knows no verdicts.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import ceil, floor
from operator import itemgetter, sub
from typing import NamedTuple

from icp_sync.domain.assessment import Assessment
from icp_sync.domain.compile import Answers, Compiled
from icp_sync.domain.facts import Facts, FactValue
from icp_sync.domain.populations import is_person
from icp_sync.domain.routing import is_customer
from icp_sync.domain.whole_points import EPSILON

_HALF = 0.5 + EPSILON

Points = tuple[int, int, int, int, int, int]
"""Low, high, score, least, most, percent known."""


class Answered(NamedTuple):
    """One profile's answers on one row.

    deciding: scope, gates, flags, routes. weighed: credits of weighted criteria. widths: how open each
    criterion and flag is, and whether each timing signal is open. bands: where least, score and most stand
    among the tiers, and whether too little is known to say one.
    """

    answers: Answers
    share: float
    points: Points
    bands: tuple[int, int, int, bool]
    deciding: tuple[float, ...]
    weighed: tuple[float, ...]
    widths: tuple[object, ...]

    def within(self, shown: Assessment) -> Assessment:
        """An assessment of the same bands with these points."""
        low, high, score, least, most, _ = self.points
        return replace(
            shown,
            low=low,
            high=high,
            score=score,
            least=least,
            most=most,
            covered=self.share,
            answers=self.answers,
        )


class Questions:
    """One profile's questions, and where their answers stand."""

    def __init__(self, compiled: Compiled) -> None:
        profile = compiled.profile
        bands = profile.tiers
        self._answer = compiled.answer
        self._thresholds = sorted((bands.d, bands.c, bands.b, bands.a))
        self._least_coverage = bands.min_coverage - EPSILON
        criteria, timing = len(profile.criteria), len(profile.timing)
        after = 2 + criteria + timing
        gates = [2 + i for i, c in enumerate(profile.criteria) if c.required]
        weighted = [2 + i for i, c in enumerate(profile.criteria) if not c.required]
        flags = range(after, after + len(profile.flags))
        routes = range(flags.stop, flags.stop + len(profile.routes))
        self._deciding = _picker(
            [at for place in (0, *gates, *flags, *routes) for at in (2 * place, 2 * place + 1)]
        )
        self._weighed = _picker([at for place in weighted for at in (2 * place, 2 * place + 1)])
        self._lows = _picker([2 * at for at in (*range(2, 2 + criteria), *flags)])
        self._highs = _picker([2 * at + 1 for at in (*range(2, 2 + criteria), *flags)])
        self._timing = [2 * at for at in range(2 + criteria, after)]

    def answered(self, facts: Facts, now: float) -> Answered:
        """The answers on one row's facts."""
        low, high, shown, covered, answers = self._answer(facts, now)
        least, most, score = floor(low + _HALF), floor(high + _HALF), floor(shown + _HALF)  # `rounded`
        share, bands = covered / 100.0, self._thresholds
        widths = tuple(map(sub, self._highs(answers), self._lows(answers)))
        return Answered(
            answers,
            share,
            (floor(low + EPSILON), ceil(high - EPSILON), score, least, most, floor(100 * share + EPSILON)),
            (bisect(bands, least), bisect(bands, score), bisect(bands, most), share < self._least_coverage),
            self._deciding(answers),
            self._weighed(answers),
            (widths, *[answers[at + 1] > answers[at] for at in self._timing]),
        )


def relation(facts: Mapping[str, FactValue]) -> tuple[bool, bool]:
    """What evaluation and routing ask of a company's relation to us beside the profile's questions."""
    return is_person(facts), is_customer(facts)


def _picker(places: Sequence[int]) -> Callable[[Answers], tuple[float, ...]]:
    """The answers at these places, always as a tuple."""
    if not places:
        return lambda answers: ()
    if len(places) == 1:
        return lambda answers: (answers[places[0]],)
    return itemgetter(*places)
