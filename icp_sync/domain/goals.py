"""The people a route means for one account: an owner, a pool, a territory's, or a named list's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from icp_sync.domain.facts import Facts, Members
from icp_sync.domain.profile import Member, Profile, Target
from icp_sync.domain.roster import Match, Tables, TerritoryRow
from icp_sync.domain.words import fact_text


@dataclass(slots=True, kw_only=True)  # not frozen: one is made for most accounts, at a third of the cost
class Goal:
    """Whom a route means for one account.

    outside: members who are passed over whatever their load, email → why.
    undecided: why it cannot be said yet, "" when it can. until: when the answer changes by itself.
    passes_on: the route has nobody for this account, so the next one is asked.
    said: the note of a decision that chose one of them.
    """

    name: str
    members: tuple[Member, ...]
    imbalance: float = 0.0
    outside: Mapping[str, str] = field(default_factory=dict)
    said: str = ""
    undecided: str = ""
    until: float | None = None
    passes_on: bool = False


def goal_of(
    account_id: str, target: Target, profile: Profile, facts: Facts, tables: Tables, now: float
) -> Goal:
    """Whom the target means for this account."""
    if target.named or target.named_fact:
        return _named(account_id, target, profile, facts, tables)
    if target.territory:
        table = tables.territories.get(target.territory)
        if table is None:
            return Goal(name=target.territory, members=(), undecided=f"no table {target.territory} is here")
        return _territory(target, profile, table.match(facts, now))
    if target.pool:
        pool = profile.pools[target.pool]
        return Goal(
            name=pool.name, members=pool.members, imbalance=pool.imbalance, said=f"from pool {pool.name}"
        )
    if target.owner:
        return Goal(name=target.owner, members=(Member(email=target.owner),), said="named by the route")
    return NOBODY


NOBODY = Goal(name="", members=())
"""Where a route only says a lane."""


def _named(account_id: str, target: Target, profile: Profile, facts: Facts, tables: Tables) -> Goal:
    email = ""
    if target.named_fact:
        value = facts.get(target.named_fact)
        email = next(iter(sorted(value.known)), "") if isinstance(value, Members) else ""
        name = f"fact {fact_text(target.named_fact)}"
    else:
        listed = profile.named.get(target.named) or tables.named.get(target.named)
        if listed is None:
            return Goal(name=target.named, members=(), undecided=f"no list {target.named} is here")
        name = listed.name
        domain = facts.get("domain")
        keys = [f"#{account_id}", *(sorted(domain.known) if isinstance(domain, Members) else ())]
        email = next((listed.owners[key] for key in keys if key in listed.owners), "")
    if not email:
        return Goal(name=name, members=(), passes_on=True)
    return Goal(name=name, members=(Member(email=email),), said=f"named in {name}")


def _territory(target: Target, profile: Profile, match: Match) -> Goal:
    if match.undecided:
        unknown = " and ".join(map(fact_text, match.undecided[:2]))
        return Goal(
            name=target.territory,
            members=(),
            undecided=f"the territory depends on {unknown}, which is not known",
            until=match.until,
        )
    if not match.rows:
        return Goal(name=target.territory, members=(), passes_on=True, until=match.until)
    name = match.rows[0].territory
    members: dict[str, Member] = {}
    imbalance = 5.0
    for row in match.rows:
        if row.pool:
            pool = profile.pools.get(row.pool)
            imbalance = pool.imbalance if pool else imbalance
            members.update({m.email: m for m in (pool.members if pool else ())})
        else:
            members[row.owner] = _member(row)
    said = f"from territory {name}"
    if not target.pool:
        return Goal(
            name=name, members=tuple(members.values()), imbalance=imbalance, said=said, until=match.until
        )
    pool = profile.pools[target.pool]
    outside = {m.email: f"out of territory {name}" for m in pool.members if m.email not in members}
    return Goal(
        name=f"{pool.name} in {name}",
        members=pool.members,
        imbalance=pool.imbalance,
        outside=outside,
        said=f"from pool {pool.name} in territory {name}",
        until=match.until,
    )


def caps_of(profiles: Iterable[Profile], tables: Tables, now: float) -> dict[str, int]:
    """Email → the lowest cap stated for somebody in any pool, or in any row in force: a cap is a person's,
    not a pool's."""
    stated = [m for profile in profiles for pool in profile.pools.values() for m in pool.members]
    stated += [
        _member(row)
        for table in tables.territories.values()
        for row in table.rows
        if row.owner and row.in_force(now)
    ]
    caps: dict[str, int] = {}
    for member in stated:
        if member.cap:
            caps[member.email] = min(member.cap, caps.get(member.email, member.cap))
    return caps


def _member(row: TerritoryRow) -> Member:
    return Member(email=row.owner, weight=row.weight, cap=row.cap)
