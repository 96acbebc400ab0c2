"""Deals in the worker: followed beside the accounts, and never at their cost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from icp_sync.daemon import Daemon, Stopping
from icp_sync.daemon.portal import Portal
from icp_sync.daemon.streams import Loop, State
from icp_sync.errors import AuthError
from icp_sync.ports import Stream
from icp_sync.settings.deals import Deals
from icp_sync.sync.following import DEALS, Following
from icp_sync.wiring import Wired
from tests.daemon.station import portal
from tests.sync.deals_world import A_STAMP, Selling
from tests.sync.world import GOOD, World


@pytest.fixture
def selling(tmp_path: Path) -> Selling:
    return Selling(World(folder=tmp_path))


def following(selling: Selling, stopping: Stopping) -> Portal:
    """The connection as the settings `deals.stamp` and `deals.every` make it."""
    plain = portal(selling.world, stopping)
    said = Deals.model_validate({"stamp": True, "every": "7m"})

    def make() -> Wired:
        wired = plain.wired
        parts = replace(wired.parts, following=Following(stamp=True))
        return replace(wired, settings=wired.settings.model_copy(update={"deals": said}), parts=parts)

    return Portal(make, lambda: True, stopping)


def test_a_new_deal_is_stamped_by_the_worker(selling: Selling) -> None:
    stopping = Stopping()
    made = following(selling, stopping)
    account = selling.world.company(**GOOD)  # type: ignore[arg-type]
    selling.world.backfill()
    deals = Loop(made, DEALS, 420.0, stopping, selling.world.clock)
    deals.tick()
    selling.later(60)
    deal = selling.sell(account)
    selling.later(60)
    deals.tick()
    assert (deals.state, selling.deal(deal).stamp) == (State.OK, A_STAMP)


def test_a_missing_right_to_deals_keeps_no_account_from_being_settled(selling: Selling) -> None:
    stopping = Stopping()
    made = following(selling, stopping)

    def forbid(call: str) -> None:
        if call == "deals":
            raise AuthError("the scope crm.objects.deals.read is missing")

    selling.world.crm.before = forbid
    deals = Loop(made, DEALS, 420.0, stopping, selling.world.clock)
    poll = Loop(made, Stream.POLL, 60.0, stopping, selling.world.clock)
    assert deals.tick() > 0
    assert (deals.state, made.halted) == (State.DOWN, None)
    assert (poll.tick(), poll.state) == (0.0, State.OK)
    selling.world.crm.before = lambda _: None
    deals.tick()
    assert deals.state is State.OK


def test_deals_are_on_the_timetable_only_where_they_are_followed(selling: Selling) -> None:
    stopping = Stopping()
    assert "main/deals" not in Daemon([portal(selling.world, stopping)], stopping).loops
    loops = Daemon([following(selling, stopping)], stopping).loops
    assert loops["main/deals"].interval == 420.0
