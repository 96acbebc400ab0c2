"""Who would take over somebody's accounts: decided as if that person had left, loads counted as it goes.

Decides with `domain.routing` alone. Prints and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from icp_sync.domain.account import ALONE, Kin
from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import AnyOf
from icp_sync.domain.facts import Facts, Interval
from icp_sync.domain.kin import Given
from icp_sync.domain.populations import CUSTOMER
from icp_sync.domain.profile import Member, Pool, Profile, Route, Target
from icp_sync.domain.routing import RECENT_ACTIVITY, SUCCESS, Held, decide, is_customer
from icp_sync.domain.standing import STATES
from icp_sync.domain.words import date_text
from icp_sync.errors import ConfigError, Problem
from icp_sync.journal import Relative
from icp_sync.profile_file.reading import suggestion

if TYPE_CHECKING:
    from icp_sync.cli.grounds import Subject
    from icp_sync.cli.routes.ground import Routing
    from icp_sync.domain.routing import Decision

POOL = "pool:"
PAGE = 500


class Fate(StrEnum):
    MOVES = "moves"
    STAYS = "stays"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One account. owner: the new one, "" unless it moves."""

    id: str
    name: str
    domain: str
    tier: str
    fate: Fate
    why: str
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Open in-scope accounts of one person before and after. cap: 0 for none."""

    email: str
    before: int
    after: int
    cap: int = 0
    note: str = ""


@dataclass(slots=True, kw_only=True)
class Plan:
    """What would become of each account of `rep`."""

    rep: str
    to: str
    lines: list[Line] = field(default_factory=list)
    people: list[Load] = field(default_factory=list)

    @property
    def accounts(self) -> int:
        return len(self.lines)


def plan(routing: Routing, rep: str, to: str, now: float, *, customers: bool) -> Plan:
    """Decide every account `rep` owns, in order of id.

    to: "" for the routes, an email, or "pool:" and a pool of the profile. Raises ConfigError when there is
    no such person or pool.
    """
    if to:
        routing = _aimed(routing, rep, to)
    owners = {email: owner for email, owner in routing.owners.items() if email != rep}
    loads = {email: load for email, load in routing.loads.items() if email != rep}
    found = Plan(rep=rep, to=to)
    given = Given()
    team = replace(routing.team(loads), owners=owners)
    left = 0
    for subject, kin in _owned(routing, rep):
        evaluation = routing.evaluate(subject, now)
        line = _line(subject, evaluation.tier if evaluation.in_scope else "out of scope")
        if stays := _stays(subject.facts, now, customers=customers):
            found.lines.append(replace(line, fate=Fate.STAYS, why=stays))
            continue
        kin = given.known_to(kin)
        decision = decide(subject.id, evaluation, subject.facts, held=Held(), team=team, now=now, kin=kin)
        if not decision.owner:
            found.lines.append(replace(line, why=_nobody(decision, rep)))
            continue
        given.note(subject.id, kin, decision.owner)
        loads[decision.owner] = loads.get(decision.owner, 0) + 1
        left += evaluation.in_scope
        asked = "as asked" if "@" in to else decision.note
        why = asked + _outside(routing, decision.owner, subject.facts, now)
        found.lines.append(replace(line, fate=Fate.MOVES, owner=decision.owner, why=why))
    found.people = _people(routing, found, rep, loads, left, now)
    return found


def _line(subject: Subject, tier: str) -> Line:
    return Line(id=subject.id, name=subject.name, domain=subject.domain, tier=tier, fate=Fate.NOBODY, why="")


def _owned(routing: Routing, rep: str) -> Iterator[tuple[Subject, Kin]]:
    """The accounts of one owner, with the companies each belongs to where a route asks for them."""
    keeps = any(route.target.keep for profile in routing.profiles for route in profile.routes)
    page: list[Subject] = []
    for subject in routing.grounds.accounts():
        if subject.owner.lower() == rep:
            page.append(subject)
        if len(page) == PAGE:
            yield from _with_kin(routing, page, keeps=keeps)
            page = []
    yield from _with_kin(routing, page, keeps=keeps)


def _with_kin(routing: Routing, page: Sequence[Subject], *, keeps: bool) -> Iterator[tuple[Subject, Kin]]:
    """The page's accounts with who owns their parents and groups; the one who leaves counts as nobody there,
    for they are no longer among the owners."""
    members = [Relative(s.id, s.parent, s.domain, s.owner) for s in page] if keeps else []
    known = routing.grounds.journal.kin(members, owners=True) if members else {}
    yield from ((subject, known.get(subject.id, ALONE)) for subject in page)


def _stays(facts: Facts, now: float, *, customers: bool) -> str:
    """Why an account is left where it is, "" when it may move."""
    if is_customer(facts) and not customers:
        return "a customer; --customers moves customers as well"
    deals = facts.get("open_deals")
    if isinstance(deals, Interval) and deals.low > 0:
        return "an open deal is being worked"
    touched = facts.get("last_activity")
    if isinstance(touched, Interval) and now - RECENT_ACTIVITY < touched.high <= now:
        return f"somebody was active on it on {date_text(touched.high)}"
    return ""


def _nobody(decision: Decision, rep: str) -> str:
    if decision.considered and all(c.email == rep for c in decision.considered):
        return f"nobody but {rep} is named for it"
    if decision.note:
        return decision.note
    return f"route {decision.rule} names nobody" if decision.rule else "no route names anybody"


def _outside(routing: Routing, email: str, facts: Facts, now: float) -> str:
    """A remark when somebody who has territories is given an account outside all of them."""
    tables = [
        table for table in routing.tables.territories.values() if any(r.owner == email for r in table.rows)
    ]
    inside = any(row.owner == email for table in tables for row in table.match(facts, now).rows)
    return ", outside their territory" if tables and not inside else ""


def _people(
    routing: Routing, found: Plan, rep: str, loads: Mapping[str, int], left: int, now: float
) -> list[Load]:
    """The one who leaves first, then everybody who would gain, those who gain most first."""
    takers = {line.owner for line in found.lines if line.owner}
    if "@" in found.to:
        takers.add(found.to.lower())
    held = routing.loads.get(rep, 0)
    gains = [
        Load(
            email=email,
            before=routing.loads.get(email, 0),
            after=loads.get(email, 0),
            cap=routing.people[email].cap if email in routing.people else 0,
            note=_away(routing, email, now),
        )
        for email in takers
    ]
    gains.sort(key=lambda load: (load.before - load.after, load.email))
    return [Load(email=rep, before=held, after=max(0, held - left)), *gains] if found.lines else []


def _away(routing: Routing, email: str, now: float) -> str:
    away = routing.tables.away(email, now)
    return f"away until {date_text(away.until)}" if away else ""


def _aimed(routing: Routing, rep: str, to: str) -> Routing:
    """The same with routes that lead to one person or pool alone, whatever the tier."""
    profiles = tuple(_only(profile, _goal(routing, profile, rep, to)) for profile in routing.profiles)
    return replace(routing, profiles=profiles, compiled=tuple(map(compile_profile, profiles)))


def _goal(routing: Routing, profile: Profile, rep: str, to: str) -> Pool:
    """Whom `--to` means. A person is a pool of one, so that their cap is asked about."""
    if to.startswith(POOL):
        name = to.removeprefix(POOL)
        if name not in profile.pools:
            hint = suggestion(name, profile.pools) or f"pools: {', '.join(profile.pools) or 'none'}"
            what = f"the profile {profile.name} has no pool '{name[:60]}'"
            raise ConfigError([Problem(where="--to", what=what, hint=hint)])
        return profile.pools[name]
    email = to.lower()
    if email == rep:
        raise ConfigError([Problem(where="--to", what=f"{email} is who the accounts are taken from")])
    if email not in routing.owners:
        hint = suggestion(email, routing.owners) or f"an owner's email, or {POOL} and a pool of the profile"
        raise ConfigError([Problem(where="--to", what=f"'{to[:80]}' is no owner in the CRM", hint=hint)])
    cap = routing.people[email].cap if email in routing.people else 0
    return Pool(name=email, members=(Member(email=email, cap=cap),))


def _only(profile: Profile, pool: Pool) -> Profile:
    """A profile whose every account in scope goes to one pool; customers by a route of their own."""
    everybody = Route(target=Target(lane="sales", pool=pool.name), tiers=STATES, even_if_provisional=True)
    theirs = AnyOf(fact="population", values=frozenset((CUSTOMER,)))
    customers = replace(everybody, when=theirs, target=replace(everybody.target, lane=SUCCESS))
    return replace(profile, routes=(customers, everybody), pools={**profile.pools, pool.name: pool})


def to_json(planned: Plan) -> dict[str, object]:
    """The whole plan; `written` says that nothing was."""
    return {
        "from": planned.rep,
        "to": planned.to or "routes",
        "accounts": planned.accounts,
        "written": 0,
        **{
            fate.value: [
                {
                    "id": line.id,
                    "name": line.name,
                    "domain": line.domain,
                    "tier": line.tier,
                    "new_owner": line.owner,
                    "why": line.why,
                }
                for line in planned.lines
                if line.fate is fate
            ]
            for fate in Fate
        },
        "people": [
            {"email": p.email, "before": p.before, "after": p.after, "cap": p.cap or None, "note": p.note}
            for p in planned.people
        ],
    }
