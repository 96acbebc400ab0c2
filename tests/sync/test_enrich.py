"""Buying facts: only what could matter, once, and remembered for as long as it holds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from icp_sync import observe
from icp_sync.domain.facts import Signal, choice, number
from icp_sync.domain.profile import DAY
from icp_sync.ports import Hit, Miss, Request, Stream, Unavailable
from icp_sync.quota.priority import Priority, current
from icp_sync.sync.cycle import Scope
from tests.sync.world import GOOD, START, Vendor, World, facts

BOOK = {"acme.com": {"employees": number(100), "industry": choice("SOFTWARE")}}


def open_world(tmp_path: Path, *vendors: Vendor) -> World:
    return World(folder=tmp_path, enrichers=vendors)


def test_a_source_works_for_the_stream_that_asks_it(tmp_path: Path) -> None:
    asked: list[Priority] = []
    vendor = Vendor(instead=lambda _: asked.append(current()))
    world = open_world(tmp_path, vendor)
    world.company(domain="acme.com")
    world.backfill()
    assert asked == [Priority.BACKFILL]


def test_what_is_missing_is_bought_and_decides(tmp_path: Path) -> None:
    vendor = Vendor(book=BOOK)
    world = open_world(tmp_path, vendor)
    acme = world.company(domain="acme.com")
    report = world.backfill()
    assert world.live(acme)["tier"] == "A"
    assert vendor.asked == ["acme.com"]
    assert (report.calls, report.hits["vendor"], report.credits["vendor"]) == (1, 1, 1)


def test_nothing_is_asked_about_what_cannot_change_or_has_no_domain(tmp_path: Path) -> None:
    vendor = Vendor(book=BOOK)
    world = open_world(tmp_path, vendor)
    world.company(domain="sure.com", **GOOD)
    world.company(domain="outside.com", lifecycle="customer")
    world.company()
    world.backfill()
    assert vendor.asked == []


def test_nothing_is_asked_twice_while_the_answer_holds(tmp_path: Path) -> None:
    vendor = Vendor(book=BOOK)
    world = open_world(tmp_path, vendor)
    world.company(domain="acme.com")
    world.company(domain="nobody.com")
    world.backfill()
    for _ in range(5):
        world.clock.step(DAY)
        again = world.backfill()
        assert (again.calls, again.written) == (0, 0)
    assert sorted(vendor.asked) == ["acme.com", "nobody.com"]


def test_a_clean_miss_is_remembered_for_its_own_shorter_while(tmp_path: Path) -> None:
    vendor = Vendor(miss_ttl=7 * DAY)
    world = open_world(tmp_path, vendor)
    world.company(domain="nobody.com")
    world.backfill()
    world.clock.step(6 * DAY)
    world.backfill()
    assert vendor.asked == ["nobody.com"]
    world.clock.step(2 * DAY)
    world.backfill()
    assert vendor.asked == ["nobody.com"] * 2


def test_a_vendor_that_cannot_answer_now_has_said_nothing(tmp_path: Path) -> None:
    vendor = Vendor(book=BOOK, instead=lambda _: Unavailable(kind="throttled"))
    world = open_world(tmp_path, vendor)
    acme = world.company(domain="acme.com")
    report = world.backfill()
    assert (report.calls, report.credits["vendor"]) == (1, 0)
    assert world.live(acme)["tier"] == "Needs data"
    vendor.instead = lambda _: None
    world.clock.step(2 * 3600)
    world.due()
    assert world.live(acme)["tier"] == "A"


def test_a_dry_run_asks_nobody_and_counts_what_it_would_ask(tmp_path: Path) -> None:
    vendor = Vendor(book=BOOK, price=2.0)
    world = open_world(tmp_path, vendor)
    world.company(domain="acme.com")
    dry = world.backfill(Scope(apply=False))
    assert vendor.asked == []
    assert (dry.calls, dry.credits["vendor"]) == (1, 2)
    world.backfill()
    again = world.backfill(Scope(apply=False))
    assert again.calls == 0, "what is answered already would not be asked"


def test_a_vendor_never_outranks_the_crm_also_not_when_its_answer_is_recalled(tmp_path: Path) -> None:
    vendor = Vendor(book={"acme.com": {"employees": number(5000), "industry": choice("SOFTWARE")}})
    world = open_world(tmp_path, vendor)
    acme = world.company(domain="acme.com", employees=100)
    world.backfill()
    assert world.live(acme)["tier"] == "A"
    world.clock.step(DAY)
    again = world.backfill()
    assert (again.written, world.live(acme)["tier"]) == (0, "A")


def test_the_first_vendor_outranks_the_second_now_and_later(tmp_path: Path) -> None:
    first = Vendor(name="z", book={"acme.com": {"employees": number(100)}}, facts=frozenset({"employees"}))
    second = Vendor(name="a", book={"acme.com": {"employees": number(5000), "industry": choice("SOFTWARE")}})
    world = open_world(tmp_path, first, second)
    acme = world.company(domain="acme.com")
    world.backfill()
    assert world.live(acme)["tier"] == "A"
    world.clock.step(DAY)
    assert world.backfill().written == 0


def test_a_later_vendor_is_asked_only_for_what_the_earlier_left_open(tmp_path: Path) -> None:
    first, second = Vendor(book=BOOK, name="first"), Vendor(book=BOOK, name="second")
    world = open_world(tmp_path, first, second)
    world.company(domain="acme.com")
    world.company(domain="nobody.com")
    world.backfill()
    assert sorted(first.asked) == ["acme.com", "nobody.com"]
    assert second.asked == ["nobody.com"]


def test_two_accounts_of_one_company_ask_once_and_both_learn(tmp_path: Path) -> None:
    vendor = Vendor(book=BOOK)
    world = open_world(tmp_path, vendor)
    ids = [world.company(domain="acme.com"), world.company(domain="acme.com")]
    world.backfill()
    assert vendor.asked == ["acme.com"]
    assert [world.live(id)["tier"] for id in ids] == ["A", "A"]


def test_accounts_of_one_company_that_lack_different_facts_ask_for_all_of_them(tmp_path: Path) -> None:
    vendor = Vendor(book={"acme.com": {"industry": choice("SOFTWARE")}}, facts=frozenset({"industry"}))
    world = open_world(tmp_path, vendor)
    world.company(domain="acme.com", industry="SOFTWARE")  # lacks what the vendor does not know
    second = world.company(domain="acme.com", employees=100)
    world.backfill()
    assert vendor.asked == ["acme.com"]
    assert (world.live(second)["tier"], world.live(second)["certainty"]) == ("A", "firm")


def test_an_answer_serves_an_account_that_later_lacks_something_else(tmp_path: Path) -> None:
    """A vendor that tells only what is wanted must not be shut out by what somebody else wanted before."""

    def wanted_only(request: Request) -> Hit:
        told = {fact: value for fact, value in BOOK["acme.com"].items() if fact in request.wanted}
        return Hit(
            signals=tuple(
                Signal(fact=fact, value=value, source="vendor", observed_at=START)
                for fact, value in told.items()
            )
        )

    vendor = Vendor(instead=wanted_only)
    world = open_world(tmp_path, vendor)
    first = world.company(domain="acme.com", industry="SOFTWARE")
    world.backfill()
    second = world.company(domain="acme.com", employees=100)
    world.clock.step(DAY)
    world.backfill()
    assert vendor.asked == ["acme.com"]
    assert [world.live(id)["certainty"] for id in (first, second)] == ["firm", "firm"]


def test_an_answer_the_journal_cannot_read_is_asked_for_again(tmp_path: Path) -> None:
    vendor = Vendor(book=BOOK)
    world = open_world(tmp_path, vendor)
    acme = world.company(domain="acme.com")
    other = world.company(domain="other.com", **GOOD)
    world.backfill()
    with closing(sqlite3.connect(tmp_path / "journal.db")) as file, file:
        file.execute("UPDATE answer SET signals = '[[\"employees\", 120]]'")
    world.clock.step(60)
    world.backfill(Scope(restart=True))
    assert vendor.asked == ["acme.com"] * 2
    assert [world.live(id)["tier"] for id in (acme, other)] == ["A", "A"]


def test_an_account_wakes_when_what_was_bought_about_it_expires(tmp_path: Path) -> None:
    vendor = Vendor(book=BOOK, ttl=30 * DAY)
    world = open_world(tmp_path, vendor)
    acme = world.company(domain="acme.com")
    world.backfill()
    stored = world.journal.account(acme)
    assert stored is not None
    assert stored.wake_at == world.clock() + 30 * DAY
    vendor.book = {"acme.com": {"employees": number(5000), "industry": choice("SOFTWARE")}}
    world.clock.step(30 * DAY + 1)
    world.due()
    assert vendor.asked == ["acme.com"] * 2
    assert world.live(acme)["tier"] == "C"


def test_a_miss_is_tried_again_by_the_due_stream(tmp_path: Path) -> None:
    vendor = Vendor(miss_ttl=7 * DAY)
    world = open_world(tmp_path, vendor)
    acme = world.company(domain="acme.com")
    world.backfill()
    vendor.book = BOOK
    world.clock.step(7 * DAY + 1)
    world.due()
    assert world.live(acme)["tier"] == "A"


def test_a_question_of_unknown_fate_is_not_asked_again_at_once(tmp_path: Path) -> None:
    """The process died between asking and keeping the answer: it may have been paid for."""
    vendor = Vendor(book=BOOK)
    world = open_world(tmp_path, vendor)
    acme = world.company(domain="acme.com")

    def die(point: str) -> None:
        if point == "journal.record.before":
            raise KeyboardInterrupt

    observe.arm_faults(die)
    try:
        with pytest.raises(KeyboardInterrupt):
            world.backfill()
    finally:
        observe.arm_faults(None)
    world.reopen()
    world.backfill()
    assert vendor.asked == ["acme.com"]
    world.clock.step(3601)
    world.due()
    assert vendor.asked == ["acme.com"] * 2
    assert world.live(acme)["tier"] == "A"
    assert world.journal.spent("vendor", 0) == 2.0


def test_an_answer_once_paid_survives_a_crash_right_after(tmp_path: Path) -> None:
    vendor = Vendor(book=BOOK)
    world = open_world(tmp_path, vendor)
    acme = world.company(domain="acme.com")

    def die(point: str) -> None:
        if point == "journal.record.after":
            raise KeyboardInterrupt

    observe.arm_faults(die)
    try:
        with pytest.raises(KeyboardInterrupt):
            world.backfill()
    finally:
        observe.arm_faults(None)
    world.reopen()
    world.backfill()
    assert vendor.asked == ["acme.com"]
    assert world.live(acme)["tier"] == "A"


def test_what_a_person_enters_ends_the_asking(tmp_path: Path) -> None:
    vendor = Vendor(miss_ttl=DAY)
    world = open_world(tmp_path, vendor)
    acme = world.company(domain="acme.com")
    world.backfill()
    world.crm.edit(acme, signals=facts(employees=100, industry="SOFTWARE"))
    world.clock.step(60)
    world.poll()
    world.clock.step(2 * DAY)
    world.cycle(Stream.SWEEP)
    assert vendor.asked == ["acme.com"]


def test_what_an_answer_costs_is_what_counts_as_spent(tmp_path: Path) -> None:
    vendor = Vendor(price=3.0, instead=lambda _: Hit(signals=(), charge=1.0))
    dear = Vendor(name="dear", price=5.0, instead=lambda _: Miss(charge=0.0))
    world = open_world(tmp_path, vendor, dear)
    world.company(domain="acme.com")
    report = world.backfill()
    assert (report.credits["vendor"], world.journal.spent("vendor", 0)) == (1, 1.0)
    assert (report.credits["dear"], world.journal.spent("dear", 0)) == (0, 0.0)
