"""One first backfill of a fresh CRM, by the real program, as the CRM's log of requests tells it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.bench.places import NO_WAVES, Served, measured, prepared, served, settings_of
from tests.bench.sections.ceiling import neighbour
from tests.bench.sections.ceiling.neighbour import NEIGHBOUR

WINDOW = 10.0
"""Seconds of HubSpot's window, and what is left out at the beginning."""
LIST, WRITE = "GET companies", "POST batch/update"
EACH = 100
"""Accounts a call reads or writes."""


@dataclass(frozen=True, kw_only=True)
class Filled:
    """rate: accounts a second. calls: of all kinds. refused: answered 429, and those of the other client."""

    rate: float
    wall: float
    calls: int
    refused: int = 0
    others_refused: int = 0


def backfilled(
    folder: Path,
    kind: str,
    n: int,
    *,
    latency: float,
    limits: str = "off",
    burst: int = 190,
    others: int = 0,
    bulk: bool = False,
) -> Filled:
    """Reserve 0, all of the day for backfills, no waves, no polls. others: another client's calls in 10 s.

    Raises RuntimeError where fewer were read than there are."""
    with served(kind, accounts=n, limits=limits) as crm:
        for kept in folder.glob("journal.sqlite*"):
            kept.unlink()
        quota = f'{{burst = {burst}, reserve = "0%", backfill = "100%"}}'
        config = prepared(settings_of(crm, folder, quota=quota, more=NO_WAVES))
        if bulk:
            _by_bulk(config)
        requests.delete(f"{crm.url}/__simulator/stats", timeout=60).raise_for_status()
        turned = {"latency": latency}
        requests.post(f"{crm.url}/__simulator/settings", json=turned, timeout=60).raise_for_status()
        with _neighbour(crm, others):
            took = measured(
                [sys.executable, "-m", "icp_sync", "run", "--backfill", "--config", str(config), "--json"]
            )
        log = list(_log(crm))
    read = json.loads(took.out)["read"]
    if read != n:
        raise RuntimeError(f"{read:,} accounts were read of {n:,}")
    ours = [entry for entry in log if _is_ours(entry)]
    theirs = [entry for entry in log if not _is_ours(entry)]
    return Filled(
        rate=_carried(ours) if kind == "hubspot" else n / took.wall,
        wall=took.wall,
        calls=len(ours),
        refused=sum(entry["status"] == 429 for entry in ours),
        others_refused=sum(entry["status"] == 429 for entry in theirs),
    )


def _carried(entries: Sequence[dict[str, Any]]) -> float:
    """Accounts a second, each read and written once, of the calls that carry them."""
    calls = [e["at"] / 1000 for e in entries if e["endpoint"] in (LIST, WRITE) and e["status"] < 300]
    return steady(calls) * EACH / 2


def steady(instants: Sequence[float]) -> float:
    """Calls a second over whole windows after the first; of all, where it is over before there is one."""
    begun = instants[0] + WINDOW
    whole = int((instants[-1] - begun) // WINDOW)
    if whole < 1:
        return len(instants) / max(0.001, instants[-1] - instants[0])
    return sum(begun <= at < begun + whole * WINDOW for at in instants) / (whole * WINDOW)


def _by_bulk(config: Path) -> None:
    """Let the org be written by Bulk API 2.0 as well."""
    said = config.read_text(encoding="utf-8")
    config.write_text(said.replace("my_domain", "bulk_writes = true\nmy_domain", 1), encoding="utf-8")


def _is_ours(entry: dict[str, Any]) -> bool:
    return str(entry["agent"]) != NEIGHBOUR


def _log(crm: Served) -> Iterator[dict[str, Any]]:
    """The CRM's log of requests, oldest first."""
    after, more = 0, True
    while more:
        asked = requests.get(f"{crm.url}/__simulator/requests", params={"after": str(after)}, timeout=60)
        page = asked.json()
        yield from page["results"]
        more = page["more"]
        after = page["results"][-1]["seq"] if page["results"] else after


@contextmanager
def _neighbour(crm: Served, calls: int) -> Iterator[None]:
    """Another client of the same token, in a process of its own."""
    if not calls:
        yield
        return
    command = [sys.executable, neighbour.__file__, crm.url, crm.token, str(calls / WINDOW)]
    with subprocess.Popen(command) as process:
        try:
            yield
        finally:
            process.terminate()
