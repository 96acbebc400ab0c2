"""A stamp never knows how its deal ended: whatever may have been known after that is too late."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import icp_sync.sync.deals
from icp_sync.domain.plan import Result
from icp_sync.domain.standing import Mode
from icp_sync.journal import Stamp
from icp_sync.ports import Note, Noted
from icp_sync.sync.stamping import GIVEN_UP
from tests.sync.deals_world import A_STAMP, BLANK, Selling, known
from tests.sync.world import GOOD, POOR, World, facts

HOUR, DAY = 3600.0, 86_400.0


@pytest.fixture
def selling(tmp_path: Path) -> Selling:
    return Selling(World(folder=tmp_path, mode=Mode.WRITE))


def begun(selling: Selling) -> tuple[str, str]:
    """A company nobody has looked at, and its deal, as stamping goes on."""
    selling.follow()
    selling.later(60)
    account = selling.world.company(**GOOD)  # type: ignore[arg-type]
    return account, selling.sell(account)


def change(selling: Selling, deal: str, **what: object) -> None:
    selling.world.crm.beside.change_deal(deal, **what)


def day(selling: Selling, before: float = 0.0) -> str:
    return datetime.fromtimestamp(selling.world.crm.now() - before, UTC).date().isoformat()


def test_a_verdict_after_the_deal_was_won_is_too_late_though_the_index_does_not_show_it(
    selling: Selling,
) -> None:
    _, deal = begun(selling)
    selling.later(30)
    selling.follow()
    selling.later(600)
    change(selling, deal, open=False, won=True, closed_on=day(selling))
    selling.world.crm.beside.hide_deal(deal, 300)
    selling.later(60)
    selling.world.backfill()
    selling.later(60)
    assert selling.follow().stamps == {}, "no read has shown it since"
    selling.later(600)
    assert selling.follow().stamps == {Stamp.LATE: 1}
    assert selling.deal(deal).stamp == BLANK


def test_a_verdict_while_the_deal_was_lost_is_too_late_though_it_was_opened_again(selling: Selling) -> None:
    _, deal = begun(selling)
    selling.later(100)
    change(selling, deal, open=False, closed_on=day(selling))
    selling.later(100)
    selling.world.backfill()
    selling.later(100)
    change(selling, deal, open=True, closed_on="")
    selling.later(300)
    assert selling.follow().stamps == {Stamp.LATE: 1}


def test_a_verdict_before_the_first_read_counts_where_nothing_changed_since(selling: Selling) -> None:
    _, deal = begun(selling)
    selling.later(100)
    selling.world.backfill()
    selling.later(300)
    selling.follow()
    assert selling.deal(deal).stamp == A_STAMP


def test_a_verdict_between_two_reads_that_show_it_open_counts(selling: Selling) -> None:
    _, deal = begun(selling)
    selling.later(30)
    selling.follow()
    selling.later(100)
    selling.world.backfill()
    selling.later(100)
    change(selling, deal, amount=5.0)
    selling.later(100)
    selling.follow()
    assert selling.deal(deal).stamp == A_STAMP


@pytest.mark.parametrize(
    ("closed", "stamp"), [("yesterday", Stamp.LATE), ("never told", Stamp.LATE), ("today", Stamp.STAMPED)]
)
def test_a_deal_met_closed_that_may_have_ended_before_it_was_created_tells_nothing(
    selling: Selling, closed: str, stamp: Stamp
) -> None:
    account = known(selling, **GOOD)
    when = {"yesterday": day(selling, DAY), "never told": "", "today": day(selling)}[closed]
    deal = selling.sell(account, open=False, won=True, closed_on=when)
    selling.later(60)
    selling.follow()
    assert selling.stored(deal).stamp is stamp


def test_the_day_it_was_created_is_told_by_the_calendar_it_closed_by(selling: Selling) -> None:
    account = known(selling, **GOOD)
    deal = selling.sell(account, open=False, won=True, closed_on=day(selling), created_on=day(selling, -DAY))
    selling.later(60)
    selling.follow()
    assert selling.stored(deal).stamp is Stamp.LATE


def test_a_deal_whose_creation_is_moved_is_no_new_deal(selling: Selling) -> None:
    account = selling.world.company(**GOOD)  # type: ignore[arg-type]
    selling.world.backfill()
    selling.later(60)
    deal = selling.sell(account)
    selling.later(60)
    selling.follow()
    selling.world.crm.edit(account, signals=facts(**POOR))  # type: ignore[arg-type]
    selling.world.poll()
    selling.later(DAY)
    change(selling, deal, created_at=round(selling.world.crm.now() * 1000))
    selling.later(600)
    selling.follow()
    assert selling.notes == []
    assert selling.stored(deal).tier == "A"


def test_of_a_company_that_took_in_another_nobody_knows_whose_deal_it_was(selling: Selling) -> None:
    good = known(selling, **GOOD)
    poor = selling.world.company("Bee", **POOR)  # type: ignore[arg-type]
    selling.world.poll()
    selling.later(60)
    deal = selling.sell(good)
    selling.later(5)
    selling.world.crm.merge(good, poor)
    selling.later(5)
    selling.world.poll()
    selling.later(60)
    selling.follow()
    selling.later(DAY)
    assert selling.follow().stamps == {Stamp.LATE: 1}
    assert selling.deal(deal).stamp == BLANK


def test_who_dies_between_reading_and_judging_leaves_no_deal_without_its_tier(
    selling: Selling, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = selling.world.company(**GOOD)  # type: ignore[arg-type]
    selling.world.backfill()
    selling.later(60)
    deal = selling.sell(account)
    selling.later(3 * DAY)

    def die(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(icp_sync.sync.deals._Cycle, "_settle_up", die)
    for _ in range(2):  # the first ends before anything is read
        with pytest.raises(SystemExit):
            selling.follow()
    monkeypatch.undo()
    selling.world.reopen()
    selling.later(DAY)
    selling.follow()
    assert selling.stored(deal).tier == "A"


# What is in the way of a stamp


def test_told_to_observe_while_it_stamps_it_stamps_no_more(selling: Selling) -> None:
    account = known(selling, **GOOD)
    for _ in range(250):
        selling.sell(account)
    selling.later(60)
    world = selling.world
    world.crm.before = lambda call: (
        world.journal.set_mode(Mode.OBSERVE, now=world.clock()) if call == "annotate" else None
    )
    selling.follow()
    assert len(selling.notes) == 100


@pytest.mark.parametrize("result", [Result.FAILED, Result.UNCERTAIN])
def test_while_nothing_comes_through_one_batch_a_cycle_tries(selling: Selling, result: Result) -> None:
    account = known(selling, **GOOD)
    for _ in range(350):
        selling.sell(account)
    selling.later(60)
    asked: list[int] = []

    def down(_: str, notes: list[Note]) -> list[Noted]:
        asked.append(len(notes))
        return [Noted(id=note.id, result=result, message="down") for note in notes]

    selling.world.crm.annotate = down  # type: ignore[method-assign, assignment]
    for cycle in range(3):
        selling.follow()
        assert len(asked) == cycle + 1
        selling.later(600)
    del selling.world.crm.annotate
    for _ in range(3):
        selling.later(HOUR)
        selling.follow()
    assert len(selling.notes) == 350


def test_a_write_that_does_not_land_is_sent_ever_later(selling: Selling) -> None:
    selling.sell(known(selling, **GOOD))
    sent: list[float] = []

    def lost(_: str, notes: list[Note]) -> list[Noted]:
        sent.append(selling.world.clock())
        return [Noted(id=note.id, result=Result.UNCERTAIN, message="no reply") for note in notes]

    selling.world.crm.annotate = lost  # type: ignore[method-assign, assignment]
    for _ in range(60):
        selling.later(600)
        selling.follow()
    assert 3 < len(sent) < 12


def test_outages_use_up_no_refusals(selling: Selling) -> None:
    deal = selling.sell(known(selling, **GOOD))
    answers = {Result.FAILED: 0, Result.REFUSED: 0}
    now = Result.FAILED

    def answer(note: Note) -> Noted:
        answers[now] += 1
        return Noted(id=note.id, result=now, message="not now")

    selling.world.crm.beside.refuse_note = answer
    for _ in range(40):
        selling.later(HOUR)
        selling.follow()
    assert answers[Result.FAILED] > GIVEN_UP
    now = Result.REFUSED
    for _ in range(80):
        selling.later(HOUR)
        selling.follow()
    assert answers[Result.REFUSED] == GIVEN_UP
    assert selling.stored(deal).refusals == GIVEN_UP


def test_what_somebody_filled_since_the_last_read_is_theirs_for_good(selling: Selling) -> None:
    deal = selling.sell(known(selling, **GOOD))
    selling.later(60)
    selling.world.crm.beside.refuse_note = lambda note: Noted(id=note.id, result=Result.REFUSED)
    selling.follow()
    selling.world.crm.beside.refuse_note = lambda _: None
    selling.later(400)
    theirs = {"tier": "D", "score": "", "profile": "by hand"}
    change(selling, deal, stamp=theirs)
    selling.world.crm.beside.hide_deal(deal, 30)
    selling.later(5)
    assert selling.follow().stamps == {Stamp.FOREIGN: 1}
    assert selling.deal(deal).stamp == theirs
