import pytest
from simulator_client import Client

from icp_sync.simulator import Simulator

NOON = 1_795_262_400.0  # 2026-11-21T12:00:00Z


@pytest.fixture
def crm():
    """An empty account whose clock stands still, so that only `advance` makes time pass."""
    with Simulator(accounts=0) as running:
        running.admin("POST clock", freeze=True, at=NOON)
        running.admin("POST settings", property_lag=0)
        yield running


@pytest.fixture
def client(crm):
    return Client(crm)


@pytest.fixture
def later(crm):
    """Let time pass, in seconds."""

    def pass_by(seconds):
        crm.admin("POST clock", advance=seconds)

    return pass_by
