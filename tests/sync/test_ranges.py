"""A backfill cut into ranges of ids: when, how it is shared, and that it is closed once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from icp_sync.domain.plan import Outcome, Result, Write
from icp_sync.domain.standing import Mode
from icp_sync.ports import Stream
from icp_sync.reporting.backfilling import backfilling
from icp_sync.reporting.opened import Opened
from icp_sync.settings import Settings
from icp_sync.sync.backfill import backfill, finished, halted, help_backfill, open_ranges
from icp_sync.sync.cycle import Scope, cycle
from icp_sync.sync.pacing import Pacing
from icp_sync.sync.waves import ALERT, HaltedError
from tests import postgres
from tests.sync.station import OrgStation, Station
from tests.sync.workers import Worker
from tests.sync.world import GOOD, POOR, World, facts

PACING = Pacing(canary=5, watch=30.0, wave=40, pause=10.0, partitions=4)
CALM = replace(PACING, canary=0, wave=0)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(folder=tmp_path, page_size=10)
    yield made
    made.journal.close()


def companies(world: World, n: int) -> list[str]:
    return [world.company(f"C{at}", **GOOD) for at in range(n)]


def names(world: World) -> list[str]:
    return [one.name for one in world.journal.ranges(now=world.clock())]


def written(world: World) -> int:
    return len({w[1] for w in world.writes()})


def assert_done(world: World) -> None:
    """Everybody says what a backfill would say, nobody's value passes for a person's, no range is left."""
    report = world.cycle(Stream.BACKFILL, Scope(apply=False))
    assert (report.written, report.left_alone) == (0, [])
    assert world.journal.left_alone() == []
    assert world.journal.counts().keys() <= {"settled"}
    assert world.journal.ranges(now=world.clock()) == []
    assert world.journal.position("backfill").finished
    assert {key for key in world.journal.positions() if key[1]} == set()


# When it is cut


def test_it_is_made_as_one_until_its_canary_has_passed_and_then_cut(world: World) -> None:
    companies(world, 100)
    worker = Worker(world, "one", PACING)
    seen: list[tuple[int, list[str]]] = []
    worker.meanwhile = lambda: seen.append((written(world), names(world)))
    report = worker.make()
    assert report is not None
    assert report.written == 100
    assert seen[0] == (5, [])
    assert {len(found) for wrote, found in seen if wrote > 5 and len(found)} == {4}
    assert max(wrote for wrote, found in seen if not found and wrote < 100) == 5
    assert_done(world)


def test_where_nothing_is_written_it_is_cut_before_anything_is_read(world: World) -> None:
    companies(world, 60)
    world.mode = Mode.OBSERVE
    worker = Worker(world, "one", PACING)
    read = worker.make(parts=1)
    assert read is not None
    assert len(names(world)) == 4
    assert next(one.after for one in world.journal.ranges(now=world.clock())) == ""


def test_a_canary_that_does_not_fill_is_shared_by_the_ranges(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("icp_sync.sync.waves.SERIAL", 20)
    ids = [world.company(f"C{at}", **POOR) for at in range(120)]
    world.backfill()
    world.clock.step(600)
    for account_id in [*ids[:2], *ids[40:]]:
        world.crm.edit(account_id, signals=facts(**GOOD))  # type: ignore[arg-type]
    world.version = 2
    waited: list[tuple[float, int]] = []
    before = len(world.writes())

    def paused(seconds: float, _: int) -> None:
        waited.append((seconds, len({w[1] for w in world.writes()[before:]})))

    parts = replace(world.parts(), pacing=replace(PACING, canary=8, wave=0))
    backfill(parts, Scope(wait=world.clock.step, paused=paused))
    assert waited == [(30.0, 2), (30.0, 9), (30.0, 34), (30.0, 59)], "a canary of two in each"
    assert_done(world)


@pytest.mark.parametrize("scope", [Scope(limit=30), Scope(where=lambda _: True)])
def test_a_selection_is_never_cut(world: World, scope: Scope) -> None:
    companies(world, 100)
    report = backfill(replace(world.parts(), pacing=CALM), scope)
    assert report is not None
    assert names(world) == []


def test_what_is_too_little_to_cut_is_made_as_one(world: World) -> None:
    companies(world, 15)
    report = Worker(world, "one", PACING).make()
    assert report is not None
    assert (report.written, {run.kind for run in world.journal.runs()}) == (15, {"backfill"})
    assert_done(world)


def test_left_in_ranges_it_is_gone_on_with_by_a_process_that_would_not_cut(world: World) -> None:
    companies(world, 80)
    Worker(world, "one", CALM).make(parts=1)
    assert len(names(world)) == 4
    report = Worker(world, "two", replace(CALM, partitions=1)).make()
    assert report is not None
    assert report.read == 70
    assert_done(world)


def test_one_with_a_limit_goes_on_in_the_ranges_and_ends_there(world: World) -> None:
    companies(world, 80)
    Worker(world, "one", CALM).make(parts=1)
    parts = replace(world.parts(), pacing=CALM)
    report = backfill(parts, Scope(limit=30))
    assert report is not None
    assert report.read == 30
    assert len(names(world)) == 4
    rest = backfill(parts, Scope())
    assert rest is not None
    assert rest.read == 40
    assert_done(world)


# Sharing it


def test_whoever_comes_takes_a_range_that_nobody_holds(world: World) -> None:
    companies(world, 80)
    one, two = Worker(world, "one", CALM), Worker(world, "two", CALM)
    free: list[list[str]] = []

    def meanwhile() -> None:
        one.meanwhile = lambda: None
        free.append(open_ranges(world.journal, world.clock()))
        assert two.help() is not None
        free.append(open_ranges(world.journal, world.clock()))

    one.meanwhile = meanwhile
    one.make()
    assert free == [["02", "03", "04"], ["03", "04"]]
    assert two.reports[0].read == 20
    assert one.reports[0].read == 60
    assert_done(world)


def test_ranges_nobody_waits_for_any_more_stay_as_they_are(world: World) -> None:
    companies(world, 80)
    one, two = Worker(world, "one", CALM), Worker(world, "two", CALM)
    one.make(parts=2)  # by hand, and told to stop
    assert world.journal.is_cut()
    assert open_ranges(world.journal, world.clock()) == []
    assert two.help() is None
    asked = world.journal.ask("backfill", {}, by="ada", now=world.clock())
    assert open_ranges(world.journal, world.clock()) == ["01", "02", "03", "04"]

    def cancelled() -> None:
        world.journal.cancel_request(asked, now=world.clock())

    two.meanwhile = cancelled
    report = two.help()
    assert report is not None
    assert report.read <= 10, "it ends after the page it was at"
    assert two.help() is None
    two.meanwhile = lambda: None
    one.make()
    assert_done(world)


def test_nobody_helps_where_there_is_nothing_to_help_with(world: World) -> None:
    companies(world, 80)
    parts = replace(world.parts(), pacing=CALM)
    assert help_backfill(parts, Scope()) is None
    world.backfill()
    assert help_backfill(parts, Scope()) is None
    assert open_ranges(world.journal, world.clock()) == []


def test_who_would_make_it_for_something_else_keeps_off(world: World) -> None:
    companies(world, 80)
    Worker(world, "one", CALM).make(parts=1)
    world.version = 2  # of a worker that knows more, or less
    assert help_backfill(replace(world.parts(), pacing=CALM), Scope()) is None
    assert len(names(world)) == 4


def test_a_new_account_above_everything_is_read(world: World) -> None:
    companies(world, 80)
    worker = Worker(world, "one", CALM)
    new: list[str] = []

    def meanwhile() -> None:
        if not new:
            new.append(world.company("New", **GOOD))

    worker.meanwhile = meanwhile
    worker.make()
    assert world.journal.account(new[0]) is not None
    assert_done(world)


def test_a_range_whose_worker_vanished_is_taken_over_when_its_lease_ends(world: World) -> None:
    companies(world, 80)
    world.journal.request_backfill("a reason", world.clock())
    one, two = Worker(world, "one", CALM), Worker(world, "two", CALM)
    one.make(parts=2, dies=True)
    assert open_ranges(world.journal, world.clock()) == ["02", "03", "04"]
    world.clock.step(100)
    assert open_ranges(world.journal, world.clock()) == ["01", "02", "03", "04"]
    two.make()
    assert_done(world)
    assert {n for *_, n in [(w[1], w[2], world.writes().count(w)) for w in world.writes()]} == {1}


def test_a_worker_paused_beyond_its_lease_changes_nothing_more(world: World) -> None:
    companies(world, 80)
    one, two = Worker(world, "one", CALM), Worker(world, "two", CALM)

    def meanwhile() -> None:
        one.meanwhile = lambda: None
        world.clock.step(100)
        two.make()

    one.meanwhile = meanwhile
    one.make()
    assert_done(world)
    assert len(world.writes()) == len({(w[1], w[2]) for w in world.writes()})


def test_a_range_finished_by_one_that_died_is_closed_by_the_next(world: World) -> None:
    companies(world, 80)
    world.journal.request_backfill("a reason", world.clock())
    one, two = Worker(world, "one", CALM), Worker(world, "two", CALM)
    one.make(parts=4 * 3, dies=True)
    world.clock.step(100)
    assert all(one.position.finished for one in world.journal.ranges(now=world.clock()))
    assert open_ranges(world.journal, world.clock()) == ["04"]
    assert two.help() is None
    assert world.journal.backfill_request() is None
    assert_done(world)


# What halts one halts all


def refusing(write: Write) -> Outcome | None:
    return Outcome(account_id=write.account_id, result=Result.REFUSED, code="NO", message="not this one")


def test_a_halt_in_one_range_stops_the_others_until_somebody_lets_all_go_on(world: World) -> None:
    companies(world, 200)
    one, two = Worker(world, "one", PACING), Worker(world, "two", PACING)
    met: list[str] = []

    def meanwhile() -> None:
        if len(names(world)) == 4 and not met:
            met.append("")
            world.crm.refuse = refusing
            with pytest.raises(HaltedError):
                help_backfill(two.parts(), Scope(wait=world.clock.step))
            world.crm.refuse = lambda _: None
            met[0] = halted(world.journal)

    one.meanwhile = meanwhile
    with pytest.raises(HaltedError, match="refused"):
        backfill(one.parts(), Scope(ticked=lambda _: meanwhile(), wait=world.clock.step))
    assert "refused 10 of" in met[0]
    assert [alert.name for alert in world.journal.alerts()] == [ALERT]
    assert open_ranges(world.journal, world.clock()) == []
    assert help_backfill(two.parts(), Scope()) is None
    with pytest.raises(HaltedError):
        backfill(two.parts(), Scope())
    one.meanwhile = lambda: None
    one.make(resume=True)
    world.clock.step(30 * 86_400)
    world.due()
    assert world.journal.alerts() == []
    assert_done(world)


def test_refusals_in_several_ranges_count_together(world: World) -> None:
    companies(world, 400)
    workers = [Worker(world, f"w{at}", replace(PACING, canary=0, wave=400)) for at in range(4)]
    world.crm.refuse = lambda write: refusing(write) if int(write.account_id) % 10 == 0 else None

    def nest(at: int) -> None:
        """Each makes three pages, and waits for the next to have done so."""
        pages = [0]

        def meanwhile() -> None:
            pages[0] += 1
            if pages[0] == 3 and at < 3:
                nest(at + 1)

        workers[at].meanwhile = meanwhile
        workers[at].help() if at else workers[at].make()

    nest(0)
    assert halted(world.journal).startswith("the CRM refused 10 of ")
    assert [worker.reports[0].refused for worker in workers] == [3, 3, 3, 4]


def test_ranges_made_at_once_share_a_wave_and_one_alone_has_it_all(world: World) -> None:
    companies(world, 400)
    one = Worker(world, "one", replace(PACING, canary=0))
    rests: list[int] = []

    def run(scope: Scope) -> None:
        backfill(one.parts(), scope)

    run(Scope(wait=world.clock.step, paused=lambda *_: rests.append(written(world))))
    assert rests[0] == 40
    unwatched = [b - a for a, b in zip([0, *rests], [*rests, 400], strict=True)]
    assert max(unwatched) <= 40 + 10, "a range that ends leaves at most its share of a wave unwatched"
    assert_done(world)


def test_a_pause_stops_all_ranges_and_they_go_on_where_they_were(world: World) -> None:
    companies(world, 200)
    one = Worker(world, "one", CALM)

    def meanwhile() -> None:
        if names(world):
            world.journal.pause_backfills(by="ada", now=1.0)

    with pytest.raises(HaltedError, match="paused by ada"):
        backfill(one.parts(), Scope(ticked=lambda _: meanwhile()))
    assert open_ranges(world.journal, world.clock()) == []
    report = one.make(resume=True)
    assert report is not None
    assert report.read == 190
    assert_done(world)


# Begun again


@pytest.mark.parametrize("change", ["version", "request", "restart"])
def test_for_another_purpose_the_ranges_are_forgotten_and_it_begins_again(world: World, change: str) -> None:
    companies(world, 80)
    one, two = Worker(world, "one", CALM), Worker(world, "two", CALM)

    def meanwhile() -> None:
        one.meanwhile = lambda: None
        if change == "version":
            world.version = 2
            world.journal.request_backfill("profile version 2", world.clock())
        elif change == "request":
            world.journal.request_backfill("other rules", world.clock())
        report = two.make(restart=change == "restart")
        assert report is not None
        assert report.read == 80, "all of it"

    one.meanwhile = meanwhile
    one.make()
    assert one.reports[-1].read <= 10
    assert world.journal.backfill_request() is None
    assert_done(world)


def test_dry_runs_and_selections_leave_the_ranges_alone(world: World) -> None:
    companies(world, 80)
    Worker(world, "one", CALM).make(parts=3)
    before = world.journal.ranges(now=world.clock())
    assert world.backfill(Scope(apply=False)).read == 80
    assert world.backfill(Scope(where=lambda _: True)).read == 80
    assert world.journal.ranges(now=world.clock()) == before


def test_whoever_looks_sees_how_many_ranges_there_are_and_all_their_runs_together(world: World) -> None:
    companies(world, 80)
    world.journal.request_backfill("a reason", world.clock())
    one, two = Worker(world, "one", CALM), Worker(world, "two", CALM)
    world.crm.before = lambda call: world.clock.step(call == "cuts")
    one.make(parts=3)
    main = {"crm": "hubspot", "token": "t", "profiles": ["p.yaml"]}
    settings = Settings.model_validate({"connections": {"main": main}})
    at = Opened(
        name="main", settings=settings, connection=settings.connections["main"], journal=world.journal
    )
    told: list[dict[str, object]] = []
    two.meanwhile = lambda: told.append(backfilling(at, CALM, world.clock(), 80))
    two.help(parts=1)
    assert [told[0][name] for name in ("ranges", "ranges_finished", "ranges_held")] == [4, 1, 1]
    assert (told[0]["state"], told[0]["read"]) == ("running", 30)


# For real


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_three_workers_at_once_settle_everybody_once(tmp_path: Path, database: str) -> None:
    server = postgres.server() if database == "postgresql" else None
    world = World(folder=tmp_path, page_size=10, server=server)
    companies(world, 160)
    world.journal.request_backfill("a reason", world.clock())
    pacing = replace(PACING, watch=0.0, pause=0.0, canary=10, partitions=5)
    workers = [Worker(world, f"worker {at}", pacing) for at in range(3)]
    stop = threading.Event()

    def helping(worker: Worker) -> None:
        while not stop.is_set():
            if help_backfill(worker.parts(), Scope()) is None:
                stop.wait(0.01)

    threads = [threading.Thread(target=helping, args=(worker,)) for worker in workers[1:]]
    for thread in threads:
        thread.start()
    report = backfill(workers[0].parts(), Scope(wait=lambda _: stop.wait(0.01)))
    stop.set()
    for thread in threads:
        thread.join()
    assert report is not None
    assert world.journal.backfill_request() is None
    world.clock.step(600)
    world.due()  # whom two of them routed at once
    assert_done(world)
    runs = [run for run in world.journal.runs(200) if run.kind == "backfill" and run.detail["apply"]]
    assert sum(int(str(run.report["read"])) for run in runs) == 160
    assert written(world) == 160
    by_worker = {run.detail["worker"] for run in runs if run.report["read"]}
    assert len(by_worker) > 1
    for worker in workers:
        worker.close()
    world.journal.close()


@pytest.mark.parametrize("made", [Station, OrgStation])
def test_over_http_the_ranges_hold_everybody(made: type[Station], tmp_path: Path) -> None:
    station = made(tmp_path, accounts=450)
    try:
        pacing = Pacing(canary=20, watch=0.0, wave=100, pause=0.0, partitions=4)
        parts = replace(station.wired.parts, pacing=pacing, enrichers=())
        read, ranges = 0, 0
        while not finished(parts, Scope()):
            left = iter([True] * 4)
            report = backfill(parts, Scope(going=lambda left=left: next(left, False)))
            assert report is not None
            read += report.read
            ranges = max(ranges, len(parts.journal.ranges(now=parts.clock())))
        assert (read, ranges) == (450, 2)
        dry = cycle(Stream.BACKFILL, parts, Scope(apply=False))
        assert dry is not None
        assert (dry.read, dry.written, dry.left_alone) == (450, 0, [])
    finally:
        station.close()
