"""How sources are asked: few are reserved at a time, what comes late changes nothing that is newer, and a
promised answer is waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from icp_sync import observe
from icp_sync.domain.buying import Budgets, Buying
from icp_sync.domain.facts import FactValue, choice, number
from icp_sync.domain.profile import DAY
from icp_sync.ports import Answer, Miss, Pending, Request, Unavailable
from icp_sync.sync.asking import AHEAD
from icp_sync.sync.draft import Policy
from icp_sync.sync.vendors import Vendors
from tests.sync.world import Vendor, World

HOUR = 3_600.0
BOOK: Mapping[str, Mapping[str, FactValue]] = {
    "acme.com": {"employees": number(100), "industry": choice("SOFTWARE")}
}


@dataclass
class Bounded(World):
    buying: Buying = field(default_factory=Buying)

    def policy(self) -> Policy:
        return replace(super().policy(), buying=self.buying)


class Single(Vendor):
    """One question at a time."""

    batch = 1
    parallel = 1


class Death(BaseException):
    """The process is gone."""


def test_a_crash_leaves_few_questions_reserved_that_were_never_sent(tmp_path: Path) -> None:
    vendor = Single()
    world = World(folder=tmp_path, enrichers=(vendor,))
    for n in range(3 * AHEAD):
        world.company(domain=f"c{n}.com")

    def die(point: str) -> None:
        if point == "enrich.answer.after":
            raise Death

    observe.arm_faults(die)
    try:
        with pytest.raises(Death):
            world.backfill()
    finally:
        observe.arm_faults(None)
    world.reopen()
    assert world.journal.spent("vendor", 0.0) == AHEAD * vendor.price


def test_what_misses_give_back_of_a_budget_is_there_for_the_next_in_the_same_run(tmp_path: Path) -> None:
    vendor = Single(instead=lambda _: Miss())
    budgets = Budgets(run=float(AHEAD))
    world = Bounded(folder=tmp_path, enrichers=(vendor,), buying=Buying(budgets=budgets))
    for n in range(3 * AHEAD):
        world.company(domain=f"c{n}.com")
    world.backfill()
    assert len(vendor.asked) == 3 * AHEAD


def test_an_answer_that_comes_after_another_run_has_asked_takes_nothing_from_its_reservation(
    tmp_path: Path,
) -> None:
    vendor = Vendor()
    world = World(folder=tmp_path, enrichers=(vendor,))
    world.company(domain="acme.com")
    other = world.open()

    def late(_: Request) -> Answer:
        again = world.clock() + 2 * HOUR
        assert other.reserve("vendor", {"acme.com": 5.0}, now=again, run="another").free == ("acme.com",)
        return Unavailable(kind="error", message="at last")

    vendor.instead = late
    world.backfill()
    other.close()
    assert world.journal.spent("vendor", 0.0) == vendor.price + 5.0


def test_a_promised_answer_is_not_bought_elsewhere_while_it_is_waited_for(tmp_path: Path) -> None:
    first = Vendor(name="first", book=BOOK)
    first.instead = lambda request: None if request.job else Pending(job="7", retry_after=HOUR)
    second = Vendor(name="second", book=BOOK)
    world = World(folder=tmp_path, enrichers=(first, second))
    acme = world.company(domain="acme.com")
    world.backfill()
    world.clock.step(60)
    world.backfill()
    assert (first.asked, second.asked) == (["acme.com"], [])
    world.clock.step(HOUR)
    world.due()
    assert (first.asked, second.asked) == (["acme.com"] * 2, [])
    assert world.live(acme)["tier"] == "A"


def test_an_answer_that_was_asked_for_before_a_source_had_to_rest_does_not_end_the_rest(
    tmp_path: Path,
) -> None:
    vendor, world = Vendor(), World(folder=tmp_path)
    sources, now = Vendors((vendor,)), world.clock()
    answers: Sequence[Answer] = (Unavailable(kind="no_credit"),)
    for _ in range(2):
        assert sources.begins("vendor", world.journal, now)
    sources.ended(vendor, answers, world.journal, now)
    sources.ended(vendor, (Miss(),), world.journal, now)
    assert not sources.begins("vendor", world.journal, now + HOUR)
    assert sources.begins("vendor", world.journal, now + DAY)
    sources.ended(vendor, (Miss(),), world.journal, now + DAY)
    assert sources.resting("vendor", world.journal, now + DAY) is None
