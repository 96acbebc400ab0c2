"""How sources are asked: few are reserved at a time, what comes late changes nothing that is newer, a
promised answer is waited for, and budgets hold also where a source charges more than its price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import pytest

from icp_sync import observe
from icp_sync.domain.buying import Budgets, Buying, Rule
from icp_sync.domain.facts import FactValue, Signal, choice, number
from icp_sync.domain.profile import DAY
from icp_sync.ports import Answer, Hit, Miss, Pending, Request, Unavailable
from icp_sync.sync.asking import AHEAD
from icp_sync.sync.cycle import Scope
from icp_sync.sync.draft import Policy
from icp_sync.sync.vendors import Vendors
from tests.sync.world import START, Vendor, World

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


PROMISE = Pending(job="7", retry_after=60.0)
ANEW = Scope(restart=True)


@pytest.mark.parametrize(
    ("said", "asked_again_after", "spent"),
    [
        (Unavailable(kind="error", charge=1.0), DAY, 2.0),
        (Unavailable(kind="bad_input"), DAY, 1.0),
        (Unavailable(kind="bad_input", charge=0.5), DAY, 1.5),
    ],
)
def test_what_a_source_refuses_waits_and_what_it_told_before_still_counts(
    tmp_path: Path, said: Answer, asked_again_after: float, spent: float
) -> None:
    vendor = Vendor(book=BOOK)
    rules = {"industry": Rule(ttl=DAY)}
    world = Bounded(folder=tmp_path, enrichers=Vendors((vendor,)), buying=Buying(rules=rules))
    acme = world.company(domain="acme.com")
    world.backfill()
    vendor.instead = lambda _: said
    world.clock.step(2 * DAY)
    world.backfill(ANEW)
    before = world.journal.recall({acme: "acme.com"}, now=world.clock()).of(acme)
    assert [signal.fact for signal in before.signals] == ["employees"]
    world.clock.step(asked_again_after - 60)
    world.backfill(ANEW)
    assert len(vendor.asked) == 2
    assert world.journal.spent("vendor", 0.0) == spent
    world.clock.step(120)
    world.backfill(ANEW)
    assert len(vendor.asked) == 3


def test_a_reservation_begins_when_it_is_made_however_slow_its_page_is(tmp_path: Path) -> None:
    rules = {"employees": Rule(order=("slow",)), "industry": Rule(order=("dear",))}
    world = Bounded(folder=tmp_path, buying=Buying(rules=rules))
    polled: list[str] = []

    def takes_long(_: Request) -> None:
        world.clock.step(2 * HOUR)

    def meanwhile(request: Request) -> None:
        if not polled:
            polled.append(request.domain)
            world.poll()

    slow = Vendor(name="slow", book={"acme.com": {"employees": number(100)}}, instead=takes_long)
    dear = Vendor(name="dear", book={"acme.com": {"industry": choice("SOFTWARE")}}, instead=meanwhile)
    slow.facts, dear.facts = frozenset({"employees"}), frozenset({"industry"})
    world.enrichers = Vendors((slow, dear))
    world.company(domain="acme.com")
    world.clock.step(10)
    world.backfill()
    assert (polled, dear.asked) == (["acme.com"], ["acme.com"])


def test_an_account_is_looked_at_again_whose_time_came_while_its_page_was_settled(tmp_path: Path) -> None:
    rules = {"employees": Rule(order=("later",)), "industry": Rule(order=("slow",))}
    world = Bounded(folder=tmp_path, buying=Buying(rules=rules))
    later = Vendor(name="later", facts=frozenset({"employees"}), instead=lambda _: PROMISE)

    def takes_long(_: Request) -> None:
        world.clock.step(1_000)

    slow = Vendor(name="slow", facts=frozenset({"industry"}), book=BOOK, instead=takes_long)
    world.enrichers = Vendors((later, slow))
    acme = world.company(domain="acme.com")
    world.backfill()
    stored = world.journal.account(acme)
    assert (later.asked, slow.asked) == (["acme.com"], ["acme.com"])
    assert stored is not None
    assert stored.wake_at == world.clock() + 60


def test_looks_for_a_promised_answer_grow_rarer_up_to_an_hour_and_end_after_a_week(tmp_path: Path) -> None:
    looks: list[float] = []
    first, second = Vendor(name="first"), Vendor(name="second", book=BOOK)
    world = World(folder=tmp_path, enrichers=Vendors((first, second)))

    def never(request: Request) -> Answer:
        looks.append(world.clock() - START)
        return Pending(job="7", retry_after=0.5)

    first.instead = never
    acme = world.company(domain="acme.com")
    world.backfill()
    began = world.clock() - START
    while not second.asked and len(looks) < 400:
        pending = world.journal.recall({acme: "acme.com"}, now=world.clock()).of(acme).pending
        world.clock.step(max(1.0, pending["first"][1] - world.clock()) + 60)
        world.due()
    gaps = [later - earlier for earlier, later in pairwise(looks)]
    assert all(gap >= 10 for gap in gaps)
    assert all(later >= min(HOUR, 1.9 * earlier) - 120 for earlier, later in pairwise(gaps))
    assert all(gap <= HOUR + 120 for gap in gaps)
    assert looks[-1] - began >= 7 * DAY
    assert second.asked == ["acme.com"]
    assert world.live(acme)["tier"] == "A"
    world.clock.step(HOUR)
    world.backfill(ANEW)
    assert looks[-1] - began <= 7 * DAY + 2 * HOUR, "it is not ordered anew at once"


def test_a_job_that_charges_for_every_look_stays_within_the_budgets(tmp_path: Path) -> None:
    vendor = Vendor(instead=lambda _: Pending(job="7", retry_after=60.0, charge=1.0))
    budgets = Budgets(account=3.0)
    world = Bounded(folder=tmp_path, enrichers=Vendors((vendor,)), buying=Buying(budgets=budgets))
    world.company(domain="acme.com")
    world.backfill()
    for _ in range(40):
        world.clock.step(HOUR)
        world.due()
    assert world.journal.spent("vendor", 0.0) == 3.0


def test_a_job_that_was_paid_when_it_was_ordered_is_fetched_whatever_is_left(tmp_path: Path) -> None:
    vendor = Vendor(book=BOOK)
    paid = Pending(job="7", retry_after=60.0, charge=1.0)
    free = Hit(
        signals=tuple(
            Signal(fact=fact, value=value, source="vendor", observed_at=START)
            for fact, value in BOOK["acme.com"].items()
        )
    )
    vendor.instead = lambda request: free if request.job else paid
    budgets = Budgets(account=1.0, day=1.0)
    world = Bounded(folder=tmp_path, enrichers=Vendors((vendor,)), buying=Buying(budgets=budgets))
    acme = world.company(domain="acme.com")
    world.backfill()
    world.clock.step(120)
    world.due()
    assert world.live(acme)["tier"] == "A"
    assert world.journal.spent("vendor", 0.0) == 1.0


class OfAccounts(Vendor):
    per_account = True


def test_the_budget_of_an_account_is_one_for_sources_of_companies_and_of_accounts(tmp_path: Path) -> None:
    companies = Vendor(name="companies", price=5.0, book={"acme.com": {"employees": number(100)}})
    accounts = OfAccounts(name="accounts", price=5.0)
    companies.facts, accounts.facts = frozenset({"employees"}), frozenset({"industry"})
    budgets = Budgets(account=5.0)
    sources = Vendors((companies, accounts))
    world = Bounded(folder=tmp_path, enrichers=sources, buying=Buying(budgets=budgets))
    world.company(domain="acme.com")
    world.backfill()
    assert len(companies.asked) + len(accounts.asked) == 1
