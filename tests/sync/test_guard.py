"""The guard at work: what waits for a person, what lands meanwhile, and that a release is for once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from icp_sync.domain.guard import Limits, Rule
from icp_sync.domain.plan import Outcome, Result, Write
from icp_sync.domain.profile import Route, Target
from icp_sync.sync.guarding import HELD, tell
from tests.sync.world import ANNA, BEN, GOOD, POOR, PROFILE, World, facts, without

NONE = Limits(downgrades=0.0, floor=0, owner_moves=0)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, limits=NONE)


def downgraded(world: World) -> str:
    account_id = world.company(**GOOD)
    world.backfill()
    world.crm.edit(account_id, signals=facts(**POOR))
    world.clock.step(5)
    world.poll()
    return account_id


def moved(world: World) -> str:
    """An account of Anna's that is Ben's by the routes of today."""
    profile = replace(PROFILE, routes=(Route(target=Target(lane="sales", owner=ANNA), even_if_owned=True),))
    world.profile = profile
    account_id = world.company(**GOOD)
    world.backfill()
    assert world.account(account_id).owner == ANNA
    world.profile = without(
        profile, routes=(Route(target=Target(lane="research", owner=BEN), even_if_owned=True),)
    )
    world.version += 1
    world.clock.step(5)
    world.backfill()
    return account_id


def test_a_held_downgrade_writes_nothing_and_is_told_once(world: World) -> None:
    account_id = downgraded(world)
    before = len(world.crm.writes)
    world.quiesce()
    assert (world.live(account_id)["tier"], len(world.crm.writes)) == ("A", before)
    (hold,) = world.journal.holds()
    assert (hold.account_id, hold.rule, hold.key) == (account_id, Rule.DOWNGRADES, "A → B")
    assert [a.name for a in world.journal.alerts()] == [HELD.format(rule=Rule.DOWNGRADES)]


def test_how_many_wait_is_told_as_it_is_now(world: World) -> None:
    downgraded(world)
    first = world.journal.alerts()[0]
    downgraded(world)
    (now,) = world.journal.alerts()
    assert first.text.startswith("1 account")
    assert now.text.startswith("2 accounts")
    assert now.since == first.since


def test_what_was_let_pass_lands_at_once_and_the_same_wish_later_is_held_anew(world: World) -> None:
    account_id = downgraded(world)
    assert world.journal.release_holds(by="ada", now=world.clock()) == 1
    world.due()
    assert world.live(account_id)["tier"] == "B"
    assert world.journal.holds() == []
    world.poll()
    assert world.journal.alerts() == []
    world.crm.edit(account_id, signals=facts(**GOOD))
    world.clock.step(5)
    world.poll()
    world.crm.edit(account_id, signals=facts(**POOR))
    world.clock.step(5)
    world.poll()
    assert world.live(account_id)["tier"] == "A"
    assert [h.released_by for h in world.journal.holds()] == [""]


def test_a_release_is_for_what_was_seen(world: World) -> None:
    account_id = downgraded(world)
    world.journal.release_holds(by="ada", now=world.clock())
    world.crm.edit(account_id, signals=facts(employees=1, industry="RETAIL"))
    world.clock.step(5)
    world.poll()
    assert world.live(account_id)["tier"] == "A"
    assert {h.released_by for h in world.journal.holds()} == {""}


def test_a_held_owner_move_lets_the_rest_land(world: World) -> None:
    account_id = moved(world)
    live = world.live(account_id)
    assert (live["lane"], live["routed_owner"], world.account(account_id).owner) == ("research", ANNA, ANNA)
    (hold,) = world.journal.holds()
    assert (hold.rule, hold.key) == (Rule.OWNER_MOVES, f"{ANNA} → {BEN}")
    world.journal.release_holds(by="ada", rule=Rule.OWNER_MOVES, now=world.clock())
    world.due()
    assert (world.live(account_id)["routed_owner"], world.account(account_id).owner) == (BEN, BEN)


def test_reasons_keep_the_owner_that_a_held_move_keeps(world: World) -> None:
    account_id = moved(world)
    reasons = world.live(account_id)["reasons"]
    assert "Routed to Anna on" in reasons
    assert "Ben" not in reasons
    before = len(world.crm.writes)
    for _ in range(3):  # words alone are no reason to write, on whatever day
        world.clock.step(86_400)
        world.backfill()
    assert (len(world.crm.writes), world.live(account_id)["reasons"]) == (before, reasons)
    world.journal.release_holds(by="ada", rule=Rule.OWNER_MOVES, now=world.clock())
    world.due()
    assert "Routed to Ben on" in world.live(account_id)["reasons"]


def test_reasons_do_not_name_an_owner_whom_somebody_keeps_from_the_account(tmp_path: Path) -> None:
    world = World(tmp_path)
    account_id = world.company(**GOOD)
    route = Route(target=Target(lane="sales", owner=ANNA), even_if_owned=True)
    world.profile = replace(PROFILE, routes=(route,))
    world.backfill()
    for owner in (BEN, ANNA):  # hers by the hand of a person by now
        world.clock.step(600)
        world.crm.edit(account_id, owner=owner)
        world.poll()
    route = replace(route, target=Target(lane="research", owner=BEN))
    world.profile = without(world.profile, routes=(route,))
    world.version += 1
    world.clock.step(600)
    world.backfill()
    assert (world.account(account_id).owner, world.live(account_id)["lane"]) == (ANNA, "research")
    assert "Ben" not in world.live(account_id)["reasons"]


def test_the_seal_speaks_of_what_landed_beside_a_held_owner_move(world: World) -> None:
    account_id = moved(world)
    world.lose_journal()
    world.limits = Limits()
    world.backfill()
    live = world.live(account_id)
    assert (live["routed_owner"], world.account(account_id).owner) == (BEN, BEN)
    assert world.journal.left_alone() == []


def test_what_is_held_delays_nobody_else(world: World) -> None:
    account_id = downgraded(world)
    other = world.company("Other", **GOOD)
    world.clock.step(5)
    world.poll()
    assert (world.live(account_id)["tier"], world.live(other)["tier"]) == ("A", "A")
    assert world.journal.counts() == {"held": 1, "settled": 1}


def test_only_so_many_land_in_a_day_and_the_next_day_takes_the_next(tmp_path: Path) -> None:
    world = World(tmp_path, limits=Limits(downgrades=0.0, floor=2))
    ids = [world.company(f"C{n}", **GOOD) for n in range(3)]
    world.backfill()
    for account_id in ids:
        world.crm.edit(account_id, signals=facts(**POOR))
    world.clock.step(5)
    world.poll()
    assert [world.live(i)["tier"] for i in ids] == ["B", "B", "A"]
    late = world.company("Late", **GOOD)
    world.clock.step(5)
    world.poll()
    world.clock.step(86_400)
    world.crm.edit(late, signals=facts(**POOR))
    world.poll()
    assert world.live(late)["tier"] == "B"  # there is room again
    assert world.live(ids[2])["tier"] == "A"  # what was held waits for a person all the same


def test_a_tier_that_somebody_set_is_no_surprise(world: World) -> None:
    account_id = world.company(**GOOD)
    world.backfill()
    world.crm.edit(account_id, live={"tier_override": "D", "tier_override_reason": "they told me"})
    world.clock.step(5)
    world.poll()
    assert (world.live(account_id)["tier"], world.journal.holds()) == ("D", [])


def test_many_outputs_that_cannot_be_written_are_one_alert(world: World) -> None:
    some = {name: f"{name} is not in the CRM" for name in ("lane", "tier")}
    many = {**some, "reasons": "absent", "flags": "absent"}

    def alerts(disabled: dict[str, str]) -> list[str]:
        tell(world.journal, disabled, world.clock())
        return sorted(alert.text for alert in world.journal.alerts())

    step = "next: icp-sync provision --apply"
    assert alerts(some) == [f"lane is not in the CRM. {step}", f"tier is not in the CRM. {step}"]
    assert alerts(many) == [f"4 outputs cannot be written; lane: lane is not in the CRM. {step}"]
    assert len(alerts(some)) == 2
    assert alerts({}) == []


class _NoReply:
    """A CRM that takes writes, or does not, and never says so."""

    def __init__(self, world: World, *, takes: bool) -> None:
        self._write, self._takes = world.crm.write, takes

    def __call__(self, writes: Sequence[Write]) -> Iterator[Outcome]:
        if self._takes:
            list(self._write(writes))
        for one in writes:
            yield Outcome(account_id=one.account_id, result=Result.UNCERTAIN, message="HTTP 502")


def _tried_for_an_hour(world: World, employees: int, *, takes: bool = False) -> list[str]:
    """The accounts of a world that all come to another tier while no write is answered."""
    before = GOOD | {"employees": 300 if employees > 500 else 9000}
    ids = [world.company(f"C{n}", **before) for n in range(8)]
    world.backfill()
    for account_id in ids:
        world.crm.edit(account_id, signals=facts(employees=employees, industry="SOFTWARE"))
    answered = world.crm.write
    world.crm.write = _NoReply(world, takes=takes)  # type: ignore[method-assign]
    for _ in range(40):
        world.clock.step(90)
        world.poll()
        world.due()
    world.crm.write = answered  # type: ignore[method-assign]
    return ids


@pytest.mark.parametrize(("employees", "tier"), [(9000, "C"), (300, "A")])
def test_what_is_tried_again_and_again_is_counted_once_and_lands_after_the_outage(
    tmp_path: Path, employees: int, tier: str
) -> None:
    world = World(tmp_path, limits=Limits(downgrades=0.0, floor=10, quarantined=5))
    ids = _tried_for_an_hour(world, employees)
    assert world.journal.waiting_holds() == {}
    world.clock.step(4 * 3600)
    world.due()
    assert {world.live(account_id)["tier"] for account_id in ids} == {tier}


@pytest.mark.parametrize("takes", [True, False])
def test_writes_that_nobody_answers_never_take_more_accounts_down_than_the_limit(
    tmp_path: Path, takes: bool
) -> None:
    world = World(tmp_path, limits=Limits(downgrades=0.0, floor=3))
    ids = _tried_for_an_hour(world, 9000, takes=takes)
    world.clock.step(4 * 3600)
    world.due()
    assert sorted(world.live(account_id)["tier"] for account_id in ids) == ["A"] * 5 + ["C"] * 3
    assert world.journal.waiting_holds() == {Rule.DOWNGRADES.value: 5}
