"""What facts would cost, in words: for `plan` and `enrich`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import inf
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from icp_sync.sync.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Credits of a dry run. now: expected, most: at most; both within the budgets. everything: what asking
    every source would cost. saved: of that, by asking no more than matters. bounded_by: budgets that leave
    less than `wanted`, what it could come to without them.
    """

    now: float
    most: float
    everything: float
    saved: float
    wanted: float
    bounded_by: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def forecast(
    expected: Mapping[str, float],
    most: Mapping[str, float],
    everything: Mapping[str, float],
    left: Mapping[str, float],
) -> Forecast:
    """By source: what is expected, at most, and of everything. left: budget → credits it leaves."""
    most_within, bounded_by = _within(most, left)
    now, whole = sum(expected.values()), sum(everything.values())
    return Forecast(
        now=min(_within(expected, left)[0], most_within),
        most=most_within,
        everything=whole,
        saved=max(0.0, whole - now),
        wanted=sum(most.values()),
        bounded_by=bounded_by,
    )


def forecast_of(report: Report, left: Mapping[str, float]) -> Forecast:
    return forecast(report.credits, report.credits_most, report.credits_everything, left)


def _within(credits: Mapping[str, float], left: Mapping[str, float]) -> tuple[float, tuple[str, ...]]:
    """What the budgets leave of these credits, and the names of the budgets that bound them."""
    bounds: dict[str, None] = {}
    total = 0.0
    for vendor, wanted in credits.items():
        own = {name: left.get(name, inf) for name in (f"vendor {vendor} day", f"vendor {vendor} month")}
        allowed = min(wanted, *own.values())
        if allowed < wanted:
            bounds |= dict.fromkeys(name for name, n in own.items() if n <= allowed)
        total += allowed
    whole = {name: n for name, n in left.items() if not name.startswith("vendor ")}
    allowed = min([total, *whole.values()])
    if allowed < total:
        bounds |= dict.fromkeys(name for name, n in whole.items() if n <= allowed)
    return allowed, tuple(bounds)


def forecast_words(said: Forecast) -> str:
    """ "credits: about 12 now, at most 30; asking everything would cost 90, so 78 are saved (87%)"."""
    if said.everything <= 0 and said.wanted <= 0:
        return "credits: none; what would be asked is free"
    words = f"credits: about {_whole(said.now)} now, at most {_whole(said.most)}"
    if said.bounded_by:
        named = " and ".join(f"'{name}'" for name in said.bounded_by)
        words += f" (the budget {named} leaves no more; without it, at most {_whole(said.wanted)})"
    if said.saved <= 0:
        return words
    return (
        f"{words}; asking everything would cost {_whole(said.everything)}, so {_whole(said.saved)} are saved "
        f"({said.saved / said.everything:.0%})"
    )


def left_alone_words(name: str, state: Mapping[str, Any]) -> str:
    """ "apollo is left alone until 2026-11-22 18:00 UTC: it has no credits left (HTTP 402)"."""
    from icp_sync.reporting.text import instant, short
    from icp_sync.sync.told import refusal

    why = short(refusal(str(state["kind"]), str(state["message"])), 160)
    return f"{name} is left alone until {instant(state['until'])}" + (f": {why}" if why else "")


def _whole(credits: float) -> str:
    rounded = round(credits) if credits >= 10 else round(credits, 1)
    return f"{rounded:,}" if rounded != int(rounded) else f"{int(rounded):,}"
