"""Figures as what a chart needs: widths for bars that the server draws, series for those a script draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

WIDTH = 100.0
DAY = 86_400


class Bar(NamedTuple):
    """One bar of a chart: its length of `WIDTH`, and its share of all."""

    name: str
    n: int
    width: float
    share: float


def bars(counts: Mapping[str, int]) -> tuple[Bar, ...]:
    """A bar for each, in the given order; the longest is as long as there is room."""
    most, total = max(counts.values(), default=0), sum(counts.values())
    return tuple(
        Bar(name, n, round(WIDTH * n / most, 2) if most else 0.0, n / total if total else 0.0)
        for name, n in counts.items()
    )


class Day(Protocol):
    @property
    def day(self) -> int: ...

    @property
    def data(self) -> Mapping[str, Any]: ...


def over_time(days: Sequence[Day], key: str, names: Mapping[str, str]) -> dict[str, Any]:
    """Series by day, oldest first: `x` as epoch seconds, `lines` as {name, values}; a gap is null.

    names: what of a day's figure is shown, and how it is called.
    """
    return {
        "x": [one.day * DAY for one in days],
        "lines": [
            {"name": called, "values": [(one.data.get(key) or {}).get(name) for one in days]}
            for name, called in names.items()
        ],
    }
