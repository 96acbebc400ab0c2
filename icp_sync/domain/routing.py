"""Who should own an account and what happens next, with a record that replays the choice.

A pool picks by weighted rendezvous over the account id, so the same account always prefers the same
people and adding somebody moves few accounts; load beyond a stated imbalance passes a person over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import NamedTuple

from icp_sync.domain.account import ALONE, Kin
from icp_sync.domain.breach import following, passing_on
from icp_sync.domain.choosing import Candidate, Team, candidate, pick, spread
from icp_sync.domain.conditions import facts_of
from icp_sync.domain.decision import Decision as Decision
from icp_sync.domain.decision import Held as Held
from icp_sync.domain.evaluation import NEEDS_DATA, NOT_ICP, Evaluation
from icp_sync.domain.facts import GROUP, Facts, Interval, Members
from icp_sync.domain.goals import NOBODY, Goal, goal_of
from icp_sync.domain.populations import CUSTOMER
from icp_sync.domain.profile import DAY, Member, Route
from icp_sync.domain.roster import Tables
from icp_sync.domain.success import NOTHING_SAID, success_of
from icp_sync.domain.words import date_text

RECENT_ACTIVITY = 14 * DAY
"""An account somebody touched this recently is never given away."""

OWN_TASK = 300.0
"""Seconds between a task of ours and an activity that the CRM dates by it."""

SUCCESS = "success"


def decide(
    account_id: str,
    evaluation: Evaluation,
    facts: Facts,
    *,
    held: Held,
    team: Team,
    now: float,
    kin: Kin = ALONE,
) -> Decision:
    """Route one account."""
    lapsed = held.lapsed
    matched = _match(account_id, evaluation, facts, team.tables, now)
    route, note = matched.route, matched.note
    target = route.target if route else None
    lane = target.lane if target else _default_lane(evaluation, facts)
    if target and not target.somebody:
        note = f"owner {held.owner} stays" if held.owner else ""
    decision = Decision(
        account_id=account_id,
        lane=lane,
        rule=matched.rule,
        note=note,
        success=success_of(evaluation.tier, target) if lane == SUCCESS else NOTHING_SAID,
        keeps=target is not None and target.keep == GROUP,
    )
    if route and route.target.somebody:
        held, goal, kin = passing_on(held, route.target, matched.goal, kin)
        decision = _assign(decision, route, goal, evaluation, facts, held, team, kin, now)
    if lapsed is not None:
        decision = following(decision, lapsed, target)
    settled = decision.owner or (held.owner and not (route and route.even_if_owned))
    if settled or matched.until is None:
        return decision
    return replace(decision, until=min(matched.until, decision.until or matched.until))


def _assign(
    decision: Decision,
    route: Route,
    goal: Goal,
    evaluation: Evaluation,
    facts: Facts,
    held: Held,
    team: Team,
    kin: Kin,
    now: float,
) -> Decision:
    """The decision with somebody of the goal, or with why nobody may be chosen."""
    blocked, until = _blocked(evaluation, facts, held, route, goal, team, now)
    blocked = blocked or goal.undecided
    if blocked:
        return replace(decision, note=blocked, until=until)
    if kept := _kept(decision, route, goal, kin, team, now):
        return kept
    considered = spread(goal, team, now)
    chosen = pick(decision.account_id, considered)
    away = (team.tables.away(c.email, now) for c in considered)
    backs = [absence.until for absence in away if absence is not None and absence.until < inf]
    return replace(
        decision,
        owner=chosen,
        pool=goal.name,
        imbalance=goal.imbalance,
        considered=considered,
        note=goal.said if chosen else _nobody(goal, considered),
        until=None if chosen else min(backs, default=None),
    )


def replay(decision: Decision) -> str:
    """The owner this decision's own evidence leads to; equal to `decision.owner` for ever."""
    return pick(decision.account_id, decision.considered)


class _Matched(NamedTuple):
    route: Route | None = None
    rule: int = 0
    goal: Goal = NOBODY
    note: str = ""
    until: float | None = None


def _match(account_id: str, evaluation: Evaluation, facts: Facts, tables: Tables, now: float) -> _Matched:
    """The first route whose conditions certainly hold and which has somebody for this account."""
    if not evaluation.in_scope:
        return _Matched(note="out of scope")
    shown, tier = evaluation.shown, evaluation.tier
    profile, answers = shown.compiled.profile, shown.answers
    customer = is_customer(facts)
    note, changes = "", []
    for index, (at, route) in enumerate(shown.compiled.asking.routes):
        if answers[at] != 1.0 or tier not in (route.tiers or _TIERS):
            continue
        if customer and not for_customers(route):
            continue
        goal = goal_of(account_id, route.target, profile, facts, tables, now)
        if goal.until is not None:
            changes.append(goal.until)
        if goal.passes_on:
            continue
        if route.target.somebody and not evaluation.firm and not route.even_if_provisional:
            note = "the tier is provisional, so nobody is assigned yet"
            if tier in ("A", "B"):
                return _Matched(note=note)
            continue
        return _Matched(route=route, rule=index + 1, goal=goal, note=note, until=min(changes, default=None))
    return _Matched(note=note, until=min(changes, default=None))


_TIERS = ("A", "B", "C", "D")


def is_customer(facts: Facts) -> bool:
    """Whether the account certainly is a customer."""
    population = facts.get("population")
    return isinstance(population, Members) and CUSTOMER in population.known


def for_customers(route: Route) -> bool:
    """Whether a route is meant for customers: the success lane, or one that asks what a company is to us."""
    asked = facts_of(route.when) if route.when is not None else ()
    return route.target.lane == SUCCESS or bool({"population", "lifecycle", "account_type"} & set(asked))


def _default_lane(evaluation: Evaluation, facts: Facts) -> str:
    """Lane where no route decides: research what is promising but unsure, nothing for what does not fit."""
    if not evaluation.in_scope:
        return "none"
    if is_customer(facts):
        return SUCCESS
    if evaluation.tier == NOT_ICP:
        return "none"
    unsure = evaluation.tier == NEEDS_DATA or (evaluation.tier in ("A", "B") and not evaluation.firm)
    return "research" if unsure else "nurture"


def _blocked(
    evaluation: Evaluation,
    facts: Facts,
    held: Held,
    route: Route,
    goal: Goal,
    team: Team,
    now: float,
) -> tuple[str, float | None]:
    """Why nobody may be chosen, "" when somebody may, and until when."""
    if not evaluation.may_route:
        return "outside the profile's route scope", None
    if held.owner:
        if stays := _keeps(facts, held, route, goal, team):
            return stays, None
    elif held.vacant_from is None:
        return "somebody owns it", None
    elif held.vacant_from > now:
        cleared = f"the owner was cleared by somebody; a vacancy again on {date_text(held.vacant_from)}"
        return cleared, held.vacant_from
    deals = facts.get("open_deals")
    if isinstance(deals, Interval) and deals.low > 0:
        return "an open deal is being worked", None
    if (at := _active(facts, held, now)) is not None:
        return "somebody was active on it in the last 14 days", at + RECENT_ACTIVITY
    return "", None


def _active(facts: Facts, held: Held, now: float) -> float | None:
    """When somebody was active on it lately, None when nobody was. A day counts as soon as it has begun."""
    touched = facts.get("last_activity")
    if not isinstance(touched, Interval) or touched.high <= now - RECENT_ACTIVITY:
        return None
    past = touched.high <= now or (touched.low <= now and touched.high - touched.low < DAY)
    ours = any(abs(touched.high - at) <= OWN_TASK for at in held.told)
    return touched.high if past and not ours else None


def _keeps(facts: Facts, held: Held, route: Route, goal: Goal, team: Team) -> str:
    """Why the owner keeps the account, "" when the route may give it to somebody else.

    Only from somebody we chose, who has left or whom the route would no longer consider, or who has not
    touched it in time. Being away or busy is no reason to lose an account.
    """
    stays = f"owner {held.owner} stays"
    if held.lapsed is not None:
        theirs = is_customer(facts) and not route.even_if_customer
        return f"{stays}: customers are not re-routed" if theirs else ""
    if not route.even_if_owned or held.owner != held.routed:
        return stays
    if is_customer(facts) and not route.even_if_customer:
        return f"{stays}: customers are not re-routed"
    owner = team.owners.get(held.owner)
    listed = any(m.email == held.owner and m.email not in goal.outside for m in goal.members)
    return stays if owner is not None and owner.active and (listed or goal.undecided) else ""


def _kept(decision: Decision, route: Route, goal: Goal, kin: Kin, team: Team, now: float) -> Decision | None:
    """The decision when somebody owns the parent or the group already, or may; None when nobody does.

    Somebody who has left keeps no group together; who is away or at their cap is waited for. A family
    whose parents run in a circle has nobody at its top.
    """
    whose = route.target.keep
    if not whose or (kin.problem and not kin.unread):
        return None
    if kin.unread:
        return replace(decision, note=kin.problem)
    present = [
        email
        for email in ((kin.parent_owner,) if whose == "parent" else kin.group_owners)
        if email in team.owners and team.owners[email].active
    ]
    if not present:
        return None
    email = present[0]
    cap = next((m.cap for m in goal.members if m.email == email), 0)
    person = candidate(Member(email=email, cap=cap), team, now)
    away = team.tables.away(email, now)
    note = f"{email} owns the {whose}" + (f", but is {person.skipped}" if person.skipped else "")
    return replace(
        decision,
        owner="" if person.skipped else email,
        pool=whose,
        considered=(person,),
        note=note,
        until=away.until if away and away.until < inf else None,
    )


def _nobody(goal: Goal, considered: Sequence[Candidate]) -> str:
    if len(considered) == 1:
        return f"{considered[0].email} is {considered[0].skipped}"
    return f"nobody in {goal.name} may take it"
