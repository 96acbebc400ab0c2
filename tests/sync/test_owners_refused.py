"""An owner the CRM would not take: the score lands, the vacancy stays one, and trying again is no news."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from icp_sync.domain.account import Origin
from icp_sync.domain.plan import UNDER_WAY, Outcome, Result, Write
from icp_sync.domain.profile import Member
from icp_sync.domain.standing import Mode
from icp_sync.ports import Stream
from tests.sync.test_team import leave, with_route
from tests.sync.world import ANNA, BEN, GOOD, OURS, World

WHY = "INACTIVE_OWNER_OR_USER: operation performed with inactive user"
UNSEALED = tuple(name for name in OURS if name != "seal")


@pytest.fixture(params=["sealed", "unsealed"])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> World:
    fields: Iterable[str] = OURS if request.param == "sealed" else UNSEALED
    made = World(tmp_path, profile=with_route(Member(email=ANNA)), fields=fields)
    made.crm.refuse_owner = lambda _: WHY
    return made


def test_the_score_lands_and_the_owner_is_tried_again_until_it_lands(world: World) -> None:
    acme = world.company(**GOOD)
    report = world.backfill()
    assert (report.written, report.refused, world.live(acme)["tier"]) == (1, 1, "A")
    [listed] = world.journal.refused()
    assert (listed.account_id, listed.problem) == (acme, f"owner: {WHY}")
    routed_at = world.live(acme)["routed_at"]
    for _ in range(3):
        wake = world.journal.refused()[0].wake_at
        assert wake is not None
        world.clock.now = wake
        world.due()
        world.poll()
        assert world.journal.left_alone() == [], "nobody cleared anything"
    world.crm.refuse_owner = lambda _: ""
    world.clock.step(7 * 3600)
    world.due()
    assert (world.account(acme).owner, world.live(acme)["routed_owner"]) == (ANNA, ANNA)
    assert world.live(acme)["routed_at"] == routed_at, "chosen then, given now"
    world.quiesce()
    assert world.journal.counts() == {"settled": 1}
    world.crm.writes.clear()
    world.backfill()
    assert world.crm.writes == []


def test_a_refused_owner_is_no_write_a_minute(world: World) -> None:
    acme = world.company(**GOOD)
    world.backfill()
    world.crm.writes.clear()
    for _ in range(30):
        world.clock.step(60)
        world.poll()
        world.due()
    assert {name for _, id, name, _ in world.crm.writes if id == acme} <= {"seal"}
    assert len(world.crm.writes) <= 1, "what the seal may say is said once"
    attempts = world.journal.refused()[0].attempts
    assert attempts < 10, "ever more rarely"


def test_a_reroute_that_is_refused_is_no_write_a_minute_either(world: World) -> None:
    world.crm.refuse_owner = lambda _: ""
    acme = world.company(**GOOD)
    world.quiesce()
    leave(world, ANNA)
    world.crm.refuse_owner = lambda _: WHY
    world.profile = with_route(Member(email=BEN), even_if_owned=True)
    world.version += 1
    world.backfill()
    assert world.account(acme).owner == ANNA
    world.crm.writes.clear()
    for _ in range(30):
        world.clock.step(60)
        world.poll()
        world.due()
    assert len(world.crm.writes) <= 1
    world.crm.refuse_owner = lambda _: ""
    world.clock.step(7 * 3600)
    world.due()
    assert world.account(acme).owner == BEN


def test_whom_a_person_gives_the_account_to_is_theirs_though_we_had_meant_the_same(world: World) -> None:
    acme = world.company(**GOOD)
    world.backfill()
    world.crm.edit(acme, owner=ANNA)
    world.clock.step(60)
    world.poll()
    stored = world.journal.account(acme)
    assert stored is not None
    assert stored.confirmed["owner"].origin is Origin.HUMAN
    world.profile = with_route(Member(email=BEN), even_if_owned=True)
    world.version += 1
    world.quiesce()
    assert world.account(acme).owner == ANNA


def test_an_owner_that_landed_where_the_rest_was_refused_is_remembered_as_routed(world: World) -> None:
    world.crm.refuse_owner = lambda _: ""

    def rest_refused(write: Write) -> Outcome | None:
        if "owner" not in write.values:
            return Outcome(account_id=write.account_id, result=Result.REFUSED, message="a rule says no")
        world.crm.edit(write.account_id, owner=write.values["owner"])
        refused = {name: "RULE: no" for name in write.values if name != "owner"}
        return Outcome(
            account_id=write.account_id,
            result=Result.WRITTEN,
            confirmed={"owner": write.values["owner"]},
            refused=refused,
        )

    world.crm.refuse = rest_refused
    acme = world.company(**GOOD)
    world.backfill()
    stored = world.journal.account(acme)
    assert stored is not None
    assert stored.previous is not None
    assert (stored.status, stored.previous.routed_owner) == ("refused", ANNA)
    assert stored.problem.count("RULE: no") == 1, "a reason many fields share is said once"
    world.crm.refuse = lambda _: None
    world.clock.step(7 * 3600)
    world.quiesce()
    assert (world.live(acme)["tier"], world.live(acme)["routed_owner"]) == ("A", ANNA)


def test_an_owner_given_before_a_crash_is_known_as_routed(tmp_path: Path) -> None:
    world = World(tmp_path, profile=with_route(Member(email=ANNA)))
    acme = world.company(**GOOD)
    world.mode = world.mode.__class__("write")
    world.quiesce()
    world.mode = world.mode.__class__("route")

    def dies(write: Write) -> Outcome | None:
        world.crm.edit(write.account_id, owner=write.values["owner"])
        raise KeyboardInterrupt

    world.crm.refuse = dies
    with pytest.raises(KeyboardInterrupt):
        world.backfill()
    world.crm.refuse = lambda _: None
    world.reopen()
    world.quiesce()
    assert (world.account(acme).owner, world.live(acme)["routed_owner"]) == (ANNA, ANNA)
    assert world.journal.left_alone() == []


def test_an_owner_given_before_a_crash_on_the_first_write_of_all_is_known_as_routed(tmp_path: Path) -> None:
    world = World(tmp_path, profile=with_route(Member(email=ANNA)))
    acme = world.company(**GOOD)

    def dies(write: Write) -> Outcome | None:
        world.crm.edit(write.account_id, owner=write.values["owner"])
        raise KeyboardInterrupt

    world.crm.refuse = dies
    with pytest.raises(KeyboardInterrupt):
        world.backfill()
    world.crm.refuse = lambda _: None
    world.reopen()
    world.quiesce()
    assert (world.account(acme).owner, world.live(acme)["routed_owner"]) == (ANNA, ANNA)


def test_an_owner_somebody_cleared_stays_cleared_though_the_journal_is_lost(tmp_path: Path) -> None:
    world = World(tmp_path, profile=with_route(Member(email=ANNA)))
    acme = world.company(**GOOD)
    world.quiesce()
    world.cycle(Stream.SWEEP)  # the owner, seen by now, is sealed within the sweep's budget
    world.crm.edit(acme, owner="")
    world.lose_journal()
    world.quiesce()
    assert world.account(acme).owner == ""


def test_what_an_earlier_write_still_under_way_meant_stays_ours(tmp_path: Path) -> None:
    world = World(tmp_path, profile=with_route(Member(email=ANNA)), fields=UNSEALED)
    acme = world.company(**GOOD)
    world.crm.refuse = lambda w: Outcome(account_id=w.account_id, result=Result.UNCERTAIN)
    world.backfill()
    world.crm.refuse = lambda w: Outcome(account_id=w.account_id, result=Result.FAILED, code=UNDER_WAY)
    world.clock.step(3600)
    world.backfill()
    world.crm.edit(acme, live={"tier": "A", "lane": "sales"})  # the job lands at last
    world.crm.refuse = lambda _: None
    world.clock.step(3600)
    world.quiesce()
    assert world.journal.left_alone() == []


def test_a_retry_is_due_after_its_wait_however_long_the_write_took(tmp_path: Path) -> None:
    world = World(tmp_path, profile=with_route(Member(email=ANNA)))
    world.company(**GOOD)

    def slow(write: Write) -> Outcome:
        world.clock.step(3600)
        return Outcome(account_id=write.account_id, result=Result.FAILED, message="later")

    world.crm.refuse = slow
    world.backfill()
    [wake] = [one.wake_at for one in world.journal.deferred()]
    assert wake is not None
    assert wake > world.clock()


def test_a_lost_journal_knows_the_owner_it_routed_by_the_seal(tmp_path: Path) -> None:
    world = World(tmp_path, profile=with_route(Member(email=ANNA)))
    acme = world.company(**GOOD)
    world.backfill()
    world.lose_journal()
    world.version = 2
    world.profile = with_route(Member(email=BEN), even_if_owned=True)
    leave(world, ANNA)
    world.quiesce()
    assert world.account(acme).owner == BEN


def test_somebody_who_stands_for_nobody_by_now_leaves_vacancies_behind(tmp_path: Path) -> None:
    queue = "unassigned@example.com"
    world = World(tmp_path, profile=with_route(Member(email=ANNA)))
    acme = world.company(owner=queue, **GOOD)
    world.quiesce()
    assert world.account(acme).owner == queue
    world.crm.edit(acme, owner="")  # what the adapter says of it from now on
    policy = world.policy
    world.policy = lambda: replace(policy(), nobody=frozenset({queue}))  # type: ignore[method-assign]
    world.clock.step(60)
    world.cycle(Stream.BACKFILL)
    assert world.account(acme).owner == ANNA


def test_in_mode_observe_not_even_the_seal_of_an_owner_seen_since_is_written(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.company(**GOOD)
    world.backfill()
    world.clock.step(60)
    world.poll()
    world.mode = Mode.OBSERVE
    before = len(world.writes())
    world.cycle(Stream.SWEEP)
    assert len(world.writes()) == before
