"""Who should own an account and what happens next, with a record that replays the choice.

A pool picks by weighted rendezvous over the account id, so the same account always prefers the same
people and adding somebody moves few accounts; load beyond a stated imbalance passes a person over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from math import log

from icp_sync.domain.account import Owner
from icp_sync.domain.evaluation import NEEDS_DATA, NOT_ICP, Evaluation
from icp_sync.domain.facts import Facts, Interval
from icp_sync.domain.profile import DAY, Pool, Route
from icp_sync.domain.words import date_text

RECENT_ACTIVITY = 14 * DAY
"""An account somebody touched this recently is never given away."""

EXISTING = "existing"
"""`owner: existing` keeps whoever owns the account and gives the lane only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody considered for an account. `skipped` says why not, "" for eligible."""

    email: str
    weight: float = 1.0
    load: int = 0
    skipped: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A lane, and an owner when one was chosen. Everything `replay` needs is in here.

    owner: email of the newly chosen owner, "" when nobody is assigned by this decision.
    rule: position of the matching route in the profile, from 1; 0 for the default.
    note: one clause on why the owner is who it is, or why nobody was chosen.
    until: when what kept us from choosing passes by itself (epoch seconds), None if it does not.
    """

    account_id: str
    lane: str
    owner: str = ""
    rule: int = 0
    pool: str = ""
    imbalance: float = 0.0
    considered: tuple[Candidate, ...] = ()
    note: str = ""
    until: float | None = None


def decide(
    account_id: str,
    evaluation: Evaluation,
    facts: Facts,
    *,
    live_owner: str,
    vacant_from: float | None,
    owners: Mapping[str, Owner],
    loads: Mapping[str, int],
    now: float,
) -> Decision:
    """Route one account. `vacant_from`: from when its blank owner is ours to fill, None while owned."""
    rule, route, passed = _match(evaluation)
    if route is None:
        return Decision(account_id=account_id, lane=_default_lane(evaluation), note=passed)
    decision = Decision(account_id=account_id, lane=route.target.lane, rule=rule)
    if not (route.target.owner or route.target.pool) or route.target.owner == EXISTING:
        return replace(decision, note=f"owner {live_owner} stays" if live_owner else "")
    blocked, until = _blocked(evaluation, facts, live_owner, vacant_from, now)
    if blocked:
        return replace(decision, note=blocked, until=until)
    if route.target.owner:
        person = _candidate(route.target.owner, 1.0, 0, owners, loads)
        chosen = "" if person.skipped else person.email
        return replace(
            decision, owner=chosen, considered=(person,), note=person.skipped or "named by the route"
        )
    pool = evaluation.shown.profile.pools[route.target.pool]
    considered = _spread(pool, owners, loads)
    chosen = pick(account_id, considered)
    note = f"from pool {pool.name}" if chosen else f"nobody in pool {pool.name} may take it"
    return replace(
        decision, owner=chosen, pool=pool.name, imbalance=pool.imbalance, considered=considered, note=note
    )


def replay(decision: Decision) -> str:
    """The owner this decision's own evidence leads to; equal to `decision.owner` for ever."""
    return pick(decision.account_id, decision.considered)


def pick(account_id: str, candidates: Sequence[Candidate]) -> str:
    """Email of the eligible candidate with the highest weighted rendezvous score, "" when there is none."""
    eligible = [c for c in candidates if not c.skipped]
    return max(eligible, key=lambda c: (_score(account_id, c), c.email)).email if eligible else ""


def _score(account_id: str, candidate: Candidate) -> float:
    digest = blake2b(f"{account_id}\x00{candidate.email}".encode(), digest_size=8).digest()
    unit = (int.from_bytes(digest, "big") + 1) / (2**64 + 1)
    return -candidate.weight / log(unit)


def _match(evaluation: Evaluation) -> tuple[int, Route | None, str]:
    """First route whose conditions certainly hold, its position, and why an earlier one was passed over."""
    if not evaluation.in_scope:
        return 0, None, "out of scope"
    passed = ""
    for index, route in enumerate(evaluation.shown.profile.routes):
        certain = evaluation.shown.route(index)[0] == 1.0
        wanted = route.tiers or ("A", "B", "C", "D")
        if not certain or evaluation.tier not in wanted:
            continue
        names_owner = bool(route.target.pool or (route.target.owner and route.target.owner != EXISTING))
        if names_owner and not evaluation.firm and not route.even_if_provisional:
            passed = "the tier is provisional, so nobody is assigned yet"
            if evaluation.tier in ("A", "B"):
                return 0, None, passed
            continue
        return index + 1, route, passed
    return 0, None, passed


def _default_lane(evaluation: Evaluation) -> str:
    """Lane where no route decides: research what is promising but unsure, nothing for what does not fit."""
    if not evaluation.in_scope or evaluation.tier == NOT_ICP:
        return "none"
    unsure = evaluation.tier == NEEDS_DATA or (evaluation.tier in ("A", "B") and not evaluation.firm)
    return "research" if unsure else "nurture"


def _blocked(
    evaluation: Evaluation, facts: Facts, live_owner: str, vacant_from: float | None, now: float
) -> tuple[str, float | None]:
    """Why nobody may be chosen, "" when somebody may, and until when."""
    if not evaluation.may_route:
        return "outside the profile's route scope", None
    if live_owner:
        return f"owner {live_owner} stays", None
    if vacant_from is None:
        return "somebody owns it", None
    if vacant_from > now:
        return f"the owner was cleared by somebody; a vacancy again on {date_text(vacant_from)}", vacant_from
    deals = facts.get("open_deals")
    if isinstance(deals, Interval) and deals.low > 0:
        return "an open deal is being worked", None
    touched = facts.get("last_activity")
    if isinstance(touched, Interval) and now - RECENT_ACTIVITY < touched.high <= now:
        return "somebody was active on it in the last 14 days", touched.high + RECENT_ACTIVITY
    return "", None


def _spread(pool: Pool, owners: Mapping[str, Owner], loads: Mapping[str, int]) -> tuple[Candidate, ...]:
    people = [_candidate(m.email, m.weight, m.cap, owners, loads) for m in pool.members]
    shares = [p.load / p.weight for p in people if not p.skipped]
    least = min(shares, default=0.0)
    return tuple(
        replace(p, skipped="holds more than their share now")
        if not p.skipped and p.load / p.weight - least > pool.imbalance
        else p
        for p in people
    )


def _candidate(
    email: str, weight: float, cap: int, owners: Mapping[str, Owner], loads: Mapping[str, int]
) -> Candidate:
    load = loads.get(email, 0)
    owner = owners.get(email)
    if owner is None:
        skipped = "not an owner in the CRM"
    elif not owner.active:
        skipped = "inactive in the CRM"
    else:
        skipped = f"at their cap of {cap}" if cap and load >= cap else ""
    return Candidate(email=email, weight=weight, load=load, skipped=skipped)
