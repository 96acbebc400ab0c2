"""Salesforce keeps the contract of every CRM: read by retrieves, by bulk queries, and where its undocumented
habits are the other way round.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crm.contract import CrmContract, World
from tests.crm.deal_contract import StampContract, StampWorld
from tests.crm.salesforce.world import Org

SETTLING = 905.0
"""A transaction may be open for so long after its stamp."""
OF_STATES = frozenset({"tier_a", "tier_b", "tier_c", "tier_d", "needs_data", "not_icp"})


class TestSalesforce(CrmContract):
    settling = SETTLING
    made_with_fields = OF_STATES

    @pytest.fixture
    def world(self) -> Iterator[World]:
        org = Org()
        org.trust_with_owners()
        yield org
        org.close()


class TestSalesforceInBulk(CrmContract):
    settling = SETTLING
    made_with_fields = OF_STATES

    @pytest.fixture
    def world(self) -> Iterator[World]:
        org = Org(bulk_from=0, fresh_for=0.0)
        org.trust_with_owners()
        yield org
        org.close()


class TestSalesforceStamping(StampContract):
    @pytest.fixture
    def world(self) -> Iterator[StampWorld]:
        org = Org()
        org.crm._client.transport._sleep = lambda _: False
        org.trust_with_owners()
        yield org
        org.close()
