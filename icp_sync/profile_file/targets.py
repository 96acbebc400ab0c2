"""Where a route leads: an owner, a pool, a territory, named accounts; and what the success lane says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from icp_sync.domain.profile import LANES, NamedList, Pool, Target
from icp_sync.domain.success import CHURN_RISK, EXPANSION, ONBOARDING
from icp_sync.normalize.domains import registrable
from icp_sync.profile_file.emails import email_of as email_of
from icp_sync.profile_file.questions import Language
from icp_sync.profile_file.reading import Path, Report, suggestion
from icp_sync.profile_file.schema import TargetEntry
from icp_sync.profile_file.touch import touch_terms
from icp_sync.profile_file.values import shown

EXISTING = "existing"


class _Success(TypedDict):
    """What the success lane says, "" for what the tier says."""

    onboarding: str
    expansion: str
    churn_risk: str


_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}\.csv")
_SUCCESS: Mapping[str, Sequence[str]] = {
    "onboarding": ONBOARDING,
    "expansion": EXPANSION,
    "churn_risk": CHURN_RISK,
}


def build_target(
    goal: TargetEntry,
    at: Path,
    pools: Mapping[str, Pool | None],
    lists: dict[str, NamedList],
    lang: Language,
) -> Target | None:
    """The target, None with its problems reported. A list written in the route goes to `lists`."""
    report = lang.report
    before = len(report.problems)
    _check_together(goal, at, report)
    if goal.pool is not None and goal.pool not in pools:
        near = suggestion(goal.pool, pools) or "describe it under `pools`"
        report.value((*at, "pool"), f"unknown pool '{goal.pool}'", near)
    if goal.territory is not None:
        _check_file(goal.territory, (*at, "territory"), report)
    _check_lane(goal.lane, at, report)
    if goal.keep not in (None, "parent", "group"):
        near = suggestion(goal.keep, ("parent", "group")) or "parent or group"
        report.value((*at, "keep"), f"'{goal.keep}' is nothing to keep", near)
    success = _success(goal, at, report)
    owner = ""
    if goal.owner is not None and goal.owner != EXISTING:
        owner = email_of(goal.owner, (*at, "owner"), report)
    named, named_fact = _named(goal.named, (*at, "named"), lists, lang)
    terms = touch_terms(goal, at, report, alone=bool(owner or goal.named is not None))
    if len(report.problems) > before:
        return None
    return Target(
        lane=goal.lane or "",
        owner=owner,
        pool=goal.pool or "",
        territory=goal.territory or "",
        named=named,
        named_fact=named_fact,
        keep=goal.keep or "",
        touch_within=terms.within,
        weekdays=terms.weekdays,
        reroutes=terms.reroutes,
        escalate=terms.escalate,
        **success,
    )


def _check_together(goal: TargetEntry, at: Path, report: Report) -> None:
    stated = [key for key in ("owner", "pool", "territory", "named") if getattr(goal, key) is not None]
    if len(stated) > 1 and stated != ["pool", "territory"]:
        what = f"a route names an owner, a pool, a territory or named accounts, not {' and '.join(stated)}"
        report.value(at, what, "a pool may be narrowed by a territory table; nothing else combines")
    if goal.keep is not None and (not stated or goal.owner == EXISTING):
        report.key((*at, "keep"), "'keep' says who comes first, but this route names nobody else", "drop it")


def _check_lane(lane: str | None, at: Path, report: Report) -> None:
    if lane is None:
        report.absent(at, "a route without a lane", f"one of {', '.join(LANES)}")
    elif lane not in LANES:
        near = suggestion(lane, LANES) or f"one of {', '.join(LANES)}"
        report.value((*at, "lane"), f"unknown lane '{lane}'", near)


def _success(goal: TargetEntry, at: Path, report: Report) -> _Success:
    found: dict[str, str] = {}
    for key, options in _SUCCESS.items():
        said = getattr(goal, key)
        if said is None:
            continue
        found[key] = said
        if said not in options:
            near = suggestion(said, options) or f"one of {', '.join(options)}"
            report.value((*at, key), f"unknown {key} '{said}'", near)
        elif goal.lane != "success":
            report.key((*at, key), f"'{key}' belongs to the success lane", "set `lane: success`, or drop it")
    return _Success(
        onboarding=found.get("onboarding", ""),
        expansion=found.get("expansion", ""),
        churn_risk=found.get("churn_risk", ""),
    )


def _check_file(name: str, at: Path, report: Report) -> None:
    if not _FILE.fullmatch(name):
        what = f"'{name[:60]}' is no table"
        report.value(at, what, "the plain name of a .csv file in the connection's folder of tables")


def _named(raw: Any, at: Path, lists: dict[str, NamedList], lang: Language) -> tuple[str, str]:
    """Name of the list, and the fact that holds the owner; both "" without named accounts."""
    if raw is None:
        return "", ""
    if isinstance(raw, str):
        _check_file(raw, at, lang.report)
        return raw, ""
    if not isinstance(raw, dict) or not raw:
        lang.report.value(
            at, f"{shown(raw)} names no accounts", "a .csv file, {domain: email}, or {fact: name}"
        )
        return "", ""
    if list(raw) == ["fact"]:
        fact = raw["fact"]
        if fact not in lang.types:
            near = suggestion(str(fact), lang.types) or "declare it under custom_facts in the settings"
            lang.report.value((*at, "fact"), f"unknown fact {shown(fact)}", near)
        return "", str(fact)
    owners: dict[str, str] = {}
    for key, email in raw.items():
        domain = registrable(str(key))
        if not domain:
            lang.report.key((*at, key), f"'{key}' is not a company's domain", "for example acme.com")
        elif domain in owners:
            lang.report.key((*at, key), f"'{domain}' is named twice", "keep one")
        owners[domain] = email_of(str(email), (*at, key), lang.report)
    name = f"named accounts {len(lists) + 1}"
    lists[name] = NamedList(name=name, owners=owners)
    return name, ""
