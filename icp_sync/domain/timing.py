"""How good the moment is, and how long what we say about it stays true.

Timing is written coarsely on purpose, a number in steps of 10 and a grade, so that decay does not write
to every record every day. Unknown earns nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from icp_sync.domain.compile import Answers, Compiled
from icp_sync.domain.facts import Facts, Interval

_INSTANT = 1e-6  # seconds; today, four steps of a float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """number: 0–100 in steps of 10. grade: 1 (now) to 3 (nothing says so)."""

    number: int
    grade: int


def timing_of(compiled: Compiled, answers: Answers) -> Timing:
    """Timing from the answers of one evaluation of that profile; each signal earns its low credit."""
    profile, asking = compiled.profile, compiled.asking
    if not asking.moment:
        return Timing(number=0, grade=3)
    earned = 0.0
    for signal in asking.signals:
        earned += signal.worth * answers[signal.at]
    number = _number(earned / asking.moment)
    first, second = profile.timing_grades
    return Timing(number=number, grade=1 if number >= first else 2 if number >= second else 3)


def next_change(
    compiled: Sequence[Compiled], facts: Facts, now: float, calm_ends: float | None
) -> float | None:
    """Earliest instant after now at which a field we write may change though no fact does.

    Answers about instants only jump when a future instant arrives or a past one reaches its age limit;
    between two such moments timing falls steadily. So search the stretch before the next moment for the
    instant at which the written number falls; without a moment ahead nothing decays any more.
    """
    calm = calm_ends if calm_ends is not None and calm_ends > now else None
    moment = _next_moment(compiled, facts, now)
    if moment is None:
        return calm
    fall = _next_fall(compiled, facts, now, moment)
    return fall if calm is None else min(calm, fall)


def _number(share: float) -> int:
    return 10 * floor(10.0 * share + 0.5 + 1e-9)


def _next_fall(compiled: Sequence[Compiled], facts: Facts, start: float, end: float) -> float:
    """First instant in (start, end), to the microsecond, with another timing number, else `end`."""
    decaying = [c for c in compiled if c.decays]

    def numbers(at: float) -> list[int]:
        return [_number(c.earned(facts, at)) for c in decaying]

    before = numbers(start)
    low, high = start, end - _INSTANT
    if not decaying or high <= low or numbers(high) == before:
        return end
    while high - low > _INSTANT:
        middle = (low + high) / 2
        if numbers(middle) == before:
            low = middle
        else:
            high = middle
    return high


def _next_moment(compiled: Sequence[Compiled], facts: Facts, now: float) -> float | None:
    """The next instant at which an answer about a date jumps: an end of it arrives, or grows too old."""
    found: float | None = None
    for c in compiled:
        for leaf in c.withins:
            value = facts.get(leaf.fact)
            if not isinstance(value, Interval):
                continue
            for end in value:
                for moment in (end, end + leaf.seconds):
                    if moment > now and (found is None or moment < found):
                        found = moment
    return found
