"""Who of several people is chosen, who is passed over and why: a weighted preference of the account, kept in
balance by load.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from math import inf, log

from icp_sync.domain.account import Owner
from icp_sync.domain.goals import Goal
from icp_sync.domain.profile import Member
from icp_sync.domain.roster import NO_TABLES, Tables
from icp_sync.domain.words import date_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Who may own accounts: the CRM's owners by email, how many open accounts each has, the tables.

    caps: email → the most accounts somebody may own, wherever that was said (see `goals.caps_of`).
    """

    owners: Mapping[str, Owner] = field(default_factory=dict)
    loads: Mapping[str, int] = field(default_factory=dict)
    tables: Tables = NO_TABLES
    caps: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)  # not frozen: some are made for most accounts, at a third of the cost
class Candidate:
    """Somebody considered for an account. `skipped` says why not, "" for eligible.

    barred: skipped for what they are, not for how busy they are now: gone, or out of the territory.
    """

    email: str
    weight: float = 1.0
    load: int = 0
    skipped: str = ""
    barred: bool = False


def spread(goal: Goal, team: Team, now: float) -> tuple[Candidate, ...]:
    people = [
        replace(candidate(m, team, now), skipped=goal.outside[m.email], barred=True)
        if m.email in goal.outside
        else candidate(m, team, now)
        for m in goal.members
    ]
    eligible = [p for p in people if not p.skipped]
    if len(eligible) < 2:
        return tuple(people)
    mean = sum(p.weight for p in eligible) / len(eligible)
    least = min(p.load / p.weight for p in eligible)
    return tuple(
        replace(p, skipped="holds more than their share now")
        if not p.skipped and (p.load / p.weight - least) * mean > goal.imbalance
        else p
        for p in people
    )


def candidate(member: Member, team: Team, now: float) -> Candidate:
    load = team.loads.get(member.email, 0)
    owner = team.owners.get(member.email)
    barred = owner is None or not owner.active
    if owner is None:
        skipped = "not an owner in the CRM"
    elif not owner.active:
        skipped = "inactive in the CRM"
    elif away := team.tables.away(member.email, now):
        skipped = "away until further notice" if away.until == inf else f"away until {date_text(away.until)}"
    else:
        cap = team.caps.get(member.email, member.cap)
        skipped = f"at their cap of {cap}" if cap and load >= cap else ""
    return Candidate(email=member.email, weight=member.weight, load=load, skipped=skipped, barred=barred)


def pick(account_id: str, candidates: Sequence[Candidate]) -> str:
    """Email of the eligible candidate with the highest weighted rendezvous score, "" when there is none."""
    eligible = [c for c in candidates if not c.skipped]
    return max(eligible, key=lambda c: (_score(account_id, c), c.email)).email if eligible else ""


def _score(account_id: str, candidate: Candidate) -> float:
    digest = blake2b(f"{account_id}\x00{candidate.email}".encode(), digest_size=8).digest()
    unit = (int.from_bytes(digest, "big") + 1) / (2**64 + 1)
    return -candidate.weight / log(unit)
