"""Us beside the loops a user would write with the CRMs' own clients, on the same simulator and task.

Reading everything, where we also evaluate and compare; reading, scoring and writing everything; and the
latter at a plan's limits with a quarter of a second an answer, where calls decide. Each run is a process of
its own, from its start to its end: `icp-sync run --backfill`, or a script of theirs.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import requests

from tests.bench.places import NO_WAVES, Served, Took, measured, prepared, served, settings_of
from tests.bench.sections.size import Size
from tests.bench.table import Row, Section, spread

LATENCY = 0.25
FEWER = 40
"""At a plan's limits there is one account for so many."""
_OURS = [sys.executable, "-m", "icp_sync", "run", "--backfill", "--restart", "--json", "--config"]
_THEIRS = [sys.executable, "-m", "tests.bench.bare_loops"]
WRITING: Mapping[str, Mapping[str, str]] = {
    "hubspot": {"each": "one update each", "batch": "batches of 100"},
    "salesforce": {"each": "one update each", "bulk": "Bulk API 2.0, looked at every 5 s"},
}
CLIENTS = {"hubspot": "hubspot-api-client", "salesforce": "simple-salesforce"}


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a process took, and the calls it made."""

    took: Took
    calls: int


def loops(folder: Path, size: Size) -> Section:
    """Of each CRM a row for reading, two for writing, one at its limits."""
    rows = []
    for crm in CLIENTS:
        (own := folder / crm).mkdir()
        rows += [_read(own, crm, size), *_written(own, crm, size), _limited(own, crm, size)]
    return Section(
        title=f"Beside the loops a user would write, {size.accounts:,} accounts",
        rows=rows,
        said="Theirs score by a few lines of if and elif, know nothing of what they wrote before, and keep "
        "nothing; ours evaluate a profile with ranges and reasons, compare, claim, journal and write.",
    )


def _read(folder: Path, crm: str, size: Size) -> Row:
    with served(crm, accounts=size.accounts) as at:
        config = prepared(settings_of(at, folder, more=NO_WAVES))
        for _ in range(2):  # written, and what was written seen again
            measured([*_OURS, str(config)])
        runs = _in_turn(
            size.rounds,
            lambda: _counted(at, [*_OURS, str(config), "--dry-run"]),
            lambda: _counted(at, [*_THEIRS, f"{crm}.read", at.url, at.token]),
        )
    return _row(f"loops.{crm}.read", f"{CLIENTS[crm]}: read all, against ours that evaluates", *runs, most=2)


def _written(folder: Path, crm: str, size: Size) -> list[Row]:
    ours, *theirs = _in_turn(
        size.rounds,
        partial(_fresh, folder, crm, size.accounts),
        *(partial(_fresh, folder, crm, size.accounts, loop=f"{crm}.{how}") for how in WRITING[crm]),
    )
    said = f"{CLIENTS[crm]}: read, score and write all, "
    return [
        _row(f"loops.{crm}.{how}", said + words, ours, beside, most=1 if how == "each" else None)
        for (how, words), beside in zip(WRITING[crm].items(), theirs, strict=True)
    ]


def _limited(folder: Path, crm: str, size: Size) -> Row:
    """One run each: nearly all of it is waiting."""
    few = max(4, size.accounts // FEWER)
    ours, theirs = _in_turn(
        1,
        partial(_fresh, folder, crm, few, limited=True),
        partial(_fresh, folder, crm, few, loop=f"{crm}.each", limited=True),
    )
    what = f"{CLIENTS[crm]}: the same with {few:,} at limits, {LATENCY:.2f} s an answer, one update each"
    return _row(f"loops.{crm}.limited", what, ours, theirs, most=1)


def _fresh(folder: Path, crm: str, accounts: int, *, loop: str = "", limited: bool = False) -> Run:
    """One run on a portal that nobody wrote to: of a loop by its name, or ours."""
    with served(crm, accounts=accounts, limits="pro" if limited else "off") as at:
        for kept in folder.glob("journal.sqlite*"):
            kept.unlink()
        quota = {"quota": ""} if limited else {}
        config = prepared(settings_of(at, folder, more=NO_WAVES, **quota))
        if limited:
            slow = requests.post(f"{at.url}/__simulator/settings", json={"latency": LATENCY}, timeout=60)
            slow.raise_for_status()
        return _counted(at, [*_THEIRS, loop, at.url, at.token] if loop else [*_OURS, str(config)])


def _counted(at: Served, command: Sequence[str]) -> Run:
    before = at.requests()
    took = measured(command)
    return Run(took=took, calls=at.requests() - before)


def _in_turn(rounds: int, *runs: Callable[[], Run]) -> list[list[Run]]:
    taken = [[run() for run in runs] for _ in range(rounds)]
    return [list(column) for column in zip(*taken, strict=True)]


def _row(key: str, what: str, ours: Sequence[Run], theirs: Sequence[Run], *, most: int | None) -> Row:
    """most: by how many times theirs ours may take; None where it is only told."""
    wall, beside = (statistics.median(run.took.wall for run in runs) for runs in (ours, theirs))
    return Row(
        key=key,
        what=what,
        unit="s",
        ours=wall,
        beside=beside,
        goal="" if most is None else f"≤ {most} ×",
        met=None if most is None else wall <= most * beside,
        note=f"ours {_told(ours)}; theirs {_told(theirs)}",
        spread=spread(run.took.wall for run in ours),
    )


def _told(runs: Sequence[Run]) -> str:
    cpu = statistics.median(run.took.cpu for run in runs)
    peak = max(run.took.megabytes for run in runs)
    return f"{cpu:.1f} s CPU, {peak:.0f} MB, {runs[-1].calls:,} calls"
