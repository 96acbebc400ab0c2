"""Whom a page's accounts were given to, and what became of earlier ones: rows for the journal, and notices.

An assignment begins once the CRM has confirmed the owner that a route chose: by the reply to our write or,
when that was lost, by the read that finds it. Decides nothing: who is chosen is `domain.routing`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from icp_sync.domain.assignment import Action, Assignment, due_at, last_touch, let_lie_text, passed_on
from icp_sync.domain.profile import Target
from icp_sync.domain.spelling import date_text
from icp_sync.journal import REP, Notice
from icp_sync.ports import Crm
from icp_sync.sync.draft import Draft, Policy

BREACH = "breach"
"""The kind of a notice that somebody has not touched an account in time."""
LOOK_AGAIN = 6 * 3600.0
"""Seconds after which is looked again where a read did not tell whether it was touched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the journal keeps of it. breach: what it newly led to that nobody touched it, "" for no news.

    wake_at: when somebody has to look again, None for never.
    """

    assignments: tuple[Assignment, ...] = ()
    notices: tuple[Notice, ...] = ()
    breach: str = ""
    wake_at: float | None = None


NOTHING_NEW = Given()


def in_zone(policy: Policy, crm: Crm, now: float) -> Policy:
    """The policy with the CRM's own time zone, UTC where it does not say, and with how far its clock is ahead
    of ours, which shows `now`."""
    return replace(policy, zone=_zone(crm.identity().time_zone), ahead=crm.now() - now)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (LookupError, ValueError, OSError):  # no such zone here
        return UTC


def given(d: Draft, landed: Mapping[str, str], now: float, policy: Policy) -> Given:
    """What became of the account's assignment. landed: field → value that a write of now confirmed."""
    was, after = d.remembered.assignment, d.assignment
    new = _chosen(d, landed)
    if after is None and not new:
        return NOTHING_NEW
    if after is not None and after.ended_at is None:
        lapsed = d.decision.breach == Action.REROUTE
        after = passed_on(after, now, lapsed=lapsed) if new else _followed(after, d)
    began = _begun(d, new, after, now, policy) if new else None
    rows = [one for one in (after if after != was else None, began) if one is not None]
    news = after.action if after and was and after.action != was.action else ""
    return Given(
        assignments=tuple(rows),
        notices=tuple(_notices(d, after, began)) if news and after else (),
        breach=news if was and not was.action else "",  # one breach, whatever it leads to in the end
        wake_at=_wake_at(began or after, d, now, policy),
    )


def _wake_at(watched: Assignment | None, d: Draft, now: float, policy: Policy) -> float | None:
    """When somebody has to look: at once after a copy read too early, later where the CRM does not tell."""
    at = watched.wakes if watched else None
    if at is None or at > d.at:
        return at
    early = d.account.read_at / 1000 - policy.ahead < at
    return now + (1.0 if early else LOOK_AGAIN)


def _chosen(d: Draft, landed: Mapping[str, str]) -> str:
    """Whom a route of ours has newly given the account to, "" for nobody."""
    if given := landed.get("owner"):
        return given if given == d.decision.owner else ""
    found = d.account.owner
    sent = found and found in d.remembered.intents.get("owner", ())
    undone = d.withdrawn is not None and "owner" in d.withdrawn.fields
    watched = d.assignment is not None and (d.assignment.owner, d.assignment.ended_at) == (found, None)
    return found if sent and not undone and not watched and found == d.carried.routed_owner else ""


def _followed(after: Assignment, d: Draft) -> Assignment:
    """With what the breach leads to, where that does not wait for a write."""
    if d.decision.breach not in (Action.ESCALATE, Action.STAYS):
        return after
    return replace(after, action=d.decision.breach, lead=d.decision.lead)


def _begun(d: Draft, owner: str, before: Assignment | None, now: float, policy: Policy) -> Assignment:
    target = _target(d)
    passed = before is not None and before.action == Action.REROUTE
    seen = last_touch(d.known.facts)
    at = now if before is None else max(now, before.routed_at + 0.001)
    within = target.touch_within if target else None
    return Assignment(
        owner=owner,
        routed_at=at,
        rule=d.decision.rule,
        due=due_at(at, within, policy.zone, weekdays=bool(target and target.weekdays)) if within else None,
        rerouted=before.rerouted + passed if before else 0,
        let_lie=_let_lie(before) if before else None,
        known=seen.high if seen else None,
        owner_id=d.chosen_id if owner == d.decision.owner else "",
    )


def _let_lie(before: Assignment) -> Mapping[str, float] | None:
    """Who is not given it again: whoever let it lie."""
    late = before.breached_at is not None and before.touched_at is None
    mine = {before.owner: before.due or before.routed_at} if late else {}
    return {**(before.let_lie or {}), **mine} or None


def _target(d: Draft) -> Target | None:
    """Where the route that was followed leads."""
    routes = d.evaluation.shown.profile.routes
    return routes[d.decision.rule - 1].target if 0 < d.decision.rule <= len(routes) else None


def _text(after: Assignment, began: Assignment | None) -> str:
    """ "ada@example.com did not touch it by 2026-11-22; it is now with ben@example.com"."""
    said = f"{after.owner} {let_lie_text(after.due or after.routed_at)}; "
    if began is None:
        return f"{said}it stays with {after.owner}"
    until = f", to be touched by {date_text(began.due)}" if began.due is not None else ""
    return f"{said}it is now with {began.owner}{until}"


def _notices(d: Draft, after: Assignment, began: Assignment | None) -> Iterator[Notice]:
    """Who is told of a breach: whoever let it lie, whoever has it now, and the lead where there is one."""
    people = dict.fromkeys((after.owner, began.owner if began else "", after.lead))
    data = {
        "account": d.account.id,
        "name": d.account.name[:255],
        "domain": d.account.domain,
        "owner": after.owner,
        "due": after.due,
        "action": after.action,
        "new_owner": began.owner if began else "",
        "new_due": began.due if began else None,
        "lead": after.lead,
        "text": _text(after, began),
    }
    for email in people:
        if email:
            key = f"{BREACH} {after.routed_at} {after.action} {email}"
            yield Notice(audience=REP, kind=BREACH, subject=d.account.id, to=email, key=key, data=data)
