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
    """Whom to choose from when the account is to be passed on: all but those who let it lie. Nothing is
    passed on where the route says so; whoever let it lie before is not given it either way."""
    lapsed = held.lapsed
    if lapsed is None:
        return held, goal, kin
    passes = _may_pass(lapsed, target)
    let_lie = lapsed.passed_over if passes else lapsed.let_lie or {}
    over = {email: let_lie_text(due) for email, due in let_lie.items()}
    said = "; ".join(filter(None, (_said(lapsed) if passes else "", goal.said)))
    goal = replace(goal, outside={**goal.outside, **over}, said=said)
    held = held if passes else replace(held, lapsed=None)
    kin = replace(
        kin,
        parent_owner="" if kin.parent_owner in over else kin.parent_owner,
        group_owners=tuple(email for email in kin.group_owners if email not in over),
    )
    return held, goal, kin


def following(decision: Decision, lapsed: Assignment, target: Target | None) -> Decision:
    """The decision with what follows from the breach, and the words for it.

    It is escalated once the account may not be passed on again, or nobody is left to take it; while something
    else keeps it where it is (recent activity, an open deal), it waits with its owner.
    """
    if decision.owner:  # for the breach, or because its owner has left
        passes = target is not None and _may_pass(lapsed, target)
        return replace(decision, breach=Action.REROUTE.value) if passes else decision
    waits = target is not None and _may_pass(lapsed, target) and not decision.considered
    note = "; ".join(filter(None, (_said(lapsed), decision.note if waits or decision.considered else "")))
    if lapsed.action == Action.ESCALATE.value:
        return replace(decision, note=f"{_said(lapsed)}; escalated to {lapsed.lead}")
    if target is not None and target.escalate and not waits:
        note = f"{note}; escalated to {target.escalate}"
        return replace(decision, note=note, breach=Action.ESCALATE.value, lead=target.escalate)
    return replace(decision, note=note, breach=Action.STAYS.value)


def _may_pass(lapsed: Assignment, target: Target) -> bool:
    """Whether the account may be passed on once more."""
    return lapsed.rerouted < target.reroutes and lapsed.action != Action.ESCALATE.value


def _said(lapsed: Assignment) -> str:
    return f"{lapsed.owner} {let_lie_text(lapsed.due or lapsed.routed_at)}"
