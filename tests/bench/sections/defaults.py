"""A backfill as it is shipped: reserve, waves and polling on, by a worker; beside what was forecast.

`icp-sync plan` says beforehand how many calls and seconds it takes; a worker that polls then begins with it.
One run: its waits alone take a quarter of an hour.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.bench.places import Served, icp_sync, prepared, served, settings_of
from tests.bench.sections.size import Size
from tests.bench.table import Row, Section

LATENCY = 0.25
WINDOW, BURST = 10.0, 190
NEAR = 0.10
"""How far a forecast may be from what it took."""
_UP = 3.0
"""Seconds until a worker is sure to hold its connection."""
_RUN = [sys.executable, "-m", "icp_sync", "run"]


@dataclass(frozen=True, kw_only=True)
class Took:
    """seconds, calls: of the backfill, the polls beside it among the calls. written: records. peak: calls of
    the busiest window. refused: answered 429. day_left: of the calls of the day, 0 to 1."""

    seconds: float
    calls: int
    peak: int
    refused: int
    day_left: float
    written: int


def defaults(folder: Path, size: Size) -> Section:
    """Time, calls, what is left to others, and the forecast."""
    with served(accounts=size.full, limits="pro") as crm:
        config = prepared(settings_of(crm, folder, quota="", more=size.waits))
        turned = {"latency": LATENCY}
        requests.post(f"{crm.url}/__simulator/settings", json=turned, timeout=60).raise_for_status()
        forecast = json.loads(icp_sync("plan", "--config", str(config), "--json"))
        took = _backfilled(crm, config, size.echoes)
    return Section(
        title=f"A backfill of {size.full:,} accounts with the defaults, {LATENCY:.2f} s an answer",
        rows=_rows(forecast, took),
    )


def _rows(forecast: Mapping[str, Any], took: Took) -> list[Row]:
    calls = sum(forecast["calls"].values())
    seconds = float(forecast["seconds"])
    a_window = took.calls / max(1.0, took.seconds / WINDOW)
    return [
        Row(
            key="defaults.time",
            what=f"from asking to the end, {took.written:,} records written in waves",
            unit="s",
            ours=took.seconds,
            note="one run",
        ),
        Row(
            key="defaults.calls",
            what="calls, of the polls beside it too",
            unit="calls",
            ours=took.calls,
            beside=calls,
            note=f"beside: forecast; {took.refused} answered 429",
        ),
        Row(
            key="defaults.share",
            what="calls of the windows left to others, on average",
            unit="%",
            ours=100 * (1 - a_window / BURST),
            note=f"in the busiest {BURST - took.peak} of {BURST}; of the day {took.day_left:.1%} left",
        ),
        Row(
            key="defaults.forecast",
            what="forecast of its time, against what it took",
            unit="s",
            ours=seconds,
            beside=took.seconds,
            goal=f"within {NEAR:.0%}",
            met=_near(seconds, took.seconds) and _near(calls, took.calls),
            note=f"calls {calls / took.calls:.2f} ×",
        ),
    ]


def _near(said: float, was: float) -> bool:
    return abs(said - was) <= NEAR * was


def _backfilled(crm: Served, config: Path, echoes: float) -> Took:
    """A worker begins with the backfill its new profile asks for; who asks for one as well is told its end.

    Raises RuntimeError where it was interrupted."""
    requests.delete(f"{crm.url}/__simulator/stats", timeout=60).raise_for_status()
    began = time.monotonic()
    with _worker(config):
        said = json.loads(icp_sync("run", "--backfill", "--config", str(config), "--json"))
        seconds = time.monotonic() - began
        time.sleep(echoes)  # the polls that meet its last writes belong to its calls
        found: Any = crm.stats()
    if said["interrupted"]:
        raise RuntimeError("the backfill was interrupted")
    return Took(
        seconds=seconds,
        calls=found["total"],
        peak=found["peak_10s"],
        refused=found["limited"],
        day_left=_day_left(crm),
        written=found["records_written"],
    )


def _day_left(crm: Served) -> float:
    """Of the calls of a day, what is left, 0 to 1."""
    reply = requests.get(
        f"{crm.url}/crm/objects/2026-03/companies",
        params={"limit": "1"},
        headers={"Authorization": f"Bearer {crm.token}"},
        timeout=60,
    )
    told = reply.headers
    return int(told["X-HubSpot-RateLimit-Daily-Remaining"]) / int(told["X-HubSpot-RateLimit-Daily"])


@contextmanager
def _worker(config: Path) -> Iterator[None]:
    """`icp-sync run`, until the end of what is inside."""
    with subprocess.Popen([*_RUN, "--config", str(config)], stderr=subprocess.DEVNULL) as process:
        try:
            time.sleep(_UP)
            yield
        finally:
            process.terminate()
