"""What follows when somebody has not touched in time what they were given: it is passed on, or a lead told.

Knows the stated terms of a route, not how one is matched. Whoever let an account lie is not given it again.
"""

from __future__ import annotations

from dataclasses import replace

from icp_sync.domain.account import Kin
from icp_sync.domain.assignment import Action, Assignment, let_lie_text
from icp_sync.domain.decision import Decision, Held
from icp_sync.domain.goals import Goal
from icp_sync.domain.profile import Target


def passing_on(held: Held, target: Target, goal: Goal, kin: Kin) -> tuple[Held, Goal, Kin]:
    """Whom to choose from when the account is to be passed on: all but those who let it lie. As it was, and
    nothing to pass on, where the route says so."""
    lapsed = held.lapsed
    if lapsed is None or not _may_pass(lapsed, target):
        return replace(held, lapsed=None), goal, kin
    over = {email: let_lie_text(due) for email, due in lapsed.passed_over.items()}
    goal = replace(
        goal, outside={**goal.outside, **over}, said="; ".join(filter(None, (_said(lapsed), goal.said)))
    )
    kin = replace(
        kin,
        parent_owner="" if kin.parent_owner in over else kin.parent_owner,
        group_owners=tuple(email for email in kin.group_owners if email not in over),
    )
    return held, goal, kin


def following(decision: Decision, lapsed: Assignment, target: Target | None) -> Decision:
    """The decision with what follows from the breach, and the words for it.

    A lead is told once the account may not be passed on again, or nobody is left to take it; while something
    else keeps it where it is (recent activity, an open deal), it waits with its owner.
    """
    if decision.owner:
        return replace(decision, breach=Action.REROUTE.value)
    waits = target is not None and _may_pass(lapsed, target) and not decision.considered
    note = "; ".join(filter(None, (_said(lapsed), decision.note if waits or decision.considered else "")))
    if lapsed.action == Action.ESCALATE.value:
        return replace(decision, note=f"{_said(lapsed)}; {lapsed.lead} was told")
    if target is not None and target.escalate and not waits:
        note = f"{note}; {target.escalate} was told"
        return replace(decision, note=note, breach=Action.ESCALATE.value, lead=target.escalate)
    return replace(decision, note=note, breach=Action.STAYS.value)


def _may_pass(lapsed: Assignment, target: Target) -> bool:
    """Whether the account may be passed on once more."""
    return lapsed.rerouted < target.reroutes and lapsed.action != Action.ESCALATE.value


def _said(lapsed: Assignment) -> str:
    return f"{lapsed.owner} {let_lie_text(lapsed.due or lapsed.routed_at)}"
