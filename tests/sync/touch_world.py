"""The small world with routes that state how soon an account is to be touched."""

from __future__ import annotations

from dataclasses import replace

from icp_sync.domain.assignment import Assignment
from icp_sync.domain.facts import Signal, number
from icp_sync.domain.profile import DAY, Member, Pool, Profile, Route, Target
from icp_sync.domain.standing import instant_of
from tests.sync.world import ANNA, BEN, GOOD, PROFILE, World

CYD, LEAD = "cyd@example.com", "lead@example.com"
WITHIN = 2 * DAY


def touching(
    *people: str, reroutes: int = 1, escalate: str = "", within: float | None = WITHIN, **how: bool
) -> Profile:
    members = tuple(Member(email=email) for email in people or (ANNA, BEN))
    target = Target(lane="sales", pool="team", touch_within=within, reroutes=reroutes, escalate=escalate)
    route = Route(target=target, tiers=("A", "B"), **how)
    pool = Pool(name="team", members=members, imbalance=50.0)
    return replace(PROFILE, routes=(route, Route(target=Target(lane="nurture"))), pools={"team": pool})


def activity(fact: str, at: float) -> tuple[Signal, ...]:
    return (Signal(fact=fact, value=number(at), source=f"crm:{fact}", observed_at=at),)


def touch(world: World, account_id: str) -> None:
    """Somebody calls them now."""
    world.crm.edit(account_id, signals=activity("last_touch", world.clock.now))


def given(world: World, account_id: str) -> list[Assignment]:
    """Whom it was given to, the first one first."""
    return world.journal.assignments(account_id)[::-1]


def one_given(world: World) -> tuple[str, str]:
    """An account that was given to somebody, and to whom."""
    account_id = world.company(**GOOD)
    world.poll()
    return account_id, world.account(account_id).owner


def routed_at(world: World, account_id: str) -> float | None:
    return instant_of(world.live(account_id)["routed_at"])


def let_lie(world: World, seconds: float = WITHIN) -> None:
    """The stated time passes, and what is due is settled."""
    world.clock.step(seconds + 1)
    world.due()
