"""Pools and routes of a profile: who shares accounts, and which condition leads where.

Reports what cannot be followed: unknown pools and lanes, bad addresses, routes nobody ever reaches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from icp_sync.domain.conditions import All, Condition
from icp_sync.domain.profile import TIERS, Member, NamedList, Pool, Route
from icp_sync.domain.standing import STATES
from icp_sync.profile_file.entries import entry, listed, named
from icp_sync.profile_file.names import check_name, check_weight, unique
from icp_sync.profile_file.questions import Language, Place, condition
from icp_sync.profile_file.reading import Path, Report, suggestion
from icp_sync.profile_file.schema import EXCEPTIONS, ConditionEntry, PoolEntry, RouteEntry
from icp_sync.profile_file.targets import build_target, email_of
from icp_sync.profile_file.values import shown


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
        email = email_of(member.email, (*below, "email"), report)
        unique(email, seen, (*below, "email"), "member", report)
        check_weight(member.weight, (*below, "weight"), report)
        if member.cap < 0:
            report.value((*below, "cap"), f"a cap of {member.cap}", "a whole number, 0 for no limit")
        members.append(Member(email=email, weight=member.weight, cap=member.cap))
    if not 0 <= asked.imbalance <= 1e9:
        report.value((*at, "imbalance"), f"an imbalance of {asked.imbalance}", "a number, 0 or more")
    return Pool(name=name, members=tuple(members), imbalance=asked.imbalance)


def build_routes(
    data: Any, pools: Mapping[str, Pool | None], named: dict[str, NamedList], lang: Language
) -> tuple[Route, ...]:
    """Routes in file order, the first match wins; one that can never be reached is reported.

    Lists of named accounts that are written in a route go to `named`.
    """
    report = lang.report
    reached = _Reached(report)
    built = []
    for at, asked in listed(RouteEntry, data, ("routes",), report):
        route = _route(asked, at, pools, named, lang)
        if route is not None:
            reached.check(route, at)
            built.append(route)
    return tuple(built)


def _route(
    asked: RouteEntry,
    at: Path,
    pools: Mapping[str, Pool | None],
    lists: dict[str, NamedList],
    lang: Language,
) -> Route | None:
    report = lang.report
    everybody: tuple[tuple[str, ...], Condition | None, bool] = ((), None, True)
    otherwise = asked.else_ is not None
    by_list = not otherwise and asked.when is None  # a list names its accounts, whatever their tier
    goal = asked.else_ if asked.else_ is not None else asked.to
    if goal is None or (otherwise and (asked.when is not None or asked.to is not None)):
        report.absent(at, "a route is {when: …, to: …} or {else: …}")
        return None
    target = build_target(goal, (*at, "else" if otherwise else "to"), pools, lists, lang)
    exceptions = _exceptions(asked.even_if, (*at, "even_if"), report)
    if otherwise:
        tiers, when, fine = everybody
    elif asked.when is None:
        if goal.named is None:
            report.absent(at, "a route without 'when'", "write `else:` for everybody else")
            return None
        tiers, when, fine = STATES, None, True
    else:
        tiers, when, fine = _asks(asked.when, (*at, "when"), lang)
    if target is None or not fine:
        return None
    return Route(
        target=target,
        tiers=tiers,
        when=when,
        even_if_provisional="provisional" in exceptions or by_list,
        even_if_owned="owned" in exceptions,
        even_if_customer="customer" in exceptions,
    )


def _exceptions(raw: Any, at: Path, report: Report) -> tuple[str, ...]:
    """What a route overlooks."""
    asked = raw if isinstance(raw, list) else [] if raw is None else [raw]
    for one in asked:
        if one not in EXCEPTIONS:
            near = suggestion(str(one), EXCEPTIONS) or f"one of {', '.join(EXCEPTIONS)}"
            report.value(at, f"{shown(one)} is no exception", near)
    return tuple(one for one in EXCEPTIONS if one in asked)


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


class _Reached:
    """Which accounts the routes so far have certainly taken.

    A route that names somebody takes only firm tiers, unless told otherwise; provisional A and B then go
    to the research lane, so no later route sees them either, but provisional others pass on. One that asks
    a list or a table passes on whoever is not in it.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.taken: dict[str, int] = {}  # tier → line of the route that takes all of it
        self.asked: dict[tuple[tuple[str, ...], Condition | None, bool], int] = {}

    def check(self, route: Route, at: Path) -> None:
        line = self.report.line(at)
        tiers = route.tiers or TIERS
        choosy = bool(route.target.named or route.target.named_fact or route.target.territory)
        passes = route.target.somebody and not route.even_if_provisional
        passes = choosy or (passes and not set(tiers) <= {"A", "B"})
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
        if not choosy:
            self.asked.setdefault((tiers, route.when, passes), line)
        if route.when is None and not choosy:
            for tier in tiers:
                if not passes or tier in {"A", "B"}:
                    self.taken.setdefault(tier, line)
