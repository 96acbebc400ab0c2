"""From a person's edit to the standing on the record, by the CRM's clock; a backfill goes on beside it.

People edit accounts at random that were settled before, each at most once; a worker polls every minute while
it writes as many accounts again that nobody has ever read, in waves. What counts is the first write of ours
to an account after its edit, in the CRM's own log. A last pass shows that whoever was edited and not written
needed nothing.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from tests.bench.places import Served, icp_sync, prepared, served, settings_of
from tests.bench.sections.size import Size
from tests.bench.table import Row, Section, number
from tests.vendors.server import SOUND, TOKEN, Vendors

EDITS_AN_HOUR = 5_000
LAG, LATENCY = 5.0, 0.25
"""Seconds until search shows an edit, and those of each answer."""
BOUGHT_LATENCY = 1.0
"""Seconds of a vendor's answer at most."""
P50, P95 = 42.0, 75.0
LOOK = 5.0
AFTER = 130.0
"""Seconds for which the last edits are waited for: two polls."""
_CONFIG = """[connections.bench.backfill]
canary = {canary}
watch = "{watch}"
wave = {wave}
pause = "{pause}"
changed = "100%"
[health]
port = 0
"""
_BEFORE = {"canary": 0, "watch": "0", "wave": 0, "pause": "0"}
_BESIDE = {"canary": 100, "watch": "30s", "wave": 5_000, "pause": "60s"}
_MANIFEST = Path("tests/vendors/plain.yaml")
_RUN = [sys.executable, "-m", "icp_sync", "run"]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """seconds: from edit to write, ascending. edits: all there were. beside: accounts the backfill wrote."""

    seconds: Sequence[float]
    edits: int
    beside: int
    left: int
    busiest: int

    def share(self, part: float) -> float:
        return self.seconds[min(len(self.seconds) - 1, int(part * len(self.seconds)))]


def freshness(folder: Path, size: Size) -> Section:
    """Two rows with facts at hand, two where they must be bought."""
    (known := folder / "known").mkdir()
    (bought := folder / "bought").mkdir()
    return Section(
        title=f"Freshness: {EDITS_AN_HOUR:,} edits an hour over {size.ceiling:,} accounts for "
        f"{size.minutes:g} minutes, a poll a minute, search {LAG:g} s behind, {LATENCY:g} s an answer, "
        "limits of Professional",
        rows=[
            *_rows("freshness", "facts at hand", _run(known, size, bought=False), goals=True),
            *_rows(
                "freshness.bought", "facts bought over HTTP", _run(bought, size, bought=True), goals=False
            ),
        ],
    )


def _rows(key: str, what: str, seen: Seen, *, goals: bool = False) -> list[Row]:
    note = f"{len(seen.seconds):,} of {seen.edits:,} edits changed what we say, {seen.left} were missed; "
    note += f"{seen.beside:,} accounts written beside them, {seen.busiest} calls in the busiest 10 s"
    return [
        Row(
            key=f"{key}.{name}",
            what=f"{what}: from the edit to the standing on the record, {name}",
            unit="s",
            ours=seen.share(part),
            goal=f"< {most:g} s" if goals else "",
            met=seen.share(part) < most and not seen.left if goals else None,
            note=note if name == "p50" else f"longest {number(seen.seconds[-1])} s",
        )
        for name, part, most in (("p50", 0.5, P50), ("p95", 0.95, P95))
    ]


def _run(folder: Path, size: Size, *, bought: bool) -> Seen:
    with ExitStack() as stack:
        crm = stack.enter_context(served(accounts=2 * size.ceiling, limits="pro", index_lag=LAG))
        vendors = Vendors(folder / "vendors.log", seed=1, habits=SOUND)
        stack.callback(vendors.close)
        config = _configured(crm, folder, vendors if bought else None, **_BEFORE)
        prepared(config)
        icp_sync("run", "--backfill", "--limit", str(size.ceiling), "--config", str(config))
        _configured(crm, folder, vendors if bought else None, **_BESIDE)
        vendors.habits = replace(SOUND, latency=BOUGHT_LATENCY)
        _told(crm, "settings", latency=LATENCY)
        settled = _first(crm, size.ceiling)
        requests.delete(f"{crm.url}/__simulator/stats", timeout=60).raise_for_status()
        with _worker(config):
            written = Written(crm)
            edits = _edited(crm, written, settled, 60 * size.minutes, bought=bought)
            written.until(time.monotonic() + (AFTER if size.minutes >= 1 else 70.0))
        written.look()
        found: Any = crm.stats()
        return _seen(edits, written, _left(config), int(found["peak_10s"]))


def _configured(crm: Served, folder: Path, vendors: Vendors | None, **waves: object) -> Path:
    more = _CONFIG.format(**waves)
    if vendors is not None:
        more += (
            f'[[connections.bench.enrichers]]\nuse = "rest"\nmanifest = "{_MANIFEST.resolve()}"\n'
            f'base_url = "{vendors.url}"\ntoken = "{TOKEN}"\n'
        )
    return settings_of(crm, folder, quota="", more=more)


def _told(crm: Served, control: str, **given: object) -> Any:
    reply = requests.post(f"{crm.url}/__simulator/{control}", json=given, timeout=60)
    reply.raise_for_status()
    return reply.json()


def _first(crm: Served, most: int) -> list[dict[str, Any]]:
    """The accounts with the lowest ids: those a first backfill that was cut short has settled."""
    found: list[dict[str, Any]] = []
    after = "0"
    while len(found) < most:
        page = requests.get(
            f"{crm.url}/crm/objects/2026-03/companies",
            params={
                "limit": "100",
                "properties": "numberofemployees",
                "after": after,
            },
            headers={"Authorization": f"Bearer {crm.token}"},
            timeout=60,
        )
        if page.status_code == 429:
            time.sleep(1)
            continue
        page.raise_for_status()
        told = page.json()
        found += told["results"]
        after = told["paging"]["next"]["after"] if "paging" in told else ""
        if not after:
            break
    return found[:most]


@contextmanager
def _worker(config: Path) -> Iterator[None]:
    """`icp-sync run`, to which the rest of the backfill is handed over, until the end of what is inside."""
    command = [*_RUN, "--config", str(config)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            time.sleep(3)
            handed = [*_RUN, "--backfill", "--config", str(config), "--json"]
            with subprocess.Popen(handed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as asking:
                try:
                    yield
                    if process.poll() is not None:
                        raise RuntimeError(f"the worker ended with {process.returncode}")
                finally:
                    asking.terminate()
        finally:
            process.terminate()


def _edited(
    crm: Served, written: Written, settled: Sequence[dict[str, Any]], seconds: float, *, bought: bool
) -> dict[str, float]:
    """People edit accounts, as chance has it: id → when, epoch seconds of the CRM's clock."""
    dice = random.Random(7)
    chosen, found = dice.sample(list(settled), len(settled)), {}
    ends, due = time.monotonic() + seconds, time.monotonic()
    for record in chosen:
        due += dice.expovariate(EDITS_AN_HOUR / 3600)
        if due > ends:
            break
        written.until(due)
        told = _told(
            crm, "edit", id=record["id"], properties=_properties(record, bought=bought), follow_up=False
        )
        found[record["id"]] = datetime.fromisoformat(told["hs_lastmodifieddate"]).timestamp()
    return found


def _properties(record: dict[str, Any], *, bought: bool) -> dict[str, str]:
    """What changes how good a company is; bought: only a vendor can say how."""
    if bought:
        return {"domain": f"moved-{record['id']}.com", "numberofemployees": ""}
    known = str(record["properties"].get("numberofemployees") or "")
    return {"numberofemployees": "7" if known.isdigit() and int(known) >= 1_000 else "5000"}


class Written:
    """When we wrote to each account, from the CRM's log, which forgets what is old: to be looked at often."""

    def __init__(self, crm: Served) -> None:
        self._crm = crm
        self._after = 0
        self._looked = 0.0
        self.at: dict[str, list[float]] = {}

    def look(self) -> None:
        """Read what is new."""
        more = True
        while more:
            asked = {"after": str(self._after), "limit": "20000", "source": "INTEGRATION"}
            reply = requests.get(f"{self._crm.url}/__simulator/writes", params=asked, timeout=60)
            page = reply.json()
            for entry in page["results"]:
                seen, at = self.at.setdefault(entry["id"], []), entry["at"] / 1000
                if at not in seen[-1:]:
                    seen.append(at)
                self._after = entry["seq"]
            more = page["more"]
        self._looked = time.monotonic()

    def until(self, at: float) -> None:
        """Let time pass, looking now and then."""
        while (left := at - time.monotonic()) > 0:
            if time.monotonic() - self._looked > LOOK:
                self.look()
            else:
                time.sleep(min(left, LOOK))

    def after(self, id: str, edited: float) -> float | None:
        """Seconds from an edit to the next write."""
        return next((at - edited for at in self.at.get(id, ()) if at >= edited), None)


def _left(config: Path) -> int:
    """Edited accounts that should read otherwise: none, if none was missed."""
    said = json.loads(icp_sync("run", "--once", "--config", str(config), "--json"))
    return int(said["written"])


def _seen(edits: dict[str, float], written: Written, left: int, busiest: int) -> Seen:
    taken = [written.after(id, edited) for id, edited in edits.items()]
    seconds = sorted(one for one in taken if one is not None)
    if not seconds:
        raise RuntimeError(f"none of {len(edits)} edits was written after")
    return Seen(
        seconds=seconds,
        edits=len(edits),
        beside=len(written.at.keys() - edits.keys()),
        left=left,
        busiest=busiest,
    )
