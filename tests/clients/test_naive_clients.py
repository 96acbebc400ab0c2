"""The vendor's own clients, used naively, must find nothing odd about the simulator."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from icp_sync.simulator import Simulator

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def crm():
    with Simulator(accounts=250) as running:
        yield running


def run(crm, *command):
    environment = {**os.environ, "ICP_SIM_URL": crm.url, "ICP_SIM_TOKEN": crm.token}
    return subprocess.run(
        command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=100, check=False
    )


def test_the_official_python_client_finds_nothing_odd(crm):
    done = run(crm, sys.executable, "hubspot_client_naive.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith(" checks passed")


def test_the_official_node_client_finds_nothing_odd(crm):
    installed = shutil.which("node") and (HERE / "node_modules" / "@hubspot" / "api-client").is_dir()
    if not installed and os.environ.get("ICP_SYNC_REQUIRE_NODE") != "1":
        pytest.skip("node, or the client (npm install in tests/clients), is not installed")
    assert installed, "ICP_SYNC_REQUIRE_NODE=1, but the Node client is not installed"
    done = run(crm, "node", "hubspot_client_naive.mjs")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith(" checks passed")
