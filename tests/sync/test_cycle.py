"""One cycle: whose turn it is, where it begins, what it leaves behind when it ends early."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from icp_sync import observe
from icp_sync.domain.facts import Facts, Interval
from icp_sync.domain.standing import Mode
from icp_sync.errors import AuthError, LostLeaseError, UnavailableError
from icp_sync.ports import Position, Stream
from icp_sync.quota.priority import Priority, current
from icp_sync.sync.backfill import backfill, finished
from icp_sync.sync.cycle import LEASE_SECONDS, Scope, cycle
from icp_sync.sync.report import Report
from tests.sync.world import ANNA, BEN, GOOD, World, facts


@contextmanager
def crashing(at: str) -> Iterator[None]:
    """The process ends at this fault point."""

    def die(point: str) -> None:
        if point == at:
            raise KeyboardInterrupt

    observe.arm_faults(die)
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        observe.arm_faults(None)


def small_pages(world: World, accounts: int = 6, size: int = 2) -> list[str]:
    world.crm._page_size = size
    return [world.company(f"C{n}", **GOOD) for n in range(accounts)]


@pytest.mark.parametrize(
    ("stream", "apply", "whom"),
    [
        (Stream.BACKFILL, True, Priority.BACKFILL),
        (Stream.BACKFILL, False, Priority.BACKFILL),
        (Stream.SWEEP, True, Priority.SWEEP),
        (Stream.POLL, True, Priority.INCREMENTAL),
    ],
)
def test_every_call_of_a_cycle_has_its_priority_its_first_too(
    world: World, stream: Stream, apply: bool, whom: Priority
) -> None:
    world.company(**GOOD)
    with world.priorities() as seen:
        cycle(stream, world.parts(), Scope(apply=apply))
    assert seen == {whom}
    assert current() is Priority.INCREMENTAL


def test_a_stream_somebody_works_on_is_left_to_them(world: World) -> None:
    world.company(**GOOD)
    other = world.open()
    lease = other.lease("backfill", holder="another", now=world.clock(), ttl=LEASE_SECONDS)
    assert lease is not None
    assert cycle(Stream.BACKFILL, world.parts()) is None
    assert world.writes() == []
    assert cycle(Stream.POLL, world.parts()) is not None
    other.release_lease(lease)
    assert cycle(Stream.BACKFILL, world.parts()) is not None


def test_a_worker_whose_lease_was_taken_over_sends_nothing_more(world: World) -> None:
    small_pages(world)
    other = world.open()
    began = world.clock()

    def somebody_takes_over(call: str) -> None:
        if call == "page" and world.writes():
            lease = other.lease("backfill", holder="another", now=began + 2 * LEASE_SECONDS)
            assert lease is not None

    world.crm.before = somebody_takes_over
    with pytest.raises(LostLeaseError):
        world.backfill()
    assert len({w[1] for w in world.writes()}) == 2


def test_a_lease_lost_between_reading_and_writing_stops_the_write(world: World) -> None:
    acme = world.company(**GOOD)
    other = world.open()

    def die(point: str) -> None:
        if point == "journal.intend.before":
            raise AssertionError("it was about to write")

    class Slow:
        name, facts, price, ttl, miss_ttl = "slow", frozenset({"employees"}), 0.0, 60.0, 60.0

        def answer(self, requests):  # type: ignore[no-untyped-def]
            other.break_leases()
            return []

    world.enrichers = (Slow(),)  # type: ignore[assignment]
    world.company("Unknown", domain="unknown.com")
    observe.arm_faults(die)
    try:
        with pytest.raises(LostLeaseError):
            world.backfill()
    finally:
        observe.arm_faults(None)
    assert world.live(acme)["tier"] == ""


def test_a_cycle_told_to_stop_settles_its_page_and_the_next_one_goes_on_there(world: World) -> None:
    ids = small_pages(world)
    seen: list[int] = []
    report = world.backfill(Scope(ticked=lambda r: seen.append(r.read), going=lambda: len(seen) < 2))
    assert (report.read, seen) == (4, [2, 4])
    assert world.journal.position("backfill") == Position(last_id=ids[3])
    rest = world.backfill()
    assert (rest.read, rest.written) == (2, 2)
    assert world.journal.position("backfill").finished


def test_a_limit_ends_a_backfill_which_then_goes_on(world: World) -> None:
    small_pages(world)
    assert world.backfill(Scope(limit=2)).read == 2
    assert world.backfill(Scope(limit=2)).read == 2
    assert world.backfill().read == 2


def test_a_backfill_can_be_begun_again(world: World) -> None:
    small_pages(world)
    world.backfill(Scope(limit=2))
    assert world.backfill(Scope(restart=True)).read == 6


@pytest.mark.parametrize("change", ["mode", "profile", "request"])
def test_a_backfill_begins_again_when_what_it_was_for_has_changed(world: World, change: str) -> None:
    small_pages(world)
    world.backfill(Scope(limit=4))
    if change == "mode":
        world.mode = Mode.WRITE
    elif change == "profile":
        world.version = 2
    else:
        world.journal.request_backfill("outputs changed", world.clock())
    assert world.backfill().read == 6


def test_a_requested_backfill_is_struck_out_only_after_a_whole_pass_for_it(world: World) -> None:
    small_pages(world)
    world.journal.request_backfill("mode observe → write", world.clock())
    backfill(world.parts(), Scope(limit=2))
    assert world.journal.backfill_request() is not None
    backfill(world.parts(), Scope(apply=False))
    backfill(world.parts(), Scope(where=lambda _: True))
    assert world.journal.backfill_request() is not None

    def meanwhile(_: Report) -> None:
        if world.version == 1:
            world.version = 2
            world.journal.request_backfill("profile v2", world.clock())

    scope = Scope(ticked=meanwhile)
    report = backfill(world.parts(), scope)
    assert report is not None
    assert report.read == 2, "it ends early: what it was for has changed"
    assert not finished(world.parts(), scope)
    report = backfill(world.parts(), scope)
    assert report is not None
    assert report.read == 6
    assert world.journal.backfill_request() is None
    assert finished(world.parts(), scope)


def test_a_selection_moves_no_position_and_touches_nobody_else(world: World) -> None:
    ids = small_pages(world)
    world.crm.edit(ids[4], signals=facts(employees=200))

    def large(known: Facts) -> bool:
        employees = known.get("employees")
        return isinstance(employees, Interval) and employees.low > 150

    report = world.backfill(Scope(where=large))
    assert (report.read, report.written) == (1, 1)
    assert world.journal.position("backfill") == Position()
    assert world.live(ids[4])["tier"] == "A"
    assert world.live(ids[0])["tier"] == ""


def test_a_dry_run_disturbs_no_worker_and_reads_everything(world: World) -> None:
    small_pages(world)
    world.backfill(Scope(limit=2))
    position = world.journal.position("backfill")
    lease = world.journal.lease("backfill", holder="another", now=world.clock())
    assert lease is not None
    assert world.backfill(Scope(apply=False)).read == 6
    assert world.journal.position("backfill") == position


def test_a_crash_repeats_at_most_the_page_it_happened_on(world: World) -> None:
    ids = small_pages(world, accounts=8)

    def die(point: str) -> None:
        if point == "journal.commit.before" and len({w[1] for w in world.writes()}) == 6:
            raise KeyboardInterrupt

    observe.arm_faults(die)
    try:
        with pytest.raises(KeyboardInterrupt):
            world.backfill()
    finally:
        observe.arm_faults(None)
    world.reopen()
    world.clock.step(5)
    writes = len(world.writes())
    report = world.backfill()
    assert report.read == 4
    assert {w[1] for w in world.writes()[writes:]} == set(ids[6:]), "what had landed is not written again"
    assert world.journal.left_alone() == []


def test_a_crash_after_the_write_forgets_neither_whom_we_routed_nor_since_when(world: World) -> None:
    acme = world.company(**GOOD)
    world.mode = Mode.WRITE
    world.backfill()
    world.mode = Mode.ROUTE
    world.clock.step(60)

    with crashing("settle.write.after"):
        world.backfill()
    live = dict(world.live(acme))
    assert live["routed_owner"] in (ANNA, BEN)
    world.reopen()
    world.clock.step(600)
    assert world.backfill().written == 0
    assert world.live(acme) == live


def test_a_crash_right_after_blanking_is_not_somebody_s_clearing(world: World) -> None:
    acme = world.company(**GOOD)
    world.backfill()
    world.crm.edit(acme, signals=facts(lifecycle="customer"))
    world.clock.step(60)
    with crashing("settle.write.after"):
        world.poll()
    assert world.live(acme)["tier"] == ""
    world.reopen()
    world.clock.step(60)
    world.poll()
    assert world.journal.left_alone() == []
    world.crm.edit(acme, signals=facts(lifecycle="prospect"))
    world.quiesce()
    assert world.live(acme)["tier"] == "A"
    assert world.journal.left_alone() == []


def test_a_page_read_before_another_stream_settled_a_newer_one_overwrites_nothing(world: World) -> None:
    """Pages are read ahead: what was true when a sweep read it may be overtaken when its turn comes."""
    acme = world.company(**GOOD)
    world.backfill()
    world.clock.step(60)
    world.poll()
    world.clock.step(60)
    world.crm.edit(acme, signals=facts(employees=5000))
    rival = world.parts(world.open(), "rival")
    renewed = []

    def overtaken(point: str) -> None:
        if point != "journal.lease.after":
            return
        renewed.append(point)
        if len(renewed) == 2:  # taken, then renewed for the page that has just been read
            observe.arm_faults(None)
            world.clock.step(60)
            world.crm.edit(acme, signals=facts(employees=100))
            world.clock.step(1)
            assert cycle(Stream.POLL, rival) is not None

    observe.arm_faults(overtaken)
    try:
        world.cycle(Stream.SWEEP)
    finally:
        observe.arm_faults(None)
    assert len(renewed) == 2
    assert [w[3] for w in world.writes(acme) if w[2] == "tier"] == ["A"]


def test_a_route_whose_reply_was_lost_is_remembered_once_it_is_seen(world: World) -> None:
    acme = world.company(**GOOD)
    world.mode = Mode.WRITE
    world.backfill()
    world.mode = Mode.ROUTE
    world.crm.lose_reply = lambda _: True
    world.backfill()
    live = dict(world.live(acme))
    world.crm.lose_reply = lambda _: False
    world.clock.step(3600)
    assert world.due().written == 0
    assert world.live(acme) == live


def test_a_rival_that_settles_first_wins_and_the_loser_looks_again(world: World, tmp_path: Path) -> None:
    acme = world.company(**GOOD)
    world.backfill()
    world.clock.step(60)
    rival = replace(world.parts(world.open(), "rival"))
    world.crm.edit(acme, signals=facts(employees=5000))

    class Slow:
        """While we ask about another company, a rival settles ours by what has changed since we read it."""

        name, facts, price, ttl, miss_ttl = "slow", frozenset({"employees"}), 0.0, 1e9, 1e9

        def answer(self, requests):  # type: ignore[no-untyped-def]
            from icp_sync.ports import Miss

            world.enrichers = ()
            world.crm.edit(acme, signals=facts(employees=100))
            assert cycle(Stream.POLL, replace(rival, enrichers=())) is not None
            return [Miss() for _ in requests]

    world.company("Unknown", domain="unknown.com")
    world.enrichers = (Slow(),)  # type: ignore[assignment]
    report = world.cycle(Stream.SWEEP)
    assert report.lost >= 1
    assert world.live(acme)["tier"] == "A", "what we had drafted from the older read was not sent"
    world.quiesce()
    assert world.live(acme)["tier"] == "A"
    assert world.journal.left_alone() == []


def test_two_workers_never_give_more_than_is_free_to_the_same_person(world: World) -> None:
    """The load of an owner is reserved by compare-and-set: who drafted on an older load does it again."""
    first = world.company("First", **GOOD)

    class Slow:
        name, facts, price, ttl, miss_ttl = "slow", frozenset({"employees"}), 0.0, 1e9, 1e9

        def answer(self, requests):  # type: ignore[no-untyped-def]
            from icp_sync.ports import Miss

            world.enrichers = ()
            world.crm.edit(first, name="First, again")
            rival = replace(world.parts(world.open(), "rival"), enrichers=())
            assert cycle(Stream.POLL, rival) is not None
            return [Miss() for _ in requests]

    world.company("Unknown", domain="unknown.com")
    others = [world.company(f"C{n}", **GOOD) for n in range(4)]
    world.enrichers = (Slow(),)  # type: ignore[assignment]
    world.backfill()
    world.quiesce()
    owners = [world.live(id)["owner"] for id in (first, *others)]
    assert "" not in owners
    loads = world.journal.recall({}, now=world.clock()).roster.loads
    assert {o: owners.count(o) for o in (ANNA, BEN)} == {o: loads.get(o, 0) for o in (ANNA, BEN)}
    assert world.journal.left_alone() == []


@pytest.mark.parametrize("error", [AuthError("no"), UnavailableError("down", retry_after=7.0)])
def test_what_stops_a_cycle_is_passed_on_and_the_lease_is_given_back(world: World, error: Exception) -> None:
    world.company(**GOOD)

    def broken(call: str) -> None:
        if call == "write":
            raise error

    world.crm.before = broken
    with pytest.raises(type(error)):
        world.backfill()
    world.crm.before = lambda _: None
    world.clock.step(1)
    report = world.backfill()
    assert report.written == 1
    assert {run.report.get("outcome") for run in world.journal.runs()} == {"done", "failed"}
    assert world.journal.left_alone() == []


def test_owners_who_come_and_go_are_taken_up_by_the_next_cycle(world: World) -> None:
    world.crm._owners.pop(ANNA)
    ids = [world.company(f"C{n}", **GOOD) for n in range(3)]
    world.backfill()
    assert {world.live(id)["owner"] for id in ids} == {BEN}
