"""Starting: help, a round over an unchanged CRM, and what a worker at rest holds."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

import requests

from tests.bench.counted import Rest, at_rest
from tests.bench.places import (
    NO_PORT,
    NO_WAVES,
    Served,
    Took,
    icp_sync,
    measured,
    prepared,
    served,
    settings_of,
)
from tests.bench.sections.size import Size
from tests.bench.table import Row, Section, spread, taken_in_turn

HELP = 0.3
"""Seconds until help is told."""
LATER = 2 * 3600.0
"""Seconds after which nothing that was written is in a window any more."""
RESTS, BEGINS = 60.0, 15.0
_ONE_GO = NO_WAVES + NO_PORT
_PROGRAM = [sys.executable, "-m", "icp_sync"]


def startup(folder: Path, size: Size) -> Section:
    """A row of help, two of `run --once`, one of memory."""
    with served(accounts=size.accounts) as crm:
        config = _unchanged(crm, folder)
        rests = (RESTS, BEGINS) if size.minutes >= 1 else (2.0, 4.0)
        rows = [
            _help(size.rounds),
            *_once(crm, config, size),
            _rest(at_rest(config, rests[0], settling=rests[1])),
        ]
    return Section(title=f"Start-up, {size.accounts:,} accounts on HubSpot", rows=rows)


def _unchanged(crm: Served, folder: Path) -> Path:
    """Settings of a connection that has read and written all there is, and seen what it wrote."""
    config = prepared(settings_of(crm, folder, more=_ONE_GO))
    icp_sync("run", "--backfill", "--config", str(config))
    for _ in range(2):  # the first round sees what the backfill wrote
        advance = {"advance": LATER}
        requests.post(f"{crm.url}/__simulator/clock", json=advance, timeout=60).raise_for_status()
        icp_sync("run", "--once", "--config", str(config))
    return config


def _help(rounds: int) -> Row:
    ours, bare = taken_in_turn(
        rounds,
        lambda: measured([*_PROGRAM, "--help"]).wall,
        lambda: measured([sys.executable, "-c", "pass"]).wall,
    )
    took = statistics.median(ours)
    return Row(
        key="startup.help",
        what="icp-sync --help, beside python -c pass",
        unit="s",
        ours=took,
        beside=statistics.median(bare),
        goal=f"< {HELP} s",
        met=took < HELP,
        spread=spread(ours),
    )


def _once(crm: Served, config: Path, size: Size) -> list[Row]:
    """Wall clock and processor of a round that finds nothing, beside the start of the interpreter."""
    calls: list[int] = []

    def once() -> Took:
        before = crm.requests()
        took = measured([*_PROGRAM, "run", "--once", "--config", str(config)])
        calls.append(crm.requests() - before)
        return took

    taken = [once() for _ in range(size.rounds)]
    return [
        Row(
            key="startup.once",
            what="run --once on an unchanged CRM, from the start of the process to its end",
            unit="s",
            ours=statistics.median(took.wall for took in taken),
            note=f"{statistics.median(calls):.0f} calls",
            spread=spread(took.wall for took in taken),
        ),
        Row(
            key="startup.once.cpu",
            what="the same, processor time",
            unit="s CPU",
            ours=statistics.median(took.cpu for took in taken),
            note=f"peak {max(took.megabytes for took in taken):.0f} MB",
            spread=spread(took.cpu for took in taken),
        ),
    ]


def _rest(rest: Rest) -> Row:
    return Row(
        key="startup.rest",
        what="icp-sync run with nothing to do: resident memory",
        unit="MB",
        ours=rest.megabytes,
        note=f"{rest.cpu:.2f} s CPU and {rest.statements:.0f} statements a minute",
    )
