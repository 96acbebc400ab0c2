"""A Salesforce backfill through Bulk API 2.0: what we do ourselves, in CPU seconds, and the memory it takes.

The simulator is a process of its own, and so is each measured run: peak memory is nobody else's.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.rows import LISTED, Row

_RUN = """
import json, resource, sys, time
from icp_sync.observe import configure_logs
from icp_sync.ports import Query, Stream
from icp_sync.settings import load
from icp_sync.sync.cycle import Scope, cycle
from icp_sync.wiring import wire
from pathlib import Path
configure_logs(level="error")
wired = wire(load(Path(sys.argv[1])))
wired.crm.identity()
before = resource.getrusage(resource.RUSAGE_SELF)
began = time.perf_counter()
if sys.argv[2] == "read":
    accounts = sum(len(page.accounts) for page in wired.crm.pages(Query(stream=Stream.BACKFILL)))
else:
    accounts = cycle(Stream.BACKFILL, wired.parts, Scope(apply=False)).read
after = resource.getrusage(resource.RUSAGE_SELF)
cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
print(json.dumps({"accounts": accounts, "cpu": cpu, "wall": time.perf_counter() - began,
                  "megabytes": after.ru_maxrss / 1024}))
"""


def bulk_rows(folder: Path, rounds: int, accounts: int) -> list[Row]:
    """Accounts a CPU second, read and then evaluated and compared as well, and the peak memory of both."""
    with _org(accounts) as org:
        config = _prepared(folder, org)
        found = {
            what: [_measured(config, what, accounts) for _ in range(rounds)] for what in ("read", "evaluate")
        }
    return [
        row
        for what, runs in found.items()
        for row in (
            Row(
                what=f"Salesforce, {accounts:,} accounts through Bulk 2.0: {what}, against 5,000",
                unit="accounts/CPU s",
                ours=statistics.median(run["accounts"] / run["cpu"] for run in runs),
                beside=5_000,
                goal="≥ 1",
            ),
            Row(
                what=f"the same: peak memory of {what}, against 200 MB",
                unit="MB",
                ours=max(run["megabytes"] for run in runs),
                beside=200,
                goal="< 1",
            ),
        )
    ]


@contextmanager
def _org(accounts: int) -> Iterator[dict[str, Any]]:
    command = [
        sys.executable,
        "-m",
        "icp_sync",
        "simulator",
        "--crm",
        "salesforce",
        "--accounts",
        str(accounts),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def _prepared(folder: Path, org: dict[str, Any]) -> Path:
    """Settings of a connection, provisioned and with an active profile."""
    config = folder / "salesforce.toml"
    config.write_text(
        f'journal = "sqlite:///{folder}/salesforce.sqlite"\nseal_file = "{folder}/salesforce.key"\n'
        f'[connections.bench]\ncrm = "salesforce"\nbase_url = "{org["url"]}"\n'
        f'profiles = ["{LISTED.resolve()}"]\n'
        f'[connections.bench.salesforce]\nmy_domain = "simulator.my"\n'
        f'consumer_key = "{org["consumer_key"]}"\nconsumer_secret = "{org["consumer_secret"]}"\n'
        'vacant_owners = ["unassigned@sales.example"]\n[connections.bench.outputs]\nowner = true\n',
        encoding="utf-8",
    )
    for command in (["provision", "--apply"], ["profile", "activate"]):
        arguments = [sys.executable, "-m", "icp_sync", *command, "--config", str(config)]
        subprocess.run(arguments, check=True, capture_output=True, timeout=300)
    return config


def _measured(config: Path, what: str, accounts: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(config), what],
        check=True,
        capture_output=True,
        text=True,
        timeout=1_800,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    assert found["accounts"] == accounts
    return found
