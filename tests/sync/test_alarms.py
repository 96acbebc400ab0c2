"""What somebody should look at is raised once, says what to do, and ends when it is over."""

from __future__ import annotations

from math import inf
from pathlib import Path

from icp_sync.domain.account import Origin
from icp_sync.domain.buying import Budgets, Buying
from icp_sync.domain.facts import choice
from icp_sync.domain.guard import Limits
from icp_sync.domain.plan import Outcome, Result, Write
from icp_sync.domain.seal import SealKey
from icp_sync.ports import Stream
from icp_sync.sync.alarms import Alarming, raise_alarms
from icp_sync.sync.cycle import MISSED_ALERT
from tests.sync.world import GOOD, Vendor, World, facts

DAY = 86_400.0


def names(world: World) -> list[str]:
    return [alert.name for alert in world.journal.alerts()]


def look(world: World, **alarming: float) -> list[str]:
    """The names of all alerts that stand after a look."""
    raise_alarms(
        world.journal,
        world.journal.stood(),
        Alarming(**alarming),  # type: ignore[arg-type]
        budgets=world.buying.budgets,
        enrichers=world.enrichers,
        now=world.clock(),
    )
    return names(world)


def refused(write: Write) -> Outcome:
    return Outcome(account_id=write.account_id, result=Result.REFUSED, message="a rule of yours")


def test_many_refused_accounts_are_an_alert_until_they_are_written(world: World) -> None:
    spared, *_ = [world.company(f"C{n}", **GOOD) for n in range(4)]
    world.crm.refuse = lambda write: refused(write) if write.account_id != spared else None
    world.backfill()
    assert look(world) == [], "three are fewer than the floor"
    assert look(world, refused_floor=3, refused=0.8) == [], "and less than the share"
    assert look(world, refused_floor=3) == ["refused"]
    alert = world.journal.alerts()[0]
    assert "3 of 4 accounts" in alert.text
    assert "icp-sync status --refused" in alert.text
    world.clock.step(60)
    look(world, refused_floor=3)
    assert world.journal.alerts() == [alert], "it is raised once"
    world.crm.refuse = lambda _: None
    world.clock.step(600)
    world.due()
    assert look(world, refused_floor=3) == []


def test_a_change_that_waits_for_a_person_for_longer_than_a_day_is_an_alert(tmp_path: Path) -> None:
    world = World(folder=tmp_path, limits=Limits(downgrades=0.0, floor=0))
    acme = world.company(**GOOD)
    world.backfill()
    world.clock.step(60)
    world.crm.edit(acme, signals=facts(employees=5000))
    world.clock.step(60)
    world.poll()
    assert look(world) == ["held: downgrades"]
    world.clock.step(DAY - 60)
    assert "waiting for a person" not in look(world)
    world.clock.step(120)
    assert "waiting for a person" in look(world)
    world.journal.release_holds(by="ada", now=world.clock())
    assert "waiting for a person" not in look(world)


def test_a_spent_budget_is_an_alert_until_the_next_day(tmp_path: Path) -> None:
    vendor = Vendor(book={f"{n}.com": {"industry": choice("SOFTWARE")} for n in range(5)}, price=2.0)
    budgets = Budgets(day=5.0, vendors={"vendor": (inf, 100.0)})
    world = World(folder=tmp_path, enrichers=[vendor], buying=Buying(change_worth=1000.0, budgets=budgets))
    for n in range(5):
        world.company(f"C{n}", employees=100, domain=f"{n}.com")
    assert look(world) == []
    world.backfill()
    assert len(vendor.asked) == 2, "one credit is left, which buys nothing"
    assert look(world) == ["budget: day"]
    assert "spent" in world.journal.alerts()[0].text
    world.clock.step(DAY)
    assert look(world) == []


def test_a_budget_that_no_source_costs_anything_of_is_never_spent(tmp_path: Path) -> None:
    world = World(folder=tmp_path, enrichers=[Vendor(price=0.0)], buying=Buying(budgets=Budgets(day=0.0)))
    assert look(world) == []


def test_accounts_under_a_seal_that_is_not_ours_are_an_alert_until_they_are_taken_over(world: World) -> None:
    acme = world.company(**GOOD)
    world.backfill()
    world.lose_journal()
    world.key = SealKey(installation="ffffffffffff", key=b"x" * 32)
    world.backfill()
    assert world.live(acme)["tier"] == "A"
    assert look(world) == ["foreign seals"]
    assert f"for example {acme}" in world.journal.alerts()[0].text
    world.key = World.key
    world.clock.step(60)
    world.backfill()
    assert look(world) == []
    assert world.journal.account(acme).confirmed["tier"].origin is Origin.OURS  # type: ignore[union-attr]


def test_what_only_the_sweep_finds_is_an_alert_until_a_whole_sweep_finds_nothing(world: World) -> None:
    world.backfill()
    for stream in (Stream.POLL, Stream.TRAILING):
        world.clock.step(60)
        world.cycle(stream)
    world.company(late=1e9, **GOOD)
    for _ in range(14):
        world.clock.step(300)
        world.cycle(Stream.TRAILING)
    assert names(world) == []
    world.cycle(Stream.SWEEP)
    assert names(world) == [MISSED_ALERT]
    assert "icp-sync explain" in world.journal.alerts()[0].text
    world.reopen()
    world.clock.step(60)
    world.cycle(Stream.SWEEP)
    assert names(world) == []


def unanswered(write: Write) -> Outcome:
    return Outcome(account_id=write.account_id, result=Result.UNCERTAIN, message="HTTP 502")


def tried_for_hours(world: World, hours: int) -> None:
    for _ in range(hours * 4):
        world.clock.step(900)
        world.poll()
        world.due()


def test_a_crm_that_takes_no_writes_is_an_alert_until_it_does(world: World) -> None:
    ids = [world.company(f"C{n}", **GOOD) for n in range(3)]
    world.backfill()
    for account_id in ids:
        world.crm.edit(account_id, signals=facts(employees=9000, industry="SOFTWARE"))
    world.crm.refuse = unanswered
    world.clock.step(60)
    world.poll()
    assert look(world) == [], "one failure is none"
    tried_for_hours(world, 3)
    assert look(world) == ["not written"]
    assert world.journal.alerts()[0].text.startswith("3 accounts are written again and again in vain")
    world.crm.refuse = lambda _: None
    world.clock.step(2100)
    world.due()
    assert {world.live(account_id)["tier"] for account_id in ids} == {"C"}, "within half an hour"
    assert look(world) == []


def test_a_few_accounts_that_fail_beside_others_that_are_written_wake_nobody(world: World) -> None:
    ids = [world.company(f"C{n}", **GOOD) for n in range(4)]
    world.backfill()
    for account_id in ids:
        world.crm.edit(account_id, signals=facts(employees=9000, industry="SOFTWARE"))
    world.crm.refuse = lambda write: unanswered(write) if write.account_id in ids[:3] else None
    tried_for_hours(world, 3)
    assert look(world) == ["not written"], "nothing has been written for an hour"
    world.crm.edit(ids[3], signals=facts(employees=100, industry="SOFTWARE"))
    world.clock.step(60)
    world.poll()
    assert look(world) == []
    assert look(world, refused_floor=3) == ["not written"], "beyond the floor and the share it counts"


def test_alerts_count_as_people_do(tmp_path: Path) -> None:
    world = World(tmp_path, limits=Limits(downgrades=0.0, floor=0))
    account_id = world.company(**GOOD)
    world.backfill()
    world.crm.edit(account_id, signals=facts(employees=9000, industry="SOFTWARE"))
    world.clock.step(60)
    world.poll()
    world.clock.step(2 * DAY)
    look(world)
    texts = {alert.name: alert.text for alert in world.journal.alerts()}
    assert texts["waiting for a person"].startswith("1 change waits for a person")
