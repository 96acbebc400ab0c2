"""What reps are told, when, and what they are never told: decided with the page, sent once it is due."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from icp_sync.domain.account import Owner
from icp_sync.domain.plan import Outcome, Result
from icp_sync.domain.standing import Mode
from icp_sync.domain.telling import Telling
from icp_sync.journal import SENT, Notice
from icp_sync.ports import Stream
from icp_sync.sync.cycle import Scope
from icp_sync.sync.telling.stream import TRIES, WORRIED, patience
from icp_sync.sync.undo import undo
from icp_sync.sync.undoable import Wanted
from tests.sync.telling_world import AT_ONCE, DAILY, TellingWorld, listening
from tests.sync.world import ANNA, BEN

DAY = 86_400.0


@pytest.fixture
def world(tmp_path: Path) -> TellingWorld:
    return TellingWorld(folder=tmp_path)


def tasks(world: TellingWorld) -> list[tuple[str, str]]:
    return [(task.owner, task.subject) for task in world.crm.beside.tasks.values()]


def test_whom_our_route_gave_an_account_gets_one_task(world: TellingWorld) -> None:
    acme = world.good("Acme")
    world.poll()
    world.tell()
    owner = world.account(acme).owner
    assert tasks(world) == [(owner, f"ICP fit: Acme for {owner}")]
    (task,) = world.crm.beside.tasks.values()
    assert task.accounts == (acme,)
    assert "Given to you:\n- Acme: tier A, score 100, sales lane" in task.body
    assert world.states == [("assigned", "sent")]


def test_an_account_that_rises_into_the_tier_is_told_once(world: TellingWorld) -> None:
    acme = world.poor("Acme", owner=ANNA)
    world.poll()
    world.improve(acme)
    world.settle()
    assert world.states == [("tier", "waiting")]
    world.tell()
    world.tell()
    world.settle()
    world.tell()
    assert tasks(world) == [(ANNA, f"ICP fit: Acme for {ANNA}")]
    assert "- Acme: tier A (was B), score 100" in next(iter(world.crm.beside.tasks.values())).body
    assert world.states == [("tier", "sent")]


def test_a_fall_is_no_news_and_the_same_rise_within_the_span_is_none_either(world: TellingWorld) -> None:
    acme = world.poor(owner=ANNA)
    world.poll()
    for _ in range(3):
        world.improve(acme)
        world.settle(DAY)
        world.tell()
        world.worsen(acme)
        world.settle(DAY)
        world.tell()
    assert world.states == [("tier", "sent")]
    world.clock.step(world.quiet)
    world.improve(acme)
    world.settle(DAY)
    assert world.states == [("tier", "sent"), ("tier", "waiting")]


def test_what_is_not_true_any_more_when_it_is_due_is_dropped(world: TellingWorld) -> None:
    fallen, moved, gone = (world.poor(name, owner=ANNA) for name in ("Fallen", "Moved", "Gone"))
    world.poll()
    for account in (fallen, moved, gone):
        world.improve(account)
    world.settle()
    assert world.states == [("tier", "waiting")] * 3
    world.worsen(fallen)
    world.crm.edit(moved, owner="")
    world.crm.delete(gone)
    world.settle()
    world.cycle(Stream.SWEEP)
    world.tell()
    assert world.states == [("tier", "dropped")] * 3
    assert tasks(world) == []
    said = {one.subject: one.message for one in world.journal.notices()}
    assert said[moved] == "nobody owns it by now"
    assert said[gone] == "the account is gone"


def test_an_undone_change_is_not_told(world: TellingWorld) -> None:
    acme = world.poor(owner=ANNA)
    world.poll()
    world.improve(acme)
    world.clock.step(200)
    run = world.cycle(Stream.POLL)
    assert run.written == 1
    last = next(run.id for run in world.journal.runs() if run.kind == "poll")
    world.clock.step(200)
    undo(Wanted(run=last), world.parts(), Scope())
    world.tell()
    assert world.live(acme)["tier"] == "B"
    assert world.states == [("tier", "dropped")]


def test_a_backfill_tells_nobody_and_counts_what_it_kept_back(world: TellingWorld) -> None:
    for n in range(5):
        world.good(f"Company {n}")
    world.backfill()
    assert world.states == []
    assert world.journal.notice_counts().silent == 5
    world.settle()
    assert world.tell().notices == {}


def test_a_backfill_tells_where_somebody_wants_that(tmp_path: Path) -> None:
    world = TellingWorld(folder=tmp_path, telling=replace(AT_ONCE, backfills=True))
    world.good()
    world.backfill()
    assert world.states == [("assigned", "waiting")]


@pytest.mark.parametrize("stream", [Stream.POLL, Stream.SWEEP])
def test_what_is_first_met_while_a_backfill_is_asked_for_is_no_news(
    world: TellingWorld, stream: Stream
) -> None:
    world.journal.request_backfill("the first reading", world.clock())
    world.good()
    world.cycle(stream)
    assert world.states == []
    assert world.journal.notice_counts().silent == 1


def test_a_new_profile_makes_no_news_whatever_stream_meets_the_account(world: TellingWorld) -> None:
    acme = world.poor(owner=ANNA)
    world.poll()
    world.version = 2
    world.improve(acme)
    world.settle()
    assert world.live(acme)["tier"] == "A"
    assert world.states == []


def test_a_tier_that_was_refused_is_news_once_it_landed(world: TellingWorld) -> None:
    acme = world.poor(owner=ANNA)
    world.poll()
    world.improve(acme)
    world.crm.refuse = lambda write: Outcome(
        account_id=write.account_id, result=Result.REFUSED, code="VALIDATION", message="no"
    )
    world.settle()
    assert world.states == []
    world.crm.refuse = lambda _: None
    world.settle(4_000)
    assert world.live(acme)["tier"] == "A"
    assert world.states == [("tier", "waiting")]


def test_a_lost_reply_is_told_once_a_read_has_shown_what_became_of_it(world: TellingWorld) -> None:
    acme = world.good()
    world.crm.lose_reply = lambda _: True
    world.poll()
    assert world.states == []
    world.crm.lose_reply = lambda _: False
    world.settle(4_000)
    assert world.states == [("assigned", "waiting")]
    world.tell()
    assert len(tasks(world)) == 1
    assert world.account(acme).owner


@pytest.mark.parametrize(
    ("mode", "expected"), [(Mode.OBSERVE, []), (Mode.WRITE, ["tier"]), (Mode.ROUTE, ["assigned"])]
)
def test_only_what_is_written_is_told(tmp_path: Path, mode: Mode, expected: list[str]) -> None:
    world = TellingWorld(folder=tmp_path, mode=mode)
    world.good()
    world.poll()
    assert [kind for kind, _ in world.states] == expected


def test_a_provisional_tier_can_be_left_out(tmp_path: Path) -> None:
    world = TellingWorld(folder=tmp_path, telling=replace(AT_ONCE, firm_only=True))
    unsure = world.company("Unsure", owner=ANNA, employees=(40, 60), industry="SOFTWARE")
    world.company("Sure", owner=ANNA, employees=100, industry="SOFTWARE")
    world.poll()
    told = {one.data["name"] for one in world.journal.notices()}
    assert world.live(unsure)["certainty"] == "provisional"
    assert told == {"Sure"}


def test_a_tier_that_people_decide_is_news_as_well(world: TellingWorld) -> None:
    acme = world.poor(owner=ANNA)
    world.poll()
    world.crm.edit(acme, live={"tier_override": "A"})
    world.settle()
    assert world.states == [("tier", "waiting")]


def test_a_survivor_of_a_merge_is_told_in_place_of_who_was_merged_away(world: TellingWorld) -> None:
    kept, merged = world.good("Kept", owner=ANNA), world.poor("Merged", owner=ANNA)
    world.poll()
    world.tell()
    world.improve(merged)
    world.settle()
    world.crm.merge(merged, kept)
    world.settle()
    world.cycle(Stream.SWEEP)
    world.tell()
    assert {one.subject for one in world.journal.notices()} == {kept}


# By which way


def test_a_digest_goes_out_once_a_period_for_each_owner(tmp_path: Path) -> None:
    world = TellingWorld(folder=tmp_path, telling=DAILY)
    names = [world.poor(f"Company {n:02}", owner=ANNA if n % 2 else BEN) for n in range(6)]
    world.poll()
    for account in names:
        world.improve(account)
    world.settle()
    assert world.tell().messages == 0
    world.clock.now = DAILY.goes_out(world.clock())
    assert world.tell().messages == 2
    assert sorted(tasks(world)) == [
        (ANNA, f"ICP fit: 3 accounts for {ANNA}"),
        (BEN, f"ICP fit: 3 accounts for {BEN}"),
    ]
    assert world.tell().messages == 0


def test_a_long_digest_names_twenty_and_says_how_many_more(tmp_path: Path) -> None:
    with listening() as webhook:
        world = TellingWorld(folder=tmp_path, telling=DAILY, tasks=False, rep_url=webhook.url)
        accounts = [world.poor(f"Company {n:02}", owner=ANNA) for n in range(34)]
        world.poll()
        for some in (accounts[:17], accounts[17:]):
            for account in some:
                world.improve(account)
            world.settle()
        world.clock.now = DAILY.goes_out(world.clock())
        world.tell()
    (text,) = webhook.texts
    assert text.count("•") == 20
    assert text.endswith("and 14 more")
    assert text.index("Company 33") < text.index("Company 14"), "the newest stand first"
    assert "Company 13" not in text


def test_whom_the_crm_does_not_know_as_active_is_told_by_the_webhook(tmp_path: Path) -> None:
    with listening() as webhook:
        world = TellingWorld(folder=tmp_path, rep_url=webhook.url, mode=Mode.WRITE)
        for owner in (ANNA, "", "left@example.com"):
            account = world.poor(f"For {owner or 'nobody'}", owner=owner)
            world.poll()
            world.improve(account)
        world.settle()
        world.tell()
    assert [owner for owner, _ in tasks(world)] == [ANNA]
    assert sorted(text.splitlines()[0] for text in webhook.texts) == [
        "*For left@\u200bexample.com for left@\u200bexample.com*",
        "*For nobody, that nobody owns*",
    ]


def test_without_a_webhook_what_nobody_can_be_given_is_dropped_and_says_why(world: TellingWorld) -> None:
    world.mode = Mode.WRITE
    world.good(owner="")
    world.poll()
    world.tell()
    assert world.states == [("tier", "dropped")]
    assert world.journal.alerts() == []


def test_everybody_has_a_task_of_their_own_about_an_account(world: TellingWorld) -> None:
    acme = world.poor(owner=ANNA)
    world.poll()
    world.improve(acme)
    world.settle()
    world.tell()
    world.worsen(acme)
    world.settle(DAY)
    world.crm.edit(acme, owner=BEN)
    world.improve(acme)
    world.settle(DAY)
    world.tell()
    assert [owner for owner, _ in tasks(world)] == [ANNA, BEN]
    assert world.states == [("tier", "sent"), ("tier", "sent")]


def test_a_webhook_that_does_not_answer_is_tried_again_later_and_given_up_with_an_alert(
    tmp_path: Path,
) -> None:
    with listening() as webhook:
        world = TellingWorld(folder=tmp_path, tasks=False, rep_url=webhook.url)
        webhook.answers = [(404, {})] * TRIES
        world.good(owner=ANNA)
        world.poll()
        begun = world.clock()
        for tries in range(TRIES):
            assert len(world.journal.alerts()) == (tries >= WORRIED)
            world.tell()
            assert len(webhook.received) == tries + 1
            lasted = world.clock() - begun
            world.clock.step(patience(tries + 1))
        assert lasted >= 3 * DAY
        assert world.states == [("tier", "failed")]
        (alert,) = world.journal.alerts()
        assert alert.name == "reps are not told"
        assert "HTTP 404" in alert.text
        world.tell()
        assert len(webhook.received) == TRIES
        assert "very-secret" not in alert.text
        world.good("Another", owner=ANNA)
        world.settle()
        world.tell()
        assert world.journal.alerts() == []


def test_a_receiver_that_asks_for_patience_gets_it(tmp_path: Path) -> None:
    with listening() as webhook:
        world = TellingWorld(folder=tmp_path, tasks=False, rep_url=webhook.url)
        webhook.answers = [(429, {"Retry-After": "7000"})]
        world.good(owner=ANNA)
        world.poll()
        world.tell()
        (notice,) = world.journal.notices()
        assert notice.due is not None
        assert notice.due >= world.clock() + 7000
        world.clock.step(7000)
        world.tell()
    assert world.states == [("tier", SENT)]


def test_what_another_part_notes_is_sent_without_waiting_for_a_digest(tmp_path: Path) -> None:
    world = TellingWorld(folder=tmp_path, telling=DAILY)
    acme = world.poor(owner=ANNA)
    world.poll()
    breach = Notice(
        audience="rep",
        kind="breach",
        subject=acme,
        to=BEN,
        key="breach 1",
        data={"name": "Acme", "text": "Anna did not touch it by 2026-11-22"},
    )
    assert world.journal.note(breach, breach, now=world.clock()) == 1
    assert world.journal.note(breach, now=world.clock()) == 0
    world.tell()
    (task,) = world.crm.beside.tasks.values()
    assert task.owner == BEN
    assert "Not touched in time:\n- Acme: Anna did not touch it by 2026-11-22" in task.body


def test_nobody_is_told_while_it_is_off(tmp_path: Path) -> None:
    world = TellingWorld(folder=tmp_path, telling=Telling())
    world.good()
    world.poll()
    assert world.journal.notices() == []
    assert world.journal.notice_counts().silent == 0


def test_a_person_who_left_between_decision_and_sending_gets_no_task(tmp_path: Path) -> None:
    with listening() as webhook:
        world = TellingWorld(folder=tmp_path, rep_url=webhook.url)
        world.good(owner=ANNA)
        world.poll()
        world.crm._owners[ANNA] = Owner(id="1", email=ANNA, active=False)
        world.tell()
    assert tasks(world) == []
    assert len(webhook.received) == 1
