"""Processor time: our whole pipeline beside the bare HTTP and JSON of the very calls it made, and reading,
evaluating and comparing everything beside the loop a user would write.

Each run is a process of its own. What a process takes before its first call (imports, settings) is left out
on both sides; `startup` has that.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

from tests.bench.places import Served, Took, measured, prepared, served, settings_of
from tests.bench.sections.size import Size
from tests.bench.table import Row, Section, spread, taken_in_turn

_WORK = [sys.executable, "-m", "tests.bench.cpu_work"]


def cpu(folder: Path, size: Size) -> Section:
    """Three rows of the first backfill's processor time and of a dry pass, and its peak memory."""
    calls = folder / "calls.pickle"
    return Section(
        title=f"Processor time, {size.accounts:,} accounts on HubSpot, no limits",
        rows=[*_written(folder, size, calls), *_read(folder, size, calls)],
    )


def _written(folder: Path, size: Size, calls: Path) -> list[Row]:
    _first_backfill(folder, size, "record", calls)
    ours, bare = taken_in_turn(
        size.rounds,
        partial(_first_backfill, folder, size, "write", calls),
        partial(_first_backfill, folder, size, "replay", calls),
    )
    median, beside = (sorted(taken)[len(taken) // 2] for taken in (ours, bare))
    return [
        Row(
            key="cpu.pipeline",
            what="first backfill: read, evaluate, claim, write, commit, against the same calls replayed",
            unit="µs CPU an account",
            ours=median,
            beside=beside,
            goal="≤ 3 ×",
            met=median <= 3 * beside,
            note="requests and json, bodies made and replies parsed",
            spread=spread(ours),
        )
    ]


def _first_backfill(folder: Path, size: Size, what: str, calls: Path) -> float:
    """Processor µs an account of one whole first backfill, or of its calls alone, on a fresh portal."""
    with served(accounts=size.accounts) as crm:
        for kept in folder.glob("journal.sqlite*"):
            kept.unlink()
        config = prepared(settings_of(crm, folder))
        return _per_account(_worked(what, config, crm, calls), size)


def _read(folder: Path, size: Size, calls: Path) -> list[Row]:
    peaks: list[float] = []

    def dry() -> float:
        took = _worked("dry", config, crm, calls)
        peaks.append(took.megabytes)
        return _figures(took)["wall"]

    with served(accounts=size.accounts) as crm:
        config = prepared(settings_of(crm, folder))
        _worked("write", config, crm, calls)
        ours, client, bare = taken_in_turn(
            size.rounds,
            dry,
            lambda: _figures(_worked("client", config, crm, calls))["wall"],
            lambda: _figures(_worked("list", config, crm, calls))["wall"],
        )
    median, beside, least = (sorted(taken)[len(taken) // 2] for taken in (ours, client, bare))
    peak = max(peaks)
    return [
        Row(
            key="cpu.read",
            what=f"read {size.accounts:,}, evaluate, compare, against the loop with hubspot-api-client",
            unit="s",
            ours=median,
            beside=beside,
            goal="≤ 2 ×",
            met=median <= 2 * beside,
            spread=spread(ours),
        ),
        Row(
            key="cpu.bare",
            what="the same against listing with requests and json, of which nothing is looked at",
            unit="s",
            ours=median,
            beside=least,
        ),
        Row(
            key="cpu.memory",
            what="the same: peak memory of the process",
            unit="MB",
            ours=peak,
            goal="< 100 MB",
            met=peak < 100,
        ),
    ]


def _worked(what: str, config: Path, crm: Served, calls: Path) -> Took:
    return measured([*_WORK, what, str(config), crm.url, crm.token, str(calls)])


def _figures(took: Took) -> dict[str, float]:
    found: dict[str, float] = json.loads(took.out.splitlines()[-1])
    return found


def _per_account(took: Took, size: Size) -> float:
    return _figures(took)["cpu"] / size.accounts * 1e6
