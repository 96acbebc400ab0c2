"""An account that was given to somebody: touched, let lie, passed on, escalated, taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from icp_sync.domain.account import Owner
from icp_sync.domain.assignment import Action, How
from icp_sync.domain.facts import Interval, Signal, number
from icp_sync.domain.guard import Limits
from icp_sync.domain.profile import DAY
from icp_sync.domain.routing import Decision, replay
from icp_sync.domain.standing import Mode
from icp_sync.journal import REP, Notice
from icp_sync.ports import Stream
from icp_sync.sync.assigning import BREACH
from icp_sync.sync.cycle import Scope
from icp_sync.sync.undo import undo
from icp_sync.sync.undoable import Wanted
from tests.sync.touch_world import (
    CYD,
    LEAD,
    WITHIN,
    activity,
    given,
    let_lie,
    one_given,
    touch,
    touching,
)
from tests.sync.world import ANNA, BEN, GOOD, World

OTHER = {ANNA: BEN, BEN: ANNA}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, profile=touching())


def test_an_account_we_gave_is_watched_until_it_is_touched(world: World) -> None:
    account_id, owner = one_given(world)
    [first] = given(world, account_id)
    assert (first.owner, first.rule, first.routed_at) == (owner, 1, world.clock.now)
    assert first.due == first.routed_at + WITHIN
    stored = world.journal.account(account_id)
    assert stored is not None
    assert stored.wake_at == first.due
    world.clock.step(3600)
    touch(world, account_id)
    world.poll()
    [first] = given(world, account_id)
    assert (first.touched_at, first.how) == (world.clock.now, How.ACTIVITY)
    let_lie(world)
    assert world.account(account_id).owner == owner
    assert [one.touched for one in world.journal.touches(0.0)] == [1]


def test_an_untouched_account_goes_to_the_next_one_once(world: World) -> None:
    account_id, owner = one_given(world)
    let_lie(world)
    assert world.account(account_id).owner == OTHER[owner]
    first, second = given(world, account_id)
    assert (first.how, first.action, first.breached_at) == (How.REROUTED, Action.REROUTE, first.due)
    assert (second.owner, second.rerouted, second.let_lie) == (OTHER[owner], 1, {owner: first.due})
    let_lie(world)
    assert world.account(account_id).owner == OTHER[owner]
    assert [one.action for one in given(world, account_id)] == [Action.REROUTE, Action.STAYS]
    world.quiesce()
    assert len(given(world, account_id)) == 2


def test_whoever_let_it_lie_is_passed_over_and_the_decision_replays(world: World) -> None:
    account_id, owner = one_given(world)
    let_lie(world)
    stored = world.journal.account(account_id)
    assert stored is not None
    decision = stored.evaluation["decision"]
    assert isinstance(decision, dict)
    considered = {email: skipped for email, _, _, skipped in decision["considered"]}
    assert considered[owner].startswith("did not touch it by 20")
    assert considered[OTHER[owner]] == ""
    assert f"{owner} did not touch it by" in str(decision["note"])
    from icp_sync.domain.choosing import Candidate

    evidence = tuple(
        Candidate(email=email, weight=weight, load=load, skipped=skipped)
        for email, weight, load, skipped in decision["considered"]
    )
    decided = Decision(account_id=account_id, lane="sales", considered=evidence)
    assert replay(decided) == decision["owner"] == OTHER[owner]


def test_a_breach_may_be_passed_on_as_often_as_stated_and_never_to_anybody_twice(tmp_path: Path) -> None:
    world = World(tmp_path, profile=touching(ANNA, BEN, CYD, reroutes=2, escalate=LEAD))
    world.crm._owners[CYD] = Owner(id="3", email=CYD)
    account_id, _ = one_given(world)
    for _ in range(4):
        let_lie(world)
    owners = [one.owner for one in given(world, account_id)]
    assert sorted(owners) == [ANNA, BEN, CYD]
    last = given(world, account_id)[-1]
    assert (last.action, last.lead, last.ended_at) == (Action.ESCALATE, LEAD, None)
    touch(world, account_id)
    world.poll()
    last = given(world, account_id)[-1]
    assert (last.touched_at, last.how) == (world.clock.now, How.ACTIVITY)


def test_a_lead_is_told_at_once_where_nobody_is_left_to_take_it(tmp_path: Path) -> None:
    world = World(tmp_path, profile=touching(ANNA, escalate=LEAD))
    world.journal.listening({REP: DAY})
    account_id, _ = one_given(world)
    let_lie(world)
    [only] = given(world, account_id)
    assert (only.action, only.lead) == (Action.ESCALATE, LEAD)
    assert {(n.kind, n.to) for n in world.journal.notices()} == {(BREACH, ANNA), (BREACH, LEAD)}
    world.crm._owners[CYD] = Owner(id="3", email=CYD)
    world.profile, world.version = touching(ANNA, CYD, escalate=LEAD), 2
    world.quiesce()
    assert world.account(account_id).owner == ANNA  # the lead has it in hand


def test_the_old_and_the_new_owner_are_told_of_a_re_route_and_nobody_twice(world: World) -> None:
    world.journal.listening({REP: DAY})
    account_id, owner = one_given(world)
    let_lie(world)
    told = [(n.kind, n.to, n.subject) for n in world.journal.notices()]
    assert sorted(told) == sorted((BREACH, email, account_id) for email in (ANNA, BEN))
    text = world.journal.notices()[0].data["text"]
    assert text.startswith(f"{owner} did not touch it by 20")
    assert f"now with {OTHER[owner]}" in text
    for _ in range(3):
        world.due()
        world.poll()
    assert len(world.journal.notices()) == 2


@pytest.mark.parametrize("what", ["deal", "activity", "today"])
def test_an_account_that_is_worked_on_is_not_passed_on(world: World, what: str) -> None:
    account_id, owner = one_given(world)
    world.clock.step(WITHIN - 3600)
    now = world.clock.now
    said = {
        "deal": (Signal(fact="open_deals", value=number(1), source="crm:deals", observed_at=now),),
        "activity": activity("last_activity", now),
        "today": (  # a date without a time, of a day that is not over yet
            Signal(
                fact="last_activity",
                value=Interval(now - 4e4, now - 4e4 + DAY - 1),
                source="x",
                observed_at=now,
            ),
        ),
    }[what]
    world.crm.edit(account_id, signals=said)
    world.poll()
    let_lie(world, 3600)
    assert world.account(account_id).owner == owner
    if what == "deal":
        assert [one.how for one in given(world, account_id)] == [How.DEAL]
        return
    assert [one.action for one in given(world, account_id)] == [Action.STAYS]
    let_lie(world, 16 * DAY)  # nothing more has happened since
    assert world.account(account_id).owner == OTHER[owner]


def test_a_task_of_ours_is_nobodys_activity(world: World) -> None:
    world.journal.listening({REP: DAY})
    account_id, owner = one_given(world)
    world.journal.note(
        Notice(audience=REP, kind="assigned", subject=account_id, to=owner), now=world.clock.now
    )
    lease = world.journal.lease("telling", holder="one", now=world.clock.now, ttl=60)
    assert lease is not None
    from icp_sync.journal import SENT, Told

    [notice] = world.journal.notices()
    world.clock.step(100)
    told = Told(seq=notice.seq, state=SENT, attempts=1, message="task")
    world.journal.settle_notices([told], lease, now=world.clock.now)
    world.crm.edit(account_id, signals=activity("last_activity", world.clock.now + 2))
    world.poll()
    let_lie(world)
    assert world.account(account_id).owner == OTHER[owner]


def test_somebody_who_changes_the_owner_has_decided(world: World) -> None:
    account_id, owner = one_given(world)
    world.clock.step(600)
    world.crm.edit(account_id, owner=OTHER[owner])
    world.poll()
    [only] = given(world, account_id)
    assert (only.how, only.touched_at, only.breached_at) == (How.HANDED_ON, None, None)
    let_lie(world)
    assert world.account(account_id).owner == OTHER[owner]


def test_who_is_away_is_waited_for_and_a_breach_is_decided_again_when_somebody_is_back(
    tmp_path: Path,
) -> None:
    from icp_sync.domain.roster import Absence, Tables

    world = World(tmp_path, profile=touching())
    account_id, owner = one_given(world)
    back = world.clock.now + 10 * DAY
    away = Absence(email=OTHER[owner], start=0.0, until=back)
    world.tables = Tables(absences={OTHER[owner]: (away,)}, digest="away")
    let_lie(world)
    assert world.account(account_id).owner == owner
    assert [one.action for one in given(world, account_id)] == [Action.STAYS]
    let_lie(world, 9 * DAY)
    assert world.account(account_id).owner == OTHER[owner]


def test_a_late_touch_keeps_the_account_where_it_is(tmp_path: Path) -> None:
    world = World(tmp_path, profile=touching(), limits=Limits(owner_moves=0))
    account_id, owner = one_given(world)
    let_lie(world)  # the guard holds the move
    assert world.account(account_id).owner == owner
    assert world.journal.waiting_holds() == {"owner moves": 1}
    touch(world, account_id)
    world.poll()
    world.limits = Limits()
    world.quiesce()
    assert world.account(account_id).owner == owner
    [only] = given(world, account_id)
    assert only.breached_at == only.due
    assert only.touched_at is not None
    assert world.journal.waiting_holds() == {}


def test_the_guard_counts_a_re_route_as_an_owner_move(tmp_path: Path) -> None:
    world = World(tmp_path, profile=touching(), limits=Limits(owner_moves=2))
    ids = [world.company(f"C{n}", **GOOD) for n in range(5)]  # type: ignore[arg-type]
    world.poll()
    let_lie(world)
    assert sum(len(given(world, i)) - 1 for i in ids) == 2
    assert world.journal.waiting_holds() == {"owner moves": 3}
    assert world.journal.touch_counts(0.0).overdue == 3


def test_outside_mode_route_a_breach_is_only_counted(world: World) -> None:
    account_id, owner = one_given(world)
    world.mode = Mode.WRITE
    let_lie(world)
    assert world.account(account_id).owner == owner
    [only] = given(world, account_id)
    assert (only.breached_at, only.action) == (only.due, "")
    world.mode = Mode.ROUTE
    world.version += 1
    world.backfill()
    assert world.account(account_id).owner == OTHER[owner]


def test_a_dry_run_shows_the_re_route_and_keeps_nothing(world: World) -> None:
    account_id, owner = one_given(world)
    world.clock.step(WITHIN + 1)
    report = world.cycle(Stream.BACKFILL, Scope(apply=False))
    assert report.gained[OTHER[owner]] == 1
    assert (world.account(account_id).owner, len(given(world, account_id))) == (owner, 1)
    assert given(world, account_id)[0].breached_at is None


def test_an_undo_gives_it_back_and_it_stays_there(world: World) -> None:
    account_id, owner = one_given(world)
    let_lie(world)
    run = next(run.id for run in world.journal.runs(10) if run.kind == "due")
    report = undo(Wanted(run=run, by="ops"), world.parts(), Scope())
    assert report.done
    assert world.account(account_id).owner == owner
    world.quiesce()
    let_lie(world, 10 * DAY)
    assert world.account(account_id).owner == owner
    assert [one.how for one in given(world, account_id)] == [How.REROUTED, How.UNDONE]


def test_settling_a_breach_twice_writes_nothing_the_second_time(tmp_path: Path) -> None:
    world = World(tmp_path, profile=touching(ANNA, escalate=LEAD))
    account_id, _ = one_given(world)
    let_lie(world)
    before = list(world.writes()), given(world, account_id)
    for _ in range(3):
        world.backfill(Scope(restart=True))
        world.poll()
        world.due()
    assert (list(world.writes()), given(world, account_id)) == before


def test_accounts_that_go_are_not_watched_and_what_is_forgotten_leaves_nothing(world: World) -> None:
    first, _ = one_given(world)
    second, _ = one_given(world)
    world.clock.step(3600)
    world.crm.delete(first)
    world.quiesce()
    assert [one.how for one in given(world, first)] == [How.GONE]
    assert world.journal.forget(second, now=world.clock.now) is not None
    assert given(world, second) == []


def test_what_became_of_old_assignments_is_pruned_and_those_under_watch_stay(world: World) -> None:
    from icp_sync.journal import Keep

    world.profile = replace(world.profile, routes=touching(within=None).routes)
    watched, _ = one_given(world)
    ended, _ = one_given(world)
    touch(world, ended)
    world.poll()
    world.clock.step(500 * DAY)
    assert world.journal.prune(Keep(), now=world.clock.now).assignments == 1
    assert (len(given(world, watched)), given(world, ended)) == (1, [])


def test_an_export_carries_assignments(world: World, tmp_path: Path) -> None:
    account_id, _ = one_given(world)
    rows = list(world.journal.export(now=0.0))
    assert sum(row.get("table") == "assignment" for row in rows) == 1
    other = world.open("other.db").for_connection("main")
    other.take_in(rows)
    assert other.assignments(account_id) == world.journal.assignments(account_id)
    other.close()


@pytest.mark.parametrize(
    ("zone", "due"), [("Pacific/Auckland", 54 * 3600.0), ("", 6 * 3600.0), ("Nowhere/Town", 6 * 3600.0)]
)
def test_a_weekend_is_that_of_the_crms_time_zone_and_utc_where_it_does_not_say(
    tmp_path: Path, zone: str, due: float
) -> None:
    profile = touching(within=6 * 3600.0)
    route = replace(profile.routes[0], target=replace(profile.routes[0].target, weekdays=True))
    world = World(tmp_path, profile=replace(profile, routes=(route, *profile.routes[1:])))
    world.crm._identity = replace(world.crm.identity(), time_zone=zone)
    world.clock.now = (
        1_795_168_800.0  # Friday 2026-11-20, ten o'clock UTC: in Auckland it is eleven in the evening
    )
    account_id, _ = one_given(world)
    [only] = given(world, account_id)
    assert only.due == world.clock.now + due
