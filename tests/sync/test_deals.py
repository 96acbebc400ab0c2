"""A deal shows, once and for ever, how its company stood when the deal began; or nothing."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from icp_sync.domain.plan import Result
from icp_sync.domain.stamp import STAMP
from icp_sync.domain.standing import Mode
from icp_sync.errors import AuthError, UnavailableError
from icp_sync.journal import Stamp
from icp_sync.ports import Note, Noted
from icp_sync.quota.priority import Priority, current
from icp_sync.sync.deals import follow_deals
from icp_sync.sync.following import DEALS, Following
from icp_sync.sync.stamping import GIVEN_UP
from tests import postgres
from tests.sync.deals_world import A_STAMP, B_STAMP, BLANK, Selling, known
from tests.sync.world import GOOD, POOR, World, facts

HOUR, DAY = 3600.0, 86_400.0


@pytest.fixture(params=["sqlite", "postgresql"])
def selling(request: pytest.FixtureRequest, tmp_path: Path) -> Selling:
    server = postgres.server() if request.param == "postgresql" else None
    return Selling(World(folder=tmp_path, server=server, mode=Mode.WRITE))


@pytest.fixture
def on_file(tmp_path: Path) -> Selling:
    return Selling(World(folder=tmp_path, mode=Mode.WRITE))


def test_a_new_deal_is_given_tier_score_and_profile_of_its_company_once(selling: Selling) -> None:
    account = known(selling, **GOOD)
    deal = selling.sell(account)
    selling.later(10)
    assert selling.follow().stamps == {Stamp.STAMPED: 1}
    assert selling.deal(deal).stamp == A_STAMP
    for _ in range(3):
        selling.later(600)
        assert selling.follow().stamps == {}
    assert selling.notes == [deal]
    stored = selling.stored(deal)
    assert (stored.tier, stored.score, stored.profile, stored.version) == ("A", 100, "mid-market", 1)
    assert stored.stamp is Stamp.STAMPED


def test_what_counts_is_the_moment_of_creation_and_not_what_came_after(selling: Selling) -> None:
    account = known(selling, **GOOD)
    deal = selling.sell(account)
    selling.later(30)
    selling.world.crm.edit(account, signals=facts(**POOR))  # type: ignore[arg-type]
    selling.later(30)
    selling.world.poll()
    assert selling.world.live(account)["tier"] == "B"
    selling.follow()
    assert selling.deal(deal).stamp == A_STAMP
    later = selling.sell(account)
    selling.later(10)
    selling.follow()
    assert selling.deal(later).stamp == B_STAMP
    assert selling.deal(deal).stamp == A_STAMP


def test_a_company_first_looked_at_within_the_grace_counts_while_the_deal_is_open(on_file: Selling) -> None:
    selling = on_file
    selling.follow()
    selling.later(60)
    account = selling.world.company(**GOOD)  # type: ignore[arg-type]
    deal = selling.sell(account)
    selling.later(60)
    assert selling.follow().stamps == {}
    assert selling.deal(deal).stamp == BLANK
    selling.world.backfill()
    selling.later(600)
    selling.follow()
    assert selling.deal(deal).stamp == A_STAMP


@pytest.mark.parametrize("closed", [True, False])
def test_what_is_known_too_late_is_never_stamped(on_file: Selling, closed: bool) -> None:
    selling = on_file
    selling.follow()
    selling.later(60)
    account = selling.world.company(**GOOD)  # type: ignore[arg-type]
    deal = selling.sell(account)
    selling.later(60)
    if closed:
        selling.world.crm.beside.change_deal(deal, open=False, won=True)
    else:
        selling.later(DAY)
    selling.world.backfill()
    selling.later(60)
    assert selling.follow().stamps == {Stamp.LATE: 1}
    selling.world.crm.beside.change_deal(deal, open=True, won=False)
    for _ in range(2):
        selling.later(600)
        selling.follow()
    assert selling.deal(deal).stamp == BLANK
    assert selling.stored(deal).tier == ""


def test_without_a_grace_only_what_was_known_at_that_moment_counts(tmp_path: Path) -> None:
    selling = Selling(World(folder=tmp_path, mode=Mode.WRITE), Following(stamp=True, grace=0.0))
    old = known(selling, **GOOD)
    new = selling.world.company("New", **GOOD)  # type: ignore[arg-type]
    deals = [selling.sell(old), selling.sell(new)]
    selling.later(1)
    selling.world.poll()
    selling.later(10)
    selling.follow()
    assert [selling.deal(deal).stamp for deal in deals] == [A_STAMP, BLANK]


def test_deals_created_before_stamping_began_are_followed_and_never_stamped(on_file: Selling) -> None:
    selling = on_file
    account = selling.world.company(**GOOD)  # type: ignore[arg-type]
    selling.world.backfill()
    selling.later(60)
    old = selling.sell(account)
    selling.later(60)
    assert selling.follow().new == 1
    new = selling.sell(account)
    selling.later(60)
    selling.follow()
    assert selling.deal(old).stamp == BLANK
    assert selling.stored(old).tier == "A", "outcomes can be told by tier all the same"
    assert selling.notes == [new]


def test_switched_off_nothing_is_stamped_and_on_again_only_what_is_new(on_file: Selling) -> None:
    selling = on_file
    account = known(selling, **GOOD)
    selling.following = Following(stamp=False)
    between = selling.sell(account)
    selling.later(60)
    selling.follow()
    selling.following = Following(stamp=True)
    selling.later(60)
    selling.follow()
    selling.later(1)
    after = selling.sell(account)
    selling.later(60)
    selling.follow()
    assert selling.notes == [after]
    assert selling.stored(between).stamp is Stamp.NONE


def test_in_observe_nothing_is_written(on_file: Selling) -> None:
    selling = on_file
    selling.world.journal.set_mode(Mode.OBSERVE, now=selling.world.clock())
    account = known(selling, **GOOD)
    deal = selling.sell(account)
    selling.later(60)
    selling.follow()
    assert selling.notes == []
    assert selling.stored(deal).tier == "A"


def test_a_deal_whose_fields_others_filled_is_left_alone(on_file: Selling) -> None:
    selling = on_file
    account = known(selling, **GOOD)
    deal = selling.sell(account, stamp={"tier": "C"})
    selling.later(60)
    assert selling.follow().stamps == {Stamp.FOREIGN: 1}
    selling.world.crm.beside.change_deal(deal, stamp={})
    selling.later(600)
    selling.follow()
    assert selling.notes == []


def test_what_people_change_after_the_stamp_stays_changed(on_file: Selling) -> None:
    selling = on_file
    deal = selling.sell(known(selling, **GOOD))
    selling.later(60)
    selling.follow()
    for theirs in ({**A_STAMP, "tier": "D"}, {}):
        selling.world.crm.beside.change_deal(deal, stamp=theirs)
        selling.later(600)
        selling.follow()
    assert selling.notes == [deal]
    assert selling.stored(deal).tier == "A"


def test_states_are_stamped_as_such_and_out_of_scope_means_nothing(on_file: Selling) -> None:
    selling = on_file
    dark = selling.world.company("Dark")
    partner = selling.world.company("Partner", lifecycle="customer", employees=100)
    selling.world.backfill()
    selling.later(60)
    selling.follow()
    deals = [selling.sell(dark), selling.sell(partner), selling.sell("")]
    selling.later(60)
    assert selling.follow().stamps == {Stamp.STAMPED: 1, Stamp.OUTSIDE: 1}
    assert [selling.deal(deal).stamp["tier"] for deal in deals] == ["Needs data", "", ""]
    selling.later(DAY)
    assert selling.follow().stamps == {Stamp.LATE: 1}, "it never came to belong to anybody"


def test_a_deal_that_had_ended_before_it_was_created_tells_nothing(on_file: Selling) -> None:
    selling = on_file
    account = known(selling, **GOOD)
    imported = selling.sell(account, open=False, won=True, closed_on="2020-02-29")
    quick = selling.sell(account, open=False, won=True, closed_on="2100-01-01")
    selling.later(60)
    assert selling.follow().stamps == {Stamp.LATE: 1, Stamp.STAMPED: 1}
    assert (selling.stored(imported).tier, selling.stored(quick).tier) == ("", "A")


def test_a_lost_reply_is_made_out_by_the_next_read_and_nothing_written_twice(on_file: Selling) -> None:
    selling = on_file
    deal = selling.sell(known(selling, **GOOD))
    selling.later(60)
    selling.world.crm.beside.lose_reply = lambda _: True
    assert selling.follow().stamps == {}
    assert selling.stored(deal).stamp is Stamp.INTENDED
    selling.later(600)
    assert selling.follow().stamps == {Stamp.STAMPED: 1}
    assert selling.notes == [deal]


def test_while_no_read_shows_what_became_of_it_nothing_is_sent_again(on_file: Selling) -> None:
    selling = on_file
    deal = selling.sell(known(selling, **GOOD))
    selling.later(60)
    selling.world.crm.beside.lose_reply = lambda _: True
    selling.follow()
    selling.world.crm.beside.hide_deal(deal, 3 * HOUR)
    for _ in range(3):
        selling.later(HOUR + 1)
        selling.follow()
    assert selling.notes == [deal]
    assert selling.stored(deal).stamp is Stamp.STAMPED


def test_a_refusal_is_tried_again_ever_later_and_a_few_times_only(on_file: Selling) -> None:
    selling = on_file
    deal = selling.sell(known(selling, **GOOD))
    asked: list[float] = []

    def refuse(note: Note) -> Noted:
        asked.append(selling.world.clock())
        return Noted(id=note.id, result=Result.REFUSED, message="the deal is archived")

    selling.world.crm.beside.refuse_note = refuse
    for _ in range(60):
        selling.later(600)
        selling.follow()
    assert len(asked) == GIVEN_UP
    waits = [b - a for a, b in pairwise(asked)]
    assert waits == sorted(waits)
    stored = selling.stored(deal)
    assert (stored.stamp, stored.message) == (Stamp.REFUSED, "the deal is archived")


def test_a_refusal_that_ends_is_made_good_with_what_was_true_at_creation(on_file: Selling) -> None:
    selling = on_file
    account = known(selling, **GOOD)
    deal = selling.sell(account)
    selling.later(60)
    selling.world.crm.beside.stamp.clear()
    selling.follow()
    assert "fields of our stamp" in selling.stored(deal).message
    selling.world.crm.edit(account, signals=facts(**POOR))  # type: ignore[arg-type]
    selling.world.poll()
    selling.world.crm.beside.stamp.update(STAMP)
    selling.later(DAY)
    selling.follow()
    assert selling.deal(deal).stamp == A_STAMP
    assert selling.stored(deal).message == ""


def test_one_refused_deal_keeps_no_other_from_its_stamp(on_file: Selling) -> None:
    selling = on_file
    account = known(selling, **GOOD)
    bad, *good = [selling.sell(account) for _ in range(250)]
    refusal = Noted(id=bad, result=Result.REFUSED, message="locked")
    selling.world.crm.beside.refuse_note = lambda note: refusal if note.id == bad else None
    selling.later(60)
    assert selling.follow().stamps == {Stamp.STAMPED: 249, Stamp.REFUSED: 1}
    assert sorted(selling.notes) == sorted(good)


def test_a_deal_that_goes_while_it_is_stamped_is_let_go(on_file: Selling) -> None:
    selling = on_file
    deal = selling.sell(known(selling, **GOOD))
    selling.later(60)
    annotate = selling.world.crm.annotate

    def gone(kind: str, notes: list[Note]) -> list[Noted]:
        selling.world.crm.beside.drop_deal(deal)
        return list(annotate(kind, notes))

    selling.world.crm.annotate = gone  # type: ignore[method-assign, assignment]
    assert selling.follow().stamps == {Stamp.REFUSED: 1}
    selling.later(DAY + 1)
    assert selling.follow().dropped == 1
    assert selling.stored(deal).gone_at is not None
    assert selling.world.journal.deals() == []


def test_outcomes_follow_whatever_becomes_of_a_deal(on_file: Selling) -> None:
    selling = on_file
    deal = selling.sell(known(selling, **GOOD), amount=1200.5, currency="EUR", stage="Proposal")
    selling.later(60)
    selling.follow()
    selling.later(HOUR)
    selling.world.crm.beside.change_deal(deal, open=False, won=True, stage="Won", closed_on="2026-11-20")
    selling.later(60)
    selling.follow()
    stored = selling.stored(deal)
    assert (stored.open, stored.won, stored.stage, stored.closed_on) == (False, True, "Won", "2026-11-20")
    assert (stored.amount, stored.currency, stored.tier) == (1200.5, "EUR", "A")


def test_what_no_index_shows_is_found_by_the_daily_read_of_all(on_file: Selling) -> None:
    selling = on_file
    account = known(selling, **GOOD)
    deal = selling.sell(account)
    selling.world.crm.beside.hide_deal(deal, 1000 * HOUR)
    selling.later(60)
    assert selling.follow().read == 0
    selling.later(DAY)
    selling.follow()
    assert selling.deal(deal).stamp == A_STAMP


def test_a_right_that_is_missing_ends_the_cycle_and_not_the_connection(on_file: Selling) -> None:
    def forbid(call: str) -> None:
        if call == "deals":
            raise AuthError("the scope crm.objects.deals.read is missing")

    on_file.world.crm.before = forbid
    with pytest.raises(UnavailableError, match=r"deals\.read"):
        on_file.follow()
    on_file.world.crm.before = lambda _: None
    assert on_file.follow().read == 0, "the lease was given back"
    outcomes = [run.report["outcome"] for run in on_file.world.journal.runs() if run.kind == DEALS]
    assert sorted(map(str, outcomes)) == ["done", "failed"]


def test_two_workers_do_not_follow_deals_at_once(on_file: Selling) -> None:
    lease = on_file.world.journal.lease(DEALS, holder="other", now=on_file.world.clock())
    assert lease is not None
    assert follow_deals(on_file.parts()) is None


def test_companies_go_before_deals(on_file: Selling) -> None:
    seen: list[Priority] = []
    on_file.world.crm.before = lambda _: seen.append(current())
    on_file.follow()
    assert set(seen) == {Priority.SWEEP}


def test_told_to_stop_it_stops_and_goes_on_later(on_file: Selling) -> None:
    selling = on_file
    account = known(selling, **GOOD)
    deals = [selling.sell(account) for _ in range(3)]
    selling.later(60)
    follow_deals(selling.parts(), going=lambda: False)
    assert selling.notes == []
    selling.follow()
    assert selling.notes == deals


def test_deals_are_not_followed_unless_asked(on_file: Selling) -> None:
    assert follow_deals(replace(on_file.parts(), following=None)) is None
    assert on_file.world.journal.runs() == []


def test_a_reply_of_unknown_kind_is_no_stamp(on_file: Selling) -> None:
    selling = on_file
    deal = selling.sell(known(selling, **GOOD))
    selling.later(60)
    selling.world.crm.annotate = lambda _, notes: [  # type: ignore[method-assign]
        Noted(id="77", result=Result.WRITTEN)
    ]
    selling.follow()
    assert selling.stored(deal).stamp is Stamp.INTENDED
    del selling.world.crm.annotate
    selling.later(600)
    selling.follow()
    selling.later(600)
    selling.follow()
    assert selling.deal(deal).stamp == A_STAMP
