"""Sources that charge otherwise than they say: budgets hold, and nothing that is ordered is bought twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from icp_sync.domain.buying import Budgets, Buying
from icp_sync.domain.facts import Signal, choice, number
from icp_sync.ports import Answer, Hit, Miss, Pending, Request, Unavailable
from icp_sync.sync.charges import SURE, Charges
from icp_sync.sync.vendors import Vendors
from tests.sync.test_asking import BOOK, PROMISE, Bounded
from tests.sync.world import START, Vendor, World


def test_a_source_that_charges_more_than_its_price_is_found_out_by_one_question(tmp_path: Path) -> None:
    vendor = Vendor(facts=frozenset({"employees"}))
    told = Signal(fact="employees", value=number(100), source="vendor", observed_at=START)
    vendor.instead = lambda _: Hit(signals=(told,), charge=25.0)
    budgets = Budgets(day=300.0)
    world = Bounded(folder=tmp_path, enrichers=Vendors((vendor,)), buying=Buying(budgets=budgets))
    for n in range(60):
        world.company(domain=f"c{n}.com", industry="SOFTWARE")
    world.backfill()
    assert world.journal.spent("vendor", 0.0) == 300.0


@pytest.mark.parametrize("cheap", [1, 3, 20])
@pytest.mark.parametrize("charge", [0.0, 1.0])
def test_a_source_whose_hits_cost_more_than_its_misses_overdraws_no_budget_by_more_than_a_few(
    tmp_path: Path, cheap: int, charge: float
) -> None:
    told = Signal(fact="employees", value=number(100), source="vendor", observed_at=START)
    vendor = Vendor(facts=frozenset({"employees"}))

    def say(_: Request) -> Answer:
        return Miss(charge=charge) if len(vendor.asked) <= cheap else Hit(signals=(told,), charge=25.0)

    vendor.instead = say
    buying = Buying(budgets=Budgets(day=100.0))
    world = Bounded(folder=tmp_path, enrichers=Vendors((vendor,)), buying=buying)
    for n in range(60):
        world.company(domain=f"c{n}.com", industry="SOFTWARE")
    world.backfill()
    assert world.journal.spent("vendor", 0.0) < 100.0 + SURE * 25.0


def test_a_charge_higher_than_any_before_makes_a_source_be_asked_one_by_one_again() -> None:
    vendor, charges, most = Vendor(), Charges(), 800

    def after(*answers: Answer) -> int:
        charges.add(vendor, [(answer, False) for answer in answers])
        return charges.at_once(vendor, most)

    assert [after(Hit(signals=(), charge=1.0)) for _ in range(SURE)] == [2, 3, 4, 5, 6, 7, 8, most]
    assert after(Hit(signals=(), charge=9.0)) == 1
    assert after(*[Miss(charge=1.0)] * 2 * SURE) == SURE, "what a hit costs was not seen again"
    assert after(Hit(signals=(), charge=9.0)) == most


class ByName(Vendor):
    def takes(self, request: Request) -> bool:
        return bool(request.domain or request.name)


def test_nothing_is_ordered_at_no_price_because_a_domain_was_filled_in_meanwhile(tmp_path: Path) -> None:
    vendor = ByName(price=10.0)
    vendor.instead = lambda request: None if request.job else Pending(job="7", retry_after=60.0)
    buying = Buying(budgets=Budgets(day=10.0))
    world = Bounded(folder=tmp_path, enrichers=Vendors((vendor,)), buying=buying)
    acme = world.company(domain="")
    world.backfill()
    world.clock.step(300)
    domain = Signal(fact="domain", value=choice("acme.com"), source="crm:domain", observed_at=START)
    world.crm.edit(acme, signals=(domain,))
    for _ in range(3):
        world.poll()
        world.due()
        world.clock.step(1_000)
    assert world.journal.spent("vendor", 0.0) == 10.0


def test_a_job_that_its_source_knows_nothing_of_is_lost_at_once(tmp_path: Path) -> None:
    first, second = Vendor(name="first"), Vendor(name="second", book=BOOK)
    gone = Unavailable(kind="bad_input", message="no such job")
    first.instead = lambda request: gone if request.job else PROMISE
    world = World(folder=tmp_path, enrichers=Vendors((first, second)))
    acme = world.company(domain="acme.com")
    world.backfill()
    for _ in range(4):
        world.clock.step(1_000)
        world.due()
    assert (len(first.asked), second.asked) == (2, ["acme.com"])
    assert world.live(acme)["tier"] == "A"
    assert world.journal.spent("first", 0.0) == first.price, "it may have been paid"
