"""Salesforce keeps the contract of every CRM: read by retrieves, by bulk queries, and where its undocumented
habits are the other way round.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crm.contract import CrmContract, World
from tests.crm.salesforce.world import Org


class TestSalesforce(CrmContract):
    @pytest.fixture
    def world(self) -> Iterator[World]:
        org = Org()
        yield org
        org.close()


class TestSalesforceInBulk(CrmContract):
    @pytest.fixture
    def world(self) -> Iterator[World]:
        org = Org(bulk_from=0, fresh_for=0.0)
        yield org
        org.close()
