"""Telling people on bad days: ways that are down or not open, news that is none any more, many at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from icp_sync import observe
from icp_sync.domain.account import Owner
from icp_sync.domain.guard import Limits
from icp_sync.domain.standing import Mode
from icp_sync.domain.telling import Telling
from icp_sync.journal import OPERATOR, REP, Notice
from icp_sync.sync.cycle import Scope
from icp_sync.sync.telling import due, stream
from icp_sync.sync.undo import undo
from icp_sync.sync.undoable import Wanted
from tests.sync.telling_world import AT_ONCE, DAILY, TellingWorld, listening
from tests.sync.touch_world import CYD, LEAD, activity, given, let_lie, one_given, touching
from tests.sync.world import ANNA, BEN, GOOD, PROFILE, facts

DAY = 86_400.0


def told(world: TellingWorld) -> list[tuple[str, str, str]]:
    """Kind, whom, and state of every notice to reps, oldest first."""
    return [(one.kind, one.to, one.state) for one in reversed(world.journal.notices(audience=REP))]


def last_run(world: TellingWorld, kind: str) -> str:
    return next(run.id for run in world.journal.runs(10) if run.kind == kind)


def test_no_task_is_given_while_nothing_is_written_to_the_crm(tmp_path: Path) -> None:
    world = TellingWorld(tmp_path, profile=touching())
    one_given(world)
    world.mode = Mode.OBSERVE
    world.tell()
    assert (world.crm.beside.tasks, world.states) == ({}, [("assigned", "waiting")])
    assert world.journal.notices()[0].attempts == 0
    world.mode = Mode.ROUTE
    world.tell()
    assert world.states == [("assigned", "sent")]


def test_a_webhook_tells_them_while_nothing_is_written_to_the_crm(tmp_path: Path) -> None:
    with listening() as webhook:
        world = TellingWorld(tmp_path, profile=touching(), rep_url=webhook.url)
        one_given(world)
        world.mode = Mode.OBSERVE
        world.tell()
        assert (world.crm.beside.tasks, len(webhook.received)) == ({}, 1)


def test_a_lead_whom_nothing_reaches_is_an_alert_until_something_does(tmp_path: Path) -> None:
    world = TellingWorld(tmp_path, profile=touching(ANNA, escalate=LEAD))
    account, _ = one_given(world)
    world.tell()
    let_lie(world)
    world.tell()
    assert ("breach", LEAD, "failed") in told(world)
    (alert,) = world.journal.alerts()
    assert (alert.name, alert.text.split()[0]) == ("somebody cannot be told", LEAD)
    world.crm._owners[LEAD] = Owner(id="9", email=LEAD)
    assert world.journal.retry_notices(now=world.clock()) == 1
    world.tell()
    assert ("breach", LEAD, "sent") in told(world)
    assert world.journal.alerts() == []
    owners = sorted(task.owner for task in world.crm.beside.tasks.values() if task.accounts == (account,))
    assert owners == sorted([ANNA, LEAD])


def test_each_side_of_a_breach_has_a_task_of_their_own(tmp_path: Path) -> None:
    world = TellingWorld(tmp_path, profile=touching())
    one_given(world)
    world.tell()
    let_lie(world)
    world.tell()
    tasks = {task.owner: task.body for task in world.crm.beside.tasks.values()}
    assert sorted(tasks) == [ANNA, BEN]
    assert all("did not touch it by" in body for body in tasks.values())


def test_what_is_said_of_a_breach_that_was_undone_is_not_said(tmp_path: Path) -> None:
    world = TellingWorld(tmp_path, profile=touching())
    account, owner = one_given(world)
    world.tell()
    let_lie(world)
    undo(Wanted(run=last_run(world, "due"), by="ops"), world.parts(), Scope())
    assert world.account(account).owner == owner
    world.tell()
    assert {state for kind, _, state in told(world) if kind == "breach"} == {"dropped"}


def test_many_breaches_of_one_person_are_one_message(tmp_path: Path) -> None:
    with listening() as webhook:
        world = TellingWorld(
            tmp_path,
            profile=touching(ANNA),
            tasks=False,
            rep_url=webhook.url,
            telling=Telling(on=True, digest=0.0, assignments=False, tiers=frozenset()),
            limits=Limits(owner_moves=1000),
        )
        for n in range(25):
            world.company(f"C{n}", **GOOD)
        world.poll()
        let_lie(world)
        world.tell()
        assert len(webhook.received) == 1
        assert webhook.texts[0].splitlines()[-1] == "and 5 more"


def test_a_breach_that_a_backfill_decides_is_kept_silent(tmp_path: Path) -> None:
    world = TellingWorld(tmp_path, profile=touching(ANNA))
    account, _ = one_given(world)
    world.tell()
    world.clock.step(3 * DAY)
    world.backfill(Scope(restart=True))
    assert given(world, account)[0].breached_at is not None
    assert [kind for kind, _, _ in told(world)] == ["assigned"]
    assert world.journal.notice_counts().silent == 1


def test_a_webhook_that_is_down_is_asked_once_a_cycle(tmp_path: Path) -> None:
    with listening() as dead, listening() as alive:
        world = TellingWorld(tmp_path, tasks=False, rep_url=dead.url, operator_url=alive.url)
        dead.answers = [(500, {})] * 100
        for n in range(5):
            world.good(f"C{n}", owner=ANNA)
        world.poll()
        world.journal.raise_alert("robots", "two write here", now=world.clock())
        world.tell()
        assert (len(dead.received), len(alive.received)) == (1, 1)
        assert [one.attempts for one in world.journal.notices(audience=REP)].count(0) == 4


def test_one_message_that_is_not_taken_holds_up_no_other(tmp_path: Path) -> None:
    with listening() as webhook:
        world = TellingWorld(tmp_path, tasks=False, rep_url=webhook.url)
        webhook.answers = [(400, {})]
        for n in range(3):
            world.good(f"C{n}", owner=ANNA)
        world.poll()
        world.tell()
        assert sorted(state for _, state in world.states) == ["sent", "sent", "waiting"]


def test_a_receiver_that_wants_to_be_left_alone_is_for_a_day_at_most(tmp_path: Path) -> None:
    with listening() as webhook:
        world = TellingWorld(tmp_path, tasks=False, rep_url=webhook.url)
        parts = world.parts()
        webhook.answers = [(429, {"Retry-After": "315360000"})]
        world.good("A", owner=ANNA)
        world.poll()
        stream.tell(parts)
        world.good("B", owner=ANNA)
        world.settle()
        world.clock.step(DAY / 2)
        stream.tell(parts)
        assert len(webhook.received) == 1
        world.clock.step(DAY / 2)
        stream.tell(parts)
        assert world.states == [("tier", "sent")] * 2


def test_a_wait_without_an_end_is_none(tmp_path: Path) -> None:
    with listening() as webhook:
        world = TellingWorld(tmp_path, tasks=False, rep_url=webhook.url)
        webhook.answers = [(503, {"Retry-After": "inf"})] * 3
        world.good(owner=ANNA)
        world.poll()
        world.tell()
        (notice,) = world.journal.notices()
        assert notice.due is not None
        assert notice.due <= world.clock() + DAY


def test_reps_who_are_told_do_not_end_the_alert_about_operators(tmp_path: Path) -> None:
    with listening() as reps, listening() as operators:
        world = TellingWorld(tmp_path, tasks=False, rep_url=reps.url, operator_url=operators.url)
        operators.answers = [(404, {})] * 40
        world.journal.raise_alert("robots", "two write here", now=world.clock())
        for tries in range(stream.WORRIED):
            world.tell()
            world.clock.step(stream.patience(tries + 1))
        world.good(owner=ANNA)
        world.poll()
        world.tell()
        assert len(reps.received) == 1
        assert {one.name for one in world.journal.alerts()} == {"robots", stream.UNTOLD[OPERATOR]}


def test_a_tier_that_becomes_firm_is_news_where_only_firm_ones_are(tmp_path: Path) -> None:
    telling = Telling(on=True, digest=0.0, firm_only=True, assignments=False)
    world = TellingWorld(tmp_path, telling=telling, mode=Mode.WRITE, profile=PROFILE)
    account = world.company("Acme", owner=ANNA, employees=5000, industry="RETAIL")
    world.poll()
    world.crm.edit(account, signals=facts(employees=(45, 600), industry="SOFTWARE"))
    world.settle()
    assert (world.live(account)["tier"], world.live(account)["certainty"]) == ("A", "provisional")
    assert world.states == []
    world.crm.edit(account, signals=facts(**GOOD))
    world.settle()
    assert world.states == [("tier", "waiting")]


def test_a_task_made_before_a_crash_is_nobodys_activity_after_it(tmp_path: Path) -> None:
    world = TellingWorld(tmp_path, profile=touching())
    account, owner = one_given(world)

    class Dies(BaseException):
        pass

    def die(name: str) -> None:
        if name == "telling.send.after":
            raise Dies

    observe.arm_faults(die)
    try:
        world.tell()
    except Dies:
        pass
    finally:
        observe.arm_faults(None)
    world.crm.edit(account, signals=activity("last_activity", world.clock.now))
    world.reopen()
    world.clock.step(1200)
    world.tell()
    assert len(world.crm.beside.tasks) == 1
    world.poll()
    let_lie(world)
    assert world.account(account).owner != owner


def test_whoever_owns_it_when_the_digest_goes_out_hears_of_it(tmp_path: Path) -> None:
    world = TellingWorld(tmp_path, telling=DAILY, mode=Mode.WRITE)
    account = world.poor(owner=ANNA)
    world.poll()
    world.improve(account)
    world.settle()
    world.crm.edit(account, owner=BEN)
    world.settle()
    world.clock.step(2 * DAY)
    world.tell()
    assert told(world) == [("tier", BEN, "sent")]
    assert [task.owner for task in world.crm.beside.tasks.values()] == [BEN]


def test_nobody_gets_a_digest_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "AT_ONCE", 8)
    with listening() as webhook:
        world = TellingWorld(tmp_path, tasks=False, rep_url=webhook.url, telling=DAILY, mode=Mode.WRITE)
        owners = (ANNA, BEN, CYD)
        ids = [world.company(f"C{n}", owner=owners[n % 3], **GOOD) for n in range(30)]
        world.backfill()
        news = [
            Notice(audience=REP, kind="tier", subject=id, to=owners[n % 3], key="A", data={"tier": "A"})
            for n, id in enumerate(ids)
        ]
        world.journal.note(*news, now=world.clock())
        world.clock.step(2 * DAY)
        for _ in range(3):
            world.tell()
        assert sorted(text.splitlines()[0][:13] for text in webhook.texts) == ["*10 accounts "] * 3


def test_a_link_in_a_name_is_no_link(tmp_path: Path) -> None:
    with listening() as webhook:
        world = TellingWorld(tmp_path, tasks=False, rep_url=webhook.url, telling=AT_ONCE)
        world.good("[Reset](https://evil.example) ![x](https://evil.example/p.png)", owner=ANNA)
        world.poll()
        world.tell()
        (text,) = webhook.texts
        assert "](" not in text
        assert "https://evil" not in text
