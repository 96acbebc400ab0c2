"""Owners whose load moves while a page is drafted: its accounts are decided again, and nobody waits."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from icp_sync.crm.memory import MemoryCrm
from icp_sync.domain.guard import Limits
from icp_sync.domain.plan import Change, Write
from icp_sync.domain.profile import Member
from icp_sync.ports import Stream
from icp_sync.sync.cycle import cycle
from tests.sync.test_team import companies, owners, with_route
from tests.sync.world import ANNA, BEN, World


class Beside(MemoryCrm):
    """A CRM that, each time it is asked what its clock says, lets another worker give somebody an account."""

    world: World
    gives = 0
    given: Counter[str]

    def now(self) -> float:
        if self.gives:
            self.gives -= 1
            self._give()
        return super().now()

    def _give(self) -> None:
        journal = self.world.journal.for_connection(self.world.journal.connection)
        account = f"other-{self.given.total()}"
        lease = journal.lease("backfill", account, holder="another worker", now=self.world.clock())
        assert lease is not None
        change = Change(account_id=account, field="owner", live="", desired=ANNA)
        loads = journal.roster_now()
        kept, lost = journal.intend(
            [Write.of((change,))],
            versions={},
            assignments={account: ANNA},
            load_versions=loads.load_versions,
            run="another",
            lease=lease,
            now=self.world.clock(),
        )
        assert (len(kept), lost) == (1, {})
        self.given[ANNA] += 1


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(
        tmp_path, profile=with_route(Member(email=ANNA), Member(email=BEN)), limits=Limits(owner_moves=1000)
    )
    made.crm.__class__ = Beside
    crm = made.crm
    assert isinstance(crm, Beside)
    crm.world, crm.given = made, Counter()
    return made


def test_accounts_that_lose_their_owner_to_another_worker_are_decided_again_on_the_page(world: World) -> None:
    ids = companies(world, 40)
    crm = world.crm
    assert isinstance(crm, Beside)
    crm.gives = 4
    report = cycle(Stream.BACKFILL, world.parts())
    assert report is not None
    assert crm.given[ANNA] == 4
    assert (report.lost, report.deferred) == (0, 0)
    found = owners(world, ids)
    assert found[ANNA] + found[BEN] == 40
    loads = world.journal.roster_now().loads
    assert loads == {ANNA: found[ANNA] + 4, BEN: found[BEN]}, "each is counted once"
    assert abs(loads[ANNA] - loads[BEN]) <= 3, "the loads of the other worker count"
