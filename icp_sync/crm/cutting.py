"""Where to cut many ids into ranges of about the same size, by asking how many lie below a few numbers.

Ids are even in time as a rule, and clustered by imports, by years of little and by jumps of billions. So a
cut is looked for between what is known on both sides of it, first where it should be were the ids even there,
then in the middle. Each look also tells the id next to it, above or below: a gap costs no more looks than
anything else. Knows no CRM: what a look tells is handed in.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass

LEAST = 200
"""Ids of a range at least: below it a worker of its own is worth nothing."""

NEAR = 0.05
"""Share of a range by which a cut may lie beside its place."""

LOOKS, FURTHER = 6, 12
"""Looks for each cut at most, and further ones for all of them; what is nearest by then is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """At a number. below: how many ids are up to and with it. beside: the least id above it, or the greatest
    that is not, as was asked; None for none."""

    below: int
    beside: int | None


def cut_evenly(
    parts: int, low: int, high: int, total: int, look: Callable[[int, bool], Look], *, least: int = LEAST
) -> list[int]:
    """Numbers that cut the ids in `(low, high]` into at most so many ranges; fewer where there are few.

    high: the greatest id. total: how many there are. look: at a number, and upwards or downwards from it.
    """
    parts = min(parts, total // least)
    if parts < 2:
        return []
    known = [(low, 0), (high, total)]
    aims = [total * nth / parts for nth in range(1, parts)]
    open_aims = dict.fromkeys(aims, 0)
    near = NEAR * total / parts
    for _ in range(LOOKS * len(aims) + FURTHER):
        for aim in [aim for aim in open_aims if _nearest(known, aim, near) is not None]:
            del open_aims[aim]
        if not open_aims:
            break
        aim = min(open_aims, key=open_aims.__getitem__)
        tries, open_aims[aim] = open_aims[aim], open_aims[aim] + 1
        at, upwards = _between(known, aim, middle=tries % 2 == 1), tries % 4 in (0, 3)
        found = look(at, upwards)
        _note(known, at, found.below)
        if found.beside is None:
            continue
        if upwards:
            _note(known, found.beside - 1, found.below)
            _note(known, found.beside, found.below + 1)
        else:
            _note(known, found.beside, found.below)
            _note(known, found.beside - 1, found.below - 1)
    return _distinct([min(known, key=lambda point: abs(point[1] - aim))[0] for aim in aims], low, high)


def _nearest(known: list[tuple[int, int]], aim: float, near: float) -> int | None:
    """A number whose place is near enough; the nearest of all where no number is between its neighbours."""
    below = max((point for point in known if point[1] <= aim), default=known[0])
    above = min((point for point in known if point[1] > aim), default=known[-1])
    best = min(below, above, key=lambda point: abs(point[1] - aim))
    return best[0] if abs(best[1] - aim) <= near or above[0] - below[0] <= 1 else None


def _between(known: list[tuple[int, int]], aim: float, *, middle: bool) -> int:
    """A number between those whose places are known to be before and behind that."""
    below, before = max(point for point in known if point[1] <= aim)
    above, behind = min(point for point in known if point[1] > aim)
    share = 0.5 if middle else (aim - before) / (behind - before)
    return min(max(below + int((above - below) * share), below + 1), above - 1)


def _note(known: list[tuple[int, int]], at: int, rank: int) -> None:
    """Keep a place, unless ids came or went meanwhile so that it contradicts those known before."""
    before = max((point for point in known if point[0] <= at), default=None)
    behind = min((point for point in known if point[0] >= at), default=None)
    if (before is None or before[1] <= rank) and (behind is None or rank <= behind[1]):
        insort(known, (at, rank))


def _distinct(cuts: list[int], low: int, high: int) -> list[int]:
    return [at for at in sorted(set(cuts)) if low < at < high]
