"""Clients written for the real CRMs, used naively, must find nothing odd about the simulator."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from icp_sync.simulator import Simulator
from icp_sync.simulator.salesforce.org import CONSUMER_KEY, CONSUMER_SECRET

HERE = Path(__file__).parent
NODE = {
    "hubspot": HERE / "node_modules" / "@hubspot" / "api-client",
    "salesforce": HERE / "node_modules" / "jsforce",
}


@pytest.fixture(params=["hubspot", "salesforce"])
def crm(request):
    with Simulator(crm=request.param, accounts=250) as running:
        if request.param == "salesforce":
            running.admin("POST settings", object_rights=False)  # these clients make and delete, too
        yield request.param, running


def run(crm, *command):
    _, simulator = crm
    environment = {
        **os.environ,
        "ICP_SIM_URL": simulator.url,
        "ICP_SIM_TOKEN": simulator.token,
        "ICP_SIM_KEY": CONSUMER_KEY,
        "ICP_SIM_SECRET": CONSUMER_SECRET,
    }
    done = subprocess.run(
        command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith(" checks passed")


def test_the_python_client_finds_nothing_odd(crm):
    run(crm, sys.executable, f"{crm[0]}_client_naive.py")


def test_the_node_client_finds_nothing_odd(crm):
    installed = shutil.which("node") and NODE[crm[0]].is_dir()
    if not installed and os.environ.get("ICP_SYNC_REQUIRE_NODE") != "1":
        pytest.skip("node, or its clients (npm install in tests/clients), are not installed")
    assert installed, "ICP_SYNC_REQUIRE_NODE=1, but the Node client is not installed"
    run(crm, "node", f"{crm[0]}_client_naive.mjs")
