"""The `learned` entry of a profile: what it was learned from, checked for making sense.

Says nothing about how profiles are learned; `promote` and `backtest` read what stands here.
"""

from __future__ import annotations

from typing import Any

from icp_sync.domain.profile import GOALS, TIERS, Learned
from icp_sync.profile_file import values
from icp_sync.profile_file.entries import entry
from icp_sync.profile_file.reading import Path, Report, suggestion
from icp_sync.profile_file.schema import LearnedEntry

_MOST_CASES = 1_000_000_000


def build_learned(data: Any, report: Report) -> Learned | None:
    """What a profile says it was learned from; None where it says nothing. Problems go to `report`."""
    if data is None:
        return None
    path: Path = ("learned",)
    asked = entry(LearnedEntry, data, path, report)
    if asked is None:
        return None
    _check_goal(asked, path, report)
    since, until = _day(asked, "since", report), _day(asked, "until", report)
    if since and until and since >= until:
        report.value((*path, "until"), f"the cases end on {until}, before they begin", "write a later day")
    for key, most in (("cases", _MOST_CASES), ("good", asked.cases)):
        if not 0 <= getattr(asked, key) <= most:
            hint = "from 0 to the number of cases" if key == "good" else "0 or more"
            report.value((*path, key), f"{values.shown(getattr(asked, key))} is no such number", hint)
    return Learned(
        goal=asked.goal or "",
        since=since,
        until=until,
        cases=asked.cases,
        good=asked.good,
        expected=_expected(asked, report),
        hypothesis=asked.hypothesis,
        mark=asked.mark,
        asks=asked.asks,
    )


def _check_goal(asked: LearnedEntry, path: Path, report: Report) -> None:
    if asked.goal is not None and asked.goal not in GOALS:
        near = suggestion(asked.goal, GOALS) or f"one of {', '.join(GOALS)}"
        report.value((*path, "goal"), f"unknown goal {values.shown(asked.goal)}", near)
    if asked.hypothesis:
        return
    for key, hint in (("goal", "won or best"), ("until", "the day from which it may be proven")):
        if getattr(asked, key) is None:
            report.absent(path, f"'{key}' is missing", hint)


def _day(asked: LearnedEntry, key: str, report: Report) -> str:
    raw = getattr(asked, key)
    try:
        return "" if raw is None else values.iso_date(raw)
    except ValueError as error:
        report.value(("learned", key), str(error))
        return ""


def _expected(asked: LearnedEntry, report: Report) -> dict[str, float]:
    """Tier → expected share, best tier first."""
    found: dict[str, float] = {}
    for tier, raw in asked.expected.items():
        at: Path = ("learned", "expected", tier)
        if tier not in TIERS:
            report.key(at, f"{values.shown(tier)} is no tier", f"one of {', '.join(TIERS)}")
            continue
        try:
            found[tier] = values.share(raw)
        except ValueError as error:
            report.value(at, str(error))
    return {tier: found[tier] for tier in TIERS if tier in found}
