"""The questions of a profile by their place in its answers, with what of them never differs by account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from icp_sync.domain.conditions import facts_of
from icp_sync.domain.profile import Criterion, Flag, Profile, Route, TimingSignal
from icp_sync.domain.spelling import named
from icp_sync.domain.whole_points import largest_remainder


@dataclass(frozen=True, slots=True)
class Asked:
    """at: place of its low credit in the answers; the high one follows. said: its name, fit to be read.
    facts: the facts it asks about, as `facts_of`. worth: points of 100, infinite for a must-have; of a
    signal its own weight."""

    at: int
    said: str
    facts: tuple[str, ...]
    worth: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """All that a profile asks. gates: those of its criteria that are must-haves. flags, routes: with their
    places. possible: whole points of each criterion, which add up to 100. moment: weight of all its timing.
    bands: as `Tiers.bands`."""

    criteria: tuple[Asked, ...]
    gates: tuple[Asked, ...]
    signals: tuple[Asked, ...]
    flags: tuple[tuple[int, Flag], ...]
    routes: tuple[tuple[int, Route], ...]
    possible: tuple[int, ...]
    moment: float
    bands: tuple[tuple[str, int, int], ...]


def asking_of(profile: Profile, weights: Sequence[float]) -> Asking:
    """weights: points of each criterion, which add up to 100."""
    worth = [inf if c.required else w for c, w in zip(profile.criteria, weights, strict=True)]
    criteria = _placed(profile.criteria, worth, 2)
    signals = _placed(profile.timing, [t.weight for t in profile.timing], 2 + len(criteria))
    first_flag = 2 * (2 + len(criteria) + len(signals))
    first_route = first_flag + 2 * len(profile.flags)
    return Asking(
        criteria=criteria,
        gates=tuple(asked for asked in criteria if asked.worth == inf),
        signals=signals,
        flags=tuple((first_flag + 2 * i, flag) for i, flag in enumerate(profile.flags)),
        routes=tuple((first_route + 2 * i, route) for i, route in enumerate(profile.routes)),
        possible=tuple(largest_remainder(weights, 100, [100] * len(weights))),
        moment=sum(t.weight for t in profile.timing),
        bands=profile.tiers.bands,
    )


def _placed(
    questions: Sequence[Criterion | TimingSignal], worth: Sequence[float], first: int
) -> tuple[Asked, ...]:
    return tuple(
        Asked(2 * (first + i), named(one.name), facts_of(one.when), worth[i])
        for i, one in enumerate(questions)
    )
