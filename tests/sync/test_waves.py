"""A backfill in waves: a canary, a watch, paced waves; what halts it, and how it goes on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.domain.account import Account
from icp_sync.domain.plan import Outcome, Result, Write
from icp_sync.domain.standing import Mode
from icp_sync.errors import UnavailableError
from icp_sync.ports import Page, Position, Stream
from icp_sync.sync.backfill import backfill, finished, halted
from icp_sync.sync.cycle import Scope
from icp_sync.sync.pacing import Pacing
from icp_sync.sync.report import Report
from icp_sync.sync.waves import ALERT, HaltedError, Waves
from tests.sync.station import ACCOUNTS, OrgStation, Station
from tests.sync.world import GOOD, POOR, World, facts

SMALL = Pacing(canary=10, watch=300.0, wave=30, pause=60.0)


class Waiting:
    """Lets time pass in the world instead of waiting, a step at a time; `meanwhile` runs once a wait."""

    def __init__(self, world: World, meanwhile: Callable[[], None] = lambda: None) -> None:
        self._world, self._meanwhile, self._until = world, meanwhile, 0.0
        self.written: list[int] = []  # accounts written when each wait began
        self.waited = 0.0

    def __call__(self, seconds: float) -> None:
        written = len({w[1] for w in self._world.writes()})
        if not self.written or self.written[-1] != written:
            self.written.append(written)
            self._meanwhile()
        self.waited += seconds
        self._world.clock.step(seconds)


def companies(world: World, n: int) -> list[str]:
    return [world.company(f"C{at}", **GOOD) for at in range(n)]


def run(
    world: World,
    waiting: Waiting | None = None,
    *,
    pacing: Pacing = SMALL,
    scope: Scope | None = None,
    by_hand: bool = False,
    resume: bool = False,
) -> Report:
    parts = replace(world.parts(), pacing=pacing)
    scope = replace(scope or Scope(), wait=waiting or Waiting(world))
    report = backfill(parts, scope, by_hand=by_hand, resume=resume)
    assert report is not None, "busy"
    return report


def written(world: World) -> int:
    return len({w[1] for w in world.writes()})


def test_a_canary_is_watched_then_waves_follow_with_pauses(world: World) -> None:
    companies(world, 100)
    waiting = Waiting(world)
    told: list[tuple[float, int]] = []
    run(world, waiting, scope=Scope(paused=lambda seconds, wave: told.append((seconds, wave))))
    assert told == [(300, 1), (60, 2), (60, 3)]
    assert waiting.written == [10, 40, 70]
    assert waiting.waited == 300 + 60 + 60
    assert written(world) == 100
    assert finished(world.parts(), Scope())


def test_a_first_page_of_any_size_writes_no_more_than_the_canary(world: World) -> None:
    world.crm._page_size = 1000
    companies(world, 50)
    waiting = Waiting(world)
    run(world, waiting)
    assert waiting.written[0] == 10


def test_what_has_not_changed_is_no_part_of_a_wave(world: World) -> None:
    ids = companies(world, 60)
    world.backfill()
    world.clock.step(60)
    for account_id in ids[40:]:
        world.crm.edit(account_id, signals=facts(**POOR))  # type: ignore[arg-type]
    world.clock.step(60)
    before = len(world.writes())
    waiting = Waiting(world)
    report = run(world, waiting)
    assert report.read == 60
    assert report.written == 20
    assert waiting.waited == 300, "one watch, after the canary of ten"
    assert len(world.writes()) > before


def test_where_nothing_is_written_nothing_is_waited_for(world: World) -> None:
    world.mode = Mode.OBSERVE
    companies(world, 100)
    waiting = Waiting(world)
    assert run(world, waiting).read == 100
    assert waiting.waited == 0


def test_after_the_last_account_nothing_is_waited_for(world: World) -> None:
    companies(world, 10)
    waiting = Waiting(world)
    run(world, waiting)
    assert waiting.waited == 0


@pytest.mark.parametrize("accounts", [5, 10, 11, 40, 41, 70, 100])
def test_how_long_it_will_wait_is_known_beforehand(world: World, accounts: int) -> None:
    companies(world, accounts)
    waiting = Waiting(world)
    run(world, waiting)
    assert waiting.waited == SMALL.waits(accounts)


def test_waves_can_be_switched_off(world: World) -> None:
    companies(world, 100)
    waiting = Waiting(world)
    run(world, waiting, pacing=Pacing(canary=0, wave=0))
    assert (waiting.waited, written(world)) == (0, 100)


@given(
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=6),
    canary=st.integers(1, 15),
    wave=st.integers(1, 30),
    changed=st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_parts_hold_the_pages_and_no_part_exceeds_what_is_left_of_a_wave(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], canary: int, wave: int, changed: float
) -> None:
    folder = tmp_path_factory.mktemp("waves")
    world = World(folder=folder)
    pacing = Pacing(canary=canary, watch=10.0, wave=wave, pause=1.0)
    parts = replace(world.parts(), pacing=pacing)
    waves = Waves(parts, Scope(wait=world.clock.step))
    report, in_wave, most = Report(), 0, canary
    number = 0
    seen: list[str] = []
    for at, size in enumerate(sizes):
        ids = [f"{number + n:06}" for n in range(size)]
        number += size
        accounts = tuple(Account(id=id, name=id, stamp=0, read_at=0) for id in ids)
        last = at == len(sizes) - 1
        page = Page(
            stream=Stream.BACKFILL,
            accounts=accounts,
            position=Position(last_id=f"{number:06}", finished=last),
            gone={"gone": ""},
            skipped=3,
        )
        passed = 0
        told = list[Page]()
        for part in waves.split(page):
            told.append(part)
            seen += part.ids
            assert in_wave + len(part.accounts) <= most
            wrote = round(changed * len(part.accounts))
            report.written += wrote
            in_wave += wrote
            passed = waves.passed
            waves.ticked(report)
            if waves.passed != passed:
                in_wave, most = 0, wave
        assert told[-1].position == page.position
        assert sum(part.skipped for part in told) == 3
        assert {id for part in told for id in part.gone} == {"gone"}
        assert all(part.position.last_id == part.ids[-1] for part in told[:-1])
    assert seen == [f"{n:06}" for n in range(number)]
    world.journal.close()


@pytest.mark.parametrize("made", [Station, OrgStation])
def test_over_http_stopped_again_and_again_everybody_is_read_once_and_written_once(
    made: type[Station], tmp_path: Path
) -> None:
    station = made(tmp_path)
    try:
        pacing = Pacing(canary=7, watch=0.01, wave=9, pause=0.01)
        parts = replace(station.wired.parts, pacing=pacing)
        read = 0
        while not finished(parts, Scope()):
            begun = [False]

            def once(begun: list[bool] = begun) -> bool:
                before, begun[0] = begun[0], True
                return not before

            report = backfill(parts, Scope(going=once))
            assert report is not None
            assert report.written <= 9
            read += report.read
        assert read == ACCOUNTS
        station.assert_converged()
        assert station.written() <= ACCOUNTS
    finally:
        station.close()


# What halts it


def refusing(share: int, result: Result = Result.REFUSED) -> Callable[[Write], Outcome | None]:
    """Of so many accounts, one."""

    def refuse(write: Write) -> Outcome | None:
        if int(write.account_id) % share:
            return None
        return Outcome(account_id=write.account_id, result=result, code="NO", message="not this one")

    return refuse


def test_many_refusals_halt_it_with_the_rest_untouched_and_said_once(world: World) -> None:
    companies(world, 200)
    world.crm.refuse = refusing(2)
    with pytest.raises(HaltedError, match=r"refused 10 of 20 accounts of a wave") as error:
        run(world, pacing=replace(SMALL, canary=20))
    assert error.value.exit_code == 3
    assert error.value.next_step == "icp-sync run --backfill --resume"
    assert error.value.report is not None
    assert error.value.report.read == 20
    alerts = world.journal.alerts()
    assert [alert.name for alert in alerts] == [ALERT]
    assert "--resume" in alerts[0].text
    assert not world.journal.position("backfill").finished


def test_few_refusals_halt_nothing(world: World) -> None:
    companies(world, 200)
    world.crm.refuse = refusing(25)
    report = run(world)
    assert (report.refused, report.written) == (8, 192)


def test_many_accounts_that_cannot_be_written_now_halt_it(world: World) -> None:
    companies(world, 200)
    world.crm.refuse = refusing(3, Result.FAILED)
    with pytest.raises(HaltedError, match="could not be written"):
        run(world)


def test_one_asked_for_by_hand_halts_when_it_goes_beyond_the_guard_s_limits_and_goes_on_when_told(
    world: World,
) -> None:
    ids = companies(world, 200)
    world.backfill()
    world.clock.step(60)
    for account_id in ids:
        world.crm.edit(account_id, signals=facts(employees=100, industry="RETAIL"))
    world.clock.step(60)
    with pytest.raises(HaltedError, match=r"guard holds .* status --held") as error:
        run(world, by_hand=True)
    assert error.value.exit_code == 3
    report = run(world, by_hand=True, resume=True)
    assert finished(world.parts(), Scope())
    assert sum(report.waits.values()) > 100, "what waits still waits"


def test_the_worker_s_own_backfill_holds_them_and_lands_the_rest(world: World) -> None:
    ids = companies(world, 200)
    world.backfill()
    world.clock.step(60)
    for account_id in ids:
        world.crm.edit(account_id, signals=facts(employees=100, industry="RETAIL"))
    world.clock.step(60)
    run(world)
    assert finished(world.parts(), Scope())
    assert sum(world.journal.waiting_holds().values()) > 100


def test_a_halted_backfill_waits_for_a_word_then_goes_on_where_it_was_at_a_canary(world: World) -> None:
    companies(world, 100)
    world.crm.refuse = refusing(2)
    with pytest.raises(HaltedError):
        run(world, pacing=replace(SMALL, canary=20))
    assert halted(world.journal)
    before = len(world.writes())
    with pytest.raises(HaltedError, match="refused"):
        run(world)
    assert len(world.writes()) == before
    world.crm.refuse = lambda _: None
    waiting = Waiting(world)
    report = run(world, waiting, resume=True)
    assert report.read == 80
    assert waiting.written[0] == 10 + 10, "ten of the first canary had landed, and a new canary of ten"
    assert (halted(world.journal), world.journal.alerts()) == ("", [])


def test_what_was_halted_for_one_reason_does_not_stop_another_request(world: World) -> None:
    companies(world, 100)
    world.journal.request_backfill("mode write", world.clock())
    world.crm.refuse = refusing(2)
    with pytest.raises(HaltedError):
        run(world, pacing=replace(SMALL, canary=20))
    world.crm.refuse = lambda _: None
    world.journal.request_backfill("profile v2", world.clock())
    assert run(world).read == 100
    assert world.journal.backfill_request() is None
    assert world.journal.alerts() == []


def test_accounts_that_change_again_soon_after_our_write_halt_it(world: World) -> None:
    ids = companies(world, 100)

    def workflow() -> None:
        world.clock.step(20)
        for account_id in ids[:3]:
            world.crm.edit(account_id, name="touched by a workflow")

    with pytest.raises(HaltedError, match=r"3 of 10 accounts .* reacts to our fields"):
        run(world, Waiting(world, workflow))
    assert written(world) == 10


def test_a_field_of_ours_that_something_rewrites_at_once_counts_as_changed(world: World) -> None:
    ids = companies(world, 100)

    def robot() -> None:
        for account_id in ids[:3]:
            world.crm.edit(account_id, live={"lane": "nurture"})

    with pytest.raises(HaltedError, match="changed again"):
        run(world, Waiting(world, robot))


def test_a_person_who_edits_during_the_watch_halts_nothing_and_is_not_overwritten(world: World) -> None:
    ids = companies(world, 100)

    def person() -> None:
        if written(world) == 10:
            world.clock.step(60)
            world.crm.edit(ids[0], name="Renamed")
            world.crm.edit(ids[50], live={"lane": "nurture"})  # read with its page, before the watch

    run(world, Waiting(world, person))
    assert world.live(ids[50])["lane"] == "nurture"
    assert not [w for w in world.writes(ids[50]) if w[2] == "lane"]


def test_an_account_deleted_during_the_watch_is_let_go(world: World) -> None:
    ids = companies(world, 100)

    def person() -> None:
        if written(world) == 10:
            world.crm.delete(ids[50])

    run(world, Waiting(world, person))
    assert world.journal.counts() == {"settled": 99}
    assert world.writes(ids[50]) == []


# Going on


def test_told_to_stop_during_the_watch_it_ends_at_once_and_watches_the_rest_before_it_goes_on(
    world: World,
) -> None:
    companies(world, 100)
    going = [True]

    def stop() -> None:
        going[0] = False

    waiting = Waiting(world, stop)
    run(world, waiting, scope=Scope(going=lambda: going[0]))
    assert (written(world), waiting.waited) == (10, 1.0)
    world.reopen()
    again = Waiting(world)
    run(world, again)
    assert again.written == [10, 40, 70]
    assert again.waited == 299 + 60 + 60
    assert written(world) == 100


@pytest.mark.parametrize("error", [None, UnavailableError("away")])
def test_a_canary_is_looked_at_however_often_it_is_cut_short(world: World, error: Exception | None) -> None:
    """By a stop during its watch, or as the CRM is away when it is looked at."""
    ids = companies(world, 100)
    for _ in range(3):
        going = [True]

        def cut(going: list[bool] = going) -> None:
            going[0] = error is not None

        def away(call: str) -> None:
            if call == "fetch" and error is not None:
                raise error

        world.crm.before = away
        with pytest.raises(UnavailableError) if error else nullcontext():
            run(world, Waiting(world, cut), scope=Scope(going=lambda going=going: going[0]))
        assert written(world) == 10
        world.reopen()
    world.crm.before = lambda _: None
    world.clock.step(60)
    for account_id in ids[:10]:
        world.crm.edit(account_id, name="touched by a workflow")
    with pytest.raises(HaltedError, match="10 of 10 accounts"):
        run(world)
    assert written(world) == 10


def test_a_wave_that_was_cut_short_is_filled_up_not_begun_again(world: World) -> None:
    companies(world, 100)
    world.crm._page_size = 3
    for _ in range(2):
        run(world, scope=Scope(limit=3))
        world.reopen()
    waiting = Waiting(world)
    run(world, waiting)
    assert waiting.written[0] in (9, 10)


def test_a_crash_in_a_later_wave_goes_on_without_another_canary(world: World) -> None:
    companies(world, 100)

    class Died(BaseException):
        pass

    def die(call: str) -> None:
        if call == "write" and written(world) >= 40:
            raise Died

    world.crm.before = die
    with pytest.raises(Died):
        run(world)
    assert written(world) == 40
    world.crm.before = lambda _: None
    world.reopen()
    waiting = Waiting(world)
    run(world, waiting)
    assert waiting.written == [70]
    assert written(world) == 100


def test_a_restart_begins_at_the_first_account_with_a_canary(world: World) -> None:
    companies(world, 60)
    run(world, scope=Scope(limit=50))
    world.version = 2
    waiting = Waiting(world)
    assert run(world, waiting, scope=Scope(restart=True)).read == 60


def test_a_selection_leaves_the_state_of_a_whole_backfill_alone(world: World) -> None:
    companies(world, 60)
    run(world, scope=Scope(limit=45))
    waves = world.journal.backfill_state().waves
    assert waves >= 1
    run(world, scope=Scope(where=lambda facts: False))
    assert world.journal.backfill_state().waves == waves


def test_a_selection_neither_passes_the_canary_of_the_whole_nor_halts_it(world: World) -> None:
    companies(world, 100)
    run(world, scope=Scope(limit=3))
    before = world.journal.backfill_state()
    run(world, scope=Scope(where=lambda facts: True, limit=50))
    assert world.journal.backfill_state() == before
    world.version = 2
    world.crm.refuse = refusing(2)
    for account_id in [w[1] for w in world.writes()]:
        world.crm.edit(account_id, signals=facts(**POOR))  # type: ignore[arg-type]
    world.clock.step(60)
    with pytest.raises(HaltedError) as error:
        run(world, scope=Scope(where=lambda facts: True), by_hand=True)
    assert "--resume" not in error.value.next_step
    assert halted(world.journal) == ""
    assert ALERT not in [alert.name for alert in world.journal.alerts()]


# Beside polling


def test_polls_go_on_during_a_backfill_and_what_they_settle_wins(world: World) -> None:
    """The page is read before the watch; during it a person edits and a poll settles the edit."""
    ids = companies(world, 100)
    late: list[int] = []

    def polled() -> None:
        if written(world) != 10:
            return
        world.clock.step(30)
        world.crm.edit(ids[80], signals=facts(employees=5000))
        world.clock.step(30)
        late.append(world.poll().read)
        assert world.live(ids[80])["tier"] == "C"

    run(world, Waiting(world, polled), pacing=replace(SMALL, watch=30.0))
    assert late
    assert world.live(ids[80])["tier"] == "C"
    assert [w[3] for w in world.writes(ids[80]) if w[2] == "tier"] == ["C"]


# Paused by a person


def test_a_pause_stops_a_backfill_where_it_is_and_it_goes_on_there(world: World) -> None:
    companies(world, 100)
    journal = world.journal
    waiting = Waiting(world, lambda: journal.pause_backfills(by="ada", now=world.clock()) and None)
    with pytest.raises(HaltedError, match="paused by ada") as stopped:
        run(world, waiting)
    assert stopped.value.report is not None
    assert written(world) == 10, "the canary, and nothing after the pause in its watch"
    with pytest.raises(HaltedError, match="paused by ada"):
        run(world)
    assert halted(journal) == "paused by ada"
    report = run(world, resume=True)
    assert (report.read, written(world)) == (90, 100)
    assert halted(journal) == ""
    assert journal.alerts() == [], "nobody needs to be woken for what a person did"


def test_a_pause_outlives_what_the_waves_keep_and_a_new_request(world: World) -> None:
    companies(world, 20)
    journal = world.journal
    journal.request_backfill("a new profile", world.clock())
    assert journal.pause_backfills(by="ada", now=world.clock())
    assert not journal.pause_backfills(by="ben", now=world.clock())
    journal.set_backfill_state(journal.backfill_state())
    journal.request_backfill("another profile", world.clock())
    assert halted(journal) == "paused by ada"
    run(world, resume=True)
    assert written(world) == 20
    assert journal.backfill_paused() is None


def test_a_pause_that_comes_with_the_last_page_is_over_with_it(world: World) -> None:
    companies(world, 5)
    journal = world.journal

    def pause(_: Report) -> None:
        journal.pause_backfills(by="ada", now=world.clock())

    assert run(world, scope=Scope(ticked=pause)).read == 5
    assert halted(journal) == ""


def test_begun_again_a_paused_backfill_is_paused_no_more(world: World) -> None:
    companies(world, 5)
    world.journal.pause_backfills(by="ada", now=world.clock())
    assert run(world, scope=Scope(restart=True)).read == 5
    assert world.journal.backfill_paused() is None
