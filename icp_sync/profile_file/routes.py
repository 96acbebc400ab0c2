"""Pools and routes of a profile: who shares accounts, and which condition leads where.

Reports what cannot be followed: unknown pools and lanes, bad addresses, routes nobody ever reaches.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from icp_sync.domain.conditions import All, Condition
from icp_sync.domain.profile import LANES, TIERS, Member, Pool, Route, Target
from icp_sync.domain.standing import STATES
from icp_sync.profile_file.entries import entry, listed, named
from icp_sync.profile_file.names import check_name, check_weight, unique
from icp_sync.profile_file.questions import Language, Place, condition
from icp_sync.profile_file.reading import Path, Report, suggestion
from icp_sync.profile_file.schema import ConditionEntry, PoolEntry, RouteEntry, TargetEntry

EXISTING = "existing"
_EMAIL = re.compile(r"[^@\s<>;,\"]{1,64}@(?:[^@\s.<>;,\"/]{1,63}\.)+[^@\s.<>;,\"/0-9]{2,63}")


def build_pools(data: Any, report: Report) -> dict[str, Pool | None]:
    """Pools by name; None for one that is written down but wrong, so that routes may still name it."""
    pools: dict[str, Pool | None] = {}
    seen: dict[str, Path] = {}
    for name, at, raw in named(data, ("pools",), report):
        check_name(name, at, report, is_key=True)
        unique(name, seen, at, "pool", report, is_key=True)
        asked = entry(PoolEntry, raw, at, report)
        pools[name] = None if asked is None else _pool(name, asked, at, report)
    return pools


def _pool(name: str, asked: PoolEntry, at: Path, report: Report) -> Pool:
    seen: dict[str, Path] = {}
    members = []
    for index, member in enumerate(asked.members):
        below: Path = (*at, "members", index)
        email = _email(member.email, (*below, "email"), report)
        unique(email, seen, (*below, "email"), "member", report)
        check_weight(member.weight, (*below, "weight"), report)
        if member.cap < 0:
            report.value((*below, "cap"), f"a cap of {member.cap}", "a whole number, 0 for no limit")
        members.append(Member(email=email, weight=member.weight, cap=member.cap))
    if not 0 <= asked.imbalance <= 1e9:
        report.value((*at, "imbalance"), f"an imbalance of {asked.imbalance}", "a number, 0 or more")
    return Pool(name=name, members=tuple(members), imbalance=asked.imbalance)


def _email(raw: str, at: Path, report: Report) -> str:
    email = raw.strip().lower()
    if not _EMAIL.fullmatch(email) or len(email) > 254:
        report.value(at, f"'{raw[:60]}' is not an email address", "owners are named by their email")
    return email


def build_routes(data: Any, pools: Mapping[str, Pool | None], lang: Language) -> tuple[Route, ...]:
    """Routes in file order, the first match wins; one that can never be reached is reported."""
    report = lang.report
    reached = _Reached(report)
    built = []
    for at, asked in listed(RouteEntry, data, ("routes",), report):
        route = _route(asked, at, pools, lang)
        if route is not None:
            reached.check(route, at)
            built.append(route)
    return tuple(built)


def _route(asked: RouteEntry, at: Path, pools: Mapping[str, Pool | None], lang: Language) -> Route | None:
    report = lang.report
    everybody: tuple[tuple[str, ...], Condition | None, bool] = ((), None, True)
    otherwise = asked.else_ is not None
    goal = asked.else_ if asked.else_ is not None else asked.to
    if goal is None or (otherwise and (asked.when is not None or asked.to is not None)):
        report.absent(at, "a route is {when: …, to: …} or {else: …}")
        return None
    target = _target(goal, (*at, "else" if otherwise else "to"), pools, report)
    if asked.even_if not in (None, "provisional"):
        report.value((*at, "even_if"), f"'{asked.even_if}' is no exception", "provisional is the only one")
    if otherwise:
        tiers, when, fine = everybody
    elif asked.when is None:
        report.absent(at, "a route without 'when'", "write `else:` for everybody else")
        return None
    else:
        tiers, when, fine = _asks(asked.when, (*at, "when"), lang)
    if target is None or not fine:
        return None
    return Route(target=target, tiers=tiers, when=when, even_if_provisional=asked.even_if is not None)


def _asks(asked: ConditionEntry, at: Path, lang: Language) -> tuple[tuple[str, ...], Condition | None, bool]:
    """Tiers and condition of a route, and whether both could be read."""
    if asked.tier is not None:
        alone = asked.model_fields_set == {"tier"}
        if not alone:
            lang.report.key((*at, "tier"), "'tier' stands beside other keys", "combine them with `all`")
        tiers = _tiers(asked.tier, (*at, "tier"), lang.report)
        return tiers or (), None, alone and tiers is not None
    inside = [(i, e) for i, e in enumerate(asked.all or ()) if e.model_fields_set == {"tier"}]
    if not inside or asked.model_fields_set != {"all"}:
        when = condition(asked, at, Place.ROUTE, lang)
        return (), when, when is not None
    if len(inside) > 1:
        lang.report.key((*at, "all", inside[1][0], "tier"), "'tier' comes twice in one route", "keep one")
        return (), None, False
    index, holder = inside[0]
    tiers = _tiers(holder.tier or [], (*at, "all", index, "tier"), lang.report)
    rest = [
        condition(e, (*at, "all", i), Place.ROUTE, lang) for i, e in enumerate(asked.all or ()) if i != index
    ]
    parts = tuple(part for part in rest if part is not None)
    when = All(parts=parts) if len(parts) > 1 else parts[0] if parts else None
    return tiers or (), when, tiers is not None and len(parts) == len(rest)


def _tiers(raw: list[str], at: Path, report: Report) -> tuple[str, ...] | None:
    fine = True
    for index, tier in enumerate(raw):
        if tier not in STATES:
            near = suggestion(tier, STATES) or f"one of {', '.join(STATES)}"
            report.value((*at, index), f"'{tier}' is neither a tier nor a state", near)
            fine = False
    return tuple(state for state in STATES if state in raw) if fine else None


def _target(goal: TargetEntry, at: Path, pools: Mapping[str, Pool | None], report: Report) -> Target | None:
    before = len(report.problems)
    if goal.territory is not None:
        report.key(
            (*at, "territory"),
            "'territory' is reserved: territory tables come with a later release",
            "name an owner or a pool",
        )
    if goal.owner is not None and goal.pool is not None:
        report.value(at, "a route names an owner or a pool, not both")
    if goal.pool is not None and goal.pool not in pools:
        near = suggestion(goal.pool, pools) or "describe it under `pools`"
        report.value((*at, "pool"), f"unknown pool '{goal.pool}'", near)
    if goal.lane is None:
        report.absent(at, "a route without a lane", f"one of {', '.join(LANES)}")
    elif goal.lane not in LANES:
        near = suggestion(goal.lane, LANES) or f"one of {', '.join(LANES)}"
        report.value((*at, "lane"), f"unknown lane '{goal.lane}'", near)
    owner = ""
    if goal.owner is not None and goal.owner != EXISTING:
        owner = _email(goal.owner, (*at, "owner"), report)
    if len(report.problems) > before:
        return None
    return Target(lane=goal.lane or "", owner=owner, pool=goal.pool or "")


class _Reached:
    """Which accounts the routes so far have certainly taken.

    A route that names somebody takes only firm tiers, unless told otherwise; provisional A and B then go
    to the research lane, so no later route sees them either, but provisional others pass on.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.taken: dict[str, int] = {}  # tier → line of the route that takes all of it
        self.asked: dict[tuple[tuple[str, ...], Condition | None, bool], int] = {}

    def check(self, route: Route, at: Path) -> None:
        line = self.report.line(at)
        tiers = route.tiers or TIERS
        passes = bool(route.target.owner or route.target.pool) and not route.even_if_provisional
        passes = passes and not set(tiers) <= {"A", "B"}
        same = self.asked.get((tiers, route.when, False)) or (
            self.asked.get((tiers, route.when, True)) if passes else None
        )
        if all(tier in self.taken for tier in tiers):
            lines = sorted({self.taken[tier] for tier in tiers})
            why = f"line {' and line '.join(map(str, lines))} already takes every {', '.join(tiers)}"
            self.report.value(at, f"this route is never reached: {why}", "drop it, or move it up")
        elif same:
            why = f"line {same} asks the same and comes first"
            self.report.value(at, f"this route is never reached: {why}", "drop one")
        self.asked.setdefault((tiers, route.when, passes), line)
        if route.when is None:
            for tier in tiers:
                if not passes or tier in {"A", "B"}:
                    self.taken.setdefault(tier, line)
