"""Processes that die while deals are stamped: the next one stamps what was left, and nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from icp_sync.journal import Stamp
from icp_sync.ports import Stream
from icp_sync.sync.cycle import cycle
from icp_sync.sync.deals import follow_deals
from tests.sync.processes import Nursery
from tests.sync.station import Station


class Selling(Station):
    """A portal whose deals are stamped."""

    def access(self) -> str:
        return super().access() + "\n[connections.main.deals]\nstamp = true"

    def sell(self) -> str:
        deal = self.crm.admin("POST create", type="deals", company=self.live_ids()[0])["id"]
        self.crm.admin("POST clock", advance=5)
        return str(deal)

    def written(self, deal: str = "") -> int:
        """How many of the stamp's values were written on a deal by us."""
        log = self.crm.admin("GET writes", type="deals", id=deal, source="INTEGRATION")["results"]
        assert isinstance(log, list)
        return len(log)


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Selling]:
    folder: Path = tmp_path_factory.mktemp("deals")
    nursery = Nursery(folder)
    made = Selling(folder, nursery, accounts=5)
    cycle(Stream.BACKFILL, made.wired.parts)
    follow_deals(made.wired.parts)
    made.crm.admin("POST clock", advance=5)
    yield made
    made.close()
    nursery.close()


@pytest.mark.parametrize("point", ["deals.annotate.before", "deals.annotate.after"])
def test_a_process_that_dies_around_a_stamp_is_made_good_by_the_next(station: Selling, point: str) -> None:
    deal = station.sell()
    ended = station.run("run", "--once", fault=point)
    assert ended.code == 137, f"{point} was not passed: {ended.err}"
    station.crm.admin("POST clock", advance=5)
    again = station.run("run", "--once")
    assert again.code == 0, again.err
    (stored,) = station.wired.journal.deals_named([deal])
    assert stored.stamp is Stamp.STAMPED
    assert station.written(deal) == 3, "each value once"
    live = {one.id: one.stamp for one in station.wired.crm.deals(0)}
    assert live[deal] == stored.values
