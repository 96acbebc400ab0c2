"""How soon somebody is to touch what a route gives them, and what happens otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from icp_sync.domain.profile import DAY
from icp_sync.profile_file.emails import email_of
from icp_sync.profile_file.reading import Path, Report, suggestion
from icp_sync.profile_file.schema import TargetEntry
from icp_sync.profile_file.values import duration, shown

REROUTE = "reroute"
LONGEST = 365 * DAY
MOST_TIMES = 10
_FORMS = "write reroute, {escalate: lead@example.com} or {reroute: true, escalate: lead@example.com}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """As in `domain.profile.Target`."""

    within: float | None = None
    weekdays: bool = False
    reroutes: int = 0
    escalate: str = ""


def touch_terms(goal: TargetEntry, at: Path, report: Report, *, alone: bool) -> Terms:
    """The terms of a target, its problems reported. alone: whether it names one person only, so that there is
    nobody to pass an account on to."""
    said = goal.model_fields_set
    if goal.touch_within is None:
        for key in ("weekdays", "otherwise", "times"):
            if key in said:
                hint = "add `touch_within: 2d`, or drop it"
                report.key((*at, key), f"'{key}' says nothing without 'touch_within'", hint)
        return Terms()
    if goal.owner == "existing" or (goal.pool, goal.territory, goal.owner, goal.named) == (None,) * 4:
        what = "'touch_within' is asked of whom a route gives an account to, and this one names nobody"
        report.key((*at, "touch_within"), what, "name an owner, a pool or a territory, or drop it")
    within = _within(goal.touch_within, (*at, "touch_within"), report)
    before = len(report.problems)
    reroute, lead = _otherwise(goal.otherwise, (*at, "otherwise"), report)
    understood = len(report.problems) == before
    if reroute and alone:
        what = "nobody else could take it: the route names one person"
        report.value((*at, "otherwise"), what, "write {escalate: lead@example.com}")
    return Terms(
        within=within,
        weekdays=goal.weekdays,
        reroutes=_times(goal, at, report, reroute=reroute or not understood),
        escalate=lead,
    )


def _within(raw: object, at: Path, report: Report) -> float | None:
    try:
        seconds = duration(raw)
    except ValueError as error:
        report.value(at, str(error), "for example 2d")
        return None
    if 0 < seconds <= LONGEST:
        return seconds
    report.value(at, f"{shown(raw)} is no time to wait for a touch", "more than 0h, at most 365d")
    return None


def _otherwise(raw: Any, at: Path, report: Report) -> tuple[bool, str]:
    """Whether an account is passed on, and who is told; (False, "") without a word on it."""
    if raw is None or raw == REROUTE:
        return raw == REROUTE, ""
    if not isinstance(raw, dict) or not raw:
        near = suggestion(str(raw), (REROUTE,)) if isinstance(raw, str) else ""
        report.value(at, f"{shown(raw)} is nothing to do otherwise", near or _FORMS)
        return False, ""
    unknown = [key for key in raw if key not in (REROUTE, "escalate")]
    for key in unknown:
        near = suggestion(str(key), (REROUTE, "escalate")) or _FORMS
        report.key((*at, key), f"unknown key '{str(key)[:60]}'", near)
    if REROUTE in raw and raw[REROUTE] is not True:
        report.value((*at, REROUTE), f"{shown(raw[REROUTE])} is not true", "write true, or drop it")
    lead = raw.get("escalate")
    if lead is None and unknown:
        return REROUTE in raw, ""
    if not isinstance(lead, str):
        what = "it does not say who is told" if lead is None else f"{shown(lead)} is not an email address"
        report.value((*at, "escalate") if "escalate" in raw else at, what, _FORMS)
        return REROUTE in raw, ""
    return REROUTE in raw, email_of(lead, (*at, "escalate"), report)


def _times(goal: TargetEntry, at: Path, report: Report, *, reroute: bool) -> int:
    """How often an account is passed on."""
    if goal.times is None:
        return int(reroute)
    if not reroute:
        what = "'times' counts re-routes, and nothing is re-routed"
        report.key((*at, "times"), what, "set `otherwise: reroute`, or drop it")
        return 0
    if not 1 <= goal.times <= MOST_TIMES:
        what = f"an account cannot be passed on {goal.times} times"
        report.value((*at, "times"), what, f"a whole number from 1 to {MOST_TIMES}")
    return goal.times
