"""The health of sources: a trial always ends, others' rests are seen, and no clock or plugin stops it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from icp_sync import observe
from icp_sync.domain.facts import number
from icp_sync.domain.profile import DAY
from icp_sync.journal.bought import VendorState
from icp_sync.ports import Answer, Miss, Request, Unavailable
from icp_sync.sync.cycle import Scope
from icp_sync.sync.vendors import NO_USE, Vendors
from tests.sync.world import GOOD, Vendor, World

HOUR = 3_600.0
BROKE = (Unavailable(kind="no_credit"),)
ANEW = Scope(restart=True)


class Hiccup(Exception):
    """The journal cannot be written just now."""


def test_a_trial_whose_answer_cannot_be_kept_is_tried_again(tmp_path: Path) -> None:
    vendor = Vendor(instead=lambda _: Unavailable(kind="no_credit"))
    world = World(folder=tmp_path, enrichers=Vendors((vendor,)))
    world.company(domain="acme.com")
    world.backfill()
    vendor.instead = lambda _: None
    world.clock.step(NO_USE + 60)

    def hiccup(point: str) -> None:
        if point == "journal.record.before":
            raise Hiccup

    observe.arm_faults(hiccup)
    try:
        with pytest.raises(Hiccup):
            world.backfill(ANEW)
    finally:
        observe.arm_faults(None)
    assert len(vendor.asked) == 2
    world.clock.step(DAY)
    world.backfill(ANEW)
    assert len(vendor.asked) == 3


def test_a_rest_that_another_process_noted_is_seen_within_a_minute(tmp_path: Path) -> None:
    vendor, world = Vendor(), World(folder=tmp_path)
    here, there, now = Vendors((vendor,)), Vendors((vendor,)), world.clock()
    assert here.resting("vendor", world.journal, now) is None
    there.ended(vendor, BROKE, world.journal, now)
    assert here.resting("vendor", world.journal, now + 60) is not None
    assert not here.begins("vendor", world.journal, now + 60)


@pytest.mark.parametrize("said", [Unavailable(kind="error"), Unavailable(kind="bad_input"), Miss()])
def test_a_rest_that_another_process_noted_outlives_answers_that_were_under_way(
    tmp_path: Path, said: Answer
) -> None:
    vendor, world = with_attributes(credits_left=100.0), World(folder=tmp_path)
    here, there, now = Vendors((vendor,)), Vendors((vendor,)), world.clock()
    assert there.resting("vendor", world.journal, now) is None
    here.ended(vendor, BROKE, world.journal, now)
    noted = world.journal.vendor("vendor")
    setattr(vendor, "credits_left", 99.0)  # noqa: B010 - optional on the port
    there.ended(vendor, (said,), world.journal, now + 1)
    after = replace(noted, credits_left=99.0, at=now + 1)
    assert world.journal.vendor("vendor") == after
    assert there.resting("vendor", world.journal, now + 1) == after


def test_a_source_without_a_price_is_free_until_it_is_seen_to_charge() -> None:
    sources = Vendors((Vendor(name="free", price=0.0), Vendor(name="dear")))
    assert [one.name for one in sources.free] == ["free"]
    sources.charges.add(sources[0], [(Miss(charge=1.0), False)])
    assert not sources.free


def test_a_rest_noted_by_a_clock_that_was_ahead_ends_when_the_clock_is_right(tmp_path: Path) -> None:
    vendor, world = Vendor(), World(folder=tmp_path)
    sources, now = Vendors((vendor,)), world.clock()
    sources.ended(vendor, BROKE, world.journal, now + 365 * DAY)
    for known in (sources, Vendors((vendor,))):
        assert known.resting("vendor", world.journal, now) is None
        assert known.recovering("vendor", world.journal, now), "one question goes first"


@pytest.mark.parametrize("at", ["", "known"])
def test_no_rest_is_longer_than_a_week(tmp_path: Path, at: str) -> None:
    vendor, world = Vendor(), World(folder=tmp_path)
    now = world.clock()
    state = VendorState(open_until=now + 300 * DAY, kind="no_credit", at=now if at else 0.0)
    world.journal.save_vendor("vendor", state, now=now)
    state_now = Vendors((vendor,)).resting("vendor", world.journal, now + HOUR)
    assert state_now is not None
    assert state_now.open_until <= now + HOUR + 7 * DAY
    if at:
        assert Vendors((vendor,)).resting("vendor", world.journal, now + 8 * DAY) is None


@dataclass
class Careless(Vendor):
    def takes(self, request: Request) -> bool:
        return request.name[0].isupper()


@dataclass
class Failing(Vendor):
    @property
    def credits_left(self) -> float:
        raise RuntimeError("not now")


def with_attributes(**said: Any) -> Vendor:
    vendor = Vendor(book={"acme.com": {"employees": number(100)}})
    for name, value in said.items():
        setattr(vendor, name, value)
    return vendor


@pytest.mark.parametrize(
    "vendor",
    [
        Careless(),
        Failing(),
        with_attributes(credits_left=10**400),
        with_attributes(credits_left=float("nan")),
        with_attributes(ttls={"employees": "30d", "industry": DAY}),
        with_attributes(ttls="30d"),
        with_attributes(complete=7),
        with_attributes(batch="all"),
        with_attributes(parallel=0),
    ],
)
def test_what_a_source_says_of_itself_stops_nobody(tmp_path: Path, vendor: Vendor) -> None:
    world = World(folder=tmp_path, enrichers=Vendors((vendor,)))
    fine = world.company(domain="fine.com", **GOOD)
    world.company(domain="acme.com", name="")
    world.backfill()
    assert world.live(fine)["tier"] == "A"
    assert vendor.asked == ([] if isinstance(vendor, Careless) else ["acme.com"])
    assert world.journal.vendor("vendor").credits_left is None


def test_lifetimes_that_can_be_used_stay(tmp_path: Path) -> None:
    [vendor] = Vendors((with_attributes(ttls={"employees": "30d", "industry": DAY}),))
    assert getattr(vendor, "ttls") == {"industry": DAY}  # noqa: B009 - optional on the port
    assert vendor.price == 1.0


def test_a_batch_that_began_and_broke_off_lets_the_next_trial_go(tmp_path: Path) -> None:
    vendor, world = Vendor(), World(folder=tmp_path)
    sources, now = Vendors((vendor,)), world.clock()
    sources.ended(vendor, BROKE, world.journal, now)
    later = now + DAY
    assert sources.begins("vendor", world.journal, later)
    assert not sources.begins("vendor", world.journal, later), "one trial at a time"
    sources.broke_off("vendor")
    assert sources.begins("vendor", world.journal, later)
    sources.ended(vendor, (Miss(),), world.journal, later)
    assert world.journal.vendor("vendor") == replace(VendorState(), at=later)
