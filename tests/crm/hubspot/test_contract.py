"""HubSpot keeps the contract of every CRM, on the default version of its API and on the newest one.

Where nobody documents what HubSpot does the simulator has a switch; the second run has them the other way.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crm.contract import CrmContract, World
from tests.crm.deal_contract import StampContract, StampWorld
from tests.crm.hubspot.world import Portal, Stamping


class TestHubSpot(CrmContract):
    @pytest.fixture
    def world(self) -> Iterator[World]:
        portal = Portal()
        yield portal
        portal.close()


class TestHubSpotOtherwise(CrmContract):
    @pytest.fixture
    def world(self) -> Iterator[World]:
        portal = Portal(version="2026-09")
        portal.simulator.admin(
            "POST settings",
            same_value_bumps=False,
            update_validation_207=True,
            dated_batch_207=True,
            batch_read_follows_merges=True,
            merged_in_archived_list=True,
            list_after_inclusive=False,
            index_jitter=2.0,
        )
        yield portal
        portal.close()


class TestHubSpotStamping(StampContract):
    @pytest.fixture(params=[("2026-03", False), ("2026-09", False), ("2026-09", True)])
    def world(self, request: pytest.FixtureRequest) -> Iterator[StampWorld]:
        version, each = request.param
        portal = Stamping(version)
        portal.simulator.admin("POST settings", update_validation_207=each, dated_batch_207=each)
        yield portal
        portal.close()
