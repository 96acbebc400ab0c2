"""A Salesforce org read through Bulk API 2.0: accounts a second of our own processor time, and memory."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

from tests.bench.places import measured, prepared, served, settings_of
from tests.bench.sections.size import Size
from tests.bench.table import Row, Section, spread

ENOUGH = 5_000
"""Accounts a CPU second: several times what an org's limits let through."""

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
if sys.argv[2] == "read":
    accounts = sum(len(page.accounts) for page in wired.crm.pages(Query(stream=Stream.BACKFILL)))
else:
    accounts = cycle(Stream.BACKFILL, wired.parts, Scope(apply=False)).read
after = resource.getrusage(resource.RUSAGE_SELF)
cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
print(json.dumps({"accounts": accounts, "cpu": cpu}))
"""
_WHAT = {"read": "read", "evaluate": "read, evaluate and compare"}


def bulk(folder: Path, size: Size) -> Section:
    """Two rows of rate and two of memory."""
    with served("salesforce", accounts=size.org) as org:
        config = prepared(settings_of(org, folder, quota=""))
        rows = [row for what in _WHAT for row in _rows(config, what, size)]
    return Section(title=f"Salesforce by Bulk API 2.0, {size.org:,} accounts", rows=rows)


def _rows(config: Path, what: str, size: Size) -> list[Row]:
    rates, peaks = [], []
    for _ in range(size.rounds):
        took = measured([sys.executable, "-c", _RUN, str(config), what])
        found = json.loads(took.out.splitlines()[-1])
        if found["accounts"] != size.org:
            raise RuntimeError(f"{found['accounts']:,} accounts were read of {size.org:,}")
        rates.append(found["accounts"] / found["cpu"])
        peaks.append(took.megabytes)
    rate = statistics.median(rates)
    return [
        Row(
            key=f"bulk.{what}",
            what=_WHAT[what],
            unit="accounts a CPU second",
            ours=rate,
            goal=f"≥ {ENOUGH:,}",
            met=rate >= ENOUGH,
            spread=spread(rates),
        ),
        Row(
            key=f"bulk.{what}.memory",
            what=f"{_WHAT[what]}: peak memory",
            unit="MB",
            ours=max(peaks),
            goal="< 200 MB",
            met=max(peaks) < 200,
        ),
    ]
