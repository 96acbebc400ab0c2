"""How fresh records are kept: what counts, what does not, and that it outlives the process."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from icp_sync.domain.buying import Buying
from icp_sync.domain.facts import choice
from icp_sync.domain.freshness import bucket_of, quantile
from icp_sync.domain.plan import Outcome, Result
from icp_sync.observe import registry
from icp_sync.ports import Stream
from icp_sync.sync.daily import freshness_of
from tests.sync.world import GOOD, Vendor, World, facts


@pytest.fixture
def followed(world: World) -> World:
    """A connection whose changes have been followed for a minute; writing takes four seconds."""
    world.backfill()
    world.cycle(Stream.TRAILING)
    world.clock.step(60)
    world.poll()
    world.crm.before = lambda call: world.clock.step(4) if call == "write" else None
    return world


def observed(bought: str = "no") -> float:
    labels = {"connection": "main", "bought": bought}
    return registry.get_sample_value("icp_sync_freshness_seconds_count", labels) or 0.0


def test_it_is_the_time_from_the_change_to_the_answer_to_our_write(followed: World) -> None:
    before = observed()
    followed.company(**GOOD)
    followed.clock.step(30)
    report = followed.poll()
    assert report.fresh == Counter({bucket_of(34): 1})
    assert report.fresh_bought == Counter()
    assert observed() - before == 1


def test_an_edit_of_a_company_known_already_counts_like_a_new_one(followed: World) -> None:
    acme = followed.company(**GOOD)
    followed.clock.step(30)
    followed.poll()
    followed.clock.step(600)
    followed.crm.edit(acme, signals=facts(employees=5000))
    followed.clock.step(50)
    assert followed.poll().fresh == Counter({bucket_of(54): 1})


def test_our_own_echoes_do_not_count_even_where_they_are_written_again(followed: World) -> None:
    acme = followed.company(**GOOD)
    followed.clock.step(30)
    followed.poll()
    followed.version = 2  # a new profile: every read writes the version anew
    followed.clock.step(30)
    report = followed.poll()
    assert report.read == 1, "the echo was read"
    assert report.fresh == Counter()
    assert followed.live(acme)["tier"] == "A"


def test_an_account_that_is_written_without_a_change_of_its_own_does_not_count(followed: World) -> None:
    acme = followed.company(**GOOD)
    followed.clock.step(30)
    followed.poll()
    followed.clock.step(4000)
    followed.crm.edit(acme, signals=facts(employees=5000))
    followed.journal.wake_all(followed.clock())
    followed.clock.step(30)
    report = followed.due()
    assert report.written == 1
    assert report.fresh == report.fresh_bought == Counter()


def test_the_first_read_of_an_old_account_does_not_count(world: World) -> None:
    world.company("Old", **GOOD)
    world.clock.step(1800)
    world.cycle(Stream.TRAILING)  # from here on changes are followed; nothing was read before
    world.clock.step(3600)
    report = world.cycle(Stream.TRAILING)
    assert (report.written, report.fresh) == (1, Counter())


def test_what_was_deferred_counts_from_its_change_once_it_is_written(followed: World) -> None:
    acme = followed.company(**GOOD)
    followed.crm.refuse = lambda write: Outcome(
        account_id=write.account_id, result=Result.FAILED, message="locked"
    )
    followed.clock.step(30)
    assert followed.poll().fresh == Counter()
    followed.crm.refuse = lambda _: None
    followed.clock.step(30)
    assert followed.poll().fresh == Counter({bucket_of(68): 1})
    assert followed.live(acme)["tier"] == "A"


def test_what_the_due_stream_writes_at_last_counts_from_its_change_too(followed: World) -> None:
    acme = followed.company(**GOOD)
    followed.clock.step(30)
    followed.crm.refuse = lambda write: Outcome(
        account_id=write.account_id, result=Result.UNCERTAIN, message="HTTP 502"
    )
    assert followed.poll().fresh == Counter()
    followed.crm.refuse = lambda _: None
    followed.clock.step(600)
    report = followed.due()
    assert followed.live(acme)["tier"] == "A"
    assert [quantile(report.fresh, 0.5), sum(report.fresh.values())] == [pytest.approx(638, rel=0.03), 1]
    assert followed.journal.freshness(0.0).fresh == report.fresh
    followed.clock.step(7 * 86_400)
    assert followed.due().fresh == Counter(), "nobody has changed it since"


def test_accounts_whose_facts_had_to_be_bought_are_counted_apart(tmp_path: Path) -> None:
    vendor = Vendor(book={"acme.com": {"industry": choice("SOFTWARE")}})
    world = World(folder=tmp_path, enrichers=[vendor], buying=Buying(change_worth=1000.0))
    world.backfill()
    world.cycle(Stream.TRAILING)
    before = observed("yes")
    world.company("Bought", employees=100, domain="acme.com")
    world.company("At hand", domain="known.com", **GOOD)
    world.clock.step(20)
    report = world.poll()
    assert vendor.asked == ["acme.com"]
    assert (sum(report.fresh.values()), sum(report.fresh_bought.values())) == (1, 1)
    assert observed("yes") - before == 1


def test_what_a_source_tells_for_nothing_is_at_hand(tmp_path: Path) -> None:
    free = Vendor(book={"acme.com": {"industry": choice("SOFTWARE")}}, price=0.0)
    world = World(folder=tmp_path, enrichers=[free])
    world.backfill()
    world.cycle(Stream.TRAILING)
    world.company(employees=100, domain="acme.com")
    world.clock.step(20)
    report = world.poll()
    assert free.asked == ["acme.com"]
    assert (sum(report.fresh.values()), sum(report.fresh_bought.values())) == (1, 0)


def test_it_can_be_told_after_a_restart_for_the_last_hour_and_day(followed: World) -> None:
    for seconds in (20, 30, 40):
        followed.company(**GOOD)
        followed.clock.step(seconds)
        followed.poll()
        followed.clock.step(1200)
    followed.reopen()
    now = followed.clock()
    hour, day = followed.journal.freshness(now - 3000), followed.journal.freshness(now - 86_400)
    assert (sum(hour.fresh.values()), sum(day.fresh.values())) == (2, 3)
    assert quantile(day.fresh, 0.5) == pytest.approx(34, rel=0.025)
    assert freshness_of(day.fresh, day.fresh_bought) == {
        "p50": pytest.approx(34, rel=0.03),
        "p95": pytest.approx(44, rel=0.03),
        "accounts": 3,
        "bought": {"p50": None, "p95": None, "accounts": 0},
    }
